"""The second implementation, in JavaScript: set up beside the virtual environment, and run.

Its sources stand in this folder. What npm installs for it does not: a folder in `.venv` holds a
copy of the sources and the one library, made anew when the lock or a source changes.
"""

import hashlib
import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from tests.equipment.source import ROOT

HERE = Path(__file__).parent
INSTALLED = ROOT / ".venv" / "interop"
NPM = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
# A script's own JSON.
Said: TypeAlias = Any
INSTALL_TIMEOUT_S = 300
RUN_TIMEOUT_S = 120


class Missing(Exception):
    """Node or npm is not here, or npm could not install the library."""


def run(script: str, *arguments: str, given: object = None, folder: Path = INSTALLED) -> Said:
    """Run one of the scripts, from another folder if that is named; the JSON in its last line."""
    ended = subprocess.run(
        ["node", str(folder / script), *arguments],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


@cache
def set_up() -> Path:
    """The folder it runs in; raises Missing with what to install."""
    absent = [name for name in ("node", "npm") if shutil.which(name) is None]
    if absent:
        raise Missing(f"no {' and no '.join(absent)} on the PATH: apt-get install nodejs npm")
    lock = (HERE / "package-lock.json").read_bytes()
    stamp, wanted = INSTALLED / "stamp", hashlib.sha256(lock).hexdigest()
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for source in (*HERE.glob("*.js"), *HERE.glob("*.json"), HERE / ".npmrc"):
        shutil.copy(source, INSTALLED)
    if not stamp.exists() or stamp.read_text() != wanted:
        _install()
        stamp.write_text(wanted)
    return INSTALLED


def _install() -> None:
    ended = subprocess.run(
        NPM, cwd=INSTALLED, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False
    )
    if ended.returncode != 0:
        raise Missing(f"npm could not install what the lock names: {ended.stderr[-500:]}")
