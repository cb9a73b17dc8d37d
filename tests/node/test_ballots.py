"""A ballot as its proposer drives it, among members of whom one is hostile."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from node.services import decrees
from node.worker.ballots import Ballots
from node.worker.ledger import Lines
from protocol import decree, errors, limits, sign
from protocol.documents.decrees import FENCE_REPORT, FenceReport
from tests.equipment.alliance import Alliance
from tests.equipment.deciding import approved, enact, fence, in_force, limited
from tests.equipment.wires import Answer, node_with, wires_of

# Longer than an answer of somebody in this process ever takes.
PATIENCE_S = 30


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def silent(_path: str, _body: bytes) -> bytes:
    return b"{}"


def drive(
    alliance: Alliance, executor: ThreadPoolExecutor, by: str, promised: int, **hostile: Answer
) -> bytes | None:
    """One ballot of this member's node above what it has promised; a second one if that fails."""
    node = node_with(alliance, by, **hostile)
    ballots = Ballots(node, Lines(executor, 4))
    charter = in_force(alliance[by])
    with node.database.reading() as session:
        [request] = decrees.ready(session, node.context)
    for _ in range(2):
        number = ballots.next(charter, promised)
        proposer = decree.Proposer(charter, number, request.draft, request.approvals)
        found = ballots.drive(charter, proposer)
        if found is not None:
            return found
    return None


def ready(alliance: Alliance) -> decree.FenceRequest:
    """A draft that enough approve of; aoba proposed it."""
    approved(alliance, "aoba", limited(alliance.charter, "biwa", 33), ("biwa", "seeds"))
    aoba = alliance["aoba"]
    with aoba.database.reading() as session:
        [request] = decrees.ready(session, aoba.context)
    return request


def test_a_liar_that_raises_some_members_by_millions_stops_nobody(
    alliance: Alliance, executor: ThreadPoolExecutor
) -> None:
    request = ready(alliance)
    # The liar asks two of the three honest ones for its own ballots, each a whole step higher.
    high = 0
    for _ in range(5):
        high += limits.BALLOT_STEP_MAX
        for name in ("aoba", "biwa"):
            fence(alliance[name], decree.FenceRequest(high, request.draft, request.approvals))
    found = drive(alliance, executor, "aoba", high, bridge=silent)
    assert found is not None
    for name in ("aoba", "biwa", "seeds"):
        assert enact(alliance[name], decree.Enacted.parse(found))


def test_who_was_let_lag_behind_hears_of_it_and_proposes_above(
    alliance: Alliance, executor: ThreadPoolExecutor
) -> None:
    request = ready(alliance)
    for name in ("biwa", "seeds"):
        fence(alliance[name], decree.FenceRequest(5000, request.draft, request.approvals))
    assert drive(alliance, executor, "aoba", 0, bridge=silent) is not None


def test_garbage_in_place_of_a_vote_is_one_vote_less(
    alliance: Alliance, executor: ThreadPoolExecutor
) -> None:
    ready(alliance)
    assert drive(alliance, executor, "aoba", 0, bridge=lambda _path, _body: b"[") is not None


def test_a_quick_report_of_orders_that_nobody_can_show_holds_no_ballot_up(
    alliance: Alliance, executor: ThreadPoolExecutor
) -> None:
    ready(alliance)
    charter, heard = alliance.charter, Event()

    def boasts(path: str, body: bytes) -> bytes:
        if not path.endswith("/ballots"):
            return b"{}"
        report = FenceReport(
            alliance=charter.alliance,
            epoch=charter.epoch,
            ballot=decree.FenceRequest.parse(body).ballot,
            vector={"bridge": 7},
            locks={},
            held=None,
        )
        key = alliance["bridge"].context.keyring.signing
        document = sign(FENCE_REPORT, report.encode(), key)
        return decree.FenceAnswer(document, (), None).encode()

    def first(path: str, body: bytes) -> bytes:
        answer = boasts(path, body)
        heard.set()
        return answer

    def then(path: str, body: bytes) -> bytes:
        # The slowest of the honest ones comes after the liar every time.
        assert heard.wait(PATIENCE_S)
        return wires_of(node).honest("seeds", path, body)

    node = node_with(alliance, bridge=first, seeds=then)
    ballots = Ballots(node, Lines(executor, 4))
    with node.database.reading() as session:
        [request] = decrees.ready(session, node.context)
    proposer = decree.Proposer(charter, ballots.next(charter, 0), request.draft, request.approvals)
    assert ballots.drive(charter, proposer) is not None


def test_a_liars_word_takes_no_number_out_of_reach(
    alliance: Alliance, executor: ThreadPoolExecutor
) -> None:
    request = ready(alliance)

    def boasts(_path: str, _body: bytes) -> bytes:
        raise errors.BallotStale(promised=limits.BALLOT_MAX, highest=limits.BALLOT_MAX)

    node = node_with(alliance, bridge=boasts, biwa=silent, seeds=silent)
    ballots = Ballots(node, Lines(executor, 4))
    first = ballots.next(alliance.charter, 0)
    proposer = decree.Proposer(alliance.charter, first, request.draft, request.approvals)
    assert ballots.drive(alliance.charter, proposer) is None
    # Seeds has promised nothing yet, and takes what comes next.
    above = ballots.next(alliance.charter, first)
    assert first < above
    fence(alliance["seeds"], decree.FenceRequest(above, request.draft, request.approvals))
