"""The code by mail: five tries, ten minutes, one a minute, and only to the person's own mailbox."""

import pytest

from node import models
from tests.equipment.candidates import EMAIL, Candidates, Walker


@pytest.fixture
def walker(candidates: Candidates) -> Walker:
    """Somebody who is about to ask for a code."""
    _, token = candidates.invite()
    walker = candidates.walker(token)
    walker.start()
    walker.choose("biwa")
    walker.decide()
    return walker


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def state(candidates: Candidates) -> str:
    with candidates.node.database.reading() as session:
        return session.query(models.Consent).one().state


def test_the_right_code_opens_the_profile(candidates: Candidates, walker: Walker) -> None:
    walker.send_code()
    (mail,) = candidates.mails("code")
    assert mail.to == EMAIL
    assert not any(letter.isdigit() for letter in mail.subject)

    assert walker.enter(candidates.code()).location == "/l/about"
    assert state(candidates) == "verified"
    assert walker.get("/l/about").status_code == 200


def test_looking_at_the_page_sends_no_code(candidates: Candidates, walker: Walker) -> None:
    for _ in range(3):
        assert EMAIL not in walker.get("/l/code").text
    assert candidates.mails("code") == []


def test_a_code_typed_in_full_width_or_with_a_blank_is_understood(
    candidates: Candidates, walker: Walker
) -> None:
    walker.send_code()
    code = candidates.code()
    typed = code[:3].translate(str.maketrans("0123456789", "０１２３４５６７８９")) + " " + code[3:]

    assert walker.enter(typed).location == "/l/about"


def test_five_wrong_codes_end_the_code_even_for_the_right_one(
    candidates: Candidates, walker: Walker
) -> None:
    walker.send_code()
    code = candidates.code()

    for left in (4, 3, 2, 1):
        answer = walker.enter(wrong(code))
        assert answer.status_code == 422
        assert f"あと{left}回" in answer.text
    assert "5回を超えた" in walker.enter(wrong(code)).text
    assert "5回を超えた" in walker.enter(code).text
    assert state(candidates) == "draft"
    assert walker.get("/l/about").location == "/l/code"

    candidates.web.clock.move(61)
    assert walker.verify().location == "/l/about"


def test_an_old_code_is_worth_nothing(candidates: Candidates, walker: Walker) -> None:
    walker.send_code()
    candidates.web.clock.move(600)

    assert "有効期間が過ぎました" in walker.enter(candidates.code()).text
    assert state(candidates) == "draft"


def test_a_code_opens_once(candidates: Candidates, walker: Walker) -> None:
    walker.verify()
    other = candidates.walker(walker.token)
    other.start()

    assert other.enter(candidates.code()).status_code == 422
    assert other.get("/l/about").location == "/l/code"


def test_a_new_code_replaces_the_one_before(candidates: Candidates, walker: Walker) -> None:
    walker.send_code()
    first = candidates.code()
    candidates.web.clock.move(61)
    walker.send_code()
    second = candidates.code()

    if first != second:
        assert walker.enter(first).status_code == 422
    assert walker.enter(second).location == "/l/about"


def test_a_second_code_within_a_minute_is_not_sent(candidates: Candidates, walker: Walker) -> None:
    walker.send_code()
    before = candidates.rows()
    assert walker.send_code().location == "/l/code"
    assert "すでにお送りしています" in walker.get("/l/code").text
    assert candidates.rows() == before


def test_codes_are_limited_by_the_hour(candidates: Candidates, walker: Walker) -> None:
    for _ in range(6):
        walker.send_code()
        candidates.web.clock.move(61)
    answer = walker.send_code()

    assert answer.status_code == 429
    assert len(candidates.mails("code")) == 6
    candidates.web.clock.move(3600)
    assert walker.send_code().status_code == 302


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "abcdef", "12345６７", "'; DROP", "9" * 900]
)
def test_what_is_no_code_costs_no_try(candidates: Candidates, walker: Walker, typed: str) -> None:
    walker.send_code()
    assert walker.enter(typed).status_code == 422
    with candidates.node.database.reading() as session:
        assert session.query(models.ContactCode).one().attempts == 0


def test_a_code_without_asking_is_refused(candidates: Candidates, walker: Walker) -> None:
    assert "まだ送られていません" in walker.enter("123456").text


def test_the_code_is_nowhere_in_the_database(candidates: Candidates, walker: Walker) -> None:
    walker.send_code()
    code = candidates.code().encode()
    with candidates.node.database.reading() as session:
        row = session.query(models.ContactCode).one()
        mail = session.query(models.MailEntry).one()
        assert code not in row.code_hash
        assert mail.message_blob is not None
        assert code not in mail.message_blob
