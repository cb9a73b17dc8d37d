"""Interest: a company would like to go on, and the person says whether the profile may be sent.

Asked on the status page, where the mail leads. Like taking back, it needs the page's address alone.
"""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node.candidate import visit
from node.refusals import ValueInvalid
from node.services import interest
from node.services.consents import ConsentNotThere

blueprint = Blueprint("candidate_interest", __name__)


@blueprint.post("/s/<token>/interest")
def answer(token: str) -> ResponseReturnValue:
    """Send the profile, or let it stay here; pressed twice, it is answered once."""
    here, company = visit.node(), request.form.get("company", "")
    said = request.form.get("answer", "")
    if said not in ("yes", "no"):
        raise ValueInvalid(field="answer")
    yes = said == "yes"
    try:
        with here.database.transaction() as session:
            done = interest.answer(session, here.context, token, company, yes=yes)
    except ConsentNotThere:
        visit.limits().refuse_guessing(visit.address_here(), here.clock.monotonic())
        raise
    if not done:
        flash(_("This question is answered already, or its time is over."), "info")
    elif yes:
        flash(_("Your profile is on its way to the company."), "success")
    else:
        flash(_("Your profile is not sent. The company is asked to erase the summary."), "success")
    return redirect(url_for("candidate_status.show", token=token))
