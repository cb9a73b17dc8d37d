"""Unsubscribing: what the mail program's own button does, and the page behind it.  RFC 8058.

The address stands in the header of every mail with a private link. Mail providers POST to it on
their user's behalf, without a browser: what proves them is the address alone, which does nothing
else. Scanners and people open it: they get a page with one button, and nothing has changed.
"""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from node import models
from node.candidate import visit
from node.candidate.words import sender_of
from node.services import consents, links

blueprint = Blueprint("candidate_unsubscribing", __name__)

# RFC 8058 3.1: what whoever means it sends, and no scanner that only follows addresses.
FIELD, MEANT = "List-Unsubscribe", "One-Click"


@blueprint.get("/l/<token>/stop")
def ask(token: str) -> ResponseReturnValue:
    """Ask once; who has been there already reads that it is done."""
    here = visit.node()
    with here.database.reading() as session:
        link = _find(session, token)
        return _page(session, token, link)


@blueprint.post("/l/<token>/stop")
def stop(token: str) -> ResponseReturnValue:
    """Honour it for good; sent again, it answers the same. No form's token: nobody is visiting."""
    here = visit.node()
    with here.database.transaction() as session:
        link = _find(session, token, lock=True)
        if request.form.get(FIELD) == MEANT:
            consents.refuse_contact(session, here.context, link)
            session.flush()
        return _page(session, token, link)


def _page(session: Session, token: str, link: models.Link) -> str:
    """What was asked for is done, or it is asked."""
    context = visit.node().context
    sender = sender_of(session, context)
    if consents.has_refused_contact(session, context, link):
        agreed = link.used_at is not None
        return render_template("candidate/stopped.html", sender=sender, agreed=agreed)
    return render_template(
        "candidate/unsubscribe.html", sender=sender, token=token, field=FIELD, meant=MEANT
    )


def _find(session: Session, token: str, *, lock: bool = False) -> models.Link:
    """The link whose mail bore the token; tries that find nothing are counted."""
    here = visit.node()
    try:
        return links.find_stop(session, here.context, token, lock=lock)
    except links.LinkUnknown:
        visit.limits().refuse_guessing(visit.address_here(), here.clock.monotonic())
        raise
