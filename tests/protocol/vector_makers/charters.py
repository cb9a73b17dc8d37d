"""Vectors of charters and member cards: who belongs, and who may say so.  SPEC §4."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from protocol import (
    CHARTER,
    MEMBER_CARD,
    Charter,
    MemberCard,
    SignedDocument,
    SigningKey,
    b64encode,
    sign,
    strictjson,
)
from tests.protocol.alliance import IDENTITY, NAMES, draft, member, signed_by
from tests.protocol.cast import SEALING, SIGNING, STRANGER
from tests.protocol.vector import Vector

JSON = dict[str, Any]
# RFC 8032, test 1: whoever reads the standard can sign with it.
PUBLISHED = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
LOW_ORDER = bytes.fromhex("01" + "00" * 31)


def make() -> Iterator[Vector]:
    yield from _rules()
    yield from _founders()
    yield from _cards()


def _with(name: str, value: object) -> Callable[[JSON], None]:
    return lambda fields: fields.update({name: value})


def _member_with(name: str, value: object) -> Callable[[JSON], None]:
    return lambda fields: fields["members"][0].update({name: value})


def _policy_with(name: str, value: object) -> Callable[[JSON], None]:
    return lambda fields: fields["policy"].update({name: value})


_FORMS: list[tuple[str, str, Callable[[JSON], None]]] = [
    ("field_unknown", "a note", _with("note", "x")),
    ("field_missing", "no policy", lambda fields: fields.pop("policy")),
    ("version_zero", "versions begin at 1", _with("version", 0)),
    ("previous_short", "31 bytes", _with("previous", b64encode(bytes(31)))),
    ("alliance_upper_case", "no id", _with("alliance", "MINATO")),
    ("member_field_unknown", "a member with a mood", _member_with("mood", "good")),
    ("member_role_unknown", "a chair", _member_with("role", "chair")),
    ("member_url_with_path", "a path behind the address", _member_with("url", "https://a.jp/x")),
    ("member_country_lower_case", "jp", _member_with("country", "jp")),
    ("member_limit_negative", "credit below zero", _member_with("credit_limit", -1)),
    ("licence_malformed", "no number of a licence", _member_with("licences", [
        {"number": "13-999901", "valid_until": "2030-03-31"},
    ])),
    ("policy_screen_of_11", "eleven partners a screen", _policy_with("partners_per_screen", 11)),
    ("policy_refund_over_100", "more than was paid", _policy_with("refund_table", [
        {"days": 30, "percent": 101},
    ])),
    ("policy_redemption_unknown", "by lot", _policy_with("redemption", "lot")),
]  # fmt: skip


def _rules() -> Iterator[Vector]:
    for name, about, change in _FORMS:
        fields = strictjson.parse(draft().encode(), bytes_max=100_000)
        change(fields)
        document = sign(CHARTER, strictjson.encode(fields), IDENTITY["aoba"])
        yield _charter(f"charter_{name}", about, "rules", "document-invalid", document)
    aoba, *others = draft().members
    for name, about, charter in (
        ("quorum_too_low", "two of four overlap in nobody", draft(q=2)),
        ("quorum_above_members", "five of four", draft(q=5)),
        ("liars_too_many", "two liars among four", draft(b=2)),
        ("member_twice", "aoba twice", draft(members=(aoba, aoba, *others[1:]))),
        ("key_shared", "one key for two", _changed(signing_key=others[0].signing_key)),
        ("key_for_both", "one key for both uses", _changed(identity_key=aoba.signing_key)),
        ("sealing_key_shared", "one for two", _changed(sealing_key=SEALING["biwa"].public.raw)),
        ("address_shared", "one node for two", _changed(url=others[0].url)),
        ("without_members", "nobody at all", draft(members=(), q=1, b=0)),
        ("witnesses_only", "nobody keeps an account", _all_witnesses()),
    ):
        document = signed_by(charter, *NAMES)
        yield _charter(f"charter_{name}", about, "rules", "charter-invalid", document)

    published, low = _changed(signing_key=PUBLISHED), _changed(signing_key=LOW_ORDER)
    for name, about, charter, refusal in (
        ("key_published", "a key out of RFC 8032", published, "key-published"),
        ("key_low_order", "a key that anybody can sign with", low, "key-invalid"),
    ):
        document = signed_by(charter, *NAMES)
        yield _charter(f"charter_{name}", about, "rules", refusal, document)


def _changed(**changes: object) -> Charter:
    aoba, *others = draft().members
    return draft(members=(replace(aoba, **changes), *others))  # type: ignore[arg-type]


def _all_witnesses() -> Charter:
    return draft(members=tuple(member(name, role="witness") for name in NAMES))


def _founders() -> Iterator[Vector]:
    whole = signed_by(draft(), *NAMES)
    yield _charter("valid_charter", "four founders", None, None, whole)
    for name, about, document, refusal in (
        ("founder_missing", "bridge has not signed", _signed("aoba", "biwa", "seeds"), ""),
        ("founder_twice", "aoba signed for bridge", _signed("aoba", "biwa", "seeds", "aoba"), ""),
        ("signed_by_nodes", "the nodes' keys found nothing", _by_nodes(), ""),
        ("signed_by_a_stranger", "a fifth signature", whole.add(STRANGER), ""),
        ("version_2", "trusted by its founders alone", signed_by(draft(version=2), *NAMES), ""),
        ("with_a_past", "follows another", signed_by(draft(previous=bytes([1]) * 32), *NAMES), ""),
        ("as_an_order", "the label of an order", _relabelled(whole), "document-invalid"),
        ("one_bit", "one bit of a name", _one_bit(whole), "signature-invalid"),
    ):
        given = refusal or "charter-invalid"
        yield _charter(f"charter_{name}", about, "founders", given, document)


def _signed(*names: str) -> SignedDocument:
    return signed_by(draft(), *names)


def _by_nodes() -> SignedDocument:
    document = sign(CHARTER, draft().encode(), SIGNING[NAMES[0]])
    for name in NAMES[1:]:
        document = document.add(SIGNING[name])
    return document


def _relabelled(document: SignedDocument) -> SignedDocument:
    return SignedDocument("order", document.payload, document.signatures)


def _one_bit(document: SignedDocument) -> SignedDocument:
    payload = document.payload.replace(b"https://aoba", b"https://aobb")
    return SignedDocument(CHARTER, payload, document.signatures)


def _charter(
    name: str, about: str, layer: str | None, refusal: str | None, document: SignedDocument
) -> Vector:
    return Vector(name, about, "charter", layer, refusal, {"text": document.encode().decode()})


def _cards() -> Iterator[Vector]:
    card = MemberCard(member("aoba"))
    identity, node = IDENTITY["aoba"], SIGNING["aoba"]
    yield _card("valid_member_card", "signed by both its keys", None, card.sign(identity, node))
    only = sign(MEMBER_CARD, card.encode(), identity)
    yield _card("card_without_node", "the node's key is missing", "signature-missing", only)
    twice = only.add(identity)
    yield _card("card_signed_twice", "one key twice", "signature-missing", twice)
    borrowed = card.sign(identity, SigningKey.from_seed(bytes([77]) * 32))
    yield _card("card_of_a_key_not_held", "another node's key", "signature-missing", borrowed)
    whole = card.sign(identity, node)
    changed = SignedDocument(
        MEMBER_CARD, whole.payload.replace(b"aoba.example", b"evil.example"), whole.signatures
    )
    yield _card("card_changed", "another address", "signature-invalid", changed)
    charter = SignedDocument(CHARTER, whole.payload, whole.signatures)
    yield _card("card_as_a_charter", "the label of a charter", "document-invalid", charter)
    fields = card.member.to_json() | {"mood": "good"}
    moody = sign(MEMBER_CARD, strictjson.encode(fields), identity).add(node)
    yield _card("card_field_unknown", "a mood", "document-invalid", moody)


def _card(name: str, about: str, refusal: str | None, document: SignedDocument) -> Vector:
    given = {"text": document.encode().decode()}
    return Vector(name, about, "member-card", refusal and "proof", refusal, given)
