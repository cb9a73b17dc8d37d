"""Vectors of orders, votes and certificates: each breaks one rule of the ledger.  SPEC §6."""

from collections.abc import Iterator
from typing import Any

from protocol import (
    FREE_HIRE,
    ORDER,
    Certificate,
    Order,
    Signature,
    Signed,
    SignedDocument,
    cast_vote,
    sign,
    strictjson,
)
from tests.protocol.cast import SIGNING, STRANGER
from tests.protocol.orders import certified, entry, order_of
from tests.protocol.vector import Vector

FIRST, SECOND = "0" * 16, "1" * 16


def order(*, id_of_entry: str = FIRST, **changes: object) -> Signed[Order]:
    """biwa's first order: a point to aoba, with changes that biwa signs."""
    fields = {"entries": (entry(id_=id_of_entry),), **changes}
    return order_of(**fields)  # type: ignore[arg-type]


def text(document: SignedDocument) -> dict[str, str]:
    return {"text": document.encode().decode()}


# Defects of the payload's own bytes, which biwa signs all the same.
_FIELDS: list[tuple[str, str, bytes, bytes, str]] = [
    ("points_zero", "no points", b'"points":1', b'"points":0', "amount"),
    ("points_negative", "points backwards", b'"points":1', b'"points":-1', "amount"),
    ("points_huge", "a million and one", b'"points":1', b'"points":1000001', "amount"),
    ("points_true", "true is no number", b'"points":1', b'"points":true', "amount"),
    ("points_text", "points in quotes", b'"points":1', b'"points":"1"', "amount"),
    ("points_fraction", "a tenth of a point", b'"points":1', b'"points":0.1', "json-not-strict"),
    ("points_twice", "two numbers", b'"points":1', b'"points":1,"points":2', "json-not-strict"),
    ("kind_of_entry_unknown", "a gift", b'"referral"', b'"gift"', "document-invalid"),
    ("entry_id_short", "seven characters", b'"' + FIRST.encode(), b'"0000000', "document-invalid"),
    ("entry_field_unknown", "a name in an entry", b'"to"', b'"name":"x","to"', "document-invalid"),
    ("to_upper_case", "no member's id", b'"to":"aoba"', b'"to":"AOBA"', "document-invalid"),
    ("field_unknown", "a note", b'"epoch"', b'"note":"x","epoch"', "document-invalid"),
    ("field_missing", "no incarnation", b'"incarnation":1,', b"", "document-invalid"),
    ("sequence_zero", "orders begin at 1", b'"sequence":1', b'"sequence":0', "document-invalid"),
    ("seen_zero", "nothing seen", b'"seen":{}', b'"seen":{"aoba":0}', "document-invalid"),
    ("previous_short", "31 bytes", b'"previous":"AA', b'"previous":"', "document-invalid"),
]


def make() -> Iterator[Vector]:
    yield from _orders()
    yield from _votes()
    yield from _certificates()


def _orders() -> Iterator[Vector]:
    good = order()
    yield _order("valid_order", "a point of biwa to aoba", None, None, good.document)
    payload = good.document.payload
    for name, about, old, new, refusal in _FIELDS:
        assert old in payload, name
        document = sign(ORDER, payload.replace(old, new, 1), SIGNING["biwa"])
        yield _order(f"order_{name}", about, "fields", refusal, document)
    none = payload.replace(payload[payload.index(b"[") : payload.index(b"]") + 1], b"[]")
    document = sign(ORDER, none, SIGNING["biwa"])
    yield _order("order_empty", "no entry at all", "fields", "document-invalid", document)
    one = payload[payload.index(b"[") + 1 : payload.index(b"]")]
    document = sign(ORDER, payload.replace(one, one + b"," + one), SIGNING["biwa"])
    about = "one entry id for two entries"
    yield _order("order_entry_twice", about, "fields", "document-invalid", document)

    changed = SignedDocument(ORDER, payload.replace(b"aoba", b"bob2"), good.document.signatures)
    yield _order("order_changed", "paid to another", "signature", "signature-invalid", changed)
    unknown = sign(ORDER, payload, STRANGER)
    yield _order("order_of_a_stranger", "no member's key", "signature", "key-unknown", unknown)
    vote = sign("vote", payload, SIGNING["biwa"])
    about = "an order under the label of a vote"
    yield _order("order_as_a_vote", about, "signature", "document-invalid", vote)

    foreign = order(signer="seeds").document
    about = "seeds signs away what is biwa's"
    yield _order("order_signed_by_another", about, "owner", "certificate-invalid", foreign)
    later = order(epoch=2).document
    yield _order("order_of_another_epoch", "epoch 2", "owner", "epoch-mismatch", later)
    other = order(alliance="ginga").document
    yield _order("order_of_another_alliance", "ginga's", "owner", "epoch-mismatch", other)

    rules: list[tuple[str, str, str, dict[str, object]]] = [
        ("to_oneself", "biwa pays biwa", "order-invalid", {"entries": (entry("biwa", id_=FIRST),)}),
        ("to_a_stranger", "zeta", "order-invalid", {"entries": (entry("zeta", id_=FIRST),)}),
        ("over_the_limit", "21 of 20", "limit", {"entries": (entry(points=21, id_=FIRST),)}),
        (
            "over_the_limit_in_two",
            "11 and 10 of 20",
            "limit",
            {"entries": (entry(points=11, id_=FIRST), entry(points=10, id_=SECOND))},
        ),
        (
            "free_hire_on_credit",
            "a free hire is spent from what was earned",
            "limit",
            {"entries": (entry(points=10, kind=FREE_HIRE, id_=FIRST),)},
        ),
        ("of_another_chain", "follows nothing", "order-invalid", {"previous": bytes([1]) * 32}),
        ("incarnation_2", "nobody promised", "incarnation-stale", {"incarnation": 2}),
    ]
    for name, about, refusal, changes in rules:
        document = order(**changes).document
        yield _order(f"order_{name}", about, "rules", refusal, document)


def _order(
    name: str, about: str, layer: str | None, refusal: str | None, document: SignedDocument
) -> Vector:
    return Vector(name, about, "order", layer, refusal, text(document))


def _votes() -> Iterator[Vector]:
    good = order()
    vote = cast_vote(good, SIGNING["seeds"])
    yield _vote("valid_vote", "seeds votes for biwa's order", None, vote)
    yield _vote("vote_of_another", "aoba's, said to be seeds'", "certificate-invalid", _by("aoba"))
    yield _vote("vote_of_the_owner", "its order is its vote", "certificate-invalid", _by("biwa"))
    other = cast_vote(order(entries=(entry(id_=SECOND),)), SIGNING["seeds"])
    yield _vote("vote_for_another_order", "another digest", "certificate-invalid", other)
    two = vote.add(SIGNING["bridge"])
    yield _vote("vote_of_two", "a vote has one signature", "certificate-invalid", two)
    flipped = bytes([vote.signatures[0].value[0] ^ 1]) + vote.signatures[0].value[1:]
    forged = _resigned(vote, vote.signatures[0]._replace(value=flipped))
    yield _vote("vote_one_bit", "one bit of the signature", "signature-invalid", forged)
    order_kind = sign(ORDER, vote.payload, SIGNING["seeds"])
    about = "a vote's words under the label of an order"
    yield _vote("vote_as_an_order", about, "signature-invalid", order_kind)


def _by(name: str) -> SignedDocument:
    return cast_vote(order(), SIGNING[name])


def _resigned(vote: SignedDocument, *signatures: Signature) -> SignedDocument:
    return SignedDocument(vote.kind, vote.payload, signatures)


def _vote(name: str, about: str, refusal: str | None, vote: SignedDocument) -> Vector:
    given = {"order": text(order().document), "vote": text(vote), "voter": "seeds"}
    return Vector(name, about, "vote", refusal and "vote", refusal, given)


def _certificates() -> Iterator[Vector]:
    good = certified(order())
    one, two = good.vote.signatures
    (owner,) = _by("biwa").signatures
    (foreign,) = cast_vote(order(entries=(entry(id_=SECOND),)), SIGNING["seeds"]).signatures
    yield _certificate("valid_certificate", "three of four", None, good)
    for name, about, signatures in (
        ("below_quorum", "the owner and one more", (one,)),
        ("voter_twice", "one member's vote twice", (one, one)),
        ("owner_twice", "the owner voted by its order", (one, owner)),
        ("vote_for_another_order", "seeds voted for another", (one, foreign)),
        ("vote_of_a_stranger", "no member's key", (one, two._replace(keyid=STRANGER.keyid))),
        ("vote_under_another_key", "aoba's vote as bridge's", (one, _renamed(two, "bridge"))),
    ):
        changed = good._replace(vote=_resigned(good.vote, *signatures))
        yield _certificate(f"certificate_{name}", about, "proof", changed)
    other = certified(order(entries=(entry(id_=SECOND),)))
    mixed = good._replace(vote=other.vote)
    yield _certificate("certificate_other_digest", "votes for another order", "proof", mixed)
    foreign_order = good._replace(order=order(signer="seeds"))
    yield _certificate("certificate_not_the_owners", "seeds signed it", "proof", foreign_order)
    fields = _json(good) | {"note": "x"}
    given = {"text": strictjson.encode(fields).decode()}
    name, about = "certificate_field_unknown", "a note beside order and vote"
    yield Vector(name, about, "certificate", "form", "document-invalid", given)
    unsigned = _json(good) | {"vote": _json(good)["vote"] | {"signatures": []}}
    given = {"text": strictjson.encode(unsigned).decode()}
    name, about = "certificate_without_votes", "nobody but the owner"
    yield Vector(name, about, "certificate", "form", "document-invalid", given)


def _renamed(signature: Signature, member: str) -> Signature:
    return signature._replace(keyid=SIGNING[member].keyid)


def _json(certificate: Certificate) -> dict[str, Any]:
    order_, vote = certificate.order.document, certificate.vote
    return {"order": order_.to_json(), "vote": vote.to_json()}


def _certificate(name: str, about: str, layer: str | None, certificate: Certificate) -> Vector:
    given = {"text": strictjson.encode(_json(certificate)).decode()}
    refusal = layer and "certificate-invalid"
    return Vector(name, about, "certificate", layer, refusal, given)
