"""Writing the records, each in the transaction of what it records, and the end of their time.

A row is written once and never changed; `purge` is the only thing that takes one away. Name and
items are under the records key, so that they outlive the person's own, and the name is found again
through blind indexes of this topic alone: they tell nothing when laid beside those of applicants.
"""

import json
import secrets
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.keyring import Keyring
from node.services import audit
from node.services import charter as charters
from node.services.applicants import normalisation
from node.services.letters import Letter
from protocol import JSON, Grounds, Profile

# 個人情報保護法施行規則 21, 25: three years from the day on which the record was made.
KEPT_YEARS = 3
PURGED_ROWS_MAX = 1000

Record: TypeAlias = models.ProvisionRecord | models.ReceiptRecord

_WISHES = {"desiredOccupation", "desiredRegions", "desiredSalaryMin", "availableFrom"}


def items_in(profile: Profile) -> list[str]:
    """The kinds of data that a profile holds, by the names that consents give them."""
    basics: JSON = profile.content["basics"]
    japan: JSON = profile.content.get("x-jp", {})
    items = ["name"]
    if "familyNameKana" in japan or "givenNameKana" in japan:
        items.append("kana")
    items += [name for name in ("email", "phone", "location", "summary") if name in basics]
    items += [
        name
        for name in ("work", "education", "skills", "languages", "certificates", "projects")
        if name in profile.content
    ]
    if _WISHES & set(japan) or "label" in basics:
        items.append("preferences")
    if "resumeFile" in japan:
        items.append("resume-pdf")
    if japan.get("reachedStage"):
        items.append("reached-stage")
    return items


def write_provision(
    session: Session,
    context: Context,
    *,
    envelope_id: str,
    referral_id: str,
    consent_id: str,
    recipient: str,
    person: Profile,
    items: list[str],
) -> None:
    """Record that we provided `items` of a person to a member; nothing if it was before."""
    _write(
        session,
        context,
        models.ProvisionRecord,
        peer=recipient,
        envelope_id=envelope_id,
        person=person,
        items=items,
        referral_id=referral_id,
        consent_id=consent_id,
        provided_at=context.now(),
    )


def write_receipt(
    session: Session,
    context: Context,
    letter: Letter,
    *,
    referral_id: str,
    grounds: Grounds,
    person: Profile,
    items: list[str],
) -> None:
    """Record that a member provided `items` of a person to us; nothing if it was before.

    Who it is was confirmed by the charter, whose keys opened and proved the letter; how it came to
    the data it declares in the letter's grounds.  個人情報保護法 30(1).
    """
    _write(
        session,
        context,
        models.ReceiptRecord,
        peer=letter.sender,
        envelope_id=letter.envelope_id,
        person=person,
        items=items,
        referral_id=referral_id,
        consent_id=grounds.consent,
        acquired=grounds.acquired,
        provided_at=letter.received_at,
    )


def _write(
    session: Session,
    context: Context,
    table: type[Record],
    *,
    peer: str,
    envelope_id: str,
    person: Profile,
    items: list[str],
    **rest: Any,  # noqa: ANN401 (what the two callers above write down as it is)
) -> None:
    known = select(table.id).where(table.peer == peer, table.envelope_id == envelope_id)
    if session.scalar(known) is not None:
        return
    party, version = charters.described(session, peer)
    row_id, now, keyring = secrets.token_hex(16), context.now(), context.keyring
    name_column, items_column = columns_of(table)
    name_index, kana_index = indexes_of(keyring, person.name, _kana_of(person))
    session.add(
        table(
            id=row_id,
            peer=peer,
            envelope_id=envelope_id,
            peer_name=party.legal_name,
            peer_address=party.address,
            peer_representative=party.representative,
            charter_version=version,
            name_blob=keyring.records.encrypt(name_column, row_id, person.name.encode()),
            items_blob=keyring.records.encrypt(items_column, row_id, json.dumps(items).encode()),
            name_index=name_index,
            kana_index=kana_index,
            created_at=now,
            kept_until=kept_until(context, now),
            **rest,
        )
    )
    session.flush()


def columns_of(table: type[Record]) -> tuple[str, str]:
    """What the blobs of name and items are bound to."""
    return f"{table.__tablename__}.name_blob", f"{table.__tablename__}.items_blob"


def indexes_of(keyring: Keyring, name: str, kana: str) -> tuple[bytes | None, bytes | None]:
    """The indexes under which a person is found by the name as written, and as read."""
    written, read = normalisation.name_key(name), normalisation.kana_key(kana)
    return (
        keyring.blind("records.name", written) if written else None,
        keyring.blind("records.kana", read) if read else None,
    )


def _kana_of(person: Profile) -> str:
    japan: JSON = person.content.get("x-jp", {})
    return f"{japan.get('familyNameKana', '')} {japan.get('givenNameKana', '')}".strip()


def kept_until(context: Context, created_at: int) -> int:
    """The first second after the three years of a record that was made at `created_at`.

    The day itself is not counted, and a period ends with the eve of its day of the last year, or
    with the month when that has no such day (民法 140, 143): what was made on 28 or 29 February
    2024 is kept through 28 February 2027, what was made on 28 February 2025 through 29 February
    2028.
    """
    zone = context.settings.time_zone
    first = datetime.fromtimestamp(created_at, zone).date() + timedelta(days=1)
    year = first.year + KEPT_YEARS
    is_leap_day = (first.month, first.day) == (2, 29)
    end = date(year, 3, 1) if is_leap_day else first.replace(year=year)
    return int(datetime(end.year, end.month, end.day, tzinfo=zone).timestamp())


def purge(session: Session, context: Context) -> int:
    """Take away records whose three years are over, at most a thousand of each; how many went."""
    gone = 0
    for table in (models.ProvisionRecord, models.ReceiptRecord):
        over = select(table.id).where(table.kept_until <= context.now()).order_by(table.kept_until)
        ids = list(session.scalars(over.limit(PURGED_ROWS_MAX)))
        if not ids:
            continue
        session.execute(delete(table).where(table.id.in_(ids)))
        audit.record(
            session,
            context,
            actor="worker",
            action="records.purged",
            subject=table.__tablename__,
            detail=f"rows={len(ids)}",
        )
        gone += len(ids)
    return gone
