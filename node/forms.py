"""Forms: what a person typed, what it means, and what to say when it means nothing.

A schema (marshmallow, a module-level singleton) says what a form holds; `read` gives the values it
found and a `Form` to show again. Only the declared fields are looked at, so nobody can set what the
page does not offer (ASVS 15.3.3).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from marshmallow import Schema, ValidationError, fields

from node.i18n import later

Row = TypeVar("Row")
View = TypeVar("View", bound=Callable[..., Any])

# marshmallow's own sentences, as a person would want to read them.
SENTENCES = {
    "Missing data for required field.": later("Please enter this."),
    "Field may not be null.": later("Please enter this."),
    "Not a valid integer.": later("Please enter a whole number."),
    "Not a valid number.": later("Please enter a number."),
    "Not a valid date.": later("Please enter a date such as 2026-11-22."),
    "Not a valid email address.": later("Please enter an e-mail address such as name@example.jp."),
    "Not a valid string.": later("This text has signs that cannot be stored."),
    "Not a valid boolean.": later("Please choose."),
}


class Typed(Protocol):
    """What Flask's `request.form` and `request.args` can do."""

    def __contains__(self, name: object, /) -> bool: ...
    def getlist(self, name: str, /) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Form:
    """A form as it is shown: the values in it, and one sentence for each field that is wrong."""

    values: Mapping[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def value(self, name: str) -> Any:  # noqa: ANN401 (whatever the page put in comes out)
        given = self.values.get(name)
        if isinstance(given, list):
            given = given[0] if given else None
        return "" if given is None else given

    def many(self, name: str) -> list[str]:
        """Every value of a field that may have several."""
        given = self.values.get(name)
        if given is None:
            return []
        return [str(one) for one in given] if isinstance(given, list | tuple) else [str(given)]

    def error(self, name: str) -> str | None:
        return self.errors.get(name)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a list: its rows, and the addresses of the pages beside it."""

    rows: Sequence[Row]
    previous: str | None = None
    next: str | None = None
    total: int | None = None


def read(schema: Schema, typed: Typed, say: Callable[[str], str]) -> tuple[dict[str, Any], Form]:
    """What `schema` makes of `typed`; `say` puts the sentences into the reader's language.

    Text is taken without the blanks around it, and a field left blank counts as not given.
    A form whose `errors` are empty is right, and only then the first value is whole.
    """
    given: dict[str, Any] = {}
    for name, one in schema.load_fields.items():
        texts = [_text(text) for text in typed.getlist(name)]
        if isinstance(one, fields.List):
            given[name] = [text for text in texts if text]
        elif texts and texts[0]:
            given[name] = texts[0]

    try:
        return dict(schema.load(given)), Form(given)
    except ValidationError as error:
        found = error.messages if isinstance(error.messages, dict) else {"form": error.messages}
        errors = {
            "form" if name == "_schema" else str(name): say(_sentence(said))
            for name, said in found.items()
        }
        partial = dict(error.valid_data) if isinstance(error.valid_data, dict) else {}
        return partial, Form(given, errors)


# What pasting brings along and nobody sees: control characters, and marks that turn the direction
# of writing. No other member takes them, and no page should show them.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def _text(typed: str) -> str:
    return _UNSEEN.sub("", typed.replace("\r\n", "\n")).strip()


def _sentence(said: object) -> str:
    """The first sentence of marshmallow's answer, which nests for lists and inner schemas."""
    while isinstance(said, dict | list):
        said = next(iter(said.values())) if isinstance(said, dict) else said[0]
    return SENTENCES.get(str(said), str(said))


def body_bytes_max(limit: int) -> Callable[[View], View]:
    """Let a view take a larger body than an ordinary form's; it stands below the route's line."""

    def mark(view: View) -> View:
        view.body_bytes_max = limit  # type: ignore[attr-defined]
        return view

    return mark
