"""Carry letters between houses of one process: the real outbox and inbox, without the network."""

import secrets

from node.refusals import Refusal
from node.services import charter as charters
from node.services import delivery, inbox
from node.services.delivery import Outcome
from node.services.letters import LetterEarly
from protocol import ProtocolError, envelope
from tests.equipment.alliance import Alliance, House


def carry(alliance: Alliance) -> list[str]:
    """Deliver and handle until nothing moves; the codes of letters that were refused."""
    refused: list[str] = []
    while sum(deliver(alliance, house) for house in alliance.houses.values()):
        for house in alliance.houses.values():
            refused += handle(alliance, house)
    return refused


def deliver(alliance: Alliance, house: House) -> bool:
    """Carry what a house has to send; handling it is another step."""
    moved = False
    with house.database.reading() as session:
        peers = delivery.due(session, house.context)
    for peer in peers:
        lease = secrets.token_hex(8)
        with house.database.transaction() as session:
            parcels = delivery.claim(session, house.context, peer, lease)
        outcomes = [
            Outcome(each, receipt=_receive(alliance, peer, each.envelope)) for each in parcels
        ]
        with house.database.transaction() as session:
            delivery.record(session, house.context, peer, lease, parcels, outcomes, jitter=0.0)
        moved = moved or bool(parcels)
    return moved


def _receive(alliance: Alliance, recipient: str, sealed: bytes) -> bytes:
    house = alliance[recipient]
    arrival = _proven(house, envelope.parse(sealed))
    with house.database.transaction() as session:
        receipt = inbox.receive(session, house.context, arrival, None)  # type: ignore[arg-type]
    assert isinstance(receipt, bytes)
    return receipt


def _proven(house: House, sealed: envelope.Envelope) -> inbox.Arrival:
    with house.database.reading() as session:
        charter, then = charters.in_force(session), charters.of_epoch(session, sealed.epoch)
    return inbox.prove(house.context, charter, sealed, then)


def handle(alliance: Alliance, house: House) -> list[str]:
    """Handle what waits in a house, as the worker's step does."""
    refused = []
    with house.database.reading() as session:
        waiting = inbox.waiting(session, house.context)
    for entry in waiting:
        with house.database.reading() as session:
            letter = inbox.open_letter(session, house.context, entry)
        try:
            with house.database.transaction() as session:
                inbox.handle(session, house.context, entry, letter)
        except LetterEarly as refusal:
            with house.database.transaction() as session:
                inbox.postpone(session, house.context, entry, refusal.code, jitter=0.0)
        except (ProtocolError, Refusal) as refusal:
            refused.append(refusal.code)
            with house.database.transaction() as session:
                inbox.refuse(session, house.context, entry, refusal.code)
    return refused
