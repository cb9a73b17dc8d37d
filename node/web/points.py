"""Points: balance and slots, the statement with its certificates, our state beside every peer's.

DOMAIN 2.1 R11; PEER 5 (the page that shows the ledgers' difference).
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node import forms
from node.i18n import later
from node.services import charter as charters
from node.services import ledger, referrals
from node.services.ledger import LineKey, Settlement, StatementLine, evidence, tenure
from node.web.csv_files import csv_answer
from node.web.entrance import company_name, node, require_role
from node.web.error_words import error_words
from node.web.filters import moment
from node.web.marks import Mark
from node.web.paging import PAGE_ROWS, key_text, place

blueprint = Blueprint("points", __name__, url_prefix="/points")

CHART_DAYS = 90
KINDS = {
    "referral": later("Referral accepted"),
    "free_hire": later("Hire with a free-hire slot"),
    "refund": later("Refund after an early leave"),
    "correction": later("Correction: point given back"),
}
VERDICTS = {
    "equal": Mark("success", None, later("Equal")),
    "behind": Mark("waiting", None, later("They lack entries that we have")),
    "ahead": Mark("waiting", None, later("We lack entries that they have")),
    "apart": Mark("warning", None, later("Each lacks entries of the other")),
    "different": Mark("danger", None, later("Different content under the same numbers")),
    "unknown": Mark("neutral", "hourglass-split", later("Not compared yet")),
}
VISIBLE = ("recruiter", "approver")


@blueprint.get("")
@require_role(*VISIBLE)
def show() -> ResponseReturnValue:
    """The balance on its way to the next slot, the statement, and the comparison."""
    here = node()
    older, newer = _key("older"), _key("newer")
    with here.database.reading() as session:
        alliance = here.context.charter(session)
        if here.settings.member_id not in {*alliance.accounts, *alliance.closed}:
            raise charters.NotFounded
        position = ledger.position(session, here.context)
        promised = referrals.promised(session, here.context)
        balances = ledger.balances(session, here.context, days=CHART_DAYS)
        lines = ledger.statement(
            session, here.context, before=older, after=newer, limit=PAGE_ROWS + 1
        )
        _vector, digest = ledger.state(session)
        comparisons = ledger.compare(session, here.context)
        superseded_at = tenure.superseded_at(session, here.context)
        is_fencing = tenure.tenure(session, here.context).is_fencing
        accusations = list(evidence.accusations(session))
        settlements = ledger.settlements(session, here.context)
    return render_template(
        "points/show.html",
        each=alliance.policy.points_per_referral,
        position=position,
        promised=promised,
        chart=_chart(balances),
        page=_page(lines, older, newer),
        kinds=KINDS,
        digest=digest.hex(),
        comparisons=comparisons,
        verdicts=VERDICTS,
        superseded_at=superseded_at,
        is_fencing=is_fencing,
        accusations=accusations,
        settlements=settlements,
    )


def _key(name: str) -> LineKey | None:
    found = place(name, int, str, int, int)
    return (found[0], found[1], found[2], found[3]) if found else None


def _page(
    lines: list[StatementLine],
    older: LineKey | None,
    newer: LineKey | None,
    view: str = "points.show",
    **query: Any,  # noqa: ANN401 (as url_for)
) -> forms.Page[StatementLine]:
    """One line more than a page was asked for: it only tells that there is another page."""
    more = len(lines) > PAGE_ROWS
    if newer is not None:
        lines = lines[-PAGE_ROWS:]
        has_newer, has_older = more, True
    else:
        lines = lines[:PAGE_ROWS]
        has_newer, has_older = older is not None, more
    if not lines:
        return forms.Page([])
    first, last = (key_text(ledger.line_key(lines[at])) for at in (0, -1))
    return forms.Page(
        lines,
        previous=url_for(view, newer=first, **query) if has_newer else None,
        next=url_for(view, older=last, **query) if has_older else None,
    )


def _chart(balances: list[tuple[int, int]]) -> dict[str, object]:
    series = [{"name": _("Balance"), "values": [points for _at, points in balances]}]
    labels = [at for at, _points in balances]
    return {"labels": labels, "time": True, "kind": "steps", "series": series}


@blueprint.get("/export.csv")
@require_role(*VISIBLE)
def export() -> Response:
    """The whole statement as a file."""
    here = node()
    today = datetime.fromtimestamp(here.context.now(), here.settings.time_zone)
    return csv_answer(_rows, f"points-{today:%Y%m%d}.csv")


def _rows(peer: str = "") -> Iterator[list[str]]:
    yield [
        _("Applied at"),
        _("Reason"),
        _("Company"),
        _("Points received"),
        _("Points paid"),
        _("Account"),
        _("Order number"),
        _("Entry"),
    ]
    here, before = node(), None
    with here.database.reading() as session:
        while True:
            lines = ledger.statement(
                session, here.context, before=before, limit=PAGE_ROWS * 10, peer=peer
            )
            yield from (_cells(line) for line in lines)
            if len(lines) < PAGE_ROWS * 10:
                return
            before = ledger.line_key(lines[-1])


def _cells(line: StatementLine) -> list[str]:
    return [
        moment(line.applied_at),
        _(KINDS[line.kind]),
        company_name(line.peer),
        str(max(line.points, 0)),
        str(max(-line.points, 0)),
        line.account,
        str(line.sequence),
        line.entry_id,
    ]


@blueprint.get("/settlements/<member>")
@require_role(*VISIBLE)
def settlement(member: str) -> ResponseReturnValue:
    """With a member that has gone: what the two paid each other, and the cut that it ends at."""
    here = node()
    older, newer = _key("older"), _key("newer")
    with here.database.reading() as session:
        found = ledger.settlement(session, here.context, member)
        lines = ledger.statement(
            session, here.context, before=older, after=newer, limit=PAGE_ROWS + 1, peer=member
        )
        promised = referrals.promised(session, here.context, by=member)
    return render_template(
        "points/settlement.html",
        one=found,
        page=_page(lines, older, newer, "points.settlement", member=member),
        promised=promised,
        kinds=KINDS,
    )


@blueprint.get("/settlements/<member>/export.csv")
@require_role(*VISIBLE)
def settlement_file(member: str) -> Response:
    """The same as a file: the payments, their sum, and what it was cut by."""
    here = node()
    with here.database.reading() as session:
        found = ledger.settlement(session, here.context, member)
    return csv_answer(lambda: _settled(found), f"settlement-{found.member.id}.csv")


def _settled(found: Settlement) -> Iterator[list[str]]:
    yield from _rows(found.member.id)
    received, paid = str(found.received), str(found.paid)
    name, blank = found.member.legal_name, ""
    yield [moment(found.closed_at), _("Sum"), name, received, paid, blank, blank, blank]
    version, digest = str(found.charter.version), found.cut_digest.hex()
    yield [blank, _("Version of the charter"), version, *[blank] * 5]
    yield [blank, _("Digest of the charter"), found.charter.digest.hex(), *[blank] * 5]
    yield [blank, _("Digest of the ledger at the cut"), digest, *[blank] * 5]


@blueprint.get("/certificates/<account>/<int:sequence>")
@require_role(*VISIBLE)
def certificate(account: str, sequence: int) -> ResponseReturnValue:
    """One certificate: who voted, for which bytes; with `?check=now` every signature again."""
    here = node()
    asked = request.args.get("check") == "now"
    with here.database.reading() as session:
        view = ledger.certificate(session, here.context, account, sequence)
        members = len(here.context.charter(session).members)
        wrong = ledger.check(session, here.context, account, sequence) if asked else None
    return render_template(
        "points/certificate.html",
        view=view,
        kinds=KINDS,
        us=here.settings.member_id,
        members=members,
        asked=asked,
        wrong=error_words(wrong.code) if wrong else "",
        reason=wrong.detail if wrong else "",
        order_text=view.order_document.payload.decode(),
        digests={
            "order": view.order_digest.hex(),
            "previous": view.order.previous.hex(),
            "certificate": hashlib.sha256(view.document).hexdigest(),
        },
        sizes={"order": len(view.order_document.payload), "certificate": len(view.document)},
    )


@blueprint.get("/certificates/<account>/<int:sequence>/file")
@require_role(*VISIBLE)
def certificate_file(account: str, sequence: int) -> Response:
    """The stored bytes as they came, to verify anywhere else."""
    here = node()
    with here.database.reading() as session:
        view = ledger.certificate(session, here.context, account, sequence)
    answer = Response(view.document, mimetype="application/json")
    name = f"certificate-{view.order.account}-{view.order.sequence}.json"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@blueprint.get("/comparison/<member>")
@require_role(*VISIBLE)
def comparison(member: str) -> ResponseReturnValue:
    """Every account's head, ours and theirs, as the peer told it last."""
    here = node()
    with here.database.reading() as session:
        found, heads = ledger.heads_beside(session, here.context, member)
        _vector, digest = ledger.state(session)
    return render_template(
        "points/comparison.html",
        one=found,
        heads=heads,
        digest=digest.hex(),
        mark=VERDICTS[found.verdict],
        command=f"tasuki ledger diff {found.member}",
    )


@blueprint.get("/evidence/<account>/<int:sequence>/<int:incarnation>/file")
@require_role(*VISIBLE)
def evidence_file(account: str, sequence: int, incarnation: int) -> Response:
    """The two signed orders as they came: they prove themselves to whoever has the charter."""
    here = node()
    with here.database.reading() as session:
        found = evidence.proof(session, account, sequence, incarnation)
    answer = Response(found, mimetype="application/json")
    name = f"evidence-{account}-{sequence}-{incarnation}.json"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
