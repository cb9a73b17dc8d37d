"""A referral's letters: they read back as they were written, and hold nothing else.  SPEC §7."""

import copy
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from protocol import STAGES, Card, Profile, errors, limits, stage_code, strictjson
from tests.protocol.letters import CARD, PROFILE, letters, profile
from tests.protocol.refusals import refusal_of

KINDS = list(letters())
Place = tuple[str | int, ...]
JUNK = some.recursive(
    some.none() | some.booleans() | some.integers(-10, 10) | some.text(max_size=5),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
    max_leaves=6,
)


def fields_of(kind: str) -> dict[str, Any]:
    return dict(strictjson.parse(letters()[kind].encode(), bytes_max=limits.DOCUMENT_BYTES_MAX))


def read(kind: str, fields: object) -> object:
    return type(letters()[kind]).parse(strictjson.encode(fields))


def places(value: object, place: Place = ()) -> Iterator[Place]:
    """Every object within a document, by the way to it."""
    if isinstance(value, dict):
        yield place
        for name, inner in value.items():
            yield from places(inner, (*place, name))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*place, index))


def at(value: Any, place: Place) -> Any:  # noqa: ANN401  # JSON, at any depth
    for step in place:
        value = value[step]
    return value


def changed(kind: str, place: Place, change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    fields = copy.deepcopy(fields_of(kind))
    change(at(fields, place))
    return fields


EVERY_OBJECT = [(kind, place) for kind in KINDS for place in places(fields_of(kind))]
EVERY_FIELD = [
    (kind, place, name) for kind, place in EVERY_OBJECT for name in at(fields_of(kind), place)
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_letter_reads_back_as_it_was_written(kind: str) -> None:
    letter = letters()[kind]
    data = letter.encode()
    assert type(letter).parse(data) == letter
    assert type(letter).parse(data).encode() == data


@pytest.mark.parametrize("kind", KINDS)
def test_a_letter_is_written_in_the_one_strict_form(kind: str) -> None:
    data = letters()[kind].encode()
    assert strictjson.encode(strictjson.parse(data, bytes_max=limits.DOCUMENT_BYTES_MAX)) == data


@pytest.mark.parametrize(("kind", "place"), EVERY_OBJECT)
def test_an_unknown_field_anywhere_is_refused(kind: str, place: Place) -> None:
    fields = changed(kind, place, lambda found: found.update({"memo": "x"}))
    with pytest.raises(errors.DocumentInvalid, match="is not a field"):
        read(kind, fields)


@pytest.mark.parametrize(("kind", "place", "name"), EVERY_FIELD)
def test_a_missing_field_is_refused_unless_it_is_the_persons_choice(
    kind: str, place: Place, name: str
) -> None:
    fields = changed(kind, place, lambda found: found.pop(name))
    within_profile = kind == "profile" or "profile" in place
    is_needed = not within_profile or name in ("basics", "mime", "sha256", "size")
    is_needed |= within_profile and place[-1:] == ("basics",) and name == "name"
    assert (refusal_of(lambda: read(kind, fields)) is not None) == is_needed


@settings(max_examples=500)
@given(field=some.sampled_from(EVERY_FIELD), junk=JUNK)
def test_a_field_of_any_other_form_is_a_refusal_and_no_crash(
    field: tuple[str, Place, str], junk: object
) -> None:
    kind, place, name = field
    fields = changed(kind, place, lambda found: found.update({name: junk}))
    try:
        data = strictjson.encode(fields)
    except errors.OurMistake:
        return
    refusal = refusal_of(lambda: type(letters()[kind]).parse(data))
    if refusal is None:
        # What is taken is kept as it is: nothing is made to fit.
        assert type(letters()[kind]).parse(data).encode() == data


@pytest.mark.parametrize("kind", KINDS)
@given(data=some.binary(max_size=200))
def test_garbage_is_a_refusal_with_a_code(kind: str, data: bytes) -> None:
    assert refusal_of(lambda: type(letters()[kind]).parse(data)) is not None


BOUNDS: list[tuple[str, Place, str, object, object]] = [
    # kind, where, field, the last value that is taken, the first that is not.
    ("referral", ("card",), "experienceYears", 70, 71),
    ("referral", ("card",), "experienceYears", 0, -1),
    ("referral", ("card",), "skills", ["x"] * 20, ["x"] * 21),
    ("referral", ("card",), "skills", ["x" * 60], ["x" * 61]),
    ("referral", ("card",), "skills", [], [""]),
    ("referral", ("card",), "languages", ["x"] * 10, ["x"] * 11),
    ("referral", ("card",), "occupation", "x" * 500, "x" * 501),
    ("referral", ("card",), "region", "47", "48"),
    ("referral", ("card",), "region", "", "1"),
    ("referral", ("card",), "availableFrom", "2026-05", "2026-5"),
    ("referral", ("grounds",), "items", ["x"] * 30, ["x"] * 31),
    ("referral", ("grounds",), "text_version", "x" * 40, "x" * 41),
    ("referral", (), "id", "r" * 64, "r" * 65),
    ("referral", (), "id", "r" * 8, "r" * 7),
    ("referral", (), "answer_by", limits.TIME_MAX, limits.TIME_MAX + 1),
    ("acceptance", (), "points", 1, 0),
    ("acceptance", (), "points", limits.POINTS_MAX, limits.POINTS_MAX + 1),
    ("acceptance", (), "salt", "A" * 43, "A" * 42),
    ("decline", (), "declined_at", 0, -1),
    ("already-known", (), "known_since", "2024-01-31", "2024-1-31"),
    ("profile-release", (), "acceptance", "A" * 43, "A" * 44),
    ("attachment", (), "total", limits.ATTACHMENT_CHUNKS_MAX, limits.ATTACHMENT_CHUNKS_MAX + 1),
    ("attachment", (), "index", 1, 2),
    ("progress", (), "stage", "left", "gone"),
    ("withdrawal", (), "erase_by", limits.TIME_MAX, limits.TIME_MAX + 1),
    ("erasure-receipt", (), "kept", ["hire", "record"], ["record", "hire"]),
    ("erasure-receipt", (), "kept", [], ["score"]),
    ("hire", (), "points", 0, -1),
    ("hire", (), "entry", "", "e"),
    ("profile", ("basics",), "name", "山" * 200, "山" * 201),
    ("profile", ("basics",), "email", "x" * 254, "x" * 255),
    ("profile", ("basics",), "phone", "0" * 20, "0" * 21),
    ("profile", ("basics",), "summary", "x" * 4000, "x" * 4001),
    ("profile", ("basics", "location"), "countryCode", "JP", "JPN"),
    ("profile", (), "work", [{}] * 50, [{}] * 51),
    ("profile", ("work", 0), "highlights", ["x"] * 20, ["x"] * 21),
    ("profile", ("work", 0), "startDate", "2018-12-31", "2018-12-32"),
    ("profile", ("x-jp",), "graduationYear", 2200, 2201),
    ("profile", ("x-jp",), "graduationYear", 1900, 1899),
    ("profile", ("x-jp",), "desiredSalaryMin", 10**9, 10**9 + 1),
    ("profile", ("x-jp",), "desiredRegions", ["13"] * 47, ["13"] * 48),
    (
        "profile",
        ("x-jp", "resumeFile"),
        "size",
        limits.ATTACHMENT_BYTES_MAX,
        limits.ATTACHMENT_BYTES_MAX + 1,
    ),
]


@pytest.mark.parametrize(("kind", "place", "name", "last", "first"), BOUNDS)
def test_a_bound_takes_the_last_value_and_refuses_the_next(
    kind: str, place: Place, name: str, last: object, first: object
) -> None:
    taken = changed(kind, place, lambda found: found.update({name: last}))
    assert refusal_of(lambda: read(kind, taken)) is None
    refused = changed(kind, place, lambda found: found.update({name: first}))
    with pytest.raises(errors.DocumentInvalid) as refusal:
        read(kind, refused)
    (fault,) = refusal.value.facts["errors"]  # type: ignore[attr-defined]
    assert name in fault["path"], "the refusal names the field"


def test_a_chunk_of_a_file_is_bounded() -> None:
    chunk = dataclasses.replace(
        letters()["attachment"], content=bytes(limits.ATTACHMENT_CHUNK_BYTES)
    )
    assert type(chunk).parse(chunk.encode()) == chunk
    larger = dataclasses.replace(chunk, content=bytes(limits.ATTACHMENT_CHUNK_BYTES + 1))
    with pytest.raises(errors.DocumentInvalid):
        type(chunk).parse(larger.encode())


def test_a_letter_that_is_too_large_is_not_even_read() -> None:
    with pytest.raises(errors.TooLarge):
        Profile.parse(b" " * (limits.PROFILE_BYTES_MAX + 1))
    for kind in KINDS[1:]:
        with pytest.raises(errors.TooLarge):
            type(letters()[kind]).parse(b" " * (limits.DOCUMENT_BYTES_MAX + 1))


def test_a_card_can_say_nothing_of_what_was_not_asked() -> None:
    silent = dataclasses.replace(
        CARD, region="", occupation="", skills=(), languages=(), reached_stage="", available_from=""
    )
    assert Card.read(strictjson.Reader(silent.to_json())) == silent


@pytest.mark.parametrize("stage", STAGES)
def test_every_common_stage_is_a_stage_of_progress(stage: str) -> None:
    assert stage_code(stage) == stage
    assert refusal_of(lambda: read("progress", fields_of("progress") | {"stage": stage})) is None


def test_a_stage_of_ones_own_is_no_common_stage() -> None:
    with pytest.raises(errors.DocumentInvalid):
        stage_code("二次面接")


def test_a_profile_knows_whose_it_is_and_keeps_every_field_that_may_be_there() -> None:
    assert profile().name == "山田 花子"
    assert profile().content == PROFILE


def test_a_hire_is_free_when_points_pay_for_it() -> None:
    free = letters()["hire"]
    assert free.is_free
    assert not dataclasses.replace(free, points=0, entry="").is_free
