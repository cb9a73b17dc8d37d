"""Cases 2xx: addresses, bodies, and how a refusal is told.  SPEC §3.3, §3.4, §1.1."""

from node.cli.conformance.caller import HELLO, Answer, Caller, Deviation
from node.cli.conformance.cases import Chapter, Run
from protocol import b64encode, limits, strictjson

CHAPTER = Chapter([])
case = CHAPTER.case


def _at(path: str, code: str, method: str = "POST") -> Run:
    """A request that was signed for hello, sent to another address or by another method."""

    def run(caller: Caller) -> None:
        body = caller.hello()
        answer = caller.send(path, caller.signed(HELLO, body), body, method=method)
        caller.refused(answer, code)

    return run


CHAPTER.refusals(
    (number, title, "3.1", code, _at(path, code, method))
    for number, title, code, path, method in (
        (201, "two slashes", "path-not-canonical", "//peer/v1/hello", "POST"),
        (202, "a dot", "path-not-canonical", "/peer/./v1/hello", "POST"),
        (203, "an escape", "path-not-canonical", "/peer/v1%2Fhello", "POST"),
        (204, "a slash at the end", "path-not-canonical", "/peer/v1/hello/", "POST"),
        (205, "a query", "path-not-canonical", "/peer/v1/hello?a=1", "POST"),
        (206, "an address that is none", "not-found", "/peer/v1/nothing", "POST"),
        (207, "another method", "method-not-allowed", HELLO, "PUT"),
    )
)


def _body(body: bytes, code: str) -> Run:
    """A signed hello with this body."""

    def run(caller: Caller) -> None:
        caller.refused(caller.call(HELLO, body), code)

    return run


CHAPTER.refusals(
    (number, title, "1.1", code, _body(body, code))
    for number, title, code, body in (
        (211, "no JSON", "json-not-strict", b"hello"),
        (212, "a member twice", "json-not-strict", b'{"time":1,"time":2}'),
        (213, "a fraction", "json-not-strict", b'{"time":1.5}'),
        (214, "half a character", "json-not-strict", b'{"release":"\\ud800"}'),
        (215, "bytes behind the value", "json-not-strict", b"{}{}"),
        (216, "a byte order mark", "encoding", b"\xef\xbb\xbf{}"),
        (217, "another encoding", "encoding", '{"release":"髙"}'.encode("cp932")),
        (218, "17 levels", "json-depth", b"[" * 17 + b"]" * 17),
        (219, "nothing in it", "document-invalid", b"{}"),
        (220, "more than 4 KiB", "too-large", b" " * (limits.HELLO_BYTES_MAX + 1)),
    )
)


def _hello_with(caller: Caller, **changes: object) -> Answer:
    fields = strictjson.parse(caller.hello(), bytes_max=limits.HELLO_BYTES_MAX)
    return caller.call(HELLO, strictjson.encode({**fields, **changes}))


@case(221, "a field that is none", "1.1", "the refusal document-invalid, which names the field")
def _unknown_field(caller: Caller) -> None:
    facts = caller.refused(_hello_with(caller, note="x"), "document-invalid").facts
    errors = facts.get("errors")
    if not isinstance(errors, list) or not errors or errors[0].get("path") != "note":
        raise Deviation(f"errors {errors}")


@case(222, "a hello of another charter", "3.4", "the refusal charter-fork")
def _fork(caller: Caller) -> None:
    answer = _hello_with(caller, charter_digest=b64encode(bytes(32)))
    caller.refused(answer, "charter-fork")


@case(223, "a hello of a later charter", "3.4", "the refusal epoch-mismatch")
def _later(caller: Caller) -> None:
    answer = _hello_with(caller, charter_version=caller.charter.version + 1)
    caller.refused(answer, "epoch-mismatch")


@case(231, "what a stranger is told", "3.3", "the code and nothing about this one case")
def _told(caller: Caller) -> None:
    body = caller.hello()
    headers = caller.signed(HELLO, body)
    headers["Peer-Context"] = headers["Peer-Context"].replace(caller.us, "somebody-else")
    problem = caller.refused(caller.send(HELLO, headers, body), "not-a-member")
    if problem.detail or problem.facts.keys() - FOR_STRANGERS:
        raise Deviation(f"detail {problem.detail!r} and {sorted(problem.facts)}")


FOR_STRANGERS = frozenset(
    "allow components epoch limit_bytes missing retry_after_s server_time skew_seconds "
    "supported type".split()
)


@case(232, "what a member is told", "3.3", "type, title, status, code, request id, and a detail")
def _form(caller: Caller) -> None:
    answer = caller.call(HELLO, b"{}")
    problem = caller.refused(answer, "document-invalid")
    fields = strictjson.parse(answer.body, bytes_max=limits.PROBLEM_BYTES_MAX)
    if fields.get("type") != f"urn:tasuki:refusal:{problem.code}":
        raise Deviation(f"type {fields.get('type')}")
    if not (problem.title and problem.request_id and problem.detail):
        raise Deviation(f"title, request id or detail is missing: {sorted(fields)}")
