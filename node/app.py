"""The application: wires entrances, languages, security and static files; the only place that does.

`create_app(node)` is all a server needs; `node/wsgi.py` and the tests call it.
"""

import hashlib
import secrets
from functools import cache
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import IO
from urllib.parse import urlencode

from flask import Flask, Request, Response, current_app, g, request, url_for
from flask_babel import Babel, Domain, get_locale
from flask_wtf.csrf import CSRFProtect
from jinja2 import FileSystemLoader, StrictUndefined

from node import candidate, joining, peer, web
from node.allowance import SHARE, Share
from node.candidate import unsubscribing
from node.i18n import (
    APPLICANT_LANGUAGES,
    DEFAULT_LANGUAGE,
    LANGUAGES,
    language_of,
    locale_of,
    tag_of,
    translations,
)
from node.installation import Node
from node.refusals import ValueInvalid
from node.web import entrance, menu, refusals
from node.web.filters import FILTERS
from node.web.sign_in import LANGUAGE_COOKIE

STATIC = Path(web.__file__).parent / "static"
TEMPLATES = [Path(room.__file__ or "").parent / "templates" for room in (web, candidate)]
FORM_BYTES_MAX = 1024 * 1024  # an ordinary form; views that take files say so themselves
STATIC_AGE_S = 365 * 24 * 3600  # its address names its content

# Nothing from elsewhere, nothing inline, nobody frames us. ASVS 3.4.3.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # A private link stands in the address: no other site may learn it.
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}


class InMemory(Request):
    """A request whose files never touch the disk: what people bring holds personal data."""

    def _get_file_stream(self, *_: object, **__: object) -> IO[bytes]:
        # At most what `forms.body_bytes_max` allows the view.
        return BytesIO()


def create_app(node: Node, *, share: Share = SHARE) -> Flask:
    """Everything a node shows and answers, on the given node; `share` is what a peer may fill."""
    app = Flask("node", static_folder=str(STATIC), static_url_path="/static", template_folder=None)
    app.request_class = InMemory
    app.extensions["tasuki"] = node
    https = node.settings.public_url.startswith("https://")
    page_cookie = f"tasuki-page-{node.settings.member_id or 'node'}"
    app.config.update(
        SECRET_KEY=node.keyring.session_secret,
        MAX_CONTENT_LENGTH=FORM_BYTES_MAX,
        SESSION_COOKIE_NAME=f"__Host-{page_cookie}" if https else page_cookie,
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session it is bound to
        WTF_CSRF_SSL_STRICT=False,  # it reads Referer, which we forbid; the token suffices
    )
    app.before_request(_number_request)
    app.before_request(entrance.recognise)
    app.before_request(_allow_body)
    app.before_request(_refuse_unstorable)
    csrf = CSRFProtect(app)
    csrf.exempt(peer.blueprint)  # peers sign every request
    csrf.exempt(joining.blueprint)  # nobody is signed in there, and the body proves itself
    csrf.exempt(unsubscribing.stop)  # mail providers press it, who have seen no page
    app.after_request(_secure)
    _speak(app)
    _furnish_templates(app)
    refusals.install(app)

    for blueprint in (*web.BLUEPRINTS, *candidate.BLUEPRINTS):
        app.register_blueprint(blueprint)
    app.register_blueprint(peer.blueprint, share=share)
    app.register_blueprint(joining.blueprint)
    return app


def _number_request() -> None:
    """A number for people to quote and for the log; it says nothing about them."""
    g.request_id = secrets.token_hex(6)


def _allow_body() -> None:
    """Some views take files; only they may be sent more than a form (see forms.body_bytes_max).

    Where a sign-in is asked for, strangers may not fill the memory before they are sent away.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    limit = getattr(view, "body_bytes_max", None)
    for_users = hasattr(view, "required_roles")
    if limit is not None and (not for_users or entrance.current_user() is not None):
        request.max_content_length = limit


def _refuse_unstorable() -> None:
    """Nobody types NUL, and no text column of PostgreSQL takes it: said once, for every page."""
    if request.blueprint in (peer.blueprint.name, joining.blueprint.name):
        return
    fields = (request.args, request.form)
    texts = [text for field in fields for pair in field.items(multi=True) for text in pair]
    # A link's token is held against its pattern before anything else, and answered kindly.
    texts += [str(part) for name, part in (request.view_args or {}).items() if name != "token"]
    if any("\0" in text for text in texts):
        raise ValueInvalid


def _secure(answer: Response) -> Response:
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    if entrance.is_https():
        answer.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint == "static" and "v" in request.args and answer.status_code < 400:
        answer.headers["Cache-Control"] = f"public, max-age={STATIC_AGE_S}, immutable"
    elif request.endpoint != "static":
        # Pages hold personal data, and a shared computer keeps what it may. ASVS 14.3.2.
        answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Request-Id"] = g.get("request_id", "")
    return answer


def _speak(app: Flask) -> None:
    """Pages in the language of the switch; Japanese until somebody chose."""
    babel = Babel(
        app, default_locale=DEFAULT_LANGUAGE, locale_selector=lambda: locale_of(language())
    )
    domain = Domain()
    # Flask-Babel would look for compiled catalogues; ours are the .po files themselves.
    domain.get_translations = lambda: translations(language_of(get_locale()))
    babel.domain_instance = domain


def language() -> str:
    """The language of this request: chosen here, or with a consent, or as a user."""
    who = entrance.current_user()
    wanted = (
        request.cookies.get(LANGUAGE_COOKIE),
        g.get("language_of_consent"),
        who.locale if who else None,
    )
    return next((each for each in wanted if each in offered()), DEFAULT_LANGUAGE)


def offered() -> dict[str, str]:
    """The languages of the switch on this page."""
    is_applicants = request.path.startswith(refusals.CANDIDATE_PATHS)
    return APPLICANT_LANGUAGES if is_applicants else LANGUAGES


def _furnish_templates(app: Flask) -> None:
    """What every template and macro may call; globals, because macros see nothing else."""
    app.jinja_loader = FileSystemLoader(TEMPLATES)
    environment = app.jinja_env
    environment.undefined = StrictUndefined  # a misspelt name is an error, not a gap
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters.update(FILTERS)
    environment.globals.update(
        asset=asset,
        company_name=entrance.company_name,
        current_user=entrance.current_user,
        here=lambda: request.full_path.rstrip("?") if request.method == "GET" else request.path,
        language=language,
        languages=lambda: offered().items(),
        language_tag=tag_of,
        menu=menu.menu,
        request_id=lambda: g.get("request_id", ""),
        role_name=menu.role_name,
        version=lambda: version("tasuki"),
    )


def asset(name: str) -> str:
    """The address of a static file; it changes with the content, so that browsers may keep it."""
    return f"{url_for('static', filename=name)}?{urlencode({'v': _fingerprint(name)})}"


@cache
def _fingerprint(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
