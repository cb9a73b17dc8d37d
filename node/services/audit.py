"""The audit log: who did what, to which subject, each entry chained to the one before by its hash.

Whoever removes or rewrites an entry breaks the chain at that place, and `verify` finds it
(RELIABILITY A4). No personal data: actors are user ids, member ids, `worker` or `cli`; subjects are
ids of things; details are codes and numbers.
"""

import hashlib
import json

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from node import models
from node.context import Context

LABEL = b"tasuki/v1/audit\x00"
FIRST = bytes(32)  # what the first entry follows
DETAIL_CHARS_MAX = 500  # a detail is a code and a few numbers, never somebody's text
# One history on PostgreSQL: whoever writes the next entry waits for the one before to commit.
LOCK = text("SELECT pg_advisory_xact_lock(hashtext('tasuki.audit'))")


def record(
    session: Session,
    context: Context,
    *,
    actor: str,
    action: str,
    subject: str,
    detail: str = "",
) -> None:
    """Add an entry, in the transaction of what it tells; call it as late as you can."""
    assert len(detail) <= DETAIL_CHARS_MAX, "a detail is a code and numbers"
    if session.get_bind().dialect.name == "postgresql":
        session.execute(LOCK)
    last = session.scalar(select(models.AuditEntry).order_by(models.AuditEntry.id.desc()).limit(1))
    previous = last.hash if last else FIRST

    entry = models.AuditEntry(
        at=context.clock.now(),
        actor=actor,
        action=action,
        subject=subject,
        detail=detail,
        previous_hash=previous,
        hash=b"",
    )
    entry.hash = _hash(entry)
    session.add(entry)
    session.flush()


def verify(session: Session) -> int | None:
    """Return the id of the first entry that does not follow the one before; None when all do."""
    previous = FIRST
    entries = select(models.AuditEntry).order_by(models.AuditEntry.id)
    for entry in session.scalars(entries.execution_options(yield_per=1000)):
        if entry.previous_hash != previous or entry.hash != _hash(entry):
            return entry.id
        previous = entry.hash
    return None


def _hash(entry: models.AuditEntry) -> bytes:
    told = [entry.at, entry.actor, entry.action, entry.subject, entry.detail]
    content = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    return hashlib.sha256(LABEL + entry.previous_hash + content).digest()
