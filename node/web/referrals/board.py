"""The board: who is in selection, stage by stage; moved by a button or by dragging.  DOMAIN V5."""

from itertools import pairwise

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from node import models
from node.services import referrals
from node.web.entrance import node, require_role, user
from node.web.referrals import words
from node.web.referrals.received import offer_of

blueprint = Blueprint("referral_board", __name__, url_prefix="/referrals/in/board")


@blueprint.get("")
@require_role()
def show() -> ResponseReturnValue:
    """A column for each stage, in the order of our course."""
    with node().database.reading() as session:
        rows, total = referrals.board(session)
        course = referrals.course(session)
    columns: dict[str, list[models.ReferralIn]] = {each.id: [] for each in course}
    elsewhere: list[models.ReferralIn] = []
    for row in rows:
        columns.get(referrals.place_of(row, course), elsewhere).append(row)
    following = {each.id: (after.id, words.stage_name(after)) for each, after in pairwise(course)}
    return render_template(
        "referrals/board.html",
        columns=[
            (each.id, words.stage_name(each), [offer_of(row) for row in columns[each.id]])
            for each in course
        ],
        elsewhere=[offer_of(row) for row in elsewhere],
        following=following,
        total=total,
        shown=len(rows),
        may_answer=user().may("recruiter"),
        may_configure=user().may("admin", "recruiter"),
        now=node().context.now(),
    )
