"""A decree among members in one process: each asked as its peers would ask, without the network."""

import secrets
from collections.abc import Sequence
from dataclasses import replace

from node.services import charter as charters
from node.services import decrees, ledger
from protocol import (
    REFERRAL_ENTRY,
    Charter,
    Order,
    OrderAnswer,
    Signed,
    decree,
    next_draft,
    state_digest,
)
from tests.equipment.alliance import Alliance, House


def limited(charter: Charter, member: str, points: int) -> Charter:
    """A draft that changes what one member may owe."""
    members = tuple(
        replace(each, credit_limit=points) if each.id == member else each
        for each in charter.members
    )
    return next_draft(charter, members=members)


def in_force(house: House) -> Charter:
    with house.database.reading() as session:
        return charters.in_force(session)


def propose(house: House, draft: Charter) -> bytes:
    """Propose and approve a draft; its digest."""
    with house.database.transaction() as session:
        return decrees.propose(session, house.context, draft, actor="cli").digest


def tell(teller: House, listener: House, digest: bytes) -> None:
    """Both know afterwards what either has heard of the draft."""
    with teller.database.reading() as session:
        news = decrees.news(session, in_force(teller), digest).encode()
    with listener.database.transaction() as session:
        answer = decrees.receive_news(session, listener.context, news)
    with teller.database.transaction() as session:
        decrees.receive_news(session, teller.context, answer)


def approve(house: House, digest: bytes, *, on: bool = True) -> decrees.DraftView:
    with house.database.transaction() as session:
        return decrees.approve(session, house.context, digest, on=on, actor="cli")


def approved(alliance: Alliance, proposer: str, draft: Charter, names: Sequence[str]) -> bytes:
    """A draft that these members approve of besides the proposer, all known to the proposer."""
    digest = propose(alliance[proposer], draft)
    for name in names:
        tell(alliance[proposer], alliance[name], digest)
        approve(alliance[name], digest)
        tell(alliance[proposer], alliance[name], digest)
    return digest


def fence(house: House, request: decree.FenceRequest) -> decree.FenceAnswer:
    with house.database.transaction() as session:
        body = decrees.answer_fence(session, house.context, request.encode())
    return decree.FenceAnswer.parse(body)


def proposer_of(house: House, ballot: int = 1) -> decree.Proposer:
    """A ballot about the draft that is ready at this member."""
    with house.database.reading() as session:
        [request] = decrees.ready(session, house.context)
    return decree.Proposer(in_force(house), ballot, request.draft, request.approvals)


def decide(alliance: Alliance, by: str, names: Sequence[str], ballot: int = 1) -> decree.Enacted:
    """The whole ballot with these members; nobody has taken the decree into force yet."""
    proposer, houses = proposer_of(alliance[by], ballot), [alliance[name] for name in names]
    orders = {}
    for house in houses:
        answer = fence(house, proposer.request)
        proposer.add_report(answer)
        orders |= {order.digest: order for order in answer.orders}
    with alliance[by].database.reading() as session:
        proposal = proposer.proposal(ledger.SQLBooks(session))
    assert isinstance(proposal, decree.Proposal)
    for house in houses:
        with house.database.transaction() as session:
            body = decrees.answer_proposal(session, house.context, proposal.encode())
        vote = OrderAnswer.parse(body).vote
        assert vote is not None
        proposer.add_vote(vote)
    prepared = proposer.prepared()
    assert prepared is not None
    for house in houses:
        with house.database.transaction() as session:
            body = decrees.answer_prepared(session, house.context, prepared.encode())
        vote = OrderAnswer.parse(body).vote
        assert vote is not None
        proposer.add_vote(vote)
    found = proposer.decree()
    assert found is not None
    return decree.Enacted(found, tuple(orders.values()))


def enact(house: House, enacted: decree.Enacted) -> bool:
    with house.database.transaction() as session:
        return decrees.enact(session, house.context, enacted.encode())


def owe(house: House, to: str) -> None:
    with house.database.transaction() as session:
        ledger.pay(
            session,
            house.context,
            entry_id=secrets.token_hex(16),
            kind=REFERRAL_ENTRY,
            to=to,
            points=1,
            reference=bytes(32),
        )


def open_order(house: House) -> Signed[Order] | None:
    with house.database.transaction() as session:
        return ledger.open_order(session, house.context)


def digest_of(house: House) -> bytes:
    with house.database.reading() as session:
        return state_digest(ledger.SQLBooks(session).heads())
