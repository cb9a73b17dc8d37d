"""The charter in force, as adopted here: who belongs, and under which rules.  LEDGER 5."""

from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.driver import Driver, Prepared
from node.refusals import Refusal
from protocol import GENESIS, Charter, SignedDocument, decree, limits, parse_charter

_charters = models.table_of(models.Charter)
# Every request asks.
_NEWEST = Prepared(select(_charters.c.document).order_by(_charters.c.version.desc()).limit(1))


class NotFounded(Refusal, code="not-founded", status=409):
    """This node belongs to no alliance yet. Found one or join one first."""


def in_force(session: Session) -> Charter:
    """The charter of the highest adopted version; raise NotFounded before the first."""
    row = Driver(session.connection()).first(_NEWEST, {})
    if row is None:
        raise NotFounded
    return _parsed(row[0])


def if_any(session: Session) -> Charter | None:
    """The charter in force, or None before the founding; for pages that work without one."""
    try:
        return in_force(session)
    except NotFounded:
        return None


def chain(session: Session) -> bytes:
    """The founding document as the file that `tasuki charter verify` proves without a node."""
    query = select(_charters.c.document).where(_charters.c.version == GENESIS)
    document = session.connection().scalar(query)
    if document is None:
        raise NotFounded
    founding = SignedDocument.parse(document, bytes_max=limits.CHARTER_BYTES_MAX)
    return decree.encode_chain(founding, ())


# Proven when it was adopted; read once for each version, not once for each request.
@lru_cache(maxsize=8)
def _parsed(document: bytes) -> Charter:
    return parse_charter(SignedDocument.parse(document, bytes_max=limits.CHARTER_BYTES_MAX))
