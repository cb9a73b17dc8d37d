"""Signing in and out, and the language of the pages."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask import session as browser
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from marshmallow import Schema, fields
from werkzeug import Response

from node import forms
from node.i18n import APPLICANT_LANGUAGES
from node.services import sessions, users
from node.web.entrance import (
    client_address,
    cookie_name,
    current_user,
    is_https,
    local_path,
    node,
)

blueprint = Blueprint("sign_in", __name__)

LANGUAGE_COOKIE = "lang"
LANGUAGE_COOKIE_S = 365 * 24 * 3600
MARKS_CHARS_MAX = 100  # ours have 45; a browser that says more says nothing


class SignIn(Schema):
    """Login and password; nothing about them is judged here."""

    login = fields.String(required=True)
    password = fields.String(required=True)


SIGN_IN = SignIn()


@blueprint.get("/sign-in")
def show() -> ResponseReturnValue:
    """The form; who is signed in already goes on."""
    if current_user() is not None:
        return redirect(local_path(request.args.get("next", "")))
    return _page(forms.Form(), request.args.get("next", ""), 200)


@blueprint.post("/sign-in")
def sign_in() -> ResponseReturnValue:
    """Check the password, unless this login or this address has tried too often."""
    asked = request.form.get("next", "")
    values, form = forms.read(SIGN_IN, request.form, _)
    if form.errors:
        return _page(form, asked, 422)
    # The password keeps its blanks: it is compared, not read.
    login, password, here = values["login"], request.form["password"], node()
    attempt = sessions.Attempt(login, client_address(), _mark())

    with here.database.reading() as session:
        wait_s = sessions.wait_s(session, here.context, attempt)
        candidate = sessions.candidate_for(session, login)
    if wait_s:
        minutes = -(-wait_s // 60)
        form.errors["form"] = _(
            "Too many attempts. Please wait %(minutes)s minutes and try again.", minutes=minutes
        )
        return _page(form, asked, 429, {"Retry-After": str(wait_s)})
    if candidate is None or not users.password_is_right(candidate, password):
        if candidate is None:
            users.password_is_right(None, password)
        with here.database.transaction() as session:
            sessions.record_failure(session, here.context, attempt)
        form.errors["form"] = _("The user name or the password is not right.")
        return _page(form, asked, 422)
    with here.database.transaction() as session:
        sessions.forget_failures(session, here.context, attempt)
        token = sessions.open_session(session, here.context, candidate)

    # Nothing from before the sign-in stays, so that no one can have prepared it (ASVS 7.2.4).
    browser.clear()
    answer = redirect(local_path(asked))
    _set_token(answer, token)
    _set_mark(answer, sessions.mark_for(here.context, candidate.login))
    if request.cookies.get(LANGUAGE_COOKIE) is None:
        _set_language(answer, candidate.locale)
    return answer


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session here and in the store: the token is worth nothing afterwards."""
    here = node()
    if token := request.cookies.get(cookie_name()):
        with here.database.transaction() as session:
            sessions.close_session(session, here.context, token)
    browser.clear()
    flash(_("You are signed out."), "success")
    answer = redirect(url_for("sign_in.show"))
    answer.delete_cookie(cookie_name(), path="/", secure=is_https(), httponly=True, samesite="Lax")
    return answer


@blueprint.post("/language")
def language() -> ResponseReturnValue:
    """Change the language and come back to the page."""
    answer = redirect(local_path(request.form.get("back", "")))
    wanted = request.form.get("language", "")
    if wanted in APPLICANT_LANGUAGES:
        _set_language(answer, wanted)
        who = current_user()
        if who is not None and who.locale != wanted:
            # What is written to a person is in the language that they read here.
            with node().database.transaction() as session:
                users.speak(session, who.id, wanted)
    return answer


def _page(
    form: forms.Form, asked: str, status: int, headers: dict[str, str] | None = None
) -> ResponseReturnValue:
    page = render_template("sign_in/show.html", form=form, next_url=asked)
    return make_response(page, status, headers or {})


def _set_token(answer: Response, token: str) -> None:
    # No max-age: the cookie goes with the browser, the session by its own clock.
    answer.set_cookie(
        cookie_name(), token, path="/", secure=is_https(), httponly=True, samesite="Lax"
    )


def _mark_name() -> str:
    return f"{cookie_name()}-known"


def _mark() -> str:
    mark = request.cookies.get(_mark_name(), "")
    return mark if len(mark) <= MARKS_CHARS_MAX and mark.isascii() else ""


def _set_mark(answer: Response, mark: str) -> None:
    answer.set_cookie(
        _mark_name(),
        mark,
        max_age=sessions.BROWSER_KNOWN_S,
        path="/",
        secure=is_https(),
        httponly=True,
        samesite="Lax",
    )


def _set_language(answer: Response, wanted: str) -> None:
    answer.set_cookie(
        LANGUAGE_COOKIE,
        wanted,
        max_age=LANGUAGE_COOKIE_S,
        path="/",
        secure=is_https(),
        httponly=True,
        samesite="Lax",
    )
