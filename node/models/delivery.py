"""What goes out and what came in: outbox, inbox, nonces, the exchange chain, and mails.

PEER 3; LIBRARIES 6 for leases: a row is taken by writing `lease` and `lease_until`, and
finished only by the worker whose lease still stands.  The inbox needs none: its rows are handled
inside one transaction, without the network.
"""

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from node.models.schema import Model, one_of

OUTBOX_STATES = ("queued", "delivered", "refused", "expired", "cancelled")
INBOX_STATES = ("received", "handled", "refused")
MAIL_STATES = ("queued", "sent", "failed", "cancelled")

QUEUED = text("state = 'queued'")
RECEIVED = text("state = 'received'")
KEPT = text("envelope IS NOT NULL")


class OutboxEntry(Model):
    """An envelope to deliver, written in the transaction that caused it."""

    __tablename__ = "outbox"
    __table_args__ = (
        one_of("state_known", "state", OUTBOX_STATES),
        # Delivered means that the recipient's receipt is here.
        CheckConstraint("state <> 'delivered' OR receipt IS NOT NULL", name="receipt_proves"),
        Index(
            "ix_outbox_due",
            "recipient",
            "created_at",
            "id",
            sqlite_where=QUEUED,
            postgresql_where=QUEUED,
        ),
        Index(None, "recipient", "created_at", "id"),
        Index(None, "subject_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)  # the envelope's id
    recipient: Mapped[str]
    kind: Mapped[str]
    subject_id: Mapped[str | None] = mapped_column(default=None)  # such as the referral
    envelope: Mapped[bytes]
    epoch: Mapped[int]
    state: Mapped[str] = mapped_column(default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[int]
    lease: Mapped[str | None] = mapped_column(default=None)
    lease_until: Mapped[int | None] = mapped_column(default=None)
    deadline: Mapped[int]
    error_code: Mapped[str | None] = mapped_column(default=None)
    receipt: Mapped[bytes | None] = mapped_column(default=None)
    created_at: Mapped[int]
    delivered_at: Mapped[int | None] = mapped_column(default=None)


class InboxEntry(Model):
    """An envelope that was received; its id is remembered for ever, with our receipt."""

    __tablename__ = "inbox"
    __table_args__ = (
        one_of("state_known", "state", INBOX_STATES),
        # What is not handled yet must still be there to be handled.
        CheckConstraint("state <> 'received' OR envelope IS NOT NULL", name="kept_until_handled"),
        Index(
            "ix_inbox_due",
            "received_at",
            "envelope_id",
            sqlite_where=RECEIVED,
            postgresql_where=RECEIVED,
        ),
        Index(None, "sender", "received_at", "envelope_id"),
        Index("ix_inbox_kept", "sender", sqlite_where=KEPT, postgresql_where=KEPT),
    )

    envelope_id: Mapped[str] = mapped_column(primary_key=True)
    sender: Mapped[str]
    digest: Mapped[bytes]
    envelope: Mapped[bytes | None]
    receipt: Mapped[bytes]
    kind: Mapped[str | None] = mapped_column(default=None)
    state: Mapped[str] = mapped_column(default="received")
    error_code: Mapped[str | None] = mapped_column(default=None)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[int]
    received_at: Mapped[int]
    handled_at: Mapped[int | None] = mapped_column(default=None)


class Nonce(Model):
    """A nonce a key has used; the same again is a replay."""

    __tablename__ = "nonces"
    __table_args__ = (Index(None, "expires_at"), {"sqlite_with_rowid": False})

    # The primary key is the rule: unique per key, for every process of this node.
    keyid: Mapped[str] = mapped_column(primary_key=True)
    nonce: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[int]


class ExchangeLink(Model):
    """One link of the chain kept per peer: evidence that survives the erasure of content."""

    __tablename__ = "exchange_chain"
    __table_args__ = (
        # The chain begins at 1 and has no gaps; its digest covers the one before.
        CheckConstraint("position >= 1", name="position_from_one"),
    )

    peer: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    envelope_digest: Mapped[bytes]
    receipt_digest: Mapped[bytes]
    digest: Mapped[bytes]


class Evidence(Model):
    """A signed request that proves what a peer did, such as two envelopes under one number."""

    __tablename__ = "evidence"
    __table_args__ = (Index(None, "at"),)

    # The first of its kind is kept; a peer cannot fill the disk by repeating itself.
    peer: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    request: Mapped[bytes]
    at: Mapped[int]


class MailEntry(Model):
    """A mail to one person that is no notice: a code, a receipt, a test; text encrypted."""

    __tablename__ = "mails"
    __table_args__ = (
        one_of("state_known", "state", MAIL_STATES),
        # What is not sent yet must still be there to be sent; afterwards it may be erased.
        CheckConstraint("state <> 'queued' OR message_blob IS NOT NULL", name="kept_until_sent"),
        Index(
            "ix_mails_due",
            "next_attempt_at",
            "created_at",
            sqlite_where=QUEUED,
            postgresql_where=QUEUED,
        ),
        Index(None, "sent_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject_id: Mapped[str | None] = mapped_column(default=None)
    message_blob: Mapped[bytes | None]
    state: Mapped[str] = mapped_column(default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[int]
    lease: Mapped[str | None] = mapped_column(default=None)
    lease_until: Mapped[int | None] = mapped_column(default=None)
    error_code: Mapped[str | None] = mapped_column(default=None)
    created_at: Mapped[int]
    sent_at: Mapped[int | None] = mapped_column(default=None)
