"""Our profile against a general implementation of RFC 9421, both ways, and its own vector."""

import base64
import time

import pytest
from http_message_signatures import InvalidSignature

from protocol import http
from protocol.errors import KeyPublished
from protocol.keys import SigningKey, VerifyKey, require_unpublished
from tests.protocol import oracle
from tests.protocol.cast import (
    BODY,
    NONCE,
    SIGNING,
    TO_AOBA,
    key_of,
    parsed,
    request_headers,
    verified,
)

ANSWER = b'{"ok":true}'


@pytest.fixture
def now() -> int:
    """The library reads the clock of the machine, so this is the one place that does, too."""
    return int(time.time())


def our_answer(request: http.UnverifiedRequest, now: int) -> dict[str, str]:
    return http.sign_response(
        status=200,
        body=ANSWER,
        content_type=http.JSON_TYPE,
        request=request,
        context=TO_AOBA,
        key=SIGNING["biwa"],
        created=now,
    )


def test_the_library_verifies_the_request_that_we_sign(now: int) -> None:
    request = oracle.Request(request_headers(created=now))
    result = oracle.verify(request, BODY, oracle.REQUEST, http.REQUEST_TAG)
    assert result.parameters["keyid"] == SIGNING["aoba"].keyid
    assert result.body == BODY


def test_we_verify_the_request_that_the_library_signs(now: int) -> None:
    request = oracle.signed_request(now)
    assert verified(parsed(request.headers), now).context.sender == "aoba"


def test_the_library_verifies_the_answer_that_we_sign(now: int) -> None:
    headers = request_headers(created=now)
    response = oracle.Response(our_answer(parsed(headers), now), oracle.Request(headers))
    result = oracle.verify(response, ANSWER, oracle.RESPONSE, http.RESPONSE_TAG)
    assert result.parameters["keyid"] == SIGNING["biwa"].keyid


def test_we_verify_the_answer_that_the_library_signs(now: int) -> None:
    asked = request_headers(created=now)
    headers = {"Content-Type": http.JSON_TYPE, "Peer-Context": TO_AOBA.encode()}
    response = oracle.Response(headers, oracle.Request(asked))
    oracle.sign(response, ANSWER, oracle.RESPONSE, http.RESPONSE_TAG, SIGNING["biwa"], now)
    proven = http.verify_response(
        status=200, headers=response.headers, body=ANSWER, request=parsed(asked), key_of=key_of
    )
    assert proven.body == ANSWER


def test_both_sign_the_same_bytes(now: int) -> None:
    # Ed25519 is deterministic: equal bases give equal signatures, apart from the order in which
    # the library writes its parameters; so its own order is verified by us, and ours by it.
    ours = parsed(request_headers(created=now)).signature
    theirs = parsed(oracle.signed_request(now).headers).signature
    assert (ours.created, ours.expires, ours.keyid) == (
        theirs.created,
        theirs.expires,
        theirs.keyid,
    )
    assert ours.nonce == theirs.nonce == parsed(request_headers(nonce=NONCE)).nonce
    assert sorted(ours.params.split(";")) == sorted(theirs.params.split(";"))


@pytest.mark.parametrize("field", ["Content-Digest", "Peer-Context", "Content-Type"])
def test_the_library_refuses_our_request_when_a_field_is_changed(field: str, now: int) -> None:
    headers = request_headers(created=now)
    headers[field] = headers[field][:-2] + "x" + headers[field][-1]
    with pytest.raises(InvalidSignature):
        oracle.verify(oracle.Request(headers), BODY, oracle.REQUEST, http.REQUEST_TAG)


# --- RFC 9421 appendix B.2.6. ---

RFC_SEED = bytes.fromhex("9f8362f87a484a954e6e740c5b4c0e84229139a20aa8ab56ff66586f6a7d29c5")
RFC_BASE = b"""\
"date": Tue, 20 Apr 2021 02:07:55 GMT
"@method": POST
"@path": /foo
"@authority": example.com
"content-type": application/json
"content-length": 18
"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length")\
;created=1618884473;keyid="test-key-ed25519\""""
RFC_SIGNATURE = base64.b64decode(
    "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
)


def test_the_vector_of_the_rfc_comes_out_byte_for_byte() -> None:
    key = SigningKey.from_seed(RFC_SEED)
    assert key.sign(RFC_BASE) == RFC_SIGNATURE
    VerifyKey(key.verify_key.raw).verify(RFC_BASE, RFC_SIGNATURE)


def test_the_test_key_of_the_rfc_may_not_enter_a_charter() -> None:
    with pytest.raises(KeyPublished):
        require_unpublished(SigningKey.from_seed(RFC_SEED).verify_key)
