"""The front page: what waits for you, the points on the way to a slot, the alliance's state."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node.i18n import later
from node.services import charter as charters
from node.services import erasures, overview
from node.services.notices import untold
from node.web.entrance import charter, node, require_role, user

blueprint = Blueprint("dashboard", __name__)

# state -> (kind of badge, sign, word)
PEER_STATES = {
    "well": ("success", "check-circle", later("Connected")),
    "failing": ("warning", "exclamation-triangle", later("Trouble")),
    "waiting": ("danger", "pause-circle", later("Not reachable")),
    "stopped": ("warning", "pause-circle", later("Sending stopped")),
    "blocked": ("danger", "slash-circle", later("Blocked")),
    "suspended": ("warning", "slash-circle", later("Suspended")),
    "silent": ("neutral", "hourglass-split", later("No contact yet")),
}


@dataclass(frozen=True, slots=True)
class Task:
    """One line of what waits: how many, and where it is done (None before that page exists)."""

    id: str
    icon: str
    title: str
    text: str
    count: int
    unit: str
    url: str | None


@blueprint.get("/")
@require_role()
def show() -> ResponseReturnValue:
    """Tasks, points, the last thirty days and the peers."""
    here, alliance = node(), charter()
    mine = here.settings.member_id
    others = [each.id for each in alliance.members if each.id != mine] if alliance else []
    with here.database.reading() as session:
        waiting = overview.waiting(session, here.context)
        lately = overview.lately(session, here.context)
        standing = overview.standing(session, here.context)
        peers = overview.peers(session, here.context, others)
        suspended_until = overview.suspended_until(session, here.context)
        departures, abandoned = overview.departures(session, here.context)
        late_proofs = erasures.owed(session, here.context)[1]
        left = charters.has_left(session, mine)
        joining = alliance if alliance and not left and mine not in alliance.by_id else None
    return render_template(
        "dashboard/show.html",
        tasks=[task for task in (*_silent(waiting), *_tasks(waiting)) if task.url],
        overdue=waiting.overdue,
        lately=lately,
        standing=standing,
        founded=alliance is not None,
        joining=joining.name if joining else None,
        left=left,
        suspended_until=suspended_until,
        departures=[] if left else departures,
        abandoned=abandoned,
        late_proofs=late_proofs,
        peers=peers,
        peer_states={key: (kind, sign, _(word)) for key, (kind, sign, word) in PEER_STATES.items()},
        may_see_points=user().may("recruiter", "approver"),
        points_url=_url("points.show"),
        peers_url=_url("peers.listing") if user().may("admin") else None,
    )


def _tasks(waiting: overview.Waiting) -> list[Task]:
    return [
        Task(
            "to-notify",
            "send",
            _("Applicants waiting for their result"),
            _("Rejected, and not told yet"),
            waiting.to_notify,
            _("people"),
            _url("applicants.listing", status="rejected", told="no"),
        ),
        Task(
            "to-approve",
            "clipboard-check",
            _("Notices waiting for approval"),
            _("A second person checks them before they leave"),
            waiting.to_approve,
            _("batches"),
            _url("notices.listing", state="waiting_approval"),
        ),
        Task(
            "to-answer",
            "box-arrow-in-down",
            _("Referrals waiting for an answer"),
            _("Accept or decline each within five working days"),
            waiting.to_answer,
            _("referrals"),
            _url("referrals_in.listing", state="received"),
        ),
    ]


def _silent(waiting: overview.Waiting) -> list[Task]:
    """Those who were never told, first of all; no line when there are none."""
    if not waiting.untold:
        return []
    days = untold.DAYS
    return [
        Task(
            "untold",
            "exclamation-triangle",
            _("Applicants who have heard nothing"),
            _("Rejected %(n)s days ago or earlier, and not told yet", n=days),
            waiting.untold,
            _("people or more") if waiting.untold_more else _("people"),
            _url("notice_untold.show"),
        )
    ]


def _url(endpoint: str, **query: Any) -> str | None:  # noqa: ANN401 (as url_for)
    """The page's address; None while it is not part of this node."""
    return url_for(endpoint, **query) if endpoint in current_app.view_functions else None
