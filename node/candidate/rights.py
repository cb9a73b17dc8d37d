"""Rights: take a consent back, read what is held, have it erased, be left in peace.

Reached from the status page. Every step is a page that asks and a button that acts. To take back
needs the page's address alone; to read or to erase needs a code from the person's own mailbox.
"""

from __future__ import annotations

import json

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from node import forms
from node.candidate import codes, reading, visit
from node.candidate.words import sender_of
from node.services import consents, rights
from node.services.consents import CodeTooMany, CodeTooSoon, ConsentNotThere, Outcome, Status
from node.services.referrals import CorrectedTooOften
from protocol import Profile

blueprint = Blueprint("candidate_rights", __name__)


@blueprint.get("/s/<token>/withdraw")
def ask_withdraw(token: str) -> ResponseReturnValue:
    """Ask once: for one company, or for all."""
    here = visit.node()
    with here.database.reading() as session:
        status = _status(session, token)
        member = request.args.get("company", "")
        chosen = [
            each for each in status.partners if each.may_withdraw and member in ("", each.member.id)
        ]
        return render_template(
            "candidate/withdraw.html",
            sender=sender_of(session, here.context),
            token=token,
            member=member,
            chosen=chosen,
        )


@blueprint.post("/s/<token>/withdraw")
def withdraw(token: str) -> ResponseReturnValue:
    """Take it back; pressed twice, it is taken back once."""
    here = visit.node()
    with here.database.transaction() as session:
        _status(session, token)
        done = rights.withdraw(session, here.context, token, request.form.get("company", ""))
    if done:
        flash(
            _("Your consent is taken back. You can follow here what each company does."), "success"
        )
    return redirect(url_for("candidate_status.show", token=token))


@blueprint.get("/s/<token>/stop")
def ask_stop(token: str) -> ResponseReturnValue:
    """Ask once whether we should never write again."""
    return _plain("candidate/stop.html", token)


@blueprint.post("/s/<token>/stop")
def stop(token: str) -> ResponseReturnValue:
    """Honour 今後ご案内不要, for good."""
    here = visit.node()
    with here.database.transaction() as session:
        _status(session, token)
        rights.stop_contact(session, here.context, token)
    flash(_("Your wish is recorded: we will not write to you again about this."), "success")
    return redirect(url_for("candidate_status.show", token=token))


# --- Behind a code. ---


@blueprint.get("/s/<token>/data")
def data(token: str) -> ResponseReturnValue:
    """What we hold, field by field; before that, the code."""
    if not _is_proven(token):
        return _code_page(token)
    here = visit.node()
    with here.database.reading() as session:
        status = _status(session, token)
        if status.erased_at is not None:
            return redirect(url_for("candidate_status.show", token=token))
        copy = rights.copy_of(session, here.context, token)
        return render_template(
            "candidate/data.html",
            sender=sender_of(session, here.context),
            token=token,
            status=status,
            copy=copy,
            profile=reading.profile_sections(Profile.from_json(copy["consent"]["profile"])),
            item_list=lambda items: consents.item_list(_, items),
        )


@blueprint.get("/s/<token>/correct")
def ask_correct(token: str) -> ResponseReturnValue:
    """What the profile says, to be corrected."""
    if not _is_proven(token):
        return redirect(url_for("candidate_rights.data", token=token))
    return _correct_page(token)


@blueprint.post("/s/<token>/correct")
def correct(token: str) -> ResponseReturnValue:
    """Correct it here and at the companies that have it."""
    if not _is_proven(token):
        return redirect(url_for("candidate_rights.data", token=token))
    here = visit.node()
    values, form = forms.read(consents.CORRECTION, request.form, _)
    if form.errors:
        return _correct_page(token, form, 422)
    try:
        with here.database.transaction() as session:
            told = rights.correct(session, here.context, token, values)
    except CorrectedTooOften as error:
        return _correct_page(token, forms.Form(form.values, {"form": _(error.sentence())}), 429)
    flash(
        ngettext(
            "Corrected here, and sent to %(num)s company that has your profile.",
            "Corrected here, and sent to %(num)s companies that have your profile.",
            told,
        ),
        "success",
    )
    return redirect(url_for("candidate_rights.data", token=token))


def _correct_page(
    token: str, form: forms.Form | None = None, status: int = 200
) -> ResponseReturnValue:
    here = visit.node()
    with here.database.reading() as session:
        if _status(session, token).erased_at is not None:
            return redirect(url_for("candidate_status.show", token=token))
        page = render_template(
            "candidate/correct.html",
            sender=sender_of(session, here.context),
            token=token,
            form=form or forms.Form(rights.facts_of(session, here.context, token)),
        )
    return make_response(page, status)


@blueprint.get("/s/<token>/data.json")
def download(token: str) -> ResponseReturnValue:
    """The same as a file for programs."""
    if not _is_proven(token):
        return redirect(url_for("candidate_rights.data", token=token))
    here = visit.node()
    with here.database.reading() as session:
        copy = rights.copy_of(session, here.context, token)
    answer = make_response(json.dumps(copy, ensure_ascii=False, indent=2, sort_keys=True))
    answer.content_type = "application/json; charset=utf-8"
    answer.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return answer


@blueprint.post("/s/<token>/code/send")
def send_code(token: str) -> ResponseReturnValue:
    """Mail a code; asked for twice in a row, the first one stands."""
    here = visit.node()
    try:
        with here.database.transaction() as session:
            _status(session, token)
            rights.send_code(session, here.context, token, visit.spoken())
    except CodeTooSoon:
        flash(_("A code is on its way already. Please look into your mailbox."), "info")
    except CodeTooMany as error:
        return _code_page(token, forms.Form({}, {"form": _(error.sentence())}), error.status)
    else:
        flash(_("The code has been sent. It arrives within a minute or two."), "success")
    return redirect(url_for("candidate_rights.data", token=token))


@blueprint.post("/s/<token>/code")
def check_code(token: str) -> ResponseReturnValue:
    """Judge the code that was typed."""
    here, typed = visit.node(), codes.typed()
    if not typed:
        return _code_page(token, forms.Form({}, {"code": codes.not_six()}), 422)
    with here.database.transaction() as session:
        _status(session, token)
        outcome, left = rights.check_code(session, here.context, token, typed)
        link_id = rights.consent_of(session, token).link_id
    if outcome is Outcome.RIGHT:
        visit.begin(link_id)
        visit.verify()
        return redirect(url_for("candidate_rights.data", token=token))
    return _code_page(token, forms.Form({}, {"code": codes.said(outcome, left)}), 422)


@blueprint.get("/s/<token>/erase")
def ask_erase(token: str) -> ResponseReturnValue:
    """Ask once: what goes, and what the law lets nobody erase."""
    if not _is_proven(token):
        return redirect(url_for("candidate_rights.data", token=token))
    return _plain("candidate/erase.html", token)


@blueprint.post("/s/<token>/erase")
def erase(token: str) -> ResponseReturnValue:
    """Erase everything; pressed twice, it is erased once."""
    if not _is_proven(token):
        return redirect(url_for("candidate_rights.data", token=token))
    here = visit.node()
    with here.database.transaction() as session:
        rights.erase(session, here.context, token)
    visit.end()
    return redirect(url_for("candidate_status.show", token=token))


def _status(session: Session, token: str) -> Status:
    """The status that the token opens; tries that find nothing are counted."""
    here = visit.node()
    try:
        return consents.find_status(session, here.context, token)
    except ConsentNotThere:
        visit.limits().refuse_guessing(visit.address_here(), here.clock.monotonic())
        raise


def _is_proven(token: str) -> bool:
    """Whether this browser proved the mailbox of the person whose page it is."""
    here = visit.node()
    with here.database.reading() as session:
        _status(session, token)
        link_id = rights.consent_of(session, token).link_id
    return visit.is_verified(link_id)


def _plain(template: str, token: str) -> ResponseReturnValue:
    here = visit.node()
    with here.database.reading() as session:
        status = _status(session, token)
        sender = sender_of(session, here.context)
        return render_template(template, sender=sender, token=token, status=status)


def _code_page(
    token: str, form: forms.Form | None = None, status: int = 200
) -> ResponseReturnValue:
    here = visit.node()
    with here.database.reading() as session:
        _status(session, token)
        link_id = rights.consent_of(session, token).link_id
        mailbox = rights.mailbox(session, here.context, token)
        page = render_template(
            "candidate/data_code.html",
            sender=sender_of(session, here.context),
            token=token,
            mailbox=mailbox and codes.masked(mailbox),
            under_way=consents.is_under_way(session, here.context, link_id),
            form=form or forms.Form(),
        )
    return make_response(page, status)
