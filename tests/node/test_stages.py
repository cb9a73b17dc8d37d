"""The stages of a selection in a member's own words, and what others see of them."""

from collections.abc import Sequence

import pytest

from node import models
from node.services import referrals
from node.services.referrals import Stage
from protocol import PROGRESS, Progress
from tests.equipment.alliance import Alliance, House
from tests.equipment.letters import carry
from tests.equipment.referring import accept, letter, received, refer, sent
from tests.equipment.season import HR, PEOPLE, Season

OURS = (
    Stage("", "screening", "書類選考"),
    Stage("", "interview_1", "カジュアル面談"),
    Stage("", "interview_1", "現場面接"),
    Stage("", "offer", "内定"),
)


def write(house: House, stages: Sequence[Stage]) -> tuple[Stage, ...]:
    with house.database.transaction() as session:
        referrals.write_course(session, house.context, stages, user_id="hanako")
        return referrals.course(session)


def move(house: House, stage: str) -> None:
    with house.database.transaction() as session:
        referrals.move(session, house.context, received(house).id, stage, user_id="hanako")


def test_without_stages_of_its_own_a_member_works_with_the_common_ones(
    alliance: Alliance,
) -> None:
    with alliance["biwa"].database.reading() as session:
        assert [each.id for each in referrals.course(session)] == list(referrals.CODES)


def test_own_stages_move_and_only_the_code_is_told_when_it_changes(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    course = write(biwa, OURS)
    referral = refer(aoba, "biwa")
    carry(alliance)
    accept(biwa, received(biwa).id)
    assert carry(alliance) == []
    assert received(biwa).stage_id == course[0].id

    move(biwa, course[1].id)
    carry(alliance)
    assert sent(aoba, referral).stage_code == "interview_1"
    told = sent(aoba, referral).updated_at
    alliance.clock.move(60)
    move(biwa, course[2].id)
    carry(alliance)
    assert (received(biwa).stage_id, sent(aoba, referral).updated_at) == (course[2].id, told)
    with biwa.database.reading() as session:
        steps = referrals.stages_of(session, "in", received(biwa).id)
        called = referrals.names(session)
    assert [called[each.stage_id or ""] for each in steps] == ["カジュアル面談", "現場面接"]
    move(biwa, "declined_by_company")
    carry(alliance)
    assert sent(aoba, referral).stage_code == "declined_by_company"


def test_a_stage_that_somebody_stands_at_stays(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    course = write(biwa, OURS)
    refer(aoba, "biwa")
    carry(alliance)
    accept(biwa, received(biwa).id)
    carry(alliance)
    with pytest.raises(referrals.StageInUse):
        write(biwa, course[1:])
    move(biwa, course[1].id)
    renamed = (Stage(course[1].id, "interview_2", "面談"), course[3])
    assert [each.name for each in write(biwa, renamed)] == ["面談", "内定"]
    with pytest.raises(referrals.StageUnknown):
        move(biwa, course[0].id)


def test_stages_that_cannot_be_are_refused(alliance: Alliance) -> None:
    biwa = alliance["biwa"]
    for wrong in (
        (Stage("", "hired", "入社"),),
        (Stage("", "offer", ""),),
        (Stage("", "offer", "あ" * 31),),
        (Stage("", "offer", "内定"), Stage("", "offer", "内定")),
        tuple(Stage("", "offer", f"内定{number}") for number in range(21)),
    ):
        with pytest.raises(referrals.StagesInvalid):
            write(biwa, wrong)
    with pytest.raises(referrals.StageUnknown):
        write(biwa, (Stage("0123456789abcdef", "offer", "内定"),))


def begin(house: House, start: str) -> None:
    with house.database.transaction() as session:
        referrals.accept(session, house.context, received(house).id, user_id=HR, start=start)


@pytest.mark.parametrize("ask", [False, True])
def test_a_later_start_is_offered_with_the_acceptance(alliance: Alliance, ask: bool) -> None:
    aoba, biwa, season = alliance["aoba"], alliance["biwa"], Season(alliance)
    course = write(biwa, OURS)
    referral = season.refer("aoba", "biwa", PEOPLE[0], ask=ask)
    season.carry()
    for wrong in (course[3].id, "hired", "declined_by_company"):
        with pytest.raises(referrals.StageUnknown):
            begin(biwa, wrong)
    begin(biwa, course[1].id)
    season.carry()
    assert received(biwa).stage_id == course[1].id
    row = sent(aoba, referral)
    assert (row.state, row.stage_code) == ("accepted" if ask else "released", "interview_1")
    with aoba.database.reading() as session:
        assert referrals.start_of(session, row) == "interview_1"
        (mail,) = session.query(models.MailEntry.kind)
    assert mail == ("interest",)
    if not ask:
        # In the same second, but after the answer: this is no offer.
        move(biwa, course[3].id)
        season.carry()
        row = sent(aoba, referral)
        assert row.stage_code == "offer"
    with aoba.database.reading() as session:
        assert referrals.start_of(session, row) == "interview_1"


def test_no_start_is_told_of_somebody_who_did_not_allow_it(alliance: Alliance) -> None:
    season = Season(alliance)
    referral = season.refer("aoba", "biwa", PEOPLE[0], share=False)
    season.carry()
    begin(alliance["biwa"], "interview_2")
    season.carry()
    with alliance["biwa"].database.reading() as session:
        assert not session.query(models.OutboxEntry).filter_by(kind=PROGRESS).all()
    assert received(alliance["biwa"]).stage_code == "interview_2"
    assert sent(alliance["aoba"], referral).stage_code is None


def test_what_is_told_before_an_acceptance_is_one_start_and_no_more(alliance: Alliance) -> None:
    aoba, biwa, season = alliance["aoba"], alliance["biwa"], Season(alliance)
    referral = season.refer("aoba", "biwa", PEOPLE[0])
    season.carry()
    now = biwa.context.now()
    for stage in ("hired", "interview_1", "interview_2"):
        letter(biwa, "aoba", PROGRESS, Progress(referral, stage, now).encode())
    assert carry(alliance) == ["letter-unexpected"] * 2
    row = sent(aoba, referral)
    assert (row.state, row.stage_code) == ("sent", None)
    # Of another second than the acceptance, it is no offer.
    alliance.clock.move(60)
    accept(biwa, received(biwa).id)
    season.carry()
    assert sent(aoba, referral).stage_code is None
