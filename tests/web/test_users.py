"""Users: made, changed, given new passwords; each act in the audit log, none of it personal."""

import re

import pytest
from sqlalchemy import select

from node import models
from node.services import audit, users
from tests.equipment.web_house import PASSWORD, Visitor, WebHouse

NEW = {"name": "田中 美咲", "login": "misaki", "role": "recruiter", "password": "hashiru-mainichi"}


def user_named(web: WebHouse, login: str) -> models.User | None:
    with web.node.database.reading() as session:
        return session.scalar(select(models.User).where(models.User.login == login))


def sign_in(web: WebHouse, login: str, password: str) -> int:
    return web.visitor().post("/sign-in", {"login": login, "password": password}).status_code


def test_a_new_user_can_sign_in_with_the_password_that_was_entered(web: WebHouse) -> None:
    answer = web.signed_in("admin").post("/users/new", NEW)
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    assert "ユーザーを追加しました" in page
    assert NEW["password"] not in page, "what was typed need not be shown again"
    assert sign_in(web, "misaki", NEW["password"]) == 302


def test_a_blank_password_is_made_and_shown_once(web: WebHouse) -> None:
    admin = web.signed_in("admin")
    page = admin.post("/users/new", NEW | {"password": ""}).get_data(as_text=True)
    made = re.search(r'id="password">([^<]+)<', page)
    assert made
    assert sign_in(web, "misaki", made[1]) == 302
    user = user_named(web, "misaki")
    assert user
    assert made[1] not in admin.get(f"/users/{user.id}").get_data(as_text=True)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"login": "山田"}, "半角の英小文字"),
        ({"login": "a"}, "半角の英小文字"),
        ({"login": "admin"}, "すでに使われています"),
        ({"name": " "}, "入力してください。"),
        ({"name": "あ" * 81}, "80文字以内"),
        ({"role": "owner"}, "権限を選択してください"),
        ({"password": "123456789"}, "10文字以上"),
        ({"password": "a" * 257}, "256文字以内"),
        ({"password": "password123"}, "推測されやすい"),
        ({"password": "misaki-misaki"}, "推測されやすい"),
        ({"password": "aaaaaaaaaaaa"}, "推測されやすい"),
    ],
    ids=lambda value: str(value)[:24] if isinstance(value, dict) else "",
)
def test_what_cannot_be_is_said_at_the_field_and_nothing_is_made(
    web: WebHouse, wrong: dict[str, str], sentence: str
) -> None:
    admin = web.signed_in("admin")
    answer = admin.post("/users/new", NEW | wrong)
    page = answer.get_data(as_text=True)

    assert answer.status_code == 422
    assert sentence in page
    assert f'id="{next(iter(wrong))}-error"' in page
    assert 'aria-invalid="true"' in page
    with web.node.database.reading() as session:
        assert len(users.listing(session)) == 1


def test_a_long_passphrase_is_welcome(web: WebHouse) -> None:
    phrase = "満員電車で襷をつなぐ " * 20
    web.signed_in("admin").post("/users/new", NEW | {"password": phrase})
    assert sign_in(web, "misaki", phrase) == 302


def test_nobody_can_set_what_the_page_does_not_offer(web: WebHouse) -> None:
    web.signed_in("admin").post(
        "/users/new", NEW | {"id": "chosen", "active": "", "created_at": "1"}
    )
    made = user_named(web, "misaki")
    assert made
    assert made.id != "chosen"
    assert made.active
    assert made.created_at == web.clock.now()


def test_whoever_loses_rights_is_signed_out_at_once(web: WebHouse) -> None:
    admin, recruiter = web.signed_in("admin"), web.signed_in("recruiter")
    user = web.user("recruiter")
    assert recruiter.get("/").status_code == 200

    answer = admin.post(f"/users/{user.id}", {"name": "佐藤 次郎", "role": "recruiter"})

    assert (answer.status_code, answer.location) == (302, "/users")
    assert "佐藤 次郎さんの変更を保存しました。" in admin.get("/users").get_data(as_text=True)
    assert recruiter.get("/").status_code == 302
    assert sign_in(web, "recruiter", PASSWORD) == 422


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"role": "viewer", "active": "yes"}, "ご自身の権限は変更できません"),
        ({"role": "admin"}, "ご自身のログインは停止できません"),
    ],
)
def test_nobody_saws_off_their_own_branch(
    web: WebHouse, change: dict[str, str], sentence: str
) -> None:
    admin, me = web.signed_in("admin"), web.user("admin")
    answer = admin.post(f"/users/{me.id}", {"name": me.name, **change})
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)
    unchanged = user_named(web, "admin")
    assert unchanged
    assert (unchanged.role, unchanged.active) == ("admin", True)


def test_the_last_administrator_stays(web: WebHouse) -> None:
    me = web.user("admin")
    with (
        pytest.raises(users.LastAdministrator),
        web.node.database.transaction() as session,
    ):
        users.change(
            session,
            web.node.context,
            me.id,
            name=me.name,
            role="viewer",
            active=True,
            actor="cli",
        )


def test_an_address_for_reminders_is_kept_sealed_and_can_be_taken_back(web: WebHouse) -> None:
    admin = web.signed_in("admin")
    assert admin.post("/users/new", NEW | {"email": " Misaki@Aoba.example "}).status_code == 200
    user = user_named(web, "misaki")
    assert user
    assert user.email_blob
    assert b"aoba.example" not in user.email_blob
    assert 'value="Misaki@aoba.example"' in admin.get(f"/users/{user.id}").get_data(as_text=True)

    form = {"name": user.name, "role": user.role, "active": "yes"}
    wrong = admin.post(f"/users/{user.id}", form | {"email": "みさき"})
    assert (wrong.status_code, "空欄にしてください" in wrong.text) == (422, True)
    assert user_named(web, "misaki").email_blob == user.email_blob  # type: ignore[union-attr]
    assert admin.post(f"/users/{user.id}", form | {"email": ""}).status_code == 302
    after = user_named(web, "misaki")
    assert after
    assert users.mailbox_of(web.node.context, after) == ""


def test_who_chooses_a_language_is_written_to_in_it(web: WebHouse) -> None:
    viewer = web.signed_in("viewer")
    web.visitor().post("/language", {"language": "en"})
    assert user_named(web, "viewer").locale == "ja"  # type: ignore[union-attr]
    assert viewer.post("/language", {"language": "en"}).status_code == 302
    assert user_named(web, "viewer").locale == "en"  # type: ignore[union-attr]
    viewer.post("/language", {"language": "fr"})
    assert user_named(web, "viewer").locale == "en"  # type: ignore[union-attr]


def test_a_new_password_replaces_the_old_one_and_ends_every_session(web: WebHouse) -> None:
    admin, viewer, user = web.signed_in("admin"), web.signed_in("viewer"), web.user("viewer")
    asked = admin.get(f"/users/{user.id}/password").get_data(as_text=True)
    assert "直ちに使えなくなり" in asked
    assert sign_in(web, "viewer", PASSWORD) == 302, "asking changes nothing"

    page = admin.post(f"/users/{user.id}/password").get_data(as_text=True)

    made = re.search(r'id="password">([^<]+)<', page)
    assert made
    assert viewer.get("/").status_code == 302
    assert sign_in(web, "viewer", PASSWORD) == 422
    assert sign_in(web, "viewer", made[1]) == 302


def change_own(visitor: Visitor, **changed: str) -> tuple[int, str]:
    form = {"current": PASSWORD, "password": "hashiru-mainichi", "again": "hashiru-mainichi"}
    answer = visitor.post("/users/me/password", form | changed)
    return answer.status_code, answer.get_data(as_text=True)


def test_everybody_may_change_their_own_password(web: WebHouse) -> None:
    viewer = web.signed_in("viewer")
    status, page = change_own(viewer, current="not mine")
    assert (status, "現在のパスワードが正しくありません" in page) == (422, True)
    status, page = change_own(viewer, again="something else")
    assert (status, "一致しません" in page) == (422, True)
    status, page = change_own(viewer, password="short", again="short")
    assert (status, "10文字以上" in page) == (422, True)

    assert change_own(viewer)[0] == 302
    assert viewer.get("/").status_code == 302, "sign in again, with the new one"
    assert sign_in(web, "viewer", "hashiru-mainichi") == 302


def test_a_user_that_is_not_there_is_a_page_that_is_not_there(web: WebHouse) -> None:
    assert web.signed_in("admin").get("/users/nobody").status_code == 404


def test_the_audit_log_tells_who_did_what_without_names_and_shows_tampering(web: WebHouse) -> None:
    admin = web.signed_in("admin")
    admin.post("/users/new", NEW)
    with web.node.database.reading() as session:
        entries = session.scalars(select(models.AuditEntry).order_by(models.AuditEntry.id)).all()
        assert audit.verify(session) is None
    last = entries[-1]
    made = user_named(web, "misaki")
    assert made
    assert (last.actor, last.action, last.subject) == (web.user("admin").id, "user.create", made.id)
    told = " ".join(f"{e.actor} {e.action} {e.subject} {e.detail}" for e in entries)
    for secret in ("misaki", "美咲", "hashiru", "山田"):
        assert secret not in told

    with web.node.database.transaction() as session:
        entry = session.get(models.AuditEntry, entries[1].id)
        assert entry
        entry.detail = "role=viewer"
    with web.node.database.reading() as session:
        assert audit.verify(session) == entries[1].id
