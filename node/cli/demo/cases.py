"""Cases that every season brings, played after the story: DOMAIN 7.4.

Somebody is hired after all before the mail has left, a mailbox refuses its mail, and one person is
referred by two members. Each is dealt with on the pages, as HR would.
"""

from datetime import date

from node.cli.demo.cast import COMPANIES
from node.cli.demo.people import exported, lastly, taken_on
from node.cli.demo.story import Story
from node.cli.demo.visits import Choice

BIWA, SEEDS = "biwa", "seeds"


class Cases:
    """What happens at seeds and biwa while the story's nodes are still up."""

    def __init__(self, story: Story, today: date) -> None:
        self._story = story
        # Whom bridge had written to before, too; whose mailbox is full; who is hired after all.
        self.twice, self.away, self.hired = self.people = lastly(today, story.seekers[1])

    def play(self) -> None:
        """Step 8: book, unreject, refuse, and settle whose referral counts."""
        self._story.mailbox.refuse(self.away.email)
        self._refer_first()
        batch = self._book()
        self._unreject()
        self._wait_for_notices(batch)
        self._settle()

    def _refer_first(self) -> None:
        """The person chooses biwa, first by bridge's link."""
        self._story.visit("bridge", self._story.seekers[1]).consent(Choice((BIWA,)))
        self._accept()

    def _accept(self) -> str:
        """Biwa takes the one card that waits; its referral, once the profile is here."""
        story, biwa = self._story, self._story.desk(BIWA, "recruiter")
        held = story.look.received(BIWA, "profile_received")
        (referral,) = story.wait(biwa.waiting, "the card should reach biwa")
        biwa.answer([referral], "accept")
        story.wait(
            lambda: story.look.received(BIWA, "profile_received") == held + 1,
            "the profile should follow",
        )
        return referral

    def _book(self) -> str:
        seeds = self._story.desk(SEEDS, "recruiter")
        seeds.import_file("last.csv", exported(self.people, encoding="utf-8-sig"))
        batch, count = seeds.prepare_notices(COMPANIES[2])
        self._story.telling.say(f"seeds has booked {count} notices, and can still stop each")
        return batch

    def _unreject(self) -> None:
        file = exported([taken_on(self.hired)], encoding="utf-8-sig")
        self._story.desk(SEEDS, "recruiter").import_file("after all.csv", file)

    def _wait_for_notices(self, batch: str) -> None:
        story, seeds = self._story, self._story.desk(SEEDS, "recruiter")
        story.wait(
            lambda: seeds.not_told(batch) == (1, 1),
            "of three notices one should be stopped, one be refused, and one arrive",
        )
        refused, stopped = seeds.not_told(batch)
        story.facts.mails_refused, story.facts.notices_stopped = refused, stopped
        assert not story.mailbox.to(self.hired.email), "the notice was stopped"
        story.telling.say(
            "one person is hired after all: the mail is stopped; one mailbox refuses: HR sees whose"
        )

    def _settle(self) -> None:
        """The same person comes by seeds: biwa compares, and gets its second point back."""
        story = self._story
        story.visit(SEEDS, self.twice).consent(Choice((BIWA,)))
        before = story.look.position(SEEDS).balance
        referral = self._accept()
        story.wait(
            lambda: story.look.position(SEEDS).balance == before + 1, "seeds should get its point"
        )
        story.desk(BIWA, "recruiter").declare_known(referral)
        story.wait(
            lambda: story.look.position(SEEDS).balance == before,
            "the point of the later referral should come back",
        )
        story.facts.duplicates_settled = story.look.sent(SEEDS, "already_known")
        story.wait_for_one_digest()
        story.telling.say(
            "two members referred one person: the first to arrive counts, the second point is back"
        )
