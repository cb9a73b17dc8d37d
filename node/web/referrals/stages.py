"""The stages of our selection: names of our own, each with the common stage that others see."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node.refusals import Refusal
from node.services import referrals
from node.services.referrals import Stage
from node.services.templates import lint
from node.web.entrance import node, require_role, user
from node.web.referrals import words

blueprint = Blueprint("referral_stages", __name__, url_prefix="/referrals/in/stages")

# Lines for new stages below those that are there.
EMPTY_LINES = 3


@blueprint.get("")
@require_role("admin", "recruiter")
def show() -> ResponseReturnValue:
    """The course as it stands; without one, the common stages to begin with."""
    with node().database.reading() as session:
        return _page([*referrals.course(session)])


@blueprint.post("")
@require_role("admin", "recruiter")
def write() -> ResponseReturnValue:
    """Set the course; a line without a name is taken out."""
    here, given = node(), _given()
    try:
        with here.database.transaction() as session:
            referrals.write_course(session, here.context, given, user_id=user().id)
    except Refusal as refusal:
        return _page(given, _(refusal.sentence()), refusal.status)
    flash(_("The stages have been saved."), "success")
    # Where a name asks for a second look, the page that says so comes first.
    unfair = any(lint.unfair(each.name) for each in given)
    return redirect(url_for("referral_stages.show" if unfair else "referral_board.show"))


def _given() -> list[Stage]:
    """The lines in the order that their numbers give; equal numbers stay as they stand."""
    lines = zip(
        request.form.getlist("id"),
        request.form.getlist("order"),
        request.form.getlist("name"),
        request.form.getlist("code"),
        strict=False,
    )
    found = []
    for id_, order, name, code in list(lines)[: referrals.STAGES_MAX + EMPTY_LINES]:
        if name.strip():
            place = int(order) if order.isascii() and order.isdigit() and len(order) < 4 else 999
            # The common stages that a course begins with have no row yet.
            found.append((place, Stage("" if id_ in referrals.CODES else id_, code, name.strip())))
    return [stage for _place, stage in sorted(found, key=lambda each: each[0])]


def _page(stages: list[Stage], said: str = "", status: int = 200) -> ResponseReturnValue:
    lines = [(each.id, each.name or words.stage(each.code), each.code) for each in stages]
    room = min(EMPTY_LINES, referrals.STAGES_MAX - len(lines))
    page = render_template(
        "referrals/stages.html",
        lines=lines + [("", "", "")] * room,
        codes=[(code, words.stage(code)) for code in referrals.CODES],
        name_chars=referrals.NAME_CHARS_MAX,
        said=said,
        remarks=[
            _(
                "Line %(line)s, “%(words)s”: %(sentence)s",
                line=number,
                words=one.words,
                sentence=_(one.sentence),
            )
            for number, (_id, name, _code) in enumerate(lines, 1)
            for one in lint.unfair(name)
        ],
    )
    return make_response(page, status)
