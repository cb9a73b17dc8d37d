"""The status page: how things stand with each company, reached by the link in the receipt."""

from __future__ import annotations

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue

from node.candidate import visit
from node.candidate.words import STAGES, sender_of
from node.services import consents, relays
from node.services.consents import ConsentNotThere

blueprint = Blueprint("candidate_status", __name__)


def speak_as_agreed() -> None:
    """Where nothing was chosen in this browser, speak the language in which was agreed."""
    here, token = visit.node(), str((request.view_args or {}).get("token", ""))
    with here.database.reading() as session:
        if (given := consents.given_by_token(session, token)) is not None:
            g.language_of_consent = given.language


@blueprint.get("/s/<token>")
def show(token: str) -> ResponseReturnValue:
    """One line for each company. Nothing is written, no name is shown."""
    here = visit.node()
    with here.database.reading() as session:
        sender = sender_of(session, here.context)
        try:
            status = consents.find_status(session, here.context, token)
        except ConsentNotThere:
            visit.limits().refuse_guessing(visit.address_here(), here.clock.monotonic())
            raise
        handed_on = relays.of_applicant(session, status.applicant_id) is not None
        return render_template(
            "candidate/status.html",
            sender=sender,
            status=status,
            handed_on=handed_on,
            token=token,
            stage_names=STAGES,
        )
