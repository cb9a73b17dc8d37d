"""Signed HTTP: what a receiver accepts, refuses, and with which facts; what a sender believes."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import http, limits
from protocol.errors import (
    ClockSkew,
    KeyUnknown,
    Misdirected,
    SignatureCoverage,
    SignatureExpired,
    SignatureMissing,
    TooLarge,
    UnprovenResponse,
)
from tests.protocol.cast import (
    ALLIANCE,
    AUTHORITY,
    BODY,
    NONCE,
    NOW,
    PATH,
    SIGNING,
    TO_AOBA,
    TO_BIWA,
    key_of,
    parsed,
    request_headers,
    verified,
)
from tests.protocol.refusals import refusal_of


def answer(request: http.UnverifiedRequest, **changes: object) -> dict[str, str]:
    arguments = {
        "status": 200,
        "body": b"{}",
        "content_type": http.JSON_TYPE,
        "request": request,
        "context": TO_AOBA,
        "key": SIGNING["biwa"],
        "created": NOW,
    }
    return http.sign_response(**{**arguments, **changes})  # type: ignore[arg-type]


def believe(request: http.UnverifiedRequest, headers: http.Headers) -> http.VerifiedResponse:
    return http.verify_response(
        status=200, headers=headers, body=b"{}", request=request, key_of=key_of
    )


def test_a_request_and_its_answer_are_proven_both_ways() -> None:
    headers = request_headers()
    request = verified(parsed(headers))
    assert request.context == TO_BIWA
    assert request.keyid == SIGNING["aoba"].keyid
    assert request.body == BODY
    assert request.path == PATH
    assert request.expires == NOW + limits.SIGNATURE_LIFETIME_S
    response = believe(parsed(headers), answer(request.request))
    assert (response.status, response.body) == (200, b"{}")
    assert response.context == TO_AOBA


def test_an_answer_can_be_signed_to_a_request_that_was_not_proven() -> None:
    request = parsed(request_headers())
    assert believe(request, answer(request)).context.sender == "biwa"


def test_the_wire_looks_as_the_specification_prints_it() -> None:
    headers = request_headers()
    assert headers["Content-Type"] == "application/json"
    assert headers["Peer-Context"] == 'alliance="minato", epoch=1, from="aoba", to="biwa"'
    assert headers["Signature-Input"] == (
        'tasuki=("@method" "@authority" "@path" "@query" "content-type" "content-digest" '
        f'"peer-context");created={NOW};expires={NOW + 60};nonce="AAECAwQFBgcICQoLDA0ODw"'
        f';keyid="{SIGNING["aoba"].keyid}";tag="tasuki-peer-req-1"'
    )


def test_header_names_are_of_any_case_and_may_come_as_pairs() -> None:
    pairs = [(name.upper(), value) for name, value in request_headers().items()]
    assert verified(parsed([("HOST", "x"), *pairs])).context == TO_BIWA


@pytest.mark.parametrize("skew", [-30, -1, 0, 1, 30])
def test_clocks_may_differ_by_thirty_seconds(skew: int) -> None:
    assert verified(parsed(request_headers(created=NOW + skew))).nonce


@pytest.mark.parametrize("skew", [-31, 31, 86_400])
def test_a_clock_that_is_further_off_is_told_by_how_much(skew: int) -> None:
    with pytest.raises(ClockSkew) as caught:
        verified(parsed(request_headers(created=NOW + skew)))
    assert caught.value.facts == {"server_time": NOW, "skew_seconds": skew}


def test_an_expired_signature_says_the_same() -> None:
    with pytest.raises(SignatureExpired) as caught:
        verified(parsed(request_headers(created=NOW - 86_400)))
    assert caught.value.facts == {"server_time": NOW, "skew_seconds": -86_400}


def test_times_come_before_keys_and_keys_before_signatures() -> None:
    # Cheap to dear: a late request costs no look-up, an unknown key no Ed25519.
    def never(sender: str, keyid: str) -> object:
        raise AssertionError("asked for a key")

    late = parsed(request_headers(created=NOW - 31))
    with pytest.raises(ClockSkew):
        http.verify_request(
            late, now=NOW, authority=AUTHORITY, alliance=ALLIANCE, us="biwa", key_of=never
        )


def test_a_node_refuses_what_was_addressed_to_another_host() -> None:
    with pytest.raises(Misdirected):
        http.verify_request(
            parsed(request_headers()),
            now=NOW,
            authority="seeds.example",
            alliance=ALLIANCE,
            us="biwa",
            key_of=key_of,
        )


def test_an_unsigned_request_is_told_what_to_sign() -> None:
    with pytest.raises(SignatureMissing) as caught:
        parsed({"Content-Type": http.JSON_TYPE})
    assert caught.value.facts["components"] == [
        '"@method"',
        '"@authority"',
        '"@path"',
        '"@query"',
        '"content-type"',
        '"content-digest"',
        '"peer-context"',
    ]
    assert http.REQUEST_TAG in http.ACCEPT_SIGNATURE


def test_what_is_not_covered_is_named() -> None:
    headers = request_headers()
    headers["Signature-Input"] = headers["Signature-Input"].replace(' "content-digest"', "")
    with pytest.raises(SignatureCoverage) as caught:
        parsed(headers)
    assert caught.value.facts["missing"] == ['"content-digest"']


def test_a_body_over_the_limit_is_refused_with_the_limit() -> None:
    body = bytes(limits.PEER_BODY_BYTES_MAX + 1)
    with pytest.raises(TooLarge) as caught:
        parsed(request_headers(), body)
    assert caught.value.facts == {"limit_bytes": limits.PEER_BODY_BYTES_MAX}


# --- Garbage. ---

FIELDS = ["Signature-Input", "Signature", "Content-Digest", "Peer-Context", "Content-Type"]


@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(), st.text()), st.text(), st.text())
def test_garbage_is_a_refusal_with_a_code(
    headers: Mapping[str, str], method: str, raw_path: str
) -> None:
    assert refusal_of(
        lambda: http.parse_request(
            method=method, authority=AUTHORITY, raw_path=raw_path, headers=headers, body=b""
        )
    )


@given(st.sampled_from(FIELDS), st.text(min_size=1, max_size=20), st.data())
def test_a_field_with_something_put_in_is_refused_or_proves_the_same(
    field: str, insert: str, data: st.DataObject
) -> None:
    headers = request_headers()
    at = data.draw(st.integers(0, len(headers[field])))
    headers[field] = headers[field][:at] + insert + headers[field][at:]
    if refusal_of(lambda: verified(parsed(headers))) is None:
        # Only a signature of somebody else beside ours, or another label, may change nothing.
        assert field in {"Signature-Input", "Signature"}
        assert verified(parsed(headers)).nonce == parsed(request_headers()).nonce


@given(st.sampled_from(FIELDS), st.data())
def test_a_field_with_one_character_changed_is_refused(field: str, data: st.DataObject) -> None:
    headers = request_headers()
    at = data.draw(st.integers(0, len(headers[field]) - 1))
    other = data.draw(st.characters().filter(lambda char: char != headers[field][at]))
    headers[field] = headers[field][:at] + other + headers[field][at + 1 :]
    assert refusal_of(lambda: verified(parsed(headers)))


@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(), st.text()), st.binary())
def test_a_garbage_answer_is_no_answer(headers: Mapping[str, str], body: bytes) -> None:
    request = parsed(request_headers())
    with pytest.raises(UnprovenResponse):
        http.verify_response(status=200, headers=headers, body=body, request=request, key_of=key_of)


@given(st.sampled_from(FIELDS), st.data())
def test_an_answer_with_one_character_changed_is_no_answer(field: str, data: st.DataObject) -> None:
    request = parsed(request_headers())
    headers = answer(request)
    at = data.draw(st.integers(0, len(headers[field]) - 1))
    other = data.draw(st.characters().filter(lambda char: char != headers[field][at]))
    headers[field] = headers[field][:at] + other + headers[field][at + 1 :]
    with pytest.raises(UnprovenResponse):
        believe(request, headers)


def test_an_unproven_answer_says_why_for_the_log() -> None:
    request = parsed(request_headers())
    with pytest.raises(UnprovenResponse) as caught:
        believe(request, answer(request, key=SIGNING["aoba"]))
    assert caught.value.facts == {"reason": KeyUnknown.code}


@pytest.mark.parametrize("nonce", [b"", NONCE[:-1], NONCE + b"x"])
def test_a_nonce_of_another_length_is_our_own_bug(nonce: bytes) -> None:
    with pytest.raises(AssertionError):
        request_headers(nonce=nonce)


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://Biwa.Example", "biwa.example"),
        ("https://biwa.example:443/", "biwa.example"),
        ("https://biwa.example:8443", "biwa.example:8443"),
        ("http://127.0.0.1:80", "127.0.0.1"),
        ("http://127.0.0.1:5000", "127.0.0.1:5000"),
        ("http://[::1]:5000", "[::1]:5000"),
        ("http://biwa.example:443", "biwa.example:443"),
    ],
)
def test_the_authority_of_an_address_has_one_writing(url: str, authority: str) -> None:
    assert http.authority_of(url) == authority
