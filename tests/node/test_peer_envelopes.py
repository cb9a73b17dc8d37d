"""Envelopes at the door: proven, stored, receipted; and every way in which one is not right."""

import json
import os
from collections.abc import Iterator

import pytest
from sqlalchemy import select, update

from node import models
from node.database import Database
from node.services import exchange, inbox
from protocol import Decline, SealingKey, SignedDocument, envelope, limits, sign, strictjson
from tests.equipment.alliance import Alliance, found_alliance
from tests.equipment.databases import Databases
from tests.equipment.peers import Answer, Caller, stored

DECLINE = Decline(referral="referral-0001", declined_at=1_800_000_000).encode()


@pytest.fixture
def alliance(database: Database, sqlite_databases: Databases) -> Iterator[Alliance]:
    """`biwa`, which is called here, has its database on each engine in turn."""
    with sqlite_databases.fresh() as a, sqlite_databases.fresh() as c:
        opened = [Database(a), database, Database(c)]
        yield found_alliance(opened, members=("aoba", "biwa", "seeds"))
        opened[0].close()
        opened[2].close()


@pytest.fixture
def caller(alliance: Alliance) -> Caller:
    return Caller(alliance["aoba"], alliance["biwa"], alliance.charter)


def assert_refused(caller: Caller, answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.code, answer.is_proven) == (status, code, True)
    assert set(stored(caller.them.database).values()) == {0}
    assert caller.call(caller.letter("decline", DECLINE).encode()).status == 200


def test_an_envelope_is_stored_before_it_is_receipted(caller: Caller) -> None:
    sealed = caller.letter("decline", DECLINE)
    answer = caller.call(sealed.encode())
    assert (answer.status, answer.is_proven) == (200, True)
    receipt = envelope.verify_receipt(
        SignedDocument.parse(answer.body), sealed, caller.charter.keys
    )
    assert receipt.signer == "biwa"
    assert receipt.body.received_at == caller.them.context.now()
    with caller.them.database.reading() as session:
        row = session.scalars(select(models.InboxEntry)).one()
        assert (row.sender, row.state, row.kind) == ("aoba", "received", "decline")
        assert (row.envelope, row.receipt) == (sealed.encode(), answer.body)


def test_the_same_envelope_again_gets_the_same_receipt(caller: Caller) -> None:
    sealed = caller.letter("decline", DECLINE)
    first = caller.call(sealed.encode())
    caller.them.context.clock.move(100)  # type: ignore[attr-defined]
    again = caller.call(sealed.encode())
    assert (again.status, again.body) == (200, first.body)
    assert stored(caller.them.database)["inbox"] == 1


def test_other_bytes_under_a_known_number_are_a_conflict_and_kept(caller: Caller) -> None:
    sealed = caller.letter("decline", DECLINE)
    assert caller.call(sealed.encode()).status == 200
    other = caller.letter("decline", DECLINE, id=sealed.id)
    for _ in range(2):
        answer = caller.call(other.encode())
        assert (answer.status, answer.code, answer.is_proven) == (409, "envelope-conflict", True)
    counts = stored(caller.them.database)
    assert (counts["inbox"], counts["evidence"]) == (1, 1)
    with caller.them.database.reading() as session:
        evidence = session.scalars(select(models.Evidence)).one()
        kept = strictjson.parse(evidence.request, bytes_max=limits.PEER_BODY_BYTES_MAX)
        assert (evidence.peer, evidence.subject) == ("aoba", sealed.id)
        assert strictjson.b64decode(kept["body"]) == other.encode()
    # What was stored first keeps its receipt.
    assert caller.call(sealed.encode()).status == 200


def flipped(sealed: envelope.Envelope) -> bytes:
    """The same envelope with one bit of the ciphertext changed."""
    obj = json.loads(sealed.encode())
    cipher = bytearray(sealed.ciphertext)
    cipher[len(cipher) // 2] ^= 1
    obj["ciphertext"] = strictjson.b64encode(bytes(cipher))
    return strictjson.encode(obj)


def test_a_known_number_with_one_bit_changed_is_a_conflict(caller: Caller) -> None:
    sealed = caller.letter("decline", DECLINE)
    assert caller.call(sealed.encode()).status == 200
    assert caller.call(flipped(sealed)).code == "envelope-conflict"


def test_an_envelope_with_one_bit_changed_is_refused(caller: Caller) -> None:  # 27
    answer = caller.call(flipped(caller.letter("decline", DECLINE)))
    assert_refused(caller, answer, 422, "cannot-decrypt")


def test_every_envelope_that_does_not_open_is_refused_in_the_same_words(caller: Caller) -> None:
    sealed = caller.letter("decline", DECLINE)
    foreign = caller.letter("decline", DECLINE, recipient_key=SealingKey.generate().public)
    cut = json.loads(sealed.encode())
    cut["ciphertext"] = strictjson.b64encode(sealed.ciphertext[:100])
    details = set()
    for body in (flipped(sealed), foreign.encode(), strictjson.encode(cut)):
        answer = caller.call(body)
        details.add((answer.code, answer.problem.detail))
    assert len(details) == 1
    assert_refused(caller, answer, 422, "cannot-decrypt")


def test_another_members_envelope_cannot_be_brought(alliance: Alliance, caller: Caller) -> None:
    seeds = Caller(alliance["seeds"], alliance["biwa"], alliance.charter)  # 17
    theirs = seeds.letter("decline", DECLINE)
    assert_refused(caller, caller.call(theirs.encode()), 403, "sender-mismatch")


def test_an_envelope_signed_by_another_member_inside_is_refused(
    alliance: Alliance, caller: Caller
) -> None:
    signed = sign("decline", DECLINE, alliance["seeds"].context.keyring.signing)
    forwarded = caller.letter("decline", b"", document=signed)
    assert_refused(caller, caller.call(forwarded.encode()), 403, "sender-mismatch")


def test_an_envelope_signed_by_a_stranger_inside_is_refused(caller: Caller) -> None:
    from protocol import SigningKey

    stranger = caller.letter("decline", DECLINE, key=SigningKey.generate())
    assert_refused(caller, caller.call(stranger.encode()), 401, "key-unknown")


def test_an_envelope_for_another_member_is_refused(caller: Caller) -> None:  # 18
    to_seeds = caller.letter("decline", DECLINE, recipient="seeds")
    assert_refused(caller, caller.call(to_seeds.encode()), 403, "recipient-mismatch")


def test_an_envelope_of_another_alliance_is_refused(caller: Caller) -> None:
    other = caller.letter("decline", DECLINE, alliance="other")
    assert_refused(caller, caller.call(other.encode()), 403, "recipient-mismatch")


def test_an_envelope_of_a_later_charter_waits_for_that_charter(caller: Caller) -> None:
    later = caller.letter("decline", DECLINE, epoch=2)
    assert_refused(caller, caller.call(later.encode()), 409, "epoch-mismatch")


def test_an_unknown_kind_is_refused_by_name(caller: Caller) -> None:
    answer = caller.call(caller.letter("surprise", b"{}").encode())
    assert answer.problem.facts["errors"][0]["path"] == "kind"
    assert_refused(caller, answer, 422, "document-invalid")


def test_a_letter_that_is_not_of_its_kind_is_refused(caller: Caller) -> None:
    answer = caller.call(caller.letter("decline", b'{"declined_at":1}').encode())
    assert_refused(caller, answer, 422, "document-invalid")


def test_a_letter_with_a_repeated_member_is_refused(caller: Caller) -> None:
    twice = b'{"declined_at":1,"declined_at":2,"referral":"referral-0001"}'
    answer = caller.call(caller.letter("decline", twice).encode())
    assert_refused(caller, answer, 400, "json-not-strict")


def test_an_envelope_with_a_repeated_member_is_refused(caller: Caller) -> None:
    body = caller.letter("decline", DECLINE).encode()
    doubled = body[:-1] + b',"to":"biwa"}'
    assert_refused(caller, caller.call(doubled), 400, "json-not-strict")


def test_an_envelope_may_not_ask_to_be_remembered_for_ever(caller: Caller) -> None:
    deadline = caller.us.context.now() + limits.ENVELOPE_DEADLINE_S_MAX + 1
    answer = caller.call(caller.letter("decline", DECLINE, deadline=deadline).encode())
    assert_refused(caller, answer, 422, "document-invalid")


def test_a_body_that_is_no_envelope_is_refused(caller: Caller) -> None:
    assert_refused(caller, caller.call(b'{"id":1}'), 422, "document-invalid")


# --- Handling. ---


def waiting_of(caller: Caller) -> inbox.Waiting:
    with caller.them.database.reading() as session:
        return inbox.waiting(session, caller.them.context)[0]


def test_a_letter_has_its_effect_once_and_its_content_leaves_the_inbox(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, bytes]] = []
    kind = inbox.Kind(
        lambda payload: payload,
        lambda _, __, letter: seen.append((letter.sender, letter.document.payload)),
    )
    monkeypatch.setitem(inbox.KINDS, "probe", kind)
    answer = caller.call(caller.letter("probe", b'{"n":1}').encode())
    assert answer.status == 200
    them, entry = caller.them, waiting_of(caller)
    with them.database.reading() as session:
        letter = inbox.open_letter(session, them.context, entry)
    outcomes = []
    for _ in range(2):
        with them.database.transaction() as session:
            outcomes.append(inbox.handle(session, them.context, entry, letter))
    assert outcomes == [True, False]
    assert seen == [("aoba", b'{"n":1}')]
    with them.database.reading() as session:
        row = session.scalars(select(models.InboxEntry)).one()
        assert (row.state, row.envelope, row.receipt) == ("handled", None, answer.body)
        link = session.scalars(select(models.ExchangeLink)).one()
        assert (link.peer, link.position) == ("aoba", 1)
        assert link.receipt_digest == exchange.receipt_digest(answer.body)
        assert exchange.first_broken(session, "aoba") is None


def test_a_handled_envelope_that_comes_again_gets_its_old_receipt(caller: Caller) -> None:
    sealed = caller.letter("decline", DECLINE)
    first = caller.call(sealed.encode())
    with caller.them.database.transaction() as session:
        inbox.refuse(session, caller.them.context, waiting_of(caller), "letter-unexpected")
    assert caller.call(sealed.encode()).body == first.body
    with caller.them.database.reading() as session:
        row = session.scalars(select(models.InboxEntry)).one()
        assert (row.state, row.error_code) == ("refused", "letter-unexpected")


def test_a_postponed_letter_waits_for_its_time(caller: Caller) -> None:
    assert caller.call(caller.letter("decline", DECLINE).encode()).status == 200
    them = caller.them
    with them.database.transaction() as session:
        inbox.postpone(session, them.context, waiting_of(caller), "our-mistake", jitter=0.5)
    with them.database.reading() as session:
        assert inbox.waiting(session, them.context) == []
    them.context.clock.move(3600)  # type: ignore[attr-defined]
    assert waiting_of(caller).attempts == 1


def test_letters_are_handled_in_the_order_in_which_they_were_received(caller: Caller) -> None:
    ids = [f"{number:032x}" for number in range(5)]
    for number in ids:
        assert caller.call(caller.letter("decline", DECLINE, id=number).encode()).status == 200
    with caller.them.database.reading() as session:
        found = inbox.waiting(session, caller.them.context)
    assert [entry.envelope_id for entry in found] == ids


def test_a_changed_link_of_the_exchange_is_found(caller: Caller) -> None:
    them = caller.them
    pairs = [(os.urandom(32), os.urandom(32)) for _ in range(5)]
    with them.database.transaction() as session:
        exchange.append(session, "aoba", pairs[:2])
        exchange.append(session, "aoba", pairs[2:])
    with them.database.transaction() as session:
        assert exchange.first_broken(session, "aoba") is None
        session.execute(
            update(models.ExchangeLink)
            .where(models.ExchangeLink.position == 3)
            .values(receipt_digest=bytes(32))
        )
    with them.database.reading() as session:
        assert exchange.first_broken(session, "aoba") == 3
