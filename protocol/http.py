"""Signed HTTP between peers: RFC 9421 in one closed profile, without input or output.  SPEC HTTP.

Every call is a POST with a JSON body. The request's signature covers method, authority, path,
query, type, digest and Peer-Context; the response's covers its own status and content and, with
`;req`, everything of the request. An answer that is not bound to our request in this way is a
failure of transport, never a verdict: whoever forges it could make us give up a delivery.

Receiving, cheap to dear: `parse_request` (form, no key needed), `verify_request` (times, addressee,
key, signature, digest). The nonce and the rate are the node's to check, then the body.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit

from protocol import limits
from protocol.errors import (
    ClockSkew,
    MediaTypeWrong,
    MethodNotAllowed,
    Misdirected,
    PathNotCanonical,
    ProtocolError,
    SignatureExpired,
    SignatureMalformed,
    TooLarge,
    UnprovenResponse,
)
from protocol.http_fields import (
    Context,
    Headers,
    SignatureField,
    check_digest,
    content_digest,
    fold,
    read_context,
    read_digest,
    read_signature,
    signature_headers,
    signature_input,
)
from protocol.keys import SigningKey, VerifyKey
from protocol.strictjson import b64encode

__all__ = [
    "ACCEPT_SIGNATURE",
    "JSON_TYPE",
    "PROBLEM_TYPE",
    "REQUEST_TAG",
    "RESPONSE_TAG",
    "Context",
    "Headers",
    "KeyOf",
    "UnverifiedRequest",
    "VerifiedRequest",
    "VerifiedResponse",
    "authority_of",
    "parse_request",
    "sign_request",
    "sign_response",
    "verify_request",
    "verify_response",
]

# The key of a member by its id; raises NotAMember, KeyUnknown, KeyRetired and the like.
KeyOf: TypeAlias = Callable[[str, str], VerifyKey]

REQUEST_TAG = "tasuki-peer-req-1"
RESPONSE_TAG = "tasuki-peer-res-1"
JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"

_REQUEST_NAMES = (
    '"@method"',
    '"@authority"',
    '"@path"',
    '"@query"',
    '"content-type"',
    '"content-digest"',
    '"peer-context"',
)
_REQUEST_COMPONENTS = " ".join(_REQUEST_NAMES)
_RESPONSE_COMPONENTS = " ".join(
    ('"@status"', *_REQUEST_NAMES[4:], *(f"{name};req" for name in _REQUEST_NAMES))
)
# What a caller without a (good) signature is told to sign (RFC 9421 section 5).
ACCEPT_SIGNATURE = f'tasuki=({_REQUEST_COMPONENTS});created;expires;nonce;keyid;tag="{REQUEST_TAG}"'
# One writing per address: no `//`, no `.` or `..`, no escapes, no slash at the end, no query.
_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[a-z0-9._-]+)+")
_AUTHORITY = re.compile(r"(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class UnverifiedRequest:
    """A request of the right form. Who sent it is only claimed."""

    authority: str
    path: str
    digest: str
    peer_context: str
    context: Context
    signature: SignatureField
    body: bytes

    @property
    def nonce(self) -> str:
        return self.signature.nonce


@dataclass(frozen=True, slots=True)
class VerifiedRequest:
    """A request that `context.sender` signed for us, now. Made by `verify_request` only."""

    context: Context
    keyid: str
    nonce: str
    expires: int
    path: str
    body: bytes
    request: UnverifiedRequest


@dataclass(frozen=True, slots=True)
class VerifiedResponse:
    """An answer that the peer signed to exactly our request. Made by `verify_response` only."""

    status: int
    content_type: str
    body: bytes
    context: Context
    keyid: str


def authority_of(url: str) -> str:
    """The authority that a node's URL stands for: lower case, no default port (RFC 9421 2.2.3)."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if ":" in host:
        host = f"[{host}]"
    if parts.port is None or parts.port == _DEFAULT_PORTS.get(parts.scheme):
        return host
    return f"{host}:{parts.port}"


# --- Requests. ---


def sign_request(
    *,
    authority: str,
    path: str,
    body: bytes,
    context: Context,
    key: SigningKey,
    created: int,
    nonce: bytes,
) -> dict[str, str]:
    """The headers of a POST to a peer. Every attempt is signed anew, with a fresh nonce."""
    assert _AUTHORITY.fullmatch(authority), authority
    assert _PATH.fullmatch(path), path
    assert len(nonce) == limits.NONCE_BYTES
    digest, peer_context = content_digest(body), context.encode()
    params = signature_input(
        _REQUEST_COMPONENTS,
        created,
        created + limits.SIGNATURE_LIFETIME_S,
        b64encode(nonce),
        key.keyid,
        REQUEST_TAG,
    )
    base = _request_lines("", authority, path, digest, peer_context)
    return {
        "Content-Type": JSON_TYPE,
        "Content-Digest": digest,
        "Peer-Context": peer_context,
        **signature_headers(params, key.sign(_finish(base, params))),
    }


def parse_request(
    *, method: str, authority: str, raw_path: str, headers: Headers, body: bytes
) -> UnverifiedRequest:
    """Check the form of a request; needs no key and no clock.

    `raw_path` is the request target as it stood on the wire (gunicorn: RAW_URI), never the decoded
    one. `authority` is the one it was addressed to, from a node's settings, never a Host header.
    """
    if len(body) > limits.PEER_BODY_BYTES_MAX:
        raise TooLarge(f"{len(body)} bytes", limit_bytes=limits.PEER_BODY_BYTES_MAX)
    if len(raw_path) > limits.PATH_CHARS_MAX or not _PATH.fullmatch(raw_path):
        raise PathNotCanonical("only a-z, 0-9, . _ - between single slashes, and no query")
    if method != "POST":
        raise MethodNotAllowed(allow="POST")
    fields = fold(headers)
    # What is signed is what travels: a coding that is undone on the way would change the bytes.
    if fields.get("content-type") != JSON_TYPE or "content-encoding" in fields:
        raise MediaTypeWrong(f"exactly {JSON_TYPE} and no content coding", supported=[JSON_TYPE])
    signature = read_signature(fields, _REQUEST_COMPONENTS, REQUEST_TAG)
    context = read_context(fields)
    digest = read_digest(fields)
    return UnverifiedRequest(
        authority, raw_path, digest, fields["peer-context"], context, signature, body
    )


def verify_request(
    request: UnverifiedRequest, *, now: int, authority: str, alliance: str, us: str, key_of: KeyOf
) -> VerifiedRequest:
    """Prove who sent the request, that it is for us, and that it is of now."""
    signature, context = request.signature, request.context
    _check_times(signature, now)
    # A request for another node must not work here, whoever carries it (relay attack).
    if context.recipient != us or context.alliance != alliance or request.authority != authority:
        raise Misdirected(f"for {context.recipient} of {context.alliance}")
    # By sender and key id together, out of the charter: a key never speaks for another member.
    key = key_of(context.sender, signature.keyid)
    base = _request_lines("", request.authority, request.path, request.digest, request.peer_context)
    key.verify(_finish(base, signature.params), signature.value)
    check_digest(request.digest, request.body)
    return VerifiedRequest(
        context=context,
        keyid=signature.keyid,
        nonce=signature.nonce,
        expires=signature.expires,
        path=request.path,
        body=request.body,
        request=request,
    )


def _check_times(signature: SignatureField, now: int) -> None:
    created, expires = signature.created, signature.expires
    if not 0 < expires - created <= limits.SIGNATURE_LIFETIME_S_MAX:
        raise SignatureMalformed(f"expires is at most {limits.SIGNATURE_LIFETIME_S_MAX} s later")
    skew = created - now
    if expires < now:
        raise SignatureExpired(f"{now - expires} s ago", server_time=now, skew_seconds=skew)
    if abs(skew) > limits.CLOCK_SKEW_S_MAX:
        direction = "ahead of" if skew > 0 else "behind"
        raise ClockSkew(
            f"the sender's clock is {abs(skew)} s {direction} ours",
            server_time=now,
            skew_seconds=skew,
        )


# --- Responses. ---


def sign_response(
    *,
    status: int,
    body: bytes,
    content_type: str,
    request: UnverifiedRequest | VerifiedRequest,
    context: Context,
    key: SigningKey,
    created: int,
) -> dict[str, str]:
    """The headers of an answer, refusals included; bound to the request it answers."""
    asked = request.request if isinstance(request, VerifiedRequest) else request
    digest, peer_context = content_digest(body), context.encode()
    params = signature_input(
        _RESPONSE_COMPONENTS,
        created,
        created + limits.SIGNATURE_LIFETIME_S,
        asked.nonce,
        key.keyid,
        RESPONSE_TAG,
    )
    base = _response_lines(status, content_type, digest, peer_context, asked)
    return {
        "Content-Type": content_type,
        "Content-Digest": digest,
        "Peer-Context": peer_context,
        **signature_headers(params, key.sign(_finish(base, params))),
    }


def verify_response(
    *, status: int, headers: Headers, body: bytes, request: UnverifiedRequest, key_of: KeyOf
) -> VerifiedResponse:
    """Prove that the addressee answered exactly this request, or raise UnprovenResponse.

    `request` is our own, read back with `parse_request` from what we sent. Times are not checked:
    the fresh nonce proves that the answer is of now, and an answer that says our clocks differ
    must be readable when they do.
    """
    try:
        return _verify_response(status, fold(headers), body, request, key_of)
    except UnprovenResponse:
        raise
    except ProtocolError as error:
        raise UnprovenResponse(str(error), reason=error.code) from error


def _verify_response(
    status: int, fields: dict[str, str], body: bytes, request: UnverifiedRequest, key_of: KeyOf
) -> VerifiedResponse:
    if len(body) > limits.PEER_RESPONSE_BYTES_MAX:
        raise TooLarge(f"{len(body)} bytes", limit_bytes=limits.PEER_RESPONSE_BYTES_MAX)
    content_type = fields.get("content-type", "")
    if content_type not in (JSON_TYPE, PROBLEM_TYPE) or "content-encoding" in fields:
        raise MediaTypeWrong(f"{JSON_TYPE} or {PROBLEM_TYPE}")
    signature = read_signature(fields, _RESPONSE_COMPONENTS, RESPONSE_TAG)
    context, digest, asked = read_context(fields), read_digest(fields), request.context
    if signature.nonce != request.nonce:
        raise UnprovenResponse("it answers another request")
    if (context.alliance, context.sender, context.recipient) != (
        asked.alliance,
        asked.recipient,
        asked.sender,
    ):
        raise UnprovenResponse("it is between other members")
    key = key_of(context.sender, signature.keyid)
    base = _response_lines(status, content_type, digest, fields["peer-context"], request)
    key.verify(_finish(base, signature.params), signature.value)
    check_digest(digest, body)
    return VerifiedResponse(status, content_type, body, context, signature.keyid)


# --- Signature bases (RFC 9421 section 2.5). ---


def _request_lines(req: str, authority: str, path: str, digest: str, peer_context: str) -> str:
    return (
        f'"@method"{req}: POST\n'
        f'"@authority"{req}: {authority}\n'
        f'"@path"{req}: {path}\n'
        # An absent query is signed as its question mark alone (section 2.2.7).
        f'"@query"{req}: ?\n'
        f'"content-type"{req}: {JSON_TYPE}\n'
        f'"content-digest"{req}: {digest}\n'
        f'"peer-context"{req}: {peer_context}\n'
    )


def _response_lines(
    status: int, content_type: str, digest: str, peer_context: str, asked: UnverifiedRequest
) -> str:
    return (
        f'"@status": {status}\n'
        f'"content-type": {content_type}\n'
        f'"content-digest": {digest}\n'
        f'"peer-context": {peer_context}\n'
    ) + _request_lines(";req", asked.authority, asked.path, asked.digest, asked.peer_context)


def _finish(lines: str, params: str) -> bytes:
    return f'{lines}"@signature-params": {params}'.encode("ascii")
