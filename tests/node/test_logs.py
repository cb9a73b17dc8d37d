"""The logs: what is known to be harmless is written, everything else stays out."""

import io
import json
import logging
import time
from collections.abc import Iterator

import pytest
import structlog

from node import logs

CANARY = "山田太郎"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level, structlog.get_config()
    stream = io.StringIO()
    logs.configure("info", stream)
    yield stream
    root.handlers[:], root.level = before[0], before[1]
    structlog.configure(**before[2])


def written(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_known_field_is_written_and_an_unknown_one_only_named(lines: io.StringIO) -> None:
    logs.log().info("envelope-delivered", peer="biwa", attempts=2, name=CANARY)
    (line,) = written(lines)
    assert (line["event"], line["peer"], line["attempts"]) == ("envelope-delivered", "biwa", 2)
    assert line["withheld"] == ["name"]
    assert CANARY not in lines.getvalue()


def test_below_the_level_nothing_is_written(lines: io.StringIO) -> None:
    logs.log().debug("detail")
    logging.getLogger("urllib3.connectionpool").info("chatter")
    assert lines.getvalue() == ""


def test_the_request_id_stands_in_every_line_of_the_request(lines: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        logs.log().info("one")
        logging.getLogger("library").warning("two")
    assert [line["request_id"] for line in written(lines)] == ["r-1", "r-1"]


def test_an_exception_shows_its_kind_and_place_but_not_its_words(lines: io.StringIO) -> None:
    def fail() -> None:
        raise ValueError(CANARY)

    for write in (logs.log().exception, logging.getLogger("library").exception):
        try:
            fail()
        except ValueError:
            write("job-failed")
    for line in written(lines):
        assert line["error"] == "ValueError"
        assert str(line["trace"]).startswith("['test_logs.py:")
    assert CANARY not in lines.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "refused a.b-c+d@example.co.jp by server",
        "Key (email)=(taro@example.jp) exists",
        "call 090-1234-5678 now",
        "call +81-90-1234-5678",
        "GET /l/Zx8kq2-secret-token?lang=en",
        "GET /s/Zx8kq2-secret-token/withdraw",
    ],
)
def test_addresses_numbers_and_links_are_replaced_in_every_text(
    lines: io.StringIO, text: str
) -> None:
    logs.log().info(text, reason=text)
    logging.getLogger("library").warning("%s", text)
    for line in written(lines):
        # Its digits may be any.
        line.pop("timestamp")
        for secret in ("@", "1234", "secret"):
            assert secret not in json.dumps(line)


def test_a_line_break_does_not_begin_a_line(lines: io.StringIO) -> None:
    logs.log().info("x", reason='a\n{"event": "forged"}', digest=b"\x00\xff", seen=[1])
    (line,) = written(lines)
    assert line["event"] == "x"
    assert line["digest"] == "00ff"


def test_dates_digests_and_versions_stay_as_they_are(lines: io.StringIO) -> None:
    text = "2026-11-23 0123456789abcdef0123456789 18.4.0 1800000000"
    logs.log().info("x", reason=text)
    assert written(lines)[0]["reason"] == text


def test_a_line_of_a_library_that_is_far_too_long_costs_no_more_than_its_length(
    lines: io.StringIO,
) -> None:
    begun = time.process_time()
    logging.getLogger("somebody").warning("0" * 100_000)
    assert len(lines.getvalue()) < 1000
    assert time.process_time() - begun < 10, "its square takes a minute"
