"""The charter: who belongs, how many are enough, and what no founder may slip in."""

from dataclasses import replace

import pytest

from protocol import (
    CHARTER,
    Licence,
    MemberCard,
    Policy,
    SignedDocument,
    SigningKey,
    errors,
    parse_charter,
    propose_quorum,
    sign,
    unsigned_founders,
    verify_founding,
)
from tests.protocol.alliance import IDENTITY, NAMES, draft, founded, member, signed_by
from tests.protocol.cast import SIGNING

# LEDGER 3's table: members -> (q, b).
TABLE = {
    1: (1, 0),
    2: (2, 1),
    3: (3, 1),
    4: (3, 1),
    5: (4, 1),
    6: (4, 1),
    7: (5, 1),
    8: (6, 2),
    9: (7, 2),
    10: (7, 2),
}


@pytest.mark.parametrize("members", TABLE)
def test_the_quorum_is_the_tables(members: int) -> None:
    assert propose_quorum(members) == TABLE[members]


@pytest.mark.parametrize("members", range(1, 65))
def test_two_quorums_share_more_members_than_may_lie(members: int) -> None:
    q, b = propose_quorum(members)
    assert 2 * q - members > b
    assert q <= members
    # From four on, as many may be away as may lie.
    assert members < 4 or members - q >= b


def test_a_charter_signed_by_every_founder_is_proven() -> None:
    charter = founded()
    assert charter.digest == signed_by(draft(), *NAMES).digest
    assert charter.member("biwa").legal_name == "株式会社biwa"
    assert charter.keys[SIGNING["seeds"].keyid][1] == "seeds"
    assert charter.epoch == charter.version == 1


def test_a_charter_reads_back_as_it_was_written() -> None:
    written = draft(
        members=(replace(member("aoba"), licences=(Licence("13-ユ-999901", "2030-03-31"),)),),
        q=1,
        b=0,
        policy=Policy(redemption="agency", refund_table=((30, 80),)),
    )
    document = signed_by(written, "aoba")
    read = parse_charter(SignedDocument.parse(document.encode()))
    assert replace(read, digest=b"") == written
    assert read.encode() == document.payload


def test_a_charter_that_a_founder_has_not_signed_is_refused_by_name() -> None:
    document = signed_by(draft(), *NAMES[:3])
    assert unsigned_founders(document, parse_charter(document)) == ("bridge",)
    with pytest.raises(errors.CharterInvalid, match="bridge") as refusal:
        verify_founding(document)
    assert refusal.value.facts == {"missing": ["bridge"]}


def test_one_founder_signing_twice_does_not_stand_in_for_another() -> None:
    document = signed_by(draft(), "aoba", "biwa", "seeds", "seeds")
    with pytest.raises(errors.CharterInvalid, match="bridge"):
        verify_founding(document)


def test_a_nodes_key_cannot_sign_a_charter() -> None:
    document = signed_by(draft(), *NAMES).add(SIGNING["aoba"])
    with pytest.raises(errors.CharterInvalid):
        verify_founding(document)


def test_a_forged_founders_signature_is_refused() -> None:
    document = signed_by(draft(), *NAMES)
    last = document.signatures[-1]
    forged = last._replace(value=bytes(64))
    with pytest.raises(errors.SignatureInvalid):
        verify_founding(replace(document, signatures=(*document.signatures[:-1], forged)))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"q": 2}, "liars"),
        ({"q": 5}, "never"),
        ({"b": 3}, "liars"),
        ({"members": (member("aoba"), member("aoba"))}, "share an id"),
        (
            {"members": (member("aoba"), replace(member("aoba"), id="biwa"))},
            "share a key",
        ),
        (
            {"members": (member("aoba"), replace(member("biwa"), url=member("aoba").url))},
            "share an address",
        ),
        (
            {"members": (member("aoba"), replace(member("biwa"), signing_key=bytes(32)))},
            "subgroup",
        ),
        ({"members": (member("aoba", role="witness"),), "q": 1, "b": 0}, "account"),
    ],
    ids=[
        "two-of-four",
        "five-of-four",
        "more-liars-than-overlap",
        "one-id-twice",
        "one-key-twice",
        "one-address-twice",
        "a-key-of-small-order",
        "witnesses-only",
    ],
)
def test_an_unsound_charter_is_refused(changes: dict[str, object], reason: str) -> None:
    members = changes.get("members")
    if isinstance(members, tuple) and len(members) == 2:
        changes = {"q": 2, "b": 1, **changes}
    document = signed_by(draft(**changes), "aoba")
    with pytest.raises((errors.CharterInvalid, errors.KeyInvalid), match=reason):
        parse_charter(document)


def test_only_the_first_version_is_trusted_by_its_founders_alone() -> None:
    document = signed_by(draft(version=2), *NAMES)
    with pytest.raises(errors.CharterInvalid, match="version 1"):
        verify_founding(document)


def test_another_kind_of_document_is_no_charter() -> None:
    with pytest.raises(errors.DocumentInvalid):
        verify_founding(sign("order", draft().encode(), IDENTITY["aoba"]))


def test_a_witness_has_a_vote_and_no_account() -> None:
    members = (*map(member, NAMES[:3]), member("bridge", role="witness"))
    charter = founded(members=members)
    assert "bridge" not in charter.accounts
    assert SIGNING["bridge"].keyid in charter.keys


def test_somebody_who_is_no_member_is_refused_by_code() -> None:
    with pytest.raises(errors.NotAMember):
        founded().member("zeta")


def test_a_member_card_proves_both_keys_it_names() -> None:
    card = MemberCard(member("biwa")).sign(IDENTITY["biwa"], SIGNING["biwa"])
    assert MemberCard.verify(SignedDocument.parse(card.encode())).member == member("biwa")


@pytest.mark.parametrize("signer", [IDENTITY["biwa"], SIGNING["biwa"]], ids=["identity", "node"])
def test_a_member_card_with_one_of_its_keys_is_refused(signer: SigningKey) -> None:
    card = sign("member-card", MemberCard(member("biwa")).encode(), signer)
    with pytest.raises(errors.SignatureMissing):
        MemberCard.verify(card)


def test_a_charter_has_its_own_label() -> None:
    """A card's signature can never pass for a founder's: the two kinds share no label."""
    payload = draft().encode()
    card = sign("member-card", payload, IDENTITY["aoba"])
    relabelled = SignedDocument(CHARTER, payload, card.signatures)
    with pytest.raises(errors.SignatureInvalid):
        unsigned_founders(relabelled, parse_charter(relabelled))
