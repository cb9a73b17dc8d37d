"""A member that has left: told why it is refused, and shut out of everything else."""

import pytest
from sqlalchemy import select

from node import models
from node.peer_addresses import ENDPOINTS
from node.refusals import NotThere
from node.services import charter as charters
from node.services import delivery, departing, hires, ledger, membership, outbox, referrals
from node.services.hires import SlotsNotRedeemable
from protocol import REFERRAL_ENTRY, Charter, Grounds, PullAnswer, SigningKey, decree, limits
from tests.equipment.alliance import Alliance, House
from tests.equipment.departing import expel
from tests.equipment.peers import ENVELOPES, HELLO, Caller, stored
from tests.equipment.season import PEOPLE, Season, profile_of

FOLLOWING = "/peer/v1/following"
PULL = "/peer/v1/pull"


@pytest.fixture
def second(alliance: Alliance) -> Charter:
    """Version 2, which bridge is not in; it has not heard of it."""
    return expel(alliance, "bridge")


@pytest.fixture
def caller(alliance: Alliance, second: Charter) -> Caller:
    """Bridge, which speaks under version 1, and calls biwa."""
    assert "bridge" not in second.by_id
    return Caller(alliance["bridge"], alliance["biwa"], alliance.charter)


def pull_of(house: House) -> bytes:
    with house.database.reading() as session:
        return ledger.pull_body(session, house.context)


def test_a_member_that_left_is_told_so_at_every_address(caller: Caller) -> None:
    before = stored(caller.them.database)
    bodies = dict.fromkeys(ENDPOINTS.keys() - {FOLLOWING, PULL}, b"{}")
    bodies[ENVELOPES] = caller.letter("referral", b"{}").encode()
    for path, body in bodies.items():
        answer = caller.call(body, path=path)
        assert (answer.status, answer.code, answer.is_proven) == (403, "member-expelled", True)
        assert answer.problem.facts["version"] == 2
    assert stored(caller.them.database) == before


def test_its_last_key_proves_it_and_who_never_belonged_stays_a_stranger(caller: Caller) -> None:
    assert caller.call(b"{}", path=HELLO, key=SigningKey.generate()).code == "key-unknown"
    stranger = caller.context(sender="delta")
    answer = caller.call(b"{}", path=HELLO, context=stranger)
    assert (answer.code, answer.problem.detail) == ("not-a-member", "")
    assert "version" not in answer.problem.facts


def test_it_learns_of_the_decree_that_removed_it_and_of_none_behind(
    caller: Caller, second: Charter
) -> None:
    answer = caller.call(b"{}", path=FOLLOWING)
    assert answer.status == 200
    assert decree.Enacted.parse(answer.body).decree.motion.charter.digest == second.digest
    later = caller.context(epoch=2)
    assert caller.call(b"{}", path=FOLLOWING, context=later).code == "member-expelled"


def test_it_may_fetch_what_lies_within_its_last_epoch_and_no_more(caller: Caller) -> None:
    asked = pull_of(caller.us)
    answer = caller.call(asked, path=PULL)
    assert answer.status == 200
    assert PullAnswer.parse(answer.body).certificates == ()
    beyond = pull_of(caller.them)
    assert caller.call(beyond, path=PULL).code == "member-expelled"


def test_a_block_shuts_out_letters_and_no_votes_or_books(alliance: Alliance) -> None:
    caller = Caller(alliance["aoba"], alliance["biwa"], alliance.charter)
    with caller.them.database.transaction() as session:
        membership.block(session, caller.them.context, "aoba", on=True, actor="hanako")
    letter = caller.letter("referral", b"{}").encode()
    assert caller.call(letter).code == "peer-blocked"
    assert caller.call(pull_of(caller.us), path=PULL).status == 200
    assert caller.call(b"{}", path="/peer/v1/orders").code != "peer-blocked"


def test_the_chain_says_who_left_and_how_it_was_described(
    alliance: Alliance, second: Charter
) -> None:
    with alliance["aoba"].database.reading() as session:
        (gone,) = charters.departures(session).values()
        assert charters.has_left(session, "biwa") is None
        assert charters.has_left(session, "delta") is None
    assert gone.member == alliance.charter.member("bridge")
    assert (gone.last_version, gone.charter.digest) == (1, second.digest)


def test_its_candidates_can_be_declined_and_moved_and_hired_without_it(alliance: Alliance) -> None:
    season = Season(alliance)
    waiting = season.offered("bridge", "biwa", PEOPLE[0])
    chosen = season.accepted("bridge", "biwa", PEOPLE[1])
    season.certify_all()
    expel(alliance, "bridge")
    biwa = alliance["biwa"]
    with pytest.raises(charters.MemberGone):
        season.answer("biwa", waiting)
    season.answer("biwa", waiting, accept=False)
    season.move("biwa", chosen, "offer")
    with pytest.raises(SlotsNotRedeemable):
        season.hire("biwa", chosen, slot=True)
    # What the two agreed on outlives the alliance.
    season.hire("biwa", chosen, slot=False, fee_yen=1_000_000)
    with biwa.database.reading() as session:
        assert referrals.offered(session, waiting).state == "declined"
        assert referrals.offered(session, chosen).state == "hired"
        assert hires.find(session, "in", chosen) is not None
        assert [each.kind for each in outbox.state_of(session, waiting)] == []


def test_what_is_owed_to_a_closed_account_holds_up_no_other_payment(alliance: Alliance) -> None:
    biwa = alliance["biwa"]
    with biwa.database.transaction() as session:
        # As many as an order takes, and all older than what comes after.
        for number in range(limits.ORDER_ENTRIES_MAX):
            ledger.pay(
                session,
                biwa.context,
                entry_id=f"{number:032x}",
                kind=REFERRAL_ENTRY,
                to="bridge",
                points=3,
                reference=bytes(32),
            )
    expel(alliance, "bridge")
    with biwa.database.transaction() as session:
        assert ledger.position(session, biwa.context).owed == 0
        assert not ledger.has_work(session, biwa.context)
        ledger.pay(
            session,
            biwa.context,
            entry_id="b" * 32,
            kind=REFERRAL_ENTRY,
            to="aoba",
            points=1,
            reference=bytes(32),
        )
        order = ledger.open_order(session, biwa.context)
    assert order is not None
    assert [entry.to for entry in order.body.entries] == ["aoba"]


def test_what_two_members_paid_each_other_is_settled_where_the_account_was_closed(
    alliance: Alliance,
) -> None:
    season = Season(alliance)
    for person in PEOPLE[:2]:
        season.accepted("bridge", "biwa", person)
    season.accepted("biwa", "bridge", PEOPLE[2])
    season.accepted("biwa", "aoba", PEOPLE[3])
    season.certify_all()
    season.accepted("bridge", "biwa", PEOPLE[4])
    season.accepted("biwa", "bridge", PEOPLE[5])
    biwa = alliance["biwa"]
    with biwa.database.reading() as session:
        assert ledger.settlements(session, biwa.context) == []
        with pytest.raises(NotThere):
            ledger.settlement(session, biwa.context, "bridge")
        assert referrals.promised(session, biwa.context) == 1

    second = expel(alliance, "bridge", told=["bridge"])
    with biwa.database.reading() as session:
        (one,) = ledger.settlements(session, biwa.context)
        lines = ledger.statement(session, biwa.context, limit=10, peer="bridge")
        assert referrals.promised(session, biwa.context) == 0
        assert referrals.promised(session, biwa.context, by="bridge") == 1
        pages = [lines[0]]
        while page := ledger.statement(
            session, biwa.context, limit=1, peer="bridge", before=ledger.line_key(pages[-1])
        ):
            pages += page
    assert (one.member.id, one.charter.digest) == ("bridge", second.digest)
    assert (one.received, one.paid, one.balance, one.lapsed) == (1, 2, -1, 1)
    assert sorted(line.points for line in lines) == [-1, -1, 1]
    assert pages == lines
    assert second.cut is not None
    assert one.cut_digest == second.cut.state

    # The member that left settles with each that stayed, from its own books.
    bridge = alliance["bridge"]
    with bridge.database.reading() as session:
        theirs = {each.member.id: each for each in ledger.settlements(session, bridge.context)}
    assert theirs.keys() == {"aoba", "biwa", "seeds"}
    assert (theirs["biwa"].balance, theirs["aoba"].balance) == (1, 0)
    assert theirs["biwa"].cut_digest == one.cut_digest


# --- What was on its way. ---


def letters(house: House, recipient: str) -> list[tuple[str, str | None]]:
    table = models.OutboxEntry
    with house.database.reading() as session:
        rows = session.execute(
            select(table.state, table.error_code).where(table.recipient == recipient)
        )
        return [(state, code) for state, code in rows]


def actions(house: House) -> list[tuple[str, str, str]]:
    table = models.AuditEntry
    with house.database.reading() as session:
        rows = session.execute(
            select(table.action, table.subject, table.detail).where(
                table.action == "letters.cancelled"
            )
        )
        return [(action, subject, detail) for action, subject, detail in rows]


def test_letters_that_wait_for_a_member_that_goes_are_cancelled(alliance: Alliance) -> None:
    season = Season(alliance)
    sent, other = (season.refer("aoba", to, PEOPLE[0]) for to in ("bridge", "biwa"))
    expel(alliance, "bridge")
    aoba = alliance["aoba"]
    assert letters(aoba, "bridge") == [("cancelled", outbox.PARTNER_LEFT)]
    assert letters(aoba, "biwa") == [("queued", None)]
    assert actions(aoba) == [("letters.cancelled", "bridge", "partner-left 1")]
    with aoba.database.reading() as session:
        closed, open_ = referrals.sent_of(session, sent), referrals.sent_of(session, other)
        assert (closed.state, closed.profile_blob) == ("expired", None)
        assert open_.state == "sent"
        assert open_.profile_blob is not None
        assert delivery.due(session, aoba.context) == ["biwa"]
    with aoba.database.transaction() as session, pytest.raises(charters.MemberGone):
        referrals.refer(
            session,
            aoba.context,
            consent_id=open_.consent_id,
            applicant_id=open_.applicant_id,
            recipient="bridge",
            card=PEOPLE[0].card,
            grounds=Grounds("c" * 32, 1, "2027-01", "0" * 64, ("card",), "本人"),
            profile=profile_of(PEOPLE[0]),
            resume=None,
            send_profile_now=False,
            share_progress=True,
        )


def test_a_letter_that_was_on_its_way_is_left_to_its_sender_and_tidied_after(
    alliance: Alliance,
) -> None:
    season, aoba = Season(alliance), alliance["aoba"]
    season.refer("aoba", "bridge", PEOPLE[0])
    with aoba.database.transaction() as session:
        (parcel,) = delivery.claim(session, aoba.context, "bridge", "lease")
    charter = expel(alliance, "bridge")
    assert letters(aoba, "bridge") == [("queued", None)]
    failed = [delivery.Outcome(parcel, failure="timed-out")]
    with aoba.database.transaction() as session:
        delivery.record(session, aoba.context, "bridge", "lease", [parcel], failed, jitter=0)
        assert delivery.claim(session, aoba.context, "bridge", "again") == []
    for _ in range(2):
        with aoba.database.transaction() as session:
            departing.tidy(session, aoba.context, charter)
        assert letters(aoba, "bridge") == [("cancelled", outbox.PARTNER_LEFT)]
    assert actions(aoba) == [("letters.cancelled", "bridge", "partner-left 1")]


def test_who_goes_itself_cancels_all_that_waits(alliance: Alliance) -> None:
    season = Season(alliance)
    for to in ("aoba", "biwa"):
        season.refer("bridge", to, PEOPLE[0])
    expel(alliance, "bridge", told=["bridge"])
    bridge = alliance["bridge"]
    for to in ("aoba", "biwa"):
        assert letters(bridge, to) == [("cancelled", outbox.WE_LEFT)]
    assert [detail for *_, detail in actions(bridge)] == ["we-left 1", "we-left 1"]
