"""Answers to referrals: accept, decline (one or many at once), and "already known" with dates.

Each stands behind a 確認画面 that says what happens. A decline asks for no reason and sends none.
"""

from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from marshmallow import Schema, fields

from node import forms, models
from node.refusals import Refusal, ValueInvalid
from node.services import ledger, referrals
from node.services.pages import PAGE_ROWS_MAX
from node.web.entrance import charter, node, require_role, user
from node.web.referrals import words
from node.web.referrals.received import offer_of

blueprint = Blueprint("referral_answers", __name__, url_prefix="/referrals/in")

ANSWERS = ("accept", "decline")
# No id of a stage is longer.
STAGE_CHARS_MAX = 40


class Known(Schema):
    """Since when, and when last: the evidence that goes to the referring company."""

    known_since = fields.Date(required=True)
    last_contact = fields.Date(required=True)
    confirmed = fields.String(load_default="")


KNOWN = Known()


@blueprint.get("/<referral_id>/accept")
@require_role("recruiter")
def confirm_accept(referral_id: str) -> ResponseReturnValue:
    """確認画面: the point that is promised, and the profile that follows."""
    return _confirm("accept", referral_id)


@blueprint.get("/<referral_id>/decline")
@require_role("recruiter")
def confirm_decline(referral_id: str) -> ResponseReturnValue:
    """確認画面: nothing but the answer is sent."""
    return _confirm("decline", referral_id)


def _confirm(answer: str, referral_id: str) -> ResponseReturnValue:
    with node().database.reading() as session:
        row = referrals.offered(session, referral_id)
        if row.state != "received":
            raise referrals.ReferralAnswered(row.state)
        starts = referrals.starts(session)
    return _confirmation(
        answer,
        [row],
        action=url_for(f"referral_answers.{answer}", referral_id=row.id),
        back=url_for("referrals_in.show", referral_id=row.id),
        starts=starts,
    )


def _confirmation(
    answer: str,
    rows: Sequence[models.ReferralIn],
    *,
    action: str,
    back: str,
    starts: Sequence[referrals.Stage] = (),
) -> ResponseReturnValue:
    here, alliance = node(), charter()
    assert alliance is not None, "referrals come from members"
    with here.database.reading() as session:
        position = ledger.position(session, here.context)
    return render_template(
        f"referrals/confirm_{answer}.html",
        offers=[offer_of(row) for row in rows],
        action=action,
        back=back,
        each=alliance.policy.points_per_referral,
        position=position,
        known_days=alliance.policy.answer_days,
        starts=[(each.id, words.stage_name(each)) for each in starts],
    )


@blueprint.post("/<referral_id>/accept")
@require_role("recruiter")
def accept(referral_id: str) -> ResponseReturnValue:
    """Promise the point; the profile comes by itself."""
    _give("accept", referral_id, start=request.form.get("start", "")[:STAGE_CHARS_MAX])
    with node().database.reading() as session:
        asks_first = referrals.asks_first(referrals.offered(session, referral_id))
    if asks_first:
        flash(
            _("The referral is accepted. The person is asked, then the profile comes."), "success"
        )
    else:
        flash(_("The referral is accepted. The profile arrives by itself."), "success")
    return redirect(url_for("referrals_in.show", referral_id=referral_id))


@blueprint.post("/<referral_id>/decline")
@require_role("recruiter")
def decline(referral_id: str) -> ResponseReturnValue:
    """Answer that we do not go on."""
    _give("decline", referral_id)
    flash(_("The referral is declined. The referring company and the person are told."), "success")
    return redirect(url_for("referrals_in.show", referral_id=referral_id))


def _give(answer: str, referral_id: str, **more: str) -> None:
    here = node()
    give: Callable[..., None] = referrals.accept if answer == "accept" else referrals.decline
    with here.database.transaction() as session:
        give(session, here.context, referral_id, user_id=user().id, **more)


@blueprint.post("/chosen")
@require_role("recruiter")
def choose() -> ResponseReturnValue:
    """確認画面 for everything that was ticked; what was answered meanwhile is left out."""
    answer, ids = _wish()
    with node().database.reading() as session:
        rows = [referrals.offered(session, each) for each in ids]
    waiting = [row for row in rows if row.state == "received"]
    if not waiting:
        flash(_("Nothing is chosen that still waits for an answer."), "warning")
        return redirect(url_for("referrals_in.listing"))
    return _confirmation(
        answer,
        waiting,
        action=url_for("referral_answers.answer_chosen"),
        back=url_for("referrals_in.listing"),
    )


@blueprint.post("/answers")
@require_role("recruiter")
def answer_chosen() -> ResponseReturnValue:
    """完了画面: each answer stands for itself, and one that cannot be given stops no other."""
    answer, ids = _wish()
    done, refused = 0, []
    for referral_id in ids:
        try:
            _give(answer, referral_id)
        except Refusal as refusal:
            refused.append((referral_id[:8], _(refusal.sentence())))
        else:
            done += 1
    return render_template("referrals/answered.html", answer=answer, done=done, refused=refused)


def _wish() -> tuple[str, list[str]]:
    answer = request.form.get("answer", "")
    ids = list(dict.fromkeys(request.form.getlist("chosen")))
    if answer not in ANSWERS or len(ids) > PAGE_ROWS_MAX:
        raise ValueInvalid(field="answer")
    return answer, ids


# --- Already known. ---


@blueprint.get("/<referral_id>/known")
@require_role("recruiter")
def known(referral_id: str) -> ResponseReturnValue:
    """The form for the dates."""
    return _known_page("known.html", referral_id)


@blueprint.post("/<referral_id>/known")
@require_role("recruiter")
def declare_known(referral_id: str) -> ResponseReturnValue:
    """Ask once more, then say it to the referring company."""
    values, form = forms.read(KNOWN, request.form, _)
    if form.errors:
        return _known_page("known.html", referral_id, form)
    since, last = values["known_since"].isoformat(), values["last_contact"].isoformat()
    here = node()
    try:
        if not values["confirmed"]:
            with here.database.reading() as session:
                row = referrals.offered(session, referral_id)
                referrals.check_known(session, here.context, row, since, last)
            return _known_page("confirm_known.html", referral_id, form, since=since, last=last)
        with here.database.transaction() as session:
            referrals.declare_known(
                session,
                here.context,
                referral_id,
                known_since=since,
                last_contact=last,
                user_id=user().id,
            )
    except referrals.KnownDateInvalid as refusal:
        form.errors["last_contact"] = _(refusal.sentence())
        return _known_page("known.html", referral_id, form)
    flash(_("The answer “already known” is on its way. The point comes back to you."), "success")
    return redirect(url_for("referrals_in.show", referral_id=referral_id))


def _known_page(
    template: str,
    referral_id: str,
    form: forms.Form | None = None,
    **more: Any,  # noqa: ANN401
) -> ResponseReturnValue:
    here, alliance = node(), charter()
    assert alliance is not None, "referrals come from members"
    with here.database.reading() as session:
        row = referrals.offered(session, referral_id)
        if row.state != "profile_received":
            raise referrals.ReferralNotAccepted(row.state)
        first = referrals.first_of(referrals.others_of(session, here.context, row))
    if form is None:
        day = here.context.day_of(first.created_at) if first is not None else ""
        form = forms.Form({"known_since": day, "last_contact": day})
    page = render_template(
        f"referrals/{template}",
        offer=offer_of(row),
        form=form,
        first=None if first is None else offer_of(first),
        policy=alliance.policy,
        **more,
    )
    return make_response(page, 422 if form.errors else 200)
