"""Templates of notices: list, editor with its preview, remarks in words, and every version."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from node import forms, models
from node.i18n import APPLICANT_LANGUAGES, later
from node.services import notices, templates, users
from node.services.templates import Problem, TemplateInvalid, lint, variables
from node.web.entrance import node, require_role, user

blueprint = Blueprint("templates", __name__, url_prefix="/templates")

KIND_NAMES = {
    templates.WITH_LINK: later("With private link"),
    templates.WITHOUT_LINK: later("Without private link"),
}


class Written(Schema):
    """A template as it is typed; what it may say is the service's to judge."""

    name = fields.String(load_default="")
    kind = fields.String(load_default=templates.WITH_LINK, validate=validate.OneOf(templates.KINDS))
    language = fields.String(load_default="ja", validate=validate.OneOf(list(APPLICANT_LANGUAGES)))
    subject = fields.String(load_default="")
    body = fields.String(load_default="")


WRITTEN = Written()


@blueprint.get("")
@require_role()
def listing() -> ResponseReturnValue:
    """The templates in use, or with `?archived=1` those put away."""
    archived = request.args.get("archived") == "1"
    with node().database.reading() as session:
        rows = templates.listing(session, archived=archived)
        latest = {row.id: templates.versions(session, row.id)[0] for row in rows}
        names = users.names(session)
    return render_template(
        "templates/list.html",
        rows=rows,
        latest=latest,
        names=names,
        archived=archived,
        languages_=APPLICANT_LANGUAGES,
    )


@blueprint.post("/defaults")
@require_role("recruiter")
def install_defaults() -> ResponseReturnValue:
    """Begin with our own texts."""
    here = node()
    with here.database.transaction() as session:
        made = templates.install_defaults(session, here.context, user_id=user().id)
    if made:
        flash(_("The sample templates have been added. Change them to your own words."), "success")
    return redirect(url_for("templates.listing"))


@blueprint.get("/new")
@require_role("recruiter")
def new() -> ResponseReturnValue:
    """An editor that begins with our own text in the language asked for."""
    begun = templates.default_for(request.args.get("language", "ja"))
    values = {"kind": templates.WITH_LINK, "language": begun.language}
    form = forms.Form({**values, "name": "", "subject": begun.subject, "body": begun.body})
    return _editor(form, template=None)


@blueprint.post("/new")
@require_role("recruiter")
def create() -> ResponseReturnValue:
    """Save the first version, or show what must be corrected."""
    values, form = forms.read(WRITTEN, request.form, _)
    if form.errors:
        return _editor(form, template=None)
    here = node()
    try:
        with here.database.transaction() as session:
            templates.create(session, here.context, **values, user_id=user().id)
    except TemplateInvalid as refusal:
        return _editor(_with(form, refusal), template=None)
    flash(_("The template has been saved."), "success")
    return redirect(url_for("templates.listing"))


@blueprint.get("/<template_id>")
@require_role()
def edit(template_id: str) -> ResponseReturnValue:
    """The editor on the current version, or on an older one with `?version=n`."""
    asked = request.args.get("version", "")
    version = int(asked) if asked.isascii() and asked.isdigit() else None
    with node().database.reading() as session:
        found = templates.get(session, template_id)
        text = templates.text_of(session, template_id, version)
    form = forms.Form(
        {
            "name": found.name,
            "kind": text.kind if version else found.kind,
            "language": found.language,
            "subject": text.subject,
            "body": text.body,
        }
    )
    return _editor(form, template=found, shown_version=text.version)


@blueprint.post("/<template_id>")
@require_role("recruiter")
def change(template_id: str) -> ResponseReturnValue:
    """Save a new version."""
    here = node()
    with here.database.reading() as session:
        found = templates.get(session, template_id)
    values, form = forms.read(WRITTEN, request.form, _)
    if form.errors:
        return _editor(form, template=found)
    try:
        with here.database.transaction() as session:
            saved = templates.change(
                session, here.context, template_id, **values, user_id=user().id
            )
            version = saved.current_version
    except TemplateInvalid as refusal:
        return _editor(_with(form, refusal), template=found)
    flash(_("The template has been saved as version %(version)s.", version=version), "success")
    return redirect(url_for("templates.listing"))


@blueprint.post("/<template_id>/archive")
@require_role("recruiter")
def archive(template_id: str) -> ResponseReturnValue:
    """Put it away, or with `restore=yes` take it out again."""
    here, archived = node(), request.form.get("restore") != "yes"
    with here.database.transaction() as session:
        templates.archive(session, here.context, template_id, archived=archived, user_id=user().id)
    said = _("The template has been put away.") if archived else _("The template is back in use.")
    flash(said, "success")
    return redirect(url_for("templates.listing"))


@blueprint.get("/<template_id>/versions")
@require_role()
def versions(template_id: str) -> ResponseReturnValue:
    """Every version, the newest first."""
    with node().database.reading() as session:
        found = templates.get(session, template_id)
        rows = templates.versions(session, template_id)
        names = users.names(session)
    return render_template("templates/versions.html", template=found, rows=rows, names=names)


@blueprint.post("/preview")
@require_role()
def preview() -> ResponseReturnValue:
    """The fragment beside the editor: the letter as it would look, and what to correct. POST,
    because a letter is too long for an address; nothing is stored.
    """
    values, form = forms.read(WRITTEN, request.form, _)
    if form.errors:
        values = {**WRITTEN.load({}), **values}
    return _preview(values)


def _preview(values: dict[str, str]) -> str:
    return render_template("templates/_preview.html", **_looked_at(values))


def _looked_at(values: dict[str, str]) -> dict[str, object]:
    """What the preview shows of these words."""
    kind, subject, body = values["kind"], values["subject"], values["body"]
    # A template needs its name only when it is saved.
    found = templates.problems(kind, values["name"] or "-", subject, body)
    remarks = [one for one in lint.findings(subject, body) if not one.stops]
    letters: dict[str, tuple[str, str]] = {}
    if not found:
        text = templates.Text("", 0, kind, values["language"], subject, body)
        here = node()
        with here.database.reading() as session:
            letters = _letters(session, text)
    return {
        "problems": found,
        "remarks": remarks,
        "letters": letters,
        "said": said,
        "said_remark": said_remark,
    }


def _letters(session: Session, text: templates.Text) -> dict[str, tuple[str, str]]:
    context = node().context
    found = {"with": notices.sample(session, context, text)}
    if text.has_link:
        found["without"] = notices.sample(session, context, text, with_link=False)
    return found


def _with(form: forms.Form, refusal: TemplateInvalid) -> forms.Form:
    """Put the problems beside their fields; the first of each field is enough there."""
    for problem in refusal.problems:
        field = problem.place.where if problem.place else "body"
        field = problem.name if problem.code == "template-length" else field
        form.errors.setdefault(field, said(problem))
    return form


def said(problem: Problem) -> str:
    """A problem in words, with the name and the place it concerns."""
    sentence = str(_(problem.sentence))
    if problem.place is None or problem.code == "template-length":
        return sentence
    place = _(
        "line %(line)s, column %(column)s", line=problem.place.line, column=problem.place.column
    )
    if problem.code == "variable-unknown":
        return f"{{{{{problem.name}}}}} ― {sentence} ({place})"
    return f"{sentence} ({place})"


def said_remark(remark: lint.Finding) -> str:
    """A remark in words: what was found, why it is remarked, and where."""
    sentence = str(_(remark.sentence))
    if remark.place is None:
        return sentence
    where = _("Subject") if remark.place.where == "subject" else _("Body")
    return str(
        _(
            "\u201c%(words)s\u201d (%(where)s, line %(line)s): %(sentence)s",
            words=remark.words,
            where=where,
            line=remark.place.line,
            sentence=sentence,
        )
    )


def _editor(
    form: forms.Form, *, template: models.Template | None, shown_version: int | None = None
) -> ResponseReturnValue:
    values = {name: str(form.value(name)) for name in WRITTEN.load_fields}
    page = render_template(
        "templates/edit.html",
        form=form,
        template=template,
        shown_version=shown_version,
        variables=variables.VARIABLES,
        languages_=APPLICANT_LANGUAGES.items(),
        kinds_shown=[(kind, _(name)) for kind, name in KIND_NAMES.items()],
        chars_max=(
            templates.NAME_CHARS_MAX,
            templates.SUBJECT_CHARS_MAX,
            templates.BODY_CHARS_MAX,
        ),
        **_looked_at(values),
    )
    return make_response(page, 422 if form.errors else 200)
