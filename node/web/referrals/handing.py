"""Handing on: a person we did not hire becomes an applicant of ours, who is asked.  DOMAIN 3.7.

The page says beforehand what happens and what does not: nothing is sent by pressing the button.
"""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node.services import referrals, relays
from node.web.entrance import node, require_role, user
from node.web.referrals.received import offer_of

blueprint = Blueprint("referral_handing", __name__, url_prefix="/referrals/in")


@blueprint.get("/<referral_id>/hand-on")
@require_role("recruiter")
def confirm(referral_id: str) -> ResponseReturnValue:
    """確認画面: the person is asked first, and nothing is sent by this."""
    with node().database.reading() as session:
        row = referrals.offered(session, referral_id)
        made = relays.made_by(session, row.id)
    if made is not None:
        return redirect(url_for("applicants.detail", applicant_id=made))
    relays.check(row)
    return render_template("referrals/confirm_hand_on.html", offer=offer_of(row))


@blueprint.post("/<referral_id>/hand-on")
@require_role("recruiter")
def hand_on(referral_id: str) -> ResponseReturnValue:
    """Make the applicant, once; the notice with the private link is prepared as for all others."""
    here = node()
    with here.database.transaction() as session:
        made = relays.hand_on(session, here.context, referral_id, user_id=user().id)
    said = _(
        "The person is in your list of applicants now. Send the notice with the private link; "
        "there is a template for those who were passed on by another company."
    )
    flash(said, "success")
    return redirect(url_for("applicants.detail", applicant_id=made))
