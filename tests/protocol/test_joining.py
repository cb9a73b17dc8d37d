"""Joining: an invitation, its answer, and two fingerprints read over the telephone."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from protocol import (
    DRAFT,
    Invitation,
    InvitationFile,
    Invited,
    JoinAnswer,
    JoinRequest,
    Member,
    MemberCard,
    SignedDocument,
    decree,
    errors,
    fingerprint,
    joining,
    limits,
    sign,
)
from tests.protocol.cast import NOW
from tests.protocol.decree.drafts import (
    IDENTITY,
    NODE,
    SEALING,
    Table,
    drafted,
    enact,
    founded,
    founding,
    member,
    without,
)
from tests.protocol.refusals import refusal_of

FIRST = founded()
_, CHARTER = enact(FIRST, members=without(FIRST, "bridge"), q=3)
SECRET = bytes(range(16))
DELTA = member("delta")


def invitation(**changes: object) -> Invitation:
    made = joining.invite(
        CHARTER,
        FIRST.digest,
        "aoba",
        member="delta",
        domain="delta.example",
        secret=SECRET,
        now=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


INVITED = Invited.of(invitation())


def card(of: Member = DELTA) -> SignedDocument:
    return MemberCard(of).sign(IDENTITY["delta"], NODE["delta"])


def joined(request: JoinRequest, invited: Invited = INVITED, now: int = NOW) -> Member:
    return joining.verify_request(request, invited, CHARTER, now)


def test_a_newcomer_comes_from_an_invitation_to_a_decree_and_trusts_nobody_on_the_way() -> None:
    invited = Invitation.parse(invitation().encode())
    sponsor = joining.verify_sponsor(invited, FIRST, CHARTER)
    sealed = joining.seal_request(invited, card(), sponsor)
    assert SECRET not in sealed
    request = joining.open_request(sealed, SEALING["aoba"], CHARTER, "aoba")
    delta = joined(request)
    # Each hears the other's fingerprint, and types two of its groups.
    for key in (sponsor.identity_key, delta.identity_key):
        spoken = fingerprint(key).split()
        groups = joining.asked_groups(b"\x07")
        joining.verify_spoken(key, {at: spoken[at] for at in groups})
    keys = NODE["aoba"], NODE["delta"], IDENTITY["delta"]
    draft = drafted(CHARTER, *keys, members=(*CHARTER.members, delta))
    following = decree.verify_decree(Table(CHARTER).decide(draft), CHARTER)
    assert following.member("delta") == DELTA


def test_the_sponsor_keeps_no_secret() -> None:
    assert SECRET not in repr(INVITED).encode()
    assert repr(SECRET) not in repr(invitation())
    assert INVITED.secret_digest != SECRET


@pytest.mark.parametrize(
    ("name", "code"),
    [("biwa", "invitation-invalid"), ("bridge", "invitation-invalid"), ("Ω", "document-invalid")],
    ids=["member", "left", "no-name"],
)
def test_a_name_is_given_only_once(name: str, code: str) -> None:
    def invite() -> Invitation:
        return joining.invite(
            CHARTER, FIRST.digest, "aoba", member=name, domain="x.example", secret=SECRET, now=NOW
        )

    assert refusal_of(invite) == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"founding": bytes(32)}, "charter-invalid"),
        ({"alliance": "other"}, "charter-invalid"),
        ({"sponsor": "bridge"}, "not-a-member"),
        ({"sponsor": "biwa"}, "fingerprint-mismatch"),
        ({"fingerprint": fingerprint(bytes(32))}, "fingerprint-mismatch"),
    ],
    ids=["another-founding", "another-alliance", "has-left", "another-sponsor", "another-key"],
)
def test_a_newcomer_answers_nobody_but_its_sponsor(changes: dict[str, object], code: str) -> None:
    asked = invitation(**changes)
    assert refusal_of(lambda: joining.verify_sponsor(asked, FIRST, CHARTER)) == code


REQUEST = JoinRequest(SECRET, card())


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda: joined(replace(REQUEST, secret=bytes(16))), "invitation-invalid"),
        (lambda: joined(REQUEST, now=NOW + limits.INVITATION_S), "invitation-expired"),
        (lambda: joined(REQUEST, replace(INVITED, is_used=True)), "invitation-used"),
        (lambda: joined(REQUEST, replace(INVITED, member="echo")), "invitation-invalid"),
        (lambda: joined(REQUEST, replace(INVITED, domain="e.example")), "invitation-invalid"),
        (
            lambda: joined(JoinRequest(SECRET, card(replace(DELTA, id="echo")))),
            "invitation-invalid",
        ),
        (
            lambda: joined(JoinRequest(SECRET, card(replace(DELTA, url="https://e.example")))),
            "invitation-invalid",
        ),
        (
            lambda: joined(
                JoinRequest(SECRET, MemberCard(DELTA).sign(IDENTITY["delta"], NODE["echo"]))
            ),
            "signature-missing",
        ),
        (
            lambda: joining.verify_request(
                REQUEST, INVITED, replace(CHARTER, closed=("delta",)), NOW
            ),
            "invitation-invalid",
        ),
    ],
    ids=[
        "secret",
        "late",
        "again",
        "for-another",
        "for-elsewhere",
        "by-another",
        "from-elsewhere",
        "not-its-key",
        "taken-meanwhile",
    ],
)
def test_only_the_invited_member_comes_in_and_only_once(
    ask: Callable[[], Member], code: str
) -> None:
    assert refusal_of(ask) == code


def test_a_request_opens_for_its_sponsor_only() -> None:
    sealed = joining.seal_request(invitation(), card(), CHARTER.member("aoba"))
    for name, charter in (("biwa", CHARTER), ("aoba", replace(CHARTER, alliance="other"))):
        with pytest.raises(errors.CannotDecrypt):
            joining.open_request(sealed, SEALING[name], charter, name)


def test_an_answer_that_comes_too_late_is_not_taken() -> None:
    sealed = joining.seal_request(invitation(), card(), CHARTER.member("aoba"))
    request = joining.open_request(sealed, SEALING["aoba"], CHARTER, "aoba")
    late = NOW + limits.INVITATION_S
    with pytest.raises(errors.InvitationExpired):
        joining.verify_request(request, INVITED, CHARTER, late)


def test_a_newcomer_signs_only_a_member_s_draft_that_enters_it_as_it_is() -> None:
    whole = drafted(CHARTER, members=(*CHARTER.members, replace(DELTA, credit_limit=7)))
    assert joining.verify_draft_of(DELTA, whole, CHARTER).member("delta").credit_limit == 7
    moved = replace(DELTA, url="https://elsewhere.example")
    for document, reason in (
        (drafted(CHARTER, members=(*CHARTER.members, moved)), "otherwise"),
        (drafted(CHARTER), "does not bring"),
        (sign(DRAFT, whole.payload, NODE["delta"]), "no member"),
    ):
        with pytest.raises(errors.DraftInvalid, match=reason):
            joining.verify_draft_of(DELTA, document, CHARTER)


def test_what_the_sponsor_hands_over_is_read_back_as_it_was() -> None:
    chain = decree.encode_chain(founding(), ())
    file = InvitationFile(invitation(), chain)
    assert InvitationFile.parse(file.encode()) == file
    assert decree.founding_of(chain, FIRST.digest).digest == FIRST.digest
    with pytest.raises(errors.CharterInvalid):
        decree.founding_of(chain, bytes(32))
    for answer in (JoinAnswer(chain), JoinAnswer(chain, drafted(CHARTER))):
        assert JoinAnswer.parse(answer.encode()) == answer


def test_one_wrong_digit_stops_the_ceremony_and_its_group_is_named() -> None:
    spoken = fingerprint(DELTA.identity_key).split()
    wrong = f"{(int(spoken[4]) + 1) % 100_000:05d}"
    with pytest.raises(errors.FingerprintMismatch) as refusal:
        joining.verify_spoken(DELTA.identity_key, {1: spoken[1], 4: wrong})
    assert refusal.value.facts["groups"] == [4]


@pytest.mark.parametrize("typed", [{}, {0: "first"}, {0: "first", 9: ""}, {-1: "last", 0: "first"}])
def test_fewer_than_two_groups_prove_nothing(typed: dict[int, str]) -> None:
    spoken = fingerprint(DELTA.identity_key).split()
    words = {"first": spoken[0], "last": spoken[-1]}
    heard = {at: words.get(word, word) for at, word in typed.items()}
    assert refusal_of(lambda: joining.verify_spoken(DELTA.identity_key, heard)) == (
        "fingerprint-mismatch"
    )


def test_every_pair_of_groups_is_asked_for_sooner_or_later() -> None:
    asked = {joining.asked_groups(bytes([drawn])) for drawn in range(256)}
    assert len(asked) == 15
    assert all(one < two < 6 for one, two in asked)
