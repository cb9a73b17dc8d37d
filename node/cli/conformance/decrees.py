"""Cases 8xx: drafts and ballots that come to nothing, and the way of charters.  SPEC Decrees."""

from dataclasses import replace

from node.cli.conformance.caller import Caller, Deviation
from node.cli.conformance.cases import Chapter
from protocol import (
    DRAFT,
    Charter,
    ProtocolError,
    SignedDocument,
    SigningKey,
    decree,
    next_draft,
    sign,
)

BALLOTS = "/peer/v1/ballots"
FOLLOWING = "/peer/v1/following"
CHAPTER = Chapter([])
case = CHAPTER.case


def draft(caller: Caller, key: SigningKey | None = None, **changes: object) -> SignedDocument:
    """A draft that changes nothing but what is named, signed by us and approved by nobody."""
    made: Charter = replace(next_draft(caller.charter), **changes)  # type: ignore[arg-type]
    return sign(DRAFT, made.encode_draft(), key or caller.key)


def _refused(caller: Caller, code: str, document: SignedDocument) -> None:
    request = decree.FenceRequest(ballot=1, draft=document, approvals=())
    # A seat that took part in a ballot before looks at the number first.
    caller.refused(caller.call(BALLOTS, request.encode()), code, "ballot-stale", "epoch-stopped")


@case(801, "a draft that nobody approved", "8.2", "the refusal approvals-missing")
def _approvals(caller: Caller) -> None:
    _refused(caller, "approvals-missing", draft(caller))


@case(802, "a draft that skips a version", "8.1", "the refusal charter-skipped")
def _skipped(caller: Caller) -> None:
    _refused(caller, "charter-skipped", draft(caller, version=caller.charter.version + 2))


@case(803, "a draft of the version in force", "8.1", "the refusal charter-rollback")
def _rollback(caller: Caller) -> None:
    _refused(caller, "charter-rollback", draft(caller, version=caller.charter.version))


@case(804, "a draft that follows another charter", "8.1", "the refusal charter-fork")
def _fork(caller: Caller) -> None:
    _refused(caller, "charter-fork", draft(caller, previous=bytes(32)))


@case(805, "a draft signed with nobody's key", "8.1", "the refusal draft-invalid")
def _stranger(caller: Caller) -> None:
    _refused(caller, "draft-invalid", draft(caller, SigningKey.generate()))


@case(806, "a draft with one vote enough", "4.2", "the refusal draft-invalid")
def _quorum(caller: Caller) -> None:
    count = len(caller.charter.members)
    _refused(caller, "draft-invalid", draft(caller, q=1, b=count))


@case(811, "the version after the one in force", "8.5", "nothing, or a decree that is proven")
def _following(caller: Caller) -> None:
    body = caller.accepted(caller.call(FOLLOWING, b"{}"))
    if body == b"{}":
        return
    try:
        decree.follow(decree.Enacted.parse(body).decree, caller.charter)
    except ProtocolError as error:
        raise Deviation(f"what is no decree: {error}") from error
