"""Vectors: a file of bytes with one defect, and what must happen to it.  SPEC Vectors.

Each subject has layers, from the outside in. A vector names the layer that must refuse it, so that
being refused for a wrong reason does not pass as success; without a refusal, all layers accept.
Byte strings stand in base64url; what is readable is left readable.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol import envelope, http, signed, strictjson
from protocol.errors import ProtocolError
from protocol.keys import VerifyKey, b64decode
from tests.protocol import cast

FOLDER = Path(__file__).parent / "vectors"
JSON_BYTES_MAX = 1_000_000

Layers = list[tuple[str, Callable[[Any], Any]]]


@dataclass(frozen=True, slots=True)
class Vector:
    """One defect. Where sealing draws fresh keys, the bytes are not `repeatable`."""

    name: str
    about: str
    subject: str
    layer: str | None
    refusal: str | None
    input: dict[str, Any]
    repeatable: bool = True

    def encode(self) -> str:
        fields = {
            "about": self.about,
            "subject": self.subject,
            "layer": self.layer,
            "refusal": self.refusal,
            "input": self.input,
        }
        return json.dumps(fields, ensure_ascii=False, indent=1) + "\n"


def read(path: Path) -> Vector:
    """The vector of a file."""
    return Vector(name=path.stem, **json.loads(path.read_text(encoding="utf-8")))


def run(vector: Vector) -> tuple[str, str] | None:
    """Where and with which code the vector is refused; None when every layer accepts it."""
    value: Any = vector.input
    for layer, check in SUBJECTS[vector.subject]:
        try:
            value = check(value)
        except ProtocolError as refusal:
            return layer, refusal.code
    return None


def _bytes(given: dict[str, Any]) -> bytes:
    """`text` as it stands, `base64url`, or one `repeat`ed piece for what would fill a screen."""
    if "text" in given:
        return str(given["text"]).encode()
    if "repeat" in given:
        return str(given["repeat"]).encode() * int(given["times"])
    return b64decode(given["base64url"])


def _request_form(given: dict[str, Any]) -> tuple[http.UnverifiedRequest, int]:
    headers = [(name, value) for name, value in given["headers"]]
    request = http.parse_request(
        method=given["method"],
        authority=cast.AUTHORITY,
        raw_path=given["path"],
        headers=headers,
        body=_bytes(given["body"]),
    )
    return request, given["now"]


def _response(given: dict[str, Any]) -> http.VerifiedResponse:
    asked = cast.parsed(given["request_headers"])
    return http.verify_response(
        status=given["status"],
        headers=given["headers"],
        body=_bytes(given["body"]),
        request=asked,
        key_of=cast.key_of,
    )


def _addressing(letter: envelope.Envelope) -> envelope.Envelope:
    envelope.verify_addressing(letter, alliance=cast.ALLIANCE, sender="aoba", recipient="biwa")
    return letter


def _opening(
    letter: envelope.Envelope,
) -> tuple[signed.SignedDocument, envelope.Envelope]:
    return envelope.open(letter, cast.SEALING["biwa"]), letter


def _signature(given: dict[str, Any]) -> None:
    key = VerifyKey(b64decode(given["key"]))
    key.verify(b64decode(given["message"]), b64decode(given["signature"]))


def _receipt(given: dict[str, Any]) -> None:
    document = signed.SignedDocument.parse(_bytes(given["receipt"]))
    envelope.verify_receipt(document, envelope.parse(_bytes(given["envelope"])), cast.KEYS)


SUBJECTS: dict[str, Layers] = {
    "json": [("json", lambda given: strictjson.parse(_bytes(given), bytes_max=JSON_BYTES_MAX))],
    "key": [("key", lambda given: VerifyKey(b64decode(given["key"])))],
    "signature": [("signature", _signature)],
    "document": [
        ("form", lambda given: signed.SignedDocument.parse(_bytes(given))),
        ("proof", lambda doc: signed.verify(doc, "referral", cast.KEYS, bytes)),
    ],
    "request": [("form", _request_form), ("proof", lambda pair: cast.verified(*pair))],
    "response": [("response", _response)],
    "envelope": [
        ("outside", lambda given: envelope.parse(_bytes(given))),
        ("addressing", _addressing),
        ("opening", _opening),
        ("content", lambda pair: envelope.verify_content(*pair, "referral", cast.KEYS, bytes)),
    ],
    "receipt": [("receipt", _receipt)],
}
