"""Orders asked for one by one, and owners that sign two for one place."""

import secrets

from node.services import ledger
from node.services.ledger import evidence
from protocol import (
    CORRECTION,
    FIRST_INCARNATION,
    Entry,
    Order,
    OrderRequest,
    ProtocolError,
    Signed,
    evidence_of,
    sign,
    verify_order,
)
from protocol.documents.ledger import ORDER
from tests.equipment.alliance import House


def owe(house: House, to: str, entry_id: str = "") -> None:
    """A point that the house has to pay, with the next order."""
    with house.database.transaction() as session:
        ledger.pay(
            session,
            house.context,
            entry_id=entry_id or secrets.token_hex(16),
            kind=CORRECTION,
            to=to,
            points=1,
            reference=bytes(32),
        )


def opened(house: House) -> Signed | None:
    """The house's open order, or a new one."""
    with house.database.transaction() as session:
        return ledger.open_order(session, house.context)


def vote(house: House, order: Signed) -> bytes:
    """What the house answers to an order."""
    with house.database.transaction() as session:
        answer = ledger.vote_on(session, house.context, OrderRequest(order.document).encode())
    if isinstance(answer, ProtocolError):
        raise answer
    return answer


def second_order(house: House, order: Signed) -> Signed:
    """Another order for the same place, signed by the same key."""
    other = order.body.encode().replace(b'"to":"biwa"', b'"to":"bridge"')
    assert other != order.body.encode()
    with house.database.reading() as session:
        charter = house.context.charter(session)
    return verify_order(sign(ORDER, other, house.context.keyring.signing), charter)


def accuse(owner: House, by: House, number: int) -> None:
    """A proof that an owner signed twice, kept by another member."""
    order = Order(
        alliance="minato",
        epoch=1,
        account=owner.id,
        sequence=number,
        incarnation=FIRST_INCARNATION,
        previous=bytes(32),
        seen={},
        entries=(Entry("paid-0001", CORRECTION, "biwa", 1, bytes(32)),),
    )
    with by.database.transaction() as session:
        charter = by.context.charter(session)
        key = owner.context.signing(charter)
        pair = [
            verify_order(sign(ORDER, each.encode(), key), charter)
            for each in (order, order._replace(previous=b"\1" * 32))
        ]
        evidence.keep(session, by.context, evidence_of(*pair))


def proofs(house: House) -> list[evidence.Accusation]:
    with house.database.reading() as session:
        return list(evidence.accusations(session))
