"""Contacts and names in one form each, so that the same person is recognised.  DOMAIN 4.1, 4.2.

The written form is kept for display; what is made here is compared, indexed and dialled.  The
common Japanese forms take a fast path of regular expressions: over 100,000 rows the libraries
alone would need longer (87 us a telephone number) than everything else together.
"""

import re
import unicodedata
from functools import lru_cache

import phonenumbers
from email_validator import EmailNotValidError, validate_email

EMAIL_CHARS_MAX = 254  # RFC 5321 4.5.3.1.3, less the angle brackets.
LOCAL_CHARS_MAX = 64  # RFC 5321 4.5.3.1.1.

# Anything that would hide or turn text: C0 and C1 controls, direction marks, a stray BOM.
CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
SPACES = re.compile(r"\s+")

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_DOMAIN = rf"(?:{_LABEL}\.)+[A-Za-z]{{2,63}}"
_PLAIN_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@({_DOMAIN})")
# Japanese carriers once gave out addresses with dots in a row or before the @: people still
# read them, so they are a warning and never a refusal (DOMAIN 4.1).
_LEGACY_EMAIL = re.compile(
    r"[A-Za-z0-9._/?+-]+@(?:docomo\.ne\.jp|ezweb\.ne\.jp|(?:[a-z]\.)?vodafone\.ne\.jp"
    r"|[a-z]\.softbank\.ne\.jp|softbank\.ne\.jp|au\.com)",
    re.IGNORECASE,
)

# What people write between the digits, the long vowel mark and every dash included.
_SEPARATORS = dict.fromkeys(map(ord, "-‐‑‒–—―−ーｰ~() .・/"))
_EXTENSION = re.compile(r"(?:内線|ext\.?|EXT|#)\s*\d+.*$")
_FIRST_OF_MANY = re.compile(r"[、,;；\n]|\s/\s")
_MOBILE = re.compile(r"0[256789]0\d{8}")
_FIXED = re.compile(r"0(?![256789]0)[1-9]\d{8}")
# Excel drops the leading zero of 090-1234-5678.
_MOBILE_WITHOUT_ZERO = re.compile(r"[5789]0\d{8}")
_INTERNATIONAL = re.compile(r"\+81\(?0?\)?([1-9]\d{8,9})")

_TO_KATAKANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
# Only to find duplicate candidates: NFKC does not fold these, and nobody's name is changed.
_SAME_NAME = str.maketrans(
    "髙﨑邊邉齋齊斎濵濱澤櫻廣德瀨嶋槗穗惠眞國", "高崎辺辺斉斉斉浜浜沢桜広徳瀬島橋穂恵真国"
)

PREFECTURES = (
    "北海道 青森県 岩手県 宮城県 秋田県 山形県 福島県 茨城県 栃木県 群馬県 埼玉県 千葉県 東京都 "
    "神奈川県 新潟県 富山県 石川県 福井県 山梨県 長野県 岐阜県 静岡県 愛知県 三重県 滋賀県 京都府 "
    "大阪府 兵庫県 奈良県 和歌山県 鳥取県 島根県 岡山県 広島県 山口県 徳島県 香川県 愛媛県 高知県 "
    "福岡県 佐賀県 長崎県 熊本県 大分県 宮崎県 鹿児島県 沖縄県"
).split()
_SHORT_PREFECTURES = {name[:-1]: name for name in PREFECTURES if name != "北海道"}
_PREFECTURE = re.compile("|".join(PREFECTURES))
_POSTAL = re.compile(r"(\d{3})-?(\d{4})")


def fold(text: str) -> str:
    """Return `text` in NFKC with single spaces: full width and half width become one."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.split())


def email(text: str) -> tuple[str, bool] | None:
    """Return the address and whether it is a carrier's old form; None if it is no address."""
    text = text if text.isascii() else unicodedata.normalize("NFKC", text)
    text = text.strip()
    if len(text) > EMAIL_CHARS_MAX:
        return None
    local, _, domain = text.rpartition("@")
    if len(local) > LOCAL_CHARS_MAX:
        return None
    if _PLAIN_EMAIL.fullmatch(text):
        return f"{local}@{domain.lower()}", False
    if _LEGACY_EMAIL.fullmatch(text):
        return f"{local}@{domain.lower()}", True
    try:
        found = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return found.normalized, False


def phone(text: str) -> str | None:
    """Return the number in E.164, such as +819012345678; None if it is no number."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    digits = text.translate(_SEPARATORS)
    if _MOBILE.fullmatch(digits) or _FIXED.fullmatch(digits):
        return "+81" + digits[1:]
    if _MOBILE_WITHOUT_ZERO.fullmatch(digits):
        return "+81" + digits
    if found := _INTERNATIONAL.fullmatch(digits):
        return "+81" + found[1]
    return _foreign_phone(_FIRST_OF_MANY.split(text, maxsplit=1)[0])


def _foreign_phone(text: str) -> str | None:
    text = _EXTENSION.sub("", text).replace("ー", "-")
    try:
        number = phonenumbers.parse(text, "JP")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def shown_phone(number: str) -> str:
    """Return an E.164 number as people here write it: 090-1234-5678, or +1 650-253-0000."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    form = phonenumbers.PhoneNumberFormat
    style = form.NATIONAL if parsed.country_code == 81 else form.INTERNATIONAL
    return str(phonenumbers.format_number(parsed, style))


def kana(text: str) -> str:
    """Return a reading in full-width katakana, as written apart from that."""
    return fold(text).translate(_TO_KATAKANA)


def kana_key(text: str) -> str:
    """Return what two readings of one name have in common: katakana without spaces or dots."""
    return kana(text).replace(" ", "").replace("・", "").casefold()


def name_key(text: str) -> str:
    """Return what two ways to write one name have in common: 髙橋 and 高橋 are candidates."""
    return fold(text).replace(" ", "").replace("・", "").translate(_SAME_NAME).casefold()


def split_name(text: str) -> tuple[str, str]:
    """Return 姓 and 名 of a name with a space; both empty when it has none: never guess."""
    parts = text.replace("\u3000", " ").split()
    return (parts[0], " ".join(parts[1:])) if len(parts) > 1 else ("", "")


def postal(text: str) -> str | None:
    """Return a postal code as 123-4567; None if it is none."""
    found = _POSTAL.fullmatch(fold(text).removeprefix("〒").strip().translate(_DASHES))
    return f"{found[1]}-{found[2]}" if found else None


_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−ーｰ"), "-")


@lru_cache(maxsize=1024)
def prefecture(text: str) -> str | None:
    """Return the full name of a prefecture written with or without its 都道府県."""
    text = fold(text)
    if text in PREFECTURES:
        return text
    return _SHORT_PREFECTURES.get(text)


def prefecture_in(address: str) -> str:
    """Return the prefecture with which an address begins, or nothing."""
    found = _PREFECTURE.match(address.strip())
    return found[0] if found else ""
