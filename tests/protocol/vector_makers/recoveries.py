"""Vectors of fences, warrants and evidence: each breaks one rule of recovery.  SPEC §6.6-6.8."""

from collections.abc import Iterator

from protocol import (
    FENCE,
    ORDER,
    PROMISE,
    Case,
    Fence,
    Locked,
    Order,
    Promise,
    Signed,
    SignedDocument,
    Warrant,
    reissue,
    sign,
    strictjson,
)
from tests.protocol.cast import SIGNING, STRANGER
from tests.protocol.orders import CHARTER
from tests.protocol.vector import Vector
from tests.protocol.vector_makers.orders import SECOND, order, text

ATTEMPT = bytes([7]) * 16
OTHERS = ("aoba", "seeds", "bridge")


def make() -> Iterator[Vector]:
    yield from _fences()
    yield from _warrants()
    yield from _evidence()


def fence(**changes: object) -> bytes:
    fields: dict[str, object] = {
        "alliance": CHARTER.alliance,
        "epoch": 1,
        "account": "biwa",
        "incarnation": 2,
        "attempt": ATTEMPT,
    }
    return Fence(**{**fields, **changes}).encode()  # type: ignore[arg-type]


def promise(by: str, locked: Signed[Order] | None = None, **changes: object) -> SignedDocument:
    fields: dict[str, object] = {
        "alliance": CHARTER.alliance,
        "epoch": 1,
        "account": "biwa",
        "incarnation": 2,
        "attempt": ATTEMPT,
        "sequence": 0,
        "locked": locked and Locked(locked.body.incarnation, locked.digest),
    }
    body = Promise(**{**fields, **changes})  # type: ignore[arg-type]
    return sign(PROMISE, body.encode(), SIGNING[by])


def _fences() -> Iterator[Vector]:
    biwa = SIGNING["biwa"]
    first = fence().replace(b'"incarnation":2', b'"incarnation":1')
    short = fence().replace(b'"attempt":"Bw', b'"attempt":"')
    rows = (
        ("valid_fence", "biwa begins incarnation 2", None, None, sign(FENCE, fence(), biwa)),
        (
            "fence_of_another",
            "seeds fences biwa's account",
            "proof",
            "sender-mismatch",
            sign(FENCE, fence(), SIGNING["seeds"]),
        ),
        (
            "fence_of_a_stranger",
            "no member's key",
            "proof",
            "key-unknown",
            sign(FENCE, fence(), STRANGER),
        ),
        (
            "fence_of_another_epoch",
            "epoch 2",
            "proof",
            "epoch-mismatch",
            sign(FENCE, fence(epoch=2), biwa),
        ),
        (
            "fence_of_the_first_incarnation",
            "where every account begins",
            "proof",
            "document-invalid",
            sign(FENCE, first, biwa),
        ),
        (
            "fence_attempt_short",
            "15 bytes",
            "proof",
            "document-invalid",
            sign(FENCE, short, biwa),
        ),
        (
            "fence_as_a_promise",
            "a fence under the label of a promise",
            "proof",
            "document-invalid",
            sign(PROMISE, fence(), biwa),
        ),
    )
    for name, about, layer, refusal, document in rows:
        yield Vector(name, about, "fence", layer, refusal, text(document))


Row = tuple[str, str, str | None, Signed[Order], Warrant]


def _warrants() -> Iterator[Vector]:
    again = reissue(order(), 2, CHARTER, SIGNING["biwa"])
    for name, about, refusal, subject, warrant in (*_promised(again), *_locked(again)):
        given = {"order": text(subject.document), "warrant": {"text": warrant.encode().decode()}}
        yield Vector(name, about, "warrant", refusal and "proof", refusal, given)
    outside = Warrant(tuple(map(promise, OTHERS))).encode().replace(b"[0,1,2]", b"[0,1,3]")
    given = {"order": text(again.document), "warrant": {"text": outside.decode()}}
    about = "a promise that is not in the pool"
    yield Vector("warrant_index", about, "warrant", "form", "document-invalid", given)


def _promised(again: Signed[Order]) -> Iterator[Row]:
    """Warrants in which nobody had voted, and their promises."""
    none = tuple(map(promise, OTHERS))
    yield "valid_warrant_open", "three promised, nobody had voted", None, again, Warrant(none)
    code = "promises-invalid"
    yield "warrant_two_promises", "one fewer", code, again, Warrant(none[:2])
    for name, about, third in (
        ("warrant_promise_twice", "one member twice", none[1]),
        ("warrant_of_two_attempts", "two clones", promise("bridge", attempt=bytes(16))),
        ("warrant_of_another_incarnation", "3", promise("bridge", incarnation=3)),
        ("warrant_of_the_owner", "the owner's own promise", promise("biwa")),
        ("warrant_settled_place", "bridge had applied the place", promise("bridge", sequence=1)),
    ):
        yield name, about, code, again, Warrant((*none[:2], third))


def _locked(again: Signed[Order]) -> Iterator[Row]:
    """Warrants in which bridge had voted."""
    locked, other, forged = order(), order(id_of_entry=SECOND), order(signer="bridge")
    two = (promise("aoba"), promise("seeds"))
    adopted = Warrant((*two, promise("bridge", locked)), (Case(locked.document, ()),))
    yield "valid_warrant_adopt", "bridge had voted", None, again, adopted
    code, name, about = "promises-invalid", "warrant_lock_not_shown", "a word without the order"
    yield name, about, code, again, Warrant(adopted.promises)
    name, about = "warrant_another_order", "bridge had voted for another"
    yield name, about, code, reissue(other, 2, CHARTER, SIGNING["biwa"]), adopted
    name, about = "warrant_lock_forged", "bridge signed it itself"
    warrant = Warrant((*two, promise("bridge", forged)), (Case(forged.document, ()),))
    yield name, about, "certificate-invalid", again, warrant


def _evidence() -> Iterator[Vector]:
    one, other = order(), order(id_of_entry=SECOND)
    again = reissue(one, 2, CHARTER, SIGNING["biwa"])
    forged = order(signer="seeds", id_of_entry=SECOND)
    spaced = sign(ORDER, one.document.payload + b" ", SIGNING["biwa"])
    rows = (
        ("valid_evidence", "two orders for biwa's place 1", None, other.document),
        ("valid_evidence_other_bytes", "one of them in other bytes", None, spaced),
        ("evidence_one_order_twice", "the same", "evidence-invalid", one.document),
        ("evidence_issued_again", "in a later incarnation", "evidence-invalid", again.document),
        ("evidence_forged", "seeds signed one of them", "certificate-invalid", forged.document),
    )
    for name, about, refusal, second in rows:
        orders = [one.document.to_json(), second.to_json()]
        given = {"text": strictjson.encode({"orders": orders}).decode()}
        yield Vector(name, about, "evidence", refusal and "proof", refusal, given)
