"""The chain of charters: followed version by version from the paper, and never a step too far."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import (
    Charter,
    Cut,
    Place,
    SignedDocument,
    b64encode,
    decree,
    errors,
    limits,
    parse_charter,
    sign,
)
from protocol.documents.decrees import COMMIT, PREPARE, encode_statement
from tests.protocol.decree.drafts import (
    IDENTITY,
    NODE,
    Table,
    changed,
    drafted,
    enact,
    founded,
    founding,
    member,
    without,
)
from tests.protocol.refusals import refusal_of

FOUNDING = founding()
FIRST = founded()
# Version 2 expels bridge, version 3 takes delta in, version 4 closes a month.
EXPELLED, SECOND = enact(FIRST, members=without(FIRST, "bridge"), q=3)
JOINED, THIRD = enact(
    SECOND,
    NODE["aoba"],
    NODE["delta"],
    IDENTITY["delta"],
    members=(*SECOND.members, member("delta")),
)
CLOSED, FOURTH = enact(THIRD)
DECREES = (EXPELLED, JOINED, CLOSED)
CHAIN = decree.encode_chain(FOUNDING, DECREES)


def report(*decrees: decree.Decree, trusted: bytes = FIRST.digest) -> decree.ChainReport:
    return decree.verify_chain(decree.encode_chain(FOUNDING, decrees), trusted)


def code_of(result: decree.ChainReport) -> str:
    assert result.refusal is not None
    assert not result
    return result.refusal.code


def recommitted(
    motion: decree.Motion, charter: Charter, *names: str, ballot: int = 1
) -> decree.Decree:
    """Commit votes of these members for a motion that nobody has to have prepared."""
    statement = encode_statement(charter, ballot, motion.digest)
    votes = tuple(sign(COMMIT, statement, NODE[name]).signatures[0] for name in names)
    return decree.Decree(motion, ballot, votes)


def test_a_chain_is_proven_from_its_bytes_and_the_digest_on_paper() -> None:
    result = decree.verify_chain(CHAIN, FIRST.digest)
    assert result
    assert [charter.version for charter in result.charters] == [1, 2, 3, 4]
    assert result.charters[-1] == FOURTH
    assert FOURTH.closed == ("bridge",)


def test_the_report_says_who_signed_who_did_not_and_what_changed() -> None:
    found = Table(FIRST).decide(
        drafted(FIRST, members=changed(FIRST, "biwa", credit_limit=3)), ("aoba", "biwa", "seeds")
    )
    one, two = report(found).enactments
    assert one.signed == ("aoba", "biwa", "seeds", "bridge")
    assert (two.signed, two.missing) == (("aoba", "biwa", "seeds"), ("bridge",))
    assert two.needed == 3
    assert [(c.kind.value, c.member) for c in two.changes] == [("limit", "biwa")]


def test_a_charter_reads_back_with_its_draft_and_its_cut() -> None:
    again = decree.Decree.parse(EXPELLED.encode())
    assert again == EXPELLED
    assert parse_charter(again.motion.document) == SECOND
    assert again.motion.draft.digest == drafted(FIRST, members=without(FIRST, "bridge"), q=3).digest


def test_another_version_1_than_the_one_on_paper_is_not_trusted() -> None:
    result = report(*DECREES, trusted=bytes(32))
    assert code_of(result) == "charter-invalid"
    assert result.charters == ()


def test_a_skipped_version_is_refused_and_the_proven_part_stays() -> None:
    result = report(EXPELLED, CLOSED)
    assert code_of(result) == "charter-skipped"
    assert result.refusal is not None
    assert result.refusal.facts == {"ours": 2, "theirs": 4}
    assert result.charters == (FIRST, SECOND)


def test_the_members_of_an_old_version_cannot_skip_the_one_that_removed_them() -> None:
    """Version 3 by a quorum of version 1, among them the member that version 2 expelled."""
    draft = replace(drafted_charter(FIRST), version=3, draft=b"")
    document = sign("draft", draft.encode_draft(), NODE["aoba"])
    motion = motion_of(document)
    enacted = recommitted(motion, FIRST, "aoba", "biwa", "bridge")
    result = report(enacted)
    assert code_of(result) == "charter-skipped"
    assert result.charters == (FIRST,)


def drafted_charter(charter: Charter) -> Charter:
    return decree.follow(Table(charter).decide(drafted(charter)), charter)[0]


def motion_of(document: SignedDocument, cut: Cut | None = None) -> decree.Motion:
    fields = {"cut": (cut or Cut()).to_json(), "draft": b64encode(document.payload)}
    return decree.Motion(json.dumps(fields).encode(), document.signatures)


def test_a_version_that_was_replaced_is_a_rollback() -> None:
    result = report(EXPELLED, JOINED, EXPELLED)
    assert code_of(result) == "charter-rollback"
    assert result.charters == (FIRST, SECOND, THIRD)
    assert refusal_of(lambda: decree.follow(EXPELLED, FOURTH)) == "charter-rollback"


def test_a_quorum_that_enacts_upon_another_version_is_a_fork() -> None:
    draft = replace(drafted_charter(SECOND), previous=bytes([7]) * 32, draft=b"")
    document = sign("draft", draft.encode_draft(), NODE["aoba"])
    enacted = recommitted(motion_of(document), SECOND, "aoba", "biwa", "seeds")
    result = report(EXPELLED, enacted)
    assert code_of(result) == "charter-fork"
    assert result.charters == (FIRST, SECOND)


def test_a_wrong_digest_that_no_quorum_signed_raises_no_alarm() -> None:
    draft = replace(drafted_charter(SECOND), previous=bytes([7]) * 32, draft=b"")
    document = sign("draft", draft.encode_draft(), NODE["aoba"])
    result = report(EXPELLED, recommitted(motion_of(document), SECOND, "aoba", "biwa"))
    assert code_of(result) == "decree-invalid"


def test_two_versions_of_one_number_are_a_fork_once_a_quorum_signed_both() -> None:
    other = Table(FIRST).decide(drafted(FIRST, name="ほか"))
    chain = (FIRST, SECOND, THIRD)
    assert decree.compare(EXPELLED, chain)
    assert not decree.compare(CLOSED, chain)
    with pytest.raises(errors.CharterFork, match="two versions 2"):
        decree.compare(other, chain)
    unsigned = recommitted(other.motion, FIRST, "aoba", "biwa")
    assert refusal_of(lambda: decree.compare(unsigned, chain)) == "decree-invalid"


@pytest.mark.parametrize(
    ("voters", "reason"),
    [
        (("aoba", "biwa"), "2 members voted and 3 are needed"),
        (("aoba", "biwa", "biwa"), "biwa is counted twice"),
        (("aoba", "aoba", "aoba"), "aoba is counted twice"),
        (("aoba", "biwa", "echo"), "no member's"),
    ],
    ids=["too-few", "twice", "one-three-times", "stranger"],
)
def test_votes_that_are_no_quorum_enact_nothing(voters: tuple[str, ...], reason: str) -> None:
    result = report(recommitted(EXPELLED.motion, FIRST, *voters))
    assert code_of(result) == "decree-invalid"
    assert result.refusal is not None
    assert reason in result.refusal.detail
    assert result.charters == (FIRST,)


def test_newcomers_have_no_say_in_the_version_that_brings_them_in() -> None:
    votes = recommitted(JOINED.motion, SECOND, "aoba", "biwa", "delta")
    assert code_of(report(EXPELLED, votes)) == "decree-invalid"


def test_an_expelled_member_has_no_say_any_more() -> None:
    votes = recommitted(JOINED.motion, SECOND, "aoba", "biwa", "bridge")
    assert code_of(report(EXPELLED, votes)) == "decree-invalid"


def test_a_vote_of_one_ballot_does_not_count_in_another() -> None:
    later = replace(EXPELLED, ballot=2)
    assert code_of(report(later)) == "decree-invalid"


def test_prepare_votes_enact_nothing() -> None:
    statement = encode_statement(FIRST, 1, EXPELLED.digest)
    names = ("aoba", "biwa", "seeds")
    votes = tuple(sign(PREPARE, statement, NODE[name]).signatures[0] for name in names)
    assert code_of(report(replace(EXPELLED, votes=votes))) == "decree-invalid"


def test_a_newcomers_acceptance_stands_in_the_proof() -> None:
    silent = decree.Motion(JOINED.motion.payload, JOINED.motion.accepted[:2])
    votes = recommitted(silent, SECOND, "aoba", "biwa", "seeds")
    assert code_of(report(EXPELLED, votes)) == "signature-missing"


def test_a_founding_cannot_be_decreed() -> None:
    flat = decree.Motion(FOUNDING.payload, EXPELLED.motion.accepted)
    enacted = recommitted(flat, FIRST, "aoba", "biwa", "seeds")
    assert code_of(report(enacted)) == "charter-rollback"


@pytest.mark.parametrize(
    ("cut", "reason"),
    [
        (Cut({"zeta": Place(1, bytes(32))}), "keeps no account"),
        (Cut({"aoba": Place(1, bytes(32))}, {"aoba": (bytes([1]) * 32,)}), "not the one in its"),
        (Cut({}, {"aoba": (bytes([1]) * 32,)}), "to no place"),
    ],
    ids=["stranger", "other-digest", "no-place"],
)
def test_a_cut_that_contradicts_itself_is_refused(cut: Cut, reason: str) -> None:
    motion = motion_of(drafted(FIRST), cut)
    result = report(recommitted(motion, FIRST, "aoba", "biwa", "seeds"))
    assert code_of(result) == "decree-invalid"
    assert result.refusal is not None
    assert reason in result.refusal.detail


STOOD = Cut({"aoba": Place(4, bytes([4]) * 32), "bridge": Place(2, bytes([2]) * 32)})


@pytest.mark.parametrize(
    ("cut", "reason"),
    [
        (Cut({**STOOD.accounts, "aoba": Place(3, bytes(32))}), "takes back orders of aoba"),
        (Cut({**STOOD.accounts, "aoba": Place(4, bytes(32))}), "takes back orders of aoba"),
        (Cut({**STOOD.accounts, "bridge": Place(3, bytes(32))}), "adds to bridge"),
        (Cut({"aoba": STOOD.accounts["aoba"]}), "leaves out bridge"),
    ],
    ids=["below", "another-order", "frozen-account", "forgotten"],
)
def test_a_cut_never_takes_back_and_never_touches_a_frozen_account(cut: Cut, reason: str) -> None:
    charter = replace(SECOND, cut=STOOD)
    decree.check_cut(STOOD, charter)
    with pytest.raises(errors.DecreeInvalid, match=reason):
        decree.check_cut(cut, charter)


def test_a_file_beyond_its_limit_is_refused_before_it_is_read() -> None:
    result = decree.verify_chain(b" " * (limits.CHAIN_BYTES_MAX + 1), FIRST.digest)
    assert code_of(result) == "too-large"


@given(st.integers(0, len(CHAIN) - 1), st.integers(0, 7))
def test_no_flipped_bit_proves_another_charter(at: int, bit: int) -> None:
    data = bytearray(CHAIN)
    data[at] ^= 1 << bit
    result = decree.verify_chain(bytes(data), FIRST.digest)
    # What is proven is the chain that the members signed, as far as it goes.
    assert result.charters == (FIRST, SECOND, THIRD, FOURTH)[: len(result.charters)]


@given(st.binary(max_size=200))
def test_whatever_bytes_come_the_report_says_why(data: bytes) -> None:
    assert code_of(decree.verify_chain(data, FIRST.digest)) in errors.codes()
