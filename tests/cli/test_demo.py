"""`tasuki demo` as its users start it: the JSON at the end, and what is left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from node.cli.demo.founding import found
from node.cli.demo.nodes import NodeFailed, Nodes
from node.cli.demo.postgresql import NoPostgreSQL, installation
from node.cli.demo.workshop import Workshop, find, prepare
from node.cli.entrance import Failed
from tests.equipment.command_line import TASUKI, without_settings
from tests.equipment.databases import LONG_TESTS
from tests.equipment.federation import eventually

# Under 60 s on two idle cores; a machine that runs other tests beside it needs longer.
DEMO_TIMEOUT_S = 300

pytestmark = pytest.mark.federation


def demo(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TASUKI, "demo", *words],
        env=without_settings(),
        capture_output=True,
        text=True,
        timeout=DEMO_TIMEOUT_S,
        check=False,
    )


def nodes_below(pid: int) -> list[int]:
    """The nodes that a process started, by Linux's own account."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue  # it ended while we looked
        if b"node.cli.demo.child" in command and int(fields[1]) == pid:
            found.append(int(folder.name))
    return found


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.parametrize("nodes_on", LONG_TESTS)
def test_ten_referrals_cross_and_one_hire_is_free(nodes_on: str, tmp_path: Path) -> None:
    if nodes_on == "postgresql":
        try:
            installation()
        except NoPostgreSQL as reason:
            pytest.skip(str(reason))
    # PostgreSQL's folder must be one that its own user may enter; pytest's is not.
    where = ["--data", str(tmp_path / "demo")] if nodes_on == "sqlite" else []
    ended = demo("--once", "--nodes-on", nodes_on, *where)
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert len(lines) == 1, "standard output is for the summary"
    summary = json.loads(lines[0])
    assert summary.pop("seconds") > 0
    assert summary == {
        "members": 4,
        "quorum": 3,
        "imported": 120,
        "notices_sent": 40,
        "consents": 10,
        "referrals_accepted": 11,
        "points_before": 10,
        "points_after": 0,
        "free_hires": 1,
        "fee": 0,
        "erasure_receipts": 3,
        "profiles_left": 0,
        "notices_stopped": 1,
        "mails_refused": 1,
        "duplicates_settled": 1,
        "digests_equal": True,
        "plaintext_found": False,
    }
    if where:
        again = demo("--once", *where)
        assert again.returncode == 1
        assert "has been played already" in again.stderr


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("three years of work")
    ended = demo("--once", "--data", str(tmp_path))
    assert ended.returncode == 1
    assert "is not empty and holds no demonstration" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_demonstration_that_broke_off_is_not_gone_on_with(tmp_path: Path) -> None:
    workshop = prepare(tmp_path / "demo", "sqlite", 2525)
    workshop.save()
    ended = demo("--data", str(tmp_path / "demo"))
    assert ended.returncode == 1
    assert "broke off. Remove it" in ended.stderr


# --- Its nodes. ---


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Four founded nodes, ready to start."""
    workshop = prepare(tmp_path_factory.mktemp("workshop"), "sqlite", 2525)
    found(workshop)
    workshop.save()
    return workshop


def test_a_second_run_finds_its_way_by_what_the_first_wrote_down(workshop: Workshop) -> None:
    again = find(workshop.folder)
    assert again is not None
    assert again.places == workshop.places
    assert not again.finished
    (workshop.folder / "demo.json").chmod(0o600)
    for place in again.places:
        assert place.settings().public_url == place.url


def test_a_node_that_ends_is_named_with_its_log_and_the_others_are_stopped(
    workshop: Workshop,
) -> None:
    with Nodes(workshop.places) as nodes:
        os.kill(nodes_below(os.getpid())[0], signal.SIGKILL)
        with pytest.raises(NodeFailed) as failed:
            nodes.wait_until(lambda: None, "nothing will ever come true", 30)
    what, shown = failed.value.message.split(" Its log says last:\n")
    assert "ended with code -9" in what
    # What it left behind may still write a line or two.
    [log] = [place.log.read_text() for place in workshop.places if f"of {place.id} ended" in what]
    assert "POST" in shown
    assert shown in log
    assert nodes_below(os.getpid()) == []


def test_a_node_that_cannot_start_fails_at_once(workshop: Workshop) -> None:
    place = workshop["biwa"]
    content = place.env_file.read_text()
    place.env_file.write_text(content.replace("PASSPHRASE=", "PASSPHRASE=not "))
    try:
        with pytest.raises(NodeFailed, match="node of biwa ended with code 1"), Nodes([place]):
            pass
    finally:
        place.env_file.write_text(content)
    assert nodes_below(os.getpid()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of a death")
def test_nodes_end_with_a_demonstration_that_was_killed(workshop: Workshop) -> None:
    program = (
        "import sys, time\nfrom pathlib import Path\n"
        "from node.cli.demo.nodes import Nodes\nfrom node.cli.demo.workshop import find\n"
        "with Nodes(find(Path(sys.argv[1])).places[:1]): print('up', flush=True); time.sleep(300)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, workshop.folder], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "up\n"
        children = nodes_below(parent.pid)
        parent.kill()
    assert len(children) == 1
    eventually(lambda: not is_running(children[0]), timeout_s=30, what="the node to end")


def test_waiting_in_vain_says_for_what_and_how_long(workshop: Workshop) -> None:
    began = time.monotonic()
    with pytest.raises(Failed, match="Waited 1 s: pigs should fly"):
        Nodes([]).wait_until(lambda: None, "pigs should fly", 1)
    assert time.monotonic() - began < 10
