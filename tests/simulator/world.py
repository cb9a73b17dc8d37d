"""The world of one run: a clock, a network and disks that a seed decides, and two phases.

First a phase of safety, in which anything may fail and nobody has to get anywhere; then everything
is healed, and whoever has enough honest members to go on must get to its end.
"""

import heapq
from collections import Counter
from collections.abc import Callable
from random import Random

from protocol import (
    Certificate,
    Charter,
    promises_needed,
)
from tests.simulator.disk import Disk, Fact
from tests.simulator.liar import Liar
from tests.simulator.member import Member, Message
from tests.simulator.oracle import Oracle, Violation
from tests.simulator.owner import Owner
from tests.simulator.parties import signing_key
from tests.simulator.plan import REAL_KEYS_ONE_IN, Plan

WAKE_MS = 400
HEALED_MS = 120_000
# New business goes on for a while, and then everything has to come to rest.
WORK_AFTER_HEALING_MS = 5_000
LATE_MS = 6_000


class Crash(Exception):
    """The member's process ends here."""


class World:
    """One run; it is the port that each member is given."""

    def __init__(self, plan: Plan, hear: Callable[[int, Message, str], None]) -> None:
        self.plan = plan
        # Told of every delivery: what two runs of one seed are compared by.
        self._hear = hear
        self.random = Random(f"run {plan.seed}")
        self.charter: Charter = plan.charter
        self.oracle = Oracle(plan.charter, plan.rule_breakers)
        self.now = 0
        self.events = 0
        self.counts: Counter[str] = Counter()
        self.is_chaos = True
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._number = 0
        self._cut: set[tuple[str, str]] = set()
        # Instance -> the running member; a name's requests go to its home.
        self.running: dict[str, Owner] = {}
        self.home: dict[str, str] = {}
        for member in plan.charter.members:
            self._start(member.id, member.id, Disk())

    # --- The port. ---

    def fault_point(self, member: Member) -> None:
        if self.is_chaos and member.is_honest and self.random.random() < self.plan.crash:
            raise Crash

    def reached(self, what: str) -> None:
        self.counts[what] += 1

    def send(self, member: Member, message: Message, fact: Fact | None) -> None:
        self.oracle.left(member, message, fact)
        times = 1
        if self.is_chaos:
            if self.random.random() < self.plan.loss:
                self.reached("lost")
                times = 0
            elif self.random.random() < self.plan.repeat:
                self.reached("repeated")
                times = 2
        for _ in range(times):
            delay = 1 + int(self.random.expovariate(1 / self.plan.delay_ms))
            if self.is_chaos and self.random.random() < self.plan.late:
                self.reached("late")
                delay += self.random.randrange(LATE_MS)
            self.at(delay, lambda: self._deliver(message))

    def committed(self, member: Member, certificate: Certificate) -> None:
        self.oracle.committed(member, certificate)
        if member.is_honest:
            self.reached("applied")

    def accused(self, member: Member, account: str) -> None:
        if member.name not in self.plan.rule_breakers:
            self.oracle.accused(account)
            self.reached("evidence stored")

    # --- Time. ---

    def at(self, delay_ms: int, act: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._queue, (self.now + delay_ms, self._number, act))

    def run(self) -> None:
        """Both phases; Violation when an invariant breaks in either."""
        self.at(1_000, self._disturb)
        self._run_until(self.plan.chaos_ms)
        self._heal()
        end = self.now + HEALED_MS
        while not self._is_done() and self.now < end:
            self._run_until(self.now + 2_000)
        if not self._is_done():
            raise Violation(
                f"not converged {HEALED_MS // 1000} s after healing: {self._unfinished()}"
            )
        self._restart_all()

    def _run_until(self, end: int) -> None:
        while self._queue and self._queue[0][0] <= end:
            self.now, _, act = heapq.heappop(self._queue)
            self.events += 1
            act()
        self.now = end

    # --- Members. ---

    def _start(self, name: str, instance: str, disk: Disk) -> None:
        if instance != name and not self.is_chaos:
            # Its crash saved it from being switched off; nobody starts it again.
            return
        key = signing_key(name, real=self.plan.seed % REAL_KEYS_ONE_IN == 0)
        kind = Liar if name in self.plan.liars else Owner
        member = kind(name, instance, key, disk, self)
        self.oracle.started(member)
        self.running[instance] = member
        self.home[name] = instance
        self.at(self.random.randrange(WAKE_MS), lambda: self._wake(member))

    def _wake(self, member: Owner) -> None:
        if self.running.get(member.instance) is not member:
            return
        self._guarded(member, member.wake)
        if self.running.get(member.instance) is member:
            if self._owes(member):
                self._guarded(member, member.owe)
            self.at(WAKE_MS // 2 + self.random.randrange(WAKE_MS), lambda: self._wake(member))

    def _owes(self, member: Owner) -> bool:
        """Whether something happens now that the member has to pay for."""
        if member.name not in self.plan.payers or not member.others or member.store.recovering:
            return False
        if self.now > self.plan.chaos_ms + WORK_AFTER_HEALING_MS:
            return False
        return len(member.store.waiting) < 6 and self.random.random() < 0.3

    def _deliver(self, message: Message) -> None:
        instance = message.to if message.to in self.running else self.home.get(message.to, "")
        member = self.running.get(instance)
        if member is None or (self.is_chaos and (message.sender, member.name) in self._cut):
            self.reached("not reached")
            return
        self._hear(self.now, message, instance)
        self._guarded(member, lambda: member.receive(message))

    def _guarded(self, member: Owner, act: Callable[[], None]) -> None:
        try:
            act()
        except Crash:
            self._crash(member)

    def _crash(self, member: Owner) -> None:
        self.reached("crashed")
        del self.running[member.instance]
        lost = len(member.disk.journal) - member.disk.synced
        if lost:
            self.reached("lost writes that were not synced")
        disk = member.disk.after_crash(self.random)
        self.at(
            self.random.randrange(3_000), lambda: self._start(member.name, member.instance, disk)
        )

    # --- Faults that come by themselves. ---

    def _disturb(self) -> None:
        if not self.is_chaos:
            return
        self.at(500, self._disturb)
        if self.random.random() < self.plan.partitions:
            self._partition()
        elif self._cut and self.random.random() < 0.3:
            self._cut = set()
        if self.random.random() < self.plan.restores:
            self._restore()
        if self.plan.cloned and self.random.random() < 0.1:
            self._clone()

    def _partition(self) -> None:
        self.reached("partitioned")
        names = list(self.home)
        half = [name for name in names if self.random.random() < 0.5]
        is_symmetric = self.random.random() < 0.6
        self._cut = {(a, b) for a in half for b in names if b not in half}
        if is_symmetric:
            self._cut |= {(b, a) for a, b in self._cut}

    def _restore(self) -> None:
        """An old backup in place of a disk; never two members at a time, nor one that lies."""
        honest = [m for m in self.running.values() if m.name not in self.plan.rule_breakers]
        if not honest or any(m.store.recovering for m in honest):
            return
        if len(honest) < len(self.charter.members) - len(self.plan.rule_breakers):
            return
        member = self.random.choice(honest)
        payer = self.running.get(self.random.choice(self.plan.payers))
        if payer in honest and self.random.random() < 0.6:
            member = payer
        journal = len(member.disk.journal)
        ago = min(journal, self.random.choice((1, 2, 3, 5, 10, journal)))
        self.reached("restored from a backup")
        del self.running[member.instance]
        disk = member.disk.restored(journal - ago)
        self.at(
            self.random.randrange(2_000), lambda: self._start(member.name, member.instance, disk)
        )

    def _clone(self) -> None:
        name = self.plan.cloned
        member = self.running.get(name)
        if member is None or f"{name}-clone" in self.running:
            return
        self.reached("cloned")
        journal = member.disk.journal
        length = len(journal) - self.random.randrange(min(len(journal), 4) + 1)
        self._start(name, f"{name}-clone", Disk(journal[:length]))

    # --- Healing. ---

    def _heal(self) -> None:
        self.is_chaos = False
        self._cut = set()
        for name in self.plan.liars:
            liar = self.running[name]
            assert isinstance(liar, Liar)
            liar.is_silent = self.plan.liars_fall_silent
        if self.plan.cloned:
            # A person has found the second machine and switched it off; the first is started anew.
            self.running.pop(f"{self.plan.cloned}-clone", None)
            first = self.running.get(self.plan.cloned)
            if first is not None:
                self._crash(first)

    def healthy(self) -> list[Owner]:
        """The members that keep the rules from now on: the honest, and whoever was cloned."""
        return [m for m in self.running.values() if m.name not in self.plan.liars]

    def honest(self) -> list[Owner]:
        """The members that broke no rule, one instance each; those that are down are missing."""
        names = [m.id for m in self.charter.members if m.id not in self.plan.rule_breakers]
        return [self.running[name] for name in names if name in self.running]

    def _is_done(self) -> bool:
        honest = self.healthy()
        if len(honest) < len(self.charter.members) - len(self.plan.liars):
            return False
        vectors = {tuple(sorted(member.store.books.vector().items())) for member in honest}
        return len(vectors) == 1 and not self._unfinished()

    def _unfinished(self) -> list[str]:
        """Honest owners that have something open although enough honest members could settle it."""
        found = []
        honest = self.healthy()
        for member in honest:
            store = member.store
            place = store.books.head(member.name).sequence + 1
            able = [
                other
                for other in honest
                if other is not member
                and not other.store.recovering
                and other.store.guards.guard(member.name).abstains_to < place
            ]
            if store.recovering:
                if len(honest) > self.charter.q:
                    found.append(f"{member.name} recovers")
            elif store.tenure.is_fencing:
                # Only whoever signed twice leaves two orders possible.
                is_cloned = member.name == self.plan.cloned
                if is_cloned and member.is_undecided(other.name for other in able):
                    self.reached("left to the next decree")
                elif len(able) >= promises_needed(self.charter):
                    found.append(f"{member.name} fences")
            elif store.open is not None and len(able) >= self.charter.q - 1:
                found.append(f"{member.name} has order {place} open")
            if member.is_stopped and member.name != self.plan.cloned:
                raise Violation(f"{member.name}, honest and alone, was stopped by its own fence")
        return found

    def _restart_all(self) -> None:
        """Every disk read anew tells what its member knew."""
        for member in self.honest():
            again = Disk(member.disk.journal[: member.disk.synced])
            if again.store.books.heads() != member.store.books.heads():
                raise Violation(f"{member.name}'s disk tells another story than its memory")
