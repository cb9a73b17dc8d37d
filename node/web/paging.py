"""Pages by key in addresses: where a page begins, and the addresses of those beside it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from flask import request, url_for

from node import forms
from node.refusals import ValueInvalid
from node.services.pages import Cursor, Page

Row = TypeVar("Row")
PAGE_ROWS = 50


def place(name: str, *types: type) -> tuple[Any, ...] | None:
    """The key that a page's address carries under `name`, as text joined with ~."""
    text = request.args.get(name, "")
    if not text:
        return None
    parts = text.split("~")
    if len(parts) != len(types):
        raise ValueInvalid(field=name)
    try:
        found = tuple(each(part) for each, part in zip(types, parts, strict=True))
    except ValueError as error:
        raise ValueInvalid(field=name) from error
    if any(isinstance(each, int) and abs(each) >= 2**53 for each in found):
        raise ValueInvalid(field=name)
    return found


def cursor() -> tuple[Cursor | None, bool]:
    """Where the asked page begins, and whether it is turned back to."""
    newer = place("newer", int, str)
    found = newer or place("older", int, str)
    return (found[0], found[1]) if found else None, newer is not None


def turned(page: Page[Row], endpoint: str, **query: Any) -> forms.Page[Row]:  # noqa: ANN401
    """The page with the addresses of its neighbours; what is filtered for stays."""
    return forms.Page(
        page.rows,
        previous=page.before and url_for(endpoint, newer=key_text(page.before), **query),
        next=page.after and url_for(endpoint, older=key_text(page.after), **query),
    )


def key_text(key: Iterable[object]) -> str:
    """A key as an address carries it."""
    return "~".join(str(part) for part in key)


def chosen(name: str, allowed: Mapping[str, object] | Sequence[str]) -> str:
    """A filter's value out of the address, if it is one of `allowed`."""
    value = request.args.get(name, "")
    return value if value in allowed else ""
