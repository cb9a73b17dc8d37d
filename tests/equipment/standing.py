"""Where the nodes of a federation stand: what was released, handled and paid, seen from inside.

Each is read from the node's database beside its running process, as a second process of the same
node would; nothing here waits, `eventually` does.
"""

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import ColumnElement, func, select

from node import models
from node.services import exchange, ledger, referrals
from node.services.ledger.applied import order_at
from tests.equipment.alliance import House
from tests.equipment.federation import Federation, RunningNode
from tests.equipment.referring import refer

# (sender, recipient) of each referral that was offered.
Offers = Counter[tuple[str, str]]


def offer_from(running: RunningNode, to: str) -> str:
    """A new consent of a new applicant, sent to one member; the referral's id."""
    return refer(House(running.node.context, running.node.database), to)


def agree(running: RunningNode) -> None:
    """Accept every card by the rule, as agencies do."""
    with running.node.database.transaction() as session:
        referrals.write_rule(
            session,
            running.node.context,
            active=True,
            monthly_cap=1000,
            applicant_types=(),
            regions=(),
            user_id="hanako",
        )


def count(running: RunningNode, *conditions: ColumnElement[bool]) -> int:
    """How many rows of the one table that the conditions are about meet them all."""
    with running.node.database.reading() as session:
        return session.scalar(select(func.count()).where(*conditions)) or 0


def released(running: RunningNode) -> int:
    """Referrals whose profile left for the member that accepted them."""
    return count(running, models.ReferralOut.state == "released")


def balance(running: RunningNode, account: str) -> int:
    """What a member's account adds up to in this node's books."""
    with running.node.database.reading() as session:
        return ledger.SQLBooks(session).head(account).balance


def digests(running: Iterable[RunningNode]) -> set[bytes]:
    """The digest of each node's ledger; one of them when all say the same."""
    found = set()
    for each in running:
        with each.node.database.reading() as session:
            found.add(ledger.state(session)[1])
    return found


def points_paid(running: RunningNode, payer: str, payee: str) -> int:
    """What one member has paid another, by this node's books."""
    paid = models.LedgerCredit
    total = select(func.sum(paid.points)).where(paid.payer == payer, paid.payee == payee)
    with running.node.database.reading() as session:
        return session.scalar(total) or 0


def entries_applied(running: RunningNode) -> list[tuple[str, str, str, int]]:
    """(payer, entry, payee, points) of each entry, out of the signed orders themselves."""
    table = models.LedgerCertificate
    with running.node.database.reading() as session:
        places = session.execute(select(table.account, table.sequence)).all()
        return [
            (account, entry.id, entry.to, entry.points)
            for account, sequence in places
            for entry in order_at(session, account, sequence).entries
        ]


def is_settled(federation: Federation, offers: Offers, members: Iterable[str]) -> bool:
    """Whether these members have released, received and paid what was offered among them."""
    members = set(members)
    for member in members:
        running = federation[member]
        for other in members - {member}:
            received = count(
                running,
                models.ReferralIn.sender == other,
                models.ReferralIn.state == "profile_received",
            )
            # What came from a member is in its own books when we have paid it and all know.
            paid = points_paid(federation[other], member, other)
            if received < offers[other, member] or paid < offers[other, member]:
                return False
    return True


def is_quiet(federation: Federation) -> bool:
    """Whether nothing waits to be sent, handled or paid anywhere."""
    return not any(
        count(running, models.OutboxEntry.state == "queued")
        or count(running, models.InboxEntry.state == "received")
        or count(running, models.PendingEntry.points > 0)
        for running in federation.nodes.values()
    )


def assert_exchanges_are_whole(federation: Federation) -> None:
    """Nobody's chain of envelopes and receipts has a gap."""
    for running in federation.nodes.values():
        with running.node.database.reading() as session:
            for peer in federation.nodes:
                assert exchange.first_broken(session, peer) is None


def assert_everything_arrived_once(federation: Federation) -> None:
    """What left one node stands in the other's inbox, handled, and nothing else does."""
    for member, running in federation.nodes.items():
        for other, there in federation.nodes.items():
            assert _sent(running, other) == _handled(there, member), (member, other)


def _sent(running: RunningNode, to: str) -> set[tuple[str, str]]:
    table = models.OutboxEntry
    with running.node.database.reading() as session:
        rows = session.execute(select(table.id, table.state).where(table.recipient == to)).all()
    assert {state for _, state in rows} <= {"delivered"}, (running.member, to, rows)
    return {(envelope, "handled") for envelope, _ in rows}


def _handled(running: RunningNode, sender: str) -> set[tuple[str, str]]:
    table = models.InboxEntry
    with running.node.database.reading() as session:
        rows = session.execute(
            select(table.envelope_id, table.state).where(table.sender == sender)
        ).all()
    return {(envelope, state) for envelope, state in rows}


def assert_every_point_was_paid_once(federation: Federation, offers: Offers) -> None:
    """Each referral stands once in everybody's ledger, and the accounts add up to them."""
    promised = set()
    for member, running in federation.nodes.items():
        table = models.ReferralOut
        with running.node.database.reading() as session:
            rows = session.execute(select(table.recipient, table.entry_id, table.state)).all()
        assert {state for _, _, state in rows} <= {"released"}, (member, rows)
        assert Counter((member, recipient) for recipient, _, _ in rows) == Counter(
            {pair: number for pair, number in offers.items() if pair[0] == member}
        )
        promised |= {(recipient, entry, member) for recipient, entry, _ in rows}
    assert len(promised) == offers.total()

    for member, running in federation.nodes.items():
        lines = entries_applied(running)
        assert len(lines) == len(promised), member
        assert {(payer, entry, payee) for payer, entry, payee, _ in lines} == promised
        assert {points for _, _, _, points in lines} == {1}
        assert count(running, models.PendingEntry.points > 0) == 0, member
        for account in federation.nodes:
            gained = sum(number for (sender, _), number in offers.items() if sender == account)
            spent = sum(number for (_, payer), number in offers.items() if payer == account)
            assert balance(running, account) == gained - spent, (member, account)
