"""The private link: looking changes nothing, dead links are kind, guessing is slow."""

import re

import pytest

from node import models
from node.services import links
from node.services.applicants import exclusion
from tests.equipment.candidates import EMAIL, FAMILY, GIVEN, Candidates

DAY_S = 86_400


def test_a_hundred_looks_change_no_row_and_show_no_name(candidates: Candidates) -> None:
    _, token = candidates.invite()
    before = candidates.rows()

    for number in range(100):
        client = candidates.web.app.test_client()
        look = client.head if number % 3 == 0 else client.get
        answer = look(f"/l/{token}")
        assert answer.status_code == 200
        assert not any(canary in answer.text for canary in (FAMILY, GIVEN, EMAIL))

    assert candidates.rows() == before
    with candidates.node.database.reading() as session:
        assert session.query(models.Link).one().opened_at is None


def test_the_page_says_what_a_person_must_know(candidates: Candidates) -> None:
    _, token = candidates.invite()
    page = candidates.walker(token).get(f"/l/{token}").text

    for sentence in (
        "ご利用は任意です",
        "費用は一切かかりません",
        "ページを開いただけで情報が他社に渡ることはありません",
        "選考に影響することはありません",
        "お金のやりとりはありますか",
        "今後の案内を希望しない",
        "13-ユ-999901",
        "代表取締役 髙橋 一郎",
    ):
        assert sentence in page
    english = candidates.walker(token)
    english.client.set_cookie("lang", "en")
    assert "It is free for you." in english.get(f"/l/{token}").text


def test_the_pages_are_stored_nowhere_and_tell_nobody_where_one_came_from(
    candidates: Candidates,
) -> None:
    _, token = candidates.invite()
    walker = candidates.walker(token)
    walker.arrive("biwa")
    walker.agree("biwa")
    done = walker.get("/l/done").text
    status = re.search(r'href="(/s/[^"]+)"', done)
    assert status

    for page in (f"/l/{token}", "/l/done", status[1], "/l/unknown", "/s/unknown"):
        headers = walker.get(page).headers
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert "noindex" in headers["X-Robots-Tag"]
        assert "script-src 'self'" in headers["Content-Security-Policy"]


def test_the_token_leaves_the_address_when_the_person_begins(candidates: Candidates) -> None:
    _, token = candidates.invite()
    walker = candidates.walker(token)
    answers = [walker.start(), walker.choose("biwa"), walker.decide(), walker.verify()]
    answers += [walker.fill(), walker.agree("biwa")]

    for answer in answers:
        assert token not in answer.location
        assert token not in answer.text


@pytest.mark.parametrize(
    ("token", "status"),
    [("x" * 22, 404), ("zu-kurz", 404), ("%00" * 22, 404), ("あ" * 22, 404), ("x" * 5000, 404)],
)
def test_an_unknown_link_says_so_kindly_and_whom_to_ask(
    candidates: Candidates, token: str, status: int
) -> None:
    before = candidates.rows()
    answer = candidates.walker(token).get(f"/l/{token}")

    assert answer.status_code == status
    assert "link-unknown" in answer.text
    assert "お問い合わせ先" in answer.text
    assert "03-0000-0000" in answer.text
    assert candidates.rows() == before


def test_an_expired_link_opens_nothing_and_loses_nothing(candidates: Candidates) -> None:
    _, token = candidates.invite(days=1)
    walker = candidates.walker(token)
    walker.start()
    candidates.web.clock.move(DAY_S)
    before = candidates.rows()

    for answer in (walker.get(f"/l/{token}"), walker.get("/l/partners")):
        assert answer.status_code in (404, 410)
    assert "link-expired" in walker.get(f"/l/{token}").text
    assert "情報はどこにも渡っておらず" in walker.get(f"/l/{token}").text
    assert candidates.rows() == before


def test_a_link_that_expires_on_the_way_stops_the_way(candidates: Candidates) -> None:
    _, token = candidates.invite(days=1)
    walker = candidates.walker(token)
    candidates.web.clock.move(DAY_S - 3600)
    walker.arrive("biwa")
    form = {"csrf_token": walker.csrf("/l/check"), "agree": ["biwa"], "seen": walker.seen()}
    candidates.web.clock.move(3600)
    before = candidates.rows()

    for answer in (walker.get("/l/check"), walker.client.post("/l/check", data=form)):
        assert answer.status_code == 410
        assert "link-expired" in answer.text
    assert candidates.rows() == before


def test_a_used_link_shows_the_way_to_the_status_page(candidates: Candidates) -> None:
    _, token = candidates.invite()
    walker = candidates.walker(token)
    walker.arrive("biwa")
    walker.agree("biwa")

    answer = candidates.walker(token).get(f"/l/{token}")
    assert answer.status_code == 410
    assert "link-used" in answer.text
    assert "控えのメール" in answer.text


def test_a_revoked_link_is_closed(candidates: Candidates) -> None:
    _, token = candidates.invite()
    with candidates.node.database.transaction() as session:
        link = session.query(models.Link).one()
        links.revoke(session, candidates.node.context, [link.id])

    answer = candidates.walker(token).get(f"/l/{token}")
    assert answer.status_code == 410
    assert "link-revoked" in answer.text


def test_guessing_links_is_answered_slowly_and_hinders_nobody_else(
    candidates: Candidates,
) -> None:
    _, token = candidates.invite()
    client = candidates.web.app.test_client()

    statuses = [client.get(f"/l/{number:022}").status_code for number in range(20)]
    statuses += [client.get(f"/s/{number:022}").status_code for number in range(20)]
    assert statuses == [404] * 30 + [429] * 10
    assert client.get(f"/l/{token}").status_code == 200

    candidates.web.clock.move(601)
    assert client.get(f"/l/{0:022}").status_code == 404


@pytest.mark.parametrize(
    "changed",
    [
        {"status": "withdrawn"},
        {"status": "active"},
        {"exclusion": "no_third_party"},
        {"exclusion": "under_18"},
        {"exclusion": "misconduct"},
    ],
)
def test_whoever_must_not_be_passed_on_does_not_begin(
    candidates: Candidates, changed: dict[str, str]
) -> None:
    """DOMAIN 2.7. No such person gets a link; if one does, it opens nothing, and says not why."""
    _, token = candidates.invite(**changed)
    before = candidates.rows()
    answer = candidates.walker(token).start()

    assert answer.status_code == 410
    assert "link-not-open" in answer.text
    assert not any(word in answer.text for word in ("misconduct", "under_18", "18歳"))
    assert candidates.rows() == before


def test_whoever_withdraws_on_the_way_is_not_passed_on(candidates: Candidates) -> None:
    applicant, token = candidates.invite()
    walker = candidates.walker(token)
    walker.arrive("biwa")
    form = {"csrf_token": walker.csrf("/l/check"), "agree": ["biwa"], "seen": walker.seen()}
    with candidates.node.database.transaction() as session:
        row = session.get(models.Applicant, applicant)
        assert row is not None
        row.status = "withdrawn"
    before = candidates.rows()

    answer = walker.client.post("/l/check", data=form)

    assert answer.status_code == 410
    assert candidates.rows() == before


def test_do_not_contact_me_again_is_honoured_for_good(candidates: Candidates) -> None:
    applicant, token = candidates.invite()
    walker = candidates.walker(token)

    answer = walker.post("/l/stop", {"token": token}, page=f"/l/{token}")

    assert answer.status_code == 200
    assert "ご希望を承りました" in answer.text
    assert "link-revoked" in walker.get(f"/l/{token}").text
    with candidates.node.database.reading() as session:
        context = candidates.node.context
        assert exclusion.reason_for(session, context, applicant) == "suppressed"
        assert session.query(models.Consent).count() == 0


def test_asked_twice_not_to_contact_it_answers_the_same(candidates: Candidates) -> None:
    _, token = candidates.invite()
    walker = candidates.walker(token)
    form = {"csrf_token": walker.csrf(f"/l/{token}"), "token": token}

    first = walker.client.post("/l/stop", data=form)
    after = candidates.rows()
    second = walker.client.post("/l/stop", data=form)

    assert first.status_code == second.status_code == 200
    assert candidates.rows() == after
