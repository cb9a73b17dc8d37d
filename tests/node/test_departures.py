"""A member that has left: told why it is refused, and shut out of everything else."""

import pytest

from node.peer_addresses import ENDPOINTS
from node.services import charter as charters
from node.services import hires, ledger, membership, outbox, referrals
from node.services.hires import SlotsNotRedeemable
from protocol import REFERRAL_ENTRY, Charter, PullAnswer, SigningKey, decree
from tests.equipment.alliance import Alliance, House
from tests.equipment.departing import expel
from tests.equipment.peers import ENVELOPES, HELLO, Caller, stored
from tests.equipment.season import PEOPLE, Season

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
        ledger.pay(
            session,
            biwa.context,
            entry_id="a" * 32,
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
