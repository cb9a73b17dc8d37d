"""Referrals sent and received, the rule that accepts them, and the steps of selection."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from node.models.schema import Model, one_of

OUT_STATES = (
    *("sent", "accepted", "released", "declined", "already_known", "hired", "expired"),
    "withdrawn",
)
IN_STATES = (
    *("received", "accepted", "profile_received", "declined", "already_known", "hired"),
    *("expired", "withdrawn"),
)
DIRECTIONS = ("in", "out")


class ReferralOut(Model):
    """One candidate this member offered to one other, from consent to hire."""

    __tablename__ = "referrals_out"
    __table_args__ = (
        # A consent offers the person to a partner once.
        UniqueConstraint("consent_id", "recipient", name="offered_once"),
        one_of("state_known", "state", OUT_STATES),
        Index(None, "created_at", "id"),
        Index(None, "state", "created_at", "id"),
        Index(None, "recipient", "created_at", "id"),
        Index(None, "applicant_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    # No referral without a consent and the person who gave it.
    consent_id: Mapped[str] = mapped_column(ForeignKey("consents.id"))
    applicant_id: Mapped[str] = mapped_column(ForeignKey("applicants.id"))
    recipient: Mapped[str]
    envelope_id: Mapped[str]
    state: Mapped[str] = mapped_column(default="sent")
    # The common stage code that the receiver told, as far as the person allowed it.
    stage_code: Mapped[str | None] = mapped_column(default=None)
    shares_progress: Mapped[bool]
    # What waits for the acceptance, sealed under the person's key; gone once released.
    profile_blob: Mapped[bytes | None] = mapped_column(default=None)
    resume_blob: Mapped[bytes | None] = mapped_column(default=None)
    # The receiver's signed acceptance, and the id under which its point will be in the ledger.
    acceptance: Mapped[bytes | None] = mapped_column(default=None)
    entry_id: Mapped[str | None] = mapped_column(default=None)
    points: Mapped[int] = mapped_column(default=0)
    answer_by: Mapped[int]
    created_at: Mapped[int]
    answered_at: Mapped[int | None] = mapped_column(default=None)
    released_at: Mapped[int | None] = mapped_column(default=None)
    updated_at: Mapped[int]
    # Whether the person decides when the company has accepted, and until when.
    asks_first: Mapped[bool] = mapped_column(default=False)
    decide_by: Mapped[int | None] = mapped_column(default=None)
    # When the point went back, or proved never to have come, since the profile stayed here.
    point_settled_at: Mapped[int | None] = mapped_column(default=None)


class ReferralIn(Model):
    """One candidate another member offered to us: first a card, later a profile."""

    __tablename__ = "referrals_in"
    __table_args__ = (
        one_of("state_known", "state", IN_STATES),
        # A member offers one referral once; ids of two members may be alike.
        UniqueConstraint("sender", "referral_id", name="once_a_sender"),
        # A promise of a point is the signed acceptance.
        CheckConstraint(
            "state NOT IN ('accepted', 'profile_received', 'hired') OR acceptance IS NOT NULL",
            name="acceptance_promises",
        ),
        Index(None, "created_at", "id"),
        Index(None, "state", "created_at", "id"),
        Index(None, "sender", "created_at", "id"),
        Index(None, "state", "due_at"),
        Index(None, "email_index"),
        Index(None, "phone_index"),
        Index(None, "name_index"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    sender: Mapped[str]
    referral_id: Mapped[str]  # as the sender calls it
    envelope_id: Mapped[str]
    card: Mapped[str]  # JSON; anonymous, DOMAIN 6.1
    grounds: Mapped[str]  # JSON; the consent and how the giver came to the data, Art. 30
    receipt_digest: Mapped[bytes]  # what the payment's reference commits to
    state: Mapped[str] = mapped_column(default="received")
    stage_code: Mapped[str | None] = mapped_column(default=None)
    # The profile and PDF, sealed under the key of `person_keys` with this row's id.
    profile_blob: Mapped[bytes | None] = mapped_column(default=None)
    resume_blob: Mapped[bytes | None] = mapped_column(default=None)
    email_index: Mapped[bytes | None] = mapped_column(default=None)
    phone_index: Mapped[bytes | None] = mapped_column(default=None)
    name_index: Mapped[bytes | None] = mapped_column(default=None)
    acceptance: Mapped[bytes | None] = mapped_column(default=None)
    entry_id: Mapped[str | None] = mapped_column(default=None)
    # The user who answered; none when the rule did.
    answered_by: Mapped[str | None] = mapped_column(default=None)
    due_at: Mapped[int]
    created_at: Mapped[int]
    answered_at: Mapped[int | None] = mapped_column(default=None)
    updated_at: Mapped[int]
    stage_id: Mapped[str | None] = mapped_column(default=None)  # our own stage, if we have any


class ResumeChunk(Model):
    """One chunk of a PDF that has not arrived whole; sealed under the person's key."""

    __tablename__ = "resume_chunks"

    referral_in_id: Mapped[str] = mapped_column(ForeignKey("referrals_in.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    total: Mapped[int]
    content_blob: Mapped[bytes]


class AcceptanceRule(Model):
    """Cards that match are accepted without a person, up to a number a month."""

    __tablename__ = "acceptance_rules"
    __table_args__ = (
        # Every accepted card costs a point: no rule without an end.
        CheckConstraint("monthly_cap BETWEEN 1 AND 1000", name="cap_bounded"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    active: Mapped[bool]
    monthly_cap: Mapped[int]
    # Codes of applicant types and prefectures, comma-separated; empty means any.
    applicant_types: Mapped[str] = mapped_column(default="")
    regions: Mapped[str] = mapped_column(default="")
    updated_by: Mapped[str]
    updated_at: Mapped[int]


class SelectionStage(Model):
    """One step of our own selection: its name here, and the common code that others see."""

    __tablename__ = "selection_stages"
    __table_args__ = (
        # Stages stand in an order.
        CheckConstraint("position >= 0", name="in_order"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    code: Mapped[str]  # DOMAIN 6.4
    position: Mapped[int]
    # One that was taken out of the course keeps its name for the history.
    retired_at: Mapped[int | None] = mapped_column(default=None)


class StageChange(Model):
    """A step of selection, ours ("in") or as another member reported it ("out")."""

    __tablename__ = "stage_changes"
    __table_args__ = (
        one_of("direction_known", "direction", DIRECTIONS),
        Index(None, "direction", "referral_id", "changed_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    direction: Mapped[str]
    referral_id: Mapped[str]  # the id of our own row
    stage_code: Mapped[str]
    changed_at: Mapped[int]
    # None for a change that a peer told us of.
    changed_by: Mapped[str | None] = mapped_column(default=None)
    stage_id: Mapped[str | None] = mapped_column(default=None)
