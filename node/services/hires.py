"""Hires: the receiver registers one, with a fee or with a free-hire slot; the referrer is told.

A slot costs points_per_free_hire points, paid to the member that referred the person, and no fee.
The points are owed in the same transaction; the ledger certifies them.  DESIGN 2.6, DOMAIN 2.1 R12.
"""

import secrets
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.refusals import Refusal
from node.services import audit, ledger, outbox, referrals
from node.services import charter as charters
from node.services.letters import Letter
from node.services.pages import Cursor, Page, page_of
from protocol import FREE_HIRE, HIRE, commitment
from protocol import Hire as HireLetter

FEE_YEN_MAX = 100_000_000
PAY_COLUMN = "hires.annual_pay_blob"


class HireRegistered(Refusal, code="hire-registered"):
    """The hire of this person is registered already."""


class HireDateInvalid(Refusal, code="hire-date-invalid", status=422):
    """Enter the first day at work as a date, such as 2027-04-01."""


class HireAmountInvalid(Refusal, code="hire-amount-invalid", status=422):
    """The fee and the annual pay are whole yen, not negative."""


class SlotMissing(Refusal, code="slot-missing"):
    """There are not enough points for a free-hire slot. Points still owed count as paid."""


class SlotsNotRedeemable(Refusal, code="slots-not-redeemable"):
    """The charter of the alliance does not allow a free hire from this member."""


class FeeNotAllowed(Refusal, code="fee-not-allowed"):
    """A fee can only be owed to a member that is a licensed agency. Enter 0."""


def register(
    session: Session,
    context: Context,
    referral_id: str,
    *,
    joins_on: str,
    with_slot: bool,
    fee_yen: int = 0,
    annual_pay_yen: int | None = None,
    user_id: str,
) -> str:
    """Register that the person joins on a day (YYYY-MM-DD); the hire's id.

    With a slot the fee is zero; without one it is what the two members agreed (0 to 100 million
    yen, only to a licensed agency).
    """
    row = referrals.received(session, referral_id)
    if row.state == "hired":
        raise HireRegistered(referral_id)
    if row.state != "profile_received":
        raise referrals.ReferralNotAccepted(row.state)
    referrals.require_not_handed_on(session, row)
    _check_values(joins_on, fee_yen, annual_pay_yen)
    if with_slot:
        fee_yen = 0
        _check_slot(session, context, row.sender)
    elif fee_yen and not is_agency(session, context, row.sender):
        raise FeeNotAllowed(row.sender)

    hire = _write(session, context, row, joins_on, with_slot, fee_yen, annual_pay_yen, user_id)
    row.state = "hired"
    hired = referrals.Stage("hired", "hired")
    referrals.change_stage(session, context, row, hired, user_id=user_id)
    return hire.id


def _check_values(joins_on: str, fee_yen: int, annual_pay_yen: int | None) -> None:
    try:
        day = date.fromisoformat(joins_on)
    except ValueError:
        raise HireDateInvalid(joins_on) from None
    if day.isoformat() != joins_on:
        raise HireDateInvalid(joins_on)
    for amount in (fee_yen, annual_pay_yen or 0):
        if not 0 <= amount <= FEE_YEN_MAX:
            raise HireAmountInvalid(highest=FEE_YEN_MAX)


def _check_slot(session: Session, context: Context, to: str) -> None:
    if not may_use_slot(session, context, to):
        raise SlotsNotRedeemable(to)
    ledger.hold(session, context)
    if ledger.position(session, context).slots < 1:
        raise SlotMissing


def is_agency(session: Session, context: Context, member_id: str) -> bool:
    """Whether a member declares a paid placement licence (NN-ユ-NNNNNN) that is valid today.

    One that has left may still be owed a fee, by what the two agreed on.
    """
    today = context.day_of(context.now())
    return any(
        "-ユ-" in licence.number and licence.valid_until >= today
        for licence in charters.describing(session, member_id).licences
    )


def _write(
    session: Session,
    context: Context,
    row: models.ReferralIn,
    joins_on: str,
    with_slot: bool,
    fee_yen: int,
    annual_pay_yen: int | None,
    user_id: str,
) -> models.Hire:
    now, hire_id, salt = context.now(), secrets.token_hex(16), secrets.token_bytes(32)
    points = context.charter(session).policy.points_per_free_hire if with_slot else 0
    entry_id = ledger.new_entry_id(now) if with_slot else ""
    letter = HireLetter(row.referral_id, joins_on, points, entry_id, salt, now)
    pay = None
    if annual_pay_yen is not None:
        pay = context.keyring.encrypt(PAY_COLUMN, hire_id, str(annual_pay_yen).encode())
    hire = models.Hire(
        id=hire_id,
        direction="in",
        referral_id=row.id,
        peer=row.sender,
        joins_on=joins_on,
        points=points,
        fee_yen=fee_yen,
        entry_id=entry_id or None,
        annual_pay_blob=pay,
        registered_by=user_id,
        registered_at=now,
    )
    session.add(hire)
    session.flush()
    referrals.tell(session, context, row, HIRE, letter.encode())
    if with_slot:
        ledger.pay(
            session,
            context,
            entry_id=entry_id,
            kind=FREE_HIRE,
            to=row.sender,
            points=points,
            reference=commitment(salt, row.receipt_digest),
        )
    audit.record(
        session,
        context,
        actor=user_id,
        action="hire.registered",
        subject=hire_id,
        detail="slot" if with_slot else "fee",
    )
    return hire


def receive_hire(session: Session, context: Context, letter: Letter) -> None:
    """The receiver hired the person we referred: our own record of it."""
    hire = HireLetter.parse(letter.document.payload)
    row = session.get(models.ReferralOut, hire.referral, with_for_update=True)
    if row is None or row.recipient != letter.sender or not _is_released(row):
        raise referrals.LetterUnexpected("no released referral to this member has that id")
    _check_told(session, context, letter.sender, hire)
    row.state, row.stage_code, row.updated_at = "hired", "hired", context.now()
    session.add(
        models.Hire(
            id=secrets.token_hex(16),
            direction="out",
            referral_id=row.id,
            peer=letter.sender,
            joins_on=hire.joins_on,
            points=hire.points,
            fee_yen=0,
            entry_id=hire.entry or None,
            registered_at=hire.registered_at,
        )
    )
    session.flush()


def _is_released(row: models.ReferralOut) -> bool:
    """Whether its profile is there; it may have hired before it heard that the consent is gone."""
    return row.state == "released" or (row.state == "withdrawn" and row.released_at is not None)


def _check_told(session: Session, context: Context, sender: str, hire: HireLetter) -> None:
    """Raise unless what a member tells of a hire is something its own node could have written."""
    try:
        _check_values(hire.joins_on, 0, None)
    except HireDateInvalid as refusal:
        raise referrals.LetterUnexpected("the first day at work is no date") from refusal
    agreed = context.charter(session).policy.points_per_free_hire
    if hire.points not in (0, agreed) or bool(hire.points) != bool(hire.entry):
        raise referrals.LetterUnexpected(f"{hire.points} points for a slot, and {agreed} agreed")
    table = models.Hire
    if hire.entry and session.scalar(
        select(table.id).where(table.peer == sender, table.entry_id == hire.entry).limit(1)
    ):
        raise referrals.LetterUnexpected("this entry pays for another hire")


def list_hires(
    session: Session,
    *,
    direction: str = "",
    cursor: Cursor | None = None,
    backwards: bool = False,
    limit: int,
) -> Page[models.Hire]:
    """Hires registered here ("in") and reported to us ("out"), or of one direction."""
    table = models.Hire
    query = select(table)
    if direction:
        query = query.where(table.direction == direction)
    columns = (table.registered_at, table.id)
    return page_of(session, query, columns, _key, cursor=cursor, backwards=backwards, limit=limit)


def _key(row: models.Hire) -> Cursor:
    return row.registered_at, row.id


def find(session: Session, direction: str, referral_id: str) -> models.Hire | None:
    """The hire that a referral ended in, if it did."""
    table = models.Hire
    return session.scalar(
        select(table).where(table.direction == direction, table.referral_id == referral_id)
    )


def paid_at(session: Session, context: Context, row: models.Hire) -> ledger.Place | None:
    """Where the ledger shows the payment of a hire's slot; what a peer says of it is no proof."""
    us, ours = context.member_id, row.direction == "in"
    payer, payee = (us, row.peer) if ours else (row.peer, us)
    entry_id = row.entry_id or ""
    paid = ledger.entries(session, payer, [entry_id]).get(entry_id)
    slot = (FREE_HIRE, payee, row.points)
    if paid is None or (paid.entry.kind, paid.entry.to, paid.entry.points) != slot:
        return None
    return paid.place


def may_use_slot(session: Session, context: Context, to: str) -> bool:
    """Whether the charter lets us hire without fee from this member; points are another matter."""
    if not outbox.reaches(session, context, to):
        # Nothing is paid into a closed account, or out of one.
        return False
    mode = context.charter(session).policy.redemption
    if mode == "agency":
        return is_agency(session, context, to)
    return mode != "none"
