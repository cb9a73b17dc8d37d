"""A peer that misbehaves in one way that has a name: a real node behind a server that changes it.

The node answers as it should. Then the fault looks at the answer and may put another in its place,
signed with the node's own key, so that nothing but the fault is wrong.
"""

import io
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from werkzeug.datastructures import Headers
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request

from node.app import create_app
from node.installation import Node
from protocol import (
    VOTE,
    OrderRequest,
    ProtocolError,
    PullAnswer,
    SignedDocument,
    SigningKey,
    cast_vote,
    encode_vote,
    envelope,
    http,
    sign,
    strictjson,
    verify_order,
)
from protocol.documents.ledger import Order

JSON: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Said:
    """What was asked, and what the node answered. `request` is None where it could not be read."""

    node: Node
    path: str
    asked: bytes
    request: http.UnverifiedRequest | None
    status: int
    headers: dict[str, str]
    body: bytes
    memory: dict[str, bytes] = field(default_factory=dict)

    @property
    def code(self) -> str:
        if self.status == 200:
            return ""
        return str(json.loads(self.body).get("code"))

    @property
    def fields(self) -> JSON:
        return json.loads(self.body)

    def instead(self, status: int, body: bytes, **signing: object) -> "Said":
        """Another answer, as well signed as the node's own."""
        assert self.request is not None
        context = self.request.context
        arguments: dict[str, object] = {
            "status": status,
            "body": body,
            "content_type": http.JSON_TYPE if status == 200 else http.PROBLEM_TYPE,
            "request": self.request,
            "context": http.Context(
                context.alliance, context.epoch, self.node.context.member_id, context.sender
            ),
            "key": self.node.keyring.signing,
            "created": self.node.clock.now(),
            **signing,
        }
        headers = http.sign_response(**arguments)  # type: ignore[arg-type]
        return replace(self, status=status, body=body, headers={**self.headers, **headers})

    def saying(self, **changes: object) -> "Said":
        """The same answer with fields changed, signed."""
        return self.instead(self.status, strictjson.encode({**self.fields, **changes}))


Fault: TypeAlias = Callable[[Said], Said]


# --- The faults, each by its name, with the cases that must show it. ---


def unsigned(said: Said) -> Said:
    gone = {"Signature", "Signature-Input"}
    kept = {name: value for name, value in said.headers.items() if name not in gone}
    is_hello = said.path.endswith("/hello") and said.status == 200
    return replace(said, headers=kept) if is_hello else said


def signed_by_another(said: Said) -> Said:
    if said.path.endswith("/hello") and said.status == 200:
        return said.instead(200, said.body, key=SigningKey.generate())
    return said


def forgets_nonces(said: Said) -> Said:
    if said.code == "nonce-reused":
        return said.instead(200, said.memory["hello"])
    if said.status == 200 and said.path.endswith("/hello"):
        said.memory["hello"] = said.body
    return said


def accepts(code: str, path: str) -> Fault:
    """Answers as if nothing were wrong where the node refuses with this code."""

    def fault(said: Said) -> Said:
        if said.code != code or said.request is None or not said.path.endswith(path):
            return said
        return said.instead(200, b"{}")

    return fault


def renames(code: str, other: str) -> Fault:
    """Says another code than the protocol's."""
    return lambda said: said.saying(code=other) if said.request and said.code == code else said


def other_status(said: Said) -> Said:
    return said.instead(403, said.body) if said.code == "envelope-conflict" else said


def silent_clock(said: Said) -> Said:
    if said.code != "clock-skew":
        return said
    fields = {name: value for name, value in said.fields.items() if name != "skew_seconds"}
    return said.instead(said.status, strictjson.encode(fields))


def talks_to_strangers(said: Said) -> Said:
    if said.code != "not-a-member":
        return said
    return said.saying(detail="aoba, biwa and seeds are members")


def new_receipts(said: Said) -> Said:
    if said.status != 200 or not said.path.endswith("/envelopes"):
        return said
    said.memory["count"] = said.memory.get("count", b"") + b"x"
    sealed = envelope.parse(said.asked)
    receipt = envelope.make_receipt(
        sealed,
        received_at=len(said.memory["count"]),
        incarnation=1,
        key=said.node.keyring.signing,
    )
    return said.instead(200, receipt.encode())


def receipts_for_others(said: Said) -> Said:
    if said.status != 200 or not said.path.endswith("/envelopes"):
        return said
    payload = json.loads(SignedDocument.parse(said.body).payload)
    changed = strictjson.encode({**payload, "digest": "A" * 43})
    return said.instead(200, sign("receipt", changed, said.node.keyring.signing).encode())


def forgets_state(said: Said) -> Said:
    if said.status != 200 or not said.path.endswith("/pull"):
        return said
    answer = PullAnswer.parse(said.body)
    return said.instead(200, replace(answer, state=bytes(32)).encode())


def always_more(said: Said) -> Said:
    if said.status != 200 or not said.path.endswith("/pull"):
        return said
    return said.instead(200, replace(PullAnswer.parse(said.body), more=True).encode())


def needs_nothing(said: Said) -> Said:
    if said.status != 200 or "need" not in said.fields:
        return said
    return said.instead(200, b'{"need":{},"outcome":"need"}')


def votes_for_everything(said: Said) -> Said:
    if said.code != "double-spend":
        return said
    vote = _vote(said)
    return said.instead(200, b'{"outcome":"vote","vote":%b}' % vote.encode())


def votes_for_another(said: Said) -> Said:
    if said.status != 200 or "vote" not in said.fields:
        return said
    asked = OrderRequest.parse(said.asked).order
    payload = encode_vote(Order.parse(asked.payload), bytes(32))
    vote = sign(VOTE, payload, said.node.keyring.signing)
    return said.instead(200, b'{"outcome":"vote","vote":%b}' % vote.encode())


def _vote(said: Said) -> SignedDocument:
    with said.node.database.reading() as session:
        charter = said.node.context.charter(session)
    order = verify_order(OrderRequest.parse(said.asked).order, charter)
    return cast_vote(order, said.node.keyring.signing)


FAULTS: dict[str, tuple[Fault, set[int]]] = {
    "answers a hello without a signature": (unsigned, {101, 102, 104, 105}),
    "signs with another key": (signed_by_another, {101, 102, 104, 105}),
    "takes a request twice": (forgets_nonces, {102}),
    "takes any clock": (accepts("clock-skew", ""), {106}),
    "does not say how far a clock is off": (silent_clock, {106}),
    "takes what has expired": (accepts("signature-expired", ""), {131}),
    "takes a forged signature": (accepts("signature-invalid", "/hello"), {137, 138}),
    "takes any key": (accepts("key-unknown", "/hello"), {136}),
    "does not look at the body's digest": (accepts("digest-mismatch", ""), {139}),
    "tells a stranger who is a member": (talks_to_strangers, {231}),
    "takes JSON with two readings": (
        accepts("json-not-strict", "/hello"),
        {211, 212, 213, 214, 215},
    ),
    "takes any depth": (accepts("json-depth", "/hello"), {218}),
    "says a code of its own": (renames("epoch-mismatch", "wrong-epoch"), {107, 223, 322, 414, 421,
                                                                         513, 613}),
    "gives a new receipt each time": (new_receipts, {302}),
    "gives receipts for other bytes": (receipts_for_others, {301, 302, 303, 304, 336}),
    "says a conflict with another status": (other_status, {303, 304}),
    "takes an envelope of another sender": (accepts("sender-mismatch", "/envelopes"), {311}),
    "says that it opened what it cannot": (
        accepts("cannot-decrypt", ""),
        {319, 320, 321, 323, 324, 325},
    ),
    "takes a letter that a stranger signed": (accepts("key-unknown", "/envelopes"), {332}),
    "takes a certificate without a quorum": (accepts("certificate-invalid", "/certificates"),
                                             {432}),
    "needs nothing before an order": (needs_nothing, {401, 704}),
    "shows another state than its ledger's": (forgets_state, {502}),
    "always has more": (always_more, {501, 502, 503}),
    "votes for two orders in one place": (votes_for_everything, {714}),
    "votes for what it was not asked": (votes_for_another, {711, 712}),
    "goes over an account's limit": (accepts("limit", ""), {701}),
    "takes a fence of another's account": (accepts("sender-mismatch", "/fences"), {611}),
    "stops for a draft that nobody approved": (accepts("approvals-missing", ""), {801}),
    "follows a charter that is not ours": (accepts("charter-fork", "/ballots"), {804}),
    "takes one order for two": (accepts("evidence-invalid", ""), {621}),
}  # fmt: skip


# --- The server. ---


@contextmanager
def serving(node: Node, port: int, fault: Fault) -> Iterator[None]:
    """The node's pages and addresses on its own port, its answers to peers changed by the fault."""
    app, memory = create_app(node), dict[str, bytes]()

    def changed(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        request = Request(environ)
        asked = request.get_data(cache=True, parse_form_data=False)
        inside = {**environ, "wsgi.input": io.BytesIO(asked)}
        chunks, status, headers = run_wsgi_app(app, inside, buffered=True)
        said = Said(
            node,
            request.path,
            asked,
            _read(node, environ, request.headers.items(), asked),
            int(status.split(" ", 1)[0]),
            dict(headers.items()),
            b"".join(chunks),
            memory,
        )
        answer = fault(said) if said.request is not None else said
        fields = Headers({**answer.headers, "Content-Length": str(len(answer.body))})
        start_response(f"{answer.status} .", list(fields.items()))
        return [answer.body]

    server = make_server("127.0.0.1", port, changed, threaded=True, request_handler=_WithItsTarget)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _WithItsTarget(WSGIRequestHandler):
    """Hands on the request target as it stood on the wire, as gunicorn does."""

    def make_environ(self) -> dict[str, Any]:
        return {**super().make_environ(), "RAW_URI": self.requestline.split(" ")[1]}

    def log(self, *_: object) -> None:
        """Say nothing: the node has its own log."""


def _read(
    node: Node, environ: dict[str, Any], headers: Iterable[tuple[str, str]], body: bytes
) -> http.UnverifiedRequest | None:
    try:
        return http.parse_request(
            method=environ["REQUEST_METHOD"],
            authority=node.settings.authority,
            raw_path=environ["RAW_URI"],
            headers=headers,
            body=body,
        )
    except ProtocolError:
        return None
