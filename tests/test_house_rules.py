"""The house rules: small files, small functions, good names, one place for each kind of act.

There is no list of exceptions. Where a rule is in the way, the code is usually about to need a
name it does not have yet.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from unicodedata import east_asian_width

from tests.equipment.source import ROOT, files, functions, imports, lesson, module, shown, tree

EVERYTHING = ("protocol", "node", "tests", "deploy")
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
COLUMNS_MAX = 100
NO_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "managers"}
# The one loop that must outlive whatever happens inside: it records, and tries again.
LAST_RESORT = "node.worker"
# Where a transaction may end.
# A command may import what only it needs: `tasuki --help` is asked for often. The database loads
# what carries out migrations when there is one.
LATE = ("node.cli", "node.database")
COMMITS = {"node.database", "node.migrations", "node.migrations.env"}


def columns(line: str) -> int:
    """A Japanese character takes two columns; a sentence to translate, which is one string, few."""
    line = re.sub(r'_\("[^"]*"', '_("…"', line)
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in line)


def own_files() -> Iterator[Path]:
    yield from files(".py", ".html", ".css", ".js", folders=EVERYTHING)
    yield ROOT / "deploy" / "run"


def test_no_file_is_longer_than_400_lines() -> None:
    long = [
        f"{shown(path)} has {lines} lines"
        for path in own_files()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > FILE_LINES_MAX
    ]
    assert not long, lesson(
        "A file is one noun. Beyond 400 lines there are two in it: find the second one's name.",
        long,
    )


def test_no_function_is_longer_than_60_lines() -> None:
    long = []
    for path in files(".py", folders=EVERYTHING):
        for function in functions(path):
            assert function.end_lineno is not None
            lines = function.end_lineno - function.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                long.append(f"{shown(path, function.lineno)} {function.name}() has {lines} lines")
    assert not long, lesson(
        "One parent decides, leaves are pure: check, compute, commit. A function that does not "
        "fit on a screen hides which of the three it is doing.",
        long,
    )


def test_no_line_is_wider_than_100_columns() -> None:
    wide = [
        f"{shown(path, number)} takes {columns(line)} columns"
        for path in own_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > COLUMNS_MAX // 2 and columns(line) > COLUMNS_MAX
    ]
    assert not wide, lesson("Two files beside each other should fit on one screen.", wide)


def test_every_room_has_a_name_that_says_what_is_in_it() -> None:
    nameless = [
        shown(path)
        for path in own_files()
        if NO_NAMES & {part.partition(".")[0] for part in path.relative_to(ROOT).parts}
    ]
    assert not nameless, lesson(
        "A drawer called utils ends with four thousand lines. If a thing has no name, it has no "
        "home yet: name what it is about.",
        nameless,
    )


def test_every_file_begins_by_saying_what_it_is() -> None:
    silent = [
        shown(path)
        for path in files(".py", folders=EVERYTHING)
        if not ast.get_docstring(tree(path))
    ]
    assert not silent, lesson(
        "The first line of a file is a docstring: what it is, in one sentence, and the section, "
        "RFC or law it comes from.",
        silent,
    )


def test_every_public_function_and_class_says_what_it_does() -> None:
    silent = []
    for path in files(".py"):
        for part in tree(path).body:
            if not isinstance(part, ast.FunctionDef | ast.ClassDef) or part.name.startswith("_"):
                continue
            if not ast.get_docstring(part):
                silent.append(f"{shown(path, part.lineno)} {part.name}")
    assert not silent, lesson(
        "What is public is called by somebody who has not read it. One sentence: what it "
        "promises, and what it raises.",
        silent,
    )


def test_nothing_of_ours_catches_everything() -> None:
    greedy = []
    for path in files(".py"):
        if module(path).startswith(LAST_RESORT):
            continue
        for part in ast.walk(tree(path)):
            if isinstance(part, ast.ExceptHandler) and catches_everything(part):
                greedy.append(shown(path, part.lineno))
    assert not greedy, lesson(
        "Catch what you can answer. A handler for everything answers for bugs, full disks and "
        "Ctrl-C alike; only the worker's outermost loop may, and it records what it saw.",
        greedy,
    )


def catches_everything(handler: ast.ExceptHandler) -> bool:
    caught = [] if handler.type is None else ast.walk(handler.type)
    names = {part.id for part in caught if isinstance(part, ast.Name)}
    # Tidying up and raising on is no catching.
    last = handler.body[-1]
    raises_again = isinstance(last, ast.Raise) and last.exc is None
    everything = handler.type is None or bool(names & {"Exception", "BaseException"})
    return everything and not raises_again


def test_imports_stand_at_the_top_of_the_file() -> None:
    hidden = []
    for path in files(".py"):
        if module(path).startswith(LATE):
            continue
        for function in functions(path):
            for part in ast.walk(function):
                if isinstance(part, ast.Import | ast.ImportFrom):
                    hidden.append(shown(path, part.lineno))
    assert not hidden, lesson(
        "An import inside a function hides a circle, or a floor that is entered from below. Cut "
        "the circle instead.",
        hidden,
    )


def test_only_the_database_ends_a_transaction() -> None:
    ends = []
    for path in files(".py", folders=("node",)):
        if module(path) in COMMITS:
            continue
        for part in ast.walk(tree(path)):
            # A session's own take no arguments; a port of ours that is called so takes some.
            called = part.func if isinstance(part, ast.Call) and not part.args else None
            if isinstance(called, ast.Attribute) and called.attr in ("commit", "rollback"):
                ends.append(f"{shown(path, called.lineno)} .{called.attr}()")
    assert not ends, lesson(
        "The entrance opens the transaction with `database.transaction()` and its end is the "
        "end; a service that commits leaves half a change behind when the next step fails.",
        ends,
    )


def test_only_the_clock_reads_the_clock() -> None:
    readers = []
    for path in files(".py", folders=("node",)):
        if module(path) == "node.clock":
            continue
        for part in ast.walk(tree(path)):
            called = part.func if isinstance(part, ast.Call) else None
            if isinstance(called, ast.Attribute):
                asked = ast.unparse(called)
                if asked in ("time.time", "datetime.now", "datetime.utcnow", "date.today"):
                    readers.append(f"{shown(path, called.lineno)} {asked}()")
    assert not readers, lesson(
        "Time comes in as an argument, from node/clock.py: a test can then stand at any day.",
        readers,
    )


def test_every_limit_of_the_protocol_has_its_reason() -> None:
    path = ROOT / "protocol" / "limits.py"
    lines = path.read_text(encoding="utf-8").splitlines()
    bare = [
        f"{shown(path, part.lineno)} {ast.unparse(part.targets[0])}"
        for part in tree(path).body
        if isinstance(part, ast.Assign)
        and not re.fullmatch(r"# .*\w.*[.)]", lines[part.lineno - 2])
    ]
    assert not bare, lesson(
        "A number without a reason is changed by the first one it is in the way of. Above each "
        "limit stands a full sentence: why this number.",
        bare,
    )


def test_a_todo_has_a_name_and_a_reason() -> None:
    vague = [
        shown(path, number)
        for path in own_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"(#|//|/\*|<!--|\{#)\s*(TODO|FIXME|XXX|HACK)\b(?!\([\w ]+\): \S)", line)
    ]
    assert not vague, lesson("Write `TODO(name): the reason`, or do it, or drop it.", vague)


def test_no_test_replaces_a_part_behind_the_codes_back() -> None:
    patched = []
    for path in files(".py", folders=("tests",)):
        for asked, line, taken in imports(path):
            if asked.startswith("unittest.mock") or "mock" in taken:
                patched.append(f"{shown(path, line)} imports a mock")
        for part in ast.walk(tree(path)):
            called = part.func if isinstance(part, ast.Call) else None
            if isinstance(called, ast.Attribute) and called.attr in ("setattr", "delattr"):
                patched.append(f"{shown(path, called.lineno)} .{called.attr}()")
    assert not patched, lesson(
        "Patched tests break when code is moved and pass when it is wrong. Hand in a real class "
        "at one of our own seams: a clock, a transport, a mail server.",
        patched,
    )


def test_tests_wait_for_a_condition_and_not_for_a_time() -> None:
    sleepy = []
    for path in files(".py", folders=("tests",)):
        waiting = {
            part
            for loop in ast.walk(tree(path))
            if isinstance(loop, ast.While | ast.For)
            for part in ast.walk(loop)
        }
        for part in ast.walk(tree(path)):
            if not isinstance(part, ast.Call) or part in waiting:
                continue
            if ast.unparse(part.func) in ("time.sleep", "sleep"):
                sleepy.append(shown(path, part.lineno))
    assert not sleepy, lesson(
        "A sleep is too short on a busy machine and too long on every other. Ask again and again "
        "until the condition holds or a deadline passes.",
        sleepy,
    )


def test_the_name_of_a_test_is_a_sentence() -> None:
    terse = []
    for path in files(".py", folders=("tests",)):
        for function in functions(path):
            if function.name.startswith("test_") and function.name.count("_") < 3:
                terse.append(f"{shown(path, function.lineno)} {function.name}")
    assert not terse, lesson(
        "A test's name says what holds: test_a_second_vote_for_the_same_sequence_is_refused.",
        terse,
    )


def test_pages_carry_no_script_and_no_style_of_their_own() -> None:
    inline = re.compile(r"<style\b|\sstyle=|\son\w+=[\"']|javascript:|<script(?![^>]*\ssrc=)[^>]*>")
    found = [
        f"{shown(path, number)} {match.group().strip()}"
        for path in files(".html")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (match := inline.search(line))
    ]
    assert not found, lesson(
        "The content security policy allows files of our own and nothing inline: what an "
        "attacker manages to write into a page does not run.",
        found,
    )


def test_pages_fetch_nothing_from_elsewhere() -> None:
    elsewhere = re.compile(
        r"<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)=[\"'](?:https?:)?//"
    )
    imported = re.compile(r"@import|url\(\s*[\"']?(?:https?:)?//")
    found = [
        shown(path, number)
        for path in files(".html", ".css")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if elsewhere.search(line) or imported.search(line)
    ]
    assert not found, lesson(
        "A page about somebody's application tells no third company that it was opened. Vendor "
        "the file, with its licence.",
        found,
    )
