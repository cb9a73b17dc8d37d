"""The lock files: one set of versions for developers, nodes and images, and no registry named."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.equipment.source import ROOT, files

LOCKS = ("requirements.lock", "deploy/runtime.lock", "deploy/build.lock")


def pins(lock: str) -> dict[str, str]:
    """Name -> its whole entry: version, marker, hashes."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.findall(r"^([a-z0-9][\w.-]*)==((?:.*\\\n)+.*)$", text, re.MULTILINE)
    return {name: re.sub(r"\s+", " ", rest) for name, rest in entries}


def declared(group: list[object]) -> set[str]:
    return {re.split(r"[\[>=<~! ]", each)[0].lower() for each in group if isinstance(each, str)}


@pytest.mark.parametrize("lock", LOCKS[1:])
def test_every_lock_holds_the_developers_versions(lock: str) -> None:
    everything, these = pins("requirements.lock"), pins(lock)
    assert these
    different = {name: pin for name, pin in these.items() if everything.get(name) != pin}
    assert not different, "run ./deploy/run lock: what is tested must be what is installed"


def test_the_locks_hold_what_the_project_declares() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = declared(project["project"]["dependencies"])
    for extra in project["project"]["optional-dependencies"].values():
        runtime |= declared(extra)
    groups = project["dependency-groups"]
    assert runtime <= pins("deploy/runtime.lock").keys(), "run ./deploy/run lock"
    assert declared(groups["build"]) <= pins("deploy/build.lock").keys()
    assert declared(groups["dev"]) <= pins("requirements.lock").keys()
    extra_weight = declared(groups["dev"]) & pins("deploy/runtime.lock").keys()
    assert not extra_weight, "a node carries nothing that only developers need"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_registry_and_hashes_everything(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    bare = [name for name, pin in pins(lock).items() if "--hash=sha256:" not in pin]
    assert not bare
    assert len(pins(lock)) == len(re.findall(r"^[a-z0-9][\w.-]*==", text, re.MULTILINE))


def test_the_package_carries_all_that_a_node_needs(tmp_path: Path) -> None:
    """Templates, translations, migrations and assets are files, and easily left behind."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("tasuki-*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    ours = {
        path.relative_to(ROOT).as_posix() for path in files(".py", ".html", ".po", ".css", ".js")
    }
    assert ours - packed == set(), "left behind"
    assert not any(name.startswith(("tests/", "deploy/")) for name in packed)
    assert any(name.endswith("/LICENSE") for name in packed if "vendor" in name)
