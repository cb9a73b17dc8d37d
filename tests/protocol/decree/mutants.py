"""Rules of a decree, each taken out of a copy of the code: the explorer has to notice.

A mutant is a file of protocol/, the text of the rule, and what stands there instead. The scenario
in which it breaks a promise says why the rule is there.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.equipment.source import ROOT


class Mutant(NamedTuple):
    """One rule that is missing, the scenario that it breaks, and the promise that is broken."""

    name: str
    file: str
    changes: tuple[tuple[str, str], ...]
    scenario: str
    promise: str
    # The same rule where it stands a second time: the file, and the condition that never holds.
    also: tuple[tuple[str, str], ...] = ()


UNPROVEN = """

def _unproven(document: SignedDocument) -> Signed[Order]:
    from protocol.signed import _PROVEN
    body = Order.parse(document.payload)
    return Signed(body, document, body.account, _PROVEN)
"""

MUTANTS = (
    Mutant(
        "whoever has stopped goes on voting",
        "seat.py",
        (("    if seat.is_stopped or seat.epoch != charter.epoch:\n", "    if False:\n"),),
        "honest_owner",
        "a certified order of aoba is not within the cut",
    ),
    Mutant(
        "the promise to stop does not outlive a crash",
        "seat.py",
        (('"promised": self.promised', '"promised": 0'),),
        "honest_owner",
        "a certified order of aoba is not within the cut",
    ),
    Mutant(
        "no open order is carried",
        "cut.py",
        (("    return tuple(orders[digest] for digest in sorted(orders))\n", "    return ()\n"),),
        "honest_owner",
        "a certified order of aoba is not within the cut",
    ),
    Mutant(
        "of two open orders any one is carried",
        "cut.py",
        (
            (
                "    return tuple(orders[digest] for digest in sorted(orders))\n",
                "    return tuple(orders[digest] for digest in sorted(orders)[:1])\n",
            ),
        ),
        "lying_owner",
        "the cut puts another order in the place of a certified one of bridge",
    ),
    Mutant(
        "of two entries that share an id one is paid",
        "cut.py",
        (
            (
                "            if entry in paid:\n",
                "            if entry in paid or entry.id in entries:\n",
            ),
        ),
        "lying_owner",
        "aoba stands elsewhere than the decree says",
    ),
    Mutant(
        "a charter of three needs two votes where one may lie",
        "../charter.py",
        (("    if 2 * charter.q - count <= charter.b:\n", "    if False:\n"),),
        "two_of_three",
        "two decrees for one version",
    ),
    Mutant(
        "a locked order counts without its owner's signature",
        "messages.py",
        (
            (
                "    proven = [verify_order(document, charter) for document in documents]\n",
                "    proven = [_unproven(document) for document in documents]\n",
            ),
            (
                "found[document.digest] = verify_order(document, charter)\n",
                "found[document.digest] = _unproven(document)\n",
            ),
            ("\n\ndef _written(", f"{UNPROVEN}\n\ndef _written("),
        ),
        "forged_order",
        "the cut carries an order that aoba has not signed",
    ),
    Mutant(
        "what was prepared before is not proposed again",
        "proposals.py",
        (
            (
                "    return max((report.held for report in reports if report.held is not None),"
                " default=None)\n",
                "    return None\n",
            ),
        ),
        "agreement",
        "two decrees for one version",
    ),
    Mutant(
        "any of what was prepared before is proposed again",
        "proposals.py",
        (("    return max((report.held ", "    return min((report.held "),),
        "three_ballots",
        "two decrees for one version",
    ),
    Mutant(
        "what a member committed to is forgotten when something is proposed anew",
        "seat.py",
        (
            (
                "            voted=wanted,\n",
                "            voted=wanted,\n            prepared=None,\n",
            ),
        ),
        "three_ballots",
        "two decrees for one version",
    ),
    Mutant(
        "what a member committed to does not outlive a crash",
        "seat.py",
        (
            (
                '"prepared": None if self.prepared is None else self.prepared.to_json(),',
                '"prepared": None,',
            ),
        ),
        "agreement",
        "two decrees for one version",
    ),
    Mutant(
        "one phase is enough",
        "votes.py",
        (("    KIND = COMMIT\n", "    KIND = PREPARE\n"),),
        "agreement",
        "two decrees for one version",
    ),
    Mutant(
        "a member votes for two motions of one ballot",
        "seat.py",
        (
            (
                "    if voted is not None and voted.ballot == wanted.ballot and voted != wanted:\n",
                "    if False:\n",
            ),
        ),
        "honest_owner",
        "two decrees for one version",
    ),
    Mutant(
        "an old ballot is answered after a promise",
        "seat.py",
        (("    if prepared.ballot < seat.promised:\n", "    if False:\n"),),
        "agreement",
        "two decrees for one version",
    ),
    Mutant(
        "one vote fewer than q is enough",
        "votes.py",
        (("        if len(voters) < charter.q:\n", "        if len(voters) < charter.q - 1:\n"),),
        "agreement",
        "two decrees for one version",
    ),
    Mutant(
        "one report fewer than q is enough",
        "proposals.py",
        (("    if len(reports) < charter.q:\n", "    if len(reports) < charter.q - 1:\n"),),
        "agreement",
        "two decrees for one version",
    ),
    Mutant(
        "signatures are counted and not members",
        "votes.py",
        (
            (
                '            raise DecreeInvalid(f"{voter} is counted twice")\n',
                "            pass\n",
            ),
            ("        if len(voters) < charter.q:\n", "        if len(self.votes) < charter.q:\n"),
        ),
        "agreement",
        "two decrees for one version",
    ),
)


# Rules that need no order of events: the words select the test that misses them.
BY_TEST = (
    Mutant(
        "a version may be skipped",
        "chain.py",
        (("    if claimed.version > charter.version + 1:\n", "    if False:\n"),),
        "test_charter_chain.py",
        "test_a_skipped_version_is_refused_and_the_proven_part_stays",
        also=(
            ("../charter_changes.py", "    if draft.version != charter.version + 1:\n"),
            ("../charter_changes.py", "    if draft.previous != charter.digest:\n"),
        ),
    ),
    Mutant(
        "nobody has to accept what he is entered with",
        "../charter_changes.py",
        (("    if missing:\n", "    if False:\n"),),
        "test_drafts.py",
        "test_a_draft_without_the_signatures_it_needs_is_refused",
    ),
    Mutant(
        "a cut may take back what was certified",
        "cut.py",
        (
            (
                "        if place.sequence < was.sequence or (stood and place != was):\n",
                "        if False:\n",
            ),
        ),
        "test_charter_chain.py",
        "test_a_cut_never_takes_back_and_never_touches_a_frozen_account",
    ),
)


def grow(mutant: Mutant, folder: Path) -> None:
    """Put a copy of protocol/ with the mutant's change into this folder."""
    shutil.copytree(
        ROOT / "protocol", folder / "protocol", ignore=shutil.ignore_patterns("__pycache__")
    )
    elsewhere = ((file, old, "    if False:\n") for file, old in mutant.also)
    for file, old, new in (*((mutant.file, *change) for change in mutant.changes), *elsewhere):
        path = folder / "protocol" / "decree" / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"the rule of '{mutant.name}' stands {text.count(old)} times"
        path.write_text(text.replace(old, new), encoding="utf-8")


def explore(mutant: Mutant, folder: Path) -> str:
    """What the explorer says of it: the broken promise and the way there, or its figures."""
    done = _run(folder, "tests.protocol.decree.explorer", mutant.scenario)
    return done.stdout if done.returncode == 0 else done.stderr


def failing(mutant: Mutant, folder: Path) -> str:
    """What the test says that is there for the rule."""
    file = Path(__file__).parent / mutant.scenario
    # Without this house's settings and fixtures: the copy has neither.
    alone = ("-c", os.devnull, "--noconftest", "-p", "no:cacheprovider", "--tb=no")
    words = ("--import-mode=importlib", "--rootdir", str(ROOT), "-k", mutant.promise)
    return _run(folder, "pytest", "-q", *alone, *words, str(file)).stdout


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env={"PYTHONPATH": f"{folder}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
