"""Real node processes of one alliance on loopback: founded in a folder, started, stopped, killed.

Each node is `tasuki serve` with its own keys, database and port. The tests speak to a node through
its doors; to put something into its outbox or look into its database they open that database beside
the running process, as a second process of the same node would.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

from node import config, keyring_file
from node.installation import Node
from node.keyring import NodeKeys
from node.opening import open_node
from node.services import membership
from protocol import CHARTER, Charter, Policy, SigningKey, propose_quorum, sign
from tests.equipment.alliance import MEMBERS, member_of

PASSPHRASE = "a passphrase for tests only"
START_TIMEOUT_S = 90
STOP_TIMEOUT_S = 40
POLL_S = 0.2
SERVE = (sys.executable, "-c", "from node.cli import main; main()", "serve")


def eventually(condition: Callable[[], bool], *, timeout_s: float, what: str) -> None:
    """Wait until `condition` holds; fail with `what` was waited for."""
    ends_at = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < ends_at, f"waited {timeout_s} s in vain: {what}"
        time.sleep(POLL_S)


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses now; all are held until the last is found, so that they differ."""
    with ExitStack() as stack:
        found = []
        for _ in range(count):
            place = stack.enter_context(socket.socket())
            place.bind(("127.0.0.1", 0))
            found.append(int(place.getsockname()[1]))
        return found


@dataclass
class RunningNode:
    """One member: its settings, its process when it runs, and a second door into its database."""

    member: str
    port: int
    environment: dict[str, str]
    folder: Path
    node: Node
    process: subprocess.Popen[bytes] | None = None
    command: Sequence[str] = SERVE
    more: list[str] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.folder / "serve.log"

    def start(self) -> None:
        """Start the process and wait until it answers."""
        self.start_without_waiting()
        self.wait_until_up()

    def wait_until_up(self) -> None:
        """Wait until the process that was started answers."""
        eventually(self._answers, timeout_s=START_TIMEOUT_S, what=f"{self.member} to answer")

    def start_without_waiting(self) -> None:
        """Start the process, for whoever measures how soon it answers."""
        assert self.process is None
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.command, *self.more],
                env=self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()[-4000:]
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("POST", "/peer/v1/hello", body=b"{}")
            return connection.getresponse().status in (401, 415)
        except OSError:
            return False
        finally:
            connection.close()

    def stop(self) -> int:
        """End it in order; the exit code."""
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(STOP_TIMEOUT_S)
        self.process = None
        return code

    def kill(self) -> None:
        """kill -9, the process and all that it started."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(STOP_TIMEOUT_S)
            self.process = None

    def close(self) -> None:
        self.kill()
        self.node.close()


class Federation:
    """An alliance of processes: `federation["aoba"].start()`."""

    def __init__(
        self,
        nodes: dict[str, RunningNode],
        charter: Charter,
        identities: Mapping[str, SigningKey],
    ) -> None:
        self.nodes, self.charter, self.identities = nodes, charter, identities

    def __getitem__(self, member: str) -> RunningNode:
        return self.nodes[member]

    def start(self) -> Self:
        for running in self.nodes.values():
            running.start_without_waiting()
        for running in self.nodes.values():
            running.wait_until_up()
        return self

    def close(self) -> None:
        for running in self.nodes.values():
            running.close()


@contextmanager
def founded(
    folder: Path,
    *,
    members: Sequence[str] = MEMBERS,
    database_urls: Sequence[str] = (),
    settings: dict[str, str] | None = None,
    public_urls: Mapping[str, str] | None = None,
    credit_limit: int = 20,
    ports: Mapping[str, int] | None = None,
) -> Iterator[Federation]:
    """Found an alliance whose nodes are ready to start; all are killed at the end.

    Members with a public URL of their own stand behind a proxy, which may have to know their port.
    """
    ports = ports or dict(zip(members, free_ports(len(members)), strict=True))
    identities = {member: SigningKey.generate() for member in members}
    nodes: dict[str, RunningNode] = {}
    try:
        for place, member in enumerate(members):
            url = database_urls[place] if database_urls else ""
            more = dict(settings or {})
            if public_urls and member in public_urls:
                more["TASUKI_PUBLIC_URL"] = public_urls[member]
            nodes[member] = _prepare(
                folder / member, member, ports[member], identities[member], url, more
            )
        federation = Federation(nodes, _found(nodes, identities, credit_limit), identities)
        yield federation
    finally:
        for running in nodes.values():
            running.close()


def _prepare(
    folder: Path,
    member: str,
    port: int,
    identity: SigningKey,
    database_url: str,
    more: dict[str, str],
) -> RunningNode:
    folder.mkdir(parents=True)
    values = {
        "TASUKI_DATA_DIR": str(folder),
        "TASUKI_MEMBER_ID": member,
        "TASUKI_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "TASUKI_LISTEN": f"127.0.0.1:{port}",
        "TASUKI_PASSPHRASE": PASSPHRASE,
        "TASUKI_PULL_INTERVAL_S": "2",
        **({"TASUKI_DATABASE_URL": database_url} if database_url else {}),
        **more,
    }
    settings = config.parse(values)
    keyring_file.create(settings.key_file, PASSPHRASE, NodeKeys.generate(identity.verify_key))
    node = open_node(settings)
    node.database.upgrade()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(config.PREFIX)}
    return RunningNode(member, port, kept | values, folder, node)


def _found(
    nodes: dict[str, RunningNode], identities: dict[str, SigningKey], credit_limit: int
) -> Charter:
    q, b = propose_quorum(len(nodes))
    draft = Charter(
        alliance="minato",
        name="みなと採用連合",
        version=1,
        previous=bytes(32),
        members=tuple(
            member_of(r.member, r.node.keyring, r.node.settings.public_url, credit_limit)
            for r in nodes.values()
        ),
        q=q,
        b=b,
        policy=Policy(),
    )
    keys = list(identities.values())
    document = sign(CHARTER, draft.encode(), keys[0])
    for key in keys[1:]:
        document = document.add(key)
    adopted = draft
    for running in nodes.values():
        with running.node.database.transaction() as session:
            adopted = membership.adopt(session, running.node.context, document, actor="cli")
    return adopted
