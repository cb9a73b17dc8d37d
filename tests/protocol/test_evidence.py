"""Evidence: two orders of one owner in one place and incarnation.  SPEC §6.8."""

from collections.abc import Callable

import pytest

from protocol import Order, Signed, SignedDocument, errors, evidence_of, strictjson, verify_evidence
from tests.protocol.members import again, voters
from tests.protocol.orders import CHARTER, order_of


def test_two_orders_for_one_place_prove_themselves_to_everybody() -> None:
    one, other = order_of(), order_of()
    evidence = evidence_of(one, other)
    assert evidence == evidence_of(other, one), "whoever finds it, it is the same"
    proven = verify_evidence(evidence.encode(), CHARTER)
    assert (proven.account, proven.place) == ("biwa", ("biwa", 1, 1))
    assert {proven.first.digest, proven.second.digest} == {one.digest, other.digest}


def test_a_member_that_is_shown_a_second_order_holds_the_evidence() -> None:
    member, one, other = voters()["aoba"], order_of(), order_of()
    member.vote(one)
    with pytest.raises(errors.OrderConflict) as refusal:
        member.vote(other)
    held = SignedDocument.from_json(refusal.value.facts["order"])
    assert held == one.document
    assert evidence_of(one, other).encode() == evidence_of(other, one).encode()


FIRST = order_of()
NONE: dict[str, Callable[[], tuple[Signed[Order], Signed[Order]]]] = {
    "the-same-order": lambda: (FIRST, FIRST),
    "another-place": lambda: (FIRST, order_of(sequence=2)),
    "another-account": lambda: (FIRST, order_of("aoba")),
    "issued-again-behind-a-fence": lambda: (FIRST, again(FIRST, 2)),
    "another-order-behind-a-fence": lambda: (FIRST, order_of(incarnation=2)),
}


@pytest.mark.parametrize("name", NONE)
def test_nothing_that_an_honest_owner_signs_is_evidence(name: str) -> None:
    one, other = NONE[name]()
    with pytest.raises(errors.EvidenceInvalid):
        evidence_of(one, other)
    data = strictjson.encode({"orders": [one.document.to_json(), other.document.to_json()]})
    with pytest.raises(errors.EvidenceInvalid):
        verify_evidence(data, CHARTER)


def test_orders_that_the_owner_did_not_sign_accuse_nobody() -> None:
    forged = order_of(signer="seeds")
    data = strictjson.encode({"orders": [FIRST.document.to_json(), forged.document.to_json()]})
    with pytest.raises(errors.CertificateInvalid):
        verify_evidence(data, CHARTER)
    with pytest.raises(errors.EvidenceInvalid):
        verify_evidence(strictjson.encode({"orders": [FIRST.document.to_json()]}), CHARTER)
