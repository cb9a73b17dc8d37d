"""Cases 1xx: the signature profile both ways.  SPEC HTTP."""

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from node.cli.conformance.caller import HELLO, Answer, Caller, Deviation, said
from node.cli.conformance.cases import Chapter, Run
from protocol import Hello, ProtocolError, SigningKey, errors, http, limits

CHAPTER = Chapter([])
case = CHAPTER.case
INPUT, VALUE = "Signature-Input", "Signature"
Change: TypeAlias = Callable[[dict[str, str]], dict[str, str]]


def greeted(caller: Caller, change: Change | None = None, *, off_s: int = 0) -> Answer:
    """The answer to a hello whose headers were changed after signing."""
    body = caller.hello()
    headers = caller.signed(HELLO, body, off_s=off_s)
    return caller.send(HELLO, headers if change is None else change(headers), body)


@case(101, "a signed hello", "3.2", "a hello of the same charter, signed and bound to the request")
def _hello(caller: Caller) -> None:
    answer = greeted(caller)
    stale = errors.IncarnationStale.code
    if answer.status != 200 and stale in said(answer):
        known = caller.refused(answer, stale).facts.get("incarnation")
        caller.incarnation = known if isinstance(known, int) else caller.incarnation
        answer = greeted(caller)
    try:
        theirs = Hello.parse(caller.accepted(answer))
    except ProtocolError as error:
        raise Deviation(f"a body that is no hello: {error}") from error
    if theirs.charter_digest != caller.charter.digest:
        raise Deviation(f"it holds another charter, of version {theirs.charter_version}")


@case(102, "the same request again", "3.1", "the refusal nonce-reused")
def _replay(caller: Caller) -> None:
    body = caller.hello()
    headers = caller.signed(HELLO, body)
    caller.accepted(caller.send(HELLO, headers, body))
    caller.refused(caller.send(HELLO, headers, body), "nonce-reused")


@case(103, "no signature", "3.3", "the refusal signature-missing, with Accept-Signature")
def _unsigned(caller: Caller) -> None:
    answer = greeted(caller, lambda headers: {"Content-Type": headers["Content-Type"]})
    caller.refused(answer, "signature-missing")
    if http.REQUEST_TAG not in answer.header("Accept-Signature"):
        raise Deviation("no Accept-Signature that names the profile")


@case(104, "a proxy's signature beside ours", "3.1", "a signed hello")
def _proxied(caller: Caller) -> None:
    proxy = ', proxy=("@authority");created=1;keyid="p";alg="hmac-sha256"'
    caller.accepted(
        greeted(
            caller,
            lambda headers: {
                **headers,
                INPUT: headers[INPUT] + proxy,
                VALUE: headers[VALUE] + ", proxy=:AAAA:",
            },
        )
    )


@case(105, "parameters in another order", "3.1", "a signed hello")
def _shuffled(caller: Caller) -> None:
    def change(headers: dict[str, str]) -> dict[str, str]:
        params = headers[INPUT].removeprefix("tasuki=")
        params = re.sub(r"(;created=\d+)(;expires=\d+)", r"\2\1", params)
        value = caller.key.sign(signature_base(caller, headers, params))
        return {
            **headers,
            INPUT: f"tasuki={params}",
            VALUE: f"tasuki=:{b64encode(value).decode()}:",
        }

    caller.accepted(greeted(caller, change))


def signature_base(caller: Caller, headers: dict[str, str], params: str) -> bytes:
    """What the signature of a hello is made of (RFC 9421 2.5), written out a second time."""
    lines = (
        ("@method", "POST"),
        ("@authority", caller.peer.authority),
        ("@path", HELLO),
        ("@query", "?"),
        ("content-type", headers["Content-Type"]),
        ("content-digest", headers["Content-Digest"]),
        ("peer-context", headers["Peer-Context"]),
        ("@signature-params", params),
    )
    return "\n".join(f'"{name}": {value}' for name, value in lines).encode()


@case(106, "a clock 60 s ahead", "3.1", "the refusal clock-skew, signed, with how far it is off")
def _ahead(caller: Caller) -> None:
    facts = caller.refused(greeted(caller, off_s=60), "clock-skew").facts
    skew, time = facts.get("skew_seconds"), facts.get("server_time")
    if not isinstance(time, int) or not isinstance(skew, int) or not 30 < skew <= 60:
        raise Deviation(f"skew_seconds {skew} and server_time {time}")


@case(107, "another epoch", "3.1", "the refusal epoch-mismatch, with its own epoch")
def _epoch(caller: Caller) -> None:
    body = caller.hello()
    later = replace(caller.context, epoch=caller.charter.epoch + 1)
    answer = caller.send(HELLO, caller.signed(HELLO, body, context=later), body)
    if caller.refused(answer, "epoch-mismatch").facts.get("epoch") != caller.charter.epoch:
        raise Deviation("no epoch of its own")


# --- What is refused. ---


def _form(code: str, field: str, old: str, new: str) -> Run:
    """One text in one header replaced; it is no good request any more."""

    def change(headers: dict[str, str]) -> dict[str, str]:
        assert re.search(old, headers[field]), (field, old)
        return {**headers, field: re.sub(old, new, headers[field], count=1)}

    return lambda caller: _refuse(caller, code, greeted(caller, change))


def _context(code: str, **changes: str) -> Run:
    """Another context, signed with our key."""

    def run(caller: Caller) -> None:
        body, context = caller.hello(), replace(caller.context, **changes)  # type: ignore[arg-type]
        answer = caller.send(HELLO, caller.signed(HELLO, body, context=context), body)
        caller.refused(answer, code)

    return run


def _refuse(caller: Caller, code: str, answer: Answer) -> None:
    caller.refused(answer, code)


# Number, what is wrong, code, the header, the text in it that is replaced, and by what.
_FORMS: tuple[tuple[int, str, str, str, str, str], ...] = (
    (111, "another tag", "signature-missing", INPUT, http.REQUEST_TAG, "webhook"),
    (112, "a later version", "protocol-version", INPUT, "peer-req-1", "peer-req-2"),
    (113, "the digest not covered", "signature-coverage", INPUT, ' "content-digest"', ""),
    (114, "the authority not covered", "signature-coverage", INPUT, ' "@authority"', ""),
    (115, "a component too many", "signature-coverage", INPUT, ' "@path"', ' "@path" "date"'),
    (116, "components in another order", "signature-coverage", INPUT, '("@m.*?") ("@a.*?")',
     r"\2 \1"),
    (117, "an algorithm named", "algorithm-not-allowed", INPUT, "$", ';alg="ed25519"'),
    (118, "a nonce of 8 bytes", "nonce", INPUT, 'nonce="[^"]*"', 'nonce="AAAAAAAAAAA"'),
    (119, "no created", "signature-malformed", INPUT, r";created=\d+", ""),
    (120, "a parameter of no meaning", "signature-malformed", INPUT, "$", ";x=1"),
    (121, "63 bytes of signature", "signature-malformed", VALUE, "=:....", "=:"),
    (122, "two labels that differ", "signature-malformed", VALUE, "tasuki=", "sig1="),
    (123, "SHA-512", "digest-unsupported", "Content-Digest", "sha-256", "sha-512"),
    (124, "a context in another writing", "context-malformed", "Peer-Context", ", ", ","),
    (125, "plain text", "media-type", "Content-Type", ".*", "text/plain"),
    (126, "a type with a parameter", "media-type", "Content-Type", "$", "; charset=utf-8"),
)  # fmt: skip
CHAPTER.refusals(
    (number, title, "3.1", code, _form(code, field, old, new))
    for number, title, code, field, old, new in _FORMS
)


@case(127, "a content coding", "3.1", "the refusal media-type")
def _coded(caller: Caller) -> None:
    answer = greeted(caller, lambda headers: {**headers, "Content-Encoding": "gzip"})
    caller.refused(answer, "media-type")


@case(128, "two signatures with the tag", "3.1", "the refusal signature-malformed")
def _two(caller: Caller) -> None:
    def change(headers: dict[str, str]) -> dict[str, str]:
        twice = {
            name: f"{headers[name]}, again={headers[name].removeprefix('tasuki=')}"
            for name in (INPUT, VALUE)
        }
        return {**headers, **twice}

    caller.refused(greeted(caller, change), "signature-malformed")


@case(131, "sent 400 s ago", "3.1", "the refusal signature-expired")
def _expired(caller: Caller) -> None:
    caller.refused(greeted(caller, off_s=-400), "signature-expired")


@case(132, "valid for 301 s", "3.1", "the refusal signature-malformed")
def _long(caller: Caller) -> None:
    def change(headers: dict[str, str]) -> dict[str, str]:
        created = int(re.findall(r"created=(\d+)", headers[INPUT])[0])
        late = created + limits.SIGNATURE_LIFETIME_S_MAX + 1
        return {**headers, INPUT: re.sub(r"expires=\d+", f"expires={late}", headers[INPUT])}

    caller.refused(greeted(caller, change), "signature-malformed")


CHAPTER.refusals(
    (number, title, "3.1", code, _context(code, **changes))
    for number, title, code, changes in (
        (133, "for another member", "misdirected", {"recipient": "somebody-else"}),
        (134, "of another alliance", "misdirected", {"alliance": "another-one"}),
        (135, "by no member", "not-a-member", {"sender": "somebody-else"}),
    )
)


@case(136, "another key", "3.1", "the refusal key-unknown")
def _stranger(caller: Caller) -> None:
    body = caller.hello()
    headers = caller.signed(HELLO, body, key=SigningKey.generate())
    caller.refused(caller.send(HELLO, headers, body), "key-unknown")


@case(137, "our key id, signed with another key", "3.1", "the refusal signature-invalid")
def _forged(caller: Caller) -> None:
    body, key = caller.hello(), SigningKey.generate()
    headers = caller.signed(HELLO, body, key=key)
    headers[INPUT] = headers[INPUT].replace(key.keyid, caller.key.keyid)
    caller.refused(caller.send(HELLO, headers, body), "signature-invalid")


@case(138, "the context changed after signing", "3.1", "the refusal signature-invalid")
def _changed(caller: Caller) -> None:
    epoch = caller.charter.epoch
    _form("signature-invalid", "Peer-Context", f"epoch={epoch}", f"epoch={epoch + 1}")(caller)


@case(139, "another body than was signed", "3.1", "the refusal digest-mismatch")
def _other_body(caller: Caller) -> None:
    headers = caller.signed(HELLO, caller.hello())
    caller.refused(caller.send(HELLO, headers, b"{}"), "digest-mismatch")
