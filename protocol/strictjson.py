"""The one strict JSON reader and writer, and base64url beside it.  SPEC Documents.

Python's `json` takes duplicate members, NaN, floats, lone surrogates and any depth. A signed
document may have exactly one reading, so here each of them is a refusal. The work is done by the
C scanner of `json` with hooks; the checks that have no hook look at the bytes first:

- size, byte order mark, NUL and UTF-8 before anything is parsed;
- depth on the brackets alone. Few opening brackets settle it by counting. Otherwise the brackets
  outside strings are reduced pair by pair, level by level, all at C speed;
- surrogates and NUL can only come from a `\\u` escape: without one, no string is searched.
"""

import binascii
import builtins
import json
import re
from collections.abc import Callable
from functools import lru_cache
from json.encoder import c_make_encoder, encode_basestring  # type: ignore[attr-defined]
from json.scanner import make_scanner
from typing import Any, NoReturn, TypeAlias

from protocol import limits
from protocol.errors import (
    DocumentInvalid,
    EncodingInvalid,
    JsonDepth,
    JsonNotStrict,
    OurMistake,
    TooLarge,
)

# Any, only here: what is inside is not known until a document's own `parse` has looked.
JSON: TypeAlias = Any

_ALL_BUT_BRACKETS_AND_QUOTES = bytes(set(range(256)) - set(b'[]{}"'))
_TO_BRACKETS = bytes.maketrans(b"{}", b"[]")
_OPENING = ord("[")
_WHITE_SPACE = " \t\n\r"
# 2**53 has 16 digits, and there may be a sign.
_INTEGER_CHARS_MAX = 17


def parse(data: bytes, *, bytes_max: int, depth_max: int = limits.JSON_DEPTH_MAX) -> JSON:
    """Read one JSON value, the whole of `data`, or refuse it."""
    if len(data) > bytes_max:
        raise TooLarge(f"{len(data)} bytes, at most {bytes_max}", limit_bytes=bytes_max)
    if b"\x00" in data or data.startswith(b"\xef\xbb\xbf"):
        raise EncodingInvalid("a byte order mark or a NUL byte")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise EncodingInvalid(f"not UTF-8 at byte {error.start}", position=error.start) from None
    if _opens_more_than(data, depth_max):
        _refuse_depth(data, depth_max)

    value = _scan(text.strip(_WHITE_SPACE))

    if b"\\" in data and b"\\u" in data:
        _refuse_bad_characters(value)
    return value


def encode(value: JSON) -> bytes:
    """Write one value in the one form we write: compact, sorted members, UTF-8, no floats."""
    _refuse_unwritable(value)
    try:
        return "".join(_write(value, 0)).encode("utf-8")
    except UnicodeEncodeError:
        raise OurMistake("a lone surrogate in a document") from None


def b64encode(data: bytes) -> str:
    """Bytes inside JSON and headers: URL-safe base64 without padding (RFC 4648 section 5)."""
    text = binascii.b2a_base64(data).rstrip(b"=\n").decode()
    # Twice `replace` is several times faster than one `translate`.
    return text.replace("+", "-").replace("/", "_")


def b64decode(text: str) -> bytes:
    """Undo `b64encode`; anything but the one canonical writing is a refusal."""
    surplus = len(text) % 4
    # Two characters carry 8 of 12 bits, three 16 of 18: the unused bits must be zero, or two
    # writings would mean the same bytes.
    if surplus == 1 or (surplus and text[-1] not in _CANONICAL_ENDS[surplus]):
        raise DocumentInvalid("not canonical base64url")
    if "+" in text or "/" in text or "=" in text:
        raise DocumentInvalid("not the URL-safe alphabet without padding")
    standard = text.replace("-", "+").replace("_", "/") + _PADDING[surplus]
    try:
        return binascii.a2b_base64(standard, strict_mode=True)
    except ValueError:
        raise DocumentInvalid("not canonical base64url") from None


_CANONICAL_ENDS = {2: frozenset("AQgw"), 3: frozenset("AEIMQUYcgkosw048")}
_PADDING = {0: "", 2: "==", 3: "="}


# --- Reading. ---


def _object(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise JsonNotStrict(f"the member {name[:40]!r} stands twice")
            seen.add(name)
    return members


def _integer(literal: str) -> int:
    if len(literal) > _INTEGER_CHARS_MAX or literal == "-0":
        raise JsonNotStrict(f"the number {literal[:20]} is not allowed")
    value = int(literal)
    if not -limits.JSON_INTEGER_MAX <= value <= limits.JSON_INTEGER_MAX:
        raise JsonNotStrict(f"the number {literal} is beyond 2**53")
    return value


def _no_float(literal: str) -> NoReturn:
    raise JsonNotStrict(f"the number {literal[:20]} is not a whole number")


def _no_constant(literal: str) -> NoReturn:
    raise JsonNotStrict(f"{literal} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_no_float,
    parse_constant=_no_constant,
)
_Scanner: TypeAlias = Callable[[str, int], tuple[JSON, int]]
_scan_once: _Scanner = make_scanner(_DECODER)  # type: ignore[arg-type]


def _scan(text: str) -> JSON:
    try:
        value, end = _scan_once(text, 0)
    except json.JSONDecodeError as error:
        raise JsonNotStrict(f"{error.msg} at {error.pos}", position=error.pos) from None
    except StopIteration as stop:
        raise JsonNotStrict(f"no value at {stop.value}", position=stop.value) from None
    except RecursionError:
        raise JsonDepth("nested too deeply") from None
    if end != len(text):
        raise JsonNotStrict(f"more text after the value, at {end}", position=end)
    return value


def _opens_more_than(data: bytes, limit: int) -> bool:
    """Whether there are more opening brackets than `limit`, strings included; stops early."""
    opened = 0
    for bracket in (b"{", b"["):
        # `find` runs at the speed of memory where `count` and `split` look at each byte.
        at = data.find(bracket)
        while at >= 0:
            opened += 1
            if opened > limit:
                return True
            at = data.find(bracket, at + 1)
    return False


def _refuse_depth(data: bytes, depth_max: int) -> None:
    """Raise if brackets outside strings nest deeper than `depth_max`."""
    # Escaped backslashes go first, so that what is left of `\\"` is an escaped quote, and then
    # every quote left opens or closes a string.
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Braces become brackets: whether they match is for the scanner to say.
    brackets = data.translate(_TO_BRACKETS, _ALL_BUT_BRACKETS_AND_QUOTES)
    # Where no bracket stands inside a string, quotes stand in even runs and all of them go here.
    # Otherwise one is left, and the pieces between quotes tell: the even ones are outside.
    brackets = brackets.replace(b'""', b"")
    if b'"' in brackets:
        brackets = b"".join(brackets.split(b'"')[::2])
    rest = brackets
    for _ in range(depth_max):
        rest = rest.replace(b"[]", b"")
        if not rest:
            return

    # Too deep, or not balanced: only counting tells which. The scanner refuses the second.
    depth = 0
    for bracket in brackets:
        depth += 1 if bracket == _OPENING else -1
        if depth > depth_max:
            raise JsonDepth(f"deeper than {depth_max} levels", limit=depth_max)


def _refuse_bad_characters(value: JSON) -> None:
    """Raise for a lone surrogate or NUL in any string; escapes are the only way in."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str) and _BAD_CHARACTERS.search(item):
            raise JsonNotStrict("a lone surrogate or NUL in a string")


_BAD_CHARACTERS = re.compile("[\x00\ud800-\udfff]")


# --- Writing. ---

# The C encoder behind `json.dumps`, made once: keys sorted, nothing skipped, no NaN. `default` is
# never called, since `_refuse_unwritable` has seen every value.
_write: Callable[[JSON, int], tuple[str, ...]] = c_make_encoder(
    None, repr, encode_basestring, None, ":", ",", True, False, False
)


def _refuse_unwritable(value: JSON) -> None:
    """Raise for anything that `parse` would refuse, or read back as something else."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if kind is str:
            if "\x00" in item:
                raise OurMistake("NUL in a document")
        elif kind is int:
            if not -limits.JSON_INTEGER_MAX <= item <= limits.JSON_INTEGER_MAX:
                raise OurMistake("an integer beyond 2**53 in a document")
        elif kind is dict:
            for name in item:
                if type(name) is not str or "\x00" in name:
                    raise OurMistake("a member name in a document that is not plain text")
            waiting.extend(item.values())
        elif kind is list or kind is tuple:
            waiting.extend(item)
        elif item is not None and kind is not bool:
            raise OurMistake(f"a {kind.__name__} in a document")


# --- Documents, field by field. ---


class Reader:
    """Takes an object apart field by field; what is missing, wrong or unknown is refused.

    `path` is where the object stands in its document; refusals name it in `errors`.
    `done` must be called last: it refuses every field that nobody asked for.
    """

    __slots__ = ("_members", "_path", "_read")

    def __init__(self, obj: JSON, path: str = "") -> None:
        self._path = path
        if not isinstance(obj, dict):
            raise _invalid(path or ".", "is not an object")
        self._members: dict[str, JSON] = obj
        self._read: set[str] = set()

    def has(self, name: str) -> bool:
        return name in self._members

    def value(self, name: str) -> JSON:
        """The field as it is, for a type that reads itself."""
        if name not in self._members:
            raise _invalid(self._at(name), "is missing")
        self._read.add(name)
        return self._members[name]

    def names(self, count_max: int, pattern: str) -> tuple[str, ...]:
        """The names of an object that is a table; each is still to be read."""
        if len(self._members) > count_max:
            raise _invalid(self._path or ".", f"has more than {count_max} members")
        for name in self._members:
            if not _matches(pattern, name):
                raise _invalid(self._at(name[:40]), "is not a name that may stand here")
        return tuple(self._members)

    def text(
        self, name: str, chars_max: int, pattern: str | None = None, *, empty: bool = False
    ) -> str:
        value = self.value(name)
        wrong = _text_fault(value, chars_max, pattern, empty=empty)
        if wrong:
            raise _invalid(self._at(name), wrong)
        return str(value)

    def texts(
        self, name: str, items_max: int, chars_max: int, pattern: str | None = None
    ) -> tuple[str, ...]:
        values = self.list(name, items_max)
        for index, value in enumerate(values):
            wrong = _text_fault(value, chars_max, pattern, empty=False)
            if wrong:
                raise _invalid(f"{self._at(name)}[{index}]", wrong)
        return tuple(values)

    def integer(self, name: str, low: int, high: int) -> int:
        value = self.value(name)
        # `type`, since True is an int to isinstance.
        if type(value) is not int or not low <= value <= high:
            raise _invalid(self._at(name), f"is not a whole number from {low} to {high}")
        return value

    def integers(self, name: str, count: int, low: int, high: int) -> tuple[int, ...]:
        """Exactly `count` integers."""
        values = self.list(name, count)
        if len(values) != count:
            raise _invalid(self._at(name), f"does not have {count} items")
        for index, value in enumerate(values):
            if type(value) is not int or not low <= value <= high:
                at = f"{self._at(name)}[{index}]"
                raise _invalid(at, f"is not a whole number from {low} to {high}")
        return tuple(values)

    def boolean(self, name: str) -> bool:
        value = self.value(name)
        if not isinstance(value, bool):
            raise _invalid(self._at(name), "is not true or false")
        return value

    def bytes(self, name: str, length: int | None = None, *, bytes_max: int = 0) -> bytes:
        """Base64url: exactly `length` bytes, or at most `bytes_max`."""
        value = self.value(name)
        longest = bytes_max if length is None else length
        # Look at the length first, so that nobody makes us decode megabytes to refuse them.
        if not isinstance(value, str) or len(value) > longest * 4 // 3 + 2:
            raise _invalid(self._at(name), f"is not base64url of at most {longest} bytes")
        try:
            data = b64decode(value)
        except DocumentInvalid:
            raise _invalid(self._at(name), "is not canonical base64url") from None
        if len(data) > longest or (length is not None and len(data) != length):
            raise _invalid(self._at(name), f"is not {longest} bytes long")
        return data

    def object(self, name: str) -> "Reader":
        return Reader(self.value(name), self._at(name))

    def objects(self, name: str, items_max: int) -> "tuple[Reader, ...]":
        values = enumerate(self.list(name, items_max))
        return tuple(Reader(value, f"{self._at(name)}[{index}]") for index, value in values)

    def done(self) -> None:
        """Refuse fields that nobody read: a reader that skips them could be shown two meanings."""
        if len(self._read) != len(self._members):
            unknown = sorted(self._members.keys() - self._read)
            raise _invalid(self._at(unknown[0][:40]), "is not a field of this document")

    # Last of the methods: inside a class, the name would hide the built-in from what follows.
    def list(self, name: str, items_max: int) -> "builtins.list[JSON]":
        value = self.value(name)
        if type(value) is not builtins.list:
            raise _invalid(self._at(name), "is not a list")
        if len(value) > items_max:
            raise _invalid(self._at(name), f"has more than {items_max} items")
        return value

    def _at(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name


def _invalid(path: str, reason: str) -> DocumentInvalid:
    return DocumentInvalid(f"{path} {reason}", errors=[{"path": path, "reason": reason}])


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _matches(pattern: str, text: str) -> bool:
    # The whole text: `$` would let a line feed slip in at the end.
    return _compiled(pattern).fullmatch(text) is not None


# What nobody reads and what makes the rest read otherwise: control characters, and the marks that
# turn the direction of writing (U+202A to 202E, U+2066 to 2069). A tab and a new line may stand.
_TURNING = re.compile("[\x01-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def _text_fault(value: JSON, chars_max: int, pattern: str | None, *, empty: bool) -> str:
    """What is wrong with a text, or nothing."""
    if type(value) is not str:
        return "is not a text"
    if not value and not empty:
        return "is empty"
    if len(value) > chars_max:
        return f"is longer than {chars_max} characters"
    if pattern is not None and not _matches(pattern, value):
        return "does not have the form it must have"
    if pattern is None and _TURNING.search(value):
        return "has signs that hide or turn the text around them"
    return ""
