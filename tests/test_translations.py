"""Every sentence a person reads has its Japanese, and every Japanese sentence is still said.

Sentences are found where they stand: `_("…")` in Python and in templates, and the docstrings of
refusals, which are shown as they are. `python -m tests.test_translations` prints what is missing,
ready to be pasted into the .po file of its topic.
"""

import importlib
import pkgutil
import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from babel.messages.extract import extract
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

import node
from node.i18n import DEFAULT_LANGUAGE, FOLDER, translations, translator
from node.refusals import Refusal
from protocol import ProtocolError
from tests.equipment.source import ROOT, files, lesson, shown

KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "lazy_gettext": None,
    "later": None,
    "say": None,
    "ngettext": (1, 2),
    "lazy_ngettext": (1, 2),
}
# Commands speak English, to people who read logs.
COMMANDS = ROOT / "node" / "cli"
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w*)\}")

ROOTS: tuple[type[Exception], ...] = (ProtocolError, Refusal)

Sentence = str | tuple[str, ...]


def sentences_of(path: Path) -> set[Sentence]:
    """The sentences marked for translation in a file."""
    with path.open("rb") as file:
        if path.suffix == ".py":
            found = [message for _, message, _, _ in extract("python", file, KEYWORDS)]
        else:
            options = {"silent": "false", "trimmed": "false"}
            found = [message for _, _, message, _ in babel_extract(file, KEYWORDS, [], options)]
    return {_sentence(message) for message in found if message}


def _sentence(message: str | tuple[str | None, ...]) -> Sentence:
    """One sentence, or its singular and plural; arguments that are no text are left out."""
    parts = tuple(part for part in parts_of(message) if part)
    return parts if len(parts) > 1 else parts[0]


def refusals() -> set[type[Exception]]:
    """Every refusal of the protocol and of the node."""
    for module in pkgutil.walk_packages(node.__path__, "node."):
        # These run something when they are imported.
        if not module.name.endswith((".__main__", ".wsgi")) and "migrations" not in module.name:
            importlib.import_module(module.name)
    found: set[type[Exception]] = set()
    waiting: list[type[Exception]] = [*ROOTS]
    while waiting:
        refusal = waiting.pop()
        found.add(refusal)
        waiting.extend(refusal.__subclasses__())
    return found


@cache
def said() -> dict[Sentence, str]:
    """Every sentence, and where it stands."""
    every = files(".py", ".html", folders=("node", "protocol"))
    return said_in((path for path in every if not path.is_relative_to(COMMANDS)), refusals())


def said_in(paths: Iterable[Path], refused: Iterable[type[Exception]]) -> dict[Sentence, str]:
    """The sentences of these files, and of these refusals."""
    found: dict[Sentence, str] = {}
    for path in paths:
        for sentence in sentences_of(path):
            found.setdefault(sentence, shown(path))
    for refusal in refused:
        sentence = " ".join((refusal.__doc__ or "").split())
        # The roots of the two trees are never raised themselves.
        if refusal not in ROOTS and "code" in vars(refusal):
            found.setdefault(sentence, f"{refusal.__module__}.{refusal.__name__}")
    return found


@cache
def written(language: str = "ja") -> dict[Sentence, list[tuple[str, Sentence]]]:
    """Every translated sentence: in which files, and how."""
    found: dict[Sentence, list[tuple[str, Sentence]]] = defaultdict(list)
    for path in sorted((FOLDER / language).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="ja", abort_invalid=True):
                if message.id:
                    assert not message.fuzzy, f"{path.name}: {message.id!r} is marked as a guess"
                    id_ = tuple(message.id) if isinstance(message.id, list | tuple) else message.id
                    text = message.string
                    said_ = tuple(text) if isinstance(text, list | tuple) else text
                    found[id_].append((path.name, said_))
    return dict(found)


def missing() -> dict[Sentence, str]:
    return {
        sentence: place
        for sentence, place in said().items()
        if not any(all(parts_of(text)) for _, text in written().get(sentence, []))
    }


def parts_of(text: str | tuple[str | None, ...]) -> tuple[str | None, ...]:
    return text if isinstance(text, tuple) else (text,)


def test_every_sentence_has_its_japanese() -> None:
    assert not missing(), lesson(
        "HR reads Japanese first. Add the sentence to node/translations/ja/<topic>.po, as a "
        "Japanese HR department would write it.",
        [f"{place}: {sentence!r}" for sentence, place in missing().items()],
    )


def test_no_translation_is_left_over() -> None:
    unused = [
        f"{name}: {sentence!r}"
        for sentence, places in written().items()
        for name, _ in places
        if sentence not in said()
    ]
    assert not unused, lesson("Nobody says this any more: take it out of the .po file.", unused)


def test_a_sentence_is_translated_in_one_way() -> None:
    several = [
        f"{sentence!r}: {places}"
        for sentence, places in written().items()
        if len({text for _, text in places}) > 1
    ]
    assert not several, lesson(
        "One word, one meaning: the files of two topics translate this differently.", several
    )


def test_placeholders_survive_translation() -> None:
    changed = []
    for sentence, places in written().items():
        wanted = {name for part in parts_of(sentence) for name in PLACEHOLDER.findall(part)}
        for file, text in places:
            used = {name for part in parts_of(text) for name in PLACEHOLDER.findall(part)}
            if not used <= wanted or (isinstance(sentence, str) and used != wanted):
                changed.append(f"{file}: {sentence!r} -> {text!r}")
    assert not changed, lesson("A name, a number or a link would be lost.", changed)


def test_japanese_is_spoken_until_somebody_chooses() -> None:
    assert translator(DEFAULT_LANGUAGE)("Sign in") == "ログイン"
    assert translator("en")("Sign in") == "Sign in"
    assert translator("fr")("Sign in") == "ログイン"
    assert translations("en").gettext("Sign in") == "Sign in"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


if __name__ == "__main__":
    for one, where in sorted(missing().items(), key=lambda pair: pair[1]):
        parts = parts_of(one)
        print(f"#: {where}\nmsgid {_quoted(parts[0])}", file=sys.stdout)
        if len(parts) > 1:
            print(f"msgid_plural {_quoted(parts[1])}\nmsgstr[0] " + '""\n')
        else:
            print('msgstr ""\n')
