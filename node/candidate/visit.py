"""A visit: whose link was opened in this browser, and whether the mailbox was proven here.

The link's token leaves the address as soon as the person begins; from then on a signed cookie
carries the link's id. The proof of the mailbox belongs to the browser, not to the link: whoever
else holds the mail's link sees no profile before entering a code from the person's own mailbox.
ASVS 7.2, 14.2.1.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, cast

from flask import current_app, redirect, request, url_for
from flask import session as browser
from flask.typing import ResponseReturnValue
from flask_babel import get_locale

from node.candidate.limits import Limits
from node.i18n import language_of
from node.installation import Node
from node.origin import origin
from node.services.consents import ConsentNotThere

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]

KEY = "visit"
# A working day: started on the train in the morning, finished on the way home.
VISIT_S = 12 * 3600


@dataclass(frozen=True, slots=True)
class Visit:
    """What the cookie says."""

    link_id: str
    verified: bool


def node() -> Node:
    """The node this process serves."""
    return cast(Node, current_app.extensions["tasuki"])


def limits() -> Limits:
    """What this process counts."""
    return cast(Limits, current_app.extensions.setdefault("tasuki-limits", Limits()))


def begin(link_id: str) -> None:
    """This browser came by that link; a proof stays when it was for the same link."""
    verified = (found := _read()) is not None and found.link_id == link_id and found.verified
    _write(link_id, verified=verified)


def verify() -> None:
    """The person entered the code in this browser."""
    _write(current().link_id, verified=True)


def end() -> None:
    """Forget the visit in this browser; what was entered stays for the next one."""
    browser.pop(KEY, None)


def current() -> Visit:
    """Who is here; ConsentNotThere when nobody began, or long ago."""
    found = _read()
    if found is None:
        raise ConsentNotThere
    return found


def is_verified(link_id: str) -> bool:
    """Whether the mailbox was proven in this browser, and for this very link."""
    found = _read()
    return found is not None and found.link_id == link_id and found.verified


def needs_code(view: View[P]) -> View[P]:
    """Show a page with personal data only in a browser that proved the mailbox."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if not current().verified:
            return redirect(url_for("candidate_contact.show"))
        return view(*args, **kwargs)

    return guarded


def spoken() -> str:
    """The language of this page."""
    return language_of(get_locale())


def address_here() -> str:
    """Where the person is, as the proxy before us knows."""
    return origin(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""))


def network() -> str:
    """Where the person is, without the part that tells the household: /24 or /48."""
    try:
        address = ipaddress.ip_address(address_here())
    except ValueError:
        return ""
    prefix = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network((address, prefix), strict=False))


def _read() -> Visit | None:
    found = browser.get(KEY)
    if not isinstance(found, dict) or node().clock.now() >= found.get("until", 0):
        return None
    return Visit(str(found["link"]), bool(found["verified"]))


def _write(link_id: str, *, verified: bool) -> None:
    until = node().clock.now() + VISIT_S
    browser[KEY] = {"link": link_id, "verified": verified, "until": until}
