"""Peers: how every other member's node stands, what waits for it; the charter in force.  PEER 5."""

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node.greeting import greet
from node.i18n import later
from node.refusals import NotThere
from node.services import charter as charters
from node.services import measures, membership, outbox
from node.services.membership import PeerView
from node.services.outbox import OutboxView
from node.web.entrance import charter, company_name, node, require_role, user
from node.web.error_words import error_words
from node.web.marks import Mark
from node.web.referrals import words
from protocol import Charter, Member, fingerprint

blueprint = Blueprint("peers", __name__, url_prefix="/peers")

STATES = {
    "well": Mark("success", None, later("Connected")),
    "failing": Mark("warning", None, later("Trouble")),
    "waiting": Mark("danger", "wifi-off", later("Not reachable")),
    "stopped": Mark("warning", "pause-circle", later("Sending stopped")),
    "blocked": Mark("danger", "slash-circle", later("Blocked")),
    "suspended": Mark("warning", "slash-circle", later("Suspended")),
    "silent": Mark("neutral", "hourglass-split", later("No contact yet")),
}
REDEMPTION = {
    "mutual": later("For people referred by any member"),
    "agency": later("Only for people referred by a licensed agency"),
    "none": later("Not possible"),
}
# Beyond this, requests are refused (protocol.limits.CLOCK_SKEW_S_MAX); said before it hurts.
SKEW_WARNS_S = 10


@dataclass(frozen=True, slots=True)
class Line:
    """One peer as the pages show it."""

    view: PeerView
    mark: Mark
    error: str
    next_at: int | None

    @property
    def skew_warns(self) -> bool:
        return abs(self.view.skew_s or 0) >= SKEW_WARNS_S


@blueprint.get("")
@require_role("admin")
def listing() -> ResponseReturnValue:
    """Every peer in one table, and the charter below it."""
    here, alliance = node(), charter()
    if alliance is None:
        raise charters.NotFounded
    with here.database.reading() as session:
        views = membership.peers(session, here.context)
        suspensions = measures.views(session, here.context)
    today = here.context.day_of(here.context.now())
    return render_template(
        "peers/list.html",
        lines=[_line(view) for view in views],
        charter=alliance,
        licences={m.id: _licences(m, today) for m in alliance.members},
        us=here.settings.member_id,
        redemption=REDEMPTION,
        suspensions=[
            (each, _(", ").join(company_name(signer) for signer in each.signers))
            for each in suspensions
        ],
    )


def _line(view: PeerView) -> Line:
    error = error_words(view.stopped_code or view.last_error_code)
    waits = view.queued and not view.stopped_code
    soonest = max(view.next_attempt_at, view.suspended_until or 0, node().context.now())
    return Line(view, STATES[view.connection], error, soonest if waits else None)


def _licences(member: Member, today: str) -> list[tuple[str, str, bool]]:
    return [(each.number, each.valid_until, each.valid_until >= today) for each in member.licences]


@blueprint.get("/<member>")
@require_role("admin")
def show(member: str) -> ResponseReturnValue:
    """One peer: state, clock, queue, keys to compare, and what can be done."""
    here, (alliance, view, troubled) = node(), _find(member)
    found = alliance.member(member)
    today = here.context.day_of(here.context.now())
    return render_template(
        "peers/show.html",
        line=_line(view),
        member=found,
        licences=_licences(found, today),
        fingerprints=[
            (_("Identity key"), fingerprint(found.identity_key)),
            (_("Signing key"), fingerprint(found.signing_key)),
            (_("Sealing key"), fingerprint(found.sealing_key)),
        ],
        troubled=troubled,
        letter=words.letter,
        deliveries=words.DELIVERY_STATES,
        error_words=error_words,
    )


def _find(member: str) -> tuple[Charter, PeerView, list[OutboxView]]:
    here = node()
    with here.database.reading() as session:
        alliance = here.context.charter(session)
        views = membership.peers(session, here.context)
        troubled = outbox.troubled(session, member)
    view = next((each for each in views if each.member == member), None)
    if view is None:
        raise NotThere(member)
    return alliance, view, troubled


@blueprint.post("/<member>/retry")
@require_role("admin")
def retry(member: str) -> ResponseReturnValue:
    """Send what waits at once, without waiting for the next try."""
    _find(member)
    here = node()
    with here.database.transaction() as session:
        membership.wake(session, here.context, member)
    flash(_("What waits for this member is being sent now."), "success")
    return _back(member)


@blueprint.post("/<member>/pause")
@require_role("admin")
def pause(member: str) -> ResponseReturnValue:
    """Stop sending until somebody resumes; letters wait in the outbox."""
    return _pause(member, on=True, said=_("Sending to this member is paused. Letters wait here."))


@blueprint.post("/<member>/resume")
@require_role("admin")
def resume(member: str) -> ResponseReturnValue:
    """Go on sending."""
    return _pause(member, on=False, said=_("Sending to this member goes on."))


def _pause(member: str, *, on: bool, said: str) -> ResponseReturnValue:
    _find(member)
    here = node()
    with here.database.transaction() as session:
        membership.pause(session, here.context, member, on=on, actor=user().id)
    flash(said, "success")
    return _back(member)


@blueprint.post("/<member>/test")
@require_role("admin")
def test(member: str) -> ResponseReturnValue:
    """Say hello now and tell what came of it; at most the 13 seconds of one attempt."""
    _find(member)
    code = greet(node(), member)
    if code:
        flash(
            _("The test failed: %(words)s (%(code)s)", words=error_words(code), code=code), "danger"
        )
    else:
        flash(_("The test succeeded: the member's node answered and proved who it is."), "success")
    return _back(member)


@blueprint.post("/<member>/requeue/<envelope_id>")
@require_role("admin")
def requeue(member: str, envelope_id: str) -> ResponseReturnValue:
    """Try a refused letter once more, after what was wrong has been mended."""
    _find(member)
    here = node()
    with here.database.transaction() as session:
        again = outbox.requeue(session, here.context, envelope_id)
    if again:
        flash(_("The letter is in the queue again."), "success")
    else:
        flash(
            _("This letter cannot be sent again: its time is over, or it is not refused."),
            "warning",
        )
    return _back(member)


def _back(member: str) -> ResponseReturnValue:
    return redirect(url_for("peers.show", member=member))
