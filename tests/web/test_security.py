"""What holds on every page: headers, cookies, tokens, roles, and refusals that say what to do."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from node import models
from node.app import STATIC, create_app
from node.refusals import ValueInvalid
from tests.equipment.web_house import Visitor, WebHouse

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}


# Mail providers press it without having seen a page (RFC 8058); all it does is to end the mail.
MAIL_PROGRAMS_BUTTON = "/l/nothing-there/stop"


def routes(web: WebHouse, method: str) -> list[str]:
    """Every address of the pages that takes `method`, with something in place of its variables."""
    return [
        re.sub(r"<[^>]+>", "nothing-there", re.sub(r"<int:[^>]+>", "1", rule.rule))
        for rule in web.app.url_map.iter_rules()
        if method in (rule.methods or ())
        # No pages: nobody is signed in there.
        and rule.endpoint.partition(".")[0] not in ("peer", "joining")
    ]


def test_every_page_forbids_what_a_browser_might_do_behind_its_back(web: WebHouse) -> None:
    for visitor in (web.visitor(), web.signed_in("admin")):
        for path in routes(web, "GET"):
            answer = visitor.get(path)
            assert set(answer.headers["Content-Security-Policy"].split("; ")) == POLICY, path
            if not path.startswith("/static"):
                found = {name: answer.headers.get(name) for name in HEADERS}
                assert found == HEADERS, path
                assert answer.headers["X-Request-Id"], path


def test_no_page_holds_a_script_or_a_style_of_its_own() -> None:
    inline = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.I)
    pages = list(Path(STATIC).parent.parent.rglob("templates/**/*.html"))
    assert pages
    found = [page.name for page in pages if inline.search(page.read_text(encoding="utf-8"))]
    assert not found, "the content security policy would stop it: put it into static/"


def test_a_static_file_may_be_kept_as_long_as_its_address_names_its_content(
    visitor: Visitor,
) -> None:
    page = visitor.get("/sign-in").get_data(as_text=True)
    named = re.findall(r'(?:href|src)="(/static/[^"#]+)', page)
    assert len(named) > 4
    for path in named:
        answer = visitor.get(path)
        assert answer.status_code == 200, path
        assert "immutable" in answer.headers["Cache-Control"], path
    assert "immutable" not in visitor.get("/static/tasuki.css").headers["Cache-Control"]


def cookies(web: WebHouse, url: str) -> list[str]:
    """The cookies of a page and of a sign-in, for a node at `url`."""
    settings = replace(web.node.settings, public_url=url)
    context = replace(web.node.context, settings=settings)
    app = create_app(replace(web.node, settings=settings, context=context))
    web.user("admin")
    client = app.test_client()
    base = {"base_url": url}
    page = client.get("/sign-in", **base)
    token = re.search(r'csrf-token" content="([^"]+)', page.get_data(as_text=True))
    assert token
    form = {"csrf_token": token[1], "login": "admin", "password": "ekiden no tasuki"}
    answer = client.post("/sign-in", data=form, **base)
    assert answer.status_code == 302
    return page.headers.getlist("Set-Cookie") + answer.headers.getlist("Set-Cookie")


def test_cookies_are_out_of_reach_for_scripts_and_other_sites(web: WebHouse) -> None:
    for cookie in cookies(web, "https://aoba.example.jp"):
        parts = {part.strip() for part in cookie.split(";")}
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= parts, cookie
        assert not any(part.startswith("Domain") for part in parts), cookie
        name = cookie.partition("=")[0]
        assert name == "lang" or name.startswith("__Host-"), cookie
    for cookie in cookies(web, "http://127.0.0.1:9100"):
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Secure" not in cookie, "a browser would not send it back over loopback HTTP"


def test_browsers_are_told_to_stay_with_https(web: WebHouse, visitor: Visitor) -> None:
    assert "Strict-Transport-Security" not in visitor.get("/sign-in").headers
    settings = replace(web.node.settings, public_url="https://aoba.example.jp")
    context = replace(web.node.context, settings=settings)
    client = create_app(replace(web.node, settings=settings, context=context)).test_client()
    assert "max-age" in client.get("/sign-in").headers["Strict-Transport-Security"]


def test_no_form_is_taken_without_its_page_token(web: WebHouse) -> None:
    admin = web.signed_in("admin")
    for path in routes(web, "POST"):
        if path == MAIL_PROGRAMS_BUTTON:
            continue
        answer = admin.client.post(path, data={"name": "x"})
        assert answer.status_code == 400, path
        assert "form-expired" in answer.get_data(as_text=True), path
    assert admin.get("/").status_code == 200, "still signed in: /sign-out was refused too"


def test_a_token_is_worth_nothing_in_another_session(web: WebHouse) -> None:
    admin, other = web.signed_in("admin"), web.signed_in("recruiter")
    form = {"csrf_token": other.token()}
    assert admin.client.post("/sign-out", data=form).status_code == 400


def test_a_token_from_before_the_sign_in_is_worth_nothing_after_it(web: WebHouse) -> None:
    web.user("admin")
    visitor = web.visitor()
    early = visitor.token()
    visitor.post("/sign-in", {"login": "admin", "password": "ekiden no tasuki"})
    assert visitor.client.post("/sign-out", data={"csrf_token": early}).status_code == 400


def test_a_get_never_changes_anything(web: WebHouse) -> None:
    admin = web.signed_in("admin")

    def content() -> dict[str, int]:
        with web.node.database.reading() as session:
            return {
                table.name: session.scalar(select(func.count()).select_from(table)) or 0
                for table in models.METADATA.sorted_tables
            }

    before = content()
    for path in routes(web, "GET"):
        admin.get(path)
        web.visitor().get(path)
    assert content() == before


def test_nobody_comes_in_without_signing_in(web: WebHouse, visitor: Visitor) -> None:
    open_to_all = ("/sign-in", "/static", "/language", "/l/", "/s/", "/l", "/s")
    for path in routes(web, "GET"):
        if path.startswith(open_to_all):
            continue
        answer = visitor.get(path)
        assert (answer.status_code, (answer.location or "")[:8]) == (302, "/sign-in"), path


@pytest.mark.parametrize("role", ["recruiter", "approver", "viewer"])
def test_a_role_that_does_not_include_a_page_is_told_so(web: WebHouse, role: str) -> None:
    visitor = web.signed_in(role)
    answer = visitor.get("/users")
    page = answer.get_data(as_text=True)

    assert answer.status_code == 403
    assert "このページを表示する権限がありません" in page
    assert "role-missing" in page
    assert visitor.post("/users/new", {"name": "x"}).status_code == 403
    assert 'id="menu-users"' not in visitor.get("/").get_data(as_text=True)


@pytest.mark.parametrize("role", ["admin", "recruiter", "approver", "viewer"])
def test_no_page_fails_on_a_fresh_node(web: WebHouse, role: str) -> None:
    """Every address answers with a page or a refusal, also for what is not there."""
    visitor = web.signed_in(role)
    for path in routes(web, "GET"):
        assert visitor.get(path).status_code < 500, path


def test_what_waits_leads_to_where_it_is_done(web: WebHouse) -> None:
    recruiter = web.signed_in("recruiter")
    front = recruiter.get("/").get_data(as_text=True)
    links = re.findall(r'id="to-\w+" href="([^"]+)"', front)
    assert len(links) == 3
    for link in links:
        assert recruiter.get(link.replace("&amp;", "&")).status_code == 200, link


def test_every_refusal_has_a_code_a_sentence_and_a_number(web: WebHouse, visitor: Visitor) -> None:
    missing = visitor.get("/nowhere")
    page = missing.get_data(as_text=True)
    assert missing.status_code == 404
    assert "ページが見つかりません" in page
    assert '<span class="code" id="error-code">not-found</span>' in page
    assert missing.headers["X-Request-Id"] in page

    assert visitor.client.put("/sign-in").status_code == 405
    too_large = visitor.client.post("/language", data={"back": "x" * 2_000_000})
    assert too_large.status_code == 413
    assert "body-too-large" in too_large.get_data(as_text=True)


def test_a_failure_shows_a_number_and_nothing_from_inside(
    web: WebHouse, capsys: pytest.CaptureFixture[str]
) -> None:
    @web.app.get("/break")
    def broken() -> str:
        raise ValueError("canary of a person")

    @web.app.get("/refuse")
    def refused() -> str:
        raise ValueInvalid

    answer = web.visitor().get("/break")
    assert answer.status_code == 500
    page = answer.get_data(as_text=True)
    assert answer.headers["X-Request-Id"] in page
    assert "canary" not in page
    written = capsys.readouterr()
    assert "canary" not in written.out + written.err

    said = web.visitor().get("/refuse")
    assert said.status_code == ValueInvalid.status
    assert ValueInvalid.code in said.get_data(as_text=True)
