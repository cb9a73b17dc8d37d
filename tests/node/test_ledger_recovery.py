"""An owner that forgot, was copied or lied, over real databases: the account is taken up again."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, func, select

from node import models
from node.services import ledger, restores, seats
from node.services.ledger import rejoining, tenure
from node.services.ledger.guards import SQLGuards
from node.worker.ledger import ORDERS_PATH, LedgerRounds, pull
from node.worker.recovery import FENCES_PATH, Recovery
from protocol import (
    FIRST_INCARNATION,
    SignedDocument,
    Standing,
    Tenure,
    begin,
    decree,
    errors,
)
from tests.equipment.alliance import Alliance, House
from tests.equipment.ordering import opened, owe, proofs, second_order, vote
from tests.equipment.wires import node_with, wires_of

OTHERS = ("biwa", "seeds", "bridge")


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def lose_memory(house: House) -> None:
    """The disk of some time ago: the open order was not on it, nor what it was to pay."""
    with house.database.transaction() as session:
        session.execute(delete(models.LedgerLock).where(models.LedgerLock.account == house.id))
        session.execute(delete(models.PendingEntry))


def balances(alliance: Alliance, executor: ThreadPoolExecutor) -> set[tuple[tuple[str, int], ...]]:
    """Everybody's books, once all that was to be told has arrived."""
    executor.shutdown()
    found = set()
    for house in alliance.houses.values():
        with house.database.reading() as session:
            books = ledger.SQLBooks(session)
            found.add(tuple((each, books.head(each).balance) for each in ("aoba", *OTHERS)))
    return found


def held(house: House) -> Tenure:
    with house.database.reading() as session:
        return tenure.tenure(session, house.context)


def run(rounds: LedgerRounds, alliance: Alliance, times: int = 6) -> int:
    """So many steps of the worker, a minute apart; how many certificates were made."""
    made = 0
    for _ in range(times):
        made += rounds.step()
        alliance.clock.move(60)
    return made


def test_an_order_that_peers_locked_and_its_owner_forgot_is_adopted(
    alliance: Alliance, executor: ThreadPoolExecutor
) -> None:
    aoba = alliance["aoba"]
    owe(aoba, "biwa")
    lost = opened(aoba)
    assert lost is not None
    vote(alliance["seeds"], lost)
    lose_memory(aoba)
    # What it would sign next at that number is another order: it must not.
    owe(aoba, "bridge")
    assert run(LedgerRounds(node_with(alliance), executor), alliance) == 2
    assert balances(alliance, executor) == {
        (("aoba", -2), ("biwa", 1), ("seeds", 0), ("bridge", 1))
    }
    assert held(aoba).incarnation == FIRST_INCARNATION + 1
    assert all(not proofs(house) for house in alliance.houses.values())
    with aoba.database.reading() as session:
        stored = select(models.LedgerCertificate.incarnation).order_by(
            models.LedgerCertificate.sequence
        )
        assert list(session.scalars(stored)) == [2, 2]
        assert [each for each in ledger.Verification(session).findings() if each] == []


def test_an_owner_that_knows_its_account_to_the_end_begins_no_incarnation(
    alliance: Alliance, executor: ThreadPoolExecutor
) -> None:
    aoba = alliance["aoba"]
    owe(aoba, "biwa")
    waiting = opened(aoba)
    assert waiting is not None
    vote(alliance["seeds"], waiting)
    node = node_with(alliance)
    assert run(LedgerRounds(node, executor), alliance, 2) == 1
    assert held(aoba) == Tenure()
    assert ("seeds", FENCES_PATH) not in wires_of(node).asked


def test_nothing_is_opened_before_enough_members_were_asked(
    alliance: Alliance, executor: ThreadPoolExecutor
) -> None:
    owe(alliance["aoba"], "biwa")

    def away(path: str, body: bytes) -> bytes:
        raise errors.Maintenance

    node = node_with(alliance, seeds=away, bridge=away)
    rounds = LedgerRounds(node, executor)
    assert run(rounds, alliance) == 0
    assert ("biwa", ORDERS_PATH) not in wires_of(node).asked


def clone_of(house: House, alliance: Alliance) -> bytes:
    """The fence that a copy of the machine sends, and this one knows nothing of."""
    copied = begin(
        Tenure(),
        1,
        house.id,
        charter=alliance.charter,
        key=house.context.keyring.signing,
        attempt=secrets.token_bytes(16),
    )
    for member in OTHERS:
        other = alliance[member]
        with other.database.transaction() as session:
            tenure.answer_fence(session, other.context, house.id, copied.fence)
    return copied.fence


def test_the_second_of_two_live_clones_stops_the_first_until_it_is_started_again(
    alliance: Alliance, executor: ThreadPoolExecutor
) -> None:
    aoba = alliance["aoba"]
    rounds = LedgerRounds(node_with(alliance), executor)
    owe(aoba, "biwa")
    assert run(rounds, alliance, 1) == 1
    clone_of(aoba, alliance)
    owe(aoba, "biwa")
    assert run(rounds, alliance) == 0
    with aoba.database.reading() as session:
        assert tenure.superseded_at(session, aoba.context) is not None
    assert opened(aoba) is None
    # A person stops the other one, and starts this one: it takes the account over.
    assert run(LedgerRounds(node_with(alliance), executor), alliance) == 1
    assert held(aoba).incarnation == 3
    assert balances(alliance, executor) == {
        (("aoba", -2), ("biwa", 2), ("seeds", 0), ("bridge", 0))
    }


def test_an_account_whose_key_signed_twice_is_unlocked_by_counting(
    alliance: Alliance, executor: ThreadPoolExecutor
) -> None:
    aoba = alliance["aoba"]
    owe(aoba, "biwa", "the-point-that-is-owed")
    one = opened(aoba)
    assert one is not None
    # A copy of the machine signed the other: one member has this one, two have that.
    other = second_order(aoba, one)
    vote(alliance["seeds"], one)
    vote(alliance["biwa"], other)
    vote(alliance["bridge"], other)
    assert run(LedgerRounds(node_with(alliance), executor), alliance) >= 1
    # Two of them and the owner make a quorum for the other: it may be certified somewhere.
    assert held(aoba).incarnation == 2
    ((_, biwa, seeds, bridge),) = balances(alliance, executor)
    assert (biwa[1], seeds[1], bridge[1]) == (0, 0, 1)


def test_a_restored_voter_abstains_until_it_cannot_have_voted(
    alliance: Alliance, executor: ThreadPoolExecutor
) -> None:
    seeds = alliance["seeds"]
    with seeds.database.transaction() as session:
        restores.begin(session, seeds.context, seeds.context.now())
    node = node_with(alliance, "seeds")
    recovery = Recovery(node, executor)
    assert not recovery.is_over()
    assert restored(seeds), "what peers show is not enough: their ledgers are to be read"
    for member in ("aoba", "biwa", "bridge"):
        pull(node, member)
    assert not restored(seeds)
    alliance.clock.move(60)
    assert recovery.is_over()
    assert held(seeds).incarnation == 2, "its own account is fenced"

    rounds = LedgerRounds(node_with(alliance), executor)
    for sequence in (1, 2):
        owe(alliance["aoba"], "biwa")
        order = opened(alliance["aoba"])
        assert order is not None
        with pytest.raises(errors.Abstaining):
            vote(seeds, order)
        # The others are a quorum without it.
        assert run(rounds, alliance, 1) == 1
        assert order.body.sequence == sequence
    executor.shutdown()
    owe(alliance["aoba"], "biwa")
    order = opened(alliance["aoba"])
    assert order is not None
    assert b'"outcome":"vote"' in vote(seeds, order)


def restored(house: House) -> bool:
    with house.database.reading() as session:
        return restores.is_recovering(session)


def test_a_node_that_recovers_neither_promises_nor_shows_where_an_account_stands(
    alliance: Alliance,
) -> None:
    seeds, aoba = alliance["seeds"], alliance["aoba"]
    with seeds.database.transaction() as session:
        restores.begin(session, seeds.context, seeds.context.now())
    with seeds.database.transaction() as session:
        with pytest.raises(errors.Recovering):
            tenure.answer_standing(session, seeds.context, "aoba")
        with pytest.raises(errors.Recovering):
            tenure.answer_fence(session, seeds.context, "aoba", fence_of(aoba, alliance))


def test_a_restored_node_does_not_rejoin_while_a_ballot_ends_the_epoch(
    alliance: Alliance, executor: ThreadPoolExecutor
) -> None:
    seeds = alliance["seeds"]
    # It may have stopped voting with the others, and have forgotten that.
    for name in ("aoba", "biwa", "bridge"):
        house = alliance[name]
        with house.database.transaction() as session:
            seats.keep(session, house.context, decree.Seat(alliance.charter.epoch, promised=1))
    with seeds.database.transaction() as session:
        restores.begin(session, seeds.context, seeds.context.now())
    node = node_with(alliance, "seeds")
    recovery = Recovery(node, executor)
    assert not recovery.is_over()
    for member in ("aoba", "biwa", "bridge"):
        pull(node, member)
    assert restored(seeds)
    with alliance["aoba"].database.reading() as session, pytest.raises(errors.EpochStopped):
        tenure.answer_standing(session, alliance["aoba"].context, "seeds")


def fence_of(house: House, alliance: Alliance, known: int = 1) -> bytes:
    return begin(
        Tenure(),
        known,
        house.id,
        charter=alliance.charter,
        key=house.context.keyring.signing,
        attempt=secrets.token_bytes(16),
    ).fence


def test_a_fence_is_promised_to_its_own_account_and_to_one_attempt_only(
    alliance: Alliance,
) -> None:
    seeds, aoba = alliance["seeds"], alliance["aoba"]

    def ask(sender: str, body: bytes) -> bytes:
        with seeds.database.transaction() as session:
            return tenure.answer_fence(session, seeds.context, sender, body)

    first = fence_of(aoba, alliance, 4)
    with pytest.raises(errors.SenderMismatch):
        ask("biwa", first)
    assert guards(seeds) == 0
    promise = ask("aoba", first)
    assert ask("aoba", first) == promise, "the same fence gets the same answer"
    for stale in (fence_of(aoba, alliance, 4), fence_of(aoba, alliance, 1)):
        with pytest.raises(errors.IncarnationStale) as refusal:
            ask("aoba", stale)
        shown = [SignedDocument.from_json(each).encode() for each in refusal.value.facts["shown"]]
        assert shown == [first]
    with pytest.raises(errors.DocumentInvalid):
        ask("aoba", b'{"kind":"fence"}')
    with seeds.database.reading() as session:
        assert SQLGuards(session).guard("aoba").incarnation == 5


def guards(house: House) -> int:
    with house.database.reading() as session:
        return session.scalar(select(func.count()).select_from(models.LedgerGuard)) or 0


def test_what_peers_show_is_taken_for_a_restore_only_while_there_is_one(
    alliance: Alliance,
) -> None:
    seeds = alliance["seeds"]
    with seeds.database.transaction() as session:
        rejoining.note_standing(session, seeds.context, "aoba", Standing())
    with seeds.database.reading() as session:
        shown = select(func.count()).select_from(models.RestoreStanding)
        assert session.scalar(shown) == 0
