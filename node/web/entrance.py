"""What every page needs of the request: the node, the person, and whether they may come in."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import ParamSpec, cast

from flask import current_app, g, redirect, request, url_for
from flask import session as browser
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden

from node.installation import Node
from node.models.users import ROLES
from node.origin import origin
from node.services import charter as charters
from node.services import sessions
from node.services.charter import Departure
from node.services.sessions import SignedIn
from protocol import Charter

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]


def node() -> Node:
    """The node this process serves."""
    return cast(Node, current_app.extensions["tasuki"])


def user() -> SignedIn:
    """Who asks; only in views that require a role."""
    who = current_user()
    assert who is not None, "the view forgot @require_role"
    return who


def current_user() -> SignedIn | None:
    """Who asks, or None."""
    return cast(SignedIn | None, g.get("user"))


def client_address() -> str:
    """Where the request comes from, to count attempts by."""
    return origin(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""))


def cookie_name() -> str:
    """The session's cookie; bound to this host by its name where the browser speaks HTTPS.

    Ports share cookies, so several nodes on one host are told apart by the member's id.
    """
    here = node()
    name = f"tasuki-{here.settings.member_id}" if here.settings.member_id else "tasuki"
    return f"__Host-{name}" if is_https() else name


def is_https() -> bool:
    """Whether browsers reach this node by HTTPS, which decides about cookies."""
    return node().settings.public_url.startswith("https://")


def recognise() -> None:
    """Before each request: whose session is it? The forms' token is bound to that session."""
    if request.endpoint == "static":
        return
    token = request.cookies.get(cookie_name())
    if not token:
        return
    here = node()
    with here.database.reading() as session:
        who, stale = sessions.signed_in(session, here.context, token)
    if who is None:
        return
    if stale:
        with here.database.transaction() as session:
            sessions.touch(session, here.context, token)
    g.user = who
    if browser.get("csrf_token") != who.csrf:
        browser["csrf_token"] = who.csrf


def charter() -> Charter | None:
    """The charter in force, read once a request; None before the founding."""
    if "charter" not in g:
        with node().database.reading() as session:
            g.charter = charters.if_any(session)
    return cast(Charter | None, g.charter)


def departed() -> Mapping[str, Departure]:
    """Who has left the alliance, ourselves perhaps among them; read once a request."""
    if "departed" not in g:
        with node().database.reading() as session:
            g.departed = charters.departures(session)
    return cast(Mapping[str, Departure], g.departed)


def companies() -> list[str]:
    """Every other member, and behind them those that have left: whom a list may name."""
    alliance, us = charter(), node().settings.member_id
    present = [member.id for member in alliance.members] if alliance else []
    return [each for each in (*present, *departed()) if each != us]


def company_name(member_id: str | None = None) -> str:
    """The legal name of a member, our own by default; the id where no version names it."""
    wanted = member_id or node().settings.member_id
    alliance = charter()
    member = alliance.by_id.get(wanted) if alliance else None
    if member is None and wanted in departed():
        member = departed()[wanted].member
    return member.legal_name if member else wanted


def require_role(*roles: str) -> Callable[[View[P]], View[P]]:
    """Let in who has one of `roles`; administrators always, anybody who signed in without any.

    Signed out, the person is sent to sign in and comes back to the page they asked for.
    """
    assert set(roles) <= set(ROLES), f"roles are {ROLES}"

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            who = current_user()
            if who is None:
                asked = request.full_path.rstrip("?") if request.method == "GET" else ""
                return redirect(url_for("sign_in.show", next=asked or None))
            if roles and not who.may(*roles):
                raise Forbidden
            return view(*args, **kwargs)

        guarded.required_roles = roles  # type: ignore[attr-defined]
        return guarded

    return guard


def local_path(wanted: str) -> str:
    """`wanted` when it is a page of this node, else the front page: nobody is sent elsewhere."""
    safe = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if safe else url_for("dashboard.show")
