"""Languages: English sentences are the keys, their Japanese stands in `translations/ja/*.po`.

The catalogues are read once, at the first question, straight from the text files that people
edit: there is nothing compiled that could be forgotten. Pages reach them through Flask-Babel
(`node/app.py` connects the two); mails, commands and the worker ask `translator(language)`.
"""

from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

# In the order of the switch; each language calls itself by its own name.
LANGUAGES = {"ja": "日本語", "en": "English"}
DEFAULT_LANGUAGE = "ja"
TIMEZONE = "Asia/Tokyo"  # DOMAIN 4.2: HR works in Japanese time, whatever the server does.

FOLDER = Path(__file__).parent / "translations"


@cache
def catalogue(language: str) -> Catalog:
    """Every topic's translations into `language` as one catalogue."""
    whole = Catalog(locale=language)
    for path in sorted((FOLDER / language).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=language, abort_invalid=True):
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
    known = translations(language if language in LANGUAGES else DEFAULT_LANGUAGE)

    def translate(sentence: str, /, **values: object) -> str:
        text = str(known.gettext(sentence))
        return text % values if values else text

    return translate


def later(sentence: str) -> str:
    """Mark a sentence for translation where it stands; whoever shows it translates it."""
    return sentence
