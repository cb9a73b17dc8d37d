"""Vectors of what two nodes say in a call: bodies that nobody signs, inside a signed request.

SPEC §3.4, §6.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from protocol import (
    Hello,
    Order,
    OrderAnswer,
    OrderRequest,
    Pull,
    PullAnswer,
    Signed,
    Standing,
    Warrant,
    b64encode,
    cast_vote,
    commitment,
    errors,
    problems,
    state_digest,
)
from protocol.ledger.books import Head
from tests.protocol.cast import NOW, SIGNING
from tests.protocol.orders import CHARTER, certified
from tests.protocol.vector import Vector
from tests.protocol.vector_makers.orders import SECOND, order
from tests.protocol.vector_makers.recoveries import OTHERS, promise

Change = Callable[[dict[str, Any]], object]
REQUEST_ID = "9b1f0c52a7e84d6fb1d2c3a4e5f60718"


def _with(name: str, value: object) -> Change:
    return lambda fields: fields.update({name: value})


def _without(name: str) -> Change:
    return lambda fields: fields.pop(name)


_DEFECTS: list[tuple[str, str, str, Change]] = [
    ("hello", "time_text", "a time in words", _with("time", "2026-11-17T00:00:00Z")),
    ("hello", "digest_short", "a digest of two bytes", _with("charter_digest", "AAA")),
    ("hello", "version_zero", "charters are counted from 1", _with("charter_version", 0)),
    ("hello", "field_unknown", "a field that nobody reads", _with("host", "x")),
    ("hello", "release_missing", "who is speaking", _without("release")),
    ("pull", "vector_zero", "an account that has no order has no line", _with("vector", {"a": 0})),
    ("pull", "vector_upper_case", "no member's id", _with("vector", {"AOBA": 1})),
    ("pull", "vector_list", "a list of accounts", _with("vector", ["aoba"])),
    ("pull", "version_missing", "under which charter?", _without("charter_version")),
    ("pull-answer", "more_number", "1 is not true", _with("more", 1)),
    ("pull-answer", "state_short", "a digest of two bytes", _with("state", "AAA")),
    ("pull-answer", "certificates_padded", "padding", _with("certificates", ["YQ=="])),
    ("standing", "order_missing", "nothing locked is null", _without("order")),
    ("standing", "fences_object", "fences are a list", _with("fences", {})),
    ("order-answer", "outcome_unknown", "perhaps", _with("outcome", "perhaps")),
    ("order-answer", "two_outcomes", "a vote, and a need", _with("need", {})),
    ("problem", "status_200", "a refusal is no success", _with("status", 200)),
    ("problem", "code_missing", "refused, nobody knows why", _without("code")),
    ("problem", "code_with_space", "a code is one word", _with("code", "too large")),
]


def bodies() -> dict[str, bytes]:
    """A good body of each kind of call."""
    first = order()
    done = certified(first)
    vote = cast_vote(first, SIGNING["aoba"])
    heads = {"biwa": Head(1, first.digest, 1, 0), "aoba": Head(0, bytes(32), 0, 1)}
    refusal = errors.ClockSkew("the sender's clock is 31 s ahead of ours", **SKEW)
    return {
        "hello": Hello(1, CHARTER.digest, 1, "0.1.0", NOW).encode(),
        "problem": problems.problem(refusal, REQUEST_ID, verified=False),
        "order-request": OrderRequest(first.document).encode(),
        "order-answer": OrderAnswer(vote=vote).encode(),
        "standing": Standing(done.data, following(first).document, ()).encode(),
        "pull": Pull({"aoba": 3, "biwa": 1}, 1).encode(),
        "pull-answer": PullAnswer({"biwa": 1}, state_digest(heads), (done.data,), False).encode(),
    }


def following(first: Signed[Order]) -> Signed[Order]:
    """The order after the first."""
    return order(id_of_entry=SECOND, sequence=2, previous=first.digest)


SKEW: dict[str, Any] = {"server_time": NOW, "skew_seconds": 31}


def make() -> Iterator[Vector]:
    good = bodies()
    for kind, body in good.items():
        yield _valid(kind, f"a good {kind}", body)
    yield from _answers(order())
    for kind, defect, about, change in _DEFECTS:
        fields = json.loads(good[kind])
        change(fields)
        given = {"text": json.dumps(fields, ensure_ascii=False, separators=(",", ":"))}
        name = f"{kind.replace('-', '_')}_{defect}"
        yield Vector(name, about, kind, "fields", "document-invalid", given)
    yield from _digests(order())


def _answers(first: Signed[Order]) -> Iterator[Vector]:
    done = certified(first)
    both = OrderRequest(following(first).document, done.data).encode()
    yield _valid("order-request", "with the certificate before it", both, "_with_certificate")
    promises = tuple(promise(each) for each in OTHERS)
    again = order(incarnation=2)
    body = OrderRequest(again.document, None, Warrant(promises).encode()).encode()
    yield _valid("order-request", "of a later incarnation", body, "_with_warrant")
    need = OrderAnswer(need={"biwa": (1, 4)}).encode()
    yield _valid("order-answer", "certificates are lacking first", need, "_need")
    settled = OrderAnswer(certificate=done.data).encode()
    yield _valid("order-answer", "the place is taken", settled, "_settled")


def _valid(kind: str, about: str, body: bytes, more: str = "") -> Vector:
    name = f"valid_{kind.replace('-', '_')}{more}"
    return Vector(name, about, kind, None, None, {"text": body.decode()})


def _digests(first: Signed[Order]) -> Iterator[Vector]:
    salt, digest = bytes(range(32)), first.digest
    given = {"salt": b64encode(salt), "digest": b64encode(digest)}
    assert commitment(salt, digest)
    about = "what an entry says of the document behind it"
    yield Vector("valid_reference", about, "reference", None, None, given)
    heads = {
        "aoba": {"sequence": 0, "digest": b64encode(bytes(32)), "debits": 0, "credits": 1},
        "biwa": {"sequence": 1, "digest": b64encode(digest), "debits": 1, "credits": 0},
        "seeds": {"sequence": 0, "digest": b64encode(bytes(32)), "debits": 0, "credits": 0},
    }
    about = "the state of a ledger; an account that was never touched is not in it"
    yield Vector("valid_state", about, "state", None, None, {"heads": heads})
