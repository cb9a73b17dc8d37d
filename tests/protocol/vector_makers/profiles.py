"""Vectors of profiles: what must never travel, and what does not have its form.  SPEC §7."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from protocol import limits
from tests.protocol.letters import PROFILE
from tests.protocol.vector import Vector

# DOMAIN 6.1: asking for these is against the law or its guidance, or they judge a person.
_FORBIDDEN: list[tuple[str, tuple[str, ...], object]] = [
    ("gender", ("basics", "gender"), "female"),
    ("birth_date", ("basics", "birthDate"), "1990-01-01"),
    ("age", ("basics", "age"), 36),
    ("image", ("basics", "image"), "https://example.jp/face.jpg"),
    ("photo", ("x-jp", "photo"), "AAAA"),
    ("nationality", ("basics", "nationality"), "JP"),
    ("address_line", ("basics", "location", "address"), "芝1-1-1"),
    ("postal_code", ("basics", "location", "postalCode"), "105-0014"),
    ("domicile", ("x-jp", "honseki"), "滋賀県"),
    ("family", ("x-jp", "family"), ["spouse"]),
    ("marital_status", ("x-jp", "maritalStatus"), "single"),
    ("health", ("x-jp", "health"), "good"),
    ("religion", ("x-jp", "religion"), "none"),
    ("union", ("x-jp", "union"), "none"),
    ("my_number", ("x-jp", "myNumber"), "123456789012"),
    ("references", ("references",), [{"name": "前職の上司", "reference": "良い人"}]),
    ("score", ("x-jp", "score"), 72),
    ("evaluation", ("x-jp", "evaluation"), "B"),
    ("rejection_reason", ("x-jp", "rejectionReason"), "経験不足"),
    ("social_profiles", ("basics", "profiles"), [{"network": "X"}]),
    ("meta", ("meta",), {"version": "1.2.1"}),
]
_MALFORMED: list[tuple[str, tuple[str, ...], object]] = [
    ("name_empty", ("basics", "name"), ""),
    ("name_number", ("basics", "name"), 7),
    ("name_too_long", ("basics", "name"), "山" * (limits.NAME_CHARS_MAX + 1)),
    ("email_too_long", ("basics", "email"), "a" * 255),
    ("work_object", ("work",), {}),
    ("work_row_text", ("work",), ["株式会社例"]),
    ("work_51_rows", ("work",), [{}] * (limits.PROFILE_ROWS_MAX + 1)),
    ("date_with_slashes", ("work",), [{"startDate": "2018/04"}]),
    ("date_month_13", ("work",), [{"startDate": "2018-13"}]),
    ("skill_31_keywords", ("skills",), [{"keywords": ["x"] * 31}]),
    ("applicant_type_unknown", ("x-jp", "applicantType"), "retired"),
    ("graduation_text", ("x-jp", "graduationYear"), "2018"),
    ("salary_negative", ("x-jp", "desiredSalaryMin"), -1),
    ("hidden_number", ("x-jp", "sourceHidden"), 1),
    ("file_html", ("x-jp", "resumeFile", "mime"), "text/html"),
    ("file_empty", ("x-jp", "resumeFile", "size"), 0),
    ("file_too_large", ("x-jp", "resumeFile", "size"), limits.ATTACHMENT_BYTES_MAX + 1),
    ("file_digest_upper_case", ("x-jp", "resumeFile", "sha256"), "A" * 64),
]


def make() -> Iterator[Vector]:
    yield _profile("valid_profile", "every field that may be there", None, PROFILE)
    only = {"basics": {"name": "山"}}
    yield _profile("valid_profile_of_a_name", "nothing but a name", None, only)
    for name, place, value in _FORBIDDEN:
        about = f"{'.'.join(place)} never travels"
        yield _profile(f"profile_{name}", about, "fields", _with(place, value))
    for name, place, value in _MALFORMED:
        about = f"{'.'.join(place)} does not have its form"
        yield _profile(f"profile_{name}", about, "fields", _with(place, value))
    without = {name: value for name, value in PROFILE.items() if name != "basics"}
    yield _profile("profile_without_basics", "nobody's profile", "fields", without)
    twice = _text(only).replace('"name"', '"name":"川","name"')
    given, about = {"text": twice}, "two names in one field"
    yield Vector("profile_name_twice", about, "profile", "json", "json-not-strict", given)


def _with(place: tuple[str, ...], value: object) -> dict[str, Any]:
    changed = copy.deepcopy(PROFILE)
    within = changed
    for name in place[:-1]:
        within = within[name]
    within[place[-1]] = value
    return changed


def _text(profile: dict[str, Any]) -> str:
    return json.dumps(profile, ensure_ascii=False, separators=(",", ":"))


def _profile(name: str, about: str, layer: str | None, profile: dict[str, Any]) -> Vector:
    refusal = layer and "document-invalid"
    return Vector(name, about, "profile", layer, refusal, {"text": _text(profile)})
