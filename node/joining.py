"""The door for who was invited and belongs not yet: POST /join/v1/..., sealed, not signed.

Nothing here is believed for its signature on the request: what is sealed to us opens with the
invitation's secret or not at all, and a draft counts by the keys that signed it. The answer proves
itself as well, from the digest in the invitation on. Strangers learn that they are none.  PEER 4.
"""

from collections.abc import Callable
from typing import TypeAlias, cast

import structlog
from flask import Blueprint, Response, current_app, g, request
from flask.blueprints import BlueprintSetupState
from sqlalchemy.orm import Session

from node.bodies import read_body
from node.context import Context
from node.database import UNAVAILABLE
from node.installation import Node
from node.origin import origin
from node.services import joining
from node.services.charter import NotFounded
from node.tries import Limit
from protocol import ProtocolError, errors, http, limits, problems

log = structlog.get_logger("node.joining")

# A newcomer asks a few times a day; whoever guesses secrets of 128 bits is only noise.
FAILED_MOST = 30
FAILED_WINDOW_S = 600

Work: TypeAlias = Callable[[Session, Context, bytes], bytes]

blueprint = Blueprint("joining", __name__, url_prefix="/join/v1")


@blueprint.record_once
def _open_door(state: BlueprintSetupState) -> None:
    state.app.extensions["tasuki_failed_joins"] = Limit(FAILED_MOST, FAILED_WINDOW_S)


@blueprint.post("/requests")
def requests() -> Response:
    """A sealed join request; the charters by now, and the draft when there is one."""

    def work(session: Session, context: Context, body: bytes) -> bytes:
        return joining.receive_request(session, context, body).encode()

    return _answer(limits.JOIN_REQUEST_BYTES_MAX * 2, work)


@blueprint.post("/acceptances")
def acceptances() -> Response:
    """A draft under the signatures of the keys that it brings in."""

    def work(session: Session, context: Context, body: bytes) -> bytes:
        joining.accept(session, context, body)
        return b"{}"

    return _answer(limits.BALLOT_FENCE_BYTES_MAX, work)


def _answer(bytes_max: int, work: Work) -> Response:
    node = cast(Node, current_app.extensions["tasuki"])
    failed = cast(Limit, current_app.extensions["tasuki_failed_joins"])
    address = origin(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""))
    try:
        content = _carried_out(node, read_body(bytes_max), work)
    except ProtocolError as refusal:
        if failed.count(address, node.clock.monotonic()):
            return _refused(refusal)
        return _refused(errors.RateLimited(retry_after_s=FAILED_WINDOW_S))
    return Response(content, content_type=http.JSON_TYPE)


def _refused(refusal: ProtocolError) -> Response:
    log.info("refused", code=refusal.code, request=g.request_id)
    problem = problems.problem(refusal, g.request_id, verified=False)
    return Response(problem, refusal.status, content_type=http.PROBLEM_TYPE)


def _carried_out(node: Node, body: bytes, work: Work) -> bytes:
    try:
        with node.database.transaction() as session:
            return work(session, node.context, body)
    except NotFounded:
        raise errors.Maintenance("this node belongs to no alliance yet") from None
    except UNAVAILABLE:
        raise errors.NonceStoreUnavailable from None
