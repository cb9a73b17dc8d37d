"""Erasures: who was asked to erase and has proven it, and what was erased here.  DOMAIN 2.2 V10."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from node import models
from node.i18n import later
from node.services import erasures, referrals
from node.web.entrance import node, require_role
from node.web.marks import Mark
from node.web.paging import PAGE_ROWS, chosen, cursor, turned

blueprint = Blueprint("erasures", __name__, url_prefix="/erasures")

DIRECTIONS = {
    "out": later("Asked of other companies"),
    "in": later("Asked by other companies"),
}
STATES = {
    "asked": Mark("waiting", None, later("Waiting for the proof")),
    "late": Mark("danger", "exclamation-triangle", later("Proof is late")),
    "proven": Mark("success", "patch-check", later("Erased, confirmed")),
}
KEPT = {"record": later("legal record"), "hire": later("data of the hire")}


@blueprint.get("")
@require_role()
def listing() -> ResponseReturnValue:
    """What people took back, newest first; of what we asked for, only the open ones if wished."""
    direction = chosen("direction", DIRECTIONS) or "out"
    missing = direction == "out" and bool(chosen("missing", {"1": ""}))
    where, backwards = cursor()
    with node().database.reading() as session:
        page = erasures.list_erasures(
            session,
            direction=direction,
            missing=missing,
            cursor=where,
            backwards=backwards,
            limit=PAGE_ROWS,
        )
        owed, late = erasures.owed(session, node().context)
        shared = referrals.sharing(session, [row.referral_id for row in page.rows])
    now = node().context.now()
    return render_template(
        "erasures/list.html",
        page=turned(
            page, "erasures.listing", direction=direction, missing="1" if missing else None
        ),
        erasures=[
            (row, STATES[erasures.state_of(row, now)], _kept(row, shared)) for row in page.rows
        ],
        direction=direction,
        directions=DIRECTIONS,
        missing=missing,
        owed=owed,
        late=late,
    )


def _kept(row: models.Erasure, shared: set[str]) -> list[str]:
    """What the receiver keeps; that it hired, only where the person shares how it ended."""
    hidden = row.direction == "out" and row.referral_id not in shared
    return [KEPT[each] for each in erasures.kept_of(row) if each != "hire" or not hidden]
