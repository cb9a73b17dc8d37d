"""Users of this node, their sessions, and failed attempts to sign in."""

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from node.models.schema import Model, one_of

ROLES = ("admin", "recruiter", "approver", "viewer")


class User(Model):
    """A person who signs in here; never deleted, since the audit log names them."""

    __tablename__ = "users"
    __table_args__ = (
        # A login belongs to one person, also after they left.
        UniqueConstraint("login", name="login_belongs_to_one"),
        one_of("role_known", "role", ROLES),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    login: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str]
    locale: Mapped[str] = mapped_column(default="ja")
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[int]
    # Where reminders go, and when the last one was written.
    email_blob: Mapped[bytes | None] = mapped_column(default=None)
    reminded_at: Mapped[int | None] = mapped_column(default=None)


class UserSession(Model):
    """A signed-in browser; only a hash of its token is stored."""

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "user_id"), Index(None, "expires_at"))

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    # A session without its user is nobody's.
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    csrf: Mapped[str]
    created_at: Mapped[int]
    seen_at: Mapped[int]
    expires_at: Mapped[int]


class SignInAttempt(Model):
    """A failed attempt, counted by login and by address; `key` is a blind index of either."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (Index(None, "key", "at"), Index(None, "at"))

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    key: Mapped[bytes]
    at: Mapped[int]
