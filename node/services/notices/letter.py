"""The letter: what one person reads, from template, person, sender and the member's own address.

Below every letter stands who sends it and how to hear no more, because the law asks for it
(特定電子メール法 4条; DOMAIN 3.4). That foot belongs to no template, so nobody can forget it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from node.i18n import later, tag_of, translator, written_day
from node.services import links
from node.services.templates import Text, variables

DAY_S = 86_400
# Short enough for one line on a phone.
RULE = "―" * 14
# The variables whose values are the sender's.
OF_THE_SENDER = frozenset({"部署", "担当者名", "電話"})

# Why this person gets it.
APPLIED = later("You receive this mail because you applied to us; it tells you the result.")
HANDED_ON = later(
    "You receive this mail because another company passed your profile on to us with your consent; "
    "it tells you the result."
)


class Named(Protocol):
    """What a letter needs to know of a person."""

    @property
    def name(self) -> str:
        """Return the whole name as written."""
        ...

    @property
    def family(self) -> str:
        """Return the family name."""
        ...


@dataclass(frozen=True, slots=True)
class Sender:
    """Who signs."""

    name: str
    department: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True)
class Company:
    """The member, as its charter names it."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Occasion:
    """What is the same for every letter of a batch."""

    text: Text
    sender: Sender
    company: Company
    leaves_at: int
    zone: ZoneInfo
    # For so many days after the notice the documents are kept, and then destroyed.
    kept_days: int

    @property
    def link_expires_at(self) -> int:
        """Return when the links of these letters die."""
        return self.leaves_at + links.LIFE_S

    @property
    def kept_until(self) -> int:
        """Return until when the documents of these people are kept."""
        return self.leaves_at + self.kept_days * DAY_S


def values(occasion: Occasion, person: Named, *, job: str, stage: str, url: str) -> dict[str, str]:
    """Return every variable's value for one person; blank where there is none."""
    language = occasion.text.language
    found = {
        "候補者名": person.name,
        "姓": person.family,
        "求人名": job,
        "選考ステップ": stage,
        "企業名": occasion.company.name,
        "部署": occasion.sender.department,
        "担当者名": occasion.sender.name,
        "電話": occasion.sender.phone,
        variables.LINK: url,
        variables.LINK_EXPIRY: day(occasion.link_expires_at, occasion.zone, language),
        "保管期限": day(occasion.kept_until, occasion.zone, language),
    }
    # One line each: a line break out of a CSV cell would break the letter, or a header.
    return {name: " ".join(value.split()) for name, value in found.items()}


def missing(text: Text, given: dict[str, str], *, with_link: bool) -> tuple[str, ...]:
    """Return the variables that this text needs and this person has no value for."""
    needed = text.needs(with_link=with_link)
    return tuple(name for name in variables.VARIABLES if name in needed and not given[name])


def compose(
    occasion: Occasion, given: dict[str, str], *, with_link: bool, handed_on: bool = False
) -> tuple[str, str]:
    """Return subject and whole text of one letter; `handed_on`: to whom another company sent us."""
    subject, body = occasion.text.render(given, with_link=with_link)
    foot = _foot(occasion, with_link=with_link, handed_on=handed_on)
    return subject, f"{body.rstrip()}\n\n{foot}"


def day(at: int, zone: ZoneInfo, language: str) -> str:
    """Return a day as a letter in this language writes it."""
    return written_day(datetime.fromtimestamp(at, zone), language)


def _foot(occasion: Occasion, *, with_link: bool, handed_on: bool) -> str:
    """Who sends this, why, and how to hear no more."""
    say = translator(occasion.text.language)
    sender = occasion.sender
    # A reader who finds this letter hard should know that the page behind it is easier.
    spoken = say("The page can be read in Japanese, easy Japanese (やさしい日本語) and English.")
    stop = (
        say(
            "To receive no further invitations: choose this on the private page above, or write "
            "to %(email)s.",
            email=sender.email,
        )
        if with_link
        else say("To receive no further mail from us: write to %(email)s.", email=sender.email)
    )
    why = HANDED_ON if handed_on else APPLIED
    lines = (
        RULE,
        f"{occasion.company.name}　{sender.department}"
        if tag_of(occasion.text.language) == "ja"
        else f"{sender.department}, {occasion.company.name}",
        say("Contact: %(name)s", name=sender.name),
        say("Address: %(address)s", address=occasion.company.address),
        say("Telephone: %(phone)s", phone=sender.phone),
        say("E-mail: %(email)s", email=sender.email),
        "",
        say(why),
        *([spoken] if with_link else []),
        stop,
    )
    return "\n".join(lines) + "\n"
