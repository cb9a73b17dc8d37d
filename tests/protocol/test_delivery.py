"""The outbox's rules: waits that grow and end, breakers that never lose mail, refusals by code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import delivery, errors, limits
from protocol.delivery import Action, Breaker, BreakerState
from protocol.problems import Problem, parse_problem, problem
from tests.protocol.refusals import refusal_of

NOW = 1_000_000
JITTER = st.floats(0, 1, exclude_max=True)
FAILURES = st.integers(1, 10_000)


def refused(code: str, status: int = 0, **facts: object) -> Problem:
    known = errors.by_code(code)
    return Problem(code, status or (known.status if known else 400), "t", "d", "r", facts)


@given(FAILURES, JITTER)
def test_a_wait_is_positive_and_at_most_an_hour(failures: int, jitter: float) -> None:
    assert 1 <= delivery.backoff_s(failures, jitter) <= limits.RETRY_S_MAX


@given(FAILURES, JITTER)
def test_waits_grow_with_each_failure(failures: int, jitter: float) -> None:
    assert delivery.backoff_s(failures, jitter) <= delivery.backoff_s(failures + 1, jitter)


def test_jitter_spreads_the_waits() -> None:
    assert delivery.backoff_s(20, 0) == limits.RETRY_S_MAX // 2
    assert delivery.backoff_s(20, 0.999) > limits.RETRY_S_MAX * 0.99


@given(FAILURES, JITTER, st.integers(0, 10**9))
def test_a_peer_that_asks_for_time_gets_it_up_to_the_cap(
    failures: int, jitter: float, retry_after_s: int
) -> None:
    due = delivery.next_attempt_at(NOW, failures, jitter, retry_after_s=retry_after_s)
    assert min(retry_after_s, limits.RETRY_S_MAX) <= due - NOW <= limits.RETRY_S_MAX


# --- The breaker. ---


def failed(times: int) -> Breaker:
    breaker = Breaker()
    for _ in range(times):
        breaker = delivery.record_failure(breaker, NOW, 0)
    return breaker


def test_a_few_failures_leave_the_breaker_closed() -> None:
    breaker = failed(limits.BREAKER_FAILURES - 1)
    assert breaker.state is BreakerState.CLOSED
    assert delivery.is_attempt_allowed(breaker, NOW)


def test_an_open_breaker_lets_one_probe_through_when_its_time_has_come() -> None:
    breaker = failed(limits.BREAKER_FAILURES)
    assert breaker.state is BreakerState.OPEN
    assert not delivery.is_attempt_allowed(breaker, NOW)
    due = breaker.next_attempt_at
    assert delivery.is_attempt_allowed(breaker, due)
    probing = delivery.begin_attempt(breaker, due)
    assert probing.state is BreakerState.HALF
    assert not delivery.is_attempt_allowed(probing, due)
    # Should the probing worker die, somebody else probes later.
    assert delivery.is_attempt_allowed(probing, due + limits.PROBE_TIMEOUT_S)


def test_any_proven_answer_closes_the_breaker() -> None:
    assert delivery.record_answer(delivery.begin_attempt(failed(9), NOW)) == Breaker()
    assert delivery.record_answer(failed(2)) == Breaker()


def test_a_failed_probe_opens_it_for_longer() -> None:
    breaker = failed(limits.BREAKER_FAILURES)
    again = delivery.record_failure(delivery.begin_attempt(breaker, NOW), NOW, 0)
    assert again.state is BreakerState.OPEN
    assert again.next_attempt_at > breaker.next_attempt_at


def test_a_hello_wakes_the_queue_at_once() -> None:
    woken = delivery.record_hello(failed(50), NOW)
    assert delivery.is_attempt_allowed(woken, NOW)
    assert delivery.record_hello(failed(1), NOW) == Breaker()
    # But a hello is no answer: the next failure rests the peer again.
    assert delivery.record_failure(woken, NOW, 0).state is BreakerState.OPEN


@given(st.lists(st.sampled_from(["failure", "answer", "hello", "begin"]), max_size=40), JITTER)
def test_after_whatever_happened_the_next_attempt_is_within_an_hour(
    events: list[str], jitter: float
) -> None:
    breaker, now = Breaker(), NOW
    for event in events:
        if event == "failure":
            breaker = delivery.record_failure(breaker, now, jitter)
        elif event == "answer":
            breaker = delivery.record_answer(breaker)
        elif event == "hello":
            breaker = delivery.record_hello(breaker, now)
        else:
            breaker = delivery.begin_attempt(breaker, now)
        now += 7
        assert delivery.is_attempt_allowed(breaker, now + limits.RETRY_S_MAX)


# --- Refusals. ---


@pytest.mark.parametrize(
    ("code", "action", "alarm"),
    [
        ("body-broken", Action.RETRY, False),
        ("path-not-canonical", Action.RETRY_SLOWLY, True),
        ("signature-invalid", Action.RETRY_SLOWLY, True),
        ("clock-skew", Action.RETRY_SLOWLY, True),
        ("key-unknown", Action.RETRY_SLOWLY, True),
        ("not-a-member", Action.STOP, True),
        ("member-suspended", Action.HOLD, True),
        ("member-expelled", Action.STOP, True),
        ("peer-blocked", Action.STOP, True),
        ("sender-mismatch", Action.STOP, True),
        ("nonce-reused", Action.RESIGN, False),
        ("envelope-conflict", Action.GIVE_UP, True),
        ("epoch-mismatch", Action.UPDATE, False),
        ("incarnation-stale", Action.STOP, True),
        ("too-large", Action.GIVE_UP, True),
        ("document-invalid", Action.GIVE_UP, True),
        ("cannot-decrypt", Action.GIVE_UP, True),
        ("consent-withdrawn", Action.GIVE_UP, False),
        ("misdirected", Action.RETRY_SLOWLY, True),
        ("protocol-version", Action.RETRY_SLOWLY, True),
        ("rate-limited", Action.WAIT, False),
        ("maintenance", Action.WAIT, False),
        ("recovering", Action.WAIT, False),
        ("nonce-store-unavailable", Action.WAIT, False),
    ],
)
def test_each_refusal_has_its_consequence(code: str, action: Action, alarm: bool) -> None:
    assert delivery.judge_refusal(refused(code), 1) == delivery.Verdict(action, alarm)


def test_a_digest_mismatch_is_tried_three_times() -> None:
    verdicts = [delivery.judge_refusal(refused("digest-mismatch"), n).action for n in (1, 2, 3)]
    assert verdicts == [Action.RETRY, Action.RETRY, Action.GIVE_UP]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_code_of_a_newer_release_is_judged_by_its_status(status: int) -> None:
    assert delivery.judge_refusal(refused("brand-new", status), 1).action is Action.WAIT
    assert delivery.judge_refusal(refused("brand-new", 422), 1).action is Action.GIVE_UP


def test_only_whole_seconds_count_as_a_request_for_time() -> None:
    assert delivery.retry_after_s(refused("rate-limited", retry_after_s=5)) == 5
    for value in (None, -1, True, "5"):
        assert delivery.retry_after_s(refused("rate-limited", retry_after_s=value)) is None


def test_an_envelope_expires_with_its_deadline_of_two_weeks() -> None:
    deadline = delivery.deadline_of(NOW)
    assert deadline == NOW + 14 * 24 * 3600
    assert not delivery.is_expired(deadline, deadline - 1)
    assert delivery.is_expired(deadline, deadline)


# --- Refusals on the wire. ---


def test_a_verified_peer_learns_the_detail_and_the_request_id() -> None:
    error = errors.EnvelopeConflict("number 7", envelope="e" * 32)
    found = parse_problem(problem(error, "r" * 16, verified=True))
    assert (found.code, found.status, found.detail) == ("envelope-conflict", 409, "number 7")
    assert found.request_id == "r" * 16
    assert found.facts == {"envelope": "e" * 32}
    again = found.to_error()
    assert isinstance(again, errors.EnvelopeConflict)
    assert again.facts == error.facts


def test_a_stranger_learns_what_it_needs_to_come_back_and_no_more() -> None:
    error = errors.ClockSkew("aoba is late", server_time=NOW, skew_seconds=-40, member="aoba")
    found = parse_problem(problem(error, "r" * 16, verified=False))
    assert found.detail == ""
    assert found.facts == {"server_time": NOW, "skew_seconds": -40}


def test_a_refusal_of_a_newer_release_keeps_its_words() -> None:
    error = Problem("brand-new", 422, "Something new.", "look", "r", {"self": 1}).to_error()
    assert "brand-new: look" in str(error)


@given(st.binary())
def test_garbage_is_no_problem_document(data: bytes) -> None:
    assert refusal_of(lambda: parse_problem(data))


@pytest.mark.parametrize("code", errors.codes())
def test_each_code_travels_and_comes_back(code: str) -> None:
    kind = errors.by_code(code)
    assert kind is not None
    back = parse_problem(problem(kind("why"), "r" * 16, verified=True)).to_error()
    assert type(back) is kind
    assert back.detail == "why"


@pytest.mark.parametrize(
    ("until", "held"),
    [
        (NOW + 60, NOW + 60),
        (NOW + 10 * limits.SUSPENSION_S, NOW + limits.SUSPENSION_S),
        (NOW, NOW + limits.RETRY_SLOWLY_S),
        ("soon", NOW + limits.RETRY_SLOWLY_S),
        (None, NOW + limits.RETRY_SLOWLY_S),
    ],
    ids=["named", "beyond-72-hours", "over", "no-number", "not-named"],
)
def test_letters_wait_for_the_end_that_a_suspension_names(until: object, held: int) -> None:
    facts = {} if until is None else {"until": until}
    assert delivery.held_until(refused("member-suspended", **facts), NOW) == held
