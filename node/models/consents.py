"""Consents: what a person chose, partner by partner, and the codes that proved the contact."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from node.models.schema import Model, one_of

STATES = ("draft", "verified", "given", "withdrawn")


class Consent(Model):
    """One person's recorded choice; items, profile and the texts shown are encrypted."""

    __tablename__ = "consents"
    __table_args__ = (
        # A link carries one consent: two browsers at once cannot give two.
        UniqueConstraint("link_id", name="one_a_link"),
        # A token opens one status page.
        UniqueConstraint("status_token_hash", name="token_opens_one"),
        one_of("state_known", "state", STATES),
        # What was given has a time and the hash of the page on which it was given.
        CheckConstraint(
            "state NOT IN ('given', 'withdrawn') OR "
            "(given_at IS NOT NULL AND page_hash IS NOT NULL)",
            name="given_is_proven",
        ),
        Index(None, "applicant_id"),
        Index(None, "state", "given_at", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    # Who consented, and by which link.
    applicant_id: Mapped[str] = mapped_column(ForeignKey("applicants.id"))
    link_id: Mapped[str] = mapped_column(ForeignKey("links.id"))
    state: Mapped[str] = mapped_column(default="draft")
    sealed_blob: Mapped[bytes]
    language: Mapped[str]
    page_hash: Mapped[bytes | None] = mapped_column(default=None)
    status_token_hash: Mapped[bytes | None] = mapped_column(default=None)
    created_at: Mapped[int]
    verified_at: Mapped[int | None] = mapped_column(default=None)
    given_at: Mapped[int | None] = mapped_column(default=None)
    withdrawn_at: Mapped[int | None] = mapped_column(default=None)


class ConsentChoice(Model):
    """One partner the person chose."""

    __tablename__ = "consent_choices"

    # A choice is part of its consent.
    consent_id: Mapped[str] = mapped_column(
        ForeignKey("consents.id", ondelete="CASCADE"), primary_key=True
    )
    member: Mapped[str] = mapped_column(primary_key=True)
    profile_at_once: Mapped[bool] = mapped_column(default=False)  # else the card alone
    withdrawn_at: Mapped[int | None] = mapped_column(default=None)


class ConsentResume(Model):
    """The PDF a person attached, encrypted under the person's key; apart, for its size."""

    __tablename__ = "consent_resumes"
    __table_args__ = (
        # An empty file is no document.
        CheckConstraint("size > 0", name="has_content"),
    )

    # The file is part of its consent.
    consent_id: Mapped[str] = mapped_column(
        ForeignKey("consents.id", ondelete="CASCADE"), primary_key=True
    )
    content_blob: Mapped[bytes]
    size: Mapped[int]  # of the file itself, in bytes
    pages: Mapped[int]
    created_at: Mapped[int]


class ContactCode(Model):
    """A six-digit code sent by mail; only its hash is stored."""

    __tablename__ = "contact_codes"
    __table_args__ = (
        # Tries are counted, so that they can be limited.
        CheckConstraint("attempts >= 0", name="attempts_counted"),
        Index(None, "link_id", "expires_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    # A code is worth nothing without its link.
    link_id: Mapped[str] = mapped_column(ForeignKey("links.id", ondelete="CASCADE"))
    code_hash: Mapped[bytes]
    created_at: Mapped[int]
    expires_at: Mapped[int]
    attempts: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[int | None] = mapped_column(default=None)
