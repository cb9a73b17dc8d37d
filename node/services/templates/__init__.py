"""Templates of notices: written, checked, kept in versions that never change.  DOMAIN 2.1 R7.

A text that could send nonsense cannot be saved: an unknown variable, a brace too many, a link that
is missing or stands twice, a gift. Everything else a careful colleague would remark is advice.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.i18n import APPLICANT_LANGUAGES, later
from node.refusals import Refusal
from node.services import audit
from node.services.templates import lint, variables
from node.services.templates.defaults import DEFAULTS, Default

WITH_LINK = "with_link"
WITHOUT_LINK = "without_link"
KINDS = (WITH_LINK, WITHOUT_LINK)

# What Japanese recruiting systems allow (DOMAIN 1.5), so that texts can move here unchanged.
NAME_CHARS_MAX = 60
SUBJECT_CHARS_MAX = 100
BODY_CHARS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a text cannot be saved: a code, a sentence, and where it stands."""

    code: str
    sentence: str
    name: str = ""
    place: variables.Place | None = None


class TemplateInvalid(Refusal, code="template-invalid", status=422):
    """The template cannot be saved as it is. Correct the places named below."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems=[(one.code, one.name) for one in problems])
        self.problems = problems


class TemplateUnknown(Refusal, code="template-unknown", status=404):
    """This template does not exist. Choose one from the list."""


@dataclass(frozen=True, slots=True)
class Text:
    """A template's words as they are sent: one version of it."""

    template_id: str
    version: int
    kind: str
    language: str
    subject: str
    body: str

    @property
    def has_link(self) -> bool:
        """Tell whether the notice invites to a private link."""
        return self.kind == WITH_LINK

    def body_for(self, *, with_link: bool) -> str:
        """Return the body for a person who gets a link, or for one who does not."""
        return self.body if with_link else variables.without_passage(self.body)

    def needs(self, *, with_link: bool) -> frozenset[str]:
        """Return the variables that must have a value for such a person."""
        return variables.names(self.subject, self.body_for(with_link=with_link))

    def render(self, values: Mapping[str, str], *, with_link: bool) -> tuple[str, str]:
        """Fill subject and body; every variable it `needs` must have a value."""
        body = variables.fill(self.body_for(with_link=with_link), values)
        return variables.fill(self.subject, values), body


def problems(kind: str, name: str, subject: str, body: str) -> tuple[Problem, ...]:
    """Return every reason why this cannot be saved, in the order of the page."""
    found = [
        Problem("template-length", later("Enter this text, within the length given."), field)
        for field, text, most in (
            ("name", name, NAME_CHARS_MAX),
            ("subject", subject, SUBJECT_CHARS_MAX),
            ("body", body, BODY_CHARS_MAX),
        )
        if not 0 < len(text.strip()) <= most or (field != "body" and "\n" in text)
    ]
    for where, text in (("subject", subject), ("body", body)):
        found += [
            Problem("variable-unknown", later("There is no such variable."), use.written, use.place)
            for use in variables.uses(where, text)
            if use.name is None
        ]
        found += [
            Problem("brace-stray", later("A brace stands alone here."), "", place)
            for place in variables.strays(where, text)
        ]
    found += _link_problems(kind, subject, body)
    found += [
        Problem(one.code, one.sentence, one.words, one.place)
        for one in lint.findings(subject, body)
        if one.stops
    ]
    return tuple(found)


def _link_problems(kind: str, subject: str, body: str) -> list[Problem]:
    """The private link stands exactly once, in the body, and what belongs to it beside it."""
    found = [
        Problem("link-in-subject", later("This belongs into the body."), use.written, use.place)
        for use in variables.uses("subject", subject)
        if use.name in variables.OF_THE_LINK
    ]
    uses = list(variables.uses("body", body))
    links = [use for use in uses if use.name == variables.LINK]
    if kind == WITHOUT_LINK:
        return found + [
            Problem(
                "link-unwanted",
                later("This template is one without a private link."),
                use.written,
                use.place,
            )
            for use in uses
            if use.name in variables.OF_THE_LINK
        ]
    if not links:
        sentence = later("The private link is missing; it must stand in the body exactly once.")
        found.append(Problem("link-missing", sentence, variables.LINK))
    for use in links[1:]:
        sentence = later("The private link stands here again; once is enough.")
        found.append(Problem("link-repeated", sentence, use.written, use.place))
    begin, end = variables.passage(body) or (0, len(body))
    return found + [
        Problem(
            "expiry-apart",
            later("The expiry must stand in the same paragraph as the private link."),
            use.written,
            use.place,
        )
        for use in uses
        if use.name == variables.LINK_EXPIRY and not begin <= use.start < end
    ]


def create(
    session: Session,
    context: Context,
    *,
    name: str,
    kind: str,
    language: str,
    subject: str,
    body: str,
    user_id: str,
) -> models.Template:
    """Make a template with its first version; raise TemplateInvalid naming every problem."""
    _check(kind, language, name, subject, body)
    template = models.Template(
        id=uuid.uuid4().hex, name=name.strip(), kind=kind, language=language, current_version=1
    )
    session.add(template)
    session.flush()
    _add_version(session, context, template.id, 1, subject, body, user_id)
    audit.record(
        session, context, actor=user_id, action="template.create", subject=template.id, detail=kind
    )
    return template


def change(
    session: Session,
    context: Context,
    template_id: str,
    *,
    name: str,
    kind: str,
    language: str,
    subject: str,
    body: str,
    user_id: str,
) -> models.Template:
    """Write a new version; the old ones stay as they were sent."""
    template = get(session, template_id, lock=True)
    _check(kind, language, name, subject, body)

    template.name, template.kind, template.language = name.strip(), kind, language
    latest = text_of(session, template_id)
    if (latest.subject, latest.body) != (subject.strip(), _body(body)):
        template.current_version += 1
        number = template.current_version
        _add_version(session, context, template_id, number, subject, body, user_id)
    audit.record(
        session,
        context,
        actor=user_id,
        action="template.change",
        subject=template.id,
        detail=f"version={template.current_version}",
    )
    return template


def archive(
    session: Session, context: Context, template_id: str, *, archived: bool, user_id: str
) -> None:
    """Put a template away, or take it out again; what was sent with it stays readable."""
    template = get(session, template_id, lock=True)
    template.archived = archived
    action = "template.archive" if archived else "template.restore"
    audit.record(session, context, actor=user_id, action=action, subject=template_id)


def install_defaults(session: Session, context: Context, *, user_id: str) -> int:
    """Add our own texts where there is no template yet; return how many."""
    if session.scalar(select(func.count()).select_from(models.Template)):
        return 0
    for text in DEFAULTS:
        create(
            session,
            context,
            name=text.name,
            kind=WITH_LINK,
            language=text.language,
            subject=text.subject,
            body=text.body,
            user_id=user_id,
        )
    return len(DEFAULTS)


def default_for(language: str) -> Default:
    """Return our own text in `language`, to begin a template with."""
    return next((one for one in DEFAULTS if one.language == language), DEFAULTS[0])


def listing(session: Session, *, archived: bool = False) -> list[models.Template]:
    """Return the templates in use, or those put away, by name."""
    rows = select(models.Template).where(models.Template.archived.is_(archived))
    return list(session.scalars(rows.order_by(models.Template.name, models.Template.id)))


def get(session: Session, template_id: str, *, lock: bool = False) -> models.Template:
    """Return one template; raise TemplateUnknown."""
    template = session.get(models.Template, template_id, with_for_update=True if lock else None)
    if template is None:
        raise TemplateUnknown
    return template


def versions(session: Session, template_id: str) -> list[models.TemplateVersion]:
    """Return every version, the newest first."""
    rows = select(models.TemplateVersion).where(models.TemplateVersion.template_id == template_id)
    return list(session.scalars(rows.order_by(models.TemplateVersion.version.desc())))


def text_of(session: Session, template_id: str, version: int | None = None) -> Text:
    """Return the words of a version, by default the current one; raise TemplateUnknown."""
    template = get(session, template_id)
    number = template.current_version if version is None else version
    row = session.get(models.TemplateVersion, (template_id, number))
    if row is None:
        raise TemplateUnknown
    # The kind may have changed since; what the words hold decides for an old version.
    kind = WITH_LINK if variables.LINK in variables.names(row.body) else WITHOUT_LINK
    return Text(template_id, number, kind, template.language, row.subject, row.body)


def _check(kind: str, language: str, name: str, subject: str, body: str) -> None:
    assert kind in KINDS, "the form offers no other"
    assert language in APPLICANT_LANGUAGES, "the form offers no other"
    found = problems(kind, name, subject, body)
    if found:
        raise TemplateInvalid(found)


def _add_version(
    session: Session,
    context: Context,
    template_id: str,
    version: int,
    subject: str,
    body: str,
    user_id: str,
) -> None:
    session.add(
        models.TemplateVersion(
            template_id=template_id,
            version=version,
            subject=subject.strip(),
            body=_body(body),
            created_by=user_id,
            created_at=context.clock.now(),
        )
    )


def _body(typed: str) -> str:
    """Return the body as it is stored: lines ended in one way, one at the end, none before."""
    return typed.replace("\r\n", "\n").strip() + "\n"
