"""The ledger over real databases: votes are durable before they leave, and points move once."""

import secrets
from collections.abc import Sequence

import pytest
from sqlalchemy import func, select

from node import models
from node.services import ledger
from protocol import (
    CORRECTION,
    FREE_HIRE,
    REFERRAL_ENTRY,
    Ballot,
    OrderAnswer,
    OrderRequest,
    ProtocolError,
    PullAnswer,
    Signed,
    SignedDocument,
    errors,
    lacking,
    sign,
)
from protocol.documents.ledger import ORDER
from protocol.signed import sign_own
from tests.equipment.alliance import Alliance, House


def owe(house: House, to: str, points: int = 1, kind: str = REFERRAL_ENTRY) -> str:
    entry_id = secrets.token_hex(16)
    with house.database.transaction() as session:
        ledger.pay(
            session,
            house.context,
            entry_id=entry_id,
            kind=kind,
            to=to,
            points=points,
            reference=bytes(32),
        )
    return entry_id


def open_order(house: House) -> Signed:
    with house.database.transaction() as session:
        order = ledger.open_order(session, house.context)
    assert order is not None
    return order


def ask(house: House, order: SignedDocument) -> OrderAnswer:
    return ask_with(house, order, None)


def tell(house: House, certificate: bytes) -> bool:
    with house.database.transaction() as session:
        return ledger.receive_certificate(session, house.context, certificate)


def certify(alliance: Alliance, payer: str, voters: Sequence[House] = ()) -> bytes:
    """One round of the payer's account, as the worker does it, without the network."""
    house = alliance[payer]
    order = open_order(house)
    ballot = Ballot(order, alliance.charter)
    for other in voters or alliance.others(payer):
        vote = ask(other, order.document).vote
        assert vote is not None
        ballot.add(vote, other.id)
    with house.database.transaction() as session:
        return ledger.certify(session, house.context, ballot).data


def digests(alliance: Alliance) -> set[bytes]:
    found = set()
    for house in alliance.houses.values():
        with house.database.reading() as session:
            found.add(ledger.state(session)[1])
    return found


def balance(house: House) -> int:
    with house.database.reading() as session:
        return ledger.position(session, house.context).balance


def locks(house: House) -> int:
    with house.database.reading() as session:
        return session.scalar(select(func.count()).select_from(models.LedgerLock)) or 0


def test_a_certified_order_moves_the_points_at_every_member(alliance: Alliance) -> None:
    owe(alliance["biwa"], "aoba")
    owe(alliance["biwa"], "aoba")
    certificate = certify(alliance, "biwa")
    assert all(tell(other, certificate) for other in alliance.others("biwa"))

    assert len(digests(alliance)) == 1
    assert balance(alliance["aoba"]) == 2
    assert balance(alliance["biwa"]) == -2
    assert locks(alliance["seeds"]) == 0


def ask_with(house: House, order: SignedDocument, certificate: bytes | None) -> OrderAnswer:
    with house.database.transaction() as session:
        answer = ledger.vote_on(session, house.context, OrderRequest(order, certificate).encode())
    if isinstance(answer, ProtocolError):
        raise answer
    return OrderAnswer.parse(answer)


def test_the_certificate_that_comes_with_the_next_order_is_applied_first(
    alliance: Alliance,
) -> None:
    aoba, seeds = alliance["aoba"], alliance["seeds"]
    owe(aoba, "biwa")
    certificate = certify(alliance, "aoba")
    owe(aoba, "seeds")
    following = open_order(aoba)
    answer = ask_with(seeds, following.document, certificate)
    assert answer.vote is not None
    assert vector_of(seeds) == {"aoba": 1}
    # The same again, as after an answer that was lost, changes nothing.
    assert ask_with(seeds, following.document, certificate) == answer
    assert (vector_of(seeds), locks(seeds)) == ({"aoba": 1}, 1)


def test_an_order_that_is_refused_leaves_nothing_of_the_certificate_with_it(
    alliance: Alliance,
) -> None:
    aoba, seeds = alliance["aoba"], alliance["seeds"]
    owe(aoba, "biwa")
    certificate = certify(alliance, "aoba")
    owe(aoba, "seeds")
    body = open_order(aoba).body
    worthless = body._replace(entries=tuple(e._replace(to="aoba") for e in body.entries))
    forged = sign_own(ORDER, worthless, aoba.context.keyring.signing, "aoba")
    with pytest.raises(errors.OrderInvalid):
        ask_with(seeds, forged.document, certificate)
    assert vector_of(seeds) == {}
    assert tell(seeds, certificate), "it may come by itself"


def test_a_certificate_applied_twice_counts_once(alliance: Alliance) -> None:
    owe(alliance["biwa"], "aoba")
    certificate = certify(alliance, "biwa")
    assert tell(alliance["seeds"], certificate)
    assert not tell(alliance["seeds"], certificate)
    with alliance["seeds"].database.reading() as session:
        assert ledger.SQLBooks(session).head("aoba").credits == 1


def test_the_same_order_gets_the_same_vote_again(alliance: Alliance) -> None:
    owe(alliance["biwa"], "aoba")
    order = open_order(alliance["biwa"])
    first = ask(alliance["seeds"], order.document).vote
    assert ask(alliance["seeds"], order.document).vote == first
    assert locks(alliance["seeds"]) == 1


def test_after_a_crash_the_open_order_is_sent_again_byte_for_byte(alliance: Alliance) -> None:
    owe(alliance["biwa"], "aoba")
    first = open_order(alliance["biwa"])
    owe(alliance["biwa"], "seeds")
    assert open_order(alliance["biwa"]).document == first.document


def test_a_vote_for_a_second_order_in_the_same_place_is_refused(alliance: Alliance) -> None:
    biwa, seeds = alliance["biwa"], alliance["seeds"]
    owe(biwa, "aoba")
    order = open_order(biwa)
    assert ask(seeds, order.document).vote is not None
    # A hostile owner signs another order for the place with its real key.
    other = order.body.encode().replace(b'"to":"aoba"', b'"to":"bridge"')
    with pytest.raises(errors.OrderConflict) as refusal:
        ask(seeds, sign("order", other, biwa.context.keyring.signing))
    assert SignedDocument.from_json(refusal.value.facts["order"]) == order.document
    assert locks(seeds) == 1


def test_an_order_over_the_credit_limit_is_refused_and_nothing_is_locked(
    alliance: Alliance,
) -> None:
    biwa = alliance["biwa"]
    owe(biwa, "aoba")
    order = open_order(biwa)
    greedy = order.body.encode().replace(b'"points":1', b'"points":21')
    with pytest.raises(errors.LimitExceeded):
        ask(alliance["seeds"], sign("order", greedy, biwa.context.keyring.signing))
    assert locks(alliance["seeds"]) == 0


def test_a_free_hire_is_spent_from_what_was_earned_only(alliance: Alliance) -> None:
    aoba = alliance["aoba"]
    owe(aoba, "bridge", points=10, kind=FREE_HIRE)
    with aoba.database.transaction() as session:
        assert ledger.open_order(session, aoba.context) is None

    for _ in range(10):
        owe(alliance["biwa"], "aoba")
    certificate = certify(alliance, "biwa")
    for other in alliance.others("biwa"):
        tell(other, certificate)
    with aoba.database.reading() as session:
        waits = ledger.position(session, aoba.context)
    # Ten points are there, and the free hire that waits has spoken for them.
    assert (waits.balance, waits.available, waits.slots) == (10, 0, 0)
    spent = certify(alliance, "aoba")
    for other in alliance.others("aoba"):
        tell(other, spent)
    assert (balance(aoba), balance(alliance["bridge"])) == (0, 10)
    assert len(digests(alliance)) == 1


def test_certificates_that_arrive_backwards_wait_for_the_first(alliance: Alliance) -> None:
    """Three of the four make the quorum; the fourth hears of the orders late and backwards."""
    biwa, seeds = alliance["biwa"], alliance["seeds"]
    voters = (alliance["aoba"], alliance["bridge"])
    certificates = []
    for _ in range(3):
        owe(biwa, "aoba")
        certificates.append(certify(alliance, "biwa", voters))
        for voter in voters:
            tell(voter, certificates[-1])
    assert [tell(seeds, each) for each in reversed(certificates)] == [False, False, True]
    with seeds.database.reading() as session:
        assert ledger.SQLBooks(session).head("biwa").sequence == 3
        assert session.scalar(select(func.count()).select_from(models.HeldCertificate)) == 0
    assert len(digests(alliance)) == 1


def test_a_member_that_was_away_pulls_what_it_lacks(alliance: Alliance) -> None:
    for payer in ("biwa", "seeds"):
        owe(alliance[payer], "aoba")
    first = certify(alliance, "biwa")
    for name in ("aoba", "seeds", "bridge"):
        tell(alliance[name], first)
    aoba, bridge = alliance["aoba"], alliance["bridge"]
    with bridge.database.reading() as session:
        question = ledger.pull_body(session, bridge.context)
    tell(aoba, certify(alliance, "seeds"))
    with aoba.database.reading() as session:
        answer = PullAnswer.parse(ledger.answer_pull(session, aoba.context, question))
    with bridge.database.transaction() as session:
        assert ledger.absorb(session, bridge.context, answer) == 1
    with bridge.database.reading() as session:
        assert ledger.state(session)[1] == answer.state


def test_pages_stand_in_an_order_that_can_be_applied(alliance: Alliance) -> None:
    """What the first account's orders build on stands before them, however small the pages are."""
    aoba, bridge = alliance["aoba"], alliance["bridge"]
    voters = {"aoba": ("biwa", "seeds"), "seeds": ("aoba", "biwa")}
    for _ in range(3):
        for payer, others in voters.items():
            owe(alliance[payer], "biwa")
            certificate = certify(alliance, payer, [alliance[each] for each in others])
            for each in others:
                tell(alliance[each], certificate)
    pages = 0
    while True:
        with bridge.database.reading() as session:
            ranges = lacking(ledger.SQLBooks(session).vector(), vector_of(aoba))
        if not ranges:
            break
        with aoba.database.reading() as session:
            first = ledger.certificates(session, ranges)[0]
        assert tell(bridge, first), "the first of a page can always be applied"
        pages += 1
    assert pages == 6


def vector_of(house: House) -> dict[str, int]:
    with house.database.reading() as session:
        return dict(ledger.SQLBooks(session).vector())


def test_an_entry_is_owed_once_however_often_it_is_asked(alliance: Alliance) -> None:
    biwa = alliance["biwa"]
    with biwa.database.transaction() as session:
        for _ in range(3):
            ledger.pay(
                session,
                biwa.context,
                entry_id="correction-of-one",
                kind=CORRECTION,
                to="aoba",
                points=1,
                reference=bytes(32),
            )
    certificate = certify(alliance, "biwa")
    assert tell(alliance["aoba"], certificate)
    with biwa.database.transaction() as session:
        ledger.pay(
            session,
            biwa.context,
            entry_id="correction-of-one",
            kind=CORRECTION,
            to="aoba",
            points=1,
            reference=bytes(32),
        )
        assert ledger.waiting(session) == []


def test_the_statement_shows_both_sides_newest_first_page_by_page(alliance: Alliance) -> None:
    for _ in range(3):
        alliance.clock.move(60)
        for payer, to in (("biwa", "aoba"), ("aoba", "biwa")):
            owe(alliance[payer], to)
            certificate = certify(alliance, payer)
            for other in alliance.others(payer):
                tell(other, certificate)
    aoba = alliance["aoba"]
    with aoba.database.reading() as session:
        whole = ledger.statement(session, aoba.context, limit=50)
        page = ledger.statement(session, aoba.context, limit=4)
        rest = ledger.statement(session, aoba.context, before=ledger.line_key(page[-1]), limit=4)
    assert [line.points for line in whole].count(1) == 3
    assert sum(line.points for line in whole) == 0
    assert page + rest == whole


def test_entries_that_wait_together_share_one_order(alliance: Alliance) -> None:
    for _ in range(5):
        owe(alliance["biwa"], "aoba")
    order = open_order(alliance["biwa"])
    assert len(order.body.entries) == 5
