"""Suspensions at a node: signed, told, in force for 72 hours, and what they touch and do not."""

import pytest
from sqlalchemy import func, select

from node import models
from node.services import delivery, ledger, measures, membership
from node.services.charter import MemberGone
from node.services.measures import SuspensionView
from protocol import (
    SUSPENSION,
    SignedDocument,
    Suspension,
    errors,
    limits,
    next_draft,
    sign,
)
from tests.equipment.alliance import Alliance, House
from tests.equipment.deciding import approved, decide, enact, in_force
from tests.equipment.departing import expel
from tests.equipment.peers import HELLO, Caller, stored
from tests.equipment.season import PEOPLE, Season

SUSPENSIONS = "/peer/v1/suspensions"


def suspend(house: House, member: str = "bridge") -> SuspensionView:
    with house.database.transaction() as session:
        return measures.suspend(session, house.context, member, actor="cli")


def document(house: House) -> bytes:
    with house.database.reading() as session:
        (told,) = measures.news(session, house.context)
    return told.document


def hear(house: House, body: bytes) -> bytes:
    with house.database.transaction() as session:
        return measures.receive(session, house.context, body)


def views(house: House) -> list[SuspensionView]:
    with house.database.reading() as session:
        return measures.views(session, house.context)


def suspended(house: House) -> list[str]:
    with house.database.reading() as session:
        return [each.member for each in measures.in_force(session, house.context)]


def due(house: House) -> list[str]:
    with house.database.reading() as session:
        return delivery.due(session, house.context)


def rows(house: House) -> int:
    with house.database.reading() as session:
        return session.scalar(select(func.count()).select_from(models.Suspension)) or 0


def by_two(alliance: Alliance, *, told: tuple[str, ...] = ("seeds", "bridge")) -> None:
    """Aoba and biwa suspend bridge; the others hear of it."""
    suspend(alliance["aoba"])
    hear(alliance["biwa"], document(alliance["aoba"]))
    suspend(alliance["biwa"])
    for name in ("aoba", *told):
        hear(alliance[name], document(alliance["biwa"]))


def test_one_word_is_none_and_the_second_suspends_for_72_hours(alliance: Alliance) -> None:
    aoba, biwa, seeds = (alliance[name] for name in ("aoba", "biwa", "seeds"))
    began = suspend(aoba)
    assert (began.signers, began.is_complete) == (("aoba",), False)
    assert suspend(aoba) == began
    hear(biwa, document(aoba))
    assert suspended(aoba) == suspended(biwa) == []

    alliance.clock.move(60)
    whole = suspend(biwa)
    assert (whole.signers, whole.is_complete) == (("aoba", "biwa"), True)
    assert (whole.since, whole.until) == (began.since, began.since + limits.SUSPENSION_S)
    # Whoever tells what it had hears what there is by now.
    hear(aoba, hear(biwa, document(aoba)))
    hear(seeds, document(biwa))
    assert [suspended(each) for each in (aoba, biwa, seeds)] == [["bridge"]] * 3

    alliance.clock.move(limits.SUSPENSION_S - 61)
    assert suspended(seeds) == ["bridge"]
    alliance.clock.move(1)
    assert suspended(seeds) == views(seeds) == []
    with pytest.raises(errors.MeasureInvalid, match="before in this epoch"):
        suspend(aoba)


def test_two_who_begin_in_one_moment_agree_on_the_older(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    suspend(aoba)
    alliance.clock.move(1)
    suspend(biwa)
    with aoba.database.reading() as session:
        (first,) = measures.news(session, aoba.context)
    with biwa.database.reading() as session:
        (second,) = measures.news(session, biwa.context)
    hear(aoba, second.document)
    hear(biwa, first.document)
    assert suspended(aoba) == suspended(biwa) == []
    assert not suspend(aoba).is_complete, "it has signed the older one already"
    whole = suspend(biwa)
    assert (whole.is_complete, whole.signers) == (True, ("aoba", "biwa"))


def test_a_word_that_nobody_joins_is_forgotten_and_may_be_said_again(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    began = suspend(aoba)
    stale = document(aoba)
    alliance.clock.move(limits.SUSPENSION_S)
    assert views(aoba) == []
    with pytest.raises(errors.MeasureInvalid, match="over"):
        hear(biwa, stale)
    again = suspend(aoba)
    assert (again.since, rows(aoba)) == (began.until, 1)


def test_nobody_fills_the_table_with_its_own_word(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    now, key = aoba.context.now(), aoba.context.keyring.signing
    halves = [
        sign(SUSPENSION, Suspension("minato", 1, "bridge", now - ago).encode(), key).encode()
        for ago in range(limits.SUSPENSIONS_OPEN_MAX + 1)
    ]
    for half in halves[:-1]:
        hear(biwa, half)
    with pytest.raises(errors.RateLimited):
        hear(biwa, halves[-1])
    assert rows(biwa) == limits.SUSPENSIONS_OPEN_MAX


def test_one_signature_many_times_leaves_room_for_the_second_member(alliance: Alliance) -> None:
    aoba, biwa, seeds = (alliance[name] for name in ("aoba", "biwa", "seeds"))
    word = Suspension("minato", 1, "bridge", alliance.clock.now())
    alone = sign(SUSPENSION, word.encode(), seeds.context.signing(alliance.charter))
    many = SignedDocument(SUSPENSION, alone.payload, alone.signatures * limits.SIGNATURES_MAX)
    for house in (aoba, biwa):
        hear(house, many.encode())
    suspend(biwa)
    hear(aoba, document(biwa))
    assert suspended(aoba) == suspended(biwa) == ["bridge"]
    (view,) = views(aoba)
    assert set(view.signers) == {"biwa", "seeds"}


def test_nobody_suspends_itself_a_stranger_or_who_has_left(alliance: Alliance) -> None:
    for member, refusal in (("aoba", errors.MeasureInvalid), ("delta", MemberGone)):
        with pytest.raises(refusal):
            suspend(alliance["aoba"], member)
    expel(alliance, "bridge")
    with pytest.raises(MemberGone):
        suspend(alliance["aoba"])
    assert rows(alliance["aoba"]) == 0


def test_only_letters_of_a_suspended_member_are_refused_and_nothing_is_stored(
    alliance: Alliance,
) -> None:
    by_two(alliance)
    caller = Caller(alliance["bridge"], alliance["seeds"], alliance.charter)
    before = stored(caller.them.database)
    letter = caller.letter("referral", b"{}").encode()
    answer = caller.call(letter)
    assert (answer.status, answer.code, answer.is_proven) == (403, "member-suspended", True)
    assert answer.problem.facts["until"] == caller.them.context.now() + limits.SUSPENSION_S
    assert stored(caller.them.database) == before

    with caller.us.database.reading() as session:
        hello = membership.make_hello(session, caller.us.context).encode()
        pull = ledger.pull_body(session, caller.us.context)
    assert caller.call(hello, path=HELLO).status == 200
    assert caller.call(pull, path="/peer/v1/pull").status == 200
    for path in ("/peer/v1/orders", "/peer/v1/ballots", "/peer/v1/decrees"):
        assert caller.call(b"{}", path=path).code != "member-suspended"
    # Another member's letters are looked at, and an hour too late so are those of this one.
    other = Caller(alliance["aoba"], alliance["seeds"], alliance.charter)
    assert other.call(letter).code == "sender-mismatch"
    alliance.clock.move(limits.SUSPENSION_S)
    assert caller.call(b"{}").code != "member-suspended"


def test_a_suspension_comes_by_the_peers_own_door(alliance: Alliance) -> None:
    suspend(alliance["aoba"])
    caller = Caller(alliance["aoba"], alliance["biwa"], alliance.charter)
    answer = caller.call(document(alliance["aoba"]), path=SUSPENSIONS)
    assert (answer.status, answer.body) == (200, document(alliance["biwa"]))
    own = sign(
        SUSPENSION,
        Suspension("minato", 1, "bridge", caller.us.context.now()).encode(),
        alliance["bridge"].context.keyring.signing,
    )
    refused = caller.call(own.encode(), path=SUSPENSIONS)
    assert (refused.status, refused.code) == (422, "measure-invalid")
    assert rows(alliance["biwa"]) == 1


def test_queues_wait_on_both_sides_and_go_on_by_themselves(alliance: Alliance) -> None:
    season = Season(alliance)
    season.refer("aoba", "bridge", PEOPLE[0])
    season.refer("aoba", "seeds", PEOPLE[0])
    season.refer("bridge", "biwa", PEOPLE[1])
    by_two(alliance)
    assert due(alliance["aoba"]) == ["seeds"]
    assert due(alliance["bridge"]) == []
    with alliance["aoba"].database.transaction() as session:
        assert delivery.claim(session, alliance["aoba"].context, "bridge", "one") == []
        assert "bridge" in delivery.reachable(session, alliance["aoba"].context)
    alliance.clock.move(limits.SUSPENSION_S)
    assert due(alliance["aoba"]) == ["bridge", "seeds"]
    assert due(alliance["bridge"]) == ["biwa"]


def test_a_suspension_ends_with_its_epoch(alliance: Alliance) -> None:
    by_two(alliance)
    names = ["aoba", "biwa", "seeds", "bridge"]
    approved(alliance, "aoba", next_draft(in_force(alliance["aoba"])), names[1:])
    decree = decide(alliance, "aoba", names)
    for name in names:
        assert enact(alliance[name], decree)
    assert suspended(alliance["aoba"]) == []
    assert rows(alliance["aoba"]) == 0
    assert not suspend(alliance["aoba"]).is_complete, "a new epoch, a new suspension"
