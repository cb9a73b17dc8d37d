"""The selection of a person who was referred to us: the profile, the PDF, the stages."""

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node import virus_scanner
from node.refusals import Refusal
from node.services import consents, referrals
from node.services.applicants.normalisation import shown_phone
from node.web.entrance import node, require_role, user
from node.web.prefectures import prefecture
from node.web.referrals import words
from node.web.referrals.received import offer_of

blueprint = Blueprint("referral_selection", __name__, url_prefix="/referrals/in")


@blueprint.get("/<referral_id>/profile")
@require_role("recruiter", "approver")
def profile(referral_id: str) -> ResponseReturnValue:
    """The profile; that somebody looked is written down, and the page says so."""
    here = node()
    with here.database.transaction() as session:
        row = referrals.offered(session, referral_id)
        opened = referrals.open_profile(session, here.context, row, user_id=user().id)
    content: dict[str, Any] = opened.content
    japan = content.get("x-jp", {})
    return render_template(
        "referrals/profile.html",
        offer=offer_of(row),
        profile=content,
        japan=japan,
        phone=shown_phone(content["basics"].get("phone", "")),
        kind=words.applicant_type(japan.get("applicantType", "")),
        reached=words.stage(japan.get("reachedStage")),
        occupations=[words.occupation(each) for each in japan.get("desiredOccupation", ())],
        fluency=words.fluency,
        tongue=words.language_name,
        wishes=[prefecture(code) for code in japan.get("desiredRegions", ())],
        opened_at=here.context.now(),
    )


@blueprint.get("/<referral_id>/resume.pdf")
@require_role("recruiter", "approver")
def resume(referral_id: str) -> Response:
    """The PDF as a download; a file from outside is never shown inside our pages."""
    here = node()
    with here.database.transaction() as session:
        row = referrals.offered(session, referral_id)
        content = referrals.open_resume(session, here.context, row, user_id=user().id)
    # Their node checked it, if it is as honest as ours.
    try:
        consents.check_resume(content)
    except Refusal as refusal:
        raise referrals.ResumeUnsafe(refusal.code) from refusal
    virus_scanner.look_at(here.settings, content)
    answer = Response(content, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="resume-{row.id[:8]}.pdf"'
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


@blueprint.get("/<referral_id>/end/<stage>")
@require_role("recruiter")
def confirm_end(referral_id: str, stage: str) -> ResponseReturnValue:
    """確認画面 for the two stages that end a selection."""
    if stage not in referrals.ENDS:
        raise referrals.StageUnknown(stage)
    with node().database.reading() as session:
        row = referrals.offered(session, referral_id)
    if row.state != "profile_received":
        raise referrals.ReferralNotAccepted(row.state)
    return render_template(
        "referrals/confirm_end.html", offer=offer_of(row), stage=stage, word=words.stage(stage)
    )


@blueprint.post("/<referral_id>/stage")
@require_role("recruiter")
def move(referral_id: str) -> ResponseReturnValue:
    """Move on to a stage; the referring company hears its name and nothing else."""
    here, stage = node(), request.form.get("stage", "")
    with here.database.transaction() as session:
        referrals.move(session, here.context, referral_id, stage, user_id=user().id)
        course = {each.id: words.stage_name(each) for each in referrals.course(session)}
    name = course.get(stage) or words.stage(stage)
    flash(_("The stage is now: %(stage)s", stage=name), "success")
    if request.form.get("back") == "board":
        return redirect(url_for("referral_board.show"))
    return redirect(url_for("referrals_in.show", referral_id=referral_id))
