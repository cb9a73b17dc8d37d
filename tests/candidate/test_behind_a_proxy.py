"""Behind the proxy every request comes from beside us: who asks stands in its one header."""

from protocol import ConsentReceipt, SignedDocument
from tests.equipment.candidates import Candidates

NEVER_ONE_OF_OURS = "/l/AAAAAAAAAAAAAAAAAAAAAA"


def test_who_tries_addresses_stands_in_nobody_else_s_way(candidates: Candidates) -> None:
    client = candidates.web.app.test_client()

    def ask(forwarded_for: str) -> int:
        return client.get(NEVER_ONE_OF_OURS, headers={"X-Forwarded-For": forwarded_for}).status_code

    # The scanner writes a header of its own; the proxy's word is the last one.
    assert [ask(f"198.51.100.{at}, 203.0.113.9") for at in range(32)] == [404] * 30 + [429] * 2
    assert ask("192.0.2.77") == 404


def test_the_record_of_a_consent_names_the_person_s_network(candidates: Candidates) -> None:
    _, token = candidates.invite()
    walker = candidates.walker(token)
    walker.client.environ_base["HTTP_X_FORWARDED_FOR"] = "203.0.113.77"
    walker.arrive("biwa")
    assert walker.agree("biwa").status_code == 302
    (mail,) = candidates.mails("receipt")
    document = SignedDocument.parse(mail.attachments[1][2].encode())
    assert ConsentReceipt.parse(document.payload).network == "203.0.113.0/24"
