"""What the pages of an import show: its steps, its report in words, its rows as they will be."""

from typing import Any

from flask import make_response, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node import forms, models
from node.i18n import later
from node.services import users
from node.services.applicants import columns, importing, mappings, rows, table_files
from node.services.applicants.refusals import FileRefused
from node.services.applicants.reports import Report
from node.web.applicants import STAGE_NAMES, STATUS_BADGES, STATUS_NAMES
from node.web.entrance import node

STEPS = (
    later("Choose the file"),
    later("Columns"),
    later("Check"),
    later("The import"),
    later("Done"),
)
ENCODING_NAMES = {
    "auto": later("Find out by itself"),
    "utf-8": "UTF-8",
    "cp932": "Shift_JIS (CP932)",
    "utf-16": "UTF-16",
    "euc-jp": "EUC-JP",
}
SPECIAL_NAMES = {
    columns.FORBIDDEN_FIELD: later("Not imported, as it must not be known"),
    columns.AGE_FIELD: later("Not stored: only looked at to leave out people under 18"),
    columns.OWN_FIELD: later("Not imported: our own note"),
}
STATE_NAMES = {
    "uploaded": later("Columns to be checked"),
    "checking": later("Being checked"),
    "checked": later("To be confirmed"),
    "running": later("Running"),
    "done": later("Done"),
    "failed": later("Given up"),
}
STATE_BADGES = {
    "uploaded": "waiting",
    "checking": "info",
    "checked": "waiting",
    "running": "info",
    "done": "success",
    "failed": "danger",
}


def said(refusal: FileRefused) -> str:
    """A refusal in words, with the place in the file where that helps."""
    sentence = str(_(refusal.sentence()))
    facts = refusal.facts
    if "byte" in facts:
        place = _("Row %(row)s, byte %(byte)s.", row=facts["row"], byte=facts["byte"])
        hint = facts.get("looks_like")
        looks = _("It looks like %(encoding)s.", encoding=hint) if hint else ""
        return f"{sentence} {place} {looks}".strip()
    if "row" in facts:
        place = _("Row %(row)s.", row=facts["row"])
        return f"{sentence} {place}"
    missing = facts.get("fields")
    if isinstance(missing, tuple):
        names = "、".join(_(columns.FIELDS[name]) for name in missing)
        missing = _("Missing: %(names)s", names=names)
        return f"{sentence} {missing}"
    return sentence


def steps() -> list[str]:
    """The steps of an import in words."""
    return [_(step) for step in STEPS]


def told(found: Any, sentences: Any) -> list[tuple[str, int, str]]:  # noqa: ANN401
    """What was found, as (sentence, how often, the first rows)."""
    return [
        (_(sentences[code]), one.count, _rows_text(one.rows, one.count))
        for code, one in found.items()
    ]


def _rows_text(numbers: list[int], count: int) -> str:
    shown = ", ".join(str(number) for number in numbers)
    return f"{shown} …" if count > len(numbers) else shown


def upload_page(form: forms.Form, refusal: FileRefused | None = None) -> ResponseReturnValue:
    """Choose a file; the last imports and the saved columns below."""
    with node().database.reading() as session:
        last = importing.recent(session)
        saved = mappings.listing(session)
        names = users.names(session)
    page = render_template(
        "applicant_imports/new.html",
        form=form,
        refusal=refusal,
        steps=steps(),
        encodings=[(key, _(name)) for key, name in ENCODING_NAMES.items()],
        last=last,
        saved=saved,
        names=names,
        state_names={key: _(name) for key, name in STATE_NAMES.items()},
        state_badges=STATE_BADGES,
        rows_max=table_files.ROWS_MAX,
    )
    status = refusal.status if refusal else 422 if form.errors else 200
    return make_response(page, status)


def columns_page(
    stored: models.ApplicantImport, report: Report, error: str = ""
) -> ResponseReturnValue:
    """What each column means."""
    here = node()
    samples = importing.samples(report, importing.source_of(here.context, stored.id))
    with here.database.reading() as session:
        saved = mappings.listing(session)
    page = render_template(
        "applicant_imports/columns.html",
        stored=stored,
        report=report,
        samples=samples,
        saved_names=[(each.name, each.name) for each in saved],
        error=error,
        form=forms.Form({"encoding": report.chosen_encoding}),
        steps=steps(),
        encodings=[(key, _(name)) for key, name in ENCODING_NAMES.items()],
        fields=[(field, _(name)) for field, name in columns.FIELDS.items()],
        special={key: _(name) for key, name in SPECIAL_NAMES.items()},
        missing=[_(columns.FIELDS[field]) for field in report.mapping.missing()],
    )
    return make_response(page, 422 if error else 200)


def check_page(
    stored: models.ApplicantImport, report: Report, error: str = ""
) -> ResponseReturnValue:
    """The first rows as they will be, what is odd, what is wrong."""
    context = node().context
    source = importing.source_of(context, stored.id)
    page = render_template(
        "applicant_imports/check.html",
        stored=stored,
        report=report,
        error=error,
        steps=steps(),
        preview=importing.preview(context, report, source),
        problem_names={code: _(said) for code, said in rows.PROBLEMS.items()},
        warnings=told(report.warnings, rows.WARNINGS),
        problems=told(report.problems, rows.PROBLEMS),
        status_names={key: _(name) for key, name in STATUS_NAMES.items()},
        stage_names={key: _(name) for key, name in STAGE_NAMES.items()},
        badges=STATUS_BADGES,
        skipped=[
            title
            for title, field in zip(report.headers, report.fields, strict=True)
            if field in (columns.FORBIDDEN_FIELD, columns.AGE_FIELD)
        ],
    )
    return make_response(page, 422 if error else 200)
