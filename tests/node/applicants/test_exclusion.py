"""Exclusion: who gets no private link, whatever else is true.  DOMAIN 2.7."""

import pytest
from sqlalchemy import select

from node import models
from node.refusals import ValueInvalid
from node.services import applicants
from node.services.applicants import exclusion
from tests.equipment.applicants_office import USER, Office, line, table


def judge(office: Office) -> dict[str, str]:
    """Name's last sign -> reason, or `link`."""
    with office.database.reading() as session:
        rows = office.applicants()
        found = exclusion.notifiable(session, office.context, [row.id for row in rows])
        persons = applicants.persons_of(session, office.context, rows)
    assert found.allowed.isdisjoint(found.excluded)
    return {persons[row.id].name[-1]: found.excluded.get(row.id, "link") for row in rows}


def test_only_the_rejected_with_an_address_get_a_link(office: Office) -> None:
    office.bring_in(
        table(
            line(1),
            line(2, result="選考中"),
            line(3, result="辞退"),
            line(4, result="入社"),
            line(5, email=""),
        )
    )
    assert judge(office) == {
        "1": "link",
        "2": "not_rejected",
        "3": "withdrawn",
        "4": "not_rejected",
    } | {"5": "no_email"}


@pytest.mark.parametrize("flag", sorted(exclusion.FLAGS))
def test_a_flag_takes_the_link_and_can_be_taken_back(office: Office, flag: str) -> None:
    office.bring_in(table(line(1), line(2)))
    row = office.applicants()[0]
    with office.database.transaction() as session:
        exclusion.set_flag(session, office.context, row.id, flag, user_id=USER)
    assert {"1": flag, "2": "link"} == judge(office)
    office.bring_in(table(line(1, stage="二次面接")))  # a later import does not take it back
    assert {"1": flag, "2": "link"} == judge(office)
    with office.database.transaction() as session:
        exclusion.set_flag(session, office.context, row.id, "", user_id=USER)
    assert judge(office) == {"1": "link", "2": "link"}
    with office.database.reading() as session:
        entries = list(session.scalars(select(models.AuditEntry)))
    assert not any(flag in f"{each.action}{each.detail}" for each in entries)


def test_an_unknown_flag_is_refused(office: Office) -> None:
    office.bring_in(table(line(1)))
    row = office.applicants()[0]
    with pytest.raises(ValueInvalid), office.database.transaction() as session:
        exclusion.set_flag(session, office.context, row.id, "bad", user_id=USER)
    assert office.applicants()[0].exclusion is None


def test_who_asked_not_to_be_contacted_is_not_whoever_imports_them(office: Office) -> None:
    office.bring_in(table(line(1), line(2)))
    with office.database.transaction() as session:
        person = applicants.person_of(session, office.context, office.applicants()[0])
        applicants.suppress(session, office.context, person)
        applicants.suppress(session, office.context, person)
    office.bring_in(
        table(
            line(3, email="PERSON1@example.jp", phone=""),
            line(4, email="other@example.jp", phone="09010000001"),
        )
    )
    assert judge(office) == {"1": "suppressed", "2": "link", "3": "suppressed", "4": "suppressed"}
    with office.database.transaction() as session:
        exclusion.allow_again(session, office.context, person)
    assert {"link"} == set(judge(office).values())


def test_who_was_placed_within_two_years_is_left_alone(office: Office) -> None:
    office.bring_in(table(line(1, email="a@example.jp", result="入社"), line(2)))
    office.bring_in(table(line(3, email="a@example.jp")))
    assert judge(office)["3"] == "placed_by_agency"
    office.clock.move(exclusion.PLACED_S)
    assert judge(office)["3"] == "link"


def test_erased_and_unknown_people_get_nothing(office: Office) -> None:
    office.bring_in(table(line(1)))
    row = office.applicants()[0]
    with office.database.transaction() as session:
        applicants.erase(session, office.context, row.person_id)
    with office.database.reading() as session:
        found = exclusion.notifiable(session, office.context, [row.id, "nobody"])
        assert (frozenset(), {row.id: "erased"}) == found
        assert exclusion.reason_for(session, office.context, row.id) == "erased"


def test_judging_many_costs_few_statements(office: Office) -> None:
    office.bring_in(table(*(line(n) for n in range(600))))
    ids = [row.id for row in office.applicants()]
    with office.database.reading() as session, office.counting() as statements:
        assert len(exclusion.notifiable(session, office.context, ids).allowed) == 600
    assert len(statements) <= 6
