"""The mail program's own button: one POST without a browser, which does one thing.  RFC 8058."""

import pytest
from playwright.sync_api import Page, expect

from node import models
from node.services import links, rights
from node.services.applicants import exclusion
from tests.equipment.browser import AccessibilityCheck
from tests.equipment.candidates import EMAIL, FAMILY, GIVEN, Candidates

# What a mail provider sends, and all it sends.
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def stop_token(candidates: Candidates, applicant: str) -> str:
    """The token in the header of the mail that this applicant got."""
    with candidates.node.database.reading() as session:
        link = links.of_applicant(session, applicant)
        assert link is not None
        return links.stop_token_of(candidates.node.context, link.id)


def is_suppressed(candidates: Candidates, applicant: str) -> bool:
    with candidates.node.database.reading() as session:
        reason = exclusion.reason_for(session, candidates.node.context, applicant)
        return reason == "suppressed"


def test_looking_changes_nothing_and_shows_no_name(candidates: Candidates) -> None:
    applicant, token = candidates.invite()
    address, before = f"/l/{stop_token(candidates, applicant)}/stop", candidates.rows()
    for method in ("GET", "HEAD", "GET"):
        answer = candidates.web.app.test_client().open(address, method=method)
        assert answer.status_code == 200
        assert not any(canary in answer.text for canary in (FAMILY, GIVEN, EMAIL, token))
    # Not what a mail program sends: somebody tries.
    assert candidates.web.app.test_client().post(address, data={}).status_code == 200

    assert candidates.rows() == before
    assert candidates.walker(token).get(f"/l/{token}").status_code == 200


def test_one_click_is_honoured_for_good_and_answers_the_same_again(candidates: Candidates) -> None:
    applicant, token = candidates.invite()
    address = f"/l/{stop_token(candidates, applicant)}/stop"
    provider = candidates.web.app.test_client()

    first = provider.post(address, data=ONE_CLICK)
    after = candidates.rows()
    second = candidates.web.app.test_client().post(
        address, data=ONE_CLICK, content_type="multipart/form-data"
    )

    assert first.status_code == second.status_code == 200
    assert "ご希望を承りました" in first.text
    assert "ご希望を承りました" in second.text
    assert "ご希望を承りました" in provider.get(address).text
    assert is_suppressed(candidates, applicant)
    assert candidates.rows() == after
    assert "link-revoked" in provider.get(f"/l/{token}").text
    with candidates.node.database.reading() as session:
        told = session.query(models.AuditEntry).filter_by(action="contact.refused")
        assert [(each.actor, each.subject) for each in told] == [("applicant", applicant)]


def test_it_can_be_pressed_after_the_link_has_expired(candidates: Candidates) -> None:
    applicant, _ = candidates.invite(days=1)
    candidates.web.clock.move(3 * 86_400)
    address = f"/l/{stop_token(candidates, applicant)}/stop"
    assert candidates.web.app.test_client().post(address, data=ONE_CLICK).status_code == 200
    assert is_suppressed(candidates, applicant)


def test_what_was_agreed_to_goes_on_and_is_not_denied(candidates: Candidates) -> None:
    applicant, token = candidates.invite()
    walker = candidates.walker(token)
    walker.arrive("biwa")
    walker.agree("biwa")
    address = f"/l/{stop_token(candidates, applicant)}/stop"

    answer = candidates.web.app.test_client().post(address, data=ONE_CLICK)

    assert "すでに同意いただいたお手続きはそのまま進みます" in answer.text
    assert "どこにも渡って" not in answer.text
    assert is_suppressed(candidates, applicant)
    assert len(candidates.envelopes()["biwa"]) == 1


def test_who_was_erased_meanwhile_is_told_that_it_is_done(candidates: Candidates) -> None:
    applicant, _ = candidates.invite()
    address = f"/l/{stop_token(candidates, applicant)}/stop"
    with candidates.node.database.transaction() as session:
        person = session.get_one(models.Applicant, applicant).person_id
        rights.destroy(session, candidates.node.context, person)
    before = candidates.rows()
    answer = candidates.web.app.test_client().post(address, data=ONE_CLICK)
    assert (answer.status_code, "ご希望を承りました" in answer.text) == (200, True)
    assert candidates.rows() == before


def test_each_address_does_its_own_thing_and_no_guess_does_anything(
    candidates: Candidates,
) -> None:
    applicant, token = candidates.invite()
    other, _ = candidates.invite()
    right, before = stop_token(candidates, applicant), candidates.rows()
    mixed = right[:21] + stop_token(candidates, other)[21:]
    client = candidates.web.app.test_client()

    wrong = (token, mixed, "A" * 43, right[:-1], right + "A", "あ" * 43, "%00" * 43)
    for each in wrong:
        answer = client.post(f"/l/{each}/stop", data=ONE_CLICK)
        assert (answer.status_code, "link-unknown" in answer.text) == (404, True), each
    assert client.get(f"/l/{right}").status_code == 404
    # Only this address is open to those who have seen no page of ours.
    for path in ("/l/stop", "/l/start"):
        assert client.post(path, data={"token": token}).status_code == 400
    assert candidates.rows() == before
    assert not is_suppressed(candidates, applicant)


@pytest.mark.browser
def test_the_page_behind_the_button_has_one_button(
    candidates: Candidates, phone: Page, check_accessibility: AccessibilityCheck
) -> None:
    applicant, _ = candidates.invite()
    with candidates.web.served() as address:
        phone.goto(f"{address}/l/{stop_token(candidates, applicant)}/stop")
        check_accessibility(phone)
        phone.click("#stop")
        expect(phone.locator("#stopped")).to_be_visible()
        check_accessibility(phone)
    assert is_suppressed(candidates, applicant)
