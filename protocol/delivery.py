"""The outbox's rules: when to try again, when to rest a peer, what a refusal means.  SPEC Delivery.

Pure decisions over what the node remembers. The node sends, stores what is decided here, and hands
in the time and the jitter. Nothing here gives up before the envelope's own deadline unless the
peer, provably, refused for good; a breaker only spares a peer that is away, it never drops mail.

    closed --BREAKER_FAILURES failures in a row--> open --its time has come--> half
    half   --one attempt succeeds--> closed        half --it fails--> open, for longer
    any    --the peer says hello--> half
"""

from dataclasses import dataclass, replace
from enum import Enum

from protocol import limits
from protocol.problems import Problem

# --- Back-off. ---


def backoff_s(failures: int, jitter: float) -> int:
    """Seconds to wait after so many failures in a row; `jitter` is in [0, 1).

    Doubling, between half and all of the bound, which is capped at one hour: without the half all
    waiting peers would come at once when a node returns, without the cap none for days.
    """
    assert failures >= 1, failures
    assert 0 <= jitter < 1, jitter
    # The exponent is bounded first: 2**failures of a peer that is away for weeks is a huge number.
    bound = min(limits.RETRY_S_MAX, limits.RETRY_FIRST_S << min(failures, 16))
    return bound // 2 + int(bound / 2 * jitter)


def next_attempt_at(
    now: int, failures: int, jitter: float, *, retry_after_s: int | None = None
) -> int:
    """The time of the next attempt; a peer that names a later one is heard, up to the cap."""
    wait_s = backoff_s(failures, jitter)
    if retry_after_s is not None:
        wait_s = max(wait_s, min(retry_after_s, limits.RETRY_S_MAX))
    return now + wait_s


# --- The breaker of a peer. ---


class BreakerState(Enum):
    """As in the drawing above."""

    CLOSED = "closed"
    OPEN = "open"
    HALF = "half"


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is known of a peer's reachability: one row per peer."""

    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    next_attempt_at: int = 0


def is_attempt_allowed(breaker: Breaker, now: int) -> bool:
    """Whether an attempt may start now. Half open, only the one that probes may."""
    return breaker.state is BreakerState.CLOSED or now >= breaker.next_attempt_at


def begin_attempt(breaker: Breaker, now: int) -> Breaker:
    """To be stored before sending: an open breaker whose time has come lets one attempt through."""
    if breaker.state is BreakerState.CLOSED:
        return breaker
    # The next probe is only due when this one must have timed out, should its worker die.
    return replace(breaker, state=BreakerState.HALF, next_attempt_at=now + limits.PROBE_TIMEOUT_S)


def record_answer(breaker: Breaker) -> Breaker:
    """The peer answered provably, be it with a refusal: it is there."""
    return breaker if breaker == Breaker() else Breaker()


def record_failure(
    breaker: Breaker, now: int, jitter: float, *, retry_after_s: int | None = None
) -> Breaker:
    """The peer gave no provable answer, or asked for time."""
    failures = breaker.failures + 1
    if breaker.state is BreakerState.CLOSED and failures < limits.BREAKER_FAILURES:
        return replace(breaker, failures=failures)
    due = next_attempt_at(now, failures, jitter, retry_after_s=retry_after_s)
    return Breaker(BreakerState.OPEN, failures, due)


def record_hello(breaker: Breaker, now: int) -> Breaker:
    """The peer says that it is back: try now, without trusting it any further than that."""
    if breaker.state is BreakerState.CLOSED:
        return Breaker()
    return Breaker(BreakerState.HALF, breaker.failures, now)


# --- What a refusal means for the sender (PEER 2). ---


class Action(Enum):
    """What the sender does with the envelope."""

    RETRY = "retry"  # back-off, for as long as the deadline allows
    RESIGN = "resign"  # at once, under a new nonce
    RETRY_SLOWLY = "retry-slowly"  # a person has to mend something first; ask now and then
    WAIT = "wait"  # as RETRY, but the peer said so: not before Retry-After
    UPDATE = "update"  # verify the newer charters that came with it, then try again
    HOLD = "hold"  # nothing of this queue until the time that the refusal names
    STOP = "stop"  # stop the whole queue to this peer, show an administrator
    GIVE_UP = "give-up"  # this envelope is refused for good


@dataclass(frozen=True, slots=True)
class Verdict:
    """The action, and whether an administrator has to hear of it now."""

    action: Action
    alarm: bool = False


_RETRY = Verdict(Action.RETRY)
_GIVE_UP = Verdict(Action.GIVE_UP, alarm=True)
_MEND = Verdict(Action.RETRY_SLOWLY, alarm=True)
_STOP = Verdict(Action.STOP, alarm=True)
_BY_CODE = {
    # The line broke, on the way to a peer that is there.
    "body-broken": _RETRY,
    # 400, 415: the form of our requests, or a proxy that changes it. It is no envelope's fault, so
    # none is given up for it: a release or a setting mends it, and then all of them go.
    "signature-malformed": _MEND,
    "context-malformed": _MEND,
    "path-not-canonical": _MEND,
    "nonce": _MEND,
    "digest-unsupported": _MEND,
    "not-found": _MEND,
    "method-not-allowed": _MEND,
    "media-type": _MEND,
    # 401: our signature or their view of our keys. Nothing is lost by asking again later, and a
    # clock is set, a charter arrives, a rotation completes without touching the outbox.
    "signature-missing": _MEND,
    "signature-coverage": _MEND,
    "algorithm-not-allowed": _MEND,
    "signature-invalid": _MEND,
    "clock-skew": _MEND,
    "signature-expired": _MEND,
    "key-unknown": _MEND,
    "key-retired": _MEND,
    # 403: not a matter of this envelope.
    "not-a-member": _STOP,
    "member-suspended": Verdict(Action.HOLD, alarm=True),
    "member-expelled": _STOP,
    "peer-blocked": _STOP,
    "sender-mismatch": _STOP,
    # 409.
    "nonce-reused": Verdict(Action.RESIGN),
    "epoch-mismatch": Verdict(Action.UPDATE),
    "charter-fork": _STOP,
    "incarnation-stale": _STOP,
    # 421, 426: an address or a release has to change.
    "misdirected": _MEND,
    "protocol-version": _MEND,
    # 410: the person withdrew. It is what was wanted, not a fault.
    "consent-withdrawn": Verdict(Action.GIVE_UP),
}
_RETRIED_STATUS = frozenset([408, 425, 429])


def judge_refusal(problem: Problem, tries: int) -> Verdict:
    """What a proven refusal means; `tries` counts the attempts so far, this one included."""
    if problem.code == "digest-mismatch":
        # A proxy on the way rewrites, or a bit flipped once: three tries tell them apart.
        return _RETRY if tries < limits.DIGEST_TRIES_MAX else _GIVE_UP
    known = _BY_CODE.get(problem.code)
    if known is not None:
        return known
    # Codes of a newer release are judged by their status.
    if problem.status >= 500 or problem.status in _RETRIED_STATUS:
        return Verdict(Action.WAIT)
    return _GIVE_UP


def retry_after_s(problem: Problem) -> int | None:
    """How long the peer asks to be left alone, if it says so in whole seconds."""
    value = problem.facts.get("retry_after_s")
    return value if type(value) is int and value >= 0 else None


def held_until(problem: Problem, now: int) -> int:
    """When to try again what a suspension holds: its end, if it names one that can be."""
    value = problem.facts.get("until")
    if type(value) is not int or value <= now:
        return now + limits.RETRY_SLOWLY_S
    return min(value, now + limits.SUSPENSION_S)


def is_expired(deadline: int, now: int) -> bool:
    """Whether the envelope's own deadline has passed; only then is delivery given up."""
    return now >= deadline


def deadline_of(created_at: int) -> int:
    """The deadline of an envelope that names no other."""
    return created_at + limits.ENVELOPE_DEADLINE_S
