"""Mutants: the production code with one rule switched off, to see that the simulator notices.

A mutant is an edit of source text, made while the module is imported, in a process of its own. One
whose text is no longer there is an error: the rule has moved, and its mutant has to follow it.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Mutant:
    """One broken rule. `edits` are (module, what stands there, what stands there instead)."""

    name: str
    edits: tuple[tuple[str, str, str], ...]


def _one(name: str, module: str, old: str, new: str) -> Mutant:
    return Mutant(name, ((module, old, new),))


GUARDS, WARRANT = "protocol.ledger.guards", "protocol.ledger.warrant"
REPLICA, CERTIFICATES = "protocol.ledger.replica", "protocol.ledger.certificates"
CHARTER, OWNER = "protocol.charter", "protocol.ledger.owner"
SIMULATED = "tests.simulator.member"
_ANY_QUORUM = (CHARTER, "if 2 * charter.q - count <= charter.b:", "if charter.q == 0:")

# Those of LEDGER 7 that concern its section 4 and what comes before it, by the names it has there;
# `version skipped` belongs to section 5. Below them, rules that section 4 names besides.
MUTANTS = (
    _one("no fence", GUARDS, "if body.incarnation < guard.lowest:", "if body.incarnation < 1:"),
    _one("no adopt", WARRANT, "    if not locks:\n        return OPEN", "    return OPEN"),
    _one("adopt any of the highest", WARRANT, "if len(set(reported)) == 1:", "if reported:"),
    Mutant(
        "q too low",
        (
            (CHARTER, "(voters + tolerated) // 2 + 1", "(voters + tolerated + 1) // 2"),
            _ANY_QUORUM,
        ),
    ),
    Mutant(
        "2 of 3",
        (
            (
                CHARTER,
                "    if tolerated <= 1:\n",
                "    if voters == 3:\n        return 2, 1\n    if tolerated <= 1:\n",
            ),
            _ANY_QUORUM,
        ),
    ),
    _one(
        "lock reports without the owner's signature",
        WARRANT,
        "locked = verify_order(case.order, self._charter)",
        'locked = verify(case.order, "order", self._charter.keys, Order.parse)',
    ),
    _one(
        "vote before the lock is durable",
        SIMULATED,
        '                self.write("lock", *order.body.slot, verdict.lock)\n'
        "                self.sync()\n",
        '                self.write("lock", *order.body.slot, verdict.lock)\n',
    ),
    _one(
        "fence flag not durable",
        SIMULATED,
        '            self.write("guard", account, given.guard)\n            self.sync()\n',
        '            self.write("guard", account, given.guard)\n',
    ),
    Mutant(
        "limit checked at apply",
        (
            (REPLICA, "    if left < floor:\n", "    if left < floor and books is None:\n"),
            (
                REPLICA,
                "    paid: dict[str, int] = {}\n",
                "    paid: dict[str, int] = {}\n"
                "    if head.balance - order.debit < -6:\n        return None\n",
            ),
        ),
    ),
    _one(
        "votes counted per signature",
        CERTIFICATES,
        "        if voter in voters:\n"
        '            raise CertificateInvalid(f"{voter} is counted twice")\n',
        "        if voter in voters:\n            voter += str(len(voters))\n",
    ),
    _one(
        "lock overwritten on re-proposal",
        REPLICA,
        "    if lock is not None and lock.incarnation == body.incarnation:\n",
        "    if lock is not None and lock.incarnation < body.incarnation:\n",
    ),
    _one(
        "one promise fewer",
        WARRANT,
        "return min(max(seen_by_one, by_one_attempt), others)",
        "return min(max(seen_by_one, by_one_attempt) - 1, others)",
    ),
    _one(
        "liars left out of the count",
        WARRANT,
        "liars = min(max(charter.b - 1, 0), len(promises) - reports)",
        "liars = -1",
    ),
    _one(
        "another answer to the same fence",
        GUARDS,
        "    if guard.fence == document and guard.answer:\n",
        "    if guard.fence == document and not document:\n",
    ),
    _one(
        "a restored voter votes at once",
        GUARDS,
        "limits.ABSTAINED_SEQUENCES",
        "0 * limits.ABSTAINED_SEQUENCES",
    ),
    _one(
        "the next order follows the incarnation it was certified in",
        REPLICA,
        "content_digest(certificate.order)",
        "certificate.order.digest",
    ),
)


def by_name(name: str) -> Mutant:
    return next(mutant for mutant in MUTANTS if mutant.name == name)


class Loader(importlib.machinery.SourceFileLoader):
    """Reads a module's source and edits it."""

    def __init__(self, name: str, path: str, edits: Sequence[tuple[str, str]]) -> None:
        super().__init__(name, path)
        self._edits = edits

    def get_code(self, fullname: str) -> CodeType:
        # Never from a cache: that one holds the module as it should be.
        text = Path(self.path).read_text(encoding="utf-8")
        for old, new in self._edits:
            if text.count(old) != 1:
                sys.exit(f"{fullname} has {text.count(old)} times, not once:\n{old}")
            text = text.replace(old, new)
        return compile(text, self.path, "exec")


class Finder(importlib.abc.MetaPathFinder):
    """Finds the modules that a mutant changes."""

    def __init__(self, mutant: Mutant) -> None:
        self._edits: dict[str, list[tuple[str, str]]] = {}
        for module, old, new in mutant.edits:
            self._edits.setdefault(module, []).append((old, new))

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self._edits:
            return None
        place = str(ROOT / f"{fullname.replace('.', '/')}.py")
        loader = Loader(fullname, place, self._edits[fullname])
        return importlib.util.spec_from_file_location(fullname, place, loader=loader)


def install(mutant: Mutant) -> None:
    """Make this process the mutant. To be called before the modules are imported."""
    early = {module for module, _, _ in mutant.edits} & sys.modules.keys()
    assert not early, f"{sorted(early)} were imported before the mutant was made"
    sys.meta_path.insert(0, Finder(mutant))
