"""Vectors of a referral's letters: from the card to the hire.  SPEC §7."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from protocol import limits, strictjson
from tests.protocol.letters import letters
from tests.protocol.vector import Vector

Change = Callable[[dict[str, Any]], object]


def _with(name: str, value: object) -> Change:
    return lambda fields: fields.update({name: value})


def _without(name: str) -> Change:
    return lambda fields: fields.pop(name)


def _card(name: str, value: object) -> Change:
    return lambda fields: fields["card"].update({name: value})


def _grounds(name: str, value: object) -> Change:
    return lambda fields: fields["grounds"].update({name: value})


_DEFECTS: list[tuple[str, str, str, Change]] = [
    ("referral", "card_name", "a name on the anonymous card", _card("name", "山田")),
    ("referral", "card_school", "a school on it", _card("school", "例大学")),
    ("referral", "card_reason", "why somebody was rejected", _card("reason", "経験不足")),
    ("referral", "card_score", "a mark for a person", _card("score", 3)),
    ("referral", "card_region_48", "there are 47 prefectures", _card("region", "48")),
    ("referral", "card_experience_71", "71 years of work", _card("experienceYears", 71)),
    ("referral", "card_stage_unknown", "no common stage", _card("reachedStage", "tea")),
    ("referral", "card_21_skills", "a card is short", _card("skills", ["x"] * 21)),
    ("referral", "without_consent", "no ground to send it", _grounds("consent", "")),
    ("referral", "page_hash_short", "no page that was seen", _grounds("page_hash", "ab")),
    ("referral", "grounds_note", "a note beside the grounds", _grounds("note", "x")),
    ("referral", "profile_missing", "no word about the profile", _without("profile")),
    ("referral", "profile_photo", "a photo in the profile", lambda fields: fields["profile"][
        "basics"].update({"image": "x"})),
    ("referral", "id_with_slash", "an id that is a path", _with("id", "a/b/c/d/e")),
    ("acceptance", "points_zero", "a promise of nothing", _with("points", 0)),
    ("acceptance", "points_huge", "a million and one", _with("points", limits.POINTS_MAX + 1)),
    ("acceptance", "points_true", "true points", _with("points", value=True)),
    ("acceptance", "salt_short", "a salt of two bytes", _with("salt", "AAA")),
    ("acceptance", "entry_upper_case", "no id of an entry", _with("entry", "E" * 32)),
    ("acceptance", "condition", "a promise with a condition", _with("condition", "x")),
    ("decline", "reason", "a decline says no reason", _with("reason", "経験不足")),
    ("decline", "text", "nor anything else", _with("text", "またの機会に")),
    ("decline", "time_text", "a time in words", _with("declined_at", "2026-04-01")),
    ("already-known", "how", "how somebody is known", _with("how", "friend")),
    ("already-known", "date_with_slashes", "2024/01/31", _with("known_since", "2024/01/31")),
    ("already-known", "date_short", "a month", _with("last_contact", "2025-12")),
    ("profile-release", "acceptance_short", "a digest of two bytes", _with("acceptance", "AAA")),
    ("profile-release", "without_profile", "a release of nothing", _with("profile", None)),
    ("profile-release", "birth_date", "a birth date in it", lambda fields: fields["profile"][
        "basics"].update({"birthDate": "1990-01-01"})),
    ("attachment", "index_beyond_total", "the third of two", _with("index", 2)),
    ("attachment", "total_zero", "none of none", _with("total", 0)),
    ("attachment", "total_beyond_limit", "seven chunks", _with("total", 7)),
    ("attachment", "content_padded", "base64 with padding", _with("content", "JVBERg==")),
    ("attachment", "file_name", "a name may say who it is", _with("name", "山田.pdf")),
    ("progress", "stage_unknown", "no common stage", _with("stage", "tea")),
    ("progress", "reason", "a stage says no reason", _with("reason", "x")),
    ("progress", "changed_before_1970", "a negative time", _with("changed_at", -1)),
    ("withdrawal", "reason", "nobody has to say why", _with("reason", "x")),
    ("withdrawal", "without_deadline", "no day by which", _without("erase_by")),
    ("erasure-receipt", "kept_profile", "what may not be kept", _with("kept", ["profile"])),
    ("erasure-receipt", "kept_twice", "one kind twice", _with("kept", ["record", "record"])),
    ("erasure-receipt", "withdrawal_short", "a digest of two bytes", _with("withdrawal", "AAA")),
    ("hire", "salary", "what somebody earns is nobody else's", _with("salary", 5_000_000)),
    ("hire", "fee", "nor is the fee", _with("fee", 1_000_000)),
    ("hire", "points_negative", "points backwards", _with("points", -10)),
    ("hire", "joins_on_a_month", "no day", _with("joins_on", "2026-05")),
]  # fmt: skip


def make() -> Iterator[Vector]:
    for kind, letter in letters().items():
        if kind != "profile":
            given = {"text": letter.encode().decode()}
            name = f"valid_{kind.replace('-', '_')}"
            yield Vector(name, f"a good {kind}", kind, None, None, given)
    for kind, defect, about, change in _DEFECTS:
        fields = strictjson.parse(letters()[kind].encode(), bytes_max=1_000_000)
        change(fields)
        given = {"text": json.dumps(fields, ensure_ascii=False, separators=(",", ":"))}
        name = f"{kind.replace('-', '_')}_{defect}"
        yield Vector(name, about, kind, "fields", "document-invalid", given)
    fraction = letters()["acceptance"].encode().decode().replace('"points":1', '"points":0.5')
    given, about = {"text": fraction}, "half a point"
    name, code = "acceptance_points_fraction", "json-not-strict"
    yield Vector(name, about, "acceptance", "json", code, given)
