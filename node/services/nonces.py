"""Nonces: a request of a peer counts once, in every process of this node.  PEER 1."""

from typing import cast

from sqlalchemy import Table, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from protocol import errors, http, limits

# Built once: every request of every peer comes through here, and building costs more than running.
_SPEND = {
    name: make(cast(Table, models.Nonce.__table__))
    .on_conflict_do_nothing()
    .execution_options(preserve_rowcount=True)
    for name, make in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}


def use(session: Session, request: http.VerifiedRequest) -> None:
    """Spend the request's nonce, or raise NonceReused. Kept longer than the request is valid."""
    connection = session.connection()
    spent = connection.execute(
        _SPEND[connection.dialect.name],
        {
            "keyid": request.keyid,
            "nonce": request.nonce,
            "expires_at": request.expires + limits.NONCE_KEPT_S,
        },
    )
    if spent.rowcount == 0:
        raise errors.NonceReused


def forget_expired(session: Session, context: Context) -> None:
    """Drop what no valid request can carry any more; the signature's times refuse it now."""
    session.execute(delete(models.Nonce).where(models.Nonce.expires_at < context.now()))
