"""Membership: the charter this node holds, and what it knows of every other member's node.

A charter is adopted once it is proven; from then on it decides who is answered and whose keys
count.  Peers' rows hold what is ours alone: breaker, last success, last error, clock.  PEER 4, 5.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.refusals import Refusal
from node.services import audit, measures, outbox, restores
from node.services.charter import Departure
from protocol import (
    FIRST_INCARNATION,
    Charter,
    Hello,
    SignedDocument,
    VerifyKey,
    errors,
    limits,
    verify_founding,
)

PAUSED = "paused"  # in the place of a refusal's code: an administrator stopped the queue
RELEASE = f"tasuki {version('tasuki')}"


class CharterHeld(Refusal, code="charter-held"):
    """This node already belongs to an alliance. A node serves one alliance in its life."""


class CharterForeign(Refusal, code="charter-foreign", status=422):
    """The charter does not name this member with this node's keys. Hand over a new member card."""


@dataclass(frozen=True, slots=True)
class PeerView:
    """One peer as IT sees it: who, how it stands, and what waits for it."""

    member: str
    legal_name: str
    url: str
    connection: str
    state: str
    blocked: bool
    suspended_until: int | None
    stopped_code: str | None
    failures: int
    next_attempt_at: int
    last_success_at: int | None
    last_error_code: str | None
    last_error_at: int | None
    skew_s: int | None
    seen_at: int | None
    queued: int
    oldest_at: int | None
    refused: int

    @property
    def contact_at(self) -> int | None:
        """When it last answered us: a letter, a greeting or a comparison of the ledger."""
        return max(filter(None, (self.last_success_at, self.seen_at)), default=None)


def connection(peer: models.Peer, *, is_suspended: bool) -> str:
    """How a peer stands, in one word for lists and scripts; the first that applies.

    blocked (by us), suspended, stopped (a person's or a refusal's doing), waiting (the breaker is
    open), failing (it may be), well, silent (never spoken).
    """
    if peer.blocked:
        return "blocked"
    if is_suspended:
        return "suspended"
    if peer.stopped_code:
        return "stopped"
    if peer.state == "open":
        return "waiting"
    if peer.failures:
        return "failing"
    return "well" if peer.last_success_at else "silent"


def adopt(session: Session, context: Context, document: SignedDocument, *, actor: str) -> Charter:
    """Adopt the founding charter; adopting the same one again changes nothing."""
    charter = verify_founding(document)
    if not _is_held(session, charter):
        _require_ours(context, charter)
        _begin(session, context, charter, document, actor)
    return charter


def hold(session: Session, context: Context, document: SignedDocument, *, actor: str) -> Charter:
    """Hold to an alliance that others founded and that will bring us in by a decree."""
    charter = verify_founding(document)
    if not _is_held(session, charter):
        _begin(session, context, charter, document, actor)
    return charter


def _is_held(session: Session, charter: Charter) -> bool:
    held = session.get(models.Charter, charter.version)
    if held is not None and held.digest != charter.digest:
        raise CharterHeld(f"the charter with digest {held.digest.hex()[:16]} is held")
    return held is not None


def _begin(
    session: Session, context: Context, charter: Charter, document: SignedDocument, actor: str
) -> None:
    now = context.now()
    session.add(
        models.Charter(
            version=charter.version,
            digest=charter.digest,
            document=document.encode(),
            adopted_at=now,
        )
    )
    session.add_all(
        models.Peer(member=each.id) for each in charter.members if each.id != context.member_id
    )
    if incarnation(session) is None:
        session.add(models.Incarnation(number=FIRST_INCARNATION, began_at=now))
    audit.record(
        session,
        context,
        actor=actor,
        action="charter.adopted",
        subject=str(charter.version),
        detail=charter.digest.hex(),
    )


def _require_ours(context: Context, charter: Charter) -> None:
    ours = charter.by_id.get(context.member_id)
    if ours is None:
        raise CharterForeign(f"{context.member_id} is not in it", reason="member")
    keyring = context.keyring
    for name, named, held in (
        ("signing", ours.signing_key, keyring.signing.verify_key.raw),
        ("sealing", ours.sealing_key, keyring.sealing.public.raw),
        ("identity", ours.identity_key, keyring.identity.raw),
    ):
        if named != held:
            raise CharterForeign(f"it has another {name} key", reason=name)
    if ours.url != context.settings.public_url:
        raise CharterForeign(f"it has the address {ours.url}", reason="url")


def incarnation(session: Session) -> int | None:
    """The life that this node's state is in; None before it belongs to an alliance."""
    return session.scalar(select(func.max(models.Incarnation.number)))


def peers(session: Session, context: Context) -> list[PeerView]:
    """Every other member's node, in the charter's order."""
    charter, waiting = context.charter(session), outbox.queues(session)
    known = {row.member: row for row in session.scalars(select(models.Peer))}
    suspended = {each.member: each.until for each in measures.in_force(session, context)}
    views = []
    for member in charter.members:
        if member.id == context.member_id:
            continue
        row = known.get(member.id) or models.Peer(member=member.id, state="closed")
        queue = waiting.get(member.id)
        views.append(
            PeerView(
                member=member.id,
                legal_name=member.legal_name,
                url=member.url,
                connection=connection(row, is_suspended=member.id in suspended),
                state=row.state,
                blocked=row.blocked,
                suspended_until=suspended.get(member.id),
                stopped_code=row.stopped_code,
                failures=row.failures,
                next_attempt_at=row.next_attempt_at,
                last_success_at=row.last_success_at,
                last_error_code=row.last_error_code,
                last_error_at=row.last_error_at,
                skew_s=row.skew_s,
                seen_at=row.seen_at,
                queued=queue.queued if queue else 0,
                oldest_at=queue.oldest_at if queue else None,
                refused=queue.refused if queue else 0,
            )
        )
    return views


def blocked(session: Session) -> frozenset[str]:
    """The members whose messages this node refuses at present."""
    rows = session.scalars(select(models.Peer.member).where(models.Peer.blocked))
    return frozenset(rows)


def block(session: Session, context: Context, member: str, *, on: bool, actor: str) -> None:
    """Refuse, or take again, whatever a member sends; in force within a second.  PEER 4."""
    _row(session, context, member)
    session.execute(update(models.Peer).where(models.Peer.member == member).values(blocked=on))
    action = "peer.blocked" if on else "peer.unblocked"
    audit.record(session, context, actor=actor, action=action, subject=member)


def wake(session: Session, context: Context, member: str) -> None:
    """Forget that a peer was away or refused us: it spoke to us, or an admin says it is back.

    What an administrator paused stays paused.
    """
    row = _row(session, context, member)
    row.state, row.failures, row.next_attempt_at = "closed", 0, 0
    if row.stopped_code != PAUSED:
        row.stopped_code = None
    outbox.retry_now(session, context, member)


def pause(session: Session, context: Context, member: str, *, on: bool, actor: str) -> None:
    """Stop sending to a member, or go on; also after a refusal that stopped the queue.  PEER 5."""
    row = _row(session, context, member)
    row.stopped_code = PAUSED if on else None
    if not on:
        row.state, row.failures, row.next_attempt_at = "closed", 0, 0
        outbox.retry_now(session, context, member)
    action = "peer.paused" if on else "peer.resumed"
    audit.record(session, context, actor=actor, action=action, subject=member)


# --- Hello. ---


def make_hello(session: Session, context: Context) -> Hello:
    """What we tell a peer about ourselves."""
    charter = context.charter(session)
    return Hello(
        charter_version=charter.version,
        charter_digest=charter.digest,
        incarnation=incarnation(session) or FIRST_INCARNATION,
        release=RELEASE[: limits.RELEASE_CHARS_MAX],
        time=context.now(),
    )


def receive_hello(session: Session, context: Context, sender: str, hello: Hello) -> Hello:
    """A peer is there: remember how it stands, and send at once what waits for it."""
    ours = make_hello(session, context)
    if hello.charter_version == ours.charter_version:
        if hello.charter_digest != ours.charter_digest:
            # Two charters with one number are an attack or a disaster, never a delay.
            raise errors.CharterFork(version=ours.charter_version)
        _note(session, context, sender, hello)
        wake(session, context, sender)
        return ours
    raise errors.EpochMismatch(
        f"we hold version {ours.charter_version}, you {hello.charter_version}",
        epoch=ours.charter_version,
    )


def note_stale(session: Session, context: Context, known: object) -> bool:
    """A peer knows a later life of ours, and named which; True when we have begun a later one."""
    if not isinstance(known, int) or not 0 < known < limits.INCARNATION_MAX:
        return False
    return restores.outlive(session, context, known)


def note_hello(session: Session, context: Context, peer: str, hello: Hello) -> None:
    """Remember a peer's answer to our hello."""
    _note(session, context, peer, hello)


def _note(session: Session, context: Context, peer: str, hello: Hello) -> None:
    row = _row(session, context, peer)
    # An incarnation never goes back: a lower one is a replayed or a cloned node.  LEDGER 4.
    if row.incarnation is not None and hello.incarnation < row.incarnation:
        raise errors.IncarnationStale(
            f"{peer} was at incarnation {row.incarnation} before", incarnation=row.incarnation
        )
    if hello.incarnation > (row.incarnation or FIRST_INCARNATION):
        # It lost what it received after its backup; what it still has, it will say so again.
        outbox.deliver_again(session, context, peer)
    row.incarnation = hello.incarnation
    row.skew_s = hello.time - context.now()
    row.seen_at = context.now()


def _row(session: Session, context: Context, member: str) -> models.Peer:
    """The peer's row, locked for this transaction, so that two threads cannot lose a count."""
    context.charter(session).member(member)
    insert = postgresql.insert if _is_postgresql(session) else sqlite.insert
    session.execute(
        insert(models.Peer).values(_EMPTY | {"member": member}).on_conflict_do_nothing()
    )
    return session.scalars(
        select(models.Peer).where(models.Peer.member == member).with_for_update()
    ).one()


_EMPTY = {"state": "closed", "blocked": False, "failures": 0, "next_attempt_at": 0}


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def others(charter: Charter, us: str) -> Iterable[str]:
    """The members that a message to everybody goes to."""
    return (member.id for member in charter.members if member.id != us)


def verify_key_of(
    charter: Charter, departed: Mapping[str, Departure], sender: str, keyid: str
) -> VerifyKey:
    """The key of `sender` with that id, out of the charter and nowhere else.  PEER 1.

    Of one that has left it is the key that its last version names: it is told why it is refused.
    """
    member = departed[sender].member if sender in departed else charter.member(sender)
    if member.verify_key.keyid != keyid:
        raise errors.KeyUnknown(f"not a key of {sender}", epoch=charter.version)
    return member.verify_key
