"""`tasuki keys` as an IT team types it: new keys, the right sheet, and what doctor says of them."""

import json
from pathlib import Path

import pytest

from tests.equipment.command_line import Office, office


@pytest.fixture
def aoba(tmp_path: Path) -> Office:
    """A member of an alliance of its own; its node does not run, so nothing is decided."""
    here = office(tmp_path / "aoba", "aoba")
    assert here.init().code == 0
    charter = tmp_path / "charter.json"
    drafted = here.tasuki(
        *("found", "draft", "--alliance", "minato", "--name", "みなと", "--out", str(charter)),
        *("--recovery-sheet", str(here.sheet), str(here.card)),
    )
    assert drafted.code == 0, drafted.err
    assert here.tasuki("found", "adopt", str(charter)).code == 0
    return here


def shown(here: Office) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(here.tasuki("keys", "show", "--json").out)["keys"]
    return found


def node_keys(here: Office) -> list[tuple[str, str, str]]:
    found = json.loads(here.tasuki("doctor", "--json").out)["findings"]
    return [(e["state"], e["text"], e["advice"]) for e in found if e["name"] == "node keys"]


def test_new_keys_are_staged_and_told_and_a_second_time_they_are_the_same(aoba: Office) -> None:
    (only,) = shown(aoba)
    assert only["state"] == "in-use"
    assert [state for state, *_ in node_keys(aoba)] == ["ok"]
    first = aoba.tasuki("keys", "rotate", "--recovery-sheet", str(aoba.sheet))
    assert first.code == 0, first.err
    assert "New keys are staged" in first.out
    assert [each["state"] for each in shown(aoba)] == ["in-use", "staged"]
    file = (aoba.folder / "data" / "keys" / "node.key").read_bytes()
    # Typed from the paper, as it stands there.
    second = aoba.tasuki("keys", "rotate", "--json", typed=f"{aoba.recovery_code}\n")
    assert second.code == 0, second.err
    told = json.loads(second.out[second.out.index("{") :])
    assert told["told"] is True
    assert str(told["staged"]["signing_key"]) in first.out
    assert (aoba.folder / "data" / "keys" / "node.key").read_bytes() == file

    drafts = json.loads(aoba.tasuki("charter", "status", "--json").out)["drafts"]
    assert [(each["changes"], each["ready"]) for each in drafts] == [(["node-keys aoba"], True)]
    in_hand, waiting = node_keys(aoba)
    assert in_hand[0] == "ok"
    assert waiting[0] == "warning"
    assert "wait for a decree since" in waiting[1]
    words = aoba.tasuki("keys", "show").out
    assert words.startswith("in use\n")
    assert "staged, waiting for a decree\n" in words


def test_the_sheet_of_somebody_else_is_refused_and_nothing_is_drawn(
    aoba: Office, tmp_path: Path
) -> None:
    other = office(tmp_path / "biwa", "biwa")
    assert other.init().code == 0
    ended = aoba.tasuki("keys", "rotate", "--recovery-sheet", str(other.sheet))
    assert ended.code == 1
    assert "identity-foreign: This is not the identity key" in ended.err
    assert len(shown(aoba)) == 1


def test_where_nobody_can_be_asked_the_option_is_named(aoba: Office) -> None:
    ended = aoba.tasuki("keys", "rotate")
    assert ended.code == 1
    assert "--recovery-sheet" in ended.err


def test_before_the_founding_there_is_nothing_to_replace(tmp_path: Path) -> None:
    here = office(tmp_path / "seeds", "seeds")
    assert here.init().code == 0
    ended = here.tasuki("keys", "rotate", "--recovery-sheet", str(here.sheet))
    assert ended.code == 1
    assert "not-founded" in ended.err
    assert "None of them is the key that a charter names" in here.tasuki("keys", "show").out


def test_a_draft_in_a_file_is_brought_in_once_and_nonsense_is_refused(
    aoba: Office, tmp_path: Path
) -> None:
    out = tmp_path / "draft.json"
    written = aoba.tasuki("keys", "rotate", "--recovery-sheet", str(aoba.sheet), "--out", str(out))
    assert written.code == 0, written.err
    brought = json.loads(aoba.tasuki("charter", "draft", "--file", str(out), "--json").out)
    assert brought["changes"] == ["node-keys aoba"]
    assert len(json.loads(aoba.tasuki("charter", "status", "--json").out)["drafts"]) == 1
    nonsense = aoba.tasuki("charter", "draft", "--file", str(aoba.card))
    assert nonsense.code == 1
    both = aoba.tasuki("charter", "draft", "--file", str(out), "--nothing")
    assert both.code == 2
