"""Isolation: a file from outside is read in a process of its own, without secrets or surroundings.

What breaks the reader breaks nothing else. The module that is run limits its own memory and time,
and answers on standard output.
"""

import subprocess
import sys


def run(module: str, data: bytes, *, timeout_s: float) -> subprocess.CompletedProcess[bytes] | None:
    """Hand `data` to a module of ours; what it said, or None when it took too long."""
    try:
        return subprocess.run(  # noqa: S603 (our own module, no words of anybody's in it)
            [sys.executable, "-I", "-m", module],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=timeout_s,
            env={},
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
