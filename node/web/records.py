"""The records of provision and of receipt: two registers to look up, search and take out.

The law asks for them, and inspectors and the persons themselves may ask to see them
(個人情報保護法 29, 30, 33(5)). A name is searched for by POST: it stands in no address.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from marshmallow import Schema, fields, validate
from werkzeug.datastructures import MultiDict

from node import forms, models
from node.i18n import later
from node.services import audit, records
from node.services.consents import item_list
from node.services.records import Column, Entry, Filters
from node.web.csv_files import csv_answer
from node.web.entrance import companies, company_name, node, require_role, user
from node.web.filters import day, moment
from node.web.paging import PAGE_ROWS, cursor, turned

blueprint = Blueprint("records", __name__, url_prefix="/records")

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2999, 12, 31)
NO_DAY = "Please enter a date such as 2026-11-22."
NAME_CHARS_MAX = 100


@dataclass(frozen=True, slots=True)
class Words:
    """What a register calls its columns, and its files."""

    title: str
    date: str
    company: str
    address: str
    representative: str
    items: str
    file: str


REGISTERS = {
    "provided": Words(
        later("Records of provision"),
        later("Provided on"),
        later("Provided to"),
        later("Address of the recipient"),
        later("Representative of the recipient"),
        later("Items provided"),
        "provision-records",
    ),
    "received": Words(
        later("Records of receipt"),
        later("Received on"),
        later("Provided by"),
        later("Address of the provider"),
        later("Representative of the provider"),
        later("Items received"),
        "receipt-records",
    ),
}
MEDIA = {"electromagnetic": later("Electronic record")}


class Asked(Schema):
    """What the filter can ask."""

    register = fields.String(load_default="provided", validate=validate.OneOf(REGISTERS))
    peer = fields.String(load_default="", validate=validate.Length(max=64))
    since = fields.Date(
        load_default=None, validate=validate.Range(FIRST_DAY, LAST_DAY, error=NO_DAY)
    )
    until = fields.Date(
        load_default=None, validate=validate.Range(FIRST_DAY, LAST_DAY, error=NO_DAY)
    )


class Searched(Asked):
    """The same with a person's name, which is sent in the body."""

    name = fields.String(load_default="", validate=validate.Length(max=NAME_CHARS_MAX))


ASKED, SEARCHED = Asked(), Searched()


@blueprint.get("")
@require_role("recruiter")
def listing() -> ResponseReturnValue:
    """One page of a register, the newest first."""
    filters, form, query = _asked(ASKED, request.args)
    where, backwards = cursor()
    here = node()
    with here.database.reading() as session:
        page = records.list_page(
            session, here.context, filters, cursor=where, backwards=backwards, limit=PAGE_ROWS
        )
    return _page(filters, form, query, turned(page, "records.listing", **query))


@blueprint.post("/search")
@require_role("recruiter")
def search() -> ResponseReturnValue:
    """The records of one person, by the name as written or as read."""
    filters, form, query = _asked(SEARCHED, request.form)
    if not filters.name:
        form.errors.setdefault("name", _("Please enter this."))
        return _page(filters, form, query, forms.Page([])), 422
    here = node()
    with here.database.reading() as session:
        found, more = records.find(session, here.context, filters)
    return _page(filters, form, query, forms.Page(found), more=more)


@blueprint.post("/export.csv")
@require_role("recruiter")
def export_csv() -> Response:
    """The records that the page shows as a file; that they were taken out is written down."""
    filters = _taken_out("csv")
    return csv_answer(lambda: _rows(filters), f"{_file_name(filters)}.csv")


@blueprint.post("/export.pdf")
@require_role("recruiter")
def export_pdf() -> Response:
    """The same on paper."""
    filters = _taken_out("pdf")
    here, words = node(), REGISTERS[filters.register]
    notes = [
        _("%(company)s, written on %(at)s", company=company_name(), at=moment(here.context.now())),
        _("Signs that the font of this file lacks appear as 〓. The CSV file holds them."),
    ]
    with here.database.reading() as session:
        found = records.every(session, here.context, filters)
        file = records.print_table(
            _(words.title), notes, _columns(filters.register), map(_printed, found)
        )
    answer = Response(file, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="{_file_name(filters)}.pdf"'
    return answer


def _page(
    filters: Filters,
    form: forms.Form,
    query: dict[str, Any],
    page: forms.Page[Entry],
    *,
    more: bool = False,
) -> str:
    return render_template(
        "records/list.html",
        page=page,
        form=form,
        query=query,
        name=filters.name,
        more=more,
        register=filters.register,
        registers=REGISTERS,
        words=REGISTERS[filters.register],
        narrowed=bool(query.keys() - {"register"} or filters.name),
        members=companies(),
        items=_items,
        media=MEDIA,
        last_day=_last_day,
        clear=url_for("records.listing", register=filters.register),
        found_max=records.FOUND_ROWS_MAX,
        export_max=records.EXPORT_ROWS_MAX,
        kept_years=records.KEPT_YEARS,
    )


def _asked(
    schema: Schema, typed: MultiDict[str, str]
) -> tuple[Filters, forms.Form, dict[str, Any]]:
    """The filter, the form to show again, and the same as an address carries it, without a name."""
    found, form = forms.read(schema, typed, _)
    asked = {**schema.load({}), **found}
    filters = Filters(
        register=asked["register"],
        peer=asked["peer"],
        since=_midnight(asked["since"]),
        until=_midnight(asked["until"], days=1),
        name=asked.get("name", ""),
    )
    query = {"register": filters.register}
    query |= {name: str(found[name]) for name in ("peer", "since", "until") if found.get(name)}
    return filters, form, query


def _midnight(given: date | None, *, days: int = 0) -> int | None:
    """When a day begins where HR works, or the day so many later."""
    if given is None:
        return None
    wanted = given + timedelta(days=days)
    zone = node().settings.time_zone
    return int(datetime(wanted.year, wanted.month, wanted.day, tzinfo=zone).timestamp())


def _taken_out(kind: str) -> Filters:
    """What is asked for; RecordsUnclear, or RecordsTooMany for more than a file holds."""
    filters, form, _query = _asked(SEARCHED, request.form)
    if form.errors:
        raise records.RecordsUnclear
    here = node()
    with here.database.transaction() as session:
        rows = records.exported(session, here.context, filters)
        audit.record(
            session,
            here.context,
            actor=user().id,
            action="records.export",
            subject=filters.register,
            detail=f"rows={rows} kind={kind}",
        )
    return filters


def _file_name(filters: Filters) -> str:
    here = node()
    today = datetime.fromtimestamp(here.context.now(), here.settings.time_zone)
    return f"{REGISTERS[filters.register].file}-{today:%Y%m%d}"


def _rows(filters: Filters) -> Iterator[list[str]]:
    words = REGISTERS[filters.register]
    is_receipt = filters.register == "received"
    yield [
        _(words.date),
        _("Name of the person"),
        _(words.company),
        _(words.address),
        _(words.representative),
        _(words.items),
        _("Consent of the person"),
        _("Consent record"),
        *([_("How the provider acquired the data")] if is_receipt else []),
        _("Medium"),
        _("Referral number"),
        _("Envelope number"),
        _("Version of the charter"),
        _("Kept until"),
    ]
    here = node()
    with here.database.reading() as session:
        for entry in records.every(session, here.context, filters):
            row = entry.row
            yield [
                moment(row.provided_at),
                entry.name,
                row.peer_name,
                row.peer_address,
                row.peer_representative,
                _items(entry.items),
                _("Obtained"),
                row.consent_id,
                *([entry.acquired] if is_receipt else []),
                _(MEDIA[row.medium]),
                row.referral_id,
                row.envelope_id,
                str(row.charter_version),
                day(_last_day(entry)),
            ]


def _columns(register: str) -> list[Column]:
    """The headings on paper, where one cell says several things about one."""
    words = REGISTERS[register]
    columns = [
        Column(_(words.date), 11),
        Column(_("Name of the person"), 12),
        Column(_(words.company), 24),
        Column(_(words.items), 24),
        Column(_("Consent of the person"), 15),
        Column(_("Medium"), 8),
        Column(_("Referral and envelope"), 20),
        Column(_("Kept until"), 11),
    ]
    if register == "received":
        columns.insert(5, Column(_("How the provider acquired the data"), 12))
    return columns


def _printed(entry: Entry) -> list[str]:
    row = entry.row
    cells = [
        moment(row.provided_at).replace(" ", "\n"),
        entry.name,
        f"{row.peer_name}\n{row.peer_address}\n{row.peer_representative}",
        _items(entry.items),
        f"{_('Obtained')}\n{row.consent_id}",
        _(MEDIA[row.medium]),
        f"{row.referral_id}\n{row.envelope_id}",
        day(_last_day(entry)),
    ]
    if isinstance(row, models.ReceiptRecord):
        cells.insert(5, row.acquired)
    return cells


def _last_day(entry: Entry) -> int:
    """A second of the last day on which the record is kept."""
    return entry.row.kept_until - 1


def _items(items: Sequence[str]) -> str:
    return item_list(lambda sentence, **facts: str(_(sentence, **facts)), items)
