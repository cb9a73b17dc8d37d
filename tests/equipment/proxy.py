"""A real nginx with the shipped configuration, in front of whatever listens on a port."""

import datetime
import getpass
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.equipment.source import ROOT

SHIPPED = ROOT / "deploy" / "proxy"
NAME = "tasuki.aoba.example"
START_TIMEOUT_S = 60  # a first start compiles every module, on a machine that does other things


def nginx() -> str | None:
    """nginx lies in /usr/sbin, which is not on everybody's PATH."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port: int = bound.getsockname()[1]
        return port


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for the shipped example's name, good for a day, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    today = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName(NAME)])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(hours=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / "fullchain.pem", folder / "privkey.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return chain, private


def trust(folder: Path) -> ssl.SSLContext:
    """What a client needs to believe the certificate of the nginx that keeps its files here."""
    context = ssl.create_default_context(cafile=str(folder / "fullchain.pem"))
    # A certificate that signed itself has no issuer to name.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def configure(folder: Path, *, node_port: int, https_port: int, http_port: int) -> Path:
    """The shipped files, with paths and ports of this test; every replacement must be needed."""
    chain, private = self_signed(folder)
    text = (SHIPPED / "nginx.conf").read_text(encoding="utf-8")
    changes = {
        "/etc/nginx/tasuki-proxy.conf": str(SHIPPED / "nginx-proxy.conf"),
        "/etc/ssl/tasuki/fullchain.pem": str(chain),
        "/etc/ssl/tasuki/privkey.pem": str(private),
        "/var/log/nginx/tasuki.log": str(folder / "access.log"),
        "server 127.0.0.1:8080;": f"server 127.0.0.1:{node_port};",
        "listen 443 ssl;": f"listen 127.0.0.1:{https_port} ssl;",
        "listen 80;": f"listen 127.0.0.1:{http_port};",
    }
    for shipped, ours in changes.items():
        assert shipped in text, f"nginx.conf no longer says {shipped!r}"
        text = text.replace(shipped, ours)
    (folder / "tasuki.conf").write_text(text, encoding="utf-8")
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if getpass.getuser() == "root" else ""
    main = folder / "nginx.conf"
    main.write_text(
        f"{user}daemon off;\nworker_processes 1;\npid {folder}/pid;\n"
        f"error_log {folder}/error.log info;\nevents {{}}\n"
        f"http {{\n{temporary}include {folder}/tasuki.conf;\n}}\n",
        encoding="utf-8",
    )
    return main


@contextmanager
def in_front_of(node_port: int, folder: Path) -> Iterator[int]:
    """Run nginx before a node; the port to speak TLS to."""
    program, https_port = nginx(), free_port()
    assert program is not None
    main = configure(folder, node_port=node_port, https_port=https_port, http_port=free_port())
    with subprocess.Popen([program, "-p", folder, "-c", main]) as process:
        try:
            wait_for_port(https_port)
            yield https_port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


@dataclass(frozen=True)
class Answer:
    """What came back through the proxy."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Client:
    """Somebody who speaks TLS to the proxy, under the name of the shipped example."""

    port: int
    trusted: ssl.SSLContext

    def post(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        return self.ask("POST", path, headers, body)

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        pool = urllib3.HTTPSConnectionPool(
            "127.0.0.1",
            self.port,
            ssl_context=self.trusted,
            server_hostname=NAME,
            assert_hostname=NAME,
            retries=False,
        )
        with pool:
            named = {**(headers or {}), "Host": NAME}
            answer = pool.urlopen(method, path, body=body, headers=named, timeout=15)
            return Answer(answer.status, dict(answer.headers), answer.data)


@contextmanager
def served(program: str, folder: Path) -> Iterator[int]:
    """Run a WSGI program, whose function is `app`, under gunicorn as a node is run; its port."""
    (folder / "program.py").write_text(program, encoding="utf-8")
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--chdir", folder]
    command += ["--worker-class", "gthread", "--bind", f"127.0.0.1:{port}", "program:app"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for_port(port)
            yield port
        finally:
            server.terminate()
            server.wait()


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, f"nothing listens on {port}"
            time.sleep(0.02)
        else:
            return
