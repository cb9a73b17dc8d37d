"""Imports of applicants: file -> columns -> check -> confirmation -> progress -> done."""

from collections.abc import Callable, Iterator
from contextlib import suppress

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request
from flask import url_for as address
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from node import forms, models
from node.i18n import translator
from node.services.applicants import (
    columns,
    error_files,
    importing,
    mappings,
    rows,
    table_files,
    uploads,
)
from node.services.applicants.refusals import (
    ColumnsMissing,
    FileRefused,
    ImportElsewhere,
    RowsBroken,
)
from node.services.applicants.reports import Report
from node.web import import_pages as pages
from node.web.entrance import node, require_role, user

blueprint = Blueprint("applicant_imports", __name__, url_prefix="/applicants/import")

# The form's other fields, besides the file itself.
BODY_BYTES_MAX = uploads.FILE_BYTES_MAX + 64 * 1024


@blueprint.get("")
@require_role("recruiter")
def new() -> ResponseReturnValue:
    """Choose a file."""
    return pages.upload_page(forms.Form({"encoding": "auto"}))


@blueprint.post("")
@forms.body_bytes_max(BODY_BYTES_MAX)
@require_role("recruiter")
def upload() -> ResponseReturnValue:
    """Store the file encrypted and read its shape; a file that cannot be is not kept."""
    encoding = request.form.get("encoding", "auto")
    form = forms.Form({"encoding": encoding})
    file = request.files.get("file")
    if file is None or not file.filename:
        form.errors["file"] = _("Please choose a file.")
        return pages.upload_page(form)
    if encoding not in table_files.ENCODINGS:
        form.errors["encoding"] = _("Please choose.")
        return pages.upload_page(form)
    here, import_id = node(), importing.new_id()
    try:
        report = importing.receive(here.context, import_id, _pieces(file), encoding)
    except FileRefused as refusal:
        form.errors["file"] = pages.said(refusal)
        return pages.upload_page(form, refusal=refusal)
    with here.database.transaction() as session:
        importing.begin(
            session,
            here.context,
            import_id,
            file_name=file.filename,
            report=report,
            user_id=user().id,
        )
    return redirect(address("applicant_imports.choose_columns", import_id=import_id))


@blueprint.get("/<import_id>")
@require_role("recruiter")
def go_on(import_id: str) -> ResponseReturnValue:
    """The page on which this import stands."""
    stored, _report = _find(import_id)
    standing = {
        "uploaded": "applicant_imports.choose_columns",
        "checked": "applicant_imports.check",
        "done": "applicant_imports.done",
    }
    page = standing.get(stored.state, "applicant_imports.progress")
    return redirect(address(page, import_id=import_id))


@blueprint.get("/<import_id>/columns")
@require_role("recruiter")
def choose_columns(import_id: str) -> ResponseReturnValue:
    """What each column means, as guessed, or as the saved mapping in the address says."""
    stored, report = _find(import_id)
    name = request.args.get("mapping", "")
    if name:
        with node().database.reading() as session:
            report.fields = list(mappings.apply(session, name, report.headers).fields)
    return pages.columns_page(stored, report)


@blueprint.post("/<import_id>/columns")
@require_role("recruiter")
def take_columns(import_id: str) -> ResponseReturnValue:
    """Take the meaning of the columns, and check every row."""
    stored, report = _find(import_id)
    chosen = [request.form.get(f"column-{at}", "") for at in range(len(report.headers))]
    mapping = columns.choose(report.headers, chosen)
    report.fields = list(mapping.fields)
    if twice := columns.repeated(chosen):
        names = "、".join(_(columns.FIELDS[field]) for field in twice)
        return pages.columns_page(
            stored, report, _("Chosen for two columns: %(names)s", names=names)
        )
    here, save_as = node(), request.form.get("save_as", "").strip()
    try:
        with here.database.transaction() as session:
            importing.choose(session, import_id, mapping)
            if save_as:
                mappings.save(session, save_as, report.headers, mapping)
    except ColumnsMissing as refusal:
        return pages.columns_page(stored, report, pages.said(refusal))
    _drive_if_short(import_id)
    return redirect(address("applicant_imports.go_on", import_id=import_id))


@blueprint.post("/<import_id>/encoding")
@require_role("recruiter")
def take_encoding(import_id: str) -> ResponseReturnValue:
    """Read the file again in another encoding."""
    stored, report = _find(import_id)
    encoding = request.form.get("encoding", "")
    if report.sheet:
        return pages.columns_page(stored, report)  # A workbook has one encoding only.
    if encoding not in table_files.ENCODINGS:
        return pages.columns_page(stored, report, _("Please choose."))
    here = node()
    source = importing.source_of(here.context, import_id)
    try:
        again = Report.begin(table_files.inspect(source, encoding), encoding)
    except FileRefused as refusal:
        return pages.columns_page(stored, report, pages.said(refusal))
    with here.database.transaction() as session:
        importing.reread(session, import_id, again)
    return redirect(address("applicant_imports.choose_columns", import_id=import_id))


@blueprint.get("/<import_id>/check")
@require_role("recruiter")
def check(import_id: str) -> ResponseReturnValue:
    """確認画面: the first rows as they will be, what is odd and what is wrong."""
    stored, report = _find(import_id)
    if stored.state != "checked":
        return redirect(address("applicant_imports.go_on", import_id=import_id))
    return pages.check_page(stored, report)


@blueprint.post("/<import_id>/start")
@require_role("recruiter")
def start(import_id: str) -> ResponseReturnValue:
    """Import; a short file at once, a long one by the worker."""
    here = node()
    accept = request.form.get("accept_broken") == "yes"
    try:
        with here.database.transaction() as session:
            importing.start(
                session, here.context, import_id, accept_broken=accept, user_id=user().id
            )
    except RowsBroken as refusal:
        stored, report = _find(import_id)
        return pages.check_page(stored, report, error=pages.said(refusal))
    _drive_if_short(import_id)
    return redirect(address("applicant_imports.go_on", import_id=import_id))


@blueprint.get("/<import_id>/progress")
@require_role("recruiter")
def progress(import_id: str) -> ResponseReturnValue:
    """How far it is; the bar asks again by itself, and leads on when it is over."""
    stored, report = _find(import_id)
    asked_by_bar = request.headers.get("HX-Request") == "true"
    if stored.state not in (*importing.WAITING_STATES, "failed"):
        following = address("applicant_imports.go_on", import_id=import_id)
        if not asked_by_bar:
            return redirect(following)
        answer = make_response("")
        answer.headers["HX-Redirect"] = following
        return answer
    template = "_progress.html" if asked_by_bar else "progress.html"
    return render_template(
        f"applicant_imports/{template}", stored=stored, report=report, steps=pages.steps()
    )


@blueprint.get("/<import_id>/done")
@require_role("recruiter")
def done(import_id: str) -> ResponseReturnValue:
    """完了画面: the numbers, and the rows to correct."""
    stored, report = _find(import_id)
    if stored.state != "done":
        return redirect(address("applicant_imports.go_on", import_id=import_id))
    return render_template(
        "applicant_imports/done.html",
        stored=stored,
        report=report,
        steps=pages.steps(),
        warnings=pages.told(report.warnings, rows.WARNINGS),
        problems=pages.told(report.problems, rows.PROBLEMS),
        errors_kept=uploads.exists(node().context, import_id, "errors"),
    )


@blueprint.get("/<import_id>/errors.csv")
@require_role("recruiter")
def errors(import_id: str) -> ResponseReturnValue:
    """The rows that cannot be imported, to correct and to import again."""
    _stored, report = _find(import_id)
    context = node().context
    source = importing.source_of(context, import_id)
    pieces = error_files.fetch(context, import_id, report, source, _say())
    return Response(
        pieces,
        content_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="errors-{import_id[:8]}.csv"'},
    )


@blueprint.post("/<import_id>/cancel")
@require_role("recruiter")
def cancel(import_id: str) -> ResponseReturnValue:
    """Give it up before anything is written; the file is deleted."""
    here = node()
    with here.database.transaction() as session:
        importing.cancel(session, here.context, import_id)
    flash(_("The import has been cancelled and the file deleted."), "success")
    return redirect(address("applicant_imports.new"))


@blueprint.post("/mappings/remove")
@require_role("recruiter")
def remove_mapping() -> ResponseReturnValue:
    """Forget a saved mapping."""
    with node().database.transaction() as session:
        mappings.remove(session, request.form.get("name", ""))
    flash(_("The saved columns have been removed."), "success")
    return redirect(address("applicant_imports.new"))


def _pieces(file: FileStorage) -> Iterator[bytes]:
    while piece := file.stream.read(uploads.PIECE_BYTES):
        yield piece


def _find(import_id: str) -> tuple[models.ApplicantImport, Report]:
    with node().database.reading() as session:
        stored = importing.get(session, import_id)
    return stored, Report.parse(stored.report)


def _say() -> Callable[..., str]:
    """The reader's language, also while a file is sent after the request is over."""
    say: Callable[..., str] = translator(str(get_locale()))
    return say


def _drive_if_short(import_id: str) -> None:
    """Check or import a short file in this request."""
    stored, _report = _find(import_id)
    if stored.rows > importing.INLINE_ROWS_MAX:
        return
    here = node()
    source = importing.source_of(here.context, import_id)
    # The worker may have taken it over: then it finishes it, and the progress page shows it.
    with suppress(ImportElsewhere):
        with importing.Pass(here.context, stored, source) as run:
            for step in run.steps():
                with here.database.transaction() as session:
                    step(session)
        if stored.state == "running":
            error_files.finish(here.context, import_id, run.report, source, _say())
