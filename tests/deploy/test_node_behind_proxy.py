"""A real node, started by `tasuki serve`, behind nginx with the shipped configuration."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from protocol import Charter, Hello, errors, http, problems
from tests.equipment import proxy
from tests.equipment.federation import Federation, founded
from tests.equipment.proxy import Answer, Client

HELLO = "/peer/v1/hello"

pytestmark = [
    pytest.mark.nginx,
    pytest.mark.federation,
    pytest.mark.skipif(proxy.nginx() is None, reason="no nginx: apt-get install nginx"),
]


@dataclass(frozen=True)
class Street:
    """biwa's node behind its proxy, and aoba, which calls it."""

    alliance: Federation
    client: Client

    @property
    def charter(self) -> Charter:
        return self.alliance.charter

    def headers(self, body: bytes) -> dict[str, str]:
        """What aoba's signature adds to a request."""
        return http.sign_request(
            authority=proxy.NAME,
            path=HELLO,
            body=body,
            context=http.Context(self.charter.alliance, 1, "aoba", "biwa"),
            key=self.alliance["aoba"].node.keyring.signing,
            created=int(time.time()),
            nonce=os.urandom(16),
        )

    def proven(self, headers: dict[str, str], body: bytes, answer: Answer) -> bytes:
        """The body of the answer, proven to be biwa's; raises when it is not."""
        asked = http.parse_request(
            method="POST", authority=proxy.NAME, raw_path=HELLO, headers=headers, body=body
        )
        verified = http.verify_response(
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            request=asked,
            key_of=lambda member, keyid: self.charter.member(member).verify_key,
        )
        return verified.body


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    folder = tmp_path_factory.mktemp("street")
    public = {"biwa": f"https://{proxy.NAME}"}
    with founded(folder / "nodes", members=("aoba", "biwa"), public_urls=public) as alliance:
        alliance["biwa"].start()
        (folder / "nginx").mkdir()
        with proxy.in_front_of(alliance["biwa"].port, folder / "nginx") as port:
            yield Street(alliance, Client(port, proxy.trust(folder / "nginx")))


def hello_of(street: Street) -> Hello:
    return Hello(1, street.charter.digest, 0, "tasuki test", int(time.time()))


def test_a_signed_request_of_a_peer_verifies_behind_nginx(street: Street) -> None:
    body = hello_of(street).encode()
    headers = street.headers(body)
    answer = street.client.post(HELLO, headers, body)
    assert answer.status == 200, answer.body
    theirs = Hello.parse(street.proven(headers, body, answer))
    assert theirs.charter_digest == street.charter.digest
    assert abs(theirs.time - time.time()) < 30


def test_the_same_request_sent_twice_is_refused_with_a_signature(street: Street) -> None:
    body = hello_of(street).encode()
    headers = street.headers(body)
    assert street.client.post(HELLO, headers, body).status == 200
    again = street.client.post(HELLO, headers, body)
    refusal = problems.parse_problem(street.proven(headers, body, again))
    assert refusal.code == errors.NonceReused.code


def test_a_body_changed_on_the_way_is_refused(street: Street) -> None:
    body = hello_of(street).encode()
    answer = street.client.post(HELLO, street.headers(body), body.replace(b"test", b"tesT"))
    assert problems.parse_problem(answer.body).code == errors.DigestMismatch.code


def test_pages_come_with_cookies_for_this_host_alone(street: Street) -> None:
    answer = street.client.ask("GET", "/sign-in")
    assert answer.status == 200
    assert "<form" in answer.body.decode()
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-")
    assert "Secure" in cookie
    assert answer.headers["Strict-Transport-Security"]
