"""What the door answers to requests that are not as PEER 1 has them: a code, and nothing stored.

The numbers are those of the table of hostile inputs, RELIABILITY 5; codes are PEER 2's.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.allowance import REQUESTS_AT_ONCE
from node.database import Database
from node.peer_addresses import PULL_WEIGHT
from node.services import membership
from protocol import Hello, Pull, SigningKey, http, limits
from tests.equipment.alliance import Alliance, found_alliance
from tests.equipment.databases import Databases
from tests.equipment.peers import ENVELOPES, HELLO, Answer, Caller, stored


@pytest.fixture
def alliance(sqlite_databases: Databases) -> Iterator[Alliance]:
    with (
        sqlite_databases.fresh() as a,
        sqlite_databases.fresh() as b,
        sqlite_databases.fresh() as c,
    ):
        opened = [Database(url) for url in (a, b, c)]
        yield found_alliance(opened, members=("aoba", "biwa", "seeds"))
        for database in opened:
            database.close()


@pytest.fixture
def caller(alliance: Alliance) -> Caller:
    return Caller(alliance["aoba"], alliance["biwa"], alliance.charter)


def hello(caller: Caller) -> bytes:
    with caller.us.database.reading() as session:
        return membership.make_hello(session, caller.us.context).encode()


def assert_refused(caller: Caller, answer: Answer, status: int, code: str) -> None:
    """The refusal has its form, the door stored nothing, and takes the next good request."""
    assert (answer.status, answer.code) == (status, code)
    said = json.loads(answer.body)
    assert said["type"] == f"urn:tasuki:refusal:{code}"
    assert said["status"] == status
    assert said["title"]
    assert said["request_id"] == answer.headers["X-Request-Id"]
    assert set(stored(caller.them.database).values()) == {0}
    assert caller.call(hello(caller), path=HELLO).status == 200


def test_a_good_hello_is_answered_with_a_signed_hello(caller: Caller) -> None:
    answer = caller.call(hello(caller), path=HELLO)
    assert (answer.status, answer.is_proven) == (200, True)
    theirs = Hello.parse(answer.body)
    assert theirs.charter_digest == caller.charter.digest
    assert theirs.time == caller.them.context.now()


def test_a_request_without_a_signature_is_told_what_to_sign(caller: Caller) -> None:  # 1
    answer = caller.send({"Content-Type": "application/json"}, b"{}")
    assert_refused(caller, answer, 401, "signature-missing")
    assert answer.headers["Accept-Signature"] == http.ACCEPT_SIGNATURE
    assert '"@authority"' in answer.problem.facts["components"]
    # A stranger learns no more than that.
    assert answer.problem.detail == ""


@pytest.mark.parametrize(
    "written",
    [
        "not a dictionary",
        ", ".join(f'l{n}=("@method");created=1' for n in range(300)),
        'other=("@method");created=1;tag="tasuki-peer-req-1"',
    ],
    ids=["no-structured-field", "300-labels", "other-label"],
)
def test_signature_headers_that_cannot_be_read_are_refused(caller: Caller, written: str) -> None:
    headers = caller.headers(b"{}") | {"Signature-Input": written}  # 2
    assert_refused(caller, caller.send(headers, b"{}"), 400, "signature-malformed")


def test_a_key_that_is_not_in_the_charter_is_unknown(caller: Caller) -> None:  # 3
    answer = caller.call(b"{}", key=SigningKey.generate())
    assert_refused(caller, answer, 401, "key-unknown")
    assert answer.problem.facts["epoch"] == caller.charter.version


def test_another_members_key_does_not_speak_for_us(alliance: Alliance, caller: Caller) -> None:
    foreign = alliance["seeds"].context.keyring.signing
    assert_refused(caller, caller.call(b"{}", key=foreign), 401, "key-unknown")


def test_a_signature_by_another_key_under_our_key_id_is_invalid(caller: Caller) -> None:  # 5
    foreign, own = SigningKey.generate(), caller.us.context.keyring.signing
    headers = caller.headers(b"{}", key=foreign)
    headers["Signature-Input"] = headers["Signature-Input"].replace(foreign.keyid, own.keyid)
    assert_refused(caller, caller.send(headers, b"{}"), 401, "signature-invalid")


def test_an_algorithm_on_the_wire_is_not_allowed(caller: Caller) -> None:  # 6
    headers = caller.headers(b"{}")
    headers["Signature-Input"] += ';alg="hmac-sha256"'
    assert_refused(caller, caller.send(headers, b"{}"), 401, "algorithm-not-allowed")


@pytest.mark.parametrize("name", ["content-digest", "@authority", "@method", "@path"])
def test_a_component_that_is_not_covered_is_named(caller: Caller, name: str) -> None:  # 8
    headers = caller.headers(b"{}")
    headers["Signature-Input"] = headers["Signature-Input"].replace(f'"{name}" ', "")
    answer = caller.send(headers, b"{}")
    assert_refused(caller, answer, 401, "signature-coverage")
    assert answer.problem.facts["missing"] == [f'"{name}"']


def test_content_that_is_not_what_was_signed_is_refused(caller: Caller) -> None:  # 9
    answer = caller.call(b'{"a":1}', sent_body=b'{"a":2}')
    assert_refused(caller, answer, 400, "digest-mismatch")


def test_only_sha256_is_taken_as_a_digest(caller: Caller) -> None:  # 10
    headers = caller.headers(b"{}") | {"Content-Digest": "md5=:mZFLkyvTelC5g8XnyQrpOw==:"}
    answer = caller.send(headers, b"{}")
    assert_refused(caller, answer, 400, "digest-unsupported")
    assert answer.problem.facts["supported"] == ["sha-256"]


@pytest.mark.parametrize("off_s", [31, -31], ids=["ahead", "behind"])
def test_a_clock_that_is_31_seconds_off_is_told_by_how_much(caller: Caller, off_s: int) -> None:
    now = caller.us.context.now()  # 11
    answer = caller.call(b"{}", created=now + off_s)
    assert_refused(caller, answer, 401, "clock-skew")
    assert answer.problem.facts["skew_seconds"] == off_s
    assert answer.problem.facts["server_time"] == now


def test_a_clock_that_is_30_seconds_off_still_works(caller: Caller) -> None:
    created = caller.us.context.now() + 30
    assert caller.call(hello(caller), path=HELLO, created=created).status == 200


def test_a_request_of_a_minute_ago_is_expired(caller: Caller) -> None:  # 12
    answer = caller.call(b"{}", created=caller.us.context.now() - 61)
    assert_refused(caller, answer, 401, "signature-expired")


@pytest.mark.parametrize("nonce", ["", "c2hvcnQ", "A" * 129], ids=["none", "short", "long"])
def test_a_nonce_that_is_not_16_bytes_is_refused(caller: Caller, nonce: str) -> None:  # 13
    headers = caller.headers(b"{}", nonce=bytes(16))
    headers["Signature-Input"] = headers["Signature-Input"].replace("A" * 22, nonce)
    assert_refused(caller, caller.send(headers, b"{}"), 400, "nonce")


def test_the_same_request_again_is_a_replay(caller: Caller) -> None:  # 14, PEER 2
    body = hello(caller)
    headers = caller.headers(body, path=HELLO)
    assert caller.send(headers, body, path=HELLO).status == 200
    again = caller.send(headers, body, path=HELLO)
    assert_refused(caller, again, 409, "nonce-reused")
    assert again.is_proven


def test_a_replay_is_known_to_every_process_of_the_node(caller: Caller) -> None:
    body = hello(caller)
    headers = caller.headers(body, path=HELLO)
    assert caller.send(headers, body, path=HELLO).status == 200
    other_process = Caller(caller.us, caller.them, caller.charter)
    assert other_process.send(headers, body, path=HELLO).code == "nonce-reused"


def test_a_refused_request_is_spent_all_the_same(caller: Caller) -> None:
    headers = caller.headers(b"{}", path=HELLO)
    assert caller.send(headers, b"{}", path=HELLO).code == "document-invalid"
    other_process = Caller(caller.us, caller.them, caller.charter)
    assert other_process.send(headers, b"{}", path=HELLO).code == "nonce-reused"


def test_a_request_signed_for_another_node_is_misdirected(caller: Caller) -> None:  # 16
    to_seeds = caller.context(recipient="seeds")
    seeds = caller.charter.member("seeds").authority
    answer = caller.call(b"{}", context=to_seeds, authority=seeds)
    assert_refused(caller, answer, 421, "misdirected")
    # With our own authority but another addressee, and with ours as addressee elsewhere.
    assert_refused(caller, caller.call(b"{}", context=to_seeds), 421, "misdirected")
    assert_refused(caller, caller.call(b"{}", authority=seeds), 401, "signature-invalid")


def test_who_is_not_a_member_is_refused(caller: Caller) -> None:
    answer = caller.call(b"{}", context=caller.context(sender="mallory"))
    assert_refused(caller, answer, 403, "not-a-member")


def test_another_alliance_is_misdirected(caller: Caller) -> None:
    answer = caller.call(b"{}", context=caller.context(alliance="other"))
    assert_refused(caller, answer, 421, "misdirected")


def test_another_charter_version_is_answered_with_ours(caller: Caller) -> None:  # 28
    answer = caller.call(b"{}", context=caller.context(epoch=2))
    assert_refused(caller, answer, 409, "epoch-mismatch")
    assert answer.problem.facts["epoch"] == 1


@pytest.mark.parametrize("written", ["", 'from="aoba"', 'alliance="minato", epoch=01'])
def test_a_context_that_cannot_be_read_is_refused(caller: Caller, written: str) -> None:
    headers = caller.headers(b"{}") | {"Peer-Context": written}
    assert_refused(caller, caller.send(headers, b"{}"), 400, "context-malformed")


BAD_JSON: list[tuple[str, bytes, int, str]] = [
    ("duplicate-member", b'{"time":1,"time":2}', 400, "json-not-strict"),  # 19
    ("not-a-number", b'{"time":NaN}', 400, "json-not-strict"),
    ("infinite", b'{"time":1e400}', 400, "json-not-strict"),
    ("400-digits", b'{"time":' + b"9" * 400 + b"}", 400, "json-not-strict"),
    ("lone-surrogate", b'{"time":"\\ud800"}', 400, "json-not-strict"),
    ("escaped-nul", b'{"time":"\\u0000"}', 400, "json-not-strict"),
    ("more-text", b"{}{}", 400, "json-not-strict"),
    ("depth", b"[" * 1500 + b"]" * 1500, 400, "json-depth"),  # 20
    ("not-utf8", b'{"time":"\xff"}', 400, "encoding"),  # 21
    ("byte-order-mark", b"\xef\xbb\xbf{}", 400, "encoding"),
    ("utf-16", "{}".encode("utf-16"), 400, "encoding"),
    ("unknown-field", b'{"surprise":1}', 422, "document-invalid"),  # 22
]


@pytest.mark.parametrize(
    ("body", "status", "code"), [case[1:] for case in BAD_JSON], ids=[case[0] for case in BAD_JSON]
)
def test_json_with_more_than_one_reading_is_refused(
    caller: Caller, body: bytes, status: int, code: str
) -> None:
    answer = caller.call(body, path=HELLO)
    assert_refused(caller, answer, status, code)
    # The peer is verified here, so it learns where.
    assert answer.is_proven
    assert answer.problem.detail


@pytest.mark.parametrize("path", ["/peer/v1/envelopes", "/peer/v1/orders", "/peer/v1/pull"])
def test_a_hundred_thousand_brackets_are_refused_everywhere(caller: Caller, path: str) -> None:
    answer = caller.call(b"[" * 100_000, path=path)
    assert_refused(caller, answer, 400, "json-depth")


def test_five_gigabytes_are_refused_before_they_are_read(caller: Caller) -> None:  # 23
    class Unread:
        def read(self, *_: int) -> bytes:
            raise AssertionError("the body was read")

        readline = read

    response = caller.client.post(
        ENVELOPES,
        headers=caller.headers(b"{}"),
        environ_overrides={"CONTENT_LENGTH": str(5 * 1024**3), "wsgi.input": Unread()},
    )
    answer = Answer(response.status_code, response.data, response.headers, is_proven=False)
    assert_refused(caller, answer, 413, "too-large")
    assert answer.problem.facts["limit_bytes"] == limits.ENVELOPE_BYTES_MAX


def test_a_body_over_the_limit_is_refused(caller: Caller) -> None:
    answer = caller.call(b" " * (limits.HELLO_BYTES_MAX + 1), path=HELLO)
    assert_refused(caller, answer, 413, "too-large")


@pytest.mark.parametrize(
    "changed",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=utf-8"},
        {"Content-Encoding": "gzip"},
    ],
    ids=["text", "charset", "gzip"],
)
def test_only_plain_json_is_taken(caller: Caller, changed: dict[str, str]) -> None:  # 24
    answer = caller.send(caller.headers(b"{}") | changed, b"{}")
    assert_refused(caller, answer, 415, "media-type")


@pytest.mark.parametrize(
    "path",
    [
        "//peer/v1/envelopes",
        "/peer//v1/envelopes",
        "/peer/./v1/envelopes",
        "/peer/v1/../v1/envelopes",
        "/peer/v1%2Fenvelopes",
        "/peer/v1/envelopes/",
        "/peer/v1/Envelopes",
        "/peer/v1/envelopes?a=1",
        "/peer/v1/envelopes?",
    ],
)
def test_an_address_has_one_writing(caller: Caller, path: str) -> None:  # 26
    answer = caller.call(b"{}", sent_path=path)
    assert_refused(caller, answer, 400, "path-not-canonical")


@pytest.mark.parametrize("path", ["/peer/v1/inbox", "/peer/v2/envelopes", "/peer"])
def test_there_is_nothing_at_other_addresses(caller: Caller, path: str) -> None:
    assert_refused(caller, caller.call(b"{}", sent_path=path), 404, "not-found")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_peers_speak_by_post_only(caller: Caller, method: str) -> None:
    answer = caller.call(b"{}", method=method)
    assert_refused(caller, answer, 405, "method-not-allowed")
    assert answer.headers["Allow"] == "POST"


def test_a_blocked_member_is_refused_within_a_second_and_taken_again(
    alliance: Alliance, caller: Caller
) -> None:
    them = caller.them
    assert caller.call(hello(caller), path=HELLO).status == 200
    for on, status in ((True, 403), (False, 200)):
        with them.database.transaction() as session:
            membership.block(session, them.context, "aoba", on=on, actor="hanako")
        alliance.clock.move(1)
        answer = caller.call(hello(caller), path=HELLO)
        assert answer.status == status
        if on:
            assert answer.code == "peer-blocked"
            assert answer.is_proven


def test_too_many_requests_at_once_are_told_to_wait(alliance: Alliance, caller: Caller) -> None:
    body, answers = hello(caller), []
    for _ in range(REQUESTS_AT_ONCE + 1):
        answers.append(caller.call(body, path=HELLO))
    assert {answer.status for answer in answers[:-1]} == {200}
    last = answers[-1]
    assert (last.status, last.code, last.headers["Retry-After"]) == (429, "rate-limited", "1")
    assert last.problem.facts["retry_after_s"] == 1
    # Another member is served, and so is this one after a moment.
    other = Caller(alliance["seeds"], caller.them, caller.charter)
    other.client = caller.client
    assert other.call(hello(other), path=HELLO).status == 200
    alliance.clock.move(1)
    assert caller.call(body, path=HELLO).status == 200


def test_pages_of_the_ledger_weigh_more_than_other_requests(caller: Caller) -> None:
    path, body = "/peer/v1/pull", Pull({}, caller.charter.version).encode()
    answers = [
        caller.call(body, path=path).status for _ in range(REQUESTS_AT_ONCE // PULL_WEIGHT + 1)
    ]
    assert answers == [200] * (len(answers) - 1) + [429]


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/peer/v1/pull", limits.PULL_ASKED_BYTES_MAX),
        ("/peer/v1/orders", limits.ORDER_REQUEST_BYTES_MAX),
        ("/peer/v1/certificates", limits.CERTIFICATE_BYTES_MAX),
        ("/peer/v1/evidence", limits.EVIDENCE_BYTES_MAX),
        ("/peer/v1/fences", 2 * limits.FENCE_BYTES_MAX),
        ("/peer/v1/standing", limits.STANDING_ASKED_BYTES_MAX),
    ],
)
def test_no_address_reads_more_than_it_can_use(caller: Caller, path: str, most: int) -> None:
    answer = caller.call(b" " * (most + 1), path=path)
    assert (answer.status, answer.code) == (413, "too-large")
    assert answer.problem.facts["limit_bytes"] == most


def test_a_store_that_is_away_is_a_503_and_not_a_verdict(caller: Caller) -> None:
    database = caller.them.database
    file = Path(str(database.engine.url.database))
    away = file.with_suffix(".away")
    assert caller.call(hello(caller), path=HELLO).status == 200
    database.close()
    file.rename(away)
    file.mkdir()
    answer = caller.call(hello(caller), path=HELLO)
    assert (answer.status, answer.code) == (503, "nonce-store-unavailable")
    assert answer.headers["Retry-After"]
    assert answer.is_proven
    file.rmdir()
    away.rename(file)
    assert caller.call(hello(caller), path=HELLO).status == 200
