"""Cases 6xx: standings, fences and evidence that change nothing.  SPEC §6.6, §6.8."""

import secrets
from dataclasses import replace

from node.cli.conformance.caller import Caller, Deviation
from node.cli.conformance.cases import Chapter
from node.cli.conformance.sync import proven, vector_of
from node.cli.conformance.votes import account_of, order
from protocol import (
    FENCE,
    FIRST_INCARNATION,
    ORDER,
    Evidence,
    Fence,
    ProtocolError,
    SigningKey,
    Standing,
    limits,
    sign,
    verify_order,
)

STANDING = "/peer/v1/standing"
FENCES = "/peer/v1/fences"
EVIDENCE = "/peer/v1/evidence"
CHAPTER = Chapter([])


@CHAPTER.case(601, "what it holds of our account", "6.6", "proofs that we signed, and no others")
def _standing(caller: Caller) -> None:
    account = account_of(caller)
    try:
        standing = Standing.parse(caller.accepted(caller.call(STANDING, b"{}")))
    except ProtocolError as error:
        raise Deviation(f"no standing: {error}") from error
    if standing.certificate is not None and caller.charter.cut is None:
        shown = proven(standing.certificate, caller.charter)
        if (shown.account, shown.sequence) != (account, vector_of(caller).get(account)):
            raise Deviation(f"order {shown.sequence} of {shown.account}")
    if standing.order is not None:
        try:
            verify_order(standing.order, caller.charter)
        except ProtocolError as error:
            raise Deviation(f"an order that is none: {error}") from error


def _fence(caller: Caller, **changes: object) -> bytes:
    """A fence of our account that can have no effect."""
    fence = Fence(
        alliance=caller.charter.alliance,
        epoch=caller.charter.epoch,
        account=account_of(caller),
        incarnation=limits.INCARNATION_MAX,
        attempt=secrets.token_bytes(limits.ATTEMPT_BYTES),
    )
    return replace(fence, **changes).encode()  # type: ignore[arg-type]


def _refused(caller: Caller, code: str, fence: bytes, key: SigningKey | None = None) -> None:
    document = sign(FENCE, fence, key or caller.key)
    caller.refused(caller.call(FENCES, document.encode()), code)


@CHAPTER.case(611, "a fence of another's account", "6.6", "the refusal sender-mismatch")
def _of_another(caller: Caller) -> None:
    _refused(caller, "sender-mismatch", _fence(caller, account="somebody-else"))


@CHAPTER.case(612, "a fence signed with no member's key", "6.6", "the refusal key-unknown")
def _of_nobody(caller: Caller) -> None:
    _refused(caller, "key-unknown", _fence(caller), SigningKey.generate())


@CHAPTER.case(613, "a fence of the next epoch", "6.6", "the refusal epoch-mismatch")
def _of_the_next_epoch(caller: Caller) -> None:
    _refused(caller, "epoch-mismatch", _fence(caller, epoch=caller.charter.epoch + 1))


@CHAPTER.case(614, "a fence of the first incarnation", "6.6", "the refusal document-invalid")
def _of_the_first(caller: Caller) -> None:
    _refused(caller, "document-invalid", _fence(caller, incarnation=FIRST_INCARNATION))


@CHAPTER.case(621, "one order twice as evidence", "6.8", "the refusal evidence-invalid")
def _no_evidence(caller: Caller) -> None:
    one = verify_order(sign(ORDER, order(caller).encode(), caller.key), caller.charter)
    caller.refused(caller.call(EVIDENCE, Evidence(one, one).encode()), "evidence-invalid")
