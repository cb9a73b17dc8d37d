"""The story: DESIGN 2, step by step, on real nodes, through the doors that people and peers use.

Whoever acts here does so on a page, by mail or as a peer over HTTP. What came of it is read from
the nodes' databases, which this file never writes.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from node.cli.demo.cast import COMPANIES, Company
from node.cli.demo.desk import Desk
from node.cli.demo.looking import Look
from node.cli.demo.mailbox import Mail, Mailbox
from node.cli.demo.nodes import Nodes
from node.cli.demo.people import Person, applicants, exported, seekers
from node.cli.demo.telling import Telling
from node.cli.demo.visits import Choice, Visit
from node.cli.demo.workshop import Workshop
from protocol import Charter, fingerprint

T = TypeVar("T")

WAIT_S = 60
MAIL_WAIT_S = 120
# As many as sit in the train and open their mail at the same time.
PEOPLE_AT_ONCE = 4
RULE_CAP = 4
# Ten people, sixteen referrals: six to biwa, five each to seeds and bridge.
CHOICES = (
    Choice(("biwa", "seeds", "bridge")),
    Choice(("biwa", "seeds")),
    Choice(("biwa", "bridge"), profile_at_once=True),
    Choice(("seeds", "bridge")),
    Choice(("biwa",), hide_source=True),
    Choice(("seeds",), share_progress=False),
    Choice(("bridge",)),
    Choice(("biwa", "seeds")),
    Choice(("biwa",)),
    Choice(("bridge",), share_progress=False),
)
REFERRALS = sum(len(choice.members) for choice in CHOICES)
# How many cards HR accepts by hand; bridge's rule accepts its own, up to RULE_CAP.
ACCEPTED_BY_HAND = {"biwa": 4, "seeds": 3, "bridge": 0}
ACCEPTED = sum(ACCEPTED_BY_HAND.values()) + RULE_CAP
# Who is not there when the consent is taken back.
AWAY = "seeds"
STAGES = ("interview_1", "interview_final", "offer", "accepted")


@dataclass(slots=True)
class Facts:
    """What the summary is made of, as the story comes true."""

    imported: int = 0
    notices_sent: int = 0
    consents: int = 0
    referrals_accepted: int = 0
    points_before: int = 0
    points_after: int = 0
    erasure_receipts: int = 0
    profiles_left: int = 0
    notices_stopped: int = 0
    mails_refused: int = 0
    duplicates_settled: int = 0


class Story:
    """Tells itself on founded, running nodes."""

    def __init__(
        self, workshop: Workshop, nodes: Nodes, mailbox: Mailbox, look: Look, telling: Telling
    ) -> None:
        self._workshop = workshop
        self._nodes = nodes
        self.mailbox = mailbox
        self.look = look
        self.telling = telling
        self._desks: dict[tuple[str, str], Desk] = {}
        # Of the first who consents: whom, and the address of the status page.
        self._first: tuple[Person, str] | None = None
        self._today = look.today()
        self.people = applicants(self._today)
        self.seekers = seekers(self._today)
        self.facts = Facts()

    def open_offices(self, charter: Charter) -> None:
        """Step 1, after the founding: the charter, and everybody's users."""
        say = self.telling.say
        say(f"{charter.name}: {len(charter.members)} members, {charter.q} votes certify")
        for member in charter.members:
            say(f"{member.legal_name}  {fingerprint(member.identity_key)}")
        with ThreadPoolExecutor(len(COMPANIES)) as pool:
            # Each in its own office; list() raises what went wrong in one.
            list(pool.map(self._open_office, COMPANIES))
        self._workshop.save()
        say(f"users of each node; {RULE_CAP} cards a month are accepted at bridge by a rule")

    def _open_office(self, company: Company) -> None:
        desk = self.desk(company.id, "admin")
        desk.add_user("recruiter", company.recruiter, "recruiter")
        desk.add_user("approver", company.approver, "approver")
        if company.id == "bridge":
            self.desk("bridge", "recruiter").write_rule(RULE_CAP)

    def send_notices(self) -> None:
        """Step 2: from the recruiting system's file to mails that have left."""
        file = exported(self.people, encoding="cp932", broken_row=True)
        new, broken = self.desk("aoba", "recruiter").import_file("応募者一覧.csv", file)
        self.facts.imported = new
        self.telling.say(f"{new} applicants imported from a CP932 file; {broken} row handed back")
        batch, count = self.desk("aoba", "recruiter").prepare_notices(COMPANIES[0])
        self.telling.say(
            f"{count} notices, to those rejected after an interview; approval is asked for"
        )
        self.desk("aoba", "approver").approve_notices(batch)
        self.telling.say("a second person has looked at them and approved")
        with self.telling.bar("mails leave", count) as done:
            self.wait(
                lambda: (done(len(self.mailbox)), len(self.mailbox) >= count)[1],
                f"{count} notices should arrive",
                MAIL_WAIT_S,
            )
        self.facts.notices_sent = len(self.mailbox)
        links = len({mail.link for mail in self.mailbox.all() if "/l/" in mail.link})
        self.telling.say(
            f"{count} mails arrived by SMTP; {links} with a link of their own, {count - links} "
            "without, as these people wished"
        )

    def collect_consents(self) -> None:
        """Step 3: ten people decide, each on a phone."""
        willing = [
            person
            for person in self.people
            if person.rejected_on and "面接" in person.stage and person.passed_on
            if person.status != "辞退"
        ][: len(CHOICES)]
        with (
            ThreadPoolExecutor(PEOPLE_AT_ONCE) as pool,
            self.telling.bar("people decide", len(willing)) as done,
        ):
            visits = [
                pool.submit(self._consent, "aoba", person, choice)
                for person, choice in zip(willing, CHOICES, strict=True)
            ]
            pages = []
            for number, visit in enumerate(visits, 1):
                pages.append(visit.result())
                done(number)
        self._first = willing[0], pages[0]
        self.facts.consents = self.look.consents("aoba")
        self.telling.say(
            f"{len(willing)} people chose companies, confirmed a code, saw what is sent, consented"
        )
        self.telling.say(f"each has a receipt by mail and a status page; {REFERRALS} referrals")

    def _consent(self, member: str, person: Person, choice: Choice) -> str:
        return self.visit(member, person).consent(choice)

    def visit(self, member: str, person: Person) -> Visit:
        def wait(look: Callable[[], Mail | None], wish: str) -> Mail:
            return self.wait(look, wish)

        return Visit(self._workshop[member], person, self.mailbox, wait)

    def answer_referrals(self) -> None:
        """Step 4: cards arrive, HR and a rule answer, profiles follow the acceptances."""
        arrived = {m: sum(m in choice.members for choice in CHOICES) for m in ACCEPTED_BY_HAND}
        self.wait(
            lambda: all(self.look.received(m) == count for m, count in arrived.items()),
            f"{REFERRALS} referrals should arrive",
        )
        self.telling.say(f"{REFERRALS} anonymous cards arrived, sealed and receipted")
        self.wait(
            lambda: self.look.received("bridge", "received") == arrived["bridge"] - RULE_CAP,
            f"bridge's rule should accept {RULE_CAP} cards",
        )
        for member, accepted in ACCEPTED_BY_HAND.items():
            desk = self.desk(member, "recruiter")
            waiting = desk.waiting()
            if accepted:
                desk.answer(waiting[:accepted], "accept")
            desk.answer(waiting[accepted:], "decline")
        declined = REFERRALS - ACCEPTED
        self.wait(
            lambda: (
                self.look.sent("aoba", "released") == ACCEPTED
                and self.look.sent("aoba", "declined") == declined
            ),
            f"{ACCEPTED} profiles should be released, {declined} referrals declined",
        )
        self.facts.referrals_accepted = self.look.sent("aoba", "released")
        self.telling.say(
            f"{ACCEPTED} accepted ({RULE_CAP} by bridge's rule), {declined} declined without a word"
        )
        self.telling.say(f"{ACCEPTED} profiles released against the signed acceptances")

    def count_points(self) -> None:
        """Step 5: every acceptance is an order, every order a certificate."""
        self.wait(
            lambda: self.look.position("aoba").balance == ACCEPTED,
            f"aoba should have {ACCEPTED} points",
        )
        self.wait_for_one_digest()
        slots = self.look.position("aoba").slots
        self.telling.say(f"aoba has {ACCEPTED} points: {slots} free-hire slot; all digests equal")

    def hire_with_slot(self) -> None:
        """Step 6: bridge refers somebody to aoba, who is hired without a fee."""
        referral = self._refer_by_bridge()
        aoba = self.desk("aoba", "recruiter")
        aoba.answer([referral], "accept")
        before = ACCEPTED - 1
        self.wait(
            lambda: (
                self.look.position("aoba").balance == before
                and self.look.received("aoba", "profile_received") == 1
            ),
            f"aoba should have {before} points and the profile",
        )
        self.facts.points_before = self.look.position("aoba").balance
        self.telling.say(f"aoba accepted: one point to bridge, {before} left; the profile is here")
        for stage in STAGES:
            aoba.move(referral, stage)
        joins_on = self._today + timedelta(days=60)
        aoba.hire_with_slot(referral, joins_on.isoformat())
        self.wait(
            lambda: (
                self.look.position("aoba").balance == before - 10
                and self.look.sent("bridge", "hired") == 1
            ),
            "the slot should be paid and bridge be told",
        )
        self.facts.points_after = self.look.position("aoba").balance
        self.wait_for_one_digest()
        self.telling.say(
            "interviews, offer, hire with the slot: no fee, ten points to bridge; aoba has "
            f"{self.facts.points_after}"
        )

    def take_back(self) -> None:
        """Step 7: somebody takes the consent back, and each company proves what it erased."""
        assert self._first is not None, "ten people have consented before"
        person, status = self._first
        asked = len(CHOICES[0].members)
        self._nodes.stop_one(AWAY)
        self.visit("aoba", person).take_back(status)
        self.telling.say("one person took the consent back for every company, by one tap")
        self.wait(
            lambda: self.look.erasure_receipts("aoba") == asked - 1,
            f"{asked - 1} companies should prove the erasure",
        )
        self.telling.say(f"{AWAY} is away for now; the person's page shows what it owes")
        self._nodes.start_one(AWAY)
        self.wait(
            lambda: self.look.erasure_receipts("aoba") == asked,
            f"{AWAY}, back again, should prove the erasure, too",
        )
        self.facts.erasure_receipts = self.look.erasure_receipts("aoba")
        self.facts.profiles_left = self.look.profiles_left("aoba")
        self.telling.say(
            f"{asked} signed erasure receipts; {self.facts.profiles_left} profiles left"
        )

    def _refer_by_bridge(self) -> str:
        bridge = self.desk("bridge", "recruiter")
        new, _ = bridge.import_file("seekers.csv", exported(self.seekers, encoding="utf-8-sig"))
        before = len(self.mailbox)
        batch, count = bridge.prepare_notices(COMPANIES[3])
        self.wait(lambda: len(self.mailbox) >= before + count, f"{batch}: {count} notices")
        self.telling.say(f"bridge told {new} people, so few that no second person is needed")
        self._consent("bridge", self.seekers[0], Choice(("aoba",)))
        self.telling.say("one of them chose aoba")
        aoba = self.desk("aoba", "recruiter")
        waiting = self.wait(aoba.waiting, "bridge's referral should reach aoba")
        return waiting[0]

    def wait_for_one_digest(self) -> None:
        self.wait(lambda: len(self.look.digests()) == 1, "all digests should become equal")

    def desk(self, member: str, role: str) -> Desk:
        if (member, role) not in self._desks:
            self._desks[member, role] = Desk(self._workshop[member], role)
        return self._desks[member, role]

    def wait(self, found: Callable[[], T | None], wish: str, timeout_s: float = WAIT_S) -> T:
        return self._nodes.wait_until(found, wish, timeout_s)
