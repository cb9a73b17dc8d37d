"""Decrees that one member in bad faith drives or hands on: the others decide, and go on."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from node.allowance import BALLOTS_AT_ONCE, BALLOTS_EVERY_S
from node.services import decrees, ledger
from node.worker.ballots import BALLOTS_PATH, Ballots
from node.worker.decrees import ASK_S, DecreeRounds
from node.worker.ledger import Lines
from protocol import (
    Order,
    OrderAnswer,
    OrderRequest,
    Signed,
    SignedDocument,
    decree,
    errors,
    sign,
)
from tests.equipment.alliance import Alliance, House
from tests.equipment.deciding import (
    approved,
    decide,
    digest_of,
    enact,
    fence,
    in_force,
    limited,
    open_order,
    owe,
    proposer_of,
    tell,
)
from tests.equipment.peers import Caller
from tests.equipment.wires import Answer, node_with, wires_of

HOSTILE = "bridge"
HONEST = ("aoba", "biwa", "seeds")


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def silent(_path: str, _body: bytes) -> bytes:
    return b"{}"


def ordered(alliance: Alliance, by: str = HOSTILE) -> Signed[Order]:
    """An order that its owner has locked, and nobody else has seen."""
    owe(alliance[by], "aoba")
    order = open_order(alliance[by])
    assert order is not None
    return order


def ready(alliance: Alliance) -> None:
    """A draft that enough approve of, and everybody knows it."""
    digest = approved(alliance, "aoba", limited(alliance.charter, "biwa", 33), ("biwa", "seeds"))
    for name in ("biwa", "seeds", HOSTILE):
        tell(alliance["aoba"], alliance[name], digest)


def prepare(house: House, proposer: decree.Proposer, proposal: decree.Proposal) -> None:
    with house.database.transaction() as session:
        body = decrees.answer_proposal(session, house.context, proposal.encode())
    vote = OrderAnswer.parse(body).vote
    assert vote is not None
    proposer.add_vote(vote)


def commit(house: House, prepared: decree.Prepared) -> None:
    with house.database.transaction() as session:
        decrees.answer_prepared(session, house.context, prepared.encode())


def prepared_by_the_liar(alliance: Alliance) -> decree.Prepared:
    """What a motion of the liar's is prepared by: it carries an order that only the liar had."""
    proposer = proposer_of(alliance[HOSTILE])
    asked = [alliance[name] for name in (HOSTILE, "aoba", "biwa")]
    for house in asked:
        proposer.add_report(fence(house, proposer.request))
    with alliance[HOSTILE].database.reading() as session:
        proposal = proposer.proposal(ledger.SQLBooks(session))
    assert isinstance(proposal, decree.Proposal)
    for house in asked:
        prepare(house, proposer, proposal)
    prepared = proposer.prepared()
    assert prepared is not None
    return prepared


def driven(
    alliance: Alliance, executor: ThreadPoolExecutor, by: str, promised: int
) -> decree.Enacted:
    node = node_with(alliance, by, bridge=silent)
    ballots = Ballots(node, Lines(executor, 4))
    found = ballots.drive(
        in_force(alliance[by]), proposer_of(alliance[by], ballots.next(alliance.charter, promised))
    )
    assert found is not None
    return decree.Enacted.parse(found)


@pytest.mark.parametrize("by", ["aoba", "seeds"])
def test_a_liar_that_goes_silent_takes_no_carried_order_with_it(
    alliance: Alliance, executor: ThreadPoolExecutor, by: str
) -> None:
    order = ordered(alliance)
    ready(alliance)
    prepared = prepared_by_the_liar(alliance)
    # One of the honest commits, so that the motion must be proposed again; the liar says no more.
    commit(alliance["biwa"], prepared)
    enacted = driven(alliance, executor, by, prepared.ballot)
    assert enacted.decree.digest == prepared.digest
    assert [each.digest for each in enacted.orders] == [order.digest]
    for name in HONEST:
        assert enact(alliance[name], enacted)
    assert len({digest_of(alliance[name]) for name in HONEST}) == 1


def test_nobody_commits_to_a_motion_whose_orders_it_has_not_seen(alliance: Alliance) -> None:
    ordered(alliance)
    ready(alliance)
    prepared = prepared_by_the_liar(alliance)
    with pytest.raises(errors.ProposalInvalid):
        commit(alliance["seeds"], prepared)


def test_who_missed_the_proposal_is_sent_it_and_commits(
    alliance: Alliance, executor: ThreadPoolExecutor
) -> None:
    order = ordered(alliance)
    missed: list[bytes] = []
    ready(alliance)

    def forgets(path: str, body: bytes) -> bytes:
        if path.endswith("/proposals") and not missed:
            missed.append(body)
            return b"{}"
        return wires_of(node).honest("seeds", path, body)

    def stops(path: str, body: bytes) -> bytes:
        return b"{}" if path.endswith("/prepared") else wires_of(node).honest(HOSTILE, path, body)

    def waits(path: str, body: bytes) -> bytes:
        # Not among the first to report, so that the liar is, with what it has locked.
        if path.endswith("/ballots"):
            return b"{}"
        return wires_of(node).honest("biwa", path, body)

    node = node_with(alliance, bridge=stops, seeds=forgets, biwa=waits)
    found = Ballots(node, Lines(executor, 4)).drive(alliance.charter, proposer_of(alliance["aoba"]))
    assert found is not None
    assert missed
    enacted = decree.Enacted.parse(found)
    assert [each.digest for each in enacted.orders] == [order.digest]


# --- Decrees that a liar hands on. ---


def decided(alliance: Alliance) -> decree.Enacted:
    """A decree that carries an order; nobody has taken it into force yet."""
    ask(alliance["biwa"], ordered(alliance))
    ready(alliance)
    return decide(alliance, "aoba", ("aoba", "biwa", HOSTILE))


def ask(house: House, order: Signed[Order]) -> None:
    with house.database.transaction() as session:
        ledger.vote_on(session, house.context, OrderRequest(order.document).encode())


def note(house: House, enacted: decree.Enacted) -> bool:
    with house.database.transaction() as session:
        return decrees.note(session, house.context, enacted.encode())


def go_on(alliance: Alliance, by: str, executor: ThreadPoolExecutor, **hostile: Answer) -> None:
    """Let this member's worker look for what it missed, a few times."""
    rounds = DecreeRounds(node_with(alliance, by, **hostile), executor)
    for _ in range(3):
        rounds.step()
        alliance.clock.move(ASK_S)


@pytest.mark.parametrize("what", ["left-out", "put-in", "forged"])
def test_a_decree_that_a_liar_handed_on_in_part_is_made_whole(
    alliance: Alliance, executor: ThreadPoolExecutor, what: str
) -> None:
    whole = decided(alliance)
    (order,) = whole.orders
    foreign = sign("order", b"{}", alliance["bridge"].context.keyring.signing)
    forged = SignedDocument(order.kind, order.payload, foreign.signatures)
    orders = {"left-out": (), "put-in": (order, foreign), "forged": (forged,)}
    handed = decree.Enacted(whole.decree, orders[what])
    for name in ("aoba", "biwa"):
        assert enact(alliance[name], whole)

    # The liar answers first when seeds asks what it has missed.
    assert note(alliance["seeds"], handed)
    go_on(alliance, "seeds", executor, bridge=lambda _path, _body: handed.encode())
    assert in_force(alliance["seeds"]).version == 2
    assert digest_of(alliance["seeds"]) == digest_of(alliance["aoba"])
    with alliance["seeds"].database.reading() as session:
        assert decree.Enacted.parse(decrees.following(session, 1)).orders == whole.orders


def test_what_the_liar_tells_one_member_alone_and_in_part_takes_effect_everywhere(
    alliance: Alliance, executor: ThreadPoolExecutor
) -> None:
    whole = decided(alliance)
    # Who did not vote cannot apply it, and votes in no ballot: the others need what it knows.
    assert not enact(alliance["seeds"], decree.Enacted(whole.decree, ()))
    for name in ("aoba", "biwa", "seeds"):
        go_on(alliance, name, executor, bridge=silent)
    assert {in_force(alliance[name]).version for name in HONEST} == {2}
    assert len({digest_of(alliance[name]) for name in HONEST}) == 1


# --- Ballots that a liar ends. ---


def test_who_ends_every_ballot_with_a_higher_one_has_soon_none_left(
    alliance: Alliance, executor: ThreadPoolExecutor
) -> None:
    ready(alliance)
    request = proposer_of(alliance["aoba"]).request
    callers = {name: Caller(alliance[HOSTILE], alliance[name], alliance.charter) for name in HONEST}
    high = 0

    def rise() -> set[int]:
        """A higher ballot of the liar's at everybody; with which status it was answered."""
        nonlocal high
        high += 1
        body = decree.FenceRequest(high, request.draft, request.approvals).encode()
        return {each.call(body, path=BALLOTS_PATH).status for each in callers.values()}

    def ends(path: str, body: bytes) -> bytes:
        # It knows of each ballot as soon as there is one, and is always in time.
        if path.endswith("/proposals"):
            rise()
        return wires_of(node).honest("biwa", path, body)

    node = node_with(alliance, "aoba", bridge=silent, biwa=ends)
    ballots = Ballots(node, Lines(executor, 4))

    def attempt() -> bytes | None:
        nonlocal high
        high = ballots.next(alliance.charter, high)
        return ballots.drive(alliance.charter, proposer_of(alliance["aoba"], high))

    assert attempt() is None
    while rise() == {200}:
        assert high < 10 * BALLOTS_AT_ONCE
    assert attempt() is not None
    # Later it may begin one again, as an honest member needs to.
    alliance.clock.move(BALLOTS_EVERY_S)
    assert rise() == {200}
    assert rise() == {429}
