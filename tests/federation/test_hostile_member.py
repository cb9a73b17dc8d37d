"""One member of four speaks the protocol in bad faith; the other three keep equal books.

The hostile one has its real keys and its place in the charter, and no node: what it says is written
here, and goes over HTTP to the real nodes of the others.
"""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from node import models
from node.peer_addresses import ENDPOINTS
from protocol import (
    REFERRAL_ENTRY,
    Ballot,
    Entry,
    MemoryBooks,
    Order,
    OrderAnswer,
    Signed,
    SignedDocument,
    build_order,
    http,
    problems,
    sign,
)
from protocol.documents.ledger import VOTE
from protocol.ledger.certificates import encode_certificate
from tests.equipment.by_command import PATIENCE_S, refer_and_wait, tasuki
from tests.equipment.federation import Federation, RunningNode, eventually, founded
from tests.equipment.standing import agree, balance, digests

pytestmark = pytest.mark.federation

HOSTILE = "bridge"
HONEST = ("aoba", "biwa", "seeds")


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """Three nodes run; of bridge there are the keys."""
    with founded(tmp_path_factory.mktemp("hostile")) as alliance:
        agree(alliance["biwa"])
        for name in HONEST:
            alliance[name].start()
        yield alliance


def say(federation: Federation, to: str, what: str, body: bytes) -> http.VerifiedResponse:
    """A request of the hostile member, properly signed."""
    transport = federation[HOSTILE].node.transport
    return transport.post(federation.charter, to, f"/peer/v1/{what}", body)


def code(answer: http.VerifiedResponse) -> str:
    assert answer.status != 200, answer.body
    return problems.parse_problem(answer.body).code


def order(federation: Federation, to: str, points: int, number: int) -> Signed[Order]:
    """Its first order, as often as it likes."""
    built = build_order(
        HOSTILE,
        [Entry(f"{number:032x}", REFERRAL_ENTRY, to, points, bytes(32))],
        charter=federation.charter,
        books=MemoryBooks(),
        key=federation[HOSTILE].node.keyring.signing,
    )
    assert built is not None
    return built


def vote_of(federation: Federation, voter: str, ordered: Signed[Order]) -> SignedDocument:
    answer = say(federation, voter, "orders", ordered.document.encode())
    assert answer.status == 200, answer.body
    vote = OrderAnswer.parse(answer.body).vote
    assert vote is not None
    return vote


def accusations(running: RunningNode) -> int:
    with running.node.database.reading() as session:
        return session.scalar(select(func.count()).select_from(models.LedgerEvidence)) or 0


def test_garbage_at_every_address_is_a_refusal_and_changes_nothing(federation: Federation) -> None:
    for path in ENDPOINTS:
        for body in (b"", b"[", b"{}", b'{"a":1,"a":2}', b"\xff" * 64, b"[" * 64):
            answer = say(federation, "aoba", path.rpartition("/")[2], body)
            assert answer.status < 500, (path, body[:8], answer.body)
    assert len(digests([federation[name] for name in HONEST])) == 1


def test_what_it_cannot_afford_and_whom_it_cannot_blame(federation: Federation) -> None:
    payload = order(federation, "aoba", 20, 3).body.encode()
    key = federation[HOSTILE].node.keyring.signing
    for changed, refusal in (
        (payload.replace(b'"points":20', b'"points":21'), "limit"),
        (payload.replace(b'"to":"aoba"', b'"to":"bridge"'), "order-invalid"),
        (payload.replace(b'"account":"bridge"', b'"account":"biwa"'), "certificate-invalid"),
        (payload.replace(b'"epoch":1', b'"epoch":2'), "epoch-mismatch"),
    ):
        document = sign("order", changed, key)
        assert code(say(federation, "seeds", "orders", document.encode())) == refusal
    # One order signed twice is no proof, and neither is another's order under its own signature.
    blame = b'{"orders":[%s,%s]}' % ((order(federation, "aoba", 1, 1).document.encode(),) * 2)
    assert code(say(federation, "aoba", "evidence", blame)) == "evidence-invalid"


def test_a_member_that_pays_twice_in_one_place_pays_once_and_is_shown_to_all(
    federation: Federation,
) -> None:
    one, other = order(federation, "aoba", 1, 1), order(federation, "biwa", 2, 2)
    vote_of(federation, "aoba", one)
    ballot = Ballot(other, federation.charter)
    for voter in ("biwa", "seeds"):
        ballot.add(vote_of(federation, voter, other), voter)
    assert code(say(federation, "aoba", "orders", other.document.encode())) == "double-spend"
    assert code(say(federation, "biwa", "orders", one.document.encode())) == "double-spend"

    certificate = ballot.certificate()
    assert certificate is not None
    # One member's vote, counted for two; and votes for the other order.
    twice = SignedDocument(VOTE, certificate.vote.payload, certificate.vote.signatures[:1] * 2)
    forged = encode_certificate(other.document, twice)
    assert code(say(federation, "aoba", "certificates", forged)) == "certificate-invalid"
    mixed = encode_certificate(one.document, certificate.vote)
    assert code(say(federation, "aoba", "certificates", mixed)) == "certificate-invalid"

    # It tells one member only; the others read it there.
    assert say(federation, "biwa", "certificates", certificate.data).status == 200
    honest = [federation[name] for name in HONEST]
    eventually(
        lambda: all(balance(each, HOSTILE) == -2 for each in honest),
        timeout_s=PATIENCE_S,
        what="the one certified payment everywhere",
    )
    assert len(digests(honest)) == 1
    eventually(
        lambda: all(accusations(each) == 1 for each in honest),
        timeout_s=2 * PATIENCE_S,
        what="the two signed orders, shown to everybody",
    )


def test_the_others_go_on_paying_and_their_books_agree(federation: Federation) -> None:
    honest = [federation[name] for name in HONEST]
    before = {balance(each, "aoba") for each in honest}
    assert len(before) == 1
    points = before.pop() + 1
    running = Federation(
        {name: federation[name] for name in HONEST}, federation.charter, federation.identities
    )
    refer_and_wait(running, "aoba", "biwa", points)
    eventually(lambda: len(digests(honest)) == 1, timeout_s=PATIENCE_S, what="equal digests")
    for each in honest:
        assert sum(balance(each, member) for member in federation.nodes) == 0
        tasuki(each, "ledger", "verify")
