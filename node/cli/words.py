"""The words of the command line, each loaded when it is spoken: help and mistakes come at once."""

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click


@dataclass(frozen=True, slots=True)
class Word:
    """Where a word's command stands, and what the list of words says of it."""

    module: str
    name: str
    sentence: str

    def load(self) -> click.Command:
        """The command itself, with everything that it needs."""
        command = getattr(import_module(self.module), self.name)
        assert isinstance(command, click.Command), command
        return command


class _Vocabulary(MutableMapping[str, click.Command]):
    """Words -> commands, as click asks for them; a command is loaded when it is taken out."""

    def __init__(self, words: Mapping[str, Word]) -> None:
        self._words = words
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, word: str) -> click.Command:
        if word not in self._loaded:
            self._loaded[word] = self._words[word].load()
        return self._loaded[word]

    def __setitem__(self, word: str, command: click.Command) -> None:
        self._loaded[word] = command

    def __delitem__(self, word: str) -> None:
        raise NotImplementedError("a word once said stays")

    def __iter__(self) -> Iterator[str]:
        return iter({**self._words, **self._loaded})

    def __len__(self) -> int:
        return len({**self._words, **self._loaded})


class LateGroup(click.Group):
    """A group of words of which only the one that is spoken is loaded."""

    def __init__(
        self,
        name: str | None = None,
        *,
        words: Mapping[str, Word],
        **more: Any,  # noqa: ANN401 (click's own options of a group)
    ) -> None:
        super().__init__(name, _Vocabulary(words), **more)
        self._words = words

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 (click's own signature)
        formatter: click.HelpFormatter,
    ) -> None:
        """List the words from the table; click would load every one of them for its sentence."""
        with formatter.section("Commands"):
            formatter.write_dl([(word, self._words[word].sentence) for word in sorted(self._words)])
