"""The set-up script: what it says on a machine that lacks something, and that it is quick."""

import ast
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.equipment.browser import executable
from tests.equipment.source import ROOT

SCRIPT = ROOT / "deploy" / "run"


def pretend(change: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `setup` of a copy of the repository, after `change` to what Python says of itself."""
    (folder / "deploy").mkdir()
    for name in ("deploy/run", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, folder / name)
    program = (
        f"import runpy, sys; {change}; sys.argv = ['run', 'setup']; "
        f"runpy.run_path({str(folder / 'deploy' / 'run')!r}, run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_old_python_is_told_what_to_install(tmp_path: Path) -> None:
    refused = pretend("sys.version_info = (3, 9, 2, 'final', 0)", tmp_path)
    assert refused.returncode == 1
    assert "Tasuki needs Python 3.11 or newer; this is 3.9.2" in refused.stderr
    assert "apt-get install python3" in refused.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_newer_python_of_the_machine_is_used_instead(tmp_path: Path) -> None:
    newer = tmp_path / "python3.12"
    newer.write_text('#!/bin/sh\necho "went on with $2"\n')
    newer.chmod(0o755)
    went_on = pretend("sys.version_info = (3, 9, 2, 'final', 0)", tmp_path)
    assert went_on.stdout.strip() == "went on with setup"


def test_a_python_without_venv_is_told_what_to_install(tmp_path: Path) -> None:
    bare = tmp_path / "bare-python"
    bare.write_text("#!/bin/sh\nexit 1\n")
    bare.chmod(0o755)
    refused = pretend(f"sys.executable = {str(bare)!r}", tmp_path)
    assert refused.returncode == 1
    assert "sudo apt-get install python3-venv" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_script_can_be_read_by_a_python_too_old_to_run_it() -> None:
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 7))


def test_a_second_set_up_takes_no_time() -> None:
    began = time.monotonic()
    subprocess.run([SCRIPT, "setup"], check=True, capture_output=True)
    assert time.monotonic() - began < 5, "it should see that nothing changed"


@pytest.mark.browser
@pytest.mark.skipif(executable() is None, reason="no Chromium to do without")
def test_ci_fails_where_a_browser_test_would_be_skipped(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += ["tests/test_equipment.py", "-k", "sound_page"]
    # The PATH of a machine without Chromium.
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    bare |= {"PATH": str(tmp_path)}
    bare.pop("TESTS_MUST_NOT_SKIP", None)
    strict = bare | {"TESTS_MUST_NOT_SKIP": "1"}
    for environment, code, words in ((bare, 0, "1 skipped"), (strict, 1, "CI does not allow")):
        ran = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == code, ran.stdout
        assert words in ran.stdout
