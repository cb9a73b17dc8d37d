"""A real clamd on a socket of its own, with one signature: what it finds is what a test puts in."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from node import virus_scanner
from node.config import parse
from tests.equipment.federation import eventually

# No text of anybody; clamd is told to find exactly this.
INFECTED = b"TASUKI-TEST-SIGNATURE-5f1c0b7a"
START_S = 60


def executable() -> str | None:
    """Where clamd is, if it is installed."""
    return shutil.which("clamd", path="/usr/sbin:/usr/bin:/usr/local/sbin")


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """A clamd that answers; the path of its socket."""
    found = executable()
    assert found is not None, "clamd is not installed"
    signatures, line = folder / "signatures", folder / "clamd.ctl"
    signatures.mkdir()
    (signatures / "tasuki.ndb").write_text(f"Tasuki.Test:0:*:{INFECTED.hex()}\n")
    settings = folder / "clamd.conf"
    settings.write_text(
        f"LocalSocket {line}\nDatabaseDirectory {signatures}\nForeground yes\n"
        "FixStaleSocket yes\nConcurrentDatabaseReload no\nUser root\n"
    )
    process = subprocess.Popen(
        [found, "--config-file", str(settings)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        ours = parse({"TASUKI_CLAMD": str(line)})
        eventually(lambda: virus_scanner.answers(ours), timeout_s=START_S, what="clamd to answer")
        yield str(line)
    finally:
        process.terminate()
        process.wait()
