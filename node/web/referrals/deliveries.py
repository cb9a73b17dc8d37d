"""The delivery of each letter about a referral, for people: how far, next try, last error."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from node.context import Context
from node.services import membership
from node.services.membership import PeerView
from node.services.outbox import OutboxView
from node.web.error_words import error_words
from node.web.filters import moment
from node.web.marks import Mark
from node.web.referrals import words


@dataclass(frozen=True, slots=True)
class Delivery:
    """One letter on its way to a peer."""

    view: OutboxView
    title: str
    mark: Mark
    remarks: list[str]


def of(
    session: Session, context: Context, member: str, views: Sequence[OutboxView]
) -> list[Delivery]:
    """The deliveries of `views` to a peer, with what is known of the peer."""
    peers = {each.member: each for each in membership.peers(session, context)}
    return [
        Delivery(
            view,
            words.letter(view.kind),
            words.DELIVERY_STATES[view.state],
            _remarks(context, view, peers.get(member)),
        )
        for view in views
    ]


def _remarks(context: Context, view: OutboxView, peer: PeerView | None) -> list[str]:
    remarks = []
    if view.state == "delivered":
        remarks.append(_("Receipt of %(at)s", at=moment(view.delivered_at)))
    if view.state == "queued":
        stopped = peer.stopped_code if peer else None
        if stopped:
            remarks.append(
                _("Sending to this company is stopped: %(why)s", why=error_words(stopped))
            )
        else:
            due = max(view.next_attempt_at, peer.next_attempt_at if peer else 0)
            soon = due <= context.now()
            at = _("in a moment") if soon else moment(due)
            remarks.append(_("Next try: %(at)s", at=at))
        if view.attempts:
            remarks.append(ngettext("%(num)s try so far", "%(num)s tries so far", view.attempts))
    if view.state in ("queued", "refused") and view.error_code:
        remarks.append(_("Last error: %(words)s", words=error_words(view.error_code)))
    if view.state == "cancelled" and view.error_code:
        remarks.append(error_words(view.error_code))
    return remarks
