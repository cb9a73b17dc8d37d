"""Hello: the one call that carries nothing, on the worker's start and when somebody tests a peer.

It tells whether the peer is there, answers provably, holds the same charter, and what its clock
says. What came of it is written on the peer's row.  PEER 4, 5.
"""

import random

import structlog

from node.installation import Node
from node.services import breakers, membership
from node.transport import TransportFailure
from protocol import Charter, Hello, ProtocolError, errors, problems

HELLO_PATH = "/peer/v1/hello"

log = structlog.get_logger("node.greeting")


def greet(node: Node, peer: str) -> str:
    """Say hello to a peer; "" when it answered, else the code of what went wrong."""
    with node.database.reading() as session:
        charter = node.context.charter(session)
        hello = membership.make_hello(session, node.context)
    code, theirs, known = _exchange_hello(node, charter, peer, hello)
    with node.database.transaction() as session:
        begun_anew = code == errors.IncarnationStale.code and membership.note_stale(
            session, node.context, known
        )
        if theirs is not None:
            membership.note_hello(session, node.context, peer, theirs)
        breakers.record_call(
            session,
            node.context,
            peer,
            code,
            jitter=random.random(),  # noqa: S311 (spreads retries, guards nothing)
        )
    log.info("hello", peer=peer, code=code)
    # A backup that was restored once before: the peer hears of a life that it does not know.
    return greet(node, peer) if begun_anew else code


def _exchange_hello(
    node: Node, charter: Charter, peer: str, hello: Hello
) -> tuple[str, Hello | None, object]:
    try:
        answer = node.transport.post(charter, peer, HELLO_PATH, hello.encode())
        if answer.status != 200:
            refusal = problems.parse_problem(answer.body)
            return refusal.code, None, refusal.facts.get("incarnation")
        return "", Hello.parse(answer.body), None
    except TransportFailure as failure:
        return failure.code, None, None
    except ProtocolError as error:
        return error.code, None, None
