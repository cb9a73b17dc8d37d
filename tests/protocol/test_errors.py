"""Refusals: a stable code, the right status, and a sentence for a person."""

import pytest

from protocol import errors
from protocol.errors import NotNow, OurMistake, ProtocolError, TheirMistake

# PEER 2, as it stands in the design. A code never changes its status or its meaning.
TABLE = {
    400: "signature-malformed context-malformed path-not-canonical digest-mismatch",
    401: "signature-missing signature-coverage clock-skew signature-expired key-unknown "
    "key-retired signature-invalid",
    403: "not-a-member member-suspended member-expelled peer-blocked sender-mismatch",
    409: "nonce-reused envelope-conflict epoch-mismatch incarnation-stale",
    413: "too-large",
    415: "media-type",
    421: "misdirected",
    422: "document-invalid",
    426: "protocol-version",
    429: "rate-limited",
    503: "maintenance recovering nonce-store-unavailable",
}


@pytest.mark.parametrize(
    ("code", "status"),
    [(code, status) for status, codes in TABLE.items() for code in codes.split()],
)
def test_the_codes_of_the_design_have_their_status(code: str, status: int) -> None:
    kind = errors.by_code(code)
    assert kind is not None
    assert kind.status == status


@pytest.mark.parametrize("code", errors.codes())
def test_each_refusal_says_who_is_to_blame_and_speaks_to_a_person(code: str) -> None:
    kind = errors.by_code(code)
    assert kind is not None
    assert issubclass(kind, TheirMistake | OurMistake | NotNow)
    sentence = kind.sentence()
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert "  " not in sentence


def test_an_unknown_code_is_no_refusal_of_ours() -> None:
    assert errors.by_code("nonsense") is None
    assert errors.by_code("") is None


def test_a_code_cannot_be_given_twice() -> None:
    with pytest.raises(AssertionError):
        type("Copy", (ProtocolError,), {}, code="too-large")


def test_any_fact_can_be_carried() -> None:
    assert TheirMistake("why", self=1, detail=2).facts == {"self": 1, "detail": 2}
