"""Verifying a signed request of 2 KB: ours, the general library, and the bare primitives."""

import hashlib
import time
from collections.abc import Iterator

from protocol import http
from tests.benchmarks.registry import Figure, benchmark
from tests.benchmarks.timing import best_us
from tests.protocol import oracle
from tests.protocol.cast import SIGNING, parsed, request_headers, verified

BODY = b'{"text":"' + b"x" * 2000 + b'"}'
# What a proxy and an HTTP library put beside the fields of the profile.
AROUND = {
    "Host": "biwa.example",
    "User-Agent": "tasuki",
    "Accept-Encoding": "identity",
    "Content-Length": str(len(BODY)),
    "X-Forwarded-For": "192.0.2.1",
    "X-Request-Id": "0123456789abcdef",
}


@benchmark("signed-request")
def verifying_a_request() -> Iterator[Figure]:
    now = int(time.time())
    headers = {**AROUND, **request_headers(BODY, created=now)}
    request = oracle.Request(headers)
    key = SIGNING["aoba"]
    signature = key.sign(BODY)

    def floor() -> None:
        key.verify_key.verify(BODY, signature)
        hashlib.sha256(BODY).digest()

    ours, library, bare = best_us(
        lambda: verified(parsed(headers, BODY), now),
        lambda: oracle.verify(request, BODY, oracle.REQUEST, http.REQUEST_TAG),
        floor,
        rounds=30,
        calls=20,
    )
    yield Figure("ours", ours, "us")
    yield Figure("http-message-signatures", library, "us")
    yield Figure("one Ed25519 verification and SHA-256", bare, "us")
    yield Figure("faster than the library", library / ours, "times", at_least=4)
    yield Figure("against the floor", ours / bare, "times", at_most=2)
