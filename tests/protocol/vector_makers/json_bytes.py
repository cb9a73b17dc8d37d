"""Vectors of the strict JSON reader: bytes that other readers take, or die of."""

from collections.abc import Iterator

from protocol.keys import b64encode
from tests.protocol.vector import Vector

_TEXTS = [
    ("valid_json", '{"a":[1,"髙橋",true,null]}', None, "an object of every allowed type"),
    ("member_twice", '{"a":1,"a":2}', "json-not-strict", "one name, two values"),
    (
        "member_twice_by_escape",
        '{"a":1,"\\u0061":2}',
        "json-not-strict",
        "one name, written in two ways",
    ),
    ("not_a_number", '{"a":NaN}', "json-not-strict", "NaN is no JSON"),
    ("infinity", '{"a":-Infinity}', "json-not-strict", "Infinity is no JSON"),
    ("fraction", '{"a":1.0}', "json-not-strict", "a number with a fraction, though it is whole"),
    ("exponent", '{"a":1e2}', "json-not-strict", "a number with an exponent"),
    ("exponent_beyond_double", '{"a":1e400}', "json-not-strict", "infinity to most readers"),
    ("integer_beyond_2_53", '{"a":9007199254740992}', "json-not-strict", "not exact everywhere"),
    ("negative_zero", '{"a":-0}', "json-not-strict", "zero in a second writing"),
    ("leading_zero", '{"a":01}', "json-not-strict", "a number with a leading zero"),
    ("surrogate_alone", '{"a":"\\ud800"}', "json-not-strict", "half a character"),
    ("surrogates_swapped", '{"a":"\\ude00\\ud83d"}', "json-not-strict", "the wrong half first"),
    ("surrogate_in_name", '{"\\udc00":1}', "json-not-strict", "half a character in a name"),
    ("nul_escaped", '{"a":"\\u0000"}', "json-not-strict", "a text that C programs cut short"),
    ("nul_raw", '{"a":"\u0000"}', "encoding", "a NUL byte"),
    ("control_character", '{"a":"\t"}', "json-not-strict", "a raw tab inside a string"),
    ("trailing_bytes", '{"a":1}x', "json-not-strict", "bytes after the value"),
    ("trailing_value", '{"a":1}{"a":2}', "json-not-strict", "a second value"),
    ("trailing_comma", '{"a":1,}', "json-not-strict", "a comma before the end"),
    ("comment", '{"a":1/*x*/}', "json-not-strict", "a comment"),
    ("single_quotes", "{'a':1}", "json-not-strict", "names in single quotes"),
    ("unclosed", '{"a":[1', "json-not-strict", "cut short"),
    ("empty", "", "json-not-strict", "no value at all"),
    ("byte_order_mark", '\ufeff{"a":1}', "encoding", "a mark that some readers skip"),
    (
        "depth_hidden_by_strings",
        '["]",' * 40 + "1" + "]" * 40,
        "json-depth",
        "brackets in strings that would close the nesting for a careless counter",
    ),
    (
        "depth_hidden_by_escapes",
        '["\\"]\\\\",' * 40 + "1" + "]" * 40,
        "json-depth",
        "the same, behind escaped quotes and backslashes",
    ),
    ("depth_16", "[" * 8 + '{"a":' * 8 + "1" + "}" * 8 + "]" * 8, None, "as deep as allowed"),
    (
        "depth_17",
        "[" * 9 + '{"a":' * 8 + "1" + "}" * 8 + "]" * 9,
        "json-depth",
        "one level too deep",
    ),
    (
        "depth_17_alternating",
        '[{"a":' * 8 + "[]" + "}]" * 8,
        "json-depth",
        "one level too deep, arrays and objects in turn",
    ),
    (
        "brackets_in_a_string",
        '{"a":"' + "[" * 100 + '"}',
        None,
        "brackets inside a string are no nesting",
    ),
    (
        "wide_but_flat",
        "[" + ",".join(["{}"] * 100) + "]",
        None,
        "many objects side by side are no nesting",
    ),
]
_BYTES = [
    ("utf8_cut", b'{"a":"\xe9\xab"}', "a character that ends too early"),
    ("utf8_overlong", b'{"a":"\xc0\xaf"}', "a slash in two bytes"),
    ("utf8_surrogate", b'{"a":"\xed\xa0\x80"}', "a surrogate in UTF-8"),
    ("utf16", '{"a":1}'.encode("utf-16"), "another encoding"),
    ("cp932", '{"a":"髙橋"}'.encode("cp932"), "another encoding, frequent in Japan"),
]


def make() -> Iterator[Vector]:
    for name, text, refusal, about in _TEXTS:
        layer = refusal and "json"
        yield Vector(name, about, "json", layer, refusal, {"text": text})
    for name, data, about in _BYTES:
        given = {"base64url": b64encode(data)}
        yield Vector(name, about, "json", "json", "encoding", given)
    deep = {"repeat": "[", "times": 100_000}
    about = "a hundred thousand brackets, of which recursive readers die"
    yield Vector("depth_100000", about, "json", "json", "json-depth", deep)
    digits = {"repeat": "9", "times": 400}
    about = "an integer of 400 digits, costly to convert"
    yield Vector("integer_of_400_digits", about, "json", "json", "json-not-strict", digits)
    digits = {"repeat": "9", "times": 5000}
    about = "more digits than Python converts at all"
    yield Vector("integer_of_5000_digits", about, "json", "json", "json-not-strict", digits)
    large = {"repeat": " ", "times": 1_000_001}
    yield Vector("json_too_large", "one byte over the bound", "json", "json", "too-large", large)
