"""A consent that is taken back: stopped, carried out at the other member, and proven."""

import pytest
from sqlalchemy import select, update

from node import models
from node.keyring import PersonKeyErased
from node.services import delivery, erasures, hires, outbox, persons, referrals
from node.services.erasures import asking
from protocol import (
    ACCEPTANCE,
    ERASURE_RECEIPT,
    PROFILE,
    REFERRAL,
    WITHDRAWAL,
    Acceptance,
    ErasureReceipt,
    Grounds,
    ProfileRelease,
    Referral,
    SignedDocument,
    Withdrawal,
)
from tests.equipment.alliance import Alliance, House
from tests.equipment.letters import carry, deliver, handle
from tests.equipment.referring import (
    CARD,
    DAY_S,
    PDF,
    PROFILE_OF_MAKI,
    accept,
    letter,
    owed,
    received,
    refer,
    sent,
)


def withdraw(house: House, referral_id: str) -> int:
    with house.database.transaction() as session:
        consent = referrals.sent_of(session, referral_id).consent_id
        return erasures.withdraw(session, house.context, consent)


def asked(house: House) -> models.Erasure:
    with house.database.reading() as session:
        return session.scalars(select(models.Erasure)).one()


def held_by(house: House) -> list[bytes]:
    """Everything encrypted of a person that is in the tables of referrals and of the inbox."""
    with house.database.reading() as session:
        blobs = [
            *session.scalars(select(models.ReferralIn.profile_blob)),
            *session.scalars(select(models.ReferralIn.resume_blob)),
            *session.scalars(select(models.ResumeChunk.content_blob)),
            *session.scalars(select(models.InboxEntry.envelope)),
        ]
    return [blob for blob in blobs if blob]


def test_what_was_released_is_destroyed_and_the_receipt_comes_back(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa", resume=PDF)
    carry(alliance)
    accept(biwa, received(biwa).id)
    carry(alliance)
    assert len(held_by(biwa)) == 2

    assert withdraw(aoba, referral) == 1
    assert sent(aoba, referral).state == "withdrawn"
    assert erasures.state_of(asked(aoba), aoba.context.now()) == "asked"
    assert carry(alliance) == []

    row = received(biwa)
    assert (row.state, held_by(biwa), row.email_index) == ("withdrawn", [], None)
    assert "Python" not in row.card
    with pytest.raises(PersonKeyErased), biwa.database.reading() as session:
        persons.cipher(session, biwa.context, row.id)
    proof = asked(aoba)
    assert (proof.erased_at, proof.kept) == (aoba.context.now(), "record")
    assert proof.receipt is not None
    document = SignedDocument.parse(proof.receipt)
    assert ErasureReceipt.parse(document.payload).withdrawal == proof.withdrawal
    assert document.signatures == SignedDocument.parse(asked(biwa).receipt or b"").signatures
    # The promise of a point stands.
    assert owed(biwa) == [("referral", "aoba", 1)]


def test_what_nobody_has_taken_up_never_leaves_and_nothing_is_asked(alliance: Alliance) -> None:
    aoba = alliance["aoba"]
    referral = refer(aoba, "biwa", now=True, resume=PDF)
    assert withdraw(aoba, referral) == 1
    carry(alliance)
    with alliance["biwa"].database.reading() as session:
        assert not session.scalars(select(models.InboxEntry)).all()
    with aoba.database.reading() as session:
        assert not session.scalars(select(models.Erasure)).all()
        consent = session.get(models.Consent, sent(aoba, referral).consent_id)
    assert consent is not None
    assert consent.state == "withdrawn"


def test_a_worker_that_ended_before_it_could_write_may_have_sent_it(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa", now=True)
    with aoba.database.transaction() as session:
        [parcel] = delivery.claim(session, aoba.context, "biwa", "lease")
    withdraw(aoba, referral)
    assert asked(aoba).envelope_id is not None
    alliance.clock.move(delivery.LEASE_S + 1)
    assert carry(alliance) == []
    assert parcel.kind == REFERRAL
    assert (received(biwa).state, held_by(biwa)) == ("withdrawn", [])
    assert asked(aoba).erased_at is not None


def test_a_withdrawal_that_comes_first_keeps_the_referral_out(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    now = biwa.context.now()
    letter(aoba, "biwa", WITHDRAWAL, Withdrawal("r" * 32, now, now + DAY_S).encode())
    # Nobody at aoba asked for the receipt that comes: it is set aside there.
    assert carry(alliance) == ["letter-unexpected"]
    early = asked(biwa)
    assert (early.kept, early.receipt is not None) == ("", True)

    grounds = Grounds("consent0001", now, "1", "0" * 64, ("name",), "応募により本人から取得")
    offered = Referral("r" * 32, CARD, grounds, now, now + DAY_S, PROFILE_OF_MAKI)
    letter(aoba, "biwa", REFERRAL, offered.encode())
    assert carry(alliance) == []
    with biwa.database.reading() as session:
        assert not session.scalars(select(models.ReferralIn)).all()
    assert held_by(biwa) == []


def test_asked_twice_it_answers_twice_and_erases_once(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa", now=True)
    carry(alliance)
    withdraw(aoba, referral)
    assert withdraw(aoba, referral) == 0
    carry(alliance)
    first = asked(aoba)
    again = Withdrawal(referral, first.withdrawn_at, first.erase_by)
    letter(aoba, "biwa", WITHDRAWAL, again.encode())
    assert carry(alliance) == []
    assert asked(aoba).receipt == first.receipt
    assert asked(biwa).erased_at == first.erased_at


def test_a_receipt_that_does_not_match_proves_nothing(alliance: Alliance) -> None:
    aoba, biwa, seeds = (alliance[name] for name in ("aoba", "biwa", "seeds"))
    referral = refer(aoba, "biwa")
    carry(alliance)
    withdraw(aoba, referral)
    digest, now = asked(aoba).withdrawal, aoba.context.now()
    for liar, given in (
        (biwa, ErasureReceipt(referral, bytes(32), now, ())),
        (biwa, ErasureReceipt("q" * 32, digest, now, ())),
        (seeds, ErasureReceipt(referral, digest, now, ())),
    ):
        letter(liar, "aoba", ERASURE_RECEIPT, given.encode())
        deliver(alliance, liar)
    assert handle(alliance, aoba) == ["letter-unexpected"] * 3
    assert asked(aoba).erased_at is None
    carry(alliance)
    assert asked(aoba).erased_at is not None


def test_answers_that_crossed_the_withdrawal_change_nothing(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa")
    carry(alliance)
    accept(biwa, received(biwa).id)
    withdraw(aoba, referral)
    assert carry(alliance) == []
    row = sent(aoba, referral)
    assert (row.state, row.released_at, row.points) == ("withdrawn", None, 1)
    assert (received(biwa).state, held_by(biwa)) == ("withdrawn", [])
    # What a member still sends of its own accord is not kept either.
    late = Acceptance(referral, 1, 1, "e" * 32, bytes(32)).encode()
    release = ProfileRelease(
        referral, SignedDocument(ACCEPTANCE, late, ()).digest, PROFILE_OF_MAKI, 1
    )
    letter(aoba, "biwa", PROFILE, release.encode())
    assert carry(alliance) == []
    assert held_by(biwa) == []


def test_whoever_hired_is_not_asked_and_keeps_the_hire(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa")
    carry(alliance)
    accept(biwa, received(biwa).id)
    carry(alliance)
    with biwa.database.transaction() as session:
        hires.register(
            session,
            biwa.context,
            received(biwa).id,
            joins_on="2027-04-01",
            with_slot=False,
            user_id="hanako",
        )
    # The person takes it back before the news of the hire is there.
    withdraw(aoba, referral)
    assert carry(alliance) == []
    assert (received(biwa).state, asked(aoba).kept) == ("hired", "hire,record")
    assert received(biwa).profile_blob is not None
    assert sent(aoba, referral).state == "hired"
    assert withdraw(aoba, referral) == 0


def test_a_member_that_is_away_for_months_is_asked_again(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa", now=True)
    carry(alliance)
    withdraw(aoba, referral)
    alliance.clock.move(60 * DAY_S)
    with aoba.database.transaction() as session:
        # What the worker does before each batch: what is too old is given up.
        assert delivery.claim(session, aoba.context, "biwa", "lease") == []
        assert erasures.owed(session, aoba.context) == (1, 1)
        assert erasures.ask_again(session, aoba.context) == 1
        assert erasures.ask_again(session, aoba.context) == 0
    assert carry(alliance) == []
    assert (asked(aoba).erased_at is not None, held_by(biwa)) == (True, [])


def test_one_partner_is_taken_back_and_the_other_goes_on(alliance: Alliance) -> None:
    aoba = alliance["aoba"]
    first, second = refer(aoba, "biwa"), refer(aoba, "seeds")
    with aoba.database.transaction() as session:
        consent = referrals.sent_of(session, first).consent_id
        assert erasures.withdraw(session, aoba.context, consent, ["seeds"]) == 0
        assert erasures.withdraw(session, aoba.context, consent, ["biwa"]) == 1
    assert sent(aoba, first).state == "withdrawn"
    assert sent(aoba, second).state == "sent"
    with aoba.database.reading() as session:
        given = session.get(models.Consent, consent)
        choices = session.scalars(select(models.ConsentChoice.withdrawn_at)).all()
    assert given is not None
    assert (given.state, choices) == ("withdrawn", [])


def test_what_a_restored_member_is_sent_anew_had_left_before(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa", now=True)
    carry(alliance)
    with aoba.database.transaction() as session:
        # biwa says that it was restored; its backup may hold the referral, or not.
        outbox.deliver_again(session, aoba.context, "biwa")
    withdraw(aoba, referral)
    assert carry(alliance) == []
    assert (received(biwa).state, held_by(biwa)) == ("withdrawn", [])
    assert asked(aoba).erased_at is not None


def test_a_member_that_refuses_every_letter_is_asked_once_a_day(alliance: Alliance) -> None:
    aoba = alliance["aoba"]
    referral = refer(aoba, "biwa", now=True)
    carry(alliance)
    withdraw(aoba, referral)
    again = []
    for _ in range(4):
        with aoba.database.transaction() as session:
            session.execute(
                update(models.OutboxEntry)
                .where(models.OutboxEntry.kind == WITHDRAWAL)
                .values(state="refused")
            )
            again.append(erasures.ask_again(session, aoba.context))
        alliance.clock.move(DAY_S // 2)
    assert again == [0, 0, 1, 0]


def test_those_that_have_left_keep_nobody_else_from_being_asked_again(alliance: Alliance) -> None:
    aoba = alliance["aoba"]
    referral = refer(aoba, "biwa", now=True)
    carry(alliance)
    withdraw(aoba, referral)
    with aoba.database.transaction() as session:
        owing = session.scalars(select(models.Erasure)).one()
        owing.envelope_id = None
        session.add_all(
            models.Erasure(
                id=f"gone{number}",
                direction="out",
                peer="gone",
                referral_id=f"{number:032x}",
                withdrawal=bytes(32),
                withdrawn_at=owing.withdrawn_at,
                erase_by=owing.erase_by - 1,
            )
            for number in range(asking.BATCH_MAX)
        )
        session.flush()
        assert erasures.ask_again(session, aoba.context) == 1
    carry(alliance)
    with aoba.database.reading() as session:
        row = session.scalars(select(models.Erasure).where(models.Erasure.peer == "biwa")).one()
    assert row.erased_at is not None


def test_what_was_set_aside_is_destroyed_before_the_receipt_says_so(alliance: Alliance) -> None:
    aoba, biwa = alliance["aoba"], alliance["biwa"]
    referral = refer(aoba, "biwa")
    carry(alliance)
    accept(biwa, received(biwa).id)
    carry(alliance)
    # Against an acceptance that biwa never gave: set aside, with the profile in it.
    other = ProfileRelease(referral, bytes(32), PROFILE_OF_MAKI, aoba.context.now())
    letter(aoba, "biwa", PROFILE, other.encode())
    assert carry(alliance) == ["letter-unexpected"]
    assert len(held_by(biwa)) == 2
    withdraw(aoba, referral)
    assert carry(alliance) == []
    assert (asked(aoba).erased_at is not None, held_by(biwa)) == (True, [])
