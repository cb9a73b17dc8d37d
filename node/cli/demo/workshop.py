"""The demonstration's folder: where each node keeps its files, and what a second run needs to know.

What people wrote or were sent (the applicant list, the mails) is not kept here but in memory, so
that every byte below this folder is a node's own and can be searched.
"""

import json
import os
import socket
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

from node import config
from node.cli.demo.cast import COMPANIES
from node.cli.entrance import Failed
from node.config import Settings

MEMO = "demo.json"
FORMAT = "tasuki-demo-1"
# One passphrase opens every node of the demonstration; a real one is made by each member.
PASSPHRASE = "demonstration only"  # noqa: S105 (nothing real lies behind it)

# Long enough at seeds for HR to change its mind, short enough to be waited for.
CANCEL_WINDOW_S = {"seeds": 12}


@dataclass(slots=True)
class User:
    """Somebody who signs in at a node."""

    login: str
    password: str
    name: str
    role: str


@dataclass(slots=True)
class Place:
    """One node of the demonstration: its folder, its settings, its users."""

    id: str
    folder: Path
    port: int
    database_url: str = ""
    users: list[User] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def env_file(self) -> Path:
        return self.folder / "tasuki.env"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def settings(self) -> Settings:
        """The node's settings, as the node itself will read them."""
        values = config.parse_environment_file(self.env_file.read_text(encoding="utf-8"))
        return config.parse(values)

    def user(self, role: str) -> User:
        return next(user for user in self.users if user.role == role)


@dataclass(slots=True)
class Workshop:
    """The folder and its four places."""

    folder: Path
    nodes_on: str
    smtp_port: int
    places: list[Place]
    finished: bool = False

    def __getitem__(self, member: str) -> Place:
        return next(place for place in self.places if place.id == member)

    def save(self) -> None:
        """Write down what a second run needs: ports, users, whether the story was told."""
        places = [
            {
                "id": place.id,
                "port": place.port,
                "database_url": place.database_url,
                "users": [asdict(user) for user in place.users],
            }
            for place in self.places
        ]
        content = {
            "format": FORMAT,
            "nodes_on": self.nodes_on,
            "smtp_port": self.smtp_port,
            "finished": self.finished,
            "places": places,
        }
        memo = self.folder / MEMO
        memo.touch(mode=0o600)
        memo.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")

    def write_settings(self) -> None:
        """One environment file for each node, as `tasuki` reads it."""
        for place in self.places:
            place.folder.mkdir(mode=0o700, exist_ok=True)
            place.env_file.touch(mode=0o600)
            lines = {
                "DATA_DIR": place.folder,
                "DATABASE_URL": place.database_url,
                "PUBLIC_URL": place.url,
                "LISTEN": f"127.0.0.1:{place.port}",
                "MEMBER_ID": place.id,
                "PASSPHRASE": PASSPHRASE,
                "SMTP_URL": f"smtp://127.0.0.1:{self.smtp_port}",
                "MAIL_FROM": f"recruit@{place.id}.example.jp",
                "CANCEL_WINDOW_S": CANCEL_WINDOW_S.get(place.id, 1),
                "PULL_INTERVAL_S": 2,
                "DEMO": 1,
            }
            content = "".join(f"TASUKI_{name}={value}\n" for name, value in lines.items())
            place.env_file.write_text(content, encoding="utf-8")


def prepare(folder: Path, nodes_on: str, smtp_port: int) -> Workshop:
    """A new workshop in an empty folder."""
    folder.mkdir(parents=True, exist_ok=True)
    ports = free_ports(len(COMPANIES))
    places = [
        Place(company.id, folder / company.id, port)
        for company, port in zip(COMPANIES, ports, strict=True)
    ]
    return Workshop(folder, nodes_on, smtp_port, places)


def find(folder: Path) -> Workshop | None:
    """The workshop an earlier run left here; None in an empty folder; Failed in any other."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    try:
        content = json.loads((folder / MEMO).read_text(encoding="utf-8"))
        known = content["format"] == FORMAT
    except (OSError, ValueError, KeyError, TypeError):
        content, known = {}, False
    if not known:
        raise Failed(
            f"{folder} is not empty and holds no demonstration. Name an empty folder, or a new one."
        )
    places = [
        Place(
            each["id"],
            folder / each["id"],
            each["port"],
            each["database_url"],
            [User(**user) for user in each["users"]],
        )
        for each in content["places"]
    ]
    return Workshop(
        folder, content["nodes_on"], content["smtp_port"], places, finished=content["finished"]
    )


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at the moment, each another one."""
    with ExitStack() as stack:
        bound = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in bound]


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a node's log, to be shown with what went wrong."""
    if not log.exists():
        return "(no log)"
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 20_000))
        text = file.read().decode("utf-8", "replace")
    return "\n".join(text.splitlines()[-lines:])
