"""`tasuki charter` as people type it: at a node, and on a machine that has none."""

import json
from pathlib import Path

import pytest

from protocol import decree
from tests.equipment.command_line import Office, office
from tests.protocol.decree.drafts import enact, founded, founding, without

FIRST = founded()
EXPELLED, SECOND = enact(FIRST, members=without(FIRST, "bridge"))
PAPER = FIRST.digest.hex()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A machine on which nothing was set up, not even a setting."""
    return Office(tmp_path_factory.mktemp("bare"), {})


def chain_file(folder: Path, *decrees: decree.Decree) -> Path:
    file = folder / "chain.json"
    file.write_bytes(decree.encode_chain(founding(), decrees))
    return file


def test_a_chain_is_proven_on_a_machine_that_has_no_node(bare: Office, tmp_path: Path) -> None:
    file = chain_file(tmp_path, EXPELLED)
    said = bare.tasuki("charter", "verify", str(file), "--digest", PAPER)
    assert said.code == 0, said.err
    assert "Version 1: aoba, biwa, seeds, bridge founded" in said.out
    assert "changes: expel bridge" in said.out
    assert "All 2 versions are proven" in said.out
    assert "Accounts that are closed: bridge" in said.out
    assert list(bare.folder.iterdir()) == []


def test_a_script_reads_who_signed_and_what_changed(bare: Office, tmp_path: Path) -> None:
    file = chain_file(tmp_path, EXPELLED)
    said = json.loads(bare.tasuki("charter", "verify", str(file), "--digest", PAPER, "--json").out)
    assert said["proven"]
    assert said["in_force"]["digest"] == SECOND.digest.hex()
    assert said["versions"][1]["changes"] == ["expel bridge"]
    assert said["versions"][1]["needed"] == 3


def test_what_is_proven_is_told_and_what_is_not_ends_with_exit_code_1(
    bare: Office, tmp_path: Path
) -> None:
    file = chain_file(tmp_path, EXPELLED, EXPELLED)
    said = bare.tasuki("charter", "verify", str(file), "--digest", PAPER)
    assert said.code == 1
    assert "Version 2" in said.out
    assert "All 2" not in said.out
    assert "Proven up to version 2, and no further. charter-rollback" in said.err


def test_another_founding_than_the_one_on_paper_proves_nothing(
    bare: Office, tmp_path: Path
) -> None:
    file = chain_file(tmp_path, EXPELLED)
    said = bare.tasuki("charter", "verify", str(file), "--digest", "00" * 32, "--json")
    assert said.code == 1
    assert json.loads(said.out) == {
        "in_force": None,
        "proven": False,
        "refusal": "charter-invalid",
        "versions": [],
    }


def test_a_digest_that_is_none_is_asked_for_again(bare: Office, tmp_path: Path) -> None:
    file = chain_file(tmp_path)
    said = bare.tasuki("charter", "verify", str(file), "--digest", "5e5e")
    assert said.code == 2
    assert "64 hexadecimal digits" in said.err


def test_a_node_shows_its_charter_and_hands_out_the_proof(tmp_path: Path, bare: Office) -> None:
    aoba = office(tmp_path / "aoba", "aoba")
    assert aoba.init().code == 0
    nothing = aoba.tasuki("charter", "show")
    assert (nothing.code, "not-founded" in nothing.err) == (1, True)

    paper, file = tmp_path / "charter.json", tmp_path / "chain.json"
    sheet = ("--recovery-sheet", str(aoba.sheet))
    draft = ("found", "draft", "--alliance", "minato", "--name", "みなと採用連合")
    assert aoba.tasuki(*draft, "--out", str(paper), *sheet, str(aoba.card)).code == 0
    adopted = json.loads(aoba.tasuki("found", "adopt", str(paper), "--json").out)

    shown = aoba.tasuki("charter", "show", "--out", str(file))
    assert shown.code == 0, shown.err
    assert adopted["digest"] in shown.out
    as_json = json.loads(aoba.tasuki("charter", "show", "--json").out)
    assert (as_json["version"], as_json["q"], as_json["digest"]) == (1, 1, adopted["digest"])
    assert as_json["members"][0]["fingerprint"] in shown.out
    proven = bare.tasuki("charter", "verify", str(file), "--digest", adopted["digest"])
    assert proven.code == 0, proven.err
