"""The charter in force, as adopted here: who belongs, and under which rules.  LEDGER 5."""

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
    return [_parsed(*row) for row in _stored(session)]


def describing(session: Session, member: str) -> Member:
    """A member as the newest version that names it describes it, also when it has left since.

    NotFounded when no version does: whoever is invited belongs only once a decree says so.
    """
    found = in_force(session).by_id.get(member) or _earlier(session, member)
    if found is None:
        raise NotFounded(f"{member} belongs to no version")
    return found


def names(session: Session, member: str) -> bool:
    """Whether any version adopted here names this member."""
    return member in in_force(session).by_id or _earlier(session, member) is not None


def _earlier(session: Session, member: str) -> Member | None:
    found = (each.by_id.get(member) for each in reversed(versions(session)))
    return next(filter(None, found), None)


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
    documents = [document for _, document in _stored(session)]
    if not documents:
        raise NotFounded
    founding = SignedDocument.parse(documents[0], bytes_max=limits.CHARTER_BYTES_MAX)
    return decree.encode_chain(founding, map(decree.Decree.parse, documents[1:]))


_all = select(_charters.c.version, _charters.c.document)


def _stored(session: Session) -> list[tuple[int, bytes]]:
    rows = session.connection().execute(_all.order_by(_charters.c.version))
    return [(row.version, row.document) for row in rows]


# Proven when it was adopted; read once for each version, not once for each request.
@lru_cache(maxsize=8)
def _parsed(version: int, document: bytes) -> Charter:
    if version == GENESIS:
        return parse_charter(SignedDocument.parse(document, bytes_max=limits.CHARTER_BYTES_MAX))
    return decree.Decree.parse(document).motion.charter
