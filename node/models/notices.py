"""Templates, batches of notices, the notices, and the private links in them."""

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from node.models.schema import Model, one_of

BATCH_STATES = ("draft", "waiting_approval", "approved", "sending", "sent", "cancelled")
NOTICE_STATES = ("draft", "waiting", "queued", "sent", "failed", "cancelled")
# What people without a private link (DOMAIN 2.7) get: the notice without its passage, or nothing.
EXCLUDED_GET = ("plain", "nothing")

# A draft binds nobody yet, and what was cancelled can be said again.
LIVE = text("state NOT IN ('draft', 'cancelled')")
QUEUED = text("state = 'queued'")


class Template(Model):
    """A text for notices; its words stand in its versions."""

    __tablename__ = "templates"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    language: Mapped[str]
    current_version: Mapped[int] = mapped_column(default=1)
    archived: Mapped[bool] = mapped_column(default=False)


class TemplateVersion(Model):
    """One version of a template, never changed: what was sent can be read again."""

    __tablename__ = "template_versions"

    # A version belongs to its template.
    template_id: Mapped[str] = mapped_column(ForeignKey("templates.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    subject: Mapped[str]
    body: Mapped[str]
    # Who wrote it.
    created_by: Mapped[str] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[int]


class NoticeBatch(Model):
    """Notices that are previewed, approved, booked and cancelled together."""

    __tablename__ = "notice_batches"
    __table_args__ = (
        # The text that was approved is the text that is sent.
        ForeignKeyConstraint(
            ["template_id", "version"],
            ["template_versions.template_id", "template_versions.version"],
        ),
        one_of("state_known", "state", BATCH_STATES),
        one_of("excluded_get_known", "excluded_get", EXCLUDED_GET),
        # Approval means a second person.
        CheckConstraint("approved_by IS NULL OR approved_by <> requested_by", name="four_eyes"),
        Index(None, "created_at", "id"),
        Index(None, "state", "scheduled_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    template_id: Mapped[str]
    version: Mapped[int]
    state: Mapped[str] = mapped_column(default="draft")
    # Who asked for it, and who approved it.
    requested_by: Mapped[str] = mapped_column(ForeignKey("users.id"))
    approved_by: Mapped[str | None] = mapped_column(ForeignKey("users.id"), default=None)
    approved_at: Mapped[int | None] = mapped_column(default=None)
    # The booked time; what was wished for, and the slot in office hours that came of it.
    wished_at: Mapped[int | None] = mapped_column(default=None)
    scheduled_at: Mapped[int | None] = mapped_column(default=None)
    # Who signs, in the words of the mail.
    sender_name: Mapped[str]
    sender_department: Mapped[str]
    sender_phone: Mapped[str]
    sender_email: Mapped[str]
    excluded_get: Mapped[str] = mapped_column(default="plain")
    total: Mapped[int] = mapped_column(default=0)
    sent: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    cancelled: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[int]
    requested_at: Mapped[int | None] = mapped_column(default=None)
    # Who stopped it, and when.
    cancelled_by: Mapped[str | None] = mapped_column(ForeignKey("users.id"), default=None)
    cancelled_at: Mapped[int | None] = mapped_column(default=None)


class Link(Model):
    """The private link of one applicant; only a hash of its token is stored."""

    __tablename__ = "links"
    __table_args__ = (
        # A token opens one link.
        UniqueConstraint("token_hash", name="token_opens_one"),
        Index(None, "applicant_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    # Whose link it is.
    applicant_id: Mapped[str] = mapped_column(ForeignKey("applicants.id"))
    token_hash: Mapped[bytes]
    created_at: Mapped[int]
    expires_at: Mapped[int]
    opened_at: Mapped[int | None] = mapped_column(default=None)  # by POST; GET changes nothing
    used_at: Mapped[int | None] = mapped_column(default=None)
    revoked_at: Mapped[int | None] = mapped_column(default=None)


class Notice(Model):
    """One mail of a batch to one applicant."""

    __tablename__ = "notices"
    __table_args__ = (
        one_of("state_known", "state", NOTICE_STATES),
        # Nobody is told the same thing twice, unless the first time was cancelled.
        Index(
            "uq_notices_told_once",
            "applicant_id",
            "kind",
            unique=True,
            sqlite_where=LIVE,
            postgresql_where=LIVE,
        ),
        Index(
            "ix_notices_due",
            "next_attempt_at",
            "id",
            sqlite_where=QUEUED,
            postgresql_where=QUEUED,
        ),
        Index(None, "batch_id", "state", "id"),
        Index(None, "sent_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    # The batch it was approved with, the person it is for, the link it carries.
    batch_id: Mapped[str] = mapped_column(ForeignKey("notice_batches.id"))
    applicant_id: Mapped[str] = mapped_column(ForeignKey("applicants.id"))
    link_id: Mapped[str | None] = mapped_column(ForeignKey("links.id"), default=None)
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default="draft")
    exclusion: Mapped[str | None] = mapped_column(default=None)  # why no link; never leaves
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[int] = mapped_column(default=0)
    lease: Mapped[str | None] = mapped_column(default=None)
    lease_until: Mapped[int | None] = mapped_column(default=None)
    error: Mapped[str | None] = mapped_column(default=None)  # a code, no words of the server
    sent_at: Mapped[int | None] = mapped_column(default=None)
    # A keyed digest of what stood in the letter when it was approved: another is not sent.
    approved_as: Mapped[bytes | None] = mapped_column(default=None)
    # What a mail server said after it had taken the mail: when we read it, its status (RFC 3463).
    bounced_at: Mapped[int | None] = mapped_column(default=None)
    bounce_status: Mapped[str | None] = mapped_column(default=None)
    # A keyed digest of that mail: read again from the same mailbox it says nothing new.
    bounce_print: Mapped[bytes | None] = mapped_column(default=None)
