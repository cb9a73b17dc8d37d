"""Private links: one token each, only its hash stored, and a reason for each that does not open."""

import hashlib

import pytest
from sqlalchemy import select

from node import models
from node.refusals import Refusal
from node.services import links
from tests.equipment.notices_room import Room


def issued(room: Room) -> tuple[str, str]:
    (applicant,) = room.applicants(1)
    context = room.node.context
    with room.node.database.transaction() as session:
        expires_at = context.now() + links.LIFE_S
        return links.issue(session, context, applicant, expires_at=expires_at)


def refusal_of(room: Room, token: str) -> str:
    """Ask for the link, and see that asking changed nothing."""
    with room.node.database.reading() as session:
        before = [vars(row).copy() for row in session.scalars(select(models.Link))]
        with pytest.raises(Refusal) as refused:
            links.find(session, room.node.context, token)
        session.expire_all()
        after = [vars(row).copy() for row in session.scalars(select(models.Link))]
    for rows in (before, after):
        for row in rows:
            row.pop("_sa_instance_state")
    assert before == after
    return refused.value.code


def test_a_link_opens_and_only_its_hash_is_stored(room: Room) -> None:
    link_id, token = issued(room)
    with room.node.database.reading() as session:
        found = links.find(session, room.node.context, token)
        assert link_id == found.id
        assert hashlib.sha256(token.encode()).digest() == found.token_hash
        assert token not in repr(vars(found))
    assert len(token) == 22, "128 bits"


def test_the_same_link_has_the_same_token_whenever_it_is_rendered(room: Room) -> None:
    link_id, token = issued(room)
    assert token == links.token_of(room.node.context, link_id)
    assert f"http://127.0.0.1:9100/l/{token}" == links.url_of(room.node.context, token)


@pytest.mark.parametrize("token", ["", "a", "x" * 22, "../../etc/passwd", "あ" * 22, "x" * 9999])
def test_a_token_that_was_never_issued_is_unknown(room: Room, token: str) -> None:
    issued(room)
    assert refusal_of(room, token) == "link-unknown"


def test_an_expired_link_says_so(room: Room) -> None:
    _, token = issued(room)
    room.clock.move(links.LIFE_S - 1)
    with room.node.database.reading() as session:
        links.find(session, room.node.context, token)
    room.clock.move(1)
    assert refusal_of(room, token) == "link-expired"


def test_a_used_link_says_so_and_cannot_be_revoked_any_more(room: Room) -> None:
    link_id, token = issued(room)
    with room.node.database.transaction() as session:
        links.mark_used(session, room.node.context, link_id)
        links.revoke(session, room.node.context, [link_id])
    assert refusal_of(room, token) == "link-used"


def test_a_revoked_link_says_so(room: Room) -> None:
    link_id, token = issued(room)
    with room.node.database.transaction() as session:
        links.revoke(session, room.node.context, [link_id])
    assert refusal_of(room, token) == "link-revoked"


def test_that_a_person_came_is_recorded_once_with_the_first_time(room: Room) -> None:
    link_id, token = issued(room)
    first = room.clock.now()
    for _ in range(2):
        with room.node.database.transaction() as session:
            links.mark_opened(session, room.node.context, link_id)
        room.clock.move(60)
    with room.node.database.reading() as session:
        assert first == links.look(session, token).opened_at
