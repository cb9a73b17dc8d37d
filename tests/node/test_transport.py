"""The transport, against real servers on loopback: only a proven answer counts as one."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from node import config
from node.clock import FixedClock
from node.transport import PeerTransport, TransportFailure, may_call
from protocol import Charter, Member, Policy, SealingKey, SigningKey, http, limits
from tests.equipment.certificates import Authority

NOW = 1_800_000_000
PATH = "/peer/v1/hello"
BODY = b'{"hello":"biwa"}'
OUR_KEY, PEER_KEY, STRANGER = (SigningKey.generate() for _ in range(3))
SEALING = SealingKey.generate().public.raw


class Request(BaseHTTPRequestHandler):
    """One request at the scripted peer; `answer` of the server decides what happens."""

    protocol_version = "HTTP/1.1"
    server: "Peer"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked = http.parse_request(
            method="POST",
            authority=self.headers["Host"],
            raw_path=self.path,
            headers=self.headers.items(),
            body=body,
        )
        self.server.seen.append((self.asked, self.client_address))
        self.server.answer(self)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def reply(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def reply_signed(
        self,
        status: int = 200,
        body: bytes = b"{}",
        key: SigningKey = PEER_KEY,
        sender: str = "biwa",
    ) -> None:
        headers = http.sign_response(
            status=status,
            body=body,
            content_type=http.JSON_TYPE if status == 200 else http.PROBLEM_TYPE,
            request=self.asked,
            context=http.Context("minato", 1, sender, self.asked.context.sender),
            key=key,
            created=NOW,
        )
        self.reply(status, headers, body)


class Peer(ThreadingHTTPServer):
    """A peer's node that does as it is told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.seen: list[tuple[http.UnverifiedRequest, object]] = []
        self.answer: Callable[[Request], None] = Request.reply_signed

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what some tests are about."""


@pytest.fixture
def peer() -> Iterator[Peer]:
    server = Peer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def member(member_id: str, url: str, key: SigningKey) -> Member:
    return Member(
        id=member_id,
        legal_name=member_id,
        address="",
        representative="",
        business="",
        contact="",
        country="JP",
        licences=(),
        url=url,
        identity_key=key.verify_key.raw,
        signing_key=key.verify_key.raw,
        sealing_key=SEALING,
        role="member",
        credit_limit=0,
    )


def charter(url: str) -> Charter:
    members = (
        member("aoba", "http://127.0.0.1:1", OUR_KEY),
        member("biwa", url, PEER_KEY),
        member("seeds", "http://127.0.0.1:2", STRANGER),
    )
    return Charter("minato", "みなと", 1, b"", members, 3, 1, Policy())


Post = Callable[[str], http.VerifiedResponse]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def post(clock: FixedClock) -> Iterator[Post]:
    transport = PeerTransport(config.parse({"TASUKI_MEMBER_ID": "aoba"}), clock, lambda _: OUR_KEY)
    yield lambda url: transport.post(charter(url), "biwa", PATH, BODY)
    transport.close()


def failure(post: Post, url: str) -> str:
    with pytest.raises(TransportFailure) as caught:
        post(url)
    return caught.value.code


def test_a_proven_answer_comes_back_and_the_request_was_signed_for_that_peer(
    peer: Peer, post: Post
) -> None:
    url = f"http://127.0.0.1:{peer.port}"
    answer = post(url)
    assert (answer.status, answer.body, answer.context.sender) == (200, b"{}", "biwa")
    verified = http.verify_request(
        peer.seen[0][0],
        now=NOW,
        authority=f"127.0.0.1:{peer.port}",
        alliance="minato",
        us="biwa",
        key_of=lambda sender, keyid: charter(url).keys[keyid][0],
    )
    assert (verified.body, verified.context.sender) == (BODY, "aoba")


def test_a_signed_refusal_is_an_answer(peer: Peer, post: Post) -> None:
    peer.answer = lambda request: request.reply_signed(409, b'{"code":"nonce-reused"}')
    assert post(f"http://127.0.0.1:{peer.port}").status == 409


def test_every_attempt_is_signed_anew_on_one_connection(peer: Peer, post: Post) -> None:
    for _ in range(3):
        post(f"http://127.0.0.1:{peer.port}")
    assert len({request.nonce for request, _ in peer.seen}) == 3
    assert len({address for _, address in peer.seen}) == 1


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: request.reply(200, {"Content-Type": "application/json"}, b"{}"),
        lambda request: request.reply(502, {"Content-Type": "text/html"}, b"<h1>Bad Gateway</h1>"),
        lambda request: request.reply_signed(key=STRANGER),
        lambda request: request.reply_signed(key=OUR_KEY),
        lambda request: request.reply_signed(key=STRANGER, sender="seeds"),
        lambda request: request.reply_signed(key=SigningKey.generate()),
    ],
    ids=["unsigned", "a proxy's", "another's key", "our own key", "another's name", "no key"],
)
def test_an_answer_that_is_not_provably_the_peers_is_no_answer(
    peer: Peer, post: Post, answer: Callable[[Request], None]
) -> None:
    peer.answer = answer
    assert failure(post, f"http://127.0.0.1:{peer.port}") == "response-unproven"


def test_an_answer_to_another_request_is_no_answer(peer: Peer, post: Post) -> None:
    post(f"http://127.0.0.1:{peer.port}")
    first, _ = peer.seen[0]

    def replay(request: Request) -> None:
        request.asked = first
        request.reply_signed()

    peer.answer = replay
    assert failure(post, f"http://127.0.0.1:{peer.port}") == "response-unproven"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(peer: Peer, post: Post, status: int) -> None:
    location = f"http://127.0.0.1:{peer.port}/elsewhere"
    peer.answer = lambda request: request.reply(status, {"Location": location})
    assert failure(post, f"http://127.0.0.1:{peer.port}") == "redirected"
    assert [request.path for request, _ in peer.seen] == [PATH]


def test_nothing_is_tried_twice(peer: Peer, post: Post) -> None:
    peer.answer = lambda request: request.connection.shutdown(socket.SHUT_RDWR)
    assert failure(post, f"http://127.0.0.1:{peer.port}") == "no-answer"
    assert len(peer.seen) == 1


def test_an_answer_over_the_limit_is_cut(peer: Peer, post: Post) -> None:
    sent = []

    def flood(request: Request) -> None:
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        part = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        for _ in range(1000):
            request.wfile.write(part)
            sent.append(len(part))

    peer.answer = flood
    assert failure(post, f"http://127.0.0.1:{peer.port}") == "answer-too-large"
    # What the system's buffers took beside the limit is all that was sent.
    assert sum(sent) < 3 * limits.PEER_RESPONSE_BYTES_MAX


def test_a_peer_that_drips_its_answer_is_not_waited_for(
    peer: Peer, post: Post, clock: FixedClock
) -> None:
    def drip(request: Request) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(limits.PEER_RESPONSE_BYTES_MAX))
        request.end_headers()
        for _ in range(limits.PEER_RESPONSE_BYTES_MAX):  # until the client hangs up
            clock.move(1)
            request.wfile.write(b"x")

    peer.answer = drip
    assert failure(post, f"http://127.0.0.1:{peer.port}") == "timed-out"


def test_a_peer_that_is_down_is_said_not_to_be_reached(post: Post) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert failure(post, f"http://127.0.0.1:{port}") == "not-reached"


def test_a_peer_that_moved_its_name_is_found_again_after_a_failure(peer: Peer, post: Post) -> None:
    url = f"http://localhost:{peer.port}"
    peer.answer = lambda request: request.connection.shutdown(socket.SHUT_RDWR)
    assert failure(post, url) == "no-answer"
    peer.answer = Request.reply_signed
    assert post(url).status == 200


@pytest.mark.parametrize(
    "url",
    [
        "https://10.1.2.3",
        "https://192.168.1.1:8443",
        "https://169.254.169.254",
        "https://[::ffff:10.0.0.1]",
        "https://[fd00::1]",
        "http://203.0.113.9",
        "http://peer.example",
    ],
)
def test_a_private_or_unprotected_address_is_not_called(post: Post, url: str) -> None:
    assert failure(post, url) == "address-refused"


def test_a_name_that_nobody_knows_is_said_so(post: Post) -> None:
    assert failure(post, "https://nobody.invalid") == "name-not-found"


@pytest.mark.parametrize(
    ("address", "loopback", "expected"),
    [
        ("93.184.216.34", False, True),
        ("2001:4860:4860::8888", False, True),
        ("10.20.0.7", False, True),  # in the network that the settings name
        ("10.21.0.7", False, False),
        ("100.64.0.1", False, False),
        ("224.0.0.1", False, False),
        ("0.0.0.0", False, False),
        ("127.0.0.1", False, False),
        ("::1", False, False),
        ("64:ff9b::7f00:1", False, False),
        ("64:ff9b::a00:1", False, False),
        ("2002:a00:1::1", False, False),
        ("::ffff:127.0.0.1", False, False),
        ("127.0.0.1", True, True),
        ("93.184.216.34", True, False),
    ],
)
def test_which_addresses_may_be_called(address: str, loopback: bool, expected: bool) -> None:
    networks = [ip_network("10.20.0.0/16")]
    assert may_call(ip_address(address), networks, loopback=loopback) is expected


def post_over_tls(peer: Peer, ca_file: Path | None) -> http.VerifiedResponse:
    settings = config.parse(
        {"TASUKI_MEMBER_ID": "aoba", "TASUKI_CA_FILE": str(ca_file) if ca_file else ""}
    )
    transport = PeerTransport(settings, FixedClock(NOW), lambda _: OUR_KEY)
    try:
        return transport.post(charter(f"https://localhost:{peer.port}"), "biwa", PATH, BODY)
    finally:
        transport.close()


@pytest.mark.parametrize(
    ("name", "trusted", "outcome"),
    [
        ("localhost", True, "200"),
        ("localhost", False, "tls-failed"),
        ("x.example", True, "tls-failed"),
    ],
)
def test_the_certificate_must_be_trusted_and_name_the_host(
    peer: Peer, tmp_path: Path, name: str, trusted: bool, outcome: str
) -> None:
    authority = Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate(name))
    peer.socket = context.wrap_socket(peer.socket, server_side=True)
    try:
        found = str(post_over_tls(peer, authority.file if trusted else None).status)
    except TransportFailure as error:
        found = error.code
    assert found == outcome
