"""The way in: the public address, its certificate, the proxy, and a signature there and back.

A signed request goes out under the public address and comes back to this node as any peer's would.
It carries an empty body, which the node must refuse: the signed refusal proves that path, headers,
body, key and clock survive the way, and nothing is changed by it.
"""

import socket
import ssl
from urllib.parse import urlsplit

from node.cli.doctor.alliance import ADVICE, Visit, call
from node.cli.doctor.findings import OK, WARNING, WRONG, Finding
from node.config import Settings
from node.config_values import DEFAULT_PORTS
from node.transport import is_loopback
from protocol import errors

TIMEOUT_S = 5
CERTIFICATE_SOON_DAYS = 14
DAY_S = 86_400


def look(settings: Settings, visit: Visit) -> list[Finding]:
    """Name, certificate, proxy, signature; the first that is wrong hides what builds on it."""
    parts = urlsplit(settings.public_url)
    host, port = parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]
    findings = [_name(host, port)]
    if findings[-1].state == WRONG:
        return findings
    if parts.scheme == "https":
        findings.append(_certificate(settings, visit, host, port))
        if findings[-1].state == WRONG:
            return findings
    findings.append(_proxy(settings, parts.scheme, host, port))
    if visit.charter is not None and visit.charter.by_id.get(visit.node.context.member_id):
        findings.append(_round_trip(settings, visit))
    return findings


def _name(host: str, port: int) -> Finding:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        advice = "Enter it with your DNS provider, or correct TASUKI_PUBLIC_URL."
        return Finding("address", WRONG, f"the name server does not know {host}", advice)
    addresses = sorted({str(place[0]) for *_, place in found})
    return Finding("address", OK, f"{host} is {', '.join(addresses)}")


def _certificate(settings: Settings, visit: Visit, host: str, port: int) -> Finding:
    context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
    try:
        with (
            socket.create_connection((host, port), timeout=TIMEOUT_S) as raw,
            context.wrap_socket(raw, server_hostname=host) as tls,
        ):
            certificate = tls.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        advice = "Renew it with the whole chain. A private issuer goes into TASUKI_CA_FILE."
        return Finding("tls", WRONG, f"the certificate is refused: {error.verify_message}", advice)
    except OSError as error:
        advice = "Start the proxy and let the firewall pass its port."
        text = f"nobody speaks TLS on {host}:{port} ({type(error).__name__})"
        return Finding("tls", WRONG, text, advice)
    ends_at = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    days = (ends_at - visit.node.clock.now()) // DAY_S
    text = f"the certificate is good for {days} days"
    if days < CERTIFICATE_SOON_DAYS:
        return Finding("tls", WARNING, text, "Renew it; see whether the renewal still runs.")
    return Finding("tls", OK, text)


def _proxy(settings: Settings, scheme: str, host: str, port: int) -> Finding:
    listening, at = settings.listen
    if scheme == "http":
        text = f"{settings.public_url} has no TLS and no proxy: good on one machine only"
        return Finding("proxy", WARNING, text, "See deploy/README.md, section 2.")
    if port == at and not is_loopback(listening):
        text = "the node listens on the public port itself"
        advice = "Put nginx or Caddy before it (deploy/proxy/), and listen on 127.0.0.1."
        return Finding("proxy", WRONG, text, advice)
    if not is_loopback(listening):
        text = f"the node listens on {listening}:{at}, past the proxy"
        advice = "Set TASUKI_LISTEN to 127.0.0.1, unless the proxy is another machine."
        return Finding("proxy", WARNING, text, advice)
    return Finding("proxy", OK, f"the node listens on {listening}:{at} only, behind {host}")


def _round_trip(settings: Settings, visit: Visit) -> Finding:
    assert visit.charter is not None
    code, _ = call(visit, visit.charter, visit.node.context.member_id, b"{}")
    # The empty body is what it should stumble over, after everything else was found right.
    if code == errors.DocumentInvalid.code:
        text = f"a signed request through {settings.public_url} came back proven"
        return Finding("signature", OK, text)
    if code == "not-reached":
        text = f"nobody answers at {settings.public_url}"
        return Finding("signature", WRONG, text, "Start the node and its proxy, then look again.")
    advice = ADVICE.get(code, "Look for this code in the node's log.")
    return Finding("signature", WRONG, f"through {settings.public_url}: {code}", advice)
