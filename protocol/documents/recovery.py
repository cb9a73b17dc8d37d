"""Fences and promises: how an owner that may have forgotten takes its account up again.  SPEC §6.6.

A *fence* is the owner's word that it begins a new incarnation; a *promise* is a member's, that it
votes for no order below that incarnation any more, and what it had applied and locked when it
promised. Enough promises show which order, if any, may already be certified in the open place.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol import limits
from protocol.documents.ledger import FIRST_INCARNATION
from protocol.keys import b64encode
from protocol.strictjson import JSON, Reader, encode, parse

FENCE = "fence"
PROMISE = "promise"


@dataclass(frozen=True, slots=True)
class Fence:
    """ "I begin this incarnation of my account", signed by the account's owner.

    Two clones that ask for one incarnation differ in `attempt`, which is random: a member promises
    an incarnation to one attempt only, so only one of them can gather enough promises.
    """

    alliance: str
    epoch: int
    account: str
    incarnation: int
    attempt: bytes

    def encode(self) -> bytes:
        return encode(_place(self))

    @classmethod
    def parse(cls, payload: bytes) -> Fence:
        reader = Reader(parse(payload, bytes_max=limits.FENCE_BYTES_MAX))
        fence = cls(**_read_place(reader))
        reader.done()
        return fence


@dataclass(frozen=True, slots=True)
class Locked:
    """The order a member had voted for in the open place: its incarnation and its digest."""

    incarnation: int
    order: bytes


@dataclass(frozen=True, slots=True)
class Promise:
    """A member's answer to a fence: never again a vote below it, and what the member had.

    `sequence` is the last order of the account that the member had applied, `locked` its vote of
    the highest incarnation in the place behind it.
    """

    alliance: str
    epoch: int
    account: str
    incarnation: int
    attempt: bytes
    sequence: int
    locked: Locked | None

    def encode(self) -> bytes:
        locked: JSON = None
        if self.locked is not None:
            locked = {
                "incarnation": self.locked.incarnation,
                "order": b64encode(self.locked.order),
            }
        return encode({**_place(self), "locked": locked, "sequence": self.sequence})

    @classmethod
    def parse(cls, payload: bytes) -> Promise:
        reader = Reader(parse(payload, bytes_max=limits.FENCE_BYTES_MAX))
        promise = cls(
            **_read_place(reader),
            sequence=reader.integer("sequence", 0, limits.SEQUENCE_MAX),
            locked=_read_locked(reader),
        )
        reader.done()
        return promise


def _place(body: Fence | Promise) -> dict[str, JSON]:
    return {
        "account": body.account,
        "alliance": body.alliance,
        "attempt": b64encode(body.attempt),
        "epoch": body.epoch,
        "incarnation": body.incarnation,
    }


def _read_place(reader: Reader) -> dict[str, JSON]:
    names, chars = limits.MEMBER_ID_PATTERN, limits.MEMBER_ID_CHARS_MAX
    return {
        "alliance": reader.text("alliance", chars, limits.ALLIANCE_ID_PATTERN),
        "epoch": reader.integer("epoch", 1, limits.VERSION_MAX),
        "account": reader.text("account", chars, names),
        # The first incarnation is where every account begins; nobody has to promise it.
        "incarnation": reader.integer("incarnation", FIRST_INCARNATION + 1, limits.INCARNATION_MAX),
        "attempt": reader.bytes("attempt", length=limits.ATTEMPT_BYTES),
    }


def _read_locked(reader: Reader) -> Locked | None:
    if reader.value("locked") is None:
        return None
    inside = reader.object("locked")
    locked = Locked(
        incarnation=inside.integer("incarnation", FIRST_INCARNATION, limits.INCARNATION_MAX),
        order=inside.bytes("order", length=32),
    )
    inside.done()
    return locked
