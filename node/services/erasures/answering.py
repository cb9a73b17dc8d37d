"""Answering: a person took a consent back elsewhere, and what came of it here is destroyed at once.

The receipt goes out with the erasure, in one transaction. The record that Art. 30 asks for stays
where there is one (a card alone names nobody), and so does what we need of somebody we hired; the
receipt says which.
"""

import json
import secrets
from dataclasses import replace

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import audit, outbox, records, referrals
from node.services.erasures.owing import kept_of
from node.services.letters import Letter
from protocol import (
    ATTACHMENT,
    ERASURE_RECEIPT,
    PROFILE,
    REFERRAL,
    ErasureReceipt,
    Withdrawal,
    sign,
)

Row = models.Erasure


def receive_withdrawal(session: Session, context: Context, letter: Letter) -> None:
    """Destroy what came with a referral, and answer; also where nothing has come yet.

    What may still come finds this row and is not taken in.
    """
    asked = Withdrawal.parse(letter.document.payload)
    known = session.scalar(
        select(Row)
        .where(Row.direction == "in", Row.peer == letter.sender, Row.referral_id == asked.referral)
        .with_for_update()
    )
    if known is None:
        known = Row(
            id=secrets.token_hex(16),
            direction="in",
            peer=letter.sender,
            referral_id=asked.referral,
            withdrawal=letter.document.digest,
            withdrawn_at=asked.withdrawn_at,
            erase_by=asked.erase_by,
            erased_at=context.now(),
            kept=",".join(_erase(session, context, letter.sender, asked.referral)),
        )
        session.add(known)
    else:
        known.withdrawal = letter.document.digest
    _answer(session, context, known)


def _erase(session: Session, context: Context, sender: str, referral_id: str) -> tuple[str, ...]:
    """Destroy the card, the profile and the key; the kinds of what is kept."""
    _empty_set_aside(session, sender)
    table = models.ReferralIn
    row = session.scalar(
        select(table)
        .where(table.sender == sender, table.referral_id == referral_id)
        .with_for_update()
    )
    if row is None:
        return ()
    kept = ("record",) if records.is_recorded(session, sender, referral_id) else ()
    if row.state == "hired":
        return "hire", *kept
    referrals.forget(session, context, row)
    card = replace(
        referrals.card_of(row),
        region="",
        occupation="",
        experience_years=0,
        skills=(),
        languages=(),
        reached_stage="",
        available_from="",
    )
    row.card = json.dumps(card.to_json(), ensure_ascii=False)
    row.state, row.stage_code, row.updated_at = "withdrawn", None, context.now()
    audit.record(session, context, actor=sender, action="referral.withdrawn", subject=row.id)
    return kept


def _empty_set_aside(session: Session, sender: str) -> None:
    """Destroy the data in letters that were set aside: nobody reads them, and we can.

    Which person a sealed letter is about is not seen, so all of this member's go, some weeks before
    they would anyway; their kinds and codes stay for IT.
    """
    table = models.InboxEntry
    session.execute(
        update(table)
        .where(table.sender == sender, table.state == "refused", table.envelope.is_not(None))
        .where(table.kind.in_((REFERRAL, PROFILE, ATTACHMENT)))
        .values(envelope=None)
    )


def _answer(session: Session, context: Context, known: Row) -> None:
    assert known.erased_at is not None, "it was just carried out, or before"
    kept = kept_of(known)
    receipt = ErasureReceipt(known.referral_id, known.withdrawal, known.erased_at, kept)
    key = context.signing(context.charter(session))
    known.receipt = sign(ERASURE_RECEIPT, receipt.encode(), key).encode()
    if outbox.reaches(session, context, known.peer):
        known.envelope_id = outbox.enqueue(
            session,
            context,
            recipient=known.peer,
            kind=ERASURE_RECEIPT,
            payload=receipt.encode(),
            subject=known.id,
        )
