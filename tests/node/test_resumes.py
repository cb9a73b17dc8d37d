"""PDFs that people attach: what is taken, what is refused, and that none of them does harm."""

import subprocess
import sys
import time

import pytest

from node.refusals import Refusal
from node.services import pdf_inspector
from node.services.consents import check_resume, resumes
from tests.equipment import pdf_files

PROBE = """
import socket, sys
from node.services import pdf_inspector
pdf_inspector.give_up_rights()
try:
    {attempt}
except (OSError, MemoryError) as refusal:
    print(type(refusal).__name__)
"""


@pytest.mark.parametrize("pages", [1, 3, 100])
def test_a_sound_pdf_is_taken_and_its_pages_are_counted(pages: int) -> None:
    assert check_resume(pdf_files.sound(pages)) == pages


def test_a_link_to_a_web_page_is_no_reason_to_refuse_a_cv() -> None:
    assert check_resume(pdf_files.with_link()) == 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "resume-not-pdf"),
        (b"Dear Sir or Madam", "resume-not-pdf"),
        (b"<html>%PDF-1.7", "resume-not-pdf"),
        (b"\n" + pdf_files.sound(), "resume-not-pdf"),
        (pdf_files.archive(), "resume-archive"),
        (pdf_files.pdf_and_archive(), "resume-archive"),
        (pdf_files.sound() + b"<script>", "resume-not-pdf"),
        (pdf_files.encrypted(), "resume-encrypted"),
        (pdf_files.with_script(), "resume-active"),
        (pdf_files.with_hidden_script(), "resume-active"),
        (pdf_files.with_file_inside(), "resume-active"),
        (pdf_files.with_launch(), "resume-active"),
        (pdf_files.cut_off(), "resume-unreadable"),
        (b"%PDF-1.7\n%%EOF\n", "resume-unreadable"),
        (pdf_files.sound(101), "resume-pages"),
        (b"%PDF-1.7\n" + b"0" * (5 * 1024 * 1024), "resume-too-large"),
    ],
)
def test_a_file_that_is_no_harmless_pdf_is_refused_with_its_reason(data: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        check_resume(data)
    assert refused.value.code == code


def test_a_bomb_goes_off_in_the_inspector_only_and_costs_little() -> None:
    began = time.monotonic()
    with pytest.raises(Refusal) as refused:
        check_resume(pdf_files.bomb())
    assert refused.value.code == "resume-unreadable"
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("attempt", "refusal"),
    [
        ("socket.socket()", "OSError"),
        ("open('/etc/hostname')", "OSError"),
        ("bytearray(300 * 1024 * 1024)", "MemoryError"),
    ],
)
def test_the_inspector_can_reach_neither_network_nor_files_nor_much_memory(
    attempt: str, refusal: str
) -> None:
    said = subprocess.run(
        [sys.executable, "-c", PROBE.format(attempt=attempt)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == refusal


def test_every_verdict_has_its_refusal() -> None:
    refused = {verdict for verdict in pdf_inspector.VERDICTS if verdict != pdf_inspector.OK}
    assert {verdict: refusal.code for verdict, refusal in resumes.REFUSALS.items()} == {
        verdict: verdict for verdict in refused
    }
