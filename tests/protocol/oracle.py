"""A second opinion on RFC 9421: the library `http-message-signatures`, set to our profile."""

import datetime
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    MappingKeyResolver,
    VerifyResult,
    algorithms,
)

from protocol import http
from protocol.keys import SigningKey, b64encode
from tests.protocol.cast import AUTHORITY, BODY, NONCE, PATH, SIGNING, TO_BIWA

REQUEST = (
    "@method",
    "@authority",
    "@path",
    "@query",
    "content-type",
    "content-digest",
    "peer-context",
)
RESPONSE = (
    "@status",
    "content-type",
    "content-digest",
    "peer-context",
    *(f'"{name}";req' for name in REQUEST),
)


@dataclass
class Request:
    """A request as the library wants to see it."""

    headers: dict[str, str]
    method: str = "POST"
    url: str = f"https://{AUTHORITY}{PATH}"


@dataclass
class Response:
    """A response as the library wants to see it."""

    headers: dict[str, str]
    request: Request
    status_code: int = 200


def _private(key: SigningKey) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(key.seed)


_KEYS = MappingKeyResolver(
    public_keys={key.keyid: _private(key).public_key() for key in SIGNING.values()},
    private_keys={key.keyid: _private(key) for key in SIGNING.values()},
)
SIGNER = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_KEYS)
VERIFIER = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=_KEYS)


def sign(
    message: Request | Response,
    body: bytes,
    components: tuple[str, ...],
    tag: str,
    key: SigningKey,
    created: int,
) -> None:
    """Let the library sign by our profile; the headers of `message` are filled in."""
    at = datetime.datetime.fromtimestamp(created, datetime.UTC)
    SIGNER.sign(
        message,
        key_id=key.keyid,
        created=at,
        expires=at + datetime.timedelta(seconds=60),
        nonce=b64encode(NONCE),
        label="sig1",
        tag=tag,
        include_alg=False,
        covered_component_ids=components,
        body=body,
    )


def signed_request(created: int, body: bytes = BODY) -> Request:
    """A request of aoba to biwa that the library signed."""
    headers = {"Content-Type": http.JSON_TYPE, "Peer-Context": TO_BIWA.encode()}
    request = Request(headers)
    sign(request, body, REQUEST, http.REQUEST_TAG, SIGNING["aoba"], created)
    return request


def verify(
    message: Request | Response, body: bytes, components: tuple[str, ...], tag: str
) -> VerifyResult:
    """What the library makes of a message; it reads the real clock."""
    (result,) = VERIFIER.verify(
        message,
        max_age=datetime.timedelta(seconds=60),
        expect_tag=tag,
        require_components=components,
        body=body,
    )
    return result
