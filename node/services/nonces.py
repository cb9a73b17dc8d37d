"""Nonces: a request of a peer counts once, in every process of this node.  PEER 1."""

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from protocol import errors, http, limits


def use(session: Session, request: http.VerifiedRequest) -> None:
    """Spend the request's nonce, or raise NonceReused. Kept longer than the request is valid."""
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    make = postgresql.insert if is_postgresql else sqlite.insert
    spent = session.execute(
        make(models.Nonce)
        .values(
            keyid=request.keyid,
            nonce=request.nonce,
            expires_at=request.expires + limits.NONCE_KEPT_S,
        )
        .on_conflict_do_nothing()
        .returning(models.Nonce.expires_at)
    )
    if spent.first() is None:
        raise errors.NonceReused


def forget_expired(session: Session, context: Context) -> None:
    """Drop what no valid request can carry any more; the signature's times refuse it now."""
    session.execute(delete(models.Nonce).where(models.Nonce.expires_at < context.now()))
