"""Refusals on the wire: `application/problem+json` (RFC 9457), written and read.  SPEC Refusals."""

from dataclasses import dataclass, field

from protocol import limits, strictjson
from protocol.errors import ProtocolError, by_code
from protocol.strictjson import JSON, Reader

_TYPE = "urn:tasuki:refusal:"
_RESERVED = frozenset(["type", "title", "status", "code", "detail", "request_id"])
# What a caller whose signature was not verified may learn besides the type and the status: what it
# needs to come back properly, and nothing about members, keys or people.  PEER 2.
_FOR_STRANGERS = frozenset(
    [
        "allow",
        "components",
        "epoch",
        "limit_bytes",
        "missing",
        "retry_after_s",
        "server_time",
        "skew_seconds",
        "supported",
    ]
)


def problem(error: ProtocolError, request_id: str, *, verified: bool) -> bytes:
    """The body that tells a peer why it was refused. The detail is for verified peers only."""
    members: JSON = {
        "type": _TYPE + error.code,
        "title": error.sentence(),
        "status": error.status,
        "code": error.code,
        "request_id": request_id,
    }
    if verified and error.detail:
        members["detail"] = error.detail[: limits.TEXT_CHARS_MAX]
    for name, value in error.facts.items():
        assert name not in _RESERVED, name
        if verified or name in _FOR_STRANGERS:
            members[name] = value
    return strictjson.encode(members)


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal that a peer answered with."""

    code: str
    status: int
    title: str
    detail: str
    request_id: str
    facts: dict[str, JSON] = field(default_factory=dict)

    def to_error(self) -> ProtocolError:
        """The refusal as our own class; one that only a newer release knows keeps its words."""
        known = by_code(self.code)
        if known is None:
            return ProtocolError(f"{self.code}: {self.detail or self.title}", **self.facts)
        return known(self.detail, **self.facts)


def parse_problem(body: bytes) -> Problem:
    """Read the body of a refusal. Members beyond the fixed ones are its facts."""
    members = strictjson.parse(body, bytes_max=limits.PROBLEM_BYTES_MAX)
    reader = Reader(members)
    return Problem(
        code=reader.text("code", limits.LINE_CHARS_MAX, limits.KIND_PATTERN),
        status=reader.integer("status", 400, 599),
        title=reader.text("title", limits.LINE_CHARS_MAX),
        detail=reader.text("detail", limits.TEXT_CHARS_MAX) if reader.has("detail") else "",
        request_id=reader.text("request_id", limits.ID_CHARS_MAX),
        facts={name: value for name, value in members.items() if name not in _RESERVED},
    )
