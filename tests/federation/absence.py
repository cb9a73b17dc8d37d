"""A member whose node is down, for an hour if you like, while everything goes on without it.

    python -m tests.federation.absence --minutes 60

Four real nodes. One is killed with work in its hands; while it is away referrals for it are due,
and so are its votes and the certificates of what the others pay one another. Then it comes back:
everything arrives once, every point is paid once, all ledgers are equal, and nothing was given up.
Every failure of a delivery is printed as its sender saw it, and a summary in JSON comes last.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle
from pathlib import Path

from sqlalchemy import select

from node import models
from protocol import delivery, limits
from tests.equipment import standing
from tests.equipment.alliance import MEMBERS
from tests.equipment.federation import POLL_S, Federation, RunningNode, eventually, founded

AWAY = "biwa"
THOSE_WHO_STAY = tuple(member for member in MEMBERS if member != AWAY)
# Half of the referrals are for the one that is away, by each of the others.
OFFERS = (
    ("aoba", AWAY),
    ("aoba", "seeds"),
    ("seeds", AWAY),
    ("seeds", "bridge"),
    ("bridge", AWAY),
    ("bridge", "aoba"),
)
# Far more than an hour's referrals: this is not about limits.
CREDIT_LIMIT = 1000
OFFER_EVERY_S = 20.0
# Two cores run four nodes and perhaps more.
PATIENCE_S = 120


@dataclass(frozen=True)
class Failure:
    """One attempt in vain, as its sender wrote it down."""

    at_s: int
    failures: int
    state: str
    wait_s: int


@dataclass
class Watch:
    """The row that one sender keeps on the member that is away."""

    sender: RunningNode
    began_at: float
    seen: list[Failure] = field(default_factory=list)

    def look(self) -> Failure | None:
        """The newest failure, if it has not been seen yet."""
        with self.sender.node.database.reading() as session:
            row = session.scalars(select(models.Peer).where(models.Peer.member == AWAY)).one()
        if row.failures <= (self.seen[-1].failures if self.seen else 0):
            return None
        assert row.last_error_at is not None
        wait_s = row.next_attempt_at - row.last_error_at
        now = int(time.monotonic() - self.began_at)
        self.seen.append(Failure(now, row.failures, row.state, wait_s))
        return self.seen[-1]

    def let_the_wait_pass(self) -> None:
        """The back-off's time has come, for those who cannot wait for it."""
        with self.sender.node.database.transaction() as session:
            row = session.scalars(select(models.Peer).where(models.Peer.member == AWAY)).one()
            row.next_attempt_at = self.sender.node.clock.now()


@dataclass(frozen=True)
class Summary:
    """What was seen, once all of it was found to hold."""

    away_s: int
    referrals: int
    referrals_to_the_absent: int
    attempts_in_vain: dict[str, int]
    longest_wait_s: dict[str, int]
    certificates_missed: int
    first_letter_after_s: float
    all_settled_after_s: float
    gave_up: int
    digests: int


class Absence:
    """One absence: `leave`, `stay_away`, `come_back`."""

    def __init__(
        self, federation: Federation, say: Callable[[str], None], *, patient: bool = True
    ) -> None:
        self._federation = federation
        self._say = say
        self._patient = patient
        self._offers: standing.Offers = Counter()
        self._next_offers = cycle(OFFERS)
        self._left_at = 0.0
        self.watches: list[Watch] = []

    def leave(self) -> None:
        """Begin, and kill the node while it has letters to answer and points to pay."""
        for running in self._federation.nodes.values():
            standing.agree(running)
        self._federation.start()
        for sender in THOSE_WHO_STAY:
            self._offer(sender, AWAY)
            self._offer(AWAY, sender)
        self._federation[AWAY].kill()
        self._left_at = time.monotonic()
        self.watches = [Watch(self._federation[m], self._left_at) for m in THOSE_WHO_STAY]
        self._say(f"{AWAY} is down, with {self._offers.total()} referrals under way")

    def stay_away(self, is_over: Callable[[], bool], *, offer_every_s: float) -> None:
        """Let the others refer to it and to one another until it is over."""
        next_offer_at = 0.0
        while not is_over():
            if time.monotonic() >= next_offer_at:
                self._offer(*next(self._next_offers))
                next_offer_at = time.monotonic() + offer_every_s
            for watch in self.watches:
                if failure := watch.look():
                    self._tell(watch, failure)
                    if not self._patient:
                        watch.let_the_wait_pass()
            time.sleep(POLL_S)
        # Whoever is away holds up nobody else: a quorum is there, and every other queue moves.
        eventually(
            lambda: standing.is_settled(self._federation, self._offers, THOSE_WHO_STAY),
            timeout_s=PATIENCE_S,
            what="what the others referred to one another",
        )
        assert len(standing.digests(self._federation[m] for m in THOSE_WHO_STAY)) == 1

    def come_back(self) -> Summary:
        """Start it again, wait until all is settled, and assert what must hold."""
        away_s = int(time.monotonic() - self._left_at)
        federation, absent = self._federation, self._federation[AWAY]
        missed = self._certificates() - self._certificates(AWAY)
        had = standing.count(absent, models.InboxEntry.sender != AWAY)
        absent.start()
        back_at = time.monotonic()
        self._say(f"{AWAY} is back after {away_s} s, without {missed} certificates")
        eventually(
            lambda: standing.count(absent, models.InboxEntry.sender != AWAY) > had,
            timeout_s=PATIENCE_S,
            what="the first letter after its hello",
        )
        first_s = time.monotonic() - back_at
        eventually(
            lambda: (
                standing.is_settled(federation, self._offers, MEMBERS)
                and len(standing.digests(federation.nodes.values())) == 1
                and standing.is_quiet(federation)
            ),
            timeout_s=PATIENCE_S,
            what="everything received, paid, and the same everywhere",
        )
        settled_s = time.monotonic() - back_at
        self._assert_what_must_hold()
        return self._summary(away_s, missed, first_s, settled_s)

    def _assert_what_must_hold(self) -> None:
        standing.assert_everything_arrived_once(self._federation)
        standing.assert_every_point_was_paid_once(self._federation, self._offers)
        standing.assert_exchanges_are_whole(self._federation)
        for watch in self.watches:
            for failure in watch.seen:
                # The waits double up to the cap, and are spread; nothing is asked more often.
                shortest = delivery.backoff_s(failure.failures, 0.0)
                longest = delivery.backoff_s(failure.failures, 0.999_999)
                assert shortest <= failure.wait_s <= longest, (watch.sender.member, failure)
                opened = failure.failures >= limits.BREAKER_FAILURES
                assert failure.state == ("open" if opened else "closed"), failure
            with watch.sender.node.database.reading() as session:
                row = session.scalars(select(models.Peer).where(models.Peer.member == AWAY)).one()
            assert (row.state, row.failures, row.stopped_code) == ("closed", 0, None)

    def _offer(self, sender: str, to: str) -> None:
        standing.offer_from(self._federation[sender], to)
        self._offers[sender, to] += 1

    def _certificates(self, member: str = "aoba") -> int:
        return standing.count(self._federation[member], models.LedgerCertificate.sequence >= 1)

    def _tell(self, watch: Watch, failure: Failure) -> None:
        self._say(
            f"{failure.at_s:5} s  {watch.sender.member:<7} attempt {failure.failures:>2} in vain, "
            f"breaker {failure.state:<6}  next in {failure.wait_s} s"
        )

    def _summary(self, away_s: int, missed: int, first_s: float, settled_s: float) -> Summary:
        lost = models.OutboxEntry.state.in_(("refused", "expired", "cancelled"))
        return Summary(
            away_s=away_s,
            referrals=self._offers.total(),
            referrals_to_the_absent=sum(self._offers[m, AWAY] for m in THOSE_WHO_STAY),
            attempts_in_vain={w.sender.member: w.seen[-1].failures for w in self.watches},
            longest_wait_s={w.sender.member: max(f.wait_s for f in w.seen) for w in self.watches},
            certificates_missed=missed,
            first_letter_after_s=round(first_s, 1),
            all_settled_after_s=round(settled_s, 1),
            gave_up=sum(standing.count(each, lost) for each in self._federation.nodes.values()),
            digests=len(standing.digests(self._federation.nodes.values())),
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Play one absence and print what was seen; an assertion ends it where something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.federation.absence")
    parser.add_argument("--minutes", type=float, default=60, help="how long it is away (60)")
    minutes = parser.parse_args(arguments).minutes

    def say(line: str) -> None:
        print(line, flush=True)

    with (
        tempfile.TemporaryDirectory(prefix="tasuki-absence-") as folder,
        founded(Path(folder), credit_limit=CREDIT_LIMIT) as federation,
    ):
        absence = Absence(federation, say)
        absence.leave()
        ends_at = time.monotonic() + minutes * 60
        absence.stay_away(lambda: time.monotonic() >= ends_at, offer_every_s=OFFER_EVERY_S)
        summary = absence.come_back()
    say(json.dumps(asdict(summary)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
