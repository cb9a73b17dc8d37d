"""`tasuki serve` and `tasuki worker`: start, answer, stop in order and in time."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.cli.demo.browser import Browser
from tests.equipment.command_line import TASUKI, Office
from tests.equipment.federation import RunningNode, founded

# systemd waits 40 s; an idle node needs a second or two.
STOP_WITHIN_S = 15

pytestmark = pytest.mark.federation


@pytest.fixture
def node(tmp_path: Path) -> Iterator[RunningNode]:
    with founded(tmp_path / "nodes", members=("aoba", "biwa")) as alliance:
        yield alliance["aoba"]


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_serve_stops_in_order_when_it_is_told(node: RunningNode, by: signal.Signals) -> None:
    node.start()
    process = node.process
    assert process is not None
    began = time.monotonic()
    process.send_signal(by)
    assert process.wait(STOP_WITHIN_S) == 0
    node.process = None
    assert time.monotonic() - began < STOP_WITHIN_S
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)  # nothing that it started is left
    socket.create_server(("127.0.0.1", node.port)).close()  # its port is free
    assert b"worker stopped" in node.log.read_bytes()


def test_serve_without_keys_says_so_and_ends(tmp_path: Path) -> None:
    here = Office(tmp_path, {"TASUKI_DATA_DIR": str(tmp_path), "TASUKI_PASSPHRASE": "a" * 12})
    ended = here.tasuki("serve")
    assert ended.code == 1
    assert "There is no key file; run `tasuki init`" in ended.err


def test_a_port_that_is_in_use_is_said_in_one_sentence(node: RunningNode) -> None:
    with socket.create_server(("127.0.0.1", node.port)):
        ended = subprocess.run(
            [*TASUKI, "serve"], env=node.environment, capture_output=True, text=True, check=False
        )
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "Error: Something listens on this port already, perhaps this very node. Stop it, or give "
        f"TASUKI_LISTEN another port. (127.0.0.1:{node.port})"
    ]


def test_an_address_of_another_machine_is_said_in_one_sentence(node: RunningNode) -> None:
    elsewhere = {**node.environment, "TASUKI_LISTEN": "192.0.2.1:8080"}
    ended = subprocess.run(
        [*TASUKI, "serve"], env=elsewhere, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "does not let the node listen" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_pages_alone_run_without_a_worker(node: RunningNode) -> None:
    node.more = ["--no-worker"]
    node.start()
    page = Browser(f"http://127.0.0.1:{node.port}").open("/sign-in")
    assert page.status == 200
    assert node.stop() == 0
    assert b"worker started" not in node.log.read_bytes()


def test_a_second_worker_on_sqlite_is_refused(node: RunningNode) -> None:
    ended = subprocess.run(
        [*TASUKI, "worker"], env=node.environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "On SQLite the worker runs inside `tasuki serve`" in ended.stderr


def test_doctor_finds_a_running_node_well_and_its_absent_peer_not(node: RunningNode) -> None:
    node.start()
    findings = doctor(node)
    assert findings["signature"]["state"] == "ok"
    assert findings["keys"]["state"] == findings["database"]["state"] == "ok"
    assert findings["peer"]["state"] == "wrong"
    assert "not-reached" in findings["peer"]["text"]
    assert findings["peer"]["advice"]
    assert node.stop() == 0


def test_doctor_says_that_a_node_does_not_run(node: RunningNode) -> None:
    found = doctor(node)["signature"]
    assert found["state"] == "wrong"
    assert "nobody answers" in found["text"]


def test_doctor_finds_a_key_file_that_others_may_read(node: RunningNode) -> None:
    (node.folder / "keys" / "node.key").chmod(0o644)
    found = doctor(node)
    assert found["keys"]["state"] == "wrong"
    assert "chmod 600" in found["keys"]["advice"]
    # What needs the keys is left out rather than reported as broken, too.
    assert "signature" not in found


def doctor(node: RunningNode) -> dict[str, dict[str, str]]:
    """What doctor finds, by name; the test's own mail server is missing, so it ends with 1."""
    ended = subprocess.run(
        [*TASUKI, "doctor", "--json"],
        env=node.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    said = json.loads(ended.stdout)
    assert said["wrong"] == sum(each["state"] == "wrong" for each in said["findings"])
    assert all(each["advice"] for each in said["findings"] if each["state"] != "ok")
    return {each["name"]: each for each in said["findings"]}
