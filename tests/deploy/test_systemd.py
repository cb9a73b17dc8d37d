"""The shipped systemd units: valid, and closed to what a node has no need of."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.equipment.source import ROOT

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
# Of 10, by systemd's own reckoning; an ordinary service has 9.6.
EXPOSURE_MAX = 1.5

pytestmark = [
    pytest.mark.systemd,
    pytest.mark.skipif(
        shutil.which("systemd-analyze") is None,
        reason="no systemd-analyze: apt-get install systemd",
    ),
]


def installed(unit: Path, folder: Path) -> Path:
    """The unit with the paths of this machine, where /opt/tasuki and its user are missing."""
    text = unit.read_text(encoding="utf-8").replace("/opt/tasuki/.venv", f"{ROOT}/.venv")
    copy = folder / unit.name.replace("@.", "@1.")
    copy.write_text(text, encoding="utf-8")
    return copy


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_the_unit_valid(unit: Path, tmp_path: Path) -> None:
    for other in UNITS:
        installed(other, tmp_path)
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", installed(unit, tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in checked.stderr.splitlines() if "tasuki" in line]
    assert checked.returncode == 0, checked.stderr
    assert said == []


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_unit_is_closed_to_what_a_node_does_not_need(unit: Path, tmp_path: Path) -> None:
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", installed(unit, tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", rated.stdout)
    assert level, rated.stdout + rated.stderr
    open_doors = "\n".join(line for line in rated.stdout.splitlines() if line.startswith("✗"))
    assert float(level[1]) <= EXPOSURE_MAX, f"exposure {level[1]}:\n{open_doors}"


def test_worker_and_node_are_locked_down_alike() -> None:
    """The worker reads the same keys and the same people: no lesser walls."""
    node, worker = (
        (ROOT / "deploy" / "systemd" / name).read_text(encoding="utf-8").partition("LimitCORE")[2]
        for name in ("tasuki.service", "tasuki-worker@.service")
    )
    assert node == worker
