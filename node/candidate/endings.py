"""Endings: what a page answers when the way does not go on from here.

Each says what happened, that nothing was lost or sent by it, and whom to ask.
"""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node.candidate import visit
from node.candidate.words import sender_of
from node.i18n import later
from node.refusals import Refusal
from node.services import links
from node.services.charter import NotFounded
from node.services.consents import ConsentGiven, ConsentNotThere, LinkNotForYou

# Code -> title and what to do, in the order of how often they happen.
TEXTS = {
    links.LinkUsed.code: (
        later("You have used this link already"),
        later(
            "How things stand with what you agreed to is shown on your own page: please open the "
            "address in the receipt that we sent you by mail."
        ),
    ),
    links.LinkExpired.code: (
        later("This link is no longer valid"),
        later(
            "Its time has run out. Nothing was passed on to anybody, and there is nothing you "
            "have to do. If you would still like to use it, please write to us."
        ),
    ),
    links.LinkUnknown.code: (
        later("We cannot find this link"),
        later(
            "Perhaps it was cut off when it was copied. Please open it once more from the mail "
            "you received, in its full length."
        ),
    ),
    links.LinkRevoked.code: (
        later("This link is closed"),
        later("It is no longer in use, and nothing was passed on to anybody."),
    ),
    LinkNotForYou.code: (
        later("This link cannot be used"),
        later("Nothing was passed on to anybody. If you would like to know more, please ask us."),
    ),
    ConsentNotThere.code: (
        later("Please open the link in our mail once more"),
        later(
            "This page is opened by the address in our mail. What you entered before is kept, "
            "and you can go on where you were."
        ),
    ),
}


# Where nobody has begun anything: the address of a status page is wrong.
STATUS_ROOMS = ("candidate_status.", "candidate_interest.", "candidate_rights.")
NO_STATUS = (
    later("We cannot find this page"),
    later(
        "Perhaps the address was cut off when it was copied. Please open it once more from the "
        "receipt that we sent you by mail, in its full length."
    ),
)


def install(room: Blueprint) -> None:
    """Answer these refusals kindly in every view of `room`."""
    for code_of in (
        links.LinkUsed,
        links.LinkExpired,
        links.LinkUnknown,
        links.LinkRevoked,
        LinkNotForYou,
        ConsentNotThere,
    ):
        room.register_error_handler(code_of, show)
    room.register_error_handler(ConsentGiven, _given)


def show(error: Refusal) -> ResponseReturnValue:
    """The page for one of `TEXTS`."""
    title, sentence = TEXTS[error.code]
    if isinstance(error, ConsentNotThere) and (request.endpoint or "").startswith(STATUS_ROOMS):
        title, sentence = NO_STATUS
    here = visit.node()
    with here.database.reading() as session:
        try:
            sender = sender_of(session, here.context)
        except NotFounded:
            # Nobody has a link of a company that belongs to no alliance yet.
            sender = None
        page = render_template(
            "candidate/ended.html",
            sender=sender,
            title=_(title),
            sentence=_(sentence),
            code=error.code,
        )
    return make_response(page, error.status)


def _given(_error: Refusal) -> ResponseReturnValue:
    """Back from the last page: what is done is done, and shown."""
    return redirect(url_for("candidate_agreement.done"))
