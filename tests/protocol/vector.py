"""Vectors: a file of bytes with one defect, and what must happen to it.  SPEC Vectors.

Each subject has layers, from the outside in. A vector names the layer that must refuse it, so that
being refused for a wrong reason does not pass as success; without a refusal, all layers accept, and
`result` says what a reader then knows. Byte strings stand in base64url; what is readable is left
readable. The files are protocol/vectors/SUBJECT/NAME.json; its README is for other implementations.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol import (
    ORDER,
    Acceptance,
    AlreadyKnown,
    Approval,
    Attachment,
    Ballot,
    Block,
    ConsentReceipt,
    Decline,
    ErasureReceipt,
    FenceReport,
    Head,
    Hello,
    Hire,
    Invitation,
    InvitationFile,
    JoinAnswer,
    JoinRequest,
    MemberCard,
    MemoryBooks,
    Order,
    OrderAnswer,
    OrderRequest,
    Profile,
    ProfileRelease,
    Progress,
    Promise,
    Pull,
    PullAnswer,
    Referral,
    Standing,
    Suspension,
    Warrant,
    Withdrawal,
    commitment,
    decree,
    envelope,
    fingerprint,
    http,
    judge,
    limits,
    parse_certificate,
    parse_charter,
    problems,
    signed,
    state_digest,
    strictjson,
    verify_certificate,
    verify_evidence,
    verify_fence,
    verify_founding,
    verify_order,
    verify_warrant,
)
from protocol.errors import ProtocolError
from protocol.keys import VerifyKey, b64decode, b64encode
from tests.protocol import cast
from tests.protocol.alliance import founded

FOLDER = Path(__file__).parent.parent.parent / "protocol" / "vectors"
JSON_BYTES_MAX = 1_000_000
CHARTER = founded()

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
            "result": result_of(self),
            "input": self.input,
        }
        return json.dumps(fields, ensure_ascii=False, indent=1) + "\n"

    @property
    def path(self) -> Path:
        return FOLDER / self.subject / f"{self.name}.json"


def read(path: Path) -> Vector:
    """The vector of a file; its result is made again from the input."""
    fields = json.loads(path.read_text(encoding="utf-8"))
    del fields["result"]
    return Vector(name=path.stem, **fields)


def result_of(vector: Vector) -> dict[str, Any] | None:
    """What an accepting reader knows; nothing for a vector that is refused."""
    tell = RESULTS.get(vector.subject)
    return None if tell is None or vector.refusal is not None else tell(vector.input)


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


def _signature_of_order(document: signed.SignedDocument) -> signed.SignedDocument:
    signed.verify(document, ORDER, CHARTER.keys, bytes)
    return document


def _fields_of_order(document: signed.SignedDocument) -> signed.SignedDocument:
    Order.parse(document.payload)
    return document


def _vote(given: dict[str, Any]) -> None:
    order = verify_order(signed.SignedDocument.parse(_bytes(given["order"])), CHARTER)
    vote = signed.SignedDocument.parse(_bytes(given["vote"]))
    Ballot(order, CHARTER).add(vote, given["voter"])


def _certificate_form(given: dict[str, Any]) -> bytes:
    data = _bytes(given)
    parse_certificate(data)
    return data


def _warrant_form(given: dict[str, Any]) -> tuple[signed.SignedDocument, Warrant]:
    order = signed.SignedDocument.parse(_bytes(given["order"]))
    return order, Warrant.parse(_bytes(given["warrant"]))


def _warrant_proof(pair: tuple[signed.SignedDocument, Warrant]) -> None:
    verify_warrant(verify_order(pair[0], CHARTER), pair[1], CHARTER)


def _charter_form(given: dict[str, Any]) -> signed.SignedDocument:
    return signed.SignedDocument.parse(_bytes(given), bytes_max=limits.CHARTER_BYTES_MAX)


def _charter_rules(document: signed.SignedDocument) -> signed.SignedDocument:
    parse_charter(document)
    return document


def _json(given: dict[str, Any]) -> bytes:
    data = _bytes(given)
    strictjson.parse(data, bytes_max=JSON_BYTES_MAX)
    return data


def _chain(given: dict[str, Any]) -> decree.ChainReport:
    report = decree.verify_chain(_bytes(given["chain"]), b64decode(given["trusted"]))
    if report.refusal is not None:
        raise report.refusal
    return report


def _reference(given: dict[str, Any]) -> bytes:
    return commitment(b64decode(given["salt"]), b64decode(given["digest"]))


def _state(given: dict[str, Any]) -> bytes:
    heads = {
        account: Head(head["sequence"], b64decode(head["digest"]), head["debits"], head["credits"])
        for account, head in given["heads"].items()
    }
    return state_digest(heads)


# Bodies of documents and of calls: what stands inside a signature, an envelope or a request.
BODIES: dict[str, Callable[[bytes], object]] = {
    "profile": Profile.parse,
    "referral": Referral.parse,
    "acceptance": Acceptance.parse,
    "decline": Decline.parse,
    "already-known": AlreadyKnown.parse,
    "profile-release": ProfileRelease.parse,
    "attachment": Attachment.parse,
    "progress": Progress.parse,
    "withdrawal": Withdrawal.parse,
    "erasure-receipt": ErasureReceipt.parse,
    "hire": Hire.parse,
    "consent-receipt": ConsentReceipt.parse,
    "hello": Hello.parse,
    "problem": problems.parse_problem,
    "order-request": OrderRequest.parse,
    "order-answer": OrderAnswer.parse,
    "pull": Pull.parse,
    "pull-answer": PullAnswer.parse,
    "promise": Promise.parse,
    "standing": Standing.parse,
    "approval": Approval.parse,
    "fence-report": FenceReport.parse,
    "draft-news": decree.DraftNews.parse,
    "fence-request": decree.FenceRequest.parse,
    "fence-answer": decree.FenceAnswer.parse,
    "proposal": decree.Proposal.parse,
    "prepared": decree.Prepared.parse,
    "enacted": decree.Enacted.parse,
    "block": Block.parse,
    "suspension": Suspension.parse,
    "invitation": Invitation.parse,
    "invitation-file": InvitationFile.parse,
    "join-answer": JoinAnswer.parse,
    "join-request": JoinRequest.parse,
}

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
    "order": [
        ("form", lambda given: signed.SignedDocument.parse(_bytes(given))),
        ("signature", _signature_of_order),
        ("fields", _fields_of_order),
        ("owner", lambda document: verify_order(document, CHARTER)),
        ("rules", lambda order: judge(order, CHARTER, MemoryBooks())),
    ],
    "vote": [("vote", _vote)],
    "certificate": [
        ("form", _certificate_form),
        ("proof", lambda data: verify_certificate(data, CHARTER)),
    ],
    "fence": [
        ("form", lambda given: signed.SignedDocument.parse(_bytes(given))),
        ("proof", lambda document: verify_fence(document, CHARTER)),
    ],
    "warrant": [("form", _warrant_form), ("proof", _warrant_proof)],
    "evidence": [("proof", lambda given: verify_evidence(_bytes(given), CHARTER))],
    "charter": [("form", _charter_form), ("rules", _charter_rules), ("founders", verify_founding)],
    "member-card": [("form", _charter_form), ("proof", MemberCard.verify)],
    "chain": [("chain", _chain)],
    "reference": [("reference", _reference)],
    "state": [("state", _state)],
    **{name: [("json", _json), ("fields", parse)] for name, parse in BODIES.items()},
}


# --- What a reader knows that accepts. ---


def _of_key(given: dict[str, Any]) -> dict[str, Any]:
    key = VerifyKey(b64decode(given["key"]))
    return {"keyid": key.keyid, "fingerprint": fingerprint(key.raw)}


def _of_document(given: dict[str, Any]) -> dict[str, Any]:
    document = signed.SignedDocument.parse(_bytes(given), bytes_max=limits.DECREE_BYTES_MAX)
    return {"kind": document.kind, "digest": b64encode(document.digest)}


def _of_request(given: dict[str, Any]) -> dict[str, Any]:
    request, now = _request_form(given)
    proven = cast.verified(request, now)
    return {"from": proven.context.sender, "keyid": proven.keyid, "nonce": proven.nonce}


def _of_response(given: dict[str, Any]) -> dict[str, Any]:
    response = _response(given)
    return {"from": response.context.sender, "status": response.status}


def _of_envelope(given: dict[str, Any]) -> dict[str, Any]:
    letter = envelope.parse(_bytes(given))
    document = envelope.open(letter, cast.SEALING["biwa"])
    return {
        "digest": b64encode(letter.digest),
        "kind": document.kind,
        "payload": document.payload.decode(),
    }


def _of_certificate(given: dict[str, Any]) -> dict[str, Any]:
    certificate = verify_certificate(_bytes(given), CHARTER)
    voters = [CHARTER.keys[each.keyid][1] for each in certificate.vote.signatures]
    order = certificate.order
    return {"order": b64encode(order.digest), "voters": sorted([order.signer, *voters])}


def _of_chain(given: dict[str, Any]) -> dict[str, Any]:
    report = _chain(given)
    return {
        "versions": [
            {"version": each.version, "digest": b64encode(each.digest), "signed": list(each.signed)}
            for each in report.enactments
        ]
    }


RESULTS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "key": _of_key,
    "document": _of_document,
    "order": _of_document,
    "fence": _of_document,
    "charter": _of_document,
    "member-card": _of_document,
    "request": _of_request,
    "response": _of_response,
    "envelope": _of_envelope,
    "certificate": _of_certificate,
    "chain": _of_chain,
    "reference": lambda given: {"reference": b64encode(_reference(given))},
    "state": lambda given: {"digest": b64encode(_state(given))},
}
