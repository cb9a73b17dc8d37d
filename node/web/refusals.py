"""Refusals as pages: what happened in the reader's language, a code, and the request's number.

The one table of the web that maps errors to answers (STYLE 21). `protocol` and the services say
what they refuse in their own words; HTTP's refusals get theirs here.
"""

from dataclasses import dataclass

import structlog
from flask import Flask, g, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from node.database import UNAVAILABLE
from node.i18n import later
from node.refusals import Refusal
from node.web.entrance import current_user
from protocol import ProtocolError

log = structlog.get_logger()

# Who came by a private link reads the kind pages, without sign-in and menu.
CANDIDATE_PATHS = ("/l/", "/s/")


@dataclass(frozen=True, slots=True)
class Said:
    """A title and a sentence that says what to do."""

    code: str
    title: str
    sentence: str


FORGED = Said(
    "form-expired",
    later("This form has expired"),
    later("Nothing was changed. Go back, load the page again and send the form once more."),
)
AWAY = Said(
    "store-unavailable",
    later("Please try again in a moment"),
    later("The database cannot be reached right now. Nothing was changed."),
)
BROKEN = Said(
    "internal",
    later("Something went wrong on our side"),
    later("Nothing was changed. Please tell your administrator the request number below."),
)
BY_STATUS = {
    400: Said(
        "request-invalid",
        later("This request could not be read"),
        later("Go back, load the page again and repeat the last step."),
    ),
    403: Said(
        "role-missing",
        later("You may not open this page"),
        later("Your role does not include it. Ask an administrator if you need it."),
    ),
    404: Said(
        "not-found",
        later("This page does not exist"),
        later("The address may be mistyped, or what stood here has been removed."),
    ),
    405: Said(
        "method-wrong",
        later("This page cannot be opened this way"),
        later("Use the buttons on the pages; going back and loading again may help."),
    ),
    413: Said(
        "body-too-large",
        later("This is too large"),
        later("The file or text is larger than this page takes. Nothing was stored."),
    ),
    429: Said(
        "too-many-requests",
        later("Too many requests"),
        later("Please wait a few minutes and try again."),
    ),
}


def install(app: Flask) -> None:
    """Answer every refusal of `app` with a page."""
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Refusal, _refusal)
    app.register_error_handler(ProtocolError, _protocol)
    for unavailable in UNAVAILABLE:
        app.register_error_handler(unavailable, _away)
    app.register_error_handler(Exception, _broken)


def _forged(_: CSRFError) -> ResponseReturnValue:
    return _page(FORGED, 400)


def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:
        return error  # a redirect in the shape of an error
    return _page(BY_STATUS.get(status, BROKEN if status >= 500 else BY_STATUS[400]), status)


def _refusal(error: Refusal) -> ResponseReturnValue:
    return _page(Said(error.code, later("This cannot be done"), error.sentence()), error.status)


def _protocol(error: ProtocolError) -> ResponseReturnValue:
    sentence = " ".join((type(error).__doc__ or "").split())
    status = error.status if 400 <= error.status < 500 else 409
    return _page(Said(error.code, later("This cannot be done"), sentence), status)


def _away(error: Exception) -> ResponseReturnValue:
    log.warning("store unavailable", error=type(error).__name__, request=g.get("request_id"))
    answer = make_response(_page(AWAY, 503))
    answer.headers["Retry-After"] = "10"
    return answer


def _broken(error: Exception) -> ResponseReturnValue:
    # The trace tells where; its values may be personal and stay out of the log.
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where else ""
    log.error(
        "request failed", error=type(error).__name__, place=place, request=g.get("request_id")
    )
    return _page(BROKEN, 500)


def _page(said: Said, status: int) -> ResponseReturnValue:
    kind = request.path.startswith(CANDIDATE_PATHS)
    action = {} if kind else _way_on()
    page = render_template(
        "candidate/refused.html" if kind else "errors/refused.html",
        code=said.code,
        title=_(said.title),
        sentence=_(said.sentence),
        **action,
    )
    return make_response(page, status)


def _way_on() -> dict[str, str]:
    if current_user() is None:
        return {"action_url": url_for("sign_in.show"), "action": _("To the sign-in page")}
    return {"action_url": url_for("dashboard.show"), "action": _("To the home page")}
