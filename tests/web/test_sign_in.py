"""Signing in: who is let in, who is slowed down, and when a session ends."""

import pytest
from sqlalchemy import func, select

from node import models
from node.services import sessions
from tests.equipment.web_house import PASSWORD, Visitor, WebHouse


def try_to_sign_in(visitor: Visitor, login: str, password: str) -> int:
    return visitor.post("/sign-in", {"login": login, "password": password}).status_code


def rows(web: WebHouse, table: type[models.Model]) -> int:
    with web.node.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_whoever_knows_the_password_is_let_in_and_comes_to_the_page_they_asked_for(
    web: WebHouse, visitor: Visitor
) -> None:
    web.user("admin")
    asked = visitor.get("/users")
    assert asked.status_code == 302
    assert asked.location == "/sign-in?next=/users"

    form = {"login": "admin", "password": PASSWORD, "next": "/users"}
    answer = visitor.post("/sign-in", form)

    assert (answer.status_code, answer.location) == (302, "/users")
    assert "ユーザー" in visitor.get("/users").get_data(as_text=True)


@pytest.mark.parametrize(
    ("login", "password"),
    [("admin", "ekiden no tasuki!"), ("nobody", PASSWORD), ("admin", PASSWORD.upper())],
    ids=["wrong password", "unknown login", "wrong case"],
)
def test_a_wrong_password_and_an_unknown_login_are_answered_alike(
    web: WebHouse, visitor: Visitor, login: str, password: str
) -> None:
    web.user("admin")
    answer = visitor.post("/sign-in", {"login": login, "password": password})

    assert answer.status_code == 422
    assert "ユーザー名またはパスワードが正しくありません。" in answer.get_data(as_text=True)
    assert rows(web, models.UserSession) == 0


def test_a_deactivated_user_is_not_let_in(web: WebHouse, visitor: Visitor) -> None:
    user = web.user("viewer")
    admin = web.signed_in("admin")
    admin.post(f"/users/{user.id}", {"name": user.name, "role": "viewer"})

    assert try_to_sign_in(visitor, "viewer", PASSWORD) == 422


def test_guessing_one_login_is_slowed_down_and_ends_by_itself(
    web: WebHouse, visitor: Visitor
) -> None:
    web.user("admin")
    for _ in range(sessions.ATTEMPTS_MAX):
        assert try_to_sign_in(visitor, "admin", "not this one") == 422

    refused = visitor.post("/sign-in", {"login": "admin", "password": PASSWORD})
    assert refused.status_code == 429, "the right password must not tell a guesser anything"
    assert int(refused.headers["Retry-After"]) <= sessions.ATTEMPTS_WINDOW_S
    assert "一時的に受け付けを止めています" in refused.get_data(as_text=True)

    web.clock.move(sessions.ATTEMPTS_WINDOW_S)
    assert try_to_sign_in(visitor, "admin", PASSWORD) == 302


def test_strangers_lock_nobody_out_of_their_own_browser(web: WebHouse, visitor: Visitor) -> None:
    web.user("admin")
    assert try_to_sign_in(visitor, "admin", PASSWORD) == 302
    visitor.client.delete_cookie("tasuki-aoba")
    for number in range(sessions.ATTEMPTS_OF_LOGIN_MAX):
        fail(web, "admin", f"203.0.113.{number}")
    for number in range(sessions.ATTEMPTS_OF_ADDRESS_MAX):
        fail(web, f"person{number}", "127.0.0.1")

    assert try_to_sign_in(web.visitor(), "admin", PASSWORD) == 429, "a browser nobody knows"
    assert try_to_sign_in(visitor, "admin", PASSWORD) == 302


def test_a_known_browser_has_as_many_tries_as_any_and_only_for_its_own_login(
    web: WebHouse, visitor: Visitor
) -> None:
    web.user("admin")
    web.user("viewer")
    assert try_to_sign_in(visitor, "admin", PASSWORD) == 302
    visitor.client.delete_cookie("tasuki-aoba")
    for number in range(sessions.ATTEMPTS_OF_LOGIN_MAX):
        fail(web, "viewer", f"203.0.113.{number}")
    assert try_to_sign_in(visitor, "viewer", PASSWORD) == 429, "the mark is another login's"

    for _ in range(sessions.ATTEMPTS_MAX):
        assert try_to_sign_in(visitor, "admin", "not this one") == 422
    assert try_to_sign_in(visitor, "admin", PASSWORD) == 429


@pytest.mark.parametrize("mark", ["", ".", "x", "x.y", "x." + "y" * 22, "x" * 500, "é.é"])
def test_a_made_up_mark_makes_no_browser_known(web: WebHouse, visitor: Visitor, mark: str) -> None:
    web.user("admin")
    for number in range(sessions.ATTEMPTS_OF_LOGIN_MAX):
        fail(web, "admin", f"203.0.113.{number}")
    visitor.client.set_cookie("tasuki-aoba-known", mark)
    assert try_to_sign_in(visitor, "admin", PASSWORD) == 429


def fail(web: WebHouse, login: str, address: str) -> None:
    """Somebody fails to sign in from there, without the slow password."""
    with web.node.database.transaction() as session:
        sessions.record_failure(session, web.node.context, sessions.Attempt(login, address))


def test_one_address_cannot_go_through_many_logins(web: WebHouse, visitor: Visitor) -> None:
    for number in range(sessions.ATTEMPTS_OF_ADDRESS_MAX):
        fail(web, f"person{number}", "127.0.0.1")
    assert try_to_sign_in(visitor, "person99", "not this one") == 429

    elsewhere = {"X-Forwarded-For": "203.0.113.9"}
    form = {"login": "person99", "password": "not this one"}
    assert visitor.post("/sign-in", form, headers=elsewhere).status_code == 422


def test_only_the_nearest_proxy_says_where_a_client_is(web: WebHouse, visitor: Visitor) -> None:
    """Whatever a client puts before the proxy's own entry changes nothing."""
    for number in range(sessions.ATTEMPTS_MAX):
        claimed = {"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.9"}
        visitor.post("/sign-in", {"login": f"x{number}", "password": "no"}, headers=claimed)
    with web.node.database.reading() as session:
        keys = session.scalars(select(models.SignInAttempt.key).distinct()).all()
    assert len(keys) == 2 * sessions.ATTEMPTS_MAX + 1, "one key of the address, no more"


def test_neither_login_nor_address_is_kept_with_an_attempt(web: WebHouse, visitor: Visitor) -> None:
    try_to_sign_in(visitor, "canary@example.jp", "wrong password")
    with web.node.database.reading() as session:
        kept = b"".join(session.scalars(select(models.SignInAttempt.key)))
    assert b"canary" not in kept
    assert b"127.0.0.1" not in kept


def test_every_sign_in_gives_a_new_token_that_is_stored_hashed(
    web: WebHouse, visitor: Visitor
) -> None:
    web.user("admin")
    tokens = []
    for _ in range(2):
        answer = visitor.post("/sign-in", {"login": "admin", "password": PASSWORD})
        token = answer.headers.getlist("Set-Cookie")
        tokens.append(next(c for c in token if c.startswith("tasuki-aoba=")).partition(";")[0])
        visitor.client.delete_cookie("tasuki-aoba")

    assert tokens[0] != tokens[1]
    with web.node.database.reading() as session:
        stored = session.scalars(select(models.UserSession.token_hash)).all()
    assert len(stored) == 2
    assert not any(token.encode() in hashed for hashed in stored for token in tokens)


def test_signing_out_ends_the_session_in_the_store_too(web: WebHouse) -> None:
    admin = web.signed_in("admin")
    kept = admin.client.get_cookie("tasuki-aoba")
    assert kept is not None
    assert admin.post("/sign-out").status_code == 302
    assert rows(web, models.UserSession) == 0

    admin.client.set_cookie("tasuki-aoba", kept.value)
    assert admin.get("/").status_code == 302, "a stolen cookie is worth nothing after sign-out"


@pytest.mark.parametrize(
    ("used_every_s", "uses", "still"),
    [
        (sessions.SESSION_IDLE_S - 60, 3, True),
        (sessions.SESSION_IDLE_S, 1, False),
        (3600, sessions.SESSION_S // 3600, False),
    ],
    ids=["in use", "left alone", "longer than a working day"],
)
def test_a_session_ends_when_it_is_left_alone_and_after_a_working_day(
    web: WebHouse, used_every_s: int, uses: int, still: bool
) -> None:
    admin = web.signed_in("admin")
    status = 200
    for _ in range(uses):
        web.clock.move(used_every_s)
        status = admin.get("/").status_code
    assert status == (200 if still else 302)


def test_a_session_that_is_used_costs_one_write_a_minute(web: WebHouse) -> None:
    admin = web.signed_in("admin")

    def seen_at() -> int | None:
        with web.node.database.reading() as session:
            return session.scalar(select(models.UserSession.seen_at))

    began = seen_at()
    web.clock.move(sessions.SEEN_EVERY_S - 1)
    admin.get("/")
    assert seen_at() == began
    web.clock.move(1)
    admin.get("/")
    assert seen_at() == web.clock.now()


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\n/x"],
)
def test_nobody_is_sent_to_another_site_after_signing_in(
    web: WebHouse, visitor: Visitor, elsewhere: str
) -> None:
    web.user("admin")
    form = {"login": "admin", "password": PASSWORD, "next": elsewhere}
    assert visitor.post("/sign-in", form).location == "/"


def test_the_language_is_japanese_until_somebody_chooses(visitor: Visitor) -> None:
    assert "<h1>ログイン</h1>" in visitor.get("/sign-in").get_data(as_text=True)

    chosen = visitor.post("/language", {"language": "en", "back": "/sign-in?next=/users"})

    assert chosen.location == "/sign-in?next=/users"
    page = visitor.get("/sign-in").get_data(as_text=True)
    assert "<h1>Sign in</h1>" in page
    assert '<html lang="en">' in page
    visitor.post("/language", {"language": "xx", "back": "https://evil.example"})
    assert "<h1>Sign in</h1>" in visitor.get("/sign-in").get_data(as_text=True)


def test_what_was_typed_survives_a_refusal_but_not_the_password(visitor: Visitor) -> None:
    page = visitor.post("/sign-in", {"login": "hanako", "password": "typed"}).get_data(as_text=True)
    assert 'value="hanako"' in page
    assert "typed" not in page
