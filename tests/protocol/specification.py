"""SPEC.md as a test reads it: fenced examples with the vector each is taken from, tables, sections.

    ```json order/valid_order#payload       the part of a vector that the example shows
    ```http request/valid_request           the message as it travels
    ```base request/valid_request           what its signature is made of

A step behind `#` goes into an object or a list; base64url that holds JSON is read on the way. In an
example `…` stands for what is left out: within a text, as the last item, or as one more member.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from protocol import b64decode
from protocol.errors import ProtocolError
from tests.equipment.source import ROOT
from tests.protocol import vector

PATH = ROOT / "protocol" / "SPEC.md"
TEXT = PATH.read_text(encoding="utf-8")
LEFT_OUT = "…"
_FENCE = re.compile(r"^```(\w*) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Example:
    """One fenced block: its language, the vector that it names, and what stands in it."""

    line: int
    language: str
    source: str
    text: str

    @property
    def vector(self) -> dict[str, Any]:
        path = vector.FOLDER / f"{self.source.partition('#')[0]}.json"
        fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return fields

    @property
    def shown(self) -> Any:  # noqa: ANN401 (any JSON)
        """The part of the vector that the example claims to be."""
        steps = self.source.partition("#")[2]
        value: Any = self.vector["input"]
        if steps == "result":
            return self.vector["result"]
        value = _read(value)
        for step in filter(None, steps.split(".")):
            value = _read(value[int(step) if step.isdigit() else step])
        return value


def examples(*languages: str) -> Iterator[Example]:
    """The fenced blocks in these languages."""
    for found in _FENCE.finditer(TEXT):
        language, source, text = found.groups()
        if language in languages:
            yield Example(TEXT.count("\n", 0, found.start()) + 1, language, source, text)


def fits(example: Any, whole: Any) -> bool:  # noqa: ANN401 (any JSON)
    """Whether the example is the whole, but for what it leaves out."""
    if isinstance(example, str) and LEFT_OUT in example:
        return _fits_text(example, whole)
    if type(example) is not type(whole):
        return False
    if isinstance(example, dict):
        named = example.keys() - {LEFT_OUT}
        if not named <= whole.keys() or (LEFT_OUT not in example and named != whole.keys()):
            return False
        return all(fits(example[name], whole[name]) for name in named)
    if isinstance(example, list):
        return _fits_list(example, whole)
    return bool(example == whole)


def _fits_text(example: str, whole: Any) -> bool:  # noqa: ANN401 (any JSON)
    if example == LEFT_OUT:
        return True
    start, _, end = example.partition(LEFT_OUT)
    return isinstance(whole, str) and whole.startswith(start) and whole.endswith(end)


def _fits_list(example: list[Any], whole: list[Any]) -> bool:
    if example[-1:] == [LEFT_OUT]:
        # At least one more: an example says `…` for something.
        if len(whole) < len(example):
            return False
        return all(map(fits, example[:-1], whole))
    return len(example) == len(whole) and all(map(fits, example, whole))


def _read(value: Any) -> Any:  # noqa: ANN401 (any JSON)
    """What a vector's bytes hold: `{"text": ...}`, or base64url, with JSON in it; else itself."""
    if isinstance(value, dict) and value.keys() == {"text"}:
        return json.loads(value["text"])
    if isinstance(value, str):
        try:
            return json.loads(b64decode(value))
        except (ProtocolError, ValueError):
            return value
    return value


def rows(heading: str) -> list[list[str]]:
    """The cells of the tables in a section, without their heads."""
    section = TEXT[TEXT.index(f"## {heading}") :]
    section = section[: section.find("\n## ", 3)]
    found = []
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `"):
            found.append([cell.rstrip(" |") for cell in cells])
    return found


def sections() -> set[str]:
    """Numbers and names of all sections."""
    heads = re.findall(r"^#{2,3} ([0-9.]+) (.*)$", TEXT, re.MULTILINE)
    return {number.rstrip(".") for number, _ in heads} | {name for _, name in heads}
