"""Charters, peers and this node's incarnations.  LEDGER 4 and 5, PEER 5."""

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from node.models.schema import Model, one_of

BREAKER_STATES = ("closed", "half", "open")


class Charter(Model):
    """One version of the charter; the version is the epoch it opens.

    The document is what proves it: the founding with its signatures, later the decree.
    """

    __tablename__ = "charters"
    __table_args__ = (
        # Two charters with one digest would be one charter under two numbers.
        UniqueConstraint("digest", name="one_version_a_digest"),
        # Version 1 is the founding; nothing comes before it.
        CheckConstraint("version >= 1", name="version_from_one"),
    )

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    digest: Mapped[bytes]
    document: Mapped[bytes]
    adopted_at: Mapped[int]


class Peer(Model):
    """What this node remembers of another member's node: breaker, last words, last head."""

    __tablename__ = "peers"
    __table_args__ = (
        # The breaker knows three states: closed lets through, open waits, half tries once.
        one_of("state_known", "state", BREAKER_STATES),
        # Failures are counted from the last success.
        CheckConstraint("failures >= 0", name="failures_counted"),
    )

    member: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(default="closed")
    blocked: Mapped[bool] = mapped_column(default=False)  # we refuse what it sends
    # Why nothing is sent to it: "paused", or the refusal that stopped the queue.
    stopped_code: Mapped[str | None] = mapped_column(default=None)
    failures: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[int] = mapped_column(default=0)
    last_success_at: Mapped[int | None] = mapped_column(default=None)
    last_error_code: Mapped[str | None] = mapped_column(default=None)
    last_error_at: Mapped[int | None] = mapped_column(default=None)
    skew_s: Mapped[int | None] = mapped_column(default=None)
    incarnation: Mapped[int | None] = mapped_column(default=None)
    head_digest: Mapped[bytes | None] = mapped_column(default=None)
    vector: Mapped[str | None] = mapped_column(default=None)  # JSON {account: sequence}
    seen_at: Mapped[int | None] = mapped_column(default=None)


class Incarnation(Model):
    """One life of this node's state; a restored backup begins the next.  LEDGER 4."""

    __tablename__ = "incarnations"
    __table_args__ = (
        # Incarnations are counted from one, as receipts and orders carry them.
        CheckConstraint("number >= 1", name="number_from_one"),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    began_at: Mapped[int]
