"""The help of the command line: every command has one, with an example that could be typed."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from node.cli import WORDS, main

# What a node is made of, and help does without.
HEAVY = ("node.app", "flask", "sqlalchemy", "alembic", "cryptography", "nacl", "structlog")


def commands(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command by the words that lead to it, groups included."""
    yield words
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from commands(each, (*words, name))


def ending(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that words lead to, and what is left of them."""
    command: click.Command = main
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    return command, words


@pytest.mark.parametrize("words", list(commands(main)), ids=" ".join)
def test_every_command_says_what_it_is_for(words: tuple[str, ...]) -> None:
    said = CliRunner().invoke(main, [*words, "--help"], prog_name="tasuki")
    assert said.exit_code == 0, said.output
    assert said.output.startswith(f"Usage: {' '.join(('tasuki', *words))}")
    assert len(said.output.splitlines()) > 3


@pytest.mark.parametrize("words", list(commands(main)), ids=" ".join)
def test_the_example_of_every_command_could_be_typed(words: tuple[str, ...]) -> None:
    command: click.Command = main
    for word in words:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    if isinstance(command, click.Group):
        return
    said = CliRunner().invoke(main, [*words, "--help"], prog_name="tasuki").output
    example = re.search(r"Example: (?:[A-Z_]+=\S+ )*tasuki (.*)", " ".join(said.split()))
    assert example is not None, said
    target, rest = ending(shlex.split(example.group(1)))
    assert target is command
    known = {name for each in target.params for name in (*each.opts, *each.secondary_opts)}
    assert {word for word in rest if word.startswith("-")} <= known


def test_the_list_of_words_says_what_each_says_of_itself() -> None:
    for word, place in WORDS.items():
        assert place.sentence == place.load().get_short_help_str(limit=100), word


def test_help_and_a_word_that_is_none_load_nothing_of_a_node() -> None:
    for words in (["--help"], ["--version"], ["sevre"]):
        script = f"import sys; from node.cli import main; main({words!r}, standalone_mode=False)"
        told = f"sys.exit(' '.join(set({HEAVY!r}) & set(sys.modules)))"
        whole = f"try:\n exec({script!r})\nexcept Exception: pass\nimport sys; {told}"
        ended = subprocess.run(
            [sys.executable, "-c", whole], capture_output=True, text=True, check=False
        )
        assert ended.stderr.strip() == "", f"tasuki {' '.join(words)} loads {ended.stderr}"
