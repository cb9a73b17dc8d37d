"""Languages that people speak, as a card writes them and as its reader wants them.  DOMAIN 6.1.

A person types the name of a language; the usual ones are known in Japanese and in English, and are
shown in the reader's language. Everything else stays as it was written, and so does what travels.
"""

import re
from collections.abc import Callable

from node.i18n import later
from node.services.consents.answers import FLUENCIES

# The first languages of people who work in Japan, and those that openings ask for.
SPOKEN = {
    "日本語": later("Japanese"),
    "英語": later("English"),
    "中国語": later("Chinese"),
    "広東語": later("Cantonese"),
    "台湾語": later("Taiwanese"),
    "韓国語": later("Korean"),
    "ベトナム語": later("Vietnamese"),
    "タイ語": later("Thai"),
    "インドネシア語": later("Indonesian"),
    "タガログ語": later("Tagalog"),
    "ミャンマー語": later("Burmese"),
    "ネパール語": later("Nepali"),
    "ヒンディー語": later("Hindi"),
    "モンゴル語": later("Mongolian"),
    "スペイン語": later("Spanish"),
    "ポルトガル語": later("Portuguese"),
    "フランス語": later("French"),
    "ドイツ語": later("German"),
    "イタリア語": later("Italian"),
    "ロシア語": later("Russian"),
    "アラビア語": later("Arabic"),
    "日本手話": later("Japanese Sign Language"),
}
# However it was typed -> the sentence to translate.
_KNOWN = SPOKEN | {english.casefold(): english for english in SPOKEN.values()}
_ON_A_CARD = re.compile(r"(.+)（(.+)）")


def on_card(language: str, fluency: str) -> str:
    """How a card writes a language: with the level in full-width brackets, if there is one."""
    return f"{language}（{fluency}）" if fluency else language


def name_of(language: str, say: Callable[[str], str]) -> str:
    """The name of a language as the reader calls it; others as they are written."""
    known = _KNOWN.get(language.strip().casefold())
    return say(known) if known else language


def of_card(written: str, say: Callable[[str], str]) -> str:
    """A language of a card with its level, in the reader's words."""
    found = _ON_A_CARD.fullmatch(written)
    if found is None or found[2] not in FLUENCIES:
        return name_of(written, say)
    words = {"language": name_of(found[1], say), "level": say(FLUENCIES[found[2]])}
    return say("%(language)s (%(level)s)") % words
