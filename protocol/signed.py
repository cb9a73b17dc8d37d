"""Signed documents: a kind, bytes, and signatures over both.  SPEC Documents.

A signature covers DSSE's pre-authentication encoding (PAE) of the kind's label and the bytes, so a
signature made for one kind never counts for another. The bytes that were verified are the bytes
that are kept, forwarded and read: nothing here ever encodes a payload again.

`SignedDocument` claims; `Signed[T]` is proven. Only `verify` and `sign_own` make the second.
"""

import hashlib
import re
from binascii import a2b_base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from protocol import limits, strictjson
from protocol.errors import DocumentInvalid, KeyUnknown
from protocol.keys import SIGNATURE_BYTES, SigningKey, VerifyKey
from protocol.strictjson import JSON, b64decode, b64encode


class Encodable(Protocol):
    """A document's body: what knows its own bytes."""

    def encode(self) -> bytes: ...


T = TypeVar("T")
E = TypeVar("E", bound=Encodable)
# Who may sign: key id -> the key, and the member whose key it is.
Keys: TypeAlias = Mapping[str, tuple[VerifyKey, str]]

_KIND = re.compile(limits.KIND_PATTERN)
_KEYID = re.compile(r"[A-Za-z0-9_-]{43}")
_FIELDS = {"kind", "payload", "signatures"}
_SIGNATURE_FIELDS = {"keyid", "value"}

# The writing of `encode`, in which nearly every document arrives.
# 64 bytes; of the last character four bits are unused, and zero.
_SIGNATURE = r'\{"keyid":"([A-Za-z0-9_-]{43})","value":"([A-Za-z0-9_-]{85}[AQgw])"\}'
_WRITTEN_SIGNATURE = re.compile(_SIGNATURE)
_WRITTEN_START = re.compile(f'\\{{"kind":"({limits.KIND_PATTERN})","payload":"')
_WRITTEN_END = re.compile(f'","signatures":\\[{_SIGNATURE}\\]\\}}')


def pae(kind: str, payload: bytes) -> bytes:
    """The bytes that are signed (DSSE v1): lengths before both parts, so they cannot shift."""
    return f"{_label(kind)}{len(payload)} ".encode() + payload


@lru_cache(maxsize=64)
def _label(kind: str) -> str:
    label = f"application/vnd.tasuki.{kind}.v1+json"
    return f"DSSEv1 {len(label)} {label} "


class Signature(NamedTuple):
    """One signature, and the id of the key that is said to have made it."""

    keyid: str
    value: bytes


@dataclass(slots=True, unsafe_hash=True)
class SignedDocument:
    """A kind, the bytes as they were signed, and signatures that nobody has checked yet.

    Not `frozen`, which triples the time to make one: the type checker keeps its fields final.
    """

    kind: Final[str]
    payload: Final[bytes]
    signatures: Final[tuple[Signature, ...]]
    _signing_bytes: bytes | None = field(default=None, init=False, repr=False, compare=False)
    _digest: bytes | None = field(default=None, init=False, repr=False, compare=False)
    _encoded: bytes | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def signing_bytes(self) -> bytes:
        if self._signing_bytes is None:
            self._signing_bytes = pae(self.kind, self.payload)
        return self._signing_bytes

    @property
    def digest(self) -> bytes:
        """SHA-256 of what is signed: the name of the document, whoever signed it."""
        if self._digest is None:
            self._digest = hashlib.sha256(self.signing_bytes).digest()
        return self._digest

    def add(self, key: SigningKey) -> "SignedDocument":
        """The same document with one more signature."""
        signature = Signature(key.keyid, key.sign(self.signing_bytes))
        return SignedDocument(self.kind, self.payload, (*self.signatures, signature))

    def joined(self, others: Iterable[Signature] = ()) -> "SignedDocument":
        """The same document with these signatures behind its own: of each key the first alone.

        What does not fit is left out. A document that many sign is put together from their parts;
        one key's signature written sixty-four times shall neither keep others out nor make of it
        what nobody could read again. Whether they are good, and whose, is the caller's question.
        """
        of_keys: dict[str, Signature] = {}
        for each in (*self.signatures, *others):
            of_keys.setdefault(each.keyid, each)
        kept = tuple(of_keys.values())[: limits.SIGNATURES_MAX]
        return SignedDocument(self.kind, self.payload, kept)

    def to_json(self) -> JSON:
        return {
            "kind": self.kind,
            "payload": b64encode(self.payload),
            "signatures": [
                {"keyid": each.keyid, "value": b64encode(each.value)} for each in self.signatures
            ],
        }

    def encode(self) -> bytes:
        """`to_json` in bytes, written out: every part is base64url or the name of a kind."""
        if self._encoded is None:
            text = (
                f'{{"kind":"{self.kind}","payload":"{b64encode(self.payload)}",'
                f'"signatures":{self.encode_signatures()}}}'
            )
            self._encoded = text.encode("ascii")
        return self._encoded

    def encode_signatures(self) -> str:
        """The signatures alone, for a form in which the payload stands apart."""
        return f"[{','.join(map(_encode_signature, self.signatures))}]"

    @classmethod
    def from_json(cls, obj: JSON) -> "SignedDocument":
        """Read the claim. Checked by hand, not by a Reader: every vote passes through here."""
        if type(obj) is not dict or obj.keys() != _FIELDS:
            raise DocumentInvalid("a signed document has kind, payload and signatures")
        payload = obj["payload"]
        if type(payload) is not str:
            raise DocumentInvalid("payload is not base64url")
        return cls.from_claim(obj["kind"], b64decode(payload), obj["signatures"])

    @classmethod
    def from_claim(cls, kind: JSON, payload: bytes, signatures: JSON) -> "SignedDocument":
        """The same, where the payload stands apart from what is claimed about it."""
        if type(kind) is not str or not _KIND.fullmatch(kind):
            raise DocumentInvalid("kind is not the name of a kind")
        return cls(kind, payload, _signatures(signatures))

    @classmethod
    def parse(cls, data: bytes, *, bytes_max: int = limits.DOCUMENT_BYTES_MAX) -> "SignedDocument":
        written = read_written(data) if len(data) <= bytes_max else None
        return written or cls.from_json(strictjson.parse(data, bytes_max=bytes_max))


def read_written(data: bytes) -> SignedDocument | None:
    """The document, if `encode` wrote these bytes, with one signature; None: ask the reader.

    A short cut and no second opinion: what is read here, `from_json` reads alike.
    """
    if not data.isascii():
        return None
    text = data.decode()
    start = _WRITTEN_START.match(text)
    if start is None:
        return None
    end = text.find('"', start.end())
    rest = _WRITTEN_END.fullmatch(text, end)
    if rest is None:
        return None
    try:
        payload = b64decode(text[start.end() : end])
    except DocumentInvalid:
        return None
    document = SignedDocument(start[1], payload, (_written_signature(*rest.groups()),))
    document._encoded = data
    return document


def read_written_signatures(text: str) -> tuple[Signature, ...] | None:
    """The same for any number of signatures, as `encode_signatures` writes them."""
    found: list[Signature] = []
    between, at = "[", 0
    while text.startswith(between, at) and len(found) < limits.SIGNATURES_MAX:
        written = _WRITTEN_SIGNATURE.match(text, at + 1)
        if written is None:
            return None
        found.append(_written_signature(*written.groups()))
        between, at = ",", written.end()
    return tuple(found) if found and text[at:] == "]" else None


def _written_signature(keyid: str, value: str) -> Signature:
    """A signature whose value is known to be 86 characters in their canonical writing."""
    standard = value.replace("-", "+").replace("_", "/") + "=="
    return Signature(keyid, a2b_base64(standard, strict_mode=True))


def _encode_signature(signature: Signature) -> str:
    keyid, value = signature
    return f'{{"keyid":"{keyid}","value":"{b64encode(value)}"}}'


def _signatures(obj: JSON) -> tuple[Signature, ...]:
    if type(obj) is not list or not 1 <= len(obj) <= limits.SIGNATURES_MAX:
        raise DocumentInvalid(f"signatures is a list of 1 to {limits.SIGNATURES_MAX}")
    return tuple(map(_signature, obj))


def _signature(obj: JSON) -> Signature:
    if type(obj) is not dict or obj.keys() != _SIGNATURE_FIELDS:
        raise DocumentInvalid("a signature has keyid and value")
    keyid, value = obj["keyid"], obj["value"]
    if type(keyid) is not str or not _KEYID.fullmatch(keyid):
        raise DocumentInvalid("keyid is not a thumbprint")
    # 64 bytes are 86 characters.
    if type(value) is not str or len(value) != 86:
        raise DocumentInvalid(f"a signature has {SIGNATURE_BYTES} bytes in base64url")
    return Signature(keyid, b64decode(value))


def sign(kind: str, payload: bytes, key: SigningKey) -> SignedDocument:
    """The bytes as a document of this kind, with one signature."""
    assert _KIND.fullmatch(kind), kind
    return SignedDocument(kind, payload, (Signature(key.keyid, key.sign(pae(kind, payload))),))


_PROVEN = object()


class _Proven(NamedTuple, Generic[T]):
    body: T
    document: SignedDocument
    signer: str


class Signed(_Proven[T]):
    """A document that is proven: its one signature was checked, or just made, here."""

    __slots__ = ()

    def __new__(
        cls, body: T, document: SignedDocument, signer: str, proof: object = None
    ) -> "Signed[T]":
        # Forgetting to verify shall not even run, let alone type-check.
        if proof is not _PROVEN:
            raise TypeError("a Signed is made by verify or sign_own only")
        return tuple.__new__(cls, (body, document, signer))

    @property
    def digest(self) -> bytes:
        return self.document.digest


def check_signature(document: SignedDocument, signature: Signature, key: VerifyKey) -> None:
    """Raise SignatureInvalid unless `key` made this signature of the document."""
    key.verify(document.signing_bytes, signature.value)


def verify(
    document: SignedDocument, kind: str, keys: Keys, parse: Callable[[bytes], T]
) -> Signed[T]:
    """Prove a document that one member signed, then read it.

    The signature comes first: bytes that nobody vouches for are never parsed.
    """
    require_kind(document, kind)
    if len(document.signatures) != 1:
        raise DocumentInvalid(f"a {kind} has exactly one signature")
    signature = document.signatures[0]
    known = keys.get(signature.keyid)
    if known is None:
        raise KeyUnknown(f"no member signs with {signature.keyid}", keyid=signature.keyid)
    key, member = known
    key.verify(document.signing_bytes, signature.value)
    return Signed(parse(document.payload), document, member, _PROVEN)


def sign_own(kind: str, body: E, key: SigningKey, member: str) -> Signed[E]:
    """Sign a document of our own: proven without a check, since the signature was made here."""
    return Signed(body, sign(kind, body.encode(), key), member, _PROVEN)


def require_kind(document: SignedDocument, kind: str) -> None:
    """Raise DocumentInvalid unless the document says it is of this kind."""
    if document.kind != kind:
        reason = f"is {document.kind}, not {kind}"
        raise DocumentInvalid(f"kind {reason}", errors=[{"path": "kind", "reason": reason}])
