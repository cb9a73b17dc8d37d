"""The profile: what the company knows already, to be checked, corrected and added to.

Everything typed is kept at once, right or wrong, also when a row is added or a file is attached:
a tunnel, the back button or another device lose nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from node import forms, virus_scanner
from node.candidate import visit
from node.candidate.words import APPLICANT_TYPES, prefecture, sender_of
from node.refusals import Refusal
from node.services import applicants, consents, relays
from node.services.consents import ROWS, ROWS_MAX, Answers, ConsentGiven

blueprint = Blueprint("candidate_profile", __name__)

# Twice the file and more: who chose a file of 8 MB reads our sentence about it, with the rest kept.
BODY_BYTES_MAX = 12 * 1024 * 1024
# Rows that stand open on a first visit; the others are asked for by a button.
OPEN_ROWS = {"work": 1, "education": 1, "languages": 0, "certificates": 0}


@dataclass(frozen=True, slots=True)
class Prefixed:
    """The fields of one row of a form: `work-0-name` is `name` of the first place of work."""

    typed: forms.Typed
    prefix: str

    def __contains__(self, name: object) -> bool:
        return f"{self.prefix}{name}" in self.typed

    def getlist(self, name: str) -> list[str]:
        return self.typed.getlist(f"{self.prefix}{name}")


@blueprint.get("/l/about")
@visit.needs_code
def about() -> ResponseReturnValue:
    """Who the person is, prefilled."""
    return _about()


@blueprint.post("/l/about")
@visit.needs_code
def save_about() -> ResponseReturnValue:
    """Keep it, and go on when it is right."""
    here, link_id = visit.node(), visit.current().link_id
    _values, form = forms.read(consents.ABOUT, request.form, _)
    with here.database.transaction() as session:
        consents.open_link(session, here.context, link_id)
        consents.answer(
            session,
            here.context,
            link_id,
            {"about": dict(form.values)},
            checked="" if form.errors else "about",
        )
    return _about(form, 422) if form.errors else redirect(url_for("candidate_profile.experience"))


def _about(form: forms.Form | None = None, status: int = 200) -> ResponseReturnValue:
    here, link_id = visit.node(), visit.current().link_id
    with here.database.reading() as session:
        consents.open_link(session, here.context, link_id)
        draft = consents.load(session, here.context, link_id)
        if draft.state == "given":
            raise ConsentGiven
        page = render_template(
            "candidate/about.html",
            chain=relays.chain_of(session, draft.applicant_id),
            sender=sender_of(session, here.context),
            form=form or forms.Form(draft.answers.get("about", {})),
            email=consents.facts_of(session, here.context, draft).email,
            prefectures=[(code, prefecture(code)) for code in consents.PREFECTURES],
            applicant_types=[(code, _(said)) for code, said in APPLICANT_TYPES.items()],
            occupations=[(name, _(said)) for name, said in applicants.OCCUPATIONS.items()],
        )
    return make_response(page, status)


@blueprint.get("/l/experience")
@visit.needs_code
def experience() -> ResponseReturnValue:
    """What the person can do, with an optional PDF."""
    return _experience(more=request.args.get("more", ""))


@blueprint.post("/l/experience")
@forms.body_bytes_max(BODY_BYTES_MAX)
@visit.needs_code
def save_experience() -> ResponseReturnValue:
    """Keep what was typed and the file; go on, or come back with one more row."""
    here, link_id = visit.node(), visit.current().link_id
    given, form = _read()
    with here.database.reading() as session:
        about = consents.load(session, here.context, link_id).answers.get("about", {})
    if not form.errors and consents.names_its_author({**given, "about": about}):
        form.errors["skills"] = _(consents.ANONYMOUS)
    detaches = request.form.get("do") == "detach"
    file, file_said = (None, "") if detaches else _file()

    with here.database.transaction() as session:
        consents.open_link(session, here.context, link_id)
        consents.answer(
            session, here.context, link_id, given, checked="" if form.errors else "experience"
        )
        if file is not None:
            data, pages = file
            consents.attach(session, here.context, link_id, data, pages=pages)
        elif detaches:
            consents.detach(session, here.context, link_id)

    return _after(form, file_said, has_new_file=file is not None)


def _after(form: forms.Form, file_said: str, *, has_new_file: bool) -> ResponseReturnValue:
    """Where to go, by the button that was pressed."""
    do = request.form.get("do", "")
    if file_said:
        return _experience(forms.Form(form.values, {**form.errors, "file": file_said}), status=422)
    if do.startswith("add-") and (section := do.removeprefix("add-")) in ROWS:
        place = url_for("candidate_profile.experience", more=section, _anchor=f"more-{section}")
        return redirect(place)
    if do in ("attach", "detach"):
        if has_new_file:
            flash(_("The PDF is attached. Nothing has been sent yet."), "success")
        return redirect(url_for("candidate_profile.experience", _anchor="field-file"))
    if form.errors:
        return _experience(form, status=422)
    return redirect(url_for("candidate_agreement.show"))


def _read() -> tuple[Answers, forms.Form]:
    """The answers as typed, and the form with what is wrong in them; blank rows are left out."""
    _values, form = forms.read(consents.EXPERIENCE, request.form, _)
    values: dict[str, Any] = dict(form.values)
    given: Answers = {"experience": dict(form.values)}
    errors = dict(form.errors)
    for section, schema in ROWS.items():
        rows: list[dict[str, Any]] = []
        for at in range(ROWS_MAX[section]):
            _meant, row = forms.read(schema, Prefixed(request.form, f"{section}-{at}-"), _)
            if not row.values:
                continue
            place = f"{section}-{len(rows)}-"
            values |= {f"{place}{name}": value for name, value in row.values.items()}
            errors |= {f"{place}{name}": said for name, said in row.errors.items()}
            rows.append(dict(row.values))
        given[section] = rows
    return given, forms.Form(values, errors)


def _file() -> tuple[tuple[bytes, int] | None, str]:
    """The file that was chosen and its pages, or the sentence why it cannot be taken."""
    here = visit.node()
    chosen = request.files.get("file")
    data = chosen.read() if chosen else b""
    if not chosen or (not data and not chosen.filename):
        return None, ""
    if not visit.limits().uploads.count(visit.current().link_id, here.clock.monotonic()):
        return None, _("Too many files were tried. Please wait an hour, or go on without one.")
    try:
        pages = consents.check_resume(data)
        virus_scanner.look_at(here.settings, data)
        return (data, pages), ""
    except Refusal as error:
        return None, _(error.sentence())


def _experience(
    form: forms.Form | None = None, *, more: str = "", status: int = 200
) -> ResponseReturnValue:
    here, link_id = visit.node(), visit.current().link_id
    with here.database.reading() as session:
        consents.open_link(session, here.context, link_id)
        draft = consents.load(session, here.context, link_id)
        if draft.state == "given":
            raise ConsentGiven
        page = render_template(
            "candidate/experience.html",
            sender=sender_of(session, here.context),
            form=form or _form_of(draft.answers),
            rows={section: _rows(draft.answers, section, more) for section in ROWS},
            rows_max=ROWS_MAX,
            fluencies=[(name, _(said)) for name, said in consents.FLUENCIES.items()],
            resume=consents.resume_of(session, here.context, draft),
        )
    return make_response(page, status)


def _form_of(answers: Answers) -> forms.Form:
    values: dict[str, Any] = dict(answers.get("experience", {}))
    for section in ROWS:
        for at, row in enumerate(answers.get(section, [])):
            values |= {f"{section}-{at}-{name}": value for name, value in row.items()}
    return forms.Form(values)


def _rows(answers: Answers, section: str, more: str) -> int:
    """How many rows of a section stand on the page."""
    filled = len(answers.get(section, []))
    wanted = filled + 1 if more == section else max(filled, OPEN_ROWS[section])
    return min(wanted, ROWS_MAX[section])
