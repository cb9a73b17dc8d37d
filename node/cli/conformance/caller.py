"""Who speaks in the conformance kit: one member, to one peer, well or in a way that is wrong.

Not the node's own transport: that cannot say anything wrong. An answer is taken as it comes, and is
proven to be the peer's where the protocol says that it must be.  SPEC HTTP.
"""

import os
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from node.clock import Clock
from protocol import (
    FIRST_INCARNATION,
    Charter,
    Hello,
    Member,
    Order,
    ProtocolError,
    Signed,
    SigningKey,
    VerifyKey,
    errors,
    http,
    limits,
    problems,
)

HELLO = "/peer/v1/hello"
TIMEOUT_S = 30
# A kit asks faster than any member has reason to.
PATIENCE_S = 1
PATIENCE_TRIES = 5
# What was not read is not answered with a signature; and whoever answers a request for another
# cannot prove to be that one.
UNPROVEN = frozenset({errors.NotFound.code, errors.TooLarge.code, errors.Misdirected.code})
# Whoever answers more than this to anything breaks a limit already.
READ_BYTES_MAX = limits.PEER_RESPONSE_BYTES_MAX + 1

Headers = dict[str, str] | list[tuple[str, str]]


class Deviation(Exception):
    """What the peer did instead of what the case expects."""


class NotApplicable(Exception):
    """Why the case says nothing about this peer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `request` is ours, as the peer can read it; None: it cannot."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    request: http.UnverifiedRequest | None

    def header(self, name: str) -> str:
        """A header's value, or nothing."""
        return next((value for each, value in self.headers if each.lower() == name.lower()), "")


@dataclass
class Caller:
    """A member, its key, and the peer that is tried."""

    charter: Charter
    us: str
    peer: Member
    key: SigningKey = field(repr=False)
    clock: Clock
    ca_file: Path | None = None
    release: str = "conformance"
    # Which life of ours the peer knows; it names a later one when it refuses an earlier.
    incarnation: int = FIRST_INCARNATION
    # The order that the peer was made to vote for, where the account may be spent.
    spent: Signed[Order] | None = None

    @property
    def context(self) -> http.Context:
        return http.Context(self.charter.alliance, self.charter.epoch, self.us, self.peer.id)

    def hello(self) -> bytes:
        """A good hello."""
        return Hello(
            charter_version=self.charter.version,
            charter_digest=self.charter.digest,
            incarnation=self.incarnation,
            release=self.release,
            time=self.clock.now(),
        ).encode()

    def signed(
        self,
        path: str,
        body: bytes,
        *,
        off_s: int = 0,
        context: http.Context | None = None,
        key: SigningKey | None = None,
    ) -> dict[str, str]:
        """The headers of a signed request."""
        return http.sign_request(
            authority=self.peer.authority,
            path=path,
            body=body,
            context=context or self.context,
            key=key or self.key,
            created=self.clock.now() + off_s,
            nonce=os.urandom(limits.NONCE_BYTES),
        )

    def call(self, path: str, body: bytes) -> Answer:
        """A good request, whatever its body is; a peer that asks for patience gets it."""
        answer = self.send(path, self.signed(path, body), body)
        for _ in range(PATIENCE_TRIES):
            if answer.status != errors.RateLimited.status:
                break
            time.sleep(PATIENCE_S)
            answer = self.send(path, self.signed(path, body), body)
        return answer

    def send(self, path: str, headers: Headers, body: bytes, *, method: str = "POST") -> Answer:
        """Send exactly this; Deviation when nothing comes back."""
        pairs = list(headers.items()) if isinstance(headers, dict) else headers
        try:
            status, fields, content = self._exchange(method, path, pairs, body)
        except (OSError, HTTPException) as error:
            raise Deviation(f"no answer: {type(error).__name__} {error}".rstrip()) from error
        request = None
        # What is meant to be wrong cannot be read, and nobody has to bind an answer to it.
        with suppress(ProtocolError):
            request = http.parse_request(
                method=method,
                authority=self.peer.authority,
                raw_path=path,
                headers=pairs,
                body=body,
            )
        return Answer(status, fields, content, request)

    def _exchange(
        self, method: str, path: str, headers: list[tuple[str, str]], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = self._connection()
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in (("Host", self.peer.authority), *headers):
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read(READ_BYTES_MAX)
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        parts = urlsplit(self.peer.url)
        host = parts.hostname or ""
        if parts.scheme == "http":
            return HTTPConnection(host, parts.port, timeout=TIMEOUT_S)
        trusted = ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
        return HTTPSConnection(host, parts.port, timeout=TIMEOUT_S, context=trusted)

    # --- What an answer must be. ---

    def proven(self, answer: Answer) -> http.VerifiedResponse:
        """The answer, signed by the peer and bound to our request; Deviation otherwise."""
        if answer.request is None:
            raise Deviation(f"status {answer.status} to what cannot be answered")
        try:
            return http.verify_response(
                status=answer.status,
                headers=answer.headers,
                body=answer.body,
                request=answer.request,
                key_of=self._key_of,
            )
        except errors.UnprovenResponse as error:
            raise Deviation(f"status {answer.status}, not provably its answer: {error}") from error

    def _key_of(self, sender: str, keyid: str) -> VerifyKey:
        key, member = self.charter.keys.get(keyid, (None, ""))
        if key is None or member != sender:
            raise errors.KeyUnknown
        return key

    def accepted(self, answer: Answer) -> bytes:
        """The body of a proven 200; Deviation otherwise."""
        self.proven(answer)
        if answer.status != 200:
            raise Deviation(said(answer))
        return answer.body

    def refused(self, answer: Answer, *codes: str) -> problems.Problem:
        """The refusal, if it has one of these codes and the form of one; Deviation otherwise.

        It is to be signed wherever the request could be read.
        """
        try:
            problem = problems.parse_problem(answer.body)
        except ProtocolError:
            raise Deviation(said(answer)) from None
        if problem.code not in codes:
            raise Deviation(said(answer))
        known = errors.by_code(problem.code)
        status = known.status if known else problem.status
        if not answer.status == problem.status == status:
            raise Deviation(f"{said(answer)}, and {problem.code} has the status {status}")
        if answer.header("Content-Type") != http.PROBLEM_TYPE:
            raise Deviation(f"{said(answer)} as {answer.header('Content-Type') or 'no type'}")
        if answer.request is not None and problem.code not in UNPROVEN:
            self.proven(answer)
        return problem


def said(answer: Answer) -> str:
    """An answer in a few words."""
    try:
        return f"{answer.status} {problems.parse_problem(answer.body).code}"
    except ProtocolError:
        return f"{answer.status} with {len(answer.body)} bytes"
