"""The header fields of a signed HTTP message: reading and writing them strictly.  SPEC HTTP.

This file knows fields, `http.py` knows messages. Signature-Input and Signature are dictionaries of
RFC 9651, and a proxy may add a signature of its own; so the dictionary is walked, and exactly one
member has to carry our tag. That member must then have exactly the components of the profile in
their order, and exactly the five parameters, in any order.
"""

import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from protocol import limits
from protocol.errors import (
    AlgorithmNotAllowed,
    ContextMalformed,
    DigestMismatch,
    DigestUnsupported,
    NonceInvalid,
    ProtocolVersion,
    SignatureCoverage,
    SignatureMalformed,
    SignatureMissing,
)

# What an HTTP library hands over: a mapping, or pairs in which a name may stand twice.
Headers: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]

LABEL = "tasuki"
_NAME = r"[a-z*][a-z0-9_.*-]{0,63}"
_STRING = r'"(?:[^"\\]|\\["\\])*"'
# A member of the dictionary, ours or a stranger's: label=(components);parameters.
_INPUT = re.compile(
    rf'({_NAME})=\(((?:[^()"]|{_STRING})*)\)((?:;{_NAME}(?:=(?:{_STRING}|[^;,"()\s]+))?)*)'
)
_SIGNATURE = re.compile(rf"({_NAME})=:([A-Za-z0-9+/=]*):")
_COMMA = re.compile(r"[ \t]*,[ \t]*")
_PARAMETER = re.compile(rf';({_NAME})(?:=({_STRING}|[^;,"()\s]+))?')
_COMPONENT = re.compile(rf"{_STRING}(?:;[a-z]+(?:={_STRING})?)*")
_SECONDS = re.compile(r"[0-9]{1,12}")
_NONCE = re.compile(r'"([A-Za-z0-9_-]{21}[AQgw])"')
_KEYID = re.compile(r'"([!#-\[\]-~]{1,128})"')
# A new version of the profile has a new tag, and nothing else to be known by.
_OUR_TAGS = re.compile(r'"tasuki-peer-(?:req|res)-[0-9]{1,6}"')
_PARAMETERS = {"created", "expires", "nonce", "keyid", "tag"}
# 64 bytes in standard base64, with zero bits at the end: one writing only.
_SIGNATURE_VALUE = re.compile(r"[A-Za-z0-9+/]{85}[AQgw]==")
_DIGEST = re.compile(r"sha-256=:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=:")
_CONTEXT = re.compile(
    rf'alliance="({limits.ALLIANCE_ID_PATTERN})", epoch=([1-9][0-9]{{0,8}}), '
    rf'from="({limits.MEMBER_ID_PATTERN})", to="({limits.MEMBER_ID_PATTERN})"'
)


@dataclass(frozen=True, slots=True)
class Context:
    """Peer-Context: between whom the message is, whatever host carries it."""

    alliance: str
    epoch: int
    sender: str
    recipient: str

    def encode(self) -> str:
        return (
            f'alliance="{self.alliance}", epoch={self.epoch}, '
            f'from="{self.sender}", to="{self.recipient}"'
        )


@dataclass(frozen=True, slots=True)
class SignatureField:
    """Our signature of a message as its two header fields claim it."""

    params: str  # the value of "@signature-params", byte for byte as received
    created: int
    expires: int
    nonce: str
    keyid: str
    value: bytes


def fold(headers: Headers) -> dict[str, str]:
    """Names in lower case; fields that stand twice joined with a comma, as RFC 9110 says.

    No field of the profile may contain two values, so whoever repeats one is refused by its form.
    """
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    folded: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        folded[key] = f"{folded[key]}, {value}" if key in folded else value
    return folded


def signature_input(
    components: str, created: int, expires: int, nonce: str, keyid: str, tag: str
) -> str:
    """The value of "@signature-params", and of Signature-Input behind its label."""
    return (
        f"({components});created={created};expires={expires}"
        f';nonce="{nonce}";keyid="{keyid}";tag="{tag}"'
    )


def signature_headers(params: str, value: bytes) -> dict[str, str]:
    """The two header fields of our signature."""
    encoded = binascii.b2a_base64(value, newline=False).decode("ascii")
    return {"Signature-Input": f"{LABEL}={params}", "Signature": f"{LABEL}=:{encoded}:"}


def content_digest(body: bytes) -> str:
    """The value of Content-Digest (RFC 9530): SHA-256 and nothing else."""
    digest = binascii.b2a_base64(hashlib.sha256(body).digest(), newline=False)
    return f"sha-256=:{digest.decode('ascii')}:"


def read_digest(fields: Mapping[str, str]) -> str:
    """The value of Content-Digest if it has our one form, or DigestUnsupported."""
    value = fields.get("content-digest", "")
    if not _DIGEST.fullmatch(value):
        raise DigestUnsupported("exactly one sha-256 digest is needed", supported=["sha-256"])
    return value


def check_digest(value: str, body: bytes) -> None:
    """Raise DigestMismatch unless `body` is what the field says."""
    if value != content_digest(body):
        raise DigestMismatch("the content has another SHA-256 than the signed one")


def read_context(fields: Mapping[str, str]) -> Context:
    """Peer-Context in its one writing, or ContextMalformed."""
    match = _CONTEXT.fullmatch(fields.get("peer-context", ""))
    if match is None:
        raise ContextMalformed('it reads: alliance="...", epoch=1, from="...", to="..."')
    alliance, epoch, sender, recipient = match.groups()
    return Context(alliance, int(epoch), sender, recipient)


def read_signature(fields: Mapping[str, str], components: str, tag: str) -> SignatureField:
    """The one signature with our tag, if it covers exactly `components`."""
    if "signature-input" not in fields or "signature" not in fields:
        raise SignatureMissing(components=_list(components))
    inputs = _members(_INPUT, fields["signature-input"], "Signature-Input")
    values = _members(_SIGNATURE, fields["signature"], "Signature")
    if inputs.keys() != values.keys():
        raise SignatureMalformed("Signature-Input and Signature carry different labels")

    quoted_tag = f'"{tag}"'
    ours, tags = [], []
    for label, (covered, text) in inputs.items():
        parameters = _parameters(text)
        tags.append(parameters.get("tag", ""))
        if tags[-1] == quoted_tag:
            ours.append((label, covered, text, parameters))
    if not ours:
        if any(map(_OUR_TAGS.fullmatch, tags)):
            raise ProtocolVersion("another version of this profile", supported=[tag])
        raise SignatureMissing(f"no signature has the tag {tag}", components=_list(components))
    if len(ours) > 1:
        raise SignatureMalformed(f"two signatures have the tag {tag}")

    label, covered, text, parameters = ours[0]
    _check_coverage(covered, components)
    return _signature_field(f"({covered}){text}", parameters, values[label][0])


def _signature_field(params: str, parameters: Mapping[str, str], value: str) -> SignatureField:
    if "alg" in parameters:
        raise AlgorithmNotAllowed("the parameter alg may not stand here", supported=["ed25519"])
    nonce = _NONCE.fullmatch(parameters.get("nonce", ""))
    if nonce is None:
        raise NonceInvalid(f"{limits.NONCE_BYTES} random bytes in base64url are needed")
    if parameters.keys() != _PARAMETERS:
        odd = sorted(parameters.keys() ^ _PARAMETERS)
        raise SignatureMalformed(f"missing or unknown parameter {odd[0]}")
    created, expires = parameters["created"], parameters["expires"]
    if not _SECONDS.fullmatch(created) or not _SECONDS.fullmatch(expires):
        raise SignatureMalformed("created and expires are whole seconds")
    keyid = _KEYID.fullmatch(parameters["keyid"])
    if keyid is None:
        raise SignatureMalformed("keyid is not a plain string")
    if not _SIGNATURE_VALUE.fullmatch(value):
        raise SignatureMalformed("the signature is not 64 bytes in base64")
    return SignatureField(
        params,
        int(created),
        int(expires),
        nonce.group(1),
        keyid.group(1),
        binascii.a2b_base64(value),
    )


def _members(pattern: re.Pattern[str], text: str, name: str) -> dict[str, tuple[str, ...]]:
    """Walk a dictionary field; a label that stands twice is refused, not replaced."""
    if len(text) > limits.SIGNATURE_HEADER_CHARS_MAX:
        raise SignatureMalformed(f"{name} is too long")
    members: dict[str, tuple[str, ...]] = {}
    position = 0
    while True:
        match = pattern.match(text, position)
        if match is None:
            raise SignatureMalformed(f"{name} cannot be read at {position}")
        label, *rest = match.groups()
        if label in members or len(members) == limits.SIGNATURE_LABELS_MAX:
            raise SignatureMalformed(f"{name} has a label twice, or too many")
        members[label] = tuple(rest)
        position = match.end()
        if position == len(text):
            return members
        comma = _COMMA.match(text, position)
        if comma is None:
            raise SignatureMalformed(f"{name} cannot be read at {position}")
        position = comma.end()


def _parameters(text: str) -> dict[str, str]:
    found = _PARAMETER.findall(text)
    parameters = dict(found)
    if len(parameters) != len(found):
        raise SignatureMalformed("a parameter stands twice")
    return parameters


def _check_coverage(covered: str, components: str) -> None:
    if covered == components:
        return
    found = _COMPONENT.findall(covered)
    required = _list(components)
    missing = [each for each in required if each not in found]
    if missing:
        detail = "not covered: " + " ".join(missing)
    elif len(set(found)) != len(found):
        detail = "a component is covered twice"
    else:
        detail = "other components, or in another order, than the profile has"
    raise SignatureCoverage(detail, components=required, missing=missing)


def _list(components: str) -> list[str]:
    return components.split(" ")
