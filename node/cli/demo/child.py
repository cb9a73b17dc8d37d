"""A node of the demonstration: `tasuki serve`, which ends when the demonstration does.

Linux tells it so even when the demonstration was killed; elsewhere only an orderly end reaches it.
"""

import ctypes
import signal
import sys

SET_PARENT_DEATH_SIGNAL = 1  # prctl(2)


def main() -> None:
    """Serve until the parent ends, or SIGTERM."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
    # Only now: a parent that ends while the libraries are loaded takes this process along, too.
    from node.cli import main as tasuki

    tasuki(["serve"], prog_name="tasuki")


if __name__ == "__main__":
    main()
