"""The rule for automatic acceptance: which cards, and how many a month at most."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from marshmallow import Schema, fields, validate

from node import forms
from node.services import ledger, referrals, users
from node.services.applicants import PREFECTURES
from node.web.entrance import charter, node, require_role, user
from node.web.prefectures import prefecture
from node.web.referrals.words import APPLICANT_TYPES, applicant_type

blueprint = Blueprint("referral_rule", __name__, url_prefix="/referrals/rule")

CAP_MAX = 1000
_CAP = validate.Range(1, CAP_MAX, error=lazy_gettext("Enter a number from 1 to 1000."))


class Rule(Schema):
    """What an administrator or recruiter sets; nothing ticked means any."""

    active = fields.String(load_default="")
    monthly_cap = fields.Integer(required=True, validate=_CAP)
    applicant_types = fields.List(fields.String(validate=validate.OneOf(list(APPLICANT_TYPES))))
    regions = fields.List(fields.String(validate=validate.OneOf(list(PREFECTURES))))


RULE = Rule()


@blueprint.get("")
@require_role("recruiter", "approver")
def show() -> ResponseReturnValue:
    """The rule as it stands, and how far the month has come."""
    with node().database.reading() as session:
        found = referrals.rule(session)
    if found is None:
        return _page(forms.Form({"monthly_cap": "10"}))
    values = {
        "active": "yes" if found.active else "",
        "monthly_cap": str(found.monthly_cap),
        "applicant_types": [one for one in found.applicant_types.split(",") if one],
        "regions": [one for one in found.regions.split(",") if one],
    }
    return _page(forms.Form(values))


@blueprint.post("")
@require_role("recruiter")
def write() -> ResponseReturnValue:
    """Set the rule; it counts from the next card on."""
    values, form = forms.read(RULE, request.form, _)
    if form.errors:
        return _page(form)
    here = node()
    with here.database.transaction() as session:
        referrals.write_rule(
            session,
            here.context,
            active=values["active"] == "yes",
            monthly_cap=values["monthly_cap"],
            applicant_types=tuple(values["applicant_types"]),
            regions=tuple(values["regions"]),
            user_id=user().id,
        )
    flash(_("The rule has been saved. It applies to referrals that arrive from now on."), "success")
    return redirect(url_for("referral_rule.show"))


def _page(form: forms.Form) -> ResponseReturnValue:
    here, alliance = node(), charter()
    with here.database.reading() as session:
        found = referrals.rule(session)
        used = referrals.accepted_this_month(session, here.context)
        writer = users.names(session).get(found.updated_by, "") if found else ""
        position = ledger.position(session, here.context) if alliance else None
    page = render_template(
        "referrals/rule.html",
        form=form,
        rule=found,
        used=used,
        writer=writer,
        position=position,
        each=alliance.policy.points_per_referral if alliance else 1,
        types=[(code, applicant_type(code)) for code in APPLICANT_TYPES],
        prefectures=[(code, prefecture(code)) for code in PREFECTURES],
        may_write=user().may("recruiter"),
    )
    return make_response(page, 422 if form.errors else 200)
