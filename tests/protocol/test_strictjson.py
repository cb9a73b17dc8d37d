"""The strict reader: whatever comes in, a value with one reading or a refusal with a code."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocol import limits, strictjson
from protocol.errors import (
    DocumentInvalid,
    JsonDepth,
    JsonNotStrict,
    OurMistake,
    TooLarge,
)
from protocol.strictjson import JSON, Reader, b64decode, b64encode, encode
from tests.protocol.refusals import refusal_of

BYTES_MAX = 100_000
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-limits.JSON_INTEGER_MAX, limits.JSON_INTEGER_MAX)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
# Pieces that JSON is made of, and that it is broken with.
PIECES = st.lists(
    st.sampled_from(
        ["{", "}", "[", "]", '"', "\\", "\\\\", '\\"', ":", ",", "1", "a", " ", "true", "\\u0041"]
    ),
    max_size=60,
).map("".join)


def parse(data: bytes, depth_max: int = limits.JSON_DEPTH_MAX) -> JSON:
    return strictjson.parse(data, bytes_max=BYTES_MAX, depth_max=depth_max)


def depth_of(value: JSON) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


@given(st.binary() | st.binary().map(lambda data: b'{"a":"' + data + b'"}'))
def test_garbage_is_a_refusal_with_a_code(data: bytes) -> None:
    assert refusal_of(lambda: parse(data)) in {None, "encoding", "json-not-strict", "json-depth"}


@given(PIECES)
@example('["\\\\",["]",[1]]]')
def test_broken_json_is_a_refusal_with_a_code_and_the_rest_reads_as_it_should(text: str) -> None:
    refusal = refusal_of(lambda: parse(text.encode()))
    assert refusal in {None, "json-not-strict", "json-depth"}
    if refusal is None:
        assert parse(text.encode()) == json.loads(text)


@given(VALUES)
def test_what_is_written_is_read_back(value: JSON) -> None:
    if depth_of(value) <= limits.JSON_DEPTH_MAX:
        assert parse(encode(value)) == value


@given(VALUES)
def test_there_is_one_writing_and_it_is_standard_json(value: JSON) -> None:
    data = encode(value)
    assert json.loads(data) == value
    assert encode(json.loads(data)) == data


@given(VALUES, st.integers(0, 5), st.booleans())
def test_depth_is_counted_exactly(value: JSON, depth_max: int, ascii_only: bool) -> None:
    data = json.dumps(value, ensure_ascii=ascii_only).encode()
    if depth_of(value) > depth_max:
        with pytest.raises(JsonDepth):
            parse(data, depth_max)
    else:
        assert parse(data, depth_max) == value


def test_white_space_may_stand_where_json_allows_it() -> None:
    assert parse(b' {"a" : [1 , 2]}\r\n') == {"a": [1, 2]}


def test_a_refusal_says_where() -> None:
    with pytest.raises(JsonNotStrict) as caught:
        parse(b'{"a":1,}')
    assert caught.value.facts["position"] == 7
    with pytest.raises(JsonNotStrict, match="'a' stands twice"):
        parse(b'{"a":1,"b":2,"a":1}')


def test_the_size_is_looked_at_before_anything_else() -> None:
    with pytest.raises(TooLarge) as caught:
        strictjson.parse(b"\xff" * 11, bytes_max=10)
    assert caught.value.facts == {"limit_bytes": 10}


@pytest.mark.parametrize(
    "value",
    [1.5, float("nan"), 2**53, {"a": {1: 2}}, {"a": b"x"}, ["\x00"], ["\ud800"], {"\ud800": 1}],
)
def test_what_could_not_be_read_back_is_our_mistake(value: JSON) -> None:
    with pytest.raises(OurMistake):
        encode(value)


# --- Base64url. ---


@given(st.binary())
def test_base64url_reads_back(data: bytes) -> None:
    assert b64decode(b64encode(data)) == data


@given(st.text())
def test_base64url_has_one_writing_only(text: str) -> None:
    try:
        data = b64decode(text)
    except DocumentInvalid:
        return
    assert b64encode(data) == text


@pytest.mark.parametrize("text", ["YQ==", "YR", "Y", "a+b/", "YW Jj", "YWJj\n", "ＹＷＪｊ", "Ａ"])
def test_another_writing_of_base64url_is_refused(text: str) -> None:
    with pytest.raises(DocumentInvalid):
        b64decode(text)


# --- The reader of documents. ---

GOOD = {
    "name": "青葉",
    "count": 3,
    "yes": True,
    "raw": "AAAA",
    "list": ["a", "b"],
    "pair": [1, 2],
    "inner": {"x": 1},
    "rows": [{"x": 1}, {"x": 2}],
}


def read_all(document: JSON) -> list[JSON]:
    reader = Reader(document)
    inner = reader.object("inner")
    found = [
        reader.text("name", 10, "[^a-z]+"),
        reader.integer("count", 1, 5),
        reader.boolean("yes"),
        reader.bytes("raw", 3),
        reader.texts("list", 2, 1),
        reader.integers("pair", 2, 0, 9),
        inner.integer("x", 0, 1),
        [row.integer("x", 0, 2) for row in reader.objects("rows", 2)],
    ]
    inner.done()
    reader.done()
    return found


def test_a_document_is_read_field_by_field() -> None:
    assert read_all(GOOD) == ["青葉", 3, True, b"\0\0\0", ("a", "b"), (1, 2), 1, [1, 2]]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": 1}, "name"),
        ({"name": ""}, "name"),
        ({"name": "あ" * 11}, "name"),
        ({"name": "青葉a"}, "name"),
        ({"name": "青葉\n"}, None),
        ({"count": True}, "count"),
        ({"count": 6}, "count"),
        ({"count": "3"}, "count"),
        ({"yes": 1}, "yes"),
        ({"raw": "AAA"}, "raw"),
        ({"raw": "AAAAA"}, "raw"),
        ({"raw": None}, "raw"),
        ({"list": "ab"}, "list"),
        ({"list": ["a", "b", "c"]}, "list"),
        ({"list": ["a", 1]}, "list[1]"),
        ({"pair": [1]}, "pair"),
        ({"pair": [1, True]}, "pair[1]"),
        ({"inner": []}, "inner"),
        ({"inner": {"x": 2}}, "inner.x"),
        ({"inner": {"x": 1, "y": 1}}, "inner.y"),
        ({"rows": [{"x": 1}, {"x": 9}]}, "rows[1].x"),
        ({"rows": [1]}, "rows[0]"),
        ({"more": 1}, "more"),
    ],
)
def test_a_wrong_field_is_refused_with_its_path(change: dict[str, JSON], path: str | None) -> None:
    document = {**GOOD, **change}
    if path is None:
        # A pattern is of the whole text; here the line feed is one of its characters.
        assert read_all(document)[0] == "青葉\n"
        return
    with pytest.raises(DocumentInvalid) as caught:
        read_all(document)
    assert caught.value.facts["errors"][0]["path"] == path  # type: ignore[index]


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_missing_field_is_refused_by_name(name: str) -> None:
    document = {key: value for key, value in GOOD.items() if key != name}
    with pytest.raises(DocumentInvalid, match=f"{name} is missing"):
        read_all(document)


def test_a_pattern_is_of_the_whole_text() -> None:
    with pytest.raises(DocumentInvalid):
        Reader({"id": "abc\n"}).text("id", 10, "[a-z]+")


def test_a_table_is_read_by_its_own_names() -> None:
    reader = Reader({"aoba": 1, "biwa": 2})
    assert {name: reader.integer(name, 0, 9) for name in reader.names(2, "[a-z]+")} == {
        "aoba": 1,
        "biwa": 2,
    }
    with pytest.raises(DocumentInvalid):
        Reader({"aoba": 1, "biwa": 2}).names(1, "[a-z]+")
    with pytest.raises(DocumentInvalid):
        Reader({"AOBA": 1}).names(1, "[a-z]+")


@pytest.mark.parametrize("sign", "\x01\x0b\r\x1b\x7f\x85\u202e\u2066")
def test_a_text_holds_nothing_that_hides_or_turns_the_rest(sign: str) -> None:
    with pytest.raises(DocumentInvalid, match="hide or turn"):
        Reader({"name": f"高橋{sign}真紀"}).text("name", 10)
    with pytest.raises(DocumentInvalid, match="hide or turn"):
        Reader({"skills": ["SQL", f"{sign}x"]}).texts("skills", 2, 10)
    assert Reader({"text": "一行\n二行\t"}).text("text", 10) == "一行\n二行\t"
