"""Users: the people who sign in here, their roles and passwords. ASVS 6.2."""

import re
import secrets
import uuid
from functools import cache
from typing import ClassVar

import nacl.exceptions
import nacl.pwhash
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.i18n import DEFAULT_LANGUAGE, LANGUAGES
from node.models.users import ROLES
from node.refusals import NotThere, Refusal
from node.services import audit

LOGIN_PATTERN = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,63}\Z")  # also an e-mail address
NAME_CHARS_MAX = 80
# No login of a person has brackets: see the pattern above.
FOLDER_ID, FOLDER_LOGIN, FOLDER_NAME = "folder", "(folder)", "監視フォルダ (folder)"
EMAIL_COLUMN = "users.email_blob"
PASSWORD_CHARS_MIN = 10
PASSWORD_CHARS_MAX = 256  # long ones are welcome; the bound keeps Argon2id's input small
# What people type when ten signs are asked for; ASVS 6.2.4 asks to refuse the usual ones.
USUAL_PASSWORDS = frozenset(
    "1234567890 12345678901 123456789012 0123456789 0987654321 1111111111 0000000000 password01 "
    "password12 password123 password1234 passw0rd12 qwertyuiop qwerty12345 asdfghjkl; abcdefghij "
    "abcd123456 abc1234567 administrator admin12345 welcome123 letmein1234 iloveyou12 tasuki1234 "
    "tasukitasuki saiyou1234 sakura1234 nihon12345".split()
)


class UserRefused(Refusal, status=422):
    """This user cannot be made or changed so."""

    field: ClassVar[str] = "form"  # which entry of the page to correct


class LoginInvalid(UserRefused, code="login-invalid"):
    """Use 2 to 64 of a-z, 0-9 and . _ @ + - for the user name."""

    field = "login"


class LoginTaken(UserRefused, code="login-taken", status=409):
    """This user name is taken. Choose another one."""

    field = "login"


class NameInvalid(UserRefused, code="name-invalid"):
    """Enter the name, up to 80 characters."""

    field = "name"


class RoleUnknown(UserRefused, code="role-unknown"):
    """Choose a role."""

    field = "role"


class OwnRoleFixed(UserRefused, code="own-role-fixed", status=409):
    """You cannot change your own role. Ask another administrator."""

    field = "role"


class OwnUserActive(UserRefused, code="own-user-active", status=409):
    """You cannot deactivate yourself. Ask another administrator."""

    field = "active"


class LastAdministrator(UserRefused, code="last-administrator", status=409):
    """This is the last administrator. Name another one first."""

    field = "role"


class EmailInvalid(UserRefused, code="user-email-invalid"):
    """Enter an e-mail address such as name@example.jp, or leave it blank."""

    field = "email"


class PasswordShort(UserRefused, code="password-short"):
    """The password must have at least 10 characters."""

    field = "password"


class PasswordLong(UserRefused, code="password-long"):
    """The password may have up to 256 characters."""

    field = "password"


class PasswordUsual(UserRefused, code="password-usual"):
    """This password is easy to guess. Choose another one."""

    field = "password"


def create(
    session: Session,
    context: Context,
    *,
    login: str,
    name: str,
    role: str,
    password: str,
    actor: str,
    locale: str = DEFAULT_LANGUAGE,
    email: str = "",
) -> models.User:
    """Make a user; raise when the login is taken or an entry will not do."""
    login = login.strip().lower()
    if not LOGIN_PATTERN.match(login):
        raise LoginInvalid
    if session.scalar(select(models.User.id).where(models.User.login == login)):
        raise LoginTaken
    _check_name_and_role(name, role)
    check_password(password, login)
    address, user_id = _checked_email(email), uuid.uuid4().hex

    user = models.User(
        id=user_id,
        login=login,
        name=name.strip(),
        role=role,
        password_hash=_hash_password(password),
        locale=locale if locale in LANGUAGES else DEFAULT_LANGUAGE,
        created_at=context.clock.now(),
        email_blob=_sealed(context, user_id, address),
    )
    session.add(user)
    audit.record(
        session, context, actor=actor, action="user.create", subject=user.id, detail=f"role={role}"
    )
    return user


def change(
    session: Session,
    context: Context,
    user_id: str,
    *,
    name: str,
    role: str,
    active: bool,
    actor: str,
    email: str | None = None,
) -> models.User:
    """Change name, role or state; a user who may less than before is signed out everywhere.

    Without an `email` the address stays as it is.
    """
    user = get(session, user_id)
    _check_name_and_role(name, role)
    blob = user.email_blob if email is None else _sealed(context, user_id, _checked_email(email))
    if user.id == actor and not active:
        raise OwnUserActive
    if user.id == actor and role != user.role:
        raise OwnRoleFixed
    loses_admin = user.active and user.role == "admin" and not (active and role == "admin")
    if loses_admin and _active_admins(session) <= 1:
        raise LastAdministrator

    if role != user.role or not active:
        _end_sessions(session, user.id)
    detail = f"role={role} active={int(active)}"
    user.name, user.role, user.active = name.strip(), role, active
    user.email_blob = blob
    audit.record(
        session, context, actor=actor, action="user.change", subject=user.id, detail=detail
    )
    return user


def set_password(
    session: Session, context: Context, user_id: str, password: str, *, actor: str
) -> None:
    """Give a new password; every session of the user ends, also a thief's."""
    user = get(session, user_id)
    check_password(password, user.login)
    user.password_hash = _hash_password(password)
    _end_sessions(session, user.id)
    audit.record(session, context, actor=actor, action="user.password", subject=user.id)


def speak(session: Session, user_id: str, language: str) -> None:
    """Remember the language that a person chose, for what is written to them."""
    user = get(session, user_id)
    if language in LANGUAGES:
        user.locale = language


def email_of(context: Context, user: models.User) -> str:
    """The address that was entered for a user; empty when none was."""
    if user.email_blob is None:
        return ""
    return context.keyring.decrypt(EMAIL_COLUMN, user.id, user.email_blob).decode()


def mailbox_of(context: Context, user: models.User) -> str:
    """Where a user can be written to: the address, else a user name that is one, else empty."""
    return email_of(context, user) or (user.login if "@" in user.login else "")


def get(session: Session, user_id: str) -> models.User:
    """The user of that id; raise NotThere when there is none."""
    user = session.get(models.User, user_id)
    if user is None or user.id == FOLDER_ID:
        raise NotThere
    return user


def listing(session: Session) -> list[models.User]:
    """All people, those who may sign in first, then by login."""
    order = (models.User.active.desc(), models.User.login)
    people = select(models.User).where(models.User.id != FOLDER_ID)
    return list(session.scalars(people.order_by(*order)))


def folder(session: Session, context: Context) -> models.User:
    """Whose the watched folder's imports are: nobody can sign in as it, or change it."""
    found = session.get(models.User, FOLDER_ID)
    if found is None:
        found = models.User(
            id=FOLDER_ID,
            login=FOLDER_LOGIN,
            name=FOLDER_NAME,
            role="recruiter",
            password_hash=_nobody(),
            active=False,
            created_at=context.clock.now(),
        )
        session.add(found)
        session.flush()
    return found


def names(session: Session) -> dict[str, str]:
    """User id -> name, for lists that say who did something."""
    return {user.id: user.name for user in session.scalars(select(models.User))}


def make_password() -> str:
    """A password to hand over: 100 bits, without signs that look alike."""
    signs = "abcdefghijkmnpqrstuvwxyz23456789"
    parts = ["".join(secrets.choice(signs) for _ in range(5)) for _ in range(4)]
    return "-".join(parts)


def check_password(password: str, login: str) -> None:
    """Raise unless it is long enough, and not what everybody tries first."""
    if len(password) < PASSWORD_CHARS_MIN:
        raise PasswordShort
    if len(password) > PASSWORD_CHARS_MAX:
        raise PasswordLong
    usual = password.lower() in USUAL_PASSWORDS or len(set(password)) < 4
    if usual or (login and login in password.lower()):
        raise PasswordUsual


def _check_name_and_role(name: str, role: str) -> None:
    if not 1 <= len(name.strip()) <= NAME_CHARS_MAX or not name.isprintable():
        raise NameInvalid
    if role not in ROLES:
        raise RoleUnknown


def _checked_email(email: str) -> str:
    """The address as mails name it; empty stays empty."""
    if not email.strip():
        return ""
    try:
        # Written to by the member's own mail server; whether it exists, that one knows.
        found = validate_email(email.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise EmailInvalid from None
    return str(found.ascii_email)


def _sealed(context: Context, user_id: str, address: str) -> bytes | None:
    if not address:
        return None
    return context.keyring.encrypt(EMAIL_COLUMN, user_id, address.encode())


def _active_admins(session: Session) -> int:
    admins = (models.User.active.is_(True), models.User.role == "admin")
    return session.scalar(select(func.count()).select_from(models.User).where(*admins)) or 0


def _hash_password(password: str) -> str:
    # 64 MiB and two passes: more than OWASP asks for, and a small node stays small.
    made = nacl.pwhash.argon2id.str(
        password.encode(),
        opslimit=nacl.pwhash.argon2id.OPSLIMIT_INTERACTIVE,
        memlimit=nacl.pwhash.argon2id.MEMLIMIT_INTERACTIVE,
    )
    return made.decode("ascii")


@cache
def _nobody() -> str:
    return _hash_password(secrets.token_hex(16))


def password_is_right(candidate: models.User | None, password: str) -> bool:
    """Compute, without the database; False for nobody, for the deactivated and for the wrong."""
    # An unknown login costs the same time as a known one, so that logins cannot be tried out.
    known = candidate.password_hash if candidate else _nobody()
    try:
        nacl.pwhash.verify(known.encode("ascii"), password[:PASSWORD_CHARS_MAX].encode())
    except nacl.exceptions.InvalidkeyError:
        return False
    return candidate is not None and candidate.active


def _end_sessions(session: Session, user_id: str) -> None:
    """Sign a user out of every browser."""
    session.execute(delete(models.UserSession).where(models.UserSession.user_id == user_id))
