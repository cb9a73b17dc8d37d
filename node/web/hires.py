"""Hires, in both directions: whom we took, and who of ours was taken.  DOMAIN 2.1 R12, 2.2 V7."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from node import models
from node.i18n import later
from node.services import hires, referrals
from node.services.ledger import Place
from node.web.csv_files import csv_answer
from node.web.entrance import company_name, node, require_role, user
from node.web.filters import day
from node.web.marks import Mark
from node.web.paging import PAGE_ROWS, chosen, cursor, turned

blueprint = Blueprint("hires", __name__, url_prefix="/hires")

DIRECTIONS = {
    "in": Mark("info", "box-arrow-in-down", later("We hired")),
    "out": Mark("neutral", "box-arrow-up-right", later("They hired")),
}
LEDGER_STATES = {
    "certified": Mark("success", "patch-check", later("Certified")),
    "pending": Mark("waiting", None, later("On its way to the ledger")),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A hire as the list shows it; `is_shared` is false where the person keeps it to themselves."""

    row: models.Hire
    is_shared: bool
    payer: str
    place: Place | None

    @property
    def effect(self) -> int:
        """What it did to our balance: we pay for a free hire, and are paid for one of ours."""
        return -self.row.points if self.row.direction == "in" else self.row.points

    @property
    def ledger_state(self) -> str:
        return "certified" if self.place is not None else "pending"


@blueprint.get("")
@require_role()
def listing() -> ResponseReturnValue:
    """All hires, newest first."""
    direction = chosen("direction", DIRECTIONS)
    where, backwards = cursor()
    with node().database.reading() as session:
        page = hires.list_hires(
            session, direction=direction, cursor=where, backwards=backwards, limit=PAGE_ROWS
        )
        shown = _shown(session, page.rows)
    return render_template(
        "hires/list.html",
        page=turned(page, "hires.listing", direction=direction or None),
        hires=shown,
        direction=direction,
        directions=DIRECTIONS,
        ledger_states=LEDGER_STATES,
        may_see_points=user().may("recruiter", "approver"),
    )


def _shown(session: Session, rows: Sequence[models.Hire]) -> list[Shown]:
    us = node().context.member_id
    shared = referrals.sharing(session, [row.referral_id for row in rows])
    found = []
    for row in rows:
        payer = us if row.direction == "in" else row.peer
        place = hires.paid_at(session, node().context, row) if row.entry_id else None
        open_to_us = row.direction == "in" or row.referral_id in shared
        found.append(Shown(row, open_to_us, payer, place))
    return found


@blueprint.get("/export.csv")
@require_role("recruiter", "approver")
def export() -> Response:
    """The list as a file, for closing the books; it names nobody."""
    direction, here = chosen("direction", DIRECTIONS), node()
    today = datetime.fromtimestamp(here.context.now(), here.settings.time_zone)
    return csv_answer(lambda: _rows(direction), f"hires-{today:%Y%m%d}.csv")


def _rows(direction: str) -> Iterator[list[str]]:
    yield [
        _("Registered on"),
        _("Direction"),
        _("Company"),
        _("Referral number"),
        _("First day at work"),
        _("Fee (yen)"),
        _("Free-hire slot"),
        _("Points paid"),
        _("Points received"),
        _("Ledger"),
    ]
    where = None
    with node().database.reading() as session:
        while True:
            page = hires.list_hires(session, direction=direction, cursor=where, limit=PAGE_ROWS * 4)
            yield from (_cells(one) for one in _shown(session, page.rows))
            where = page.after
            if where is None:
                return


def _cells(one: Shown) -> list[str]:
    row = one.row
    return [
        day(row.registered_at),
        _(DIRECTIONS[row.direction].word),
        company_name(row.peer),
        row.referral_id if one.is_shared else "",
        row.joins_on if one.is_shared else "",
        str(row.fee_yen) if row.direction == "in" else "",
        "1" if row.points else "0",
        str(row.points) if row.direction == "in" else "0",
        str(row.points) if row.direction == "out" else "0",
        _(LEDGER_STATES[one.ledger_state].word) if row.entry_id else "",
    ]
