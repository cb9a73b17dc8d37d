"""Pages of the nodes as the demonstration reads them: their forms, links and words.

Nothing is sent that a person could not send: a field, a choice or a button that the page does not
have stops the demonstration with the page's name.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TypeAlias
from urllib.parse import urlsplit

from node.cli.entrance import Failed

VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
BUTTONS = ("submit", "image", "reset", "button")
BOXES = ("checkbox", "radio")


class PageUnexpected(Failed):
    """A page of a node is not as the demonstration knows it."""


@dataclass(frozen=True, slots=True)
class File:
    """A file chosen in a form."""

    name: str
    content: bytes
    kind: str = "application/octet-stream"


Value: TypeAlias = str | list[str] | File


@dataclass(slots=True)
class Control:
    """A field of a form: its name, what it may be, and what it is now."""

    name: str
    type: str
    value: str = ""
    id: str = ""
    action: str = ""  # a button may send the form elsewhere
    chosen: bool = True
    options: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Form:
    """A form of a page, with its fields as the page has filled them in."""

    id: str
    action: str
    method: str
    multipart: bool
    controls: list[Control] = field(default_factory=list)

    def target(self, press: str) -> str:
        """Where the form goes; a button may have its own place."""
        own = [c.action for c in self.controls if c.id == press and c.type in BUTTONS]
        return (own and own[0]) or self.action

    def choices(self, name: str) -> list[str]:
        """The values that may be ticked or chosen under a name."""
        found = [c for c in self.controls if c.name == name]
        return [value for c in found for value in (c.options or [c.value])]


class Reader(HTMLParser):
    """Reads the forms, links and texts of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.links: list[tuple[str, str, str]] = []  # address, id, words
        self.texts: dict[str, str] = {}
        self.rows: dict[str, int] = {}  # of each table with an id
        self.text = ""
        self._open: list[tuple[str, str]] = []
        self._form: Form | None = None
        self._control: Control | None = None
        self._outside: list[tuple[str, Control]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what begins here."""
        given = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self._open.append((tag, given.get("id", "")))
        if tag == "tr" and any(each == "tbody" for each, _ in self._open):
            for id_ in (id_ for each, id_ in self._open if each == "table"):
                self.rows[id_] = self.rows.get(id_, 0) + 1
        if tag == "form":
            kind = given.get("enctype", "")
            self._form = Form(
                given.get("id", ""),
                given.get("action", ""),
                given.get("method", "get").lower(),
                kind == "multipart/form-data",
            )
            self.forms.append(self._form)
        elif tag == "a":
            self.links.append((given.get("href", ""), given.get("id", ""), ""))
        elif tag in ("input", "textarea", "select", "button"):
            self._begin_control(tag, given)
        elif tag == "option" and self._control is not None:
            self._control.options.append(given.get("value", ""))
            if "selected" in given or len(self._control.options) == 1:
                self._control.value = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        """Note what ends here."""
        while self._open and self._open[-1][0] != tag:
            self._open.pop()
        if self._open:
            self._open.pop()
        if tag == "form":
            self._form = None
        elif tag in ("textarea", "select"):
            if self._control is not None and tag == "textarea":
                # HTML: a line break right after the tag belongs to the source.
                self._control.value = self._control.value.removeprefix("\n")
            self._control = None

    def handle_data(self, data: str) -> None:
        """Add words to everything they stand in."""
        self.text += data
        for _, id_ in self._open:
            if id_:
                self.texts[id_] = self.texts.get(id_, "") + data
        if self.links and any(tag == "a" for tag, _ in self._open):
            address, id_, words = self.links[-1]
            self.links[-1] = (address, id_, words + data)
        if self._control is not None and self._control.type == "textarea":
            self._control.value += data

    def close(self) -> None:
        """Hand the fields that stand outside of their form to it."""
        super().close()
        by_id = {form.id: form for form in self.forms if form.id}
        for owner, control in self._outside:
            if owner in by_id:
                by_id[owner].controls.append(control)

    def _begin_control(self, tag: str, given: dict[str, str]) -> None:
        default = "submit" if tag == "button" else "text"
        kind = given.get("type", default) if tag in ("input", "button") else tag
        control = Control(given.get("name", ""), kind.lower(), given.get("value", ""))
        control.id, control.action = given.get("id", ""), given.get("formaction", "")
        if kind in ("checkbox", "radio"):
            control.value = given.get("value", "on")
            control.chosen = "checked" in given
        if tag in ("textarea", "select"):
            self._control = control
        if "disabled" in given or not (control.name or kind in BUTTONS):
            return
        if owner := given.get("form"):
            self._outside.append((owner, control))
        elif self._form is not None:
            self._form.controls.append(control)


@dataclass(frozen=True, slots=True)
class Page:
    """What came back: its address, its status, and what stands on it."""

    url: str
    status: int
    reader: Reader

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def text(self) -> str:
        """All words of the page, blanks made one."""
        return " ".join(self.reader.text.split())

    def boxes(self, name: str) -> list[str]:
        """The values of the check boxes with that name, on the whole page."""
        return [
            control.value
            for form in self.reader.forms
            for control in form.controls
            if control.type == "checkbox" and control.name == name
        ]

    def text_of(self, id_: str) -> str:
        """The words inside the element with that id; PageUnexpected without one."""
        if id_ not in self.reader.texts:
            raise self.unexpected(f"there is nothing called {id_}")
        return " ".join(self.reader.texts[id_].split())

    def has(self, id_: str) -> bool:
        """Tell whether an element with that id has words."""
        return id_ in self.reader.texts

    def rows(self, table: str) -> int:
        """How many rows the table with that id has; none where it is not shown."""
        return self.reader.rows.get(table, 0)

    def form(self, name: str) -> Form:
        """The form with that id, with a button of that id, or whose action ends so."""
        for form in self.reader.forms:
            target = urlsplit(form.action or self.path).path
            buttons = [c.id for c in form.controls if c.type in BUTTONS]
            if form.id == name or name in buttons or target.endswith(name):
                return form
        known = [form.id or form.action for form in self.reader.forms]
        raise self.unexpected(f"there is no form {name}, only {known}")

    def link(self, name: str) -> str:
        """The address of the link with that id; PageUnexpected without one."""
        for address, id_, _ in self.reader.links:
            if id_ == name:
                return address
        raise self.unexpected(f"there is no link {name}")

    def unexpected(self, what: str) -> PageUnexpected:
        """An error that names this page, and what it said."""
        said = " ".join(
            self.reader.texts.get(id_, "") for id_ in ("form-errors", "refusal", "messages")
        )
        return PageUnexpected(
            f"{self.url} (status {self.status}): {what}. {' '.join(said.split())}".rstrip()
        )


def read(url: str, status: int, content: bytes) -> Page:
    """Read a page."""
    reader = Reader()
    reader.feed(content.decode("utf-8", "replace"))
    reader.close()
    return Page(url, status, reader)


def filled(
    page: Page, form: Form, values: dict[str, Value], press: str
) -> list[tuple[str, str | File]]:
    """The names and values as a browser would send them."""
    _check(page, form, values, press)
    pairs: list[tuple[str, str | File]] = []
    for control in form.controls:
        wanted = values.get(control.name)
        if control.type in BUTTONS:
            if control.name and control.id == press:
                pairs.append((control.name, control.value))
        elif control.type in BOXES:
            chosen = wanted if isinstance(wanted, list) else [wanted]
            if control.value in chosen if wanted is not None else control.chosen:
                pairs.append((control.name, control.value))
        elif control.type == "file":
            pairs.append((control.name, wanted if isinstance(wanted, File) else File("", b"")))
        elif isinstance(wanted, list):
            pairs += [(control.name, each) for each in wanted]
        else:
            pairs.append((control.name, control.value if wanted is None else wanted))
    return pairs


def _check(page: Page, form: Form, values: dict[str, Value], press: str) -> None:
    """Raise PageUnexpected for anything that this form could not be made to send."""
    title = form.id or form.action
    by_name: dict[str, list[Control]] = {}
    for control in form.controls:
        by_name.setdefault(control.name, []).append(control)
    for name, wanted in values.items():
        found = by_name.get(name)
        if not found:
            raise page.unexpected(f"the form {title} has no field {name}")
        if all(control.type in (*BOXES, "select") for control in found):
            asked = wanted if isinstance(wanted, list) else [wanted]
            offered = form.choices(name)
            if missing := [each for each in asked if each not in offered]:
                raise page.unexpected(f"{name} cannot be {missing}, only {offered}")
    buttons = [control.id for control in form.controls if control.type in BUTTONS]
    if press and press not in buttons:
        raise page.unexpected(f"the form {title} has no button {press}, only {buttons}")
