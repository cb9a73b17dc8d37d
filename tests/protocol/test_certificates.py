"""Certificates: members are counted, never signatures.  SPEC §6.3."""

from collections.abc import Callable

import pytest

from protocol import (
    VOTE,
    Ballot,
    Order,
    Signature,
    Signed,
    SignedDocument,
    Voted,
    cast_vote,
    errors,
    order_within,
    strictjson,
    verify_certificate,
)
from tests.protocol.cast import SIGNING
from tests.protocol.orders import CHARTER, certified, order_of


def test_a_certificate_of_a_quorum_verifies_and_keeps_its_bytes() -> None:
    certificate = certified(order_of())
    assert verify_certificate(certificate.data, CHARTER) == certificate
    assert len(certificate.vote.signatures) == CHARTER.q - 1


Change = Callable[[tuple[Signature, ...]], tuple[Signature, ...]]


def with_votes(change: Change, order: Signed[Order] | None = None) -> bytes:
    certificate = certified(order or order_of())
    vote = certificate.vote
    changed = SignedDocument(vote.kind, vote.payload, change(vote.signatures))
    return strictjson.encode(
        {"order": certificate.order.document.to_json(), "vote": changed.to_json()}
    )


def vote_of(name: str) -> Signature:
    return cast_vote(order_of(), SIGNING[name]).signatures[0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda votes: votes[:1], "needed"),
        (lambda votes: (votes[0], votes[0]), "twice"),
        (lambda votes: (*votes, vote_of("biwa")), "twice"),
        (lambda votes: (votes[0], votes[1]._replace(value=bytes(64))), "verify"),
        (lambda votes: (votes[0], vote_of("seeds")), "verify"),
        (lambda votes: (votes[0], votes[1]._replace(keyid="A" * 43)), "no member"),
    ],
    ids=[
        "below-quorum",
        "a-voter-twice",
        "the-owner-again",
        "a-forged-vote",
        "a-vote-for-another-order",
        "a-stranger",
    ],
)
def test_a_certificate_without_a_quorum_is_refused(change: Change, reason: str) -> None:
    order = order_of()
    data = with_votes(change, order)
    with pytest.raises(errors.CertificateInvalid, match=reason):
        verify_certificate(data, CHARTER)
    # A replica that voted for the order reads the certificate by a shorter way, to the same end.
    with pytest.raises(errors.CertificateInvalid, match=reason):
        verify_certificate(data, CHARTER, voted=Voted(order, cast_vote(order, SIGNING["aoba"])))


def test_a_vote_about_another_digest_does_not_certify() -> None:
    certificate = certified(order_of())
    other = certified(order_of())
    mixed = strictjson.encode(
        {"order": certificate.order.document.to_json(), "vote": other.vote.to_json()}
    )
    with pytest.raises(errors.CertificateInvalid, match="another order"):
        verify_certificate(mixed, CHARTER)


def test_our_own_vote_is_not_verified_again_and_nobody_elses_is_skipped() -> None:
    order = order_of()
    certificate = certified(order)
    votes = certificate.vote.signatures
    voted = Voted(order, cast_vote(order, SIGNING["aoba"]))
    assert voted.vote.signatures[0] in votes
    assert verify_certificate(certificate.data, CHARTER, voted=voted) == certificate

    forged = votes[0]._replace(value=bytes(64))
    data = with_votes(lambda votes: (forged, votes[1]), order)
    # What we are told is our own is taken for it: only we ourselves can say so.
    ours = SignedDocument(VOTE, certificate.vote.payload, (forged,))
    assert verify_certificate(data, CHARTER, voted=Voted(order, ours))
    with pytest.raises(errors.CertificateInvalid):
        verify_certificate(data, CHARTER, voted=voted)


def test_what_we_voted_for_proves_no_other_order() -> None:
    order, other = order_of(), certified(order_of())
    voted = Voted(order, cast_vote(order, SIGNING["aoba"]))
    assert verify_certificate(other.data, CHARTER, voted=voted) == other
    foreign = order_of(signer="seeds")
    data = strictjson.encode(
        {"order": foreign.document.to_json(), "vote": certified(order).vote.to_json()}
    )
    with pytest.raises(errors.CertificateInvalid, match="signed an order of"):
        verify_certificate(data, CHARTER, voted=voted)


def test_the_order_is_found_within_a_certificate() -> None:
    certificate = certified(order_of())
    assert order_within(certificate.data) == certificate.order.document.encode()
    assert order_within(b"") == b""


def test_a_ballot_counts_members_not_votes() -> None:
    order = order_of()
    ballot = Ballot(order, CHARTER)
    for _ in range(3):
        ballot.add(cast_vote(order, SIGNING["aoba"]), "aoba")
    assert ballot.certificate() is None
    assert ballot.voters == {"aoba", "biwa"}
    with pytest.raises(errors.CertificateInvalid):
        ballot.add(cast_vote(order, SIGNING["seeds"]), "bridge")
    with pytest.raises(errors.CertificateInvalid):
        ballot.add(cast_vote(order_of(), SIGNING["seeds"]), "seeds")
    assert ballot.certificate() is None
