"""Outbox and delivery: order, leases, receipts, back-off, and what each refusal does."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from node import models
from node.database import Database
from node.services import delivery, exchange, membership, outbox
from node.services.delivery import Outcome, Parcel
from protocol import Decline, limits, problems
from tests.equipment.alliance import Alliance, House, found_alliance
from tests.equipment.databases import Databases
from tests.equipment.peers import Caller, stored

DECLINE = Decline(referral="referral-0001", declined_at=1_800_000_000).encode()


@pytest.fixture
def alliance(database: Database, sqlite_databases: Databases) -> Iterator[Alliance]:
    """`aoba`, which sends here, has its database on each engine in turn."""
    with sqlite_databases.fresh() as b, sqlite_databases.fresh() as c:
        opened = [database, Database(b), Database(c)]
        yield found_alliance(opened, members=("aoba", "biwa", "seeds"))
        opened[1].close()
        opened[2].close()


@pytest.fixture
def aoba(alliance: Alliance) -> House:
    return alliance["aoba"]


def enqueue(house: House, *, to: str = "biwa", subject: str = "", **options: int) -> str:
    with house.database.transaction() as session:
        return outbox.enqueue(
            session,
            house.context,
            recipient=to,
            kind="decline",
            payload=DECLINE,
            subject=subject,
            **options,
        )


def claim(house: House, *, to: str = "biwa", lease: str = "one") -> list[Parcel]:
    with house.database.transaction() as session:
        return delivery.claim(session, house.context, to, lease)


def record(
    house: House,
    claimed: list[Parcel],
    outcomes: list[Outcome],
    *,
    to: str = "biwa",
    lease: str = "one",
) -> None:
    with house.database.transaction() as session:
        delivery.record(session, house.context, to, lease, claimed, outcomes, jitter=0.5)


def due(house: House) -> list[str]:
    with house.database.reading() as session:
        return delivery.due(session, house.context)


def peer(house: House, member: str = "biwa") -> models.Peer:
    with house.database.reading() as session:
        return session.scalars(select(models.Peer).where(models.Peer.member == member)).one()


def entry(house: House, envelope_id: str) -> outbox.OutboxView:
    with house.database.reading() as session:
        found = outbox.find(session, envelope_id)
    assert found is not None
    return found


def refusal(code: str, status: int, **facts: int) -> problems.Problem:
    return problems.Problem(code, status, "title", "detail", "request-0001", dict(facts))


def test_an_envelope_travels_and_its_receipt_is_kept(alliance: Alliance, aoba: House) -> None:
    sent = enqueue(aoba, subject="referral-0001")
    (parcel,) = claim(aoba)
    answer = Caller(aoba, alliance["biwa"], alliance.charter).call(parcel.envelope)
    outcome = delivery.outcome_of(parcel, answer.status, answer.body, alliance.charter.keys)
    record(aoba, [parcel], [outcome])

    with aoba.database.reading() as session:
        (view,) = outbox.state_of(session, "referral-0001")
        link = session.scalars(select(models.ExchangeLink)).one()
    assert (view.id, view.state, view.attempts) == (sent, "delivered", 1)
    assert link.receipt_digest == exchange.receipt_digest(answer.body)
    assert due(aoba) == []
    assert stored(alliance["biwa"].database)["inbox"] == 1
    assert peer(aoba).last_success_at == aoba.context.now()


def test_what_is_rolled_back_was_never_enqueued(aoba: House) -> None:
    def fail() -> None:
        with aoba.database.transaction() as session:
            outbox.enqueue(session, aoba.context, recipient="biwa", kind="decline", payload=DECLINE)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert stored(aoba.database)["outbox"] == 0


def test_envelopes_are_claimed_once_and_in_their_order(aoba: House) -> None:
    ids = [enqueue(aoba) for _ in range(delivery.BATCH_MAX + 3)]
    first, second, third = (claim(aoba, lease=lease) for lease in ("one", "two", "three"))
    assert [parcel.id for parcel in first + second] == ids
    assert third == []
    assert due(aoba) == []


def test_a_dead_workers_lease_ends_and_another_takes_over(alliance: Alliance, aoba: House) -> None:
    sent = enqueue(aoba)
    dead = claim(aoba, lease="dead")
    alliance.clock.move(delivery.LEASE_S)
    assert due(aoba) == ["biwa"]
    taken_over = claim(aoba, lease="alive")
    assert [parcel.id for parcel in taken_over] == [sent]
    # The dead one was only slow; what it records is the other's to record.
    record(aoba, dead, [Outcome(dead[0], refusal=refusal("too-large", 413))], lease="dead")
    assert entry(aoba, sent).state == "queued"


def test_at_the_start_of_the_only_worker_every_lease_is_free(aoba: House) -> None:
    enqueue(aoba)
    claim(aoba, lease="killed")
    assert due(aoba) == []
    with aoba.database.transaction() as session:
        delivery.release_all(session)
    assert due(aoba) == ["biwa"]


def test_a_peer_that_is_away_holds_its_own_queue_only(alliance: Alliance, aoba: House) -> None:
    sent, other = enqueue(aoba), enqueue(aoba, to="seeds")
    waits = []
    for _ in range(limits.BREAKER_FAILURES + 10):
        claimed = claim(aoba)
        assert claimed, "the queue never starts again"
        record(aoba, claimed, [Outcome(claimed[0], failure="not-reached")])
        assert due(aoba) == ["seeds"]
        waits.append(peer(aoba).next_attempt_at - aoba.context.now())
        alliance.clock.move(waits[-1])
    assert waits == sorted(waits)
    assert waits[-1] <= limits.RETRY_S_MAX
    assert peer(aoba).state == "open"
    assert peer(aoba).last_error_code == "not-reached"
    assert entry(aoba, sent).state == "queued"
    assert [parcel.id for parcel in claim(aoba, to="seeds")] == [other]


def test_an_open_breaker_lets_one_envelope_find_out(alliance: Alliance, aoba: House) -> None:
    for _ in range(3):
        enqueue(aoba)
    for _ in range(limits.BREAKER_FAILURES):
        claimed = claim(aoba)
        record(aoba, claimed, [Outcome(claimed[0], failure="not-reached")])
        alliance.clock.move(limits.RETRY_S_MAX)
    (probe,) = claim(aoba)
    assert due(aoba) == []
    answer = Caller(aoba, alliance["biwa"], alliance.charter).call(probe.envelope)
    outcome = delivery.outcome_of(probe, answer.status, answer.body, alliance.charter.keys)
    record(aoba, [probe], [outcome])
    assert (peer(aoba).state, peer(aoba).failures) == ("closed", 0)
    assert len(claim(aoba)) == 2


def test_a_hello_wakes_the_queue_at_once(alliance: Alliance, aoba: House) -> None:
    enqueue(aoba)
    for _ in range(limits.BREAKER_FAILURES + 5):
        claimed = claim(aoba)
        record(aoba, claimed, [Outcome(claimed[0], failure="not-reached")])
        alliance.clock.move(peer(aoba).next_attempt_at - aoba.context.now())
    claimed = claim(aoba)
    record(aoba, claimed, [Outcome(claimed[0], failure="not-reached")])
    assert due(aoba) == []
    biwa = alliance["biwa"]
    with biwa.database.reading() as session:
        hello = membership.make_hello(session, biwa.context)
    Caller(biwa, aoba, alliance.charter).call(hello.encode(), path="/peer/v1/hello")
    assert due(aoba) == ["biwa"]
    assert peer(aoba).seen_at == aoba.context.now()


@pytest.mark.parametrize(
    ("code", "status"), [("too-large", 413), ("document-invalid", 422), ("envelope-conflict", 409)]
)
def test_an_envelope_that_is_refused_for_good_is_set_aside(
    aoba: House, code: str, status: int
) -> None:
    bad, good = enqueue(aoba), enqueue(aoba)
    claimed = claim(aoba)
    record(aoba, claimed, [Outcome(claimed[0], refusal=refusal(code, status))])
    assert (entry(aoba, bad).state, entry(aoba, bad).error_code) == ("refused", code)
    assert [parcel.id for parcel in claim(aoba)] == [good]
    with aoba.database.reading() as session:
        assert [view.id for view in outbox.troubled(session, "biwa")] == [bad]
        told = session.scalars(
            select(models.AuditEntry).where(models.AuditEntry.action == "delivery.refused")
        ).one()
    assert (told.subject, told.detail.split()[0]) == ("biwa", code)


@pytest.mark.parametrize("code", ["not-a-member", "peer-blocked", "member-expelled"])
def test_a_refusal_of_the_member_stops_its_queue_until_somebody_acts(
    alliance: Alliance, aoba: House, code: str
) -> None:
    sent = enqueue(aoba)
    claimed = claim(aoba)
    record(aoba, claimed, [Outcome(claimed[0], refusal=refusal(code, 403))])
    alliance.clock.move(limits.RETRY_S_MAX * 2)
    assert due(aoba) == []
    assert peer(aoba).stopped_code == code
    assert entry(aoba, sent).state == "queued"
    with aoba.database.transaction() as session:
        membership.wake(session, aoba.context, "biwa")
    assert due(aoba) == ["biwa"]


def test_a_suspension_holds_the_letters_to_its_end_and_leaves_the_peer_reachable(
    alliance: Alliance, aoba: House
) -> None:
    first, second = enqueue(aoba), enqueue(aoba)
    claimed = claim(aoba)
    until = aoba.context.now() + 3600
    problem = refusal("member-suspended", 403, until=until)
    record(aoba, claimed, [Outcome(claimed[0], refusal=problem)])
    assert [entry(aoba, each).next_attempt_at for each in (first, second)] == [until, until]
    assert (peer(aoba).stopped_code, peer(aoba).last_error_code) == (None, "member-suspended")
    with aoba.database.reading() as session:
        assert "biwa" in delivery.reachable(session, aoba.context)
    alliance.clock.move(3599)
    assert due(aoba) == []
    alliance.clock.move(1)
    assert due(aoba) == ["biwa"]


def test_a_skewed_clock_keeps_the_queue_and_asks_slowly(alliance: Alliance, aoba: House) -> None:
    sent = enqueue(aoba)
    claimed = claim(aoba)
    problem = refusal("clock-skew", 401, skew_seconds=-45)
    record(aoba, claimed, [Outcome(claimed[0], refusal=problem)])
    assert (peer(aoba).skew_s, peer(aoba).last_error_code) == (45, "clock-skew")
    assert due(aoba) == []
    alliance.clock.move(limits.RETRY_SLOWLY_S)
    assert due(aoba) == ["biwa"]
    assert entry(aoba, sent).state == "queued"


def test_a_peer_that_asks_for_time_is_given_it(alliance: Alliance, aoba: House) -> None:
    enqueue(aoba)
    claimed = claim(aoba)
    problem = refusal("maintenance", 503, retry_after_s=600)
    record(aoba, claimed, [Outcome(claimed[0], refusal=problem)])
    alliance.clock.move(599)
    assert due(aoba) == []
    alliance.clock.move(1)
    assert due(aoba) == ["biwa"]


def test_a_profile_never_overtakes_its_referral(alliance: Alliance, aoba: House) -> None:
    first, second = (enqueue(aoba, subject="referral-0001") for _ in range(2))
    other = enqueue(aoba, subject="referral-0002")
    claimed = claim(aoba)
    record(aoba, claimed, [Outcome(claimed[0], refusal=refusal("digest-mismatch", 400))])
    assert [parcel.id for parcel in claim(aoba, lease="two")] == [other]
    alliance.clock.move(limits.RETRY_S_MAX)
    again = [parcel.id for parcel in claim(aoba, lease="three")]
    assert again[:2] == [first, second]


def test_a_deadline_ends_an_envelope_and_nothing_else_does(alliance: Alliance, aoba: House) -> None:
    short, long = enqueue(aoba, deadline_s=60), enqueue(aoba)
    alliance.clock.move(60)
    assert [parcel.id for parcel in claim(aoba)] == [long]
    assert entry(aoba, short).state == "expired"


def test_a_receipt_for_other_bytes_is_no_receipt(alliance: Alliance, aoba: House) -> None:
    enqueue(aoba)
    enqueue(aoba)
    one, two = claim(aoba)
    answer = Caller(aoba, alliance["biwa"], alliance.charter).call(one.envelope)
    outcome = delivery.outcome_of(two, answer.status, answer.body, alliance.charter.keys)
    assert (outcome.receipt, outcome.failure) == (None, "receipt-invalid")
    record(aoba, [one, two], [outcome])
    assert entry(aoba, two.id).state == "queued"


def test_what_waits_can_be_cancelled_and_what_is_on_its_way_may_arrive(aoba: House) -> None:
    waiting = enqueue(aoba, subject="referral-0001")
    with aoba.database.transaction() as session:
        assert outbox.cancel(session, aoba.context, "referral-0001")
    assert entry(aoba, waiting).state == "cancelled"
    enqueue(aoba, subject="referral-0002")
    claim(aoba)
    with aoba.database.transaction() as session:
        assert not outbox.cancel(session, aoba.context, "referral-0002")


def test_a_refused_envelope_can_be_sent_again_once_mended(aoba: House) -> None:
    sent = enqueue(aoba)
    claimed = claim(aoba)
    record(aoba, claimed, [Outcome(claimed[0], refusal=refusal("document-invalid", 422))])
    with aoba.database.transaction() as session:
        assert outbox.requeue(session, aoba.context, sent)
        assert not outbox.requeue(session, aoba.context, "nothing")
    assert [parcel.id for parcel in claim(aoba)] == [sent]
