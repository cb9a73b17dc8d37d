"""The command line as people use it: a process of its own, with its own environment."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from node import config
from tests.equipment.federation import free_ports

PASSPHRASE = "a passphrase for tests only"
TASUKI = (sys.executable, "-m", "node.cli")
TIMEOUT_S = 60


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Office:
    """One member's machine: a folder, an environment, and `tasuki`."""

    folder: Path
    values: Mapping[str, str]

    def tasuki(self, *words: str, typed: str = "", **changed: str) -> Ended:
        """Run a command here; `changed` replaces settings, such as PASSPHRASE="…"."""
        settings = dict(self.values) | {f"TASUKI_{k}": v for k, v in changed.items()}
        ended = subprocess.run(
            [*TASUKI, *words],
            input=typed,
            env=without_settings() | settings,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert "Traceback" not in ended.stderr, ended.stderr
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def init(self, *words: str) -> Ended:
        described = {
            "--legal-name": f"株式会社{self.values['TASUKI_MEMBER_ID']}",
            "--address": "東京都港区芝1-1-1",
            "--representative": "代表取締役 髙橋 一郎",
            "--business": "情報サービス",
            "--contact": "03-0000-0000",
        }
        return self.tasuki("init", *(w for pair in described.items() for w in pair), *words)

    @property
    def card(self) -> Path:
        return self.folder / "data" / "member-card.json"

    @property
    def sheet(self) -> Path:
        return self.folder / "data" / "recovery-sheet.txt"

    @property
    def recovery_code(self) -> str:
        """The code as it stands on the sheet."""
        lines = self.sheet.read_text(encoding="utf-8").splitlines()
        return next(line.strip() for line in lines if line.count("-") >= 13)


def office(folder: Path, member: str) -> Office:
    """A member's machine on which nothing was done yet."""
    folder.mkdir(parents=True)
    port = free_ports(1)[0]
    return Office(
        folder,
        {
            "TASUKI_DATA_DIR": str(folder / "data"),
            "TASUKI_MEMBER_ID": member,
            "TASUKI_PASSPHRASE": PASSPHRASE,
            "TASUKI_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "TASUKI_LISTEN": f"127.0.0.1:{port}",
        },
    )


def without_settings() -> dict[str, str]:
    """The developer's environment, without a node of their own in it."""
    return {k: v for k, v in os.environ.items() if not k.startswith(config.PREFIX)}
