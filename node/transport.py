"""The way to other members' nodes: signed POSTs to the addresses in the charter.  PEER 1.

One pool a peer, short time-outs, no redirects, no retries of the library's own: whether and
when to try again is the outbox's decision.  An answer that is not provably the peer's is no
answer.  Only addresses out of the charter are called, and none in a private network unless
the settings name it (RELIABILITY A2: server-side request forgery).
"""

import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from node.clock import Clock
from node.config import Settings
from node.config_values import DEFAULT_PORTS, LOOPBACK_HOSTS, Network
from protocol import Charter, SigningKey, VerifyKey, errors, http, limits

CONNECT_TIMEOUT_S = 3  # PEER 3
READ_TIMEOUT_S = 10
# The whole answer, so that a peer that drips bytes cannot hold a worker: 8 MiB at 2 Mbit/s.
ANSWER_TIMEOUT_S = 40
# A renewed DNS entry is noticed within five minutes, or after the first failure.
ADDRESS_LIFE_S = 300
# Worker slots of one peer; more would only wait for its rate limit.
CONNECTIONS_PER_PEER = 4
READ_BYTES = 64 * 1024
OCTETS_TYPE = "application/octet-stream"
# An address that hides an IPv4 address is judged by that one (RFC 6052).
NAT64 = ip_network("64:ff9b::/96")

Address = IPv4Address | IPv6Address
# Status, header fields, content.
Answer = tuple[int, list[tuple[str, str]], bytes]
# The key with which we speak under a charter.
KeyFor = Callable[[Charter], SigningKey]


class TransportFailure(Exception):
    """The peer gave no provable answer; what it did with the request is unknown."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Route:
    """An open pool to the checked address of one peer."""

    pool: urllib3.HTTPConnectionPool
    resolved_at: int


class PeerTransport:
    """Posts to members of a charter, signing every request and verifying every answer."""

    def __init__(self, settings: Settings, clock: Clock, key: KeyFor) -> None:
        self._us = settings.member_id
        self._networks = settings.peer_networks
        self._clock = clock
        self._key = key
        self._tls = ssl.create_default_context(
            cafile=str(settings.ca_file) if settings.ca_file else None
        )
        self._routes: dict[str, Route] = {}
        self._lock = threading.Lock()

    def post(
        self, charter: Charter, recipient: str, path: str, body: bytes
    ) -> http.VerifiedResponse:
        """Post `body` and return the peer's proven answer; raise TransportFailure."""
        request, (status, fields, answer) = self._post(charter, recipient, path, body)
        return _verified(charter, request, status, fields, answer)

    def fetch_proof(self, charter: Charter, recipient: str, path: str, body: bytes) -> bytes:
        """Post `body` and return what a 200 holds, whoever signed it; raise TransportFailure.

        For decrees, which prove themselves: a peer may have replaced its keys by the one we lack.
        """
        _, (status, _, answer) = self._post(charter, recipient, path, body)
        if status != 200:
            raise TransportFailure("refused", f"status {status}")
        return answer

    def _post(
        self, charter: Charter, recipient: str, path: str, body: bytes
    ) -> tuple[http.UnverifiedRequest, Answer]:
        member = charter.member(recipient)
        headers = http.sign_request(
            authority=member.authority,
            path=path,
            body=body,
            context=http.Context(charter.alliance, charter.version, self._us, recipient),
            key=self._key(charter),
            created=self._clock.now(),
            nonce=os.urandom(limits.NONCE_BYTES),
        )
        request = http.parse_request(
            method="POST", authority=member.authority, raw_path=path, headers=headers, body=body
        )
        sent = {**headers, "Host": member.authority}
        return request, self._exchange(member.url, path, sent, body)

    def post_unproven(self, url: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Post to a node that cannot know us yet; the status and an answer that proves nothing.

        For what proves itself: charters and drafts. Raises TransportFailure.
        """
        headers = {"Content-Type": OCTETS_TYPE, "Host": url.split("//", 1)[1]}
        status, _, answer = self._exchange(url, path, headers, body)
        return status, answer

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for route in self._routes.values():
                route.pool.close()
            self._routes.clear()

    def _exchange(self, url: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Send, and take the answer; a way that failed is looked for anew the next time."""
        try:
            return self._send(url, path, headers, body)
        except TransportFailure:
            self._forget(url)
            raise

    def _send(self, url: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        pool = self._pool(url)
        try:
            response = pool.urlopen(
                "POST",
                path,
                body=body,
                headers={**headers, "User-Agent": "tasuki"},
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
            )
            answer = self._read(response)
        except HTTPError as error:
            raise TransportFailure(_code(error), type(error).__name__) from error
        if 300 <= response.status < 400:
            raise TransportFailure("redirected", f"status {response.status}")
        return response.status, list(response.headers.items()), answer

    def _read(self, response: urllib3.BaseHTTPResponse) -> bytes:
        """Return the body; cut the connection at the limit or when it takes too long."""
        ends_at = self._clock.monotonic() + ANSWER_TIMEOUT_S
        parts, size = [], 0
        try:
            while part := response.read1(READ_BYTES):
                parts.append(part)
                size += len(part)
                if size > limits.PEER_RESPONSE_BYTES_MAX:
                    raise TransportFailure("answer-too-large")
                if self._clock.monotonic() > ends_at:
                    raise TransportFailure("timed-out", "the answer took too long")
        except (TransportFailure, HTTPError):
            response.close()
            raise
        response.release_conn()
        return b"".join(parts)

    def _pool(self, url: str) -> urllib3.HTTPConnectionPool:
        now = self._clock.now()
        with self._lock:
            route = self._routes.get(url)
            if route is not None and 0 <= now - route.resolved_at < ADDRESS_LIFE_S:
                return route.pool
        # Outside of the lock: a slow name server must hold up this peer only.
        route = Route(self._open(url), now)
        with self._lock:
            old = self._routes.get(url)
            self._routes[url] = route
        if old is not None:
            old.pool.close()
        return route.pool

    def _forget(self, url: str) -> None:
        """Resolve anew next time: the peer may have moved."""
        with self._lock:
            self._routes.pop(url, None)

    def _open(self, url: str) -> urllib3.HTTPConnectionPool:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        loopback = is_loopback(host)
        if parts.scheme != "https" and not loopback:
            raise TransportFailure("address-refused", "https is needed outside loopback")
        address = self._address(host, port, loopback=loopback)
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S)
        if parts.scheme == "http":
            return urllib3.HTTPConnectionPool(
                address, port, timeout=timeout, maxsize=CONNECTIONS_PER_PEER
            )
        # The connection goes to the address that was checked; the certificate must name the
        # host.  A name that changes its address in between gains nothing.
        return urllib3.HTTPSConnectionPool(
            address,
            port,
            timeout=timeout,
            maxsize=CONNECTIONS_PER_PEER,
            ssl_context=self._tls,
            server_hostname=host,
            assert_hostname=host,
        )

    def _address(self, host: str, port: int, *, loopback: bool) -> str:
        """Return the first address of `host` that may be called."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise TransportFailure("name-not-found", host) from error
        for *_, place in found:
            address = ip_address(str(place[0]).partition("%")[0])
            if may_call(address, self._networks, loopback=loopback):
                return str(address)
        raise TransportFailure("address-refused", f"{host} lies in a private network")


def may_call(address: Address, networks: Iterable[Network], *, loopback: bool) -> bool:
    """Tell whether a peer may live there; `loopback` says that its URL names this machine."""
    address = _unhidden(address)
    if loopback or address.is_loopback:
        return loopback and address.is_loopback
    public = address.is_global and not address.is_multicast
    return public or any(address in network for network in networks)


def is_loopback(host: str) -> bool:
    """Tell whether `host` names this machine in so many words; nothing is resolved."""
    if host in LOOPBACK_HOSTS:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _unhidden(address: Address) -> Address:
    """Return the IPv4 address inside of an IPv6 one, where there is one."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


def _code(error: HTTPError) -> str:
    if isinstance(error, SSLError):
        return "tls-failed"
    if isinstance(error, ConnectTimeoutError | NewConnectionError):
        return "not-reached"
    if isinstance(error, ReadTimeoutError):
        return "timed-out"
    return "no-answer"


def _verified(
    charter: Charter,
    request: http.UnverifiedRequest,
    status: int,
    fields: list[tuple[str, str]],
    answer: bytes,
) -> http.VerifiedResponse:
    def key_of(sender: str, keyid: str) -> VerifyKey:
        key, member = charter.keys.get(keyid, (None, ""))
        if key is None or member != sender:
            raise errors.KeyUnknown
        return key

    try:
        return http.verify_response(
            status=status, headers=fields, body=answer, request=request, key_of=key_of
        )
    except errors.UnprovenResponse as error:
        raise TransportFailure(error.code, f"status {status}: {error}") from error
