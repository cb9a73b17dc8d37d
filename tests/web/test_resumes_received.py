"""PDFs that came with a profile: a download only, the one the person sent, and a harmless one."""

from sqlalchemy import select

from node import models
from node.services import referrals
from tests.equipment import pdf_files
from tests.equipment.referring import PDF
from tests.equipment.season import PEOPLE, Season
from tests.equipment.web_house import WebHouse

MAKI = PEOPLE[0]


def looks(season: Season, action: str) -> list[str]:
    """Who has done this to a referral, as the audit log says."""
    with season.alliance["aoba"].database.reading() as session:
        table = models.AuditEntry
        return list(session.scalars(select(table.actor).where(table.action == action)))


def test_a_pdf_is_only_ever_a_download(season: Season, web: WebHouse) -> None:
    own = season.accepted("bridge", "aoba", MAKI, resume=PDF)
    answer = web.signed_in("approver").get(f"/referrals/in/{own}/resume.pdf")
    assert answer.get_data() == PDF
    assert answer.headers["Content-Disposition"] == f'attachment; filename="resume-{own[:8]}.pdf"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert len(looks(season, "resume.opened")) == 1


def test_another_pdf_than_the_person_sent_is_not_handed_out(season: Season, web: WebHouse) -> None:
    own = season.accepted("bridge", "aoba", MAKI, resume=PDF)
    other = season.accepted("bridge", "aoba", PEOPLE[1], resume=PDF + b"another")
    aoba = season.alliance["aoba"]
    with aoba.database.transaction() as session:
        row = session.get(models.ReferralIn, own)
        found = session.get(models.ReferralIn, other)
        assert row
        assert found
        content = referrals.open_resume(session, aoba.context, found, user_id="u-test")
        cipher = aoba.context.keyring.person(session.get(models.PersonKey, own).wrapped)
        row.resume_blob = cipher.encrypt("referrals_in.resume_blob", own, content)
    refused = web.signed_in("recruiter").get(f"/referrals/in/{own}/resume.pdf")
    assert refused.status_code == 409
    assert "resume-differs" in refused.get_data(as_text=True)
    assert b"%PDF" not in refused.get_data()


def test_a_pdf_with_a_script_is_not_handed_out_whoever_sent_it(
    season: Season, web: WebHouse
) -> None:
    """A node like ours would not have taken it from a person; a hostile one sends what it likes."""
    own = season.accepted("bridge", "aoba", MAKI, resume=pdf_files.with_script())
    refused = web.signed_in("recruiter").get(f"/referrals/in/{own}/resume.pdf")
    assert refused.status_code == 422
    assert "resume-unsafe" in refused.get_data(as_text=True)
