"""One question to one member's node: the body of a proven 200, a refusal, or no answer."""

from collections.abc import Iterator
from typing import TypeAlias

import structlog

from node.installation import Node
from node.transport import TransportFailure
from protocol import Charter, ProtocolError, http, problems

# None: it did not answer, or what it answered means nothing.
Answer: TypeAlias = bytes | ProtocolError | None

log = structlog.get_logger("node.worker.calls")


def others(node: Node, charter: Charter) -> Iterator[str]:
    """Every member but us."""
    return (m.id for m in charter.members if m.id != node.context.member_id)


def ask(node: Node, charter: Charter, member: str, path: str, body: bytes) -> Answer:
    """Ask, and wait for the answer; the log names a refusal and a failure."""
    try:
        answer = node.transport.post(charter, member, path, body)
    except TransportFailure as failure:
        log.info("no answer", peer=member, path=path, code=failure.code)
        return None
    if answer.status == 200:
        return answer.body
    refusal = _refusal(answer)
    code = refusal.code if refusal is not None else f"status-{answer.status}"
    log.warning("refused", peer=member, path=path, code=code)
    return refusal


def post(node: Node, charter: Charter, member: str, path: str, body: bytes) -> bytes | None:
    """The same, where it does not matter why there is nothing."""
    answer = ask(node, charter, member, path, body)
    return answer if isinstance(answer, bytes) else None


def _refusal(answer: http.VerifiedResponse) -> ProtocolError | None:
    try:
        return problems.parse_problem(answer.body).to_error()
    except ProtocolError:
        return None
