"""Standing: blocks, suspensions, and what a member that has left is told."""

from dataclasses import replace

import pytest

from protocol import BLOCK, SUSPENSION, Block, SignedDocument, Suspension, errors, sign, standing
from protocol.limits import SUSPENSION_S
from tests.protocol.cast import NOW
from tests.protocol.decree.drafts import NODE, enact, founded, without
from tests.protocol.refusals import refusal_of

CHARTER = founded()


def block(signer: str = "aoba", **changes: object) -> SignedDocument:
    body = replace(Block("minato", "bridge"), **changes)  # type: ignore[arg-type]
    return sign(BLOCK, body.encode(), NODE[signer])


def suspension(*signers: str, **changes: object) -> SignedDocument:
    first, *others = signers or ("aoba", "biwa")
    body = replace(Suspension("minato", 1, "bridge", NOW), **changes)  # type: ignore[arg-type]
    document = sign(SUSPENSION, body.encode(), NODE[first])
    for other in others:
        document = document.add(NODE[other])
    return document


def test_one_member_blocks_another_by_its_word_and_takes_it_back() -> None:
    signed = standing.verify_block(block(), CHARTER)
    assert (signed.signer, signed.body.member, signed.body.blocks) == ("aoba", "bridge", True)
    later = standing.verify_block(block(number=2, blocks=False), CHARTER)
    assert not later.body.blocks


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (block("bridge"), "measure-invalid"),
        (block("echo"), "key-unknown"),
        (block(member="zeta"), "not-a-member"),
        (block(alliance="other"), "epoch-mismatch"),
        (suspension(), "document-invalid"),
    ],
    ids=["itself", "stranger", "of-a-stranger", "another-alliance", "another-kind"],
)
def test_a_block_that_is_none_is_refused(document: SignedDocument, code: str) -> None:
    assert refusal_of(lambda: standing.verify_block(document, CHARTER)) == code


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (suspension("aoba"), "measure-invalid"),
        (suspension("aoba", "aoba"), "measure-invalid"),
        (suspension("aoba", "bridge"), "measure-invalid"),
        (suspension("aoba", "echo"), "key-unknown"),
        (suspension(epoch=2), "epoch-mismatch"),
        (suspension(alliance="other"), "epoch-mismatch"),
        (suspension(member="zeta"), "not-a-member"),
        (suspension(since=NOW + 1), "measure-invalid"),
        (block(), "document-invalid"),
    ],
    ids=[
        "one",
        "one-twice",
        "with-itself",
        "stranger",
        "another-epoch",
        "another-alliance",
        "of-a-stranger",
        "in-the-future",
        "another-kind",
    ],
)
def test_a_suspension_takes_two_members_and_this_epoch(document: SignedDocument, code: str) -> None:
    assert refusal_of(lambda: standing.verify_suspension(document, CHARTER, NOW)) == code


def test_one_member_has_signed_and_another_is_still_to_come() -> None:
    half = suspension("aoba")
    body, signers = standing.read_suspension(half, CHARTER, NOW)
    assert (body.member, signers) == ("bridge", {"aoba"})
    # The suspended member's own word is none.
    with_it = half.add(NODE["bridge"])
    assert standing.read_suspension(with_it, CHARTER, NOW)[1] == {"aoba"}
    alone = suspension("bridge")
    code = refusal_of(lambda: standing.read_suspension(alone, CHARTER, NOW))
    assert code == "measure-invalid"


def test_nobody_is_suspended_twice_in_an_epoch_or_three_days_would_be_for_ever() -> None:
    first = standing.verify_suspension(suspension(), CHARTER, NOW)
    later = NOW + SUSPENSION_S
    again = suspension("seeds", "biwa", since=later)
    with pytest.raises(errors.MeasureInvalid, match="suspended before"):
        standing.verify_suspension(again, CHARTER, later, [first])
    # The same one, heard again, and one of somebody else, are no second suspension.
    standing.verify_suspension(suspension(), CHARTER, later, [first])
    standing.verify_suspension(suspension(member="seeds"), CHARTER, later, [first])


def test_a_suspended_member_is_refused_for_three_days_and_not_a_second_longer() -> None:
    measures = [standing.verify_suspension(suspension(), CHARTER, NOW)]

    def at(now: int, member: str = "bridge") -> str | None:
        return refusal_of(
            lambda: standing.require_standing(member, CHARTER, now, suspensions=measures)
        )

    assert at(NOW) == at(NOW + SUSPENSION_S - 1) == "member-suspended"
    assert at(NOW + SUSPENSION_S) is None
    assert at(NOW, "seeds") is None


def test_a_suspension_ends_with_its_epoch() -> None:
    _, second = enact(CHARTER)
    old = Suspension("minato", 1, "bridge", NOW)
    standing.require_standing("bridge", second, NOW, suspensions=[old])


def test_a_blocked_member_is_told_so_and_a_stranger_learns_nothing() -> None:
    with pytest.raises(errors.PeerBlocked):
        standing.require_standing("bridge", CHARTER, NOW, blocked=True)
    with pytest.raises(errors.NotAMember):
        standing.require_standing("zeta", CHARTER, NOW, blocked=True)


def test_whoever_was_expelled_is_told_that_it_has_left() -> None:
    _, second = enact(CHARTER, members=without(CHARTER, "bridge"))
    with pytest.raises(errors.MemberExpelled):
        standing.require_standing("bridge", second, NOW)
    # A witness has no account that could be closed.
    with pytest.raises(errors.MemberExpelled):
        standing.require_standing("delta", second, NOW, former=["delta"])


def test_measures_read_back_as_they_were_written() -> None:
    for each in (Block("minato", "bridge", 3, blocks=False), Suspension("minato", 2, "biwa", NOW)):
        assert type(each).parse(each.encode()) == each
