"""Drafts: what a next version may change, what it may not, and who has to look at it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from protocol import (
    DRAFT,
    WITNESS,
    Charter,
    Policy,
    SignedDocument,
    SigningKey,
    changes_of,
    errors,
    needs_people,
    next_draft,
    parse_draft,
    sign,
    verify_draft,
    verify_rotation,
)
from tests.protocol.decree.drafts import (
    IDENTITY,
    NEW_KEY,
    NEW_SEALING,
    NODE,
    SEALING,
    changed,
    drafted,
    enact,
    founded,
    member,
    signed_draft,
    without,
)
from tests.protocol.refusals import refusal_of

CHARTER = founded()
EVERYBODY = CHARTER.members
JOINED = (*EVERYBODY, member("delta"))
ROTATED = changed(CHARTER, "biwa", signing_key=NEW_KEY.verify_key.raw)


def kinds(document: SignedDocument, charter: Charter = CHARTER) -> set[str]:
    draft = verify_draft(document, charter)
    return {f"{c.kind.value} {c.member}".rstrip() for c in changes_of(document, draft, charter)}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (drafted(CHARTER), set()),
        (
            drafted(CHARTER, NODE["aoba"], NODE["delta"], IDENTITY["delta"], members=JOINED, q=4),
            {"join delta", "quorum"},
        ),
        (
            drafted(
                CHARTER,
                NODE["aoba"],
                NODE["delta"],
                IDENTITY["delta"],
                members=(*EVERYBODY, member("delta", role=WITNESS)),
                q=4,
            ),
            {"join delta", "quorum"},
        ),
        (drafted(CHARTER, members=without(CHARTER, "bridge")), {"expel bridge"}),
        (
            drafted(CHARTER, IDENTITY["bridge"], members=without(CHARTER, "bridge")),
            {"leave bridge"},
        ),
        (drafted(CHARTER, members=changed(CHARTER, "seeds", role=WITNESS)), {"role seeds"}),
        (drafted(CHARTER, members=changed(CHARTER, "seeds", credit_limit=7)), {"limit seeds"}),
        (drafted(CHARTER, members=changed(CHARTER, "seeds", contact="x")), {"details seeds"}),
        (drafted(CHARTER, IDENTITY["biwa"], NEW_KEY, members=ROTATED), {"node-keys biwa"}),
        (drafted(CHARTER, q=4), {"quorum"}),
        (drafted(CHARTER, b=0), {"quorum"}),
        (drafted(CHARTER, policy=Policy(answer_days=9)), {"policy"}),
        (drafted(CHARTER, name="ほか"), {"name"}),
    ],
    ids=lambda value: ",".join(sorted(value)) or "nothing" if isinstance(value, set) else "",
)
def test_a_draft_says_what_it_changes(document: SignedDocument, expected: set[str]) -> None:
    assert kinds(document) == expected


def test_a_draft_reads_back_as_it_was_written() -> None:
    draft = next_draft(CHARTER, members=without(CHARTER, "bridge"))
    assert draft.closed == ("bridge",)
    assert parse_draft(draft.encode_draft()) == draft
    assert draft.draft == draft.encode_draft()


# --- What a draft may not do. ---


def altered(**changes: object) -> SignedDocument:
    """A draft as somebody writes it who does not ask `next_draft`."""
    draft = replace(next_draft(CHARTER), draft=b"")
    return signed_draft(replace(draft, **changes))  # type: ignore[arg-type]


TAKEN = changed(CHARTER, "biwa", signing_key=CHARTER.member("bridge").signing_key)
CROSSED = changed(
    CHARTER,
    "biwa",
    signing_key=IDENTITY["biwa"].verify_key.raw,
    identity_key=NEW_KEY.verify_key.raw,
)


@pytest.mark.parametrize(
    ("document", "code", "sentence"),
    [
        (altered(version=1), "charter-rollback", "version 1 is not above ours, 1"),
        (altered(version=3), "charter-skipped", "version 3 does not follow 1"),
        (altered(previous=bytes(32)), "charter-fork", "another version 1 than ours"),
        (altered(alliance="other"), "draft-invalid", "keeps its id for ever"),
        (altered(q=5), "draft-invalid", "5 votes can never be had from 4 members"),
        (altered(q=2), "draft-invalid", "q=2 of 4 would let 1 liars certify two orders"),
        (altered(b=2), "draft-invalid", "q=3 of 4 would let 2 liars certify two orders"),
        (altered(members=(), closed=()), "draft-invalid", "at least one member with an account"),
        (altered(members=without(CHARTER, "bridge")), "draft-invalid", "closed accounts"),
        (altered(closed=("zeta",)), "draft-invalid", "closed accounts"),
        (altered(closed=("bridge",)), "draft-invalid", "bridge names a closed account"),
        (altered(closed=("b", "a")), "draft-invalid", "not sorted"),
        (
            altered(members=tuple(m for m in TAKEN if m.id != "bridge"), closed=("bridge",)),
            "draft-invalid",
            "a key of bridge would become a key of biwa",
        ),
        (altered(members=CROSSED), "draft-invalid", "would change places"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_draft_that_may_not_be_is_refused_with_the_reason(
    document: SignedDocument, code: str, sentence: str
) -> None:
    with pytest.raises(errors.ProtocolError) as refusal:
        verify_draft(document, CHARTER)
    assert refusal.value.code == code
    assert sentence in refusal.value.detail


def test_a_quorum_that_lost_its_members_is_refused_before_anybody_signs() -> None:
    with pytest.raises(errors.DraftInvalid, match="can never be had from 2 members"):
        next_draft(CHARTER, members=without(CHARTER, "bridge", "seeds"))


def test_the_name_of_a_closed_account_is_never_given_again() -> None:
    _, second = enact(CHARTER, members=without(CHARTER, "bridge"))
    with pytest.raises(errors.DraftInvalid, match="bridge names a closed account"):
        next_draft(second, members=(*second.members, member("bridge")))


def test_a_witness_keeps_no_account_and_the_one_it_had_is_closed() -> None:
    _, second = enact(CHARTER, members=changed(CHARTER, "bridge", role=WITNESS))
    assert second.closed == ("bridge",)
    assert "bridge" not in second.accounts
    assert NODE["bridge"].keyid in second.keys


# --- Who signs a draft. ---


def with_delta(*keys: SigningKey) -> SignedDocument:
    return drafted(CHARTER, *keys, members=JOINED, q=4)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (with_delta(NODE["aoba"]), "signature-missing"),
        (with_delta(NODE["aoba"], NODE["delta"]), "signature-missing"),
        (with_delta(NODE["aoba"], IDENTITY["delta"]), "signature-missing"),
        # No committee introduces itself: a newcomer's word alone is nobody's draft.
        (with_delta(NODE["delta"], IDENTITY["delta"]), "draft-invalid"),
        (drafted(CHARTER, NODE["echo"]), "draft-invalid"),
        (drafted(CHARTER, IDENTITY["biwa"], members=ROTATED), "signature-missing"),
        (drafted(CHARTER, NEW_KEY, members=ROTATED), "draft-invalid"),
        (sign("charter", next_draft(CHARTER).draft, NODE["aoba"]), "document-invalid"),
    ],
    ids=[
        "newcomer-silent",
        "identity-silent",
        "node-silent",
        "newcomer-alone",
        "stranger",
        "new-key-silent",
        "new-key-alone",
        "another-kind",
    ],
)
def test_a_draft_without_the_signatures_it_needs_is_refused(
    document: SignedDocument, code: str
) -> None:
    assert refusal_of(lambda: verify_draft(document, CHARTER)) == code


def test_a_forged_acceptance_is_refused() -> None:
    document = with_delta(NODE["aoba"], NODE["delta"], IDENTITY["delta"])
    first, second, third = document.signatures
    forged = replace(document, signatures=(first, second, third._replace(value=second.value)))
    assert refusal_of(lambda: verify_draft(forged, CHARTER)) == "signature-invalid"


# --- Who has to look. ---

ROTATION = drafted(CHARTER, IDENTITY["biwa"], NEW_KEY, members=ROTATED)
SEALING_TOO = changed(
    CHARTER, "biwa", signing_key=NEW_KEY.verify_key.raw, sealing_key=NEW_SEALING.public.raw
)
LIMIT_TOO = changed(CHARTER, "biwa", signing_key=NEW_KEY.verify_key.raw, credit_limit=999)


@pytest.mark.parametrize(
    "document",
    [
        drafted(CHARTER),
        ROTATION,
        drafted(CHARTER, IDENTITY["biwa"], NEW_KEY, members=SEALING_TOO),
        drafted(
            CHARTER,
            IDENTITY["biwa"],
            members=changed(CHARTER, "biwa", sealing_key=NEW_SEALING.public.raw),
        ),
    ],
    ids=["nothing", "node-key", "both-keys", "sealing-key"],
)
def test_nodes_approve_by_themselves_of_a_rotation_and_of_nothing(document: SignedDocument) -> None:
    verify_draft(document, CHARTER)
    assert needs_people(document, CHARTER) == ""


SWAPPED = tuple(
    replace(m, sealing_key=(NEW_SEALING if m.id == "biwa" else SEALING["fuji"]).public.raw)
    if m.id in ("biwa", "seeds")
    else m
    for m in EVERYBODY
)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (drafted(CHARTER, NODE["biwa"], NEW_KEY, members=ROTATED), "identity key of biwa"),
        (drafted(CHARTER, IDENTITY["aoba"], NEW_KEY, members=ROTATED), "identity key of biwa"),
        (drafted(CHARTER, IDENTITY["biwa"], NEW_KEY, members=LIMIT_TOO), "limit biwa"),
        (
            drafted(CHARTER, IDENTITY["biwa"], NEW_KEY, members=ROTATED, b=0),
            "more than a node's keys: quorum",
        ),
        (drafted(CHARTER, IDENTITY["biwa"], members=SWAPPED), "more than one member"),
        (
            drafted(
                CHARTER,
                IDENTITY["biwa"],
                NEW_KEY,
                members=changed(CHARTER, "biwa", identity_key=NEW_KEY.verify_key.raw),
            ),
            "identity biwa",
        ),
        (drafted(CHARTER, IDENTITY["bridge"], members=without(CHARTER, "bridge")), "leave bridge"),
    ],
    ids=["by-the-node", "by-another", "limit", "quorum", "two-members", "identity", "leave"],
)
def test_a_person_looks_at_everything_else_and_is_told_why(
    document: SignedDocument, reason: str
) -> None:
    verify_draft(document, CHARTER)
    assert reason in needs_people(document, CHARTER)
    with pytest.raises(errors.DraftInvalid, match=reason):
        verify_rotation(document, CHARTER)


def test_a_rotation_is_proven_as_one() -> None:
    assert verify_rotation(ROTATION, CHARTER).member("biwa").signing_key == NEW_KEY.verify_key.raw
    assert refusal_of(lambda: verify_rotation(drafted(CHARTER), CHARTER)) == "draft-invalid"


FIELDS: list[Callable[[], SignedDocument]] = [
    lambda: drafted(CHARTER, IDENTITY["biwa"], NEW_KEY, members=ROTATED, name="ほか"),
    lambda: drafted(CHARTER, IDENTITY["biwa"], NEW_KEY, members=ROTATED, policy=Policy(1, 9)),
]


@pytest.mark.parametrize("make", FIELDS, ids=["name", "policy"])
def test_a_rotation_cannot_carry_something_else_along(make: Callable[[], SignedDocument]) -> None:
    assert make().kind == DRAFT
    assert needs_people(make(), CHARTER)
