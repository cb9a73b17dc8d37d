"""A real virus scanner looks at what applicants attach and at what HR takes out."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from node import virus_scanner
from node.config import Settings, SettingsInvalid, parse
from tests.equipment import clamd, pdf_files
from tests.equipment.candidates import Candidates, Walker

pytestmark = [
    pytest.mark.clamd,
    pytest.mark.skipif(clamd.executable() is None, reason="clamd is not installed"),
]


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with clamd.running(tmp_path_factory.mktemp("clamd")) as found:
        yield found


def settings(line: str) -> Settings:
    return parse({"TASUKI_CLAMD": line})


def test_what_it_knows_is_refused_and_the_rest_is_taken(line: str) -> None:
    virus_scanner.look_at(settings(line), pdf_files.sound())
    virus_scanner.look_at(settings(line), pdf_files.large())
    virus_scanner.look_at(settings(line), b"")
    with pytest.raises(virus_scanner.FileInfected):
        virus_scanner.look_at(settings(line), b"%PDF-1.7 " + clamd.INFECTED)
    virus_scanner.look_at(parse({}), clamd.INFECTED)


def test_a_scanner_that_does_not_answer_lets_nothing_through(tmp_path: Path) -> None:
    gone = settings(str(tmp_path / "nobody.ctl"))
    with pytest.raises(virus_scanner.ScannerUnavailable):
        virus_scanner.look_at(gone, b"x")
    assert not virus_scanner.answers(gone)
    with pytest.raises(virus_scanner.ScannerUnavailable):
        virus_scanner.look_at(settings("127.0.0.1:9"), b"x")
    with pytest.raises(SettingsInvalid):
        parse({"TASUKI_CLAMD": "somewhere"})


def test_an_applicant_is_told_and_what_was_typed_is_kept(candidates: Candidates, line: str) -> None:
    node = candidates.node
    scanning = replace(node, settings=replace(node.settings, clamd=line))
    candidates.web.app.extensions["tasuki"] = scanning
    _, token = candidates.invite()
    walker: Walker = candidates.walker(token)
    walker.start()
    walker.choose("biwa")
    walker.decide()
    walker.verify()
    walker.post("/l/about", dict(walker.about), page="/l/about")
    answer = walker.attach(pdf_files.holding(clamd.INFECTED))
    assert answer.status_code == 422
    assert "ウイルススキャン" in answer.text
    assert "Python" in answer.text
    assert candidates.rows()["consent_resumes"] == 0
    assert walker.attach(pdf_files.sound()).status_code == 302
    assert candidates.rows()["consent_resumes"] == 1
