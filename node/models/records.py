"""Records of provision and of receipt: who gave what of whom to whom.  個人情報保護法 29, 30.

Append-only: the database refuses to change a row, and `services.records` alone removes one, once
its three years are over. Nothing here leads to another table: a record outlives the referral, the
consent and the person's own key.
"""

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, MappedAsDataclass, mapped_column
from sqlalchemy.schema import SchemaItem

from node.models.schema import Model


class _Record(MappedAsDataclass, kw_only=True, eq=False, repr=False):
    """What both sides write down: 個人情報保護法施行規則 20 (giver), 24 (receiver)."""

    id: Mapped[str] = mapped_column(primary_key=True)
    envelope_id: Mapped[str]  # what carried the data
    referral_id: Mapped[str]  # as the giver calls it
    consent_id: Mapped[str]  # the giver's record of the person's consent
    # The other party as the charter of that day names it, copied: it may move, or leave.
    peer: Mapped[str]
    peer_name: Mapped[str]
    peer_address: Mapped[str]
    peer_representative: Mapped[str]
    charter_version: Mapped[int]
    # Under the records key; a person's own key may be destroyed long before.
    name_blob: Mapped[bytes]
    items_blob: Mapped[bytes]
    name_index: Mapped[bytes | None] = mapped_column(default=None)
    kana_index: Mapped[bytes | None] = mapped_column(default=None)
    medium: Mapped[str] = mapped_column(default="electromagnetic")
    provided_at: Mapped[int]
    created_at: Mapped[int]
    kept_until: Mapped[int]  # the first second in which it may go


def _lookups() -> tuple[SchemaItem, ...]:
    return (
        # Ids of two members may be alike.
        UniqueConstraint("peer", "envelope_id", name="one_an_envelope"),
        Index(None, "provided_at", "id"),
        Index(None, "peer", "provided_at", "id"),
        Index(None, "name_index"),
        Index(None, "kana_index"),
        Index(None, "kept_until"),
    )


class ProvisionRecord(_Record, Model):
    """The giver's record: we provided data of a person to `peer`.  個人情報保護法 29."""

    __tablename__ = "provision_records"
    __table_args__ = _lookups()


class ReceiptRecord(_Record, Model):
    """The receiver's record: `peer` provided data of a person to us.  個人情報保護法 30."""

    __tablename__ = "receipt_records"
    __table_args__ = _lookups()

    acquired: Mapped[str]  # 取得の経緯: how the giver came to the data
