"""Canaries: a name, an address and a number that must be in no log, no URL and no plain column."""

import io

import pytest

from node import logs, models
from tests.equipment import pdf_files
from tests.equipment.candidates import EMAIL, FAMILY, GIVEN, PHONE, Candidates

CANARIES = (FAMILY, GIVEN, EMAIL, PHONE, "9055501234", "090-5550-1234", "ミカン山")


def walk(candidates: Candidates) -> tuple[str, list[str]]:
    """The whole way with a file, and some mistakes on it; the token, and every address."""
    _, token = candidates.invite()
    walker = candidates.walker(token)
    visited = []
    plain_open = walker.client.open

    def watched(*args: object, **named: object) -> object:
        answer = plain_open(*args, **named)
        visited.append(answer.request.url)
        visited.append(answer.location or "")
        return answer

    walker.client.open = watched  # type: ignore[method-assign,assignment]
    walker.about["city"] = "ミカン山"
    walker.experience["summary"] = "ミカン山より"
    walker.start()
    walker.choose("biwa")
    walker.decide("profile")
    walker.send_code()
    walker.enter("000000")
    walker.enter(candidates.code())
    walker.post("/l/about", {**walker.about, "phone": "ミカン山"}, page="/l/about")
    walker.fill()
    walker.attach(pdf_files.archive())
    walker.attach(pdf_files.sound())
    assert walker.agree("biwa").location == "/l/done"
    walker.get("/l/done")
    return token, visited


def test_no_log_line_and_no_address_tells_anything_about_the_person(
    candidates: Candidates,
) -> None:
    log = io.StringIO()
    logs.configure("debug", log)
    token, visited = walk(candidates)

    for canary in CANARIES:
        assert canary not in log.getvalue()
        assert not [address for address in visited if canary in address]
    assert token not in log.getvalue()


def test_no_plain_column_tells_anything_about_the_person(candidates: Candidates) -> None:
    walk(candidates)
    canaries = [canary.encode() for canary in CANARIES]
    with candidates.node.database.reading() as session:
        for table in models.METADATA.sorted_tables:
            for row in session.execute(table.select()):
                for name, value in zip(table.columns.keys(), row, strict=True):
                    found = value if isinstance(value, bytes) else str(value).encode()
                    leaked = [each for each in canaries if each in found]
                    assert not leaked, f"{table.name}.{name} holds a canary"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"no pdf", "PDFではない"),
        (pdf_files.archive(), "圧縮ファイル"),
        (pdf_files.encrypted(), "パスワード"),
        (pdf_files.with_script(), "別のファイルを含むPDF"),
        (b"%PDF-1.7\n" + b"0" * (5 * 1024 * 1024), "5 MB"),
    ],
)
def test_a_file_that_cannot_be_taken_changes_nothing_and_loses_nothing(
    candidates: Candidates, data: bytes, code: str
) -> None:
    _, token = candidates.invite()
    walker = candidates.walker(token)
    walker.arrive("biwa")
    before = candidates.rows()
    answer = walker.attach(data, summary="よろしくお願いします")

    assert answer.status_code == 422
    assert code in answer.text
    assert candidates.rows() == before
    assert "よろしくお願いします" in walker.get("/l/experience").text


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(candidates: Candidates) -> None:
    _, token = candidates.invite()
    walker = candidates.walker(token)
    walker.arrive("biwa")
    answer = walker.client.post(
        "/l/experience",
        data=bytes(13 * 1024 * 1024),
        content_type="multipart/form-data; boundary=x",
    )
    assert answer.status_code == 413


def test_an_attached_pdf_is_sent_as_it_was_chosen_and_no_copy_stays_behind(
    candidates: Candidates,
) -> None:
    _, token = candidates.invite()
    walker = candidates.walker(token)
    walker.arrive("biwa", order="profile")
    assert walker.attach(pdf_files.sound(2)).status_code == 302
    assert "PDF・2ページ" in walker.get("/l/experience").text
    walker.agree("biwa")

    (referral,) = candidates.envelopes()["biwa"]
    assert referral.profile is not None
    named = referral.profile.content["x-jp"]["resumeFile"]
    assert named["size"] == len(pdf_files.sound(2))
    with candidates.node.database.reading() as session:
        kinds = [row.kind for row in session.query(models.OutboxEntry)]
        assert sorted(kinds) == ["attachment", "referral"]
        assert session.query(models.ConsentResume).count() == 0


def test_a_file_that_was_taken_off_is_gone(candidates: Candidates) -> None:
    _, token = candidates.invite()
    walker = candidates.walker(token)
    walker.arrive("biwa")
    walker.attach(pdf_files.sound())
    walker.post("/l/experience", {**walker.experience, "do": "detach"}, page="/l/experience")

    with candidates.node.database.reading() as session:
        assert session.query(models.ConsentResume).count() == 0
    assert "resumeFile" not in walker.get("/l/check").text
