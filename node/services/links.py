"""Private links: the one address in a notice that opens a person's own pages.  RELIABILITY A2.

The token is derived from the link's random id under the keyring, so that the same mail can be
rendered again after a crash and carries the same link; the database knows only the token's hash,
and a stolen copy of it opens nothing. Finding a link changes nothing: mail scanners open every
link (DOMAIN 2.4 C1). That a person came is recorded when they POST.

Beside it each link has an address by which its mail is unsubscribed from: mail programs, and the
scanners before them, are handed it in a header (RFC 8058), so it opens nothing and shows nobody.
"""

import base64
import hashlib
import hmac
import re
import uuid
from collections.abc import Collection

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.refusals import Refusal

# DOMAIN 3.10: an unused link is dead after 90 days.
LIFE_S = 90 * 86_400
# 128 bits as base64url without padding; anything else never was one of ours.
TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
# The link's id and 128 bits that prove it: it says whose mail it was without a look-up.
STOP_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
ID_BYTES = 16


class LinkUnknown(Refusal, code="link-unknown", status=404):
    """This link is not known here. Please open it again from the mail, in full length."""


class LinkRevoked(Refusal, code="link-revoked", status=410):
    """This link is no longer in use. Please ask the company that wrote to you."""


class LinkExpired(Refusal, code="link-expired", status=410):
    """This link has expired. Nothing was passed on, and there is nothing you have to do."""


class LinkUsed(Refusal, code="link-used", status=410):
    """This link was used already. Your choices are on the status page, whose address you got by
    mail."""


def issue(
    session: Session, context: Context, applicant_id: str, *, expires_at: int
) -> tuple[str, str]:
    """Make a link for one applicant; return its id and its token, which is stored nowhere."""
    link_id = uuid.uuid4().hex
    token = token_of(context, link_id)
    session.add(
        models.Link(
            id=link_id,
            applicant_id=applicant_id,
            token_hash=_hash(token),
            created_at=context.clock.now(),
            expires_at=expires_at,
        )
    )
    return link_id, token


def token_of(context: Context, link_id: str) -> str:
    """Return the token of a link: 128 bits that only this node's keyring can make."""
    return _text(context.keyring.blind("links.token", link_id))


def url_of(context: Context, token: str) -> str:
    """Return the address that stands in the mail."""
    return f"{context.settings.public_url}/l/{token}"


def stop_token_of(context: Context, link_id: str) -> str:
    """Return what says "do not contact me again" for the person of a link, and nothing else."""
    return _text(bytes.fromhex(link_id) + _stop_proof(context, link_id))


def stop_url_of(context: Context, link_id: str) -> str:
    """Return the address that stands in the header `List-Unsubscribe`."""
    return f"{context.settings.public_url}/l/{stop_token_of(context, link_id)}/stop"


def find_stop(session: Session, context: Context, token: str, *, lock: bool = False) -> models.Link:
    """Return the link whose mail bore this; raise LinkUnknown.

    It holds for good: also for a link that has expired, was used or was closed.
    """
    if not STOP_TOKEN.fullmatch(token):
        raise LinkUnknown
    content = base64.urlsafe_b64decode(f"{token}=")
    link_id, proof = content[:ID_BYTES].hex(), content[ID_BYTES:]
    if not hmac.compare_digest(proof, _stop_proof(context, link_id)):
        raise LinkUnknown
    rows = select(models.Link).where(models.Link.id == link_id)
    link = session.scalar(rows.with_for_update() if lock else rows)
    if link is None:
        raise LinkUnknown  # made after the backup that this node was restored from
    return link


def find(session: Session, context: Context, token: str, *, lock: bool = False) -> models.Link:
    """Return the link that `token` opens now; raise LinkUnknown, -Revoked, -Used or -Expired."""
    link = look(session, token, lock=lock)
    if link.revoked_at is not None:
        raise LinkRevoked
    if link.used_at is not None:
        raise LinkUsed
    if context.clock.now() >= link.expires_at:
        raise LinkExpired(expired_at=link.expires_at)
    return link


def look(session: Session, token: str, *, lock: bool = False) -> models.Link:
    """Return the link of `token` whatever became of it; raise LinkUnknown."""
    if not TOKEN.fullmatch(token):
        raise LinkUnknown
    digest = _hash(token)
    rows = select(models.Link).where(models.Link.token_hash == digest)
    link = session.scalar(rows.with_for_update() if lock else rows)
    # The index may stop at the first byte that differs, but of a hash nobody can choose;
    # the comparison that decides takes the same time for every token.
    if link is None or not hmac.compare_digest(link.token_hash, digest):
        raise LinkUnknown
    return link


def of_applicant(session: Session, applicant_id: str) -> models.Link | None:
    """The newest link that somebody got, whatever became of it; None when they got none."""
    link = models.Link
    rows = select(link).where(link.applicant_id == applicant_id)
    return session.scalar(rows.order_by(link.created_at.desc(), link.id).limit(1))


def of_consent(session: Session, consent_id: str) -> models.Link | None:
    """The link through which a consent was given."""
    link, consent = models.Link, models.Consent
    return session.scalar(
        select(link).join(consent, consent.link_id == link.id).where(consent.id == consent_id)
    )


def mark_opened(session: Session, context: Context, link_id: str) -> None:
    """Record that the person came: they POSTed something, which no scanner does."""
    link = models.Link
    session.execute(
        update(link)
        .where(link.id == link_id, link.opened_at.is_(None))
        .values(opened_at=context.clock.now())
    )


def mark_used(session: Session, context: Context, link_id: str) -> None:
    """Close the link for good: the consent it was for is given."""
    link = models.Link
    session.execute(
        update(link)
        .where(link.id == link_id, link.used_at.is_(None))
        .values(used_at=context.clock.now())
    )


def revoke(session: Session, context: Context, link_ids: Collection[str]) -> None:
    """Make links dead that were not used: their mail was stopped, or the person erased."""
    link = models.Link
    session.execute(
        update(link)
        .where(link.id.in_(link_ids), link.used_at.is_(None), link.revoked_at.is_(None))
        .values(revoked_at=context.clock.now())
    )


def _stop_proof(context: Context, link_id: str) -> bytes:
    return context.keyring.blind("links.stop", link_id)


def _text(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def _hash(token: str) -> bytes:
    # The token has 128 bits of chance, so a plain hash cannot be turned round.
    return hashlib.sha256(token.encode("ascii")).digest()
