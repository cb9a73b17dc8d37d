"""The shipped nginx configuration: valid, keeps the signed path, forgets private links."""

import http.client
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.equipment import proxy

TOKEN = "kK4-a-private-link-token"
# Says which path arrived, byte for byte, and what the proxy told about the client.
ECHO = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    length = len(environ["wsgi.input"].read())
    said = (environ["RAW_URI"], environ["wsgi.url_scheme"], environ["HTTP_X_FORWARDED_FOR"])
    return [" ".join((*said, str(length))).encode()]
"""

pytestmark = [
    pytest.mark.nginx,
    pytest.mark.skipif(proxy.nginx() is None, reason="no nginx: apt-get install nginx"),
]


def connect(port: int, folder: Path) -> ssl.SSLSocket:
    raw = socket.create_connection(("127.0.0.1", port), timeout=15)
    return proxy.trust(folder).wrap_socket(raw, server_hostname=proxy.NAME)


def ask(port: int, folder: Path, target: str, *, body: bytes = b"") -> tuple[int, str]:
    """One request whose target is sent as it stands; clients like to tidy it."""
    head = (
        f"POST {target} HTTP/1.1\r\nHost: {proxy.NAME}\r\nX-Forwarded-For: 192.0.2.66\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with connect(port, folder) as connection:
        connection.sendall(head.encode() + body)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, answer.read().decode()


def test_nginx_finds_the_shipped_configuration_valid(tmp_path: Path) -> None:
    program = proxy.nginx()
    assert program is not None
    ports = {"node_port": 8080, "https_port": 8443, "http_port": 8081}
    main = proxy.configure(tmp_path, **ports)
    checked = subprocess.run(
        [program, "-t", "-p", tmp_path, "-c", main], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr


@pytest.mark.parametrize(
    "target",
    ["/peer/v1/envelopes", "//peer/v1/envelopes", "/peer/../peer/v1/pull", "/a%2Fb/..?x=%20+%41"],
)
def test_the_node_gets_the_path_as_it_was_signed(tmp_path: Path, target: str) -> None:
    with proxy.served(ECHO, tmp_path) as node, proxy.in_front_of(node, tmp_path) as port:
        assert ask(port, tmp_path, target, body=b"12345") == (200, f"{target} https 127.0.0.1 5")


def test_no_log_keeps_a_private_link_even_when_the_node_is_down(tmp_path: Path) -> None:
    nobody = proxy.free_port()
    with proxy.in_front_of(nobody, tmp_path) as port:
        for target in (f"/l/{TOKEN}", f"/s/{TOKEN}?x=1", f"//l/{TOKEN}", f"/%6c/{TOKEN}"):
            assert ask(port, tmp_path, target)[0] == 502
        assert ask(port, tmp_path, "/points")[0] == 502
    logs = (tmp_path / "access.log").read_text() + (tmp_path / "error.log").read_text()
    assert "/points" in logs, "the log should say what else was asked"
    assert TOKEN not in logs, "whoever reads a log must not be able to open somebody's page"


def test_a_body_over_the_limit_is_refused_before_the_node_sees_it(tmp_path: Path) -> None:
    with proxy.served(ECHO, tmp_path) as node, proxy.in_front_of(node, tmp_path) as port:
        assert ask(port, tmp_path, "/peer/v1/envelopes", body=bytes(8 * 1024 * 1024))[0] == 200
        head = f"POST / HTTP/1.1\r\nHost: {proxy.NAME}\r\nContent-Length: {8 * 1024 * 1024 + 1}"
        with connect(port, tmp_path) as connection:
            connection.sendall(head.encode() + b"\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_client_that_dawdles_is_dropped_after_five_seconds(tmp_path: Path) -> None:
    with (
        proxy.in_front_of(proxy.free_port(), tmp_path) as port,
        connect(port, tmp_path) as connection,
    ):
        connection.sendall(b"POST / HTTP/1.1\r\nHost:")
        connection.settimeout(9)
        assert connection.recv(100) == b"", "nginx should have closed the connection"
