"""Every text an applicant reads has its やさしい日本語, or stands here as easy already.

Easy Japanese falls back to the Japanese sentence, so a text that nobody thought of would simply be
hard. Here each has a decision: an easier twin in node/translations/ja-easy/, or a place on the
list of those that are as easy as they get. The guideline of 文化庁 and 出入国在留管理庁 for
やさしい日本語 says what easy is; what can be counted of it is counted.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from node.i18n import EASY_JAPANESE, translations, translator
from node.services.applicants import PREFECTURES
from node.services.consents import tongues
from tests.equipment.source import ROOT, lesson
from tests.test_translations import PLACEHOLDER, Sentence, parts_of, refusals, said_in, written

NODE = ROOT / "node"
# The applicant's pages, what they share with HR's, and whoever writes mails to applicants.
ROOMS = (
    NODE / "candidate",
    NODE / "services" / "applicants" / "occupations.py",
    NODE / "services" / "consents",
    NODE / "services" / "interest.py",
    NODE / "services" / "notices" / "letter.py",
    NODE / "services" / "rights",
    NODE / "web" / "templates" / "_macros" / "forms.html",
    NODE / "web" / "templates" / "_macros" / "parts.html",
    NODE / "forms.py",
    NODE / "web" / "refusals.py",
)
# Whose refusals applicants read as they are.
REFUSING = (
    "node.candidate.",
    "node.refusals.",
    "node.services.consents.",
    "node.services.links.",
    "node.services.referrals.refusals.CorrectedTooOften.",
    "node.services.rights.",
    "node.virus_scanner.",
)

# Names of places and of languages: whoever lives there, or speaks it, knows them so.
NAMES = frozenset(PREFECTURES.values()) | frozenset(tongues.SPOKEN.values())
# Japanese that is easy as it stands.
EASY_ALREADY = {
    ", ",
    "%(language)s (%(level)s)",
    "%(yen)s yen",
    "(not told)",
    "Change how it is sent",
    "Change the companies",
    "Change the profile",
    "Choose a PDF",
    "Congratulations!",
    "Country",
    "E-mail address",
    "Go on",
    "How shall it be sent?",
    "How to send",
    "Level",
    "PDF, %(pages)s pages, %(size)s KB",
    "Part-time",
    "Please open the link in our mail once more",
    "Profile",
    "Telephone number",
    "This is too long.",
    "This page does not exist",
    "We cannot find this link",
    "We cannot find this page",
    "Which companies may get your profile?",
    "e-mail address",
    "telephone number",
}
# Of what the rooms hold, this is shown to HR alone.
FOR_HR = {
    "%(value)s of %(maximum)s points",
    "Back to correct",
    "Cancel",
    "Item",
    "Please check",
    "Show as a table",
    "Show the password",
    "Time",
    "To the home page",
    "To the sign-in page",
    "Your role does not allow this. Ask an administrator of this node.",
    "Your role does not include it. Ask an administrator if you need it.",
}
DECIDED = NAMES | EASY_ALREADY | FOR_HR

# Readings in brackets, what is filled in and names of files make no sentence longer.
BESIDE = re.compile(r"（[^（）]*）|%\(\w+\)s|[\w.-]+\.json")
SENTENCE_CHARS_MAX = 40
# Respect beyond です and ます, 漢語 of offices, and "no" said twice.
HARD = re.compile(
    "[ごお][ぁ-ん一-龯]{1,4}(?:ください|くださ|いたし|になり|します)"
    "|いただ|いたし|ござい|おり[また]|まいり|申し上げ|つきまして|により"
    "|当社|御社|貴社|下記|上記|以下の"
    "|ない(?:と|わけ|限り)[^。]*(?:ない|ません)|なければ|ざるを得"
)
THANKS = "ありがとうございま"


def files_of_applicants() -> Iterator[Path]:
    for room in ROOMS:
        if room.is_file():
            yield room
        else:
            yield from sorted(path for kind in ("*.py", "*.html") for path in room.rglob(kind))


@cache
def read_by_applicants() -> dict[Sentence, str]:
    theirs = {
        refusal
        for refusal in refusals()
        if f"{refusal.__module__}.{refusal.__name__}.".startswith(REFUSING)
    }
    return said_in(files_of_applicants(), theirs)


def easy() -> dict[Sentence, list[tuple[str, Sentence]]]:
    return written(EASY_JAPANESE)


def test_every_text_of_the_applicant_is_easy_or_was_looked_at() -> None:
    hard = [
        f"{place}: {sentence!r}"
        for sentence, place in read_by_applicants().items()
        if sentence not in easy() and sentence not in DECIDED
    ]
    assert not hard, lesson(
        "People who are learning Japanese read this too. Say it easily in "
        "node/translations/ja-easy/<topic>.po, or put it on the list of what is easy already.",
        hard,
    )


def test_no_decision_is_left_over() -> None:
    stale = [repr(one) for one in easy() if one not in read_by_applicants()]
    stale += [repr(one) for one in DECIDED - NAMES if one not in read_by_applicants()]
    stale += [f"{one!r} (twice)" for one in DECIDED if one in easy()]
    assert not stale, lesson("No applicant reads this: take it out.", stale)


def test_easy_sentences_keep_what_is_filled_in() -> None:
    changed = []
    for sentence, places in easy().items():
        wanted = {name for part in parts_of(sentence) for name in PLACEHOLDER.findall(part or "")}
        for file, text in places:
            used = {name for part in parts_of(text) for name in PLACEHOLDER.findall(part or "")}
            if used != wanted:
                changed.append(f"{file}: {sentence!r} -> {text!r}")
    assert not changed, lesson("A name, a number or a link would be lost.", changed)


def test_easy_sentences_are_short_and_say_no_once() -> None:
    wrong = []
    for places in easy().values():
        for file, text in places:
            for one in re.split("(?<=。)\n?", BESIDE.sub("", str(parts_of(text)[0]))):
                if len(one) > SENTENCE_CHARS_MAX:
                    wrong.append(f"{file}: {len(one)} characters: {one}")
                if found := HARD.search(one.replace(THANKS, "")):
                    wrong.append(f"{file}: {found[0]}: {one}")
    assert not wrong, lesson(
        "One thought a sentence, in です and ます, and no office words.", wrong
    )


def test_what_has_no_easier_words_is_said_in_ordinary_japanese() -> None:
    say = translator(EASY_JAPANESE)
    assert say("Look at the companies") == "会社を見る" != translator("ja")("Look at the companies")
    assert say("Tokyo") == translator("ja")("Tokyo") == "東京都"
    many = translations(EASY_JAPANESE).ngettext
    pair = next(each for each in easy() if isinstance(each, tuple))
    assert many(pair[0], pair[1], 2) == easy()[pair][0][1][0]
