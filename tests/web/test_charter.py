"""The page of the charter: drafts with who approves, one's own approval, and the proven file."""

import pytest
from werkzeug.test import TestResponse

from node.services import decrees
from protocol import decree, next_draft
from tests.equipment.alliance import Alliance
from tests.equipment.deciding import limited, propose, tell
from tests.equipment.web_house import WebHouse


def text(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.status_code
    return answer.get_data(as_text=True)


def proposed(alliance: Alliance) -> bytes:
    """A draft that biwa proposes, and aoba has heard of."""
    digest = propose(alliance["biwa"], limited(alliance.charter, "seeds", 35))
    tell(alliance["biwa"], alliance["aoba"], digest)
    return digest


def approving(alliance: Alliance, digest: bytes) -> tuple[str, ...]:
    aoba = alliance["aoba"]
    with aoba.database.reading() as session:
        return decrees.view(session, aoba.context, digest).approving


def test_a_draft_is_approved_on_the_page_and_the_approval_taken_back(
    alliance: Alliance, web: WebHouse
) -> None:
    admin = web.signed_in("admin")
    assert "変更案はありません" in text(admin.get("/charter"))
    digest = proposed(alliance)
    page = text(admin.get("/charter"))
    assert "20 → 35ポイント" in page
    assert digest.hex() in page
    assert approving(alliance, digest) == ("biwa",), "looking changes nothing"

    done = admin.post(f"/charter/drafts/{digest.hex()}/approve")
    assert done.status_code == 302
    assert approving(alliance, digest) == ("aoba", "biwa")
    page = text(admin.get("/charter"))
    assert "必要数3社のうち2社" in page
    admin.post(f"/charter/drafts/{digest.hex()}/take-back")
    assert approving(alliance, digest) == ("biwa",)
    assert admin.post(f"/charter/drafts/{'00' * 32}/approve").status_code == 404


def test_a_draft_that_changes_nothing_says_so(alliance: Alliance, web: WebHouse) -> None:
    digest = propose(alliance["biwa"], next_draft(alliance.charter))
    tell(alliance["biwa"], alliance["aoba"], digest)
    assert "変更はありません。期間の帳簿を締める" in text(web.signed_in("admin").get("/charter"))


@pytest.mark.parametrize("role", ["recruiter", "approver", "viewer"])
def test_only_an_administrator_decides_about_the_charter(
    alliance: Alliance, web: WebHouse, role: str
) -> None:
    digest = proposed(alliance)
    visitor = web.signed_in(role)
    assert visitor.get("/charter").status_code == 403
    assert visitor.post(f"/charter/drafts/{digest.hex()}/approve").status_code == 403
    assert approving(alliance, digest) == ("biwa",)


def test_the_file_of_all_versions_proves_itself(alliance: Alliance, web: WebHouse) -> None:
    file = web.signed_in("admin").get("/charter/file")
    report = decree.verify_chain(file.get_data(), alliance.charter.digest)
    assert report
    assert [each.version for each in report.charters] == [1]
