"""A signed request and its signed answer survive nginx and gunicorn, byte for byte."""

import secrets
import time
from collections.abc import Iterator

import pytest

from protocol import SigningKey, errors, http
from tests.equipment import proxy
from tests.equipment.proxy import Client

SEEDS = {"aoba": bytes(range(32)), "biwa": bytes(range(1, 33))}
KEYS = {member: SigningKey.from_seed(seed) for member, seed in SEEDS.items()}
THERE = http.Context(alliance="minato", epoch=1, sender="aoba", recipient="biwa")
PATH = "/peer/v1/envelopes"
# biwa's side: what a node does with a request, and nothing else of a node.
VERIFIER = f"""
import time
from protocol import SigningKey, errors, http

KEYS = {{member: SigningKey.from_seed(seed) for member, seed in {SEEDS!r}.items()}}
BACK = http.Context(alliance="minato", epoch=1, sender="biwa", recipient="aoba")

def app(environ, start_response):
    body = environ["wsgi.input"].read()
    headers = {{name[5:].replace("_", "-"): value for name, value in environ.items()
               if name.startswith("HTTP_")}} | {{"Content-Type": environ.get("CONTENT_TYPE", "")}}
    try:
        request = http.parse_request(method=environ["REQUEST_METHOD"], authority={proxy.NAME!r},
            raw_path=environ["RAW_URI"], headers=headers, body=body)
        verified = http.verify_request(request, now=int(time.time()), authority={proxy.NAME!r},
            alliance="minato", us="biwa", key_of=lambda member, keyid: KEYS[member].verify_key)
    except errors.ProtocolError as refusal:
        start_response(f"{{refusal.status}} Refused", [("Content-Type", "text/plain")])
        return [refusal.code.encode()]
    answer = b'{{"ok":true}}'
    fields = http.sign_response(status=200, body=answer, content_type=http.JSON_TYPE,
        request=verified, context=BACK, key=KEYS["biwa"], created=int(time.time()))
    start_response("200 OK", list(fields.items()))
    return [answer]
"""

pytestmark = [
    pytest.mark.nginx,
    pytest.mark.skipif(proxy.nginx() is None, reason="no nginx: apt-get install nginx"),
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("proxy")
    with proxy.served(VERIFIER, folder) as node, proxy.in_front_of(node, folder) as port:
        yield Client(port, proxy.trust(folder))


def signed(body: bytes) -> dict[str, str]:
    return http.sign_request(
        authority=proxy.NAME,
        path=PATH,
        body=body,
        context=THERE,
        key=KEYS["aoba"],
        created=int(time.time()),
        nonce=secrets.token_bytes(16),
    )


def test_a_signed_request_and_its_answer_verify_behind_nginx(client: Client) -> None:
    body = b'{"text":"' + b"x" * 100_000 + b'"}'
    headers = signed(body)
    answer = client.post(PATH, headers, body)
    assert answer.status == 200, answer.body

    ours = http.parse_request(
        method="POST", authority=proxy.NAME, raw_path=PATH, headers=headers, body=body
    )
    proven = http.verify_response(
        status=answer.status,
        headers=answer.headers,
        body=answer.body,
        request=ours,
        key_of=lambda member, keyid: KEYS[member].verify_key,
    )
    assert proven.body == b'{"ok":true}'


def test_another_spelling_of_the_path_is_refused_behind_nginx(client: Client) -> None:
    for spelling in ("//peer/v1/envelopes", "/peer/v1/%65nvelopes", "/peer/v1/envelopes?"):
        answer = client.post(spelling, signed(b"{}"), b"{}")
        assert (answer.status, answer.body) == refusal(errors.PathNotCanonical), spelling


def test_a_body_changed_on_the_way_is_refused_behind_nginx(client: Client) -> None:
    answer = client.post(PATH, signed(b'{"a":1}'), b'{"a":2}')
    assert (answer.status, answer.body) == refusal(errors.DigestMismatch)


def test_a_request_for_somebody_else_is_refused_behind_nginx(client: Client) -> None:
    headers = signed(b"{}")
    headers["Peer-Context"] = headers["Peer-Context"].replace('to="biwa"', 'to="seeds"')
    answer = client.post(PATH, headers, b"{}")
    assert (answer.status, answer.body) == refusal(errors.Misdirected)


def refusal(kind: type[errors.ProtocolError]) -> tuple[int, bytes]:
    return kind.status, kind.code.encode()
