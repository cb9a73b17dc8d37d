"""What a real node's server answers to bytes that are not a good request: a code, and no crash.

Flask's client cannot say these things; the server that `tasuki serve` starts has to hear them.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection

import pytest
from sqlalchemy import func, select

from node import models
from node.installation import Node
from node.services import membership
from protocol import Decline, envelope, http, limits, problems, sign
from tests.equipment.federation import Federation, RunningNode, founded

pytestmark = pytest.mark.federation

ENVELOPES = "/peer/v1/envelopes"
HELLO = "/peer/v1/hello"
HUNG_UP = b"\r\n(hung up)"
DECLINE = Decline(referral="referral-0001", declined_at=1_800_000_000).encode()


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """`biwa` runs; `aoba` and `seeds` only have keys here."""
    folder = tmp_path_factory.mktemp("federation")
    with founded(folder, members=("aoba", "biwa", "seeds")) as alliance:
        alliance["biwa"].more = ["--no-worker"]
        alliance["biwa"].start()
        yield alliance


@pytest.fixture
def biwa(federation: Federation) -> Iterator[RunningNode]:
    """After every test nothing was stored, and the next good request is taken."""
    running = federation["biwa"]
    yield running
    assert running.process is not None
    assert running.process.poll() is None
    with running.node.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(models.InboxEntry)) == 0
        body = membership.make_hello(session, federation["aoba"].node.context).encode()
    status, answer = post(running, signed(federation, body, path=HELLO), body, path=HELLO)
    assert status == 200, answer


def node(federation: Federation, member: str = "aoba") -> Node:
    return federation[member].node


def signed(
    federation: Federation,
    body: bytes,
    *,
    path: str = ENVELOPES,
    sender: str = "aoba",
    off_s: int = 0,
) -> dict[str, str]:
    here, there = node(federation), federation.charter.member("biwa")
    return http.sign_request(
        authority=there.authority,
        path=path,
        body=body,
        context=http.Context("minato", 1, sender, "biwa"),
        key=here.keyring.signing,
        created=here.clock.now() + off_s,
        nonce=os.urandom(16),
    )


def post(
    running: RunningNode, headers: dict[str, str], body: bytes, *, path: str = ENVELOPES
) -> tuple[int, bytes]:
    with closing(HTTPConnection("127.0.0.1", running.port, timeout=10)) as connection:
        connection.request("POST", path, body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def code(answer: tuple[int, bytes]) -> tuple[int, str]:
    status, body = answer
    return status, problems.parse_problem(body).code


def letter(federation: Federation, kind: str = "decline", to: str = "biwa") -> envelope.Envelope:
    here = node(federation)
    return envelope.seal(
        sign(kind, DECLINE, here.keyring.signing),
        id=os.urandom(16).hex(),
        alliance="minato",
        epoch=1,
        sender="aoba",
        recipient=to,
        recipient_key=federation.charter.member("biwa").sealing_public,
        kind_class="letter",
        deadline=here.clock.now() + 3600,
    )


def raw(running: RunningNode, content: bytes) -> bytes:
    """Send bytes as they are; what comes back, with a last line once the server hangs up."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
        connection.sendall(content)
        connection.settimeout(5)
        answer = b""
        try:
            while part := connection.recv(65536):
                answer += part
        except TimeoutError:
            return answer
        except ConnectionResetError:
            pass
        return answer + HUNG_UP


def head(headers: dict[str, str], *more: str) -> bytes:
    lines = ["POST /peer/v1/envelopes HTTP/1.1", "Host: whatever"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, *more, "", ""]).encode()


def test_a_replayed_request_is_refused(federation: Federation, biwa: RunningNode) -> None:
    with node(federation).database.reading() as session:
        body = membership.make_hello(session, node(federation).context).encode()
    headers = signed(federation, body, path=HELLO)
    assert post(biwa, headers, body, path=HELLO)[0] == 200
    assert code(post(biwa, headers, body, path=HELLO)) == (409, "nonce-reused")


def test_one_bit_changed_is_refused(federation: Federation, biwa: RunningNode) -> None:
    body = bytearray(letter(federation).encode())
    headers = signed(federation, bytes(body))
    body[len(body) // 2] ^= 1
    assert code(post(biwa, headers, bytes(body))) == (400, "digest-mismatch")
    # Signed as it now is, it is still not what was sealed.
    assert post(biwa, signed(federation, bytes(body)), bytes(body))[0] in (400, 422)


def test_an_envelope_for_another_member_is_refused(
    federation: Federation, biwa: RunningNode
) -> None:
    body = letter(federation, to="seeds").encode()
    assert code(post(biwa, signed(federation, body), body)) == (403, "recipient-mismatch")


def test_who_is_no_member_is_refused(federation: Federation, biwa: RunningNode) -> None:
    headers = signed(federation, b"{}", sender="mallory")
    assert code(post(biwa, headers, b"{}")) == (403, "not-a-member")


def test_a_clock_31_seconds_off_is_told_so(federation: Federation, biwa: RunningNode) -> None:
    # A second may pass on the way: 32 ahead is 31 or 32 there.
    answer = post(biwa, signed(federation, b"{}", off_s=32), b"{}")
    assert code(answer) == (401, "clock-skew")
    assert json.loads(answer[1])["skew_seconds"] in (31, 32)


def test_what_is_too_large_is_refused_before_it_is_sent(
    federation: Federation, biwa: RunningNode
) -> None:
    declared = f"Content-Length: {limits.ENVELOPE_BYTES_MAX + 1}"
    answer = raw(biwa, head(signed(federation, b"{}"), declared))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"too-large" in answer


def test_repeated_json_members_are_refused(federation: Federation, biwa: RunningNode) -> None:
    body = letter(federation).encode()[:-1] + b',"to":"biwa"}'
    assert code(post(biwa, signed(federation, body), body)) == (400, "json-not-strict")


def test_an_unknown_kind_is_refused(federation: Federation, biwa: RunningNode) -> None:
    body = letter(federation, kind="surprise").encode()
    assert code(post(biwa, signed(federation, body), body)) == (422, "document-invalid")


def test_a_broken_chunk_is_a_refusal_and_the_connection_ends(
    federation: Federation, biwa: RunningNode
) -> None:
    content = (
        head(signed(federation, b"{}"), "Transfer-Encoding: chunked") + b"xyz\r\n{}\r\n0\r\n\r\n"
    )
    answer = raw(biwa, content)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"body-broken" in answer
    # What is left of the content is never read as the next request.
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.endswith(HUNG_UP)


@pytest.mark.parametrize("path", ["/join/v1/requests", "/join/v1/acceptances"])
def test_a_broken_chunk_at_the_newcomers_door_is_a_refusal_too(
    biwa: RunningNode, path: str
) -> None:
    lines = (f"POST {path} HTTP/1.1", "Host: localhost", "Transfer-Encoding: chunked", "", "")
    answer = raw(biwa, "\r\n".join(lines).encode() + b"xyz\r\n{}\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 "), answer[:200]
    assert b"body-broken" in answer


@pytest.mark.parametrize(
    "more",
    [
        ("Content-Length: 2", "Transfer-Encoding: chunked"),
        ("Content-Length: 2", "Content-Length: 3"),
        ("Folded: a", " b", "Content-Length: 2"),
        ("Bad Name: a", "Content-Length: 2"),
        (*(f"X-{n}: {'a' * 1000}" for n in range(90)), "Content-Length: 2"),
    ],
    ids=["length-and-chunked", "two-lengths", "folded", "bad-name", "90-kilobytes"],
)
def test_http_with_two_readings_is_refused_by_the_server(
    federation: Federation, biwa: RunningNode, more: tuple[str, ...]
) -> None:
    answer = raw(biwa, head(signed(federation, b"{}"), *more) + b"{}")
    status = int(answer.split(b" ", 2)[1])
    assert 400 <= status < 500, answer[:200]
    assert b"Traceback" not in answer


def test_the_path_is_compared_as_it_was_sent(federation: Federation, biwa: RunningNode) -> None:
    for path in ("//peer/v1/envelopes", "/peer/./v1/envelopes", "/peer/v1%2Fenvelopes"):
        headers = signed(federation, b"{}")
        with closing(HTTPConnection("127.0.0.1", biwa.port, timeout=10)) as connection:
            connection.putrequest("POST", path, skip_host=False)
            for name, value in {**headers, "Content-Length": "2"}.items():
                connection.putheader(name, value)
            connection.endheaders(b"{}")
            answer = connection.getresponse()
            assert code((answer.status, answer.read())) == (400, "path-not-canonical")
