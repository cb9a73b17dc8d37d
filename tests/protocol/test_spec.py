"""The specification says what the code does: examples, refusals, limits, addresses, labels."""

import ast
import json
import re

import pytest

from node.cli.conformance import cases
from node.peer_addresses import ENDPOINTS
from protocol import errors, limits
from protocol.http_fields import fold, read_signature
from protocol.keys import VerifyKey
from tests.equipment.source import ROOT, files, lesson, shown, tree
from tests.protocol import cast, specification, vector
from tests.protocol.specification import TEXT, Example, examples, fits, rows

LINES_MAX = 1000
MESSAGES = list(examples("http", "base"))
SHOWN = list(examples("json"))
CODE = re.compile(r"`([a-z]+(?:-[a-z]+)*)`")


def test_the_specification_stays_short_enough_to_be_read() -> None:
    assert len(TEXT.splitlines()) < LINES_MAX


def test_every_block_of_json_names_the_vector_it_is_taken_from() -> None:
    assert len(SHOWN) > 40
    assert [each.line for each in SHOWN if not each.source] == []
    unknown = {each.language for each in examples("", "js", "python", "sh", "JSON")}
    assert not unknown


@pytest.mark.parametrize("example", SHOWN, ids=lambda each: each.source)
def test_an_example_is_what_its_vector_holds(example: Example) -> None:
    stated = json.loads(example.text)
    assert fits(stated, example.shown), f"line {example.line} is not {example.shown}"


@pytest.mark.parametrize("example", [*SHOWN, *MESSAGES], ids=lambda each: each.source)
def test_an_example_is_accepted_by_the_code(example: Example) -> None:
    name = example.source.partition("#")[0]
    read = vector.read(vector.FOLDER / f"{name}.json")
    assert read.refusal is None
    assert vector.run(read) is None


def test_examples_that_leave_something_out_are_still_compared() -> None:
    whole = {"a": "abc", "b": [1, 2, 3], "c": {"d": 1}}
    assert fits({"a": "a…", "b": [1, "…"], "…": "…"}, whole)
    assert not fits({"a": "b…", "b": [1, "…"], "…": "…"}, whole)
    assert not fits({"a": "abc", "b": [2, "…"], "c": {"d": 1}}, whole)
    assert not fits({"a": "abc", "b": [1, 2, 3, "…"], "c": {"d": 1}}, whole)
    assert not fits({"a": "abc", "b": [1, 2, 3]}, whole)
    assert not fits({"x": "…", "…": "…"}, whole)
    assert not fits({"a": "abc", "b": [1, 2, 3], "c": {"d": True}}, whole)


@pytest.mark.parametrize("example", list(examples("http")), ids=lambda each: each.source)
def test_a_message_is_shown_as_it_travels(example: Example) -> None:
    head, _, body = example.text.removesuffix("\n").partition("\n\n")
    first, *lines = head.split("\n")
    given = example.vector["input"]
    headers = given["headers"].items() if isinstance(given["headers"], dict) else given["headers"]
    assert lines == [f"{name}: {value}" for name, value in headers]
    assert body == given["body"]["text"]
    assert first in (f"POST {given.get('path')}", str(given.get("status")))


@pytest.mark.parametrize("example", list(examples("base")), ids=lambda each: each.source)
def test_a_signature_base_is_what_was_signed(example: Example) -> None:
    headers = fold(
        [tuple(pair) for pair in example.vector["input"]["headers"]]
        if "path" in example.vector["input"]
        else example.vector["input"]["headers"]
    )
    params = example.text.rstrip("\n").rpartition('"@signature-params": ')[2]
    components = re.match(r"\((.*?)\)", params)
    tag = re.search(r'tag="(.*?)"', params)
    assert components is not None
    assert tag is not None
    signature = read_signature(headers, components.group(1), tag.group(1))
    key, _ = cast.KEYS[signature.keyid]
    VerifyKey(key.raw).verify(example.text.rstrip("\n").encode(), signature.value)


def test_every_refusal_stands_in_the_table_with_its_status_and_sentence() -> None:
    stated = {cells[0].strip("`"): (int(cells[1]), cells[2]) for cells in rows("10. Refusals")}
    there = {}
    for code in errors.codes():
        kind = errors.by_code(code)
        assert kind is not None
        there[code] = (kind.status, kind.sentence())
    assert stated == there


def test_every_code_that_a_section_names_exists() -> None:
    stated = re.findall(r"^Refusals[^:\n]*: (.*(?:\n.+)*)", TEXT, re.MULTILINE)
    assert len(stated) > 10
    named = {code for each in stated for code in CODE.findall(each)}
    assert named <= set(errors.codes())
    # In running text a code stands in brackets behind its rule; a name with a hyphen is one.
    inline = re.findall(r"\((`[a-z`, -]+`)\)", TEXT)
    hyphened = {code for each in inline for code in CODE.findall(each) if "-" in code}
    assert len(hyphened) > 20
    assert hyphened <= set(errors.codes())


def test_every_refusal_is_named_by_the_section_that_causes_it() -> None:
    body = TEXT[: TEXT.index("## 10. Refusals")]
    silent = [code for code in errors.codes() if f"`{code}`" not in body]
    assert silent == ["our-mistake"]


def test_refusals_that_nothing_raises_are_called_reserved() -> None:
    used = set()
    for path in files(".py"):
        if path.name != "errors.py":
            for part in ast.walk(tree(path)):
                used |= {getattr(part, "id", None), getattr(part, "attr", None)}
    kinds = {code: errors.by_code(code) for code in errors.codes()}
    unused = [code for code, kind in kinds.items() if kind and kind.__name__ not in used]
    stated = re.search(r"^Reserved, .*: (.*)\.$", TEXT, re.MULTILINE)
    assert stated is not None
    assert CODE.findall(stated.group(1)) == unused


def test_every_limit_agrees() -> None:
    stated = {}
    for cells in rows("11. Limits"):
        for name, value in zip(cells[::2], cells[1::2], strict=True):
            if name:
                stated[name.rstrip(" *").strip("`")] = _number(value)
    there = {name: value for name, value in vars(limits).items() if name.isupper()}
    assert stated == there


def _number(value: str) -> int | str:
    if value.startswith("`"):
        return value.strip("`")
    if "^" in value:
        base, power, less = re.findall(r"\d+", value)
        return int(base) ** int(power) - int(less)
    number, _, unit = value.replace(",", "").partition(" ")
    return int(float(number) * {"": 1, "KiB": 1024, "MiB": 1024**2}[unit])


def test_no_limit_is_set_twice() -> None:
    text = (ROOT / "protocol" / "limits.py").read_text(encoding="utf-8")
    names = re.findall(r"^([A-Z_]+) = ", text, re.MULTILINE)
    assert sorted(names) == sorted(set(names)), (
        "the later one wins, and the earlier one binds nobody"
    )


def test_every_address_stands_there_with_its_bound() -> None:
    stated = {
        cells[0].strip("`"): _number(cells[1].rpartition(", ")[2].replace(" bytes", ""))
        for cells in rows("3. HTTP")
        if cells[0].startswith("`/peer/")
    }
    assert stated == {path: endpoint.bytes_max for path, endpoint in ENDPOINTS.items()}


def test_every_label_of_the_protocol_is_printed_in_full() -> None:
    labels = set()
    for path in files(".py", folders=("protocol",)):
        labels |= set(re.findall(r"tasuki/v1/[a-z-]+", path.read_text(encoding="utf-8")))
    assert labels
    assert {label for label in labels if label not in TEXT} == set()


def test_what_the_code_cites_of_the_specification_is_there() -> None:
    known, astray = specification.sections(), []
    cited = re.compile(r"SPEC (§[0-9.]+[0-9](?:(?:-|, §| to §)[0-9.]*[0-9])*|[A-Z][a-zA-Z]+)")
    for path in files(".py", ".js", ".md", folders=("protocol", "node", "tests")):
        for found in cited.finditer(path.read_text(encoding="utf-8")):
            for section in re.split(r"-|, | to ", found.group(1)):
                if section.strip("§") not in known:
                    astray.append(f"{shown(path)} cites SPEC {section}")
    assert not astray, lesson("A section that is cited is one that can be read.", astray)


def test_every_case_of_the_conformance_kit_has_its_number_and_a_section_here() -> None:
    every = list(cases(spend=True))
    assert len({case.number for case in every}) == len(every)
    known = specification.sections()
    assert {case.section for case in every} <= known
    codes = {case.expected.removeprefix("the refusal ").partition(",")[0] for case in every}
    refusals = {code for code in codes if re.fullmatch(r"[a-z]+(-[a-z]+)+", code)}
    assert refusals <= set(errors.codes())
