"""A fifth company joins four: by commands and two telephone calls, over real HTTP."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from node import config
from node.opening import open_node
from tests.equipment.by_command import (
    PATIENCE_S,
    all_at,
    decide,
    in_force,
    knows,
    refer_and_wait,
    tasuki,
)
from tests.equipment.command_line import Office, office, without_settings
from tests.equipment.federation import Federation, RunningNode, eventually
from tests.equipment.standing import agree, balance, digests, offer_from

pytestmark = pytest.mark.federation


@contextmanager
def newcomer(federation: Federation, folder: Path) -> Iterator[tuple[Office, RunningNode]]:
    """A company with keys of its own that belongs to nothing yet, and its node."""
    here = office(folder / "delta", "delta")
    here.values["TASUKI_PULL_INTERVAL_S"] = "2"  # type: ignore[index]
    ended = here.init("--admin", "taro")
    assert ended.code == 0, ended.err
    settings = config.parse(dict(here.values))
    running = RunningNode(
        "delta",
        int(here.values["TASUKI_LISTEN"].rpartition(":")[2]),
        without_settings() | dict(here.values),
        here.folder,
        open_node(settings),
    )
    federation.nodes["delta"] = running
    yield here, running


def invited(sponsor: RunningNode, here: Office) -> Path:
    """The invitation, as it lies on the newcomer's desk."""
    file = here.folder / "invitation.json"
    tasuki(sponsor, "invite", "write", "delta", "--domain", "127.0.0.1", "--out", str(file))
    return file


def fingerprint_of(running: RunningNode, member: str) -> str:
    """As its own IT reads it aloud."""
    said = tasuki(running, "charter", "show")
    members = said["members"]
    assert isinstance(members, list)
    return next(str(each["fingerprint"]) for each in members if each["id"] == member)


def test_a_fifth_company_joins_reads_the_whole_ledger_and_takes_part(
    federation: Federation, tmp_path: Path
) -> None:
    agree(federation["biwa"])
    federation.start()
    refer_and_wait(federation, "aoba", "biwa", 1)
    # The history that it will read runs through two versions, in one of which it is no member.
    decide(federation, "--limit", "biwa=33", by="aoba", with_=("biwa", "seeds"))
    eventually(lambda: all_at(federation, 2), timeout_s=PATIENCE_S, what="version 2 everywhere")
    refer_and_wait(federation, "aoba", "biwa", 2)

    with newcomer(federation, tmp_path) as (here, delta):
        aoba = federation["aoba"]
        file = invited(aoba, here)
        heard = fingerprint_of(aoba, "aoba")
        said = json.loads(here.tasuki("join", "request", str(file), "--heard", heard, "--json").out)
        draft = str(
            tasuki(aoba, "invite", "admit", "delta", "--heard", said["fingerprint"])["digest"]
        )
        sheet = ("--recovery-sheet", str(here.sheet))
        accepted = here.tasuki("join", "accept", str(file), *sheet, "--json")
        assert accepted.code == 0, accepted.err
        delta.start()
        for name in ("biwa", "seeds"):
            eventually(
                lambda: knows(federation[name], draft),  # noqa: B023 (asked within this turn)
                timeout_s=PATIENCE_S,
                what=f"{name} to hear of the draft",
            )
            tasuki(federation[name], "charter", "approve", draft)
        eventually(lambda: all_at(federation, 3), timeout_s=PATIENCE_S, what="version 3 everywhere")
        assert in_force(delta).member("delta").legal_name == "株式会社delta"
        assert {balance(each, "aoba") for each in federation.nodes.values()} == {2}

        # It belongs: what it refers is delivered and paid, and certified by its vote as well.
        offer_from(delta, "biwa")
        eventually(
            lambda: all(balance(each, "delta") == 1 for each in federation.nodes.values()),
            timeout_s=PATIENCE_S,
            what="a point of delta in everybody's books",
        )
        eventually(
            lambda: len(digests(federation.nodes.values())) == 1,
            timeout_s=PATIENCE_S,
            what="equal digests",
        )
        # Its history runs through three versions, in two of which it was no member.
        assert tasuki(delta, "ledger", "verify")["certificates"] == 3
        listed = tasuki(aoba, "invite", "list")["invitations"]
        assert isinstance(listed, list)
        assert [each["state"] for each in listed] == ["joined"]


def test_a_wrong_voice_a_wrong_secret_and_a_second_answer_bring_nobody_in(
    federation: Federation, tmp_path: Path
) -> None:
    aoba = federation["aoba"]
    aoba.start()
    with newcomer(federation, tmp_path) as (here, _):
        file = invited(aoba, here)
        wrong = here.tasuki("join", "request", str(file), "--heard", "1 2 3 4 5 6")
        assert wrong.code == 1
        assert "fingerprint-mismatch" in wrong.err

        heard = fingerprint_of(aoba, "aoba")
        opened = json.loads(file.read_text())
        opened["invitation"]["secret"] = "A" * 22
        forged = tmp_path / "forged.json"
        forged.write_text(json.dumps(opened))
        stranger = here.tasuki("join", "request", str(forged), "--heard", heard)
        assert stranger.code == 1
        assert "invitation-invalid" in stranger.err

        assert here.tasuki("join", "request", str(file), "--heard", heard).code == 0
        # Again, with the same card, after a line that broke: the same answer.
        assert here.tasuki("join", "request", str(file), "--heard", heard).code == 0
        early = here.tasuki("join", "accept", str(file), "--recovery-sheet", str(here.sheet))
        assert early.code == 1
        assert "tasuki invite admit delta" in early.err

        thief = office(tmp_path / "thief", "delta")
        assert thief.init().code == 0
        stolen = thief.tasuki("join", "request", str(file), "--heard", heard)
        assert stolen.code == 1
        assert "invitation-used" in stolen.err
