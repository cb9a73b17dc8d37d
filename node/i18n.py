"""Languages: English sentences are the keys, their Japanese stands in `translations/ja/*.po`.

Applicants may also read やさしい日本語, Japanese for people who are still learning it: in
`translations/ja-easy/*.po` stand the sentences that are said more simply, and all others are said
as in `ja`. The catalogues are read once, at the first question, straight from the text files that
people edit: there is nothing compiled that could be forgotten. Pages reach them through
Flask-Babel (`node/app.py` connects the two); mails, commands and the worker ask
`translator(language)`.
"""

from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

# In the order of the switch; each language calls itself by its own name.
LANGUAGES = {"ja": "日本語", "en": "English"}
# What the applicant's pages and mails offer; HR's have the two above.
EASY_JAPANESE = "ja-easy"
APPLICANT_LANGUAGES = {"ja": "日本語", EASY_JAPANESE: "やさしい日本語", "en": "English"}
DEFAULT_LANGUAGE = "ja"
TIMEZONE = "Asia/Tokyo"  # DOMAIN 4.2: HR works in Japanese time, whatever the server does.

FOLDER = Path(__file__).parent / "translations"


def locale_of(language: str) -> str:
    """The locale in which `language` writes dates and numbers, as Babel names it: ja@easy."""
    return language.replace("-", "@")


def language_of(locale: object) -> str:
    """The language of a locale of ours: the way back from `locale_of`."""
    return str(locale).replace("@", "-")


def tag_of(language: str) -> str:
    """The language as a page's `lang` and a receipt name it: easy Japanese is Japanese."""
    return language.partition("-")[0]


@cache
def catalogue(language: str) -> Catalog:
    """Every topic's translations into `language` as one catalogue."""
    tag = tag_of(language)
    whole = Catalog(locale=tag)
    # A catalogue keeps the first that says a sentence: the easier words, where there are any.
    for folder in dict.fromkeys((language, tag)):
        for path in sorted((FOLDER / folder).glob("*.po")):
            with path.open("rb") as file:
                for message in read_po(file, locale=tag, abort_invalid=True):
                    if message.id:
                        whole[message.id] = message
    return whole


@cache
def translations(language: str) -> NullTranslations:
    """The translations of `language`; English is the source and needs none."""
    if language == "en":
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return Translations(compiled)


def translator(language: str) -> Callable[..., str]:
    """A function like gettext's `_`, for text that leaves outside a page: `_("…", name=…)`."""
    known = translations(language if language in APPLICANT_LANGUAGES else DEFAULT_LANGUAGE)

    def translate(sentence: str, /, **values: object) -> str:
        text = str(known.gettext(sentence))
        return text % values if values else text

    return translate


def plain_day(at: date) -> str:
    """A day as Japanese mails and easy Japanese write it: 2026年11月3日."""
    return f"{at.year}年{at.month}月{at.day}日"


def written_day(at: date, language: str) -> str:
    """A day as a mail in this language writes it."""
    return f"{at.day} {at:%B %Y}" if language == "en" else plain_day(at)


def plain_moment(at: datetime) -> str:
    """A moment as easy Japanese writes it: 2026年11月3日 14時05分."""
    return f"{plain_day(at)} {at.hour}時{at.minute:02}分"


def later(sentence: str) -> str:
    """Mark a sentence for translation where it stands; whoever shows it translates it."""
    return sentence
