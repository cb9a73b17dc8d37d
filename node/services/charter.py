"""The charter in force, as adopted here: who belongs, and under which rules.  LEDGER 5."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.driver import Driver, Prepared
from node.refusals import Refusal
from protocol import GENESIS, Charter, Member, SignedDocument, decree, limits, parse_charter

_charters = models.table_of(models.Charter)
# Every request asks.
_NEWEST = Prepared(
    select(_charters.c.version, _charters.c.document).order_by(_charters.c.version.desc()).limit(1)
)


class NotFounded(Refusal, code="not-founded", status=409):
    """This node belongs to no alliance yet. Found one or join one first."""


class MemberGone(Refusal, code="member-gone", status=409):
    """One of the two companies has left the alliance, so nothing can be sent between them."""


@dataclass(frozen=True, slots=True)
class Departure:
    """A member that belongs no more: how its last version described it, and the one without it."""

    member: Member
    charter: Charter
    at: int

    @property
    def last_version(self) -> int:
        """The last version that names it."""
        return self.charter.version - 1


def in_force(session: Session) -> Charter:
    """The charter of the highest adopted version; raise NotFounded before the first."""
    row = Driver(session.connection()).first(_NEWEST, {})
    if row is None:
        raise NotFounded
    return _parsed(*row)


def if_any(session: Session) -> Charter | None:
    """The charter in force, or None before the founding; for pages that work without one."""
    try:
        return in_force(session)
    except NotFounded:
        return None


def versions(session: Session) -> list[Charter]:
    """Every version that was adopted here, the first first."""
    return [_parsed(version, document) for version, document, _ in _stored(session)]


def departures(session: Session) -> Mapping[str, Departure]:
    """Who belonged and does no more, ourselves perhaps among them; the first to go first."""
    found: dict[str, Departure] = {}
    before: Charter | None = None
    for version, document, adopted_at in _stored(session):
        charter = _parsed(version, document)
        for member in before.members if before is not None else ():
            if member.id not in charter.by_id:
                found[member.id] = Departure(member, charter, adopted_at)
        # A witness may come back, and a name without an account be given again.
        for member in charter.members:
            found.pop(member.id, None)
        before = charter
    return found


def has_left(session: Session, member: str) -> Departure | None:
    """How a member went; None for one that belongs, and for one that never did."""
    # Asked by every step of a node that waits or has left, and by every page.
    charter = if_any(session)
    if charter is None or member in charter.by_id:
        return None
    return departures(session).get(member)


def require_both(session: Session, one: str, other: str) -> None:
    """Raise MemberGone unless both belong to the version in force."""
    charter = in_force(session)
    if gone := {one, other} - charter.by_id.keys():
        raise MemberGone(f"{min(gone)} is not in version {charter.version}")


def describing(session: Session, member: str) -> Member:
    """A member as the newest version that names it describes it, also when it has left since.

    NotFounded when no version does: whoever is invited belongs only once a decree says so.
    """
    return described(session, member)[0]


def described(session: Session, member: str) -> tuple[Member, int]:
    """The same, with the number of that version."""
    charter = in_force(session)
    if member in charter.by_id:
        return charter.by_id[member], charter.version
    gone = has_left(session, member)
    if gone is None:
        raise NotFounded(f"{member} belongs to no version")
    return gone.member, gone.last_version


def of_epoch(session: Session, epoch: int) -> Charter:
    """The version that opened an epoch; NotFounded when it was never adopted here."""
    row = session.connection().execute(_all.where(_charters.c.version == epoch)).first()
    if row is None:
        raise NotFounded
    return _parsed(*row)


def adopted_at(session: Session, version: int) -> int:
    """When a version took effect here, in Unix seconds; NotFounded when it never did."""
    query = select(_charters.c.adopted_at).where(_charters.c.version == version)
    row = session.connection().execute(query).first()
    if row is None:
        raise NotFounded
    return int(row.adopted_at)


def chain(session: Session) -> bytes:
    """The founding document and every decree since, as `tasuki charter verify` proves them."""
    documents = [document for _, document, _ in _stored(session)]
    if not documents:
        raise NotFounded
    founding = SignedDocument.parse(documents[0], bytes_max=limits.CHARTER_BYTES_MAX)
    return decree.encode_chain(founding, map(decree.Decree.parse, documents[1:]))


_all = select(_charters.c.version, _charters.c.document)


def _stored(session: Session) -> list[tuple[int, bytes, int]]:
    query = _all.add_columns(_charters.c.adopted_at).order_by(_charters.c.version)
    rows = session.connection().execute(query)
    return [(row.version, row.document, row.adopted_at) for row in rows]


# Proven when it was adopted; read once for each version, not once for each request. Twenty years of
# months, at some 20 KB each.
@lru_cache(maxsize=256)
def _parsed(version: int, document: bytes) -> Charter:
    if version == GENESIS:
        return parse_charter(SignedDocument.parse(document, bytes_max=limits.CHARTER_BYTES_MAX))
    return decree.Decree.parse(document).motion.charter
