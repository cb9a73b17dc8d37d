"""Restores: a node that comes back from a backup listens before it signs.  PEER 4, LEDGER 4.

What was signed and sent after the backup is known to the peers alone. Until enough of them have
told where they stand, and all of that is applied here, the node is *recovering*: it signs no order
of its own, casts no vote and takes no letters (503; its peers keep them). It still answers what is
asked of its ledger, so that two nodes that recover at the same time can hear each other.

Everything that signs asks `is_recovering` first. When enough was heard, and what follows from it
for our votes and our account, is the ledger's to decide: `ledger.rejoining`.
"""

from collections.abc import Mapping

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.driver import Driver, Prepared
from node.services import audit
from protocol import FIRST_INCARNATION

# Why a mail or a notice of before the backup waits for a person: it may have left already.
RESTORED = "restored"

_restore = models.table_of(models.Restore)
# Everybody's order asks.
_RECOVERING = Prepared(
    select(_restore.c.incarnation).where(_restore.c.rejoined_at.is_(None)).limit(1)
)


def begin(session: Session, context: Context, backup_made_at: int) -> int:
    """Start the next life, in the transaction that stored the backup's rows; its incarnation."""
    now = context.now()
    last = session.scalar(select(func.max(models.Incarnation.number))) or FIRST_INCARNATION
    session.add(models.Incarnation(number=last + 1, began_at=now))
    # A restore of a backup that was itself made while recovering goes on in the newest.
    session.execute(
        update(models.Restore).where(models.Restore.rejoined_at.is_(None)).values(rejoined_at=now)
    )
    session.add(
        models.Restore(incarnation=last + 1, backup_made_at=backup_made_at, restored_at=now)
    )
    session.flush()
    _hold_back_mail(session)
    _call_everybody(session)
    audit.record(
        session,
        context,
        actor="cli",
        action="node.restored",
        subject=str(last + 1),
        detail=f"backup_made_at={backup_made_at}",
    )
    return last + 1


def _hold_back_mail(session: Session) -> None:
    """Nobody is told twice: what waited to be mailed may have left after the backup.

    Codes and receipts are asked for again by whoever needs them. A notice is HR's to send again,
    from its batch, once it is known that it has not left.
    """
    mail, notice, batch = models.MailEntry, models.Notice, models.NoticeBatch
    session.execute(
        update(mail)
        .where(mail.state == "queued")
        .values(state="cancelled", error_code=RESTORED, message_blob=None, lease=None)
    )
    held = select(notice.batch_id).where(notice.state == "queued")
    session.execute(
        update(batch)
        .where(batch.state == "approved", batch.id.in_(held))
        .values(state="sending")
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(notice)
        .where(notice.state == "queued")
        .values(state="failed", error=RESTORED, lease=None, lease_until=None)
    )


def _call_everybody(session: Session) -> None:
    """How a peer stood when the backup was made says nothing of today."""
    peer, letter = models.Peer, models.OutboxEntry
    session.execute(update(peer).values(state="closed", failures=0, next_attempt_at=0, vector=None))
    session.execute(
        update(letter)
        .where(letter.state == "queued")
        .values(lease=None, lease_until=None, next_attempt_at=0)
    )


def is_recovering(session: Session) -> bool:
    """Whether this node was restored and has not heard enough yet: then it signs nothing."""
    return Driver(session.connection()).first(_RECOVERING, {}) is not None


def was_restored(session: Session) -> bool:
    """Whether this node ever came back from a backup, and so may have forgotten what it did."""
    return session.scalar(select(models.Restore.incarnation).limit(1)) is not None


def _open(session: Session) -> int | None:
    return session.scalar(
        select(models.Restore.incarnation).where(models.Restore.rejoined_at.is_(None))
    )


def heard(session: Session) -> Mapping[str, bytes]:
    """The peers that have been heard since the restore under way, and what each showed us.

    Heard is who has sent all that it has, and has shown where our account stands with it.
    """
    read, shown = models.RestoreAnswer, models.RestoreStanding
    rows = session.execute(
        select(read.member, shown.standing)
        .join(shown, (shown.member == read.member) & (shown.incarnation == read.incarnation))
        .where(read.incarnation == _open(session))
        .order_by(read.member)
    )
    return {row.member: row.standing for row in rows}


def note_read(session: Session, context: Context, member: str) -> None:
    """Note that all which a peer has is applied here."""
    under_way = _open(session)
    assert under_way is not None
    if session.get(models.RestoreAnswer, (under_way, member)) is None:
        session.add(
            models.RestoreAnswer(incarnation=under_way, member=member, heard_at=context.now())
        )
        session.flush()


def keep_standing(session: Session, member: str, standing: bytes) -> None:
    """Keep what a peer showed us; the last counts."""
    under_way = _open(session)
    assert under_way is not None
    row = session.get(models.RestoreStanding, (under_way, member))
    if row is None:
        row = models.RestoreStanding(incarnation=under_way, member=member, standing=standing)
        session.add(row)
    row.standing = standing
    session.flush()


def finish(session: Session, context: Context, count: int) -> None:
    """End the recovery: enough peers were heard, and what follows from it is stored."""
    under_way = _open(session)
    session.execute(
        update(models.Restore)
        .where(models.Restore.incarnation == under_way)
        .values(rejoined_at=context.now())
    )
    audit.record(
        session,
        context,
        actor="worker",
        action="node.rejoined",
        subject=str(under_way),
        detail=f"peers={count}",
    )


def outlive(session: Session, context: Context, known: int) -> bool:
    """Go beyond an incarnation that a peer knows: this backup was restored once before."""
    under_way = _open(session)
    if under_way is None or known < under_way:
        return False
    later = known + 1
    session.add(models.Incarnation(number=later, began_at=context.now()))
    restore = session.get_one(models.Restore, under_way)
    restore.rejoined_at = context.now()
    session.add(
        models.Restore(
            incarnation=later,
            backup_made_at=restore.backup_made_at,
            restored_at=restore.restored_at,
        )
    )
    session.flush()
    return True
