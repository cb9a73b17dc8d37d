"""The sponsor's door for newcomers: what it takes, and what it refuses with nothing changed."""

import json
from collections.abc import Iterator

import pytest
from werkzeug.test import TestResponse

from node import models
from node.database import Database
from node.services import decrees
from node.services import joining as joinings
from node.services.joining import InvitationView
from protocol import DRAFT, JoinAnswer, SignedDocument, SigningKey, decree, errors, limits, sign
from tests.equipment.alliance import Alliance, House
from tests.equipment.databases import Databases
from tests.equipment.deciding import approve, decide, enact, in_force, limited, propose, tell
from tests.equipment.newcomers import Newcomer, invite, newcomer
from tests.equipment.web_house import WebHouse


@pytest.fixture
def delta(alliance: Alliance, sqlite_databases: Databases) -> Iterator[Newcomer]:
    with sqlite_databases.fresh() as url:
        database = Database(url)
        yield newcomer(alliance, database)
        database.close()


@pytest.fixture
def door(alliance: Alliance) -> WebHouse:
    return WebHouse(alliance["aoba"])


def post(door: WebHouse, what: str, body: bytes) -> TestResponse:
    return door.app.test_client().post(
        f"/join/v1/{what}", data=body, content_type="application/octet-stream"
    )


def code_of(answer: TestResponse) -> str:
    assert answer.content_type == "application/problem+json"
    return str(json.loads(answer.data)["code"])


def invited(house: House) -> InvitationView:
    with house.database.reading() as session:
        return joinings.invitation(session, house.context, "delta")


def admit(house: House, typed: dict[int, str]) -> decrees.DraftView:
    with house.database.transaction() as session:
        return joinings.admit(session, house.context, "delta", typed, actor="cli")


def draft_of(house: House, view: decrees.DraftView) -> SignedDocument:
    with house.database.reading() as session:
        return decrees.news(session, in_force(house), view.digest).draft


def accepted(delta: Newcomer, answer: JoinAnswer) -> bytes:
    assert answer.draft is not None
    return answer.draft.add(delta.identity).add(delta.house.context.keyring.signing).encode()


def test_from_the_invitation_to_a_decree(
    alliance: Alliance, delta: Newcomer, door: WebHouse
) -> None:
    aoba = alliance["aoba"]
    file = invite(aoba)
    request = delta.request(file)
    first = JoinAnswer.parse(post(door, "requests", request).data)
    assert first.draft is None
    assert decree.verify_chain(first.charters, alliance.charter.digest)
    assert invited(aoba).state == "answered"

    view = admit(aoba, delta.spoken)
    assert view.lacks == "signature-missing"
    second = JoinAnswer.parse(post(door, "requests", request).data)
    assert post(door, "acceptances", accepted(delta, second)).status_code == 200
    for name in ("biwa", "seeds", "bridge"):
        tell(aoba, alliance[name], view.digest)
        approve(alliance[name], view.digest)
        tell(aoba, alliance[name], view.digest)
    enacted = decide(alliance, "aoba", ("aoba", "biwa", "seeds", "bridge"))
    assert enact(aoba, enacted)
    assert invited(aoba).state == "joined"
    assert in_force(aoba).q == 4

    # The newcomer holds version 1 and follows, as a member that missed everything.
    delta.enter(file)
    assert in_force(delta.house).version == 1
    with delta.house.database.transaction() as session:
        assert decrees.note(session, delta.house.context, enacted.encode())
    assert enact(delta.house, enacted)
    assert "delta" in in_force(delta.house).by_id


def test_what_is_no_request_changes_nothing(
    alliance: Alliance, delta: Newcomer, door: WebHouse
) -> None:
    aoba = alliance["aoba"]
    file = invite(aoba)
    request = delta.request(file)
    altered = request[:-1] + bytes([request[-1] ^ 1])
    assert code_of(post(door, "requests", b"")) == "cannot-decrypt"
    assert code_of(post(door, "requests", altered)) == "cannot-decrypt"
    too_large = bytes(limits.JOIN_REQUEST_BYTES_MAX * 2 + 1)
    assert code_of(post(door, "requests", too_large)) == "too-large"
    assert code_of(post(door, "acceptances", b"{}")) == "document-invalid"
    alliance.clock.move(limits.INVITATION_S)
    assert code_of(post(door, "requests", request)) == "invitation-expired"
    assert invited(aoba).state == "expired"

    # Written again, only the newer one counts.
    newer = invite(aoba)
    assert code_of(post(door, "requests", request)) == "invitation-invalid"
    assert post(door, "requests", delta.request(newer)).status_code == 200
    alliance.clock.move(limits.INVITATION_S)
    assert post(door, "requests", delta.request(newer)).status_code == 200, "it came in time"


def test_who_only_guesses_is_sent_away(door: WebHouse) -> None:
    codes = [code_of(post(door, "requests", bytes(64))) for _ in range(31)]
    assert set(codes[:30]) == {"cannot-decrypt"}
    assert codes[30] == "rate-limited"


def test_another_voice_is_not_admitted(alliance: Alliance, delta: Newcomer, door: WebHouse) -> None:
    aoba = alliance["aoba"]
    file = invite(aoba)
    with pytest.raises(joinings.NotAnswered):
        admit(aoba, delta.spoken)
    assert post(door, "requests", delta.request(file)).status_code == 200
    with pytest.raises(errors.FingerprintMismatch):
        admit(aoba, {**delta.spoken, 3: "00000"})
    with aoba.database.reading() as session:
        assert decrees.views(session, aoba.context) == []
    with pytest.raises(joinings.InvitationUnknown), aoba.database.reading() as session:
        joinings.invitation(session, aoba.context, "echo")


def test_only_the_newcomer_s_own_signatures_count(
    alliance: Alliance, delta: Newcomer, door: WebHouse
) -> None:
    aoba = alliance["aoba"]
    file = invite(aoba)
    post(door, "requests", delta.request(file))
    view = admit(aoba, delta.spoken)
    draft = draft_of(aoba, view)
    stranger = draft.add(SigningKey.generate())
    assert code_of(post(door, "acceptances", stranger.encode())) == "draft-invalid"
    other = sign(DRAFT, limited(alliance.charter, "biwa", 7).encode_draft(), delta.identity)
    assert code_of(post(door, "acceptances", other.encode())) == "invitation-invalid"
    with aoba.database.reading() as session:
        assert decrees.view(session, aoba.context, view.digest).lacks == "signature-missing"


def test_a_decree_that_comes_first_asks_for_a_new_draft(
    alliance: Alliance, delta: Newcomer, door: WebHouse
) -> None:
    aoba = alliance["aoba"]
    file = invite(aoba)
    post(door, "requests", delta.request(file))
    view = admit(aoba, delta.spoken)
    draft = draft_of(aoba, view)
    # The newcomer has not signed, so the other draft is the one that is ready.
    digest = propose(aoba, limited(alliance.charter, "biwa", 33))
    for name in ("biwa", "seeds"):
        tell(aoba, alliance[name], digest)
        approve(alliance[name], digest)
        tell(aoba, alliance[name], digest)
    assert enact(aoba, decide(alliance, "aoba", ("aoba", "biwa", "seeds")))
    late = draft.add(delta.identity).add(delta.house.context.keyring.signing)
    assert code_of(post(door, "acceptances", late.encode())) == "draft-invalid"
    answer = JoinAnswer.parse(post(door, "requests", delta.request(file)).data)
    assert answer.draft is None
    again = admit(aoba, delta.spoken)
    assert again.version == 3
    answer = JoinAnswer.parse(post(door, "requests", delta.request(file)).data)
    assert post(door, "acceptances", accepted(delta, answer)).status_code == 200


def test_a_node_holds_to_one_alliance(alliance: Alliance, delta: Newcomer) -> None:
    file = invite(alliance["aoba"])
    delta.enter(file)
    delta.enter(file)
    with delta.house.database.reading() as session:
        assert session.query(models.Charter).count() == 1
        assert session.query(models.Peer).count() == 4
