"""The ledger's bytes: one writing, two readers that agree, no crash.  SPEC §6."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from protocol import (
    CORRECTION,
    Order,
    OrderAnswer,
    OrderRequest,
    Pull,
    PullAnswer,
    Warrant,
    commitment,
    encode_vote,
    errors,
    lacking,
    limits,
    strictjson,
    verify_certificate,
)
from tests.protocol.orders import CHARTER, certified, entry, order_of
from tests.protocol.refusals import outcome_of, refusal_of


def test_an_order_and_a_vote_are_written_as_the_one_encoder_writes() -> None:
    order = order_of(seen={"aoba": 3, "seeds": 1}, sequence=7)
    assert Order.parse(order.document.payload) == order.body
    vote = encode_vote(order.body, order.digest)
    assert vote == strictjson.encode(strictjson.parse(vote, bytes_max=10_000))
    payload = order.document.payload
    assert payload == strictjson.encode(strictjson.parse(payload, bytes_max=10_000))
    certificate = certified(order_of())
    again = strictjson.parse(certificate.data, bytes_max=100_000)
    assert strictjson.encode(again) == certificate.data


def test_answers_and_pulls_read_back_as_they_were_written() -> None:
    certificate = certified(order_of())
    for answer in (
        OrderAnswer(vote=certificate.vote),
        OrderAnswer(need={"aoba": (1, 4)}),
        OrderAnswer(certificate=certificate.data),
    ):
        assert OrderAnswer.parse(answer.encode()) == answer
    pull = Pull({"aoba": 4}, 1)
    assert Pull.parse(pull.encode()) == pull
    page = PullAnswer({"aoba": 4}, bytes(32), (certificate.data,), more=True)
    assert PullAnswer.parse(page.encode()) == page


def test_an_order_travels_alone_or_with_the_certificate_before_it() -> None:
    certificate, order = certified(order_of()).data, order_of(sequence=2).document
    assert OrderRequest.parse(OrderRequest(order).encode()) == OrderRequest(order)
    together = OrderRequest(order, certificate)
    assert OrderRequest.parse(together.encode()) == together
    # Any other writing says the same.
    for separators in ((", ", ": "), (",", ":")):
        for upside_down in (False, True):
            value = json.loads(together.encode())
            fields = dict(sorted(value.items(), reverse=upside_down))
            written = json.dumps(fields, separators=separators).encode()
            assert OrderRequest.parse(written) == together


def test_an_order_travels_with_what_allows_its_incarnation() -> None:
    order, warrant = order_of().document, Warrant((order_of(sequence=3).document,)).encode()
    certificate = certified(order_of()).data
    for request in (
        OrderRequest(order, warrant=warrant),
        OrderRequest(order, certificate, warrant),
    ):
        assert OrderRequest.parse(request.encode()) == request
        value = json.loads(request.encode())
        upside_down = json.dumps(dict(sorted(value.items(), reverse=True))).encode()
        assert OrderRequest.parse(upside_down) == request
    for wrong in (b"[]", b'{"pool":[],"promises":[0],"cases":[]}', b'{"pool":[]}'):
        written = b'{"order":%b,"warrant":%b}' % (order.encode(), wrong)
        assert refusal_of(lambda data=written: OrderRequest.parse(data)) is not None, wrong


def test_an_order_with_more_around_it_than_a_certificate_is_refused() -> None:
    certificate, order = certified(order_of()).data, order_of(sequence=2).document
    written = OrderRequest(order, certificate).encode()
    for wrong in (
        written + b" {}",
        written[:-1] + b',"order":{}}',
        written[:-1] + b',"note":1}',
        b'{"certificate":{},"order":' + order.encode() + b"}",
        b'{"certificate":' + certificate + b"}",
        written.ljust(limits.ORDER_REQUEST_BYTES_MAX + 1),
    ):

        def use(data: bytes = wrong) -> None:
            request = OrderRequest.parse(data)
            assert request.certificate is not None
            verify_certificate(request.certificate, CHARTER)

        assert refusal_of(use) is not None, wrong


def test_what_a_replica_lacks_is_counted_from_its_own_vector() -> None:
    assert lacking({"aoba": 2, "seeds": 9}, {"aoba": 5, "biwa": 1, "seeds": 9}) == {
        "aoba": (3, 5),
        "biwa": (1, 1),
    }


@pytest.mark.parametrize(
    "parse",
    [
        Order.parse,
        OrderAnswer.parse,
        OrderRequest.parse,
        lambda b: OrderRequest.parse(b'{"certificate":' + b),
        Pull.parse,
        PullAnswer.parse,
        lambda b: verify_certificate(b, CHARTER),
    ],
    ids=["order", "answer", "request", "request-started", "pull", "page", "certificate"],
)
@given(data=some.binary(max_size=300))
def test_garbage_is_a_refusal_with_a_code(parse: Callable[[bytes], object], data: bytes) -> None:
    assert refusal_of(lambda: parse(data)) is not None


@given(at=some.integers(0, 2000), bit=some.integers(0, 7))
def test_an_order_with_one_bit_changed_is_refused(at: int, bit: int) -> None:
    whole = bytearray(certified(order_of()).data)
    whole[at % len(whole)] ^= 1 << bit
    assert refusal_of(lambda: verify_certificate(bytes(whole), CHARTER)) is not None


WRONG_FIELDS: list[tuple[bytes, bytes, str]] = [
    (b'"points":1', b'"points":0', "amount"),
    (b'"points":1', b'"points":-1', "amount"),
    (b'"points":1', b'"points":1000001', "amount"),
    (b'"points":1', b'"points":"1"', "amount"),
    (b'"points":1', b'"points":true', "amount"),
    # The reader refuses every fraction before anybody asks what it stands for.
    (b'"points":1', b'"points":1.5', "json-not-strict"),
    (b'"kind":"referral"', b'"kind":"gift"', "document-invalid"),
    (b'"to":"aoba"', b'"to":"Aoba"', "document-invalid"),
    (b'"to":"aoba"', b'"to":null', "document-invalid"),
    (b'"sequence":1', b'"sequence":0', "document-invalid"),
    (b'"sequence":1', b'"sequence":01', "json-not-strict"),
    (b'"sequence":1', b'"sequence":1000000000001', "document-invalid"),
    (b'"incarnation":1', b'"incarnation":true', "document-invalid"),
    (b'"epoch":1', b'"epoch":1,"extra":1', "document-invalid"),
    (b'"epoch":1', b'"epoch":1,"epoch":1', "json-not-strict"),
    (b'"seen":{}', b'"seen":{"biwa":0}', "document-invalid"),
    (b'"seen":{}', b'"seen":{"biwa":1,"biwa":1}', "json-not-strict"),
    (b'"seen":{}', b'"seen":[]', "document-invalid"),
    (b'"previous":"AA', b'"previous":"A+', "document-invalid"),
]


@pytest.mark.parametrize(
    ("good", "bad", "code"), WRONG_FIELDS, ids=[bad.decode() for _, bad, _ in WRONG_FIELDS]
)
def test_an_order_with_a_wrong_field_is_refused(good: bytes, bad: bytes, code: str) -> None:
    payload = order_of().document.payload
    assert good in payload
    assert refusal_of(lambda: Order.parse(payload.replace(good, bad))) == code


@pytest.mark.parametrize("points", [0, -1, 1_000_001, True, 1.5, "1"])
def test_points_that_are_no_whole_number_within_the_limit_are_never_signed(
    points: object,
) -> None:
    wrong = entry(points=points)  # type: ignore[arg-type]
    with pytest.raises(errors.AmountInvalid):
        wrong.check()
    order = order_of().body
    with pytest.raises(errors.AmountInvalid):
        order._replace(entries=(wrong,)).check()


LIMITS: list[tuple[str, int, str]] = [
    ("points", limits.POINTS_MAX, "amount"),
    ("epoch", limits.VERSION_MAX, "document-invalid"),
    ("incarnation", limits.INCARNATION_MAX, "document-invalid"),
    ("sequence", limits.SEQUENCE_MAX, "document-invalid"),
]


@pytest.mark.parametrize(("field", "limit", "code"), LIMITS)
def test_a_number_at_its_limit_is_read_and_the_next_is_refused(
    field: str, limit: int, code: str
) -> None:
    payload = order_of().document.payload
    for number in (limit - 1, limit, limit + 1):
        changed = payload.replace(f'"{field}":1'.encode(), f'"{field}":{number}'.encode())
        assert outcome_of(Order.parse, changed) == outcome_of(in_any_writing, changed)
        assert refusal_of(lambda data=changed: Order.parse(data)) == (
            None if number <= limit else code
        )


def test_an_order_holds_256_entries_and_64_accounts_at_the_most() -> None:
    body = order_of().body
    entries = tuple(entry(id_=f"entry-{n:04d}") for n in range(257))
    seen = {f"member-{n}": 1 for n in range(65)}
    for count, fits in ((256, True), (257, False)):
        payload = body._replace(entries=entries[:count]).encode()
        assert (refusal_of(lambda data=payload: Order.parse(data)) is None) is fits
    for count, fits in ((64, True), (65, False)):
        some_seen = dict(list(seen.items())[:count])
        payload = body._replace(seen=some_seen).encode()
        assert (refusal_of(lambda data=payload: Order.parse(data)) is None) is fits


PIECES = [
    b'"', b"{", b"}", b"[", b"]", b",", b":", b" ", b"0", b"1", b"-", b"A", b"=", b"\\u0041",
    b"\n", b"\xc3\xa9", b"\xff", b'"biwa":1', b',"epoch":1',
]  # fmt: skip


@settings(max_examples=300)
@given(
    at=some.integers(0, 2000),
    length=some.integers(0, 3),
    piece=some.sampled_from(PIECES),
    entries=some.integers(1, 3),
)
def test_both_ways_of_reading_an_order_agree(
    at: int, length: int, piece: bytes, entries: int
) -> None:
    """What is written as we write it is read by patterns; everything by the JSON reader."""
    payload = order_of(
        entries=tuple(entry(id_=f"entry-{n:04d}") for n in range(entries)), seen={"aoba": 3}
    ).document.payload
    at %= len(payload)
    changed = payload[:at] + piece + payload[at + length :]
    assert outcome_of(Order.parse, changed) == outcome_of(in_any_writing, changed)


def in_any_writing(payload: bytes) -> Order:
    return Order.from_json(strictjson.parse(payload, bytes_max=limits.ORDER_BYTES_MAX))


def test_a_commitment_needs_its_salt() -> None:
    salt, digest = bytes([1]) * 32, bytes([2]) * 32
    assert commitment(salt, digest) != commitment(bytes(32), digest)
    assert commitment(salt, digest) == commitment(salt, digest)
    assert CORRECTION == "correction"
