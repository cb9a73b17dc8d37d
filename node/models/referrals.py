"""Referrals sent and received, rules for accepting them, and the steps of selection."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from node.models.schema import Model, one_of

OUT_STATES = (
    "consented",
    "delivered",
    "accepted",
    "declined",
    "already_known",
    "released",
    "hired",
    "closed",
    "withdrawn",
    "expired",
    "refused",
)
IN_STATES = (
    "received",
    "accepted",
    "declined",
    "already_known",
    "profile_received",
    "hired",
    "closed",
    "withdrawn",
    "expired",
)
DIRECTIONS = ("in", "out")


class ReferralOut(Model):
    """One candidate this member offered to one other."""

    __tablename__ = "referrals_out"
    __table_args__ = (
        # A consent offers the person to a partner once.
        UniqueConstraint("consent_id", "recipient", name="offered_once"),
        one_of("state_known", "state", OUT_STATES),
        Index(None, "created_at", "id"),
        Index(None, "state", "created_at", "id"),
        Index(None, "recipient", "created_at", "id"),
        Index(None, "applicant_id"),
        Index(None, "envelope_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    # No referral without a consent and the person who gave it.
    consent_id: Mapped[str] = mapped_column(ForeignKey("consents.id"))
    applicant_id: Mapped[str] = mapped_column(ForeignKey("applicants.id"))
    recipient: Mapped[str]
    envelope_id: Mapped[str | None] = mapped_column(default=None)
    profile_envelope_id: Mapped[str | None] = mapped_column(default=None)
    state: Mapped[str] = mapped_column(default="consented")
    stage_code: Mapped[str | None] = mapped_column(default=None)
    answer: Mapped[bytes | None] = mapped_column(default=None)  # the receiver's signed answer
    entry_id: Mapped[str | None] = mapped_column(default=None)
    created_at: Mapped[int]
    updated_at: Mapped[int]


class ReferralIn(Model):
    """One candidate another member offered to us: first a card, later a profile."""

    __tablename__ = "referrals_in"
    __table_args__ = (
        one_of("state_known", "state", IN_STATES),
        # A profile is only readable with its person's key.
        CheckConstraint("person_blob IS NULL OR person_id IS NOT NULL", name="profile_has_key"),
        # A promise of a point is the signed acceptance.
        CheckConstraint(
            "state NOT IN ('accepted', 'profile_received', 'hired') OR acceptance IS NOT NULL",
            name="acceptance_promises",
        ),
        Index(None, "created_at", "id"),
        Index(None, "state", "created_at", "id"),
        Index(None, "sender", "created_at", "id"),
        Index(None, "state", "due_at"),
        Index(None, "envelope_id"),
        Index(None, "entry_id"),
        Index(None, "email_index"),
        Index(None, "phone_index"),
        Index(None, "name_index"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    sender: Mapped[str]
    envelope_id: Mapped[str]
    card: Mapped[str]  # JSON; anonymous, DOMAIN 6.1
    state: Mapped[str] = mapped_column(default="received")
    stage_code: Mapped[str | None] = mapped_column(default=None)
    # The key of the released profile.
    person_id: Mapped[str | None] = mapped_column(ForeignKey("person_keys.person_id"), default=None)
    person_blob: Mapped[bytes | None] = mapped_column(default=None)
    email_index: Mapped[bytes | None] = mapped_column(default=None)
    phone_index: Mapped[bytes | None] = mapped_column(default=None)
    name_index: Mapped[bytes | None] = mapped_column(default=None)
    # The user who answers for it.
    owner: Mapped[str | None] = mapped_column(ForeignKey("users.id"), default=None)
    due_at: Mapped[int]
    accepted_by: Mapped[str | None] = mapped_column(default=None)  # a user's or a rule's id
    acceptance: Mapped[bytes | None] = mapped_column(default=None)
    accepted_at: Mapped[int | None] = mapped_column(default=None)
    entry_id: Mapped[str | None] = mapped_column(default=None)
    created_at: Mapped[int]
    updated_at: Mapped[int]


class AcceptanceRule(Model):
    """Cards that match are accepted without a person, up to a number a month."""

    __tablename__ = "acceptance_rules"
    __table_args__ = (
        # Every accepted card costs a point: no rule without an end.
        CheckConstraint("monthly_cap BETWEEN 1 AND 1000", name="cap_bounded"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    monthly_cap: Mapped[int]
    active: Mapped[bool] = mapped_column(default=True)
    criteria: Mapped[str] = mapped_column(default="{}")  # JSON
    # Who answers for what the rule accepts.
    created_by: Mapped[str] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[int]


class StageChange(Model):
    """A step of selection, ours ("in") or as another member reported it ("out")."""

    __tablename__ = "stage_changes"
    __table_args__ = (
        one_of("direction_known", "direction", DIRECTIONS),
        Index(None, "referral_id", "at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    referral_id: Mapped[str]
    at: Mapped[int]
    stage_code: Mapped[str]
    direction: Mapped[str]
