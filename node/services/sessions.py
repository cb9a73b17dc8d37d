"""Sessions: proving who one is, and staying signed in for a while.

Signing in takes three steps, because Argon2id is slow on purpose and must not hold the database:
`candidate_for` reads, `users.password_is_right` computes without it, and then either `open_session`
or `record_failure` writes. Tokens leave once and are stored hashed. ASVS 6.3.1, 7.2.4, 7.3, 7.4.

Whoever guesses is slowed down, but can lock nobody out: a browser in which somebody signed in
before carries a mark, and with it they are counted by themselves, whatever strangers do meanwhile.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import audit

SESSION_IDLE_S = 2 * 3600  # a desk left alone over lunch and a meeting
SESSION_S = 12 * 3600  # a working day; then the person proves again who they are
SEEN_EVERY_S = 60  # a busy user costs one write a minute, not one a page

ATTEMPTS_WINDOW_S = 15 * 60
# One login from one address, or in one known browser: a person who mistypes has room.
ATTEMPTS_MAX = 8
ATTEMPTS_OF_ADDRESS_MAX = 40  # an office behind one address has room
# One login from all addresses that are not its own: guessers with many have 6,144 tries a day, far
# too few for a password that is not a usual one, and need eight addresses to hinder a new browser.
ATTEMPTS_OF_LOGIN_MAX = 64
BROWSER_KNOWN_S = 180 * 24 * 3600  # a long leave, and the browser is still known


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who a session belongs to: what pages need to know, no row of the database."""

    id: str
    login: str
    name: str
    role: str
    locale: str
    csrf: str

    def may(self, *roles: str) -> bool:
        """Administrators may everything."""
        return self.role == "admin" or self.role in roles


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody who wants to sign in: as whom, from where, and with which browser's mark."""

    login: str
    address: str
    mark: str = ""


def wait_s(session: Session, context: Context, attempt: Attempt) -> int:
    """Seconds until this login, or this address, may try again; 0 when it may now."""
    now = context.clock.now()
    waits = [0]
    for key, most in _counters(context, attempt):
        newest = (
            select(models.SignInAttempt.at)
            .where(
                models.SignInAttempt.key == key, models.SignInAttempt.at > now - ATTEMPTS_WINDOW_S
            )
            .order_by(models.SignInAttempt.at.desc())
            .limit(most)
        )
        times = list(session.scalars(newest))
        if len(times) == most:
            waits.append(times[-1] + ATTEMPTS_WINDOW_S - now)
    return max(waits)


def candidate_for(session: Session, login: str) -> models.User | None:
    """The user of that login, whose password is still to be checked; None for nobody."""
    return session.scalar(select(models.User).where(models.User.login == _plain(login)))


def record_failure(session: Session, context: Context, attempt: Attempt) -> None:
    """Count a failed attempt, and forget those that count no more."""
    now = context.clock.now()
    session.execute(
        delete(models.SignInAttempt).where(models.SignInAttempt.at <= now - ATTEMPTS_WINDOW_S)
    )
    for key, _ in _counters(context, attempt):
        session.add(models.SignInAttempt(key=key, at=now))


def forget_failures(session: Session, context: Context, attempt: Attempt) -> None:
    """The person proved who they are: what they mistyped before counts no more."""
    own, _ = _counters(context, attempt)[0]
    session.execute(delete(models.SignInAttempt).where(models.SignInAttempt.key == own))


def mark_for(context: Context, login: str) -> str:
    """A mark for the browser in which this login signed in; it opens nothing by itself."""
    chance = secrets.token_urlsafe(16)
    return f"{chance}.{_proof(context, login, chance)}"


def _proof(context: Context, login: str, chance: str) -> str:
    proof = context.keyring.blind("sign_in.browser", f"{_plain(login)}\n{chance}")
    return base64.urlsafe_b64encode(proof).decode().rstrip("=")


def _is_known(context: Context, attempt: Attempt) -> bool:
    chance, _, proof = attempt.mark.partition(".")
    return hmac.compare_digest(proof.encode(), _proof(context, attempt.login, chance).encode())


def open_session(session: Session, context: Context, user: models.User) -> str:
    """Begin a session and return its token, which is nowhere else."""
    now = context.clock.now()
    session.execute(delete(models.UserSession).where(models.UserSession.expires_at <= now))
    token = secrets.token_urlsafe(32)
    session.add(
        models.UserSession(
            token_hash=_hash_token(token),
            user_id=user.id,
            csrf=secrets.token_hex(20),
            created_at=now,
            seen_at=now,
            expires_at=now + SESSION_S,
        )
    )
    audit.record(session, context, actor=user.id, action="session.open", subject=user.id)
    return token


def signed_in(session: Session, context: Context, token: str) -> tuple[SignedIn | None, bool]:
    """Who holds this token, and whether `touch` is due; None when the session is over."""
    found = session.execute(
        select(models.User, models.UserSession)
        .join(models.UserSession, models.UserSession.user_id == models.User.id)
        .where(models.UserSession.token_hash == _hash_token(token))
    ).first()
    if found is None:
        return None, False
    user, held = found
    now = context.clock.now()
    if not user.active or now >= held.expires_at or now - held.seen_at >= SESSION_IDLE_S:
        return None, False
    who = SignedIn(user.id, user.login, user.name, user.role, user.locale, held.csrf)
    return who, now - held.seen_at >= SEEN_EVERY_S


def touch(session: Session, context: Context, token: str) -> None:
    """The session was used now."""
    held = session.get(models.UserSession, _hash_token(token))
    if held is not None:
        held.seen_at = context.clock.now()


def close_session(session: Session, context: Context, token: str) -> None:
    """End the session of this token; one that has ended already is no error."""
    held = session.get(models.UserSession, _hash_token(token))
    if held is not None:
        session.delete(held)
        audit.record(
            session, context, actor=held.user_id, action="session.close", subject=held.user_id
        )


def _hash_token(token: str) -> bytes:
    # The token has 256 bits of chance, so a plain hash cannot be turned round.
    return hashlib.sha256(token.encode()).digest()


def _counters(context: Context, attempt: Attempt) -> list[tuple[bytes, int]]:
    """Where an attempt counts and how often it may, the person's own first.

    Neither login nor address nor mark is stored.
    """
    blind, login = context.keyring.blind, _plain(attempt.login)
    if _is_known(context, attempt):
        return [(blind("sign_in.mark", attempt.mark), ATTEMPTS_MAX)]
    return [
        (blind("sign_in.login_from", f"{login}\n{attempt.address}"), ATTEMPTS_MAX),
        (blind("sign_in.login", login), ATTEMPTS_OF_LOGIN_MAX),
        (blind("sign_in.address", attempt.address), ATTEMPTS_OF_ADDRESS_MAX),
    ]


def _plain(login: str) -> str:
    return login.strip().lower()
