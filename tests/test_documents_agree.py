"""What the documents say is what the code does: commands, settings, refusals, libraries, words."""

import ast
import importlib
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from node import refusals
from node.cli import main as tasuki
from node.config import SETTINGS, parse, parse_environment_file
from node.i18n import catalogue
from protocol import errors, limits
from tests.equipment.source import ROOT, files, lesson, modules, shown, tree

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("*/*.md")])
SETTINGS_FILE = ROOT / "deploy" / "tasuki.env"
# Words that mean something else here, or what the project is not. The glossary has ours.
NOT_OUR_WORDS = {
    "wallet": "account",
    "coin": "point",
    "blockchain": "ledger",
    "lead": "referral",
    "submission": "referral",
    "vacancy": "opening",
    "teaser": "card",
    "packet": "envelope",
    "ack": "receipt",
    "broadcast": "publication",
    "federation": "alliance",
    "amendment": "charter draft",
}


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def commands(path: Path) -> list[str]:
    """The commands of a document's shell blocks, continued lines joined, comments off."""
    blocks = re.findall(r"^```(?:sh|bash|console)\n(.*?)^```", text_of(path), re.M | re.S)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


def tasuki_commands() -> list[tuple[str, list[str]]]:
    """Every command of ours in the documents: where it stands, and its words after `tasuki`."""
    found = []
    for document in DOCUMENTS:
        for command in commands(document):
            words = shlex.split(command, comments=True)
            ours = next((i for i, word in enumerate(words) if is_tasuki(word, i)), None)
            if words[0] == "./deploy/run" and words[1] not in ("setup", "test", "check", "lock"):
                ours = 0
            if ours is not None:
                found.append((f"{shown(document)}: {command}", words[ours + 1 :]))
    return found


def is_tasuki(word: str, position: int) -> bool:
    """The command itself, not the system user of the same name."""
    return word.endswith("bin/tasuki") or (word == "tasuki" and position == 0)


def test_the_first_screen_has_the_two_commands() -> None:
    first_screen = "\n".join(text_of(ROOT / "README.md").splitlines()[:40])
    assert "./deploy/run demo" in first_screen
    assert "./deploy/run test" in first_screen


def test_every_command_of_the_documents_exists_with_its_options() -> None:
    wrong, asked = [], tasuki_commands()
    assert asked, "the documents no longer show a single command"
    for where, words in asked:
        command: click.Command = tasuki
        options, rest = set(re.findall(r"--[\w-]+", " ".join(words))), list(words)
        while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            known = command.commands.get(rest.pop(0))
            if known is None:
                wrong.append(f"{where}: there is no such word")
                break
            command = known
        else:
            there = {name for each in command.params for name in each.opts + each.secondary_opts}
            if unknown := options - there - {"--help"}:
                wrong.append(f"{where}: {sorted(unknown)} unknown; there are {sorted(there)}")
    assert not wrong, lesson("A newcomer copies the command as it stands.", wrong)


def test_every_command_explains_itself_with_an_example() -> None:
    silent = []

    def walk(command: click.Command, path: str) -> None:
        if isinstance(command, click.Group):
            for name, each in command.commands.items():
                walk(each, f"{path} {name}")
        elif path not in f"{command.help} {command.epilog}":
            silent.append(path)

    walk(tasuki, "tasuki")
    assert not silent, lesson(
        "The help of each command shows one whole example of itself, as it would be typed.", silent
    )


def test_the_set_up_script_explains_itself() -> None:
    said = subprocess.run(
        [ROOT / "deploy/run", "--help"], capture_output=True, text=True, check=True
    )
    for word in ("setup", "demo", "test", "check", "lock"):
        assert f"./deploy/run {word}" in said.stdout


def test_every_setting_stands_in_the_settings_file_with_its_sentence_and_default() -> None:
    lines = text_of(SETTINGS_FILE).splitlines()
    wrong = []
    for setting in SETTINGS:
        said = [i for i, line in enumerate(lines) if re.match(rf"#?{setting.name}=", line)]
        if len(said) != 1:
            wrong.append(f"{setting.name} stands there {len(said)} times")
            continue
        above = []
        for line in reversed(lines[: said[0]]):
            if not line.startswith("# "):
                break
            above.insert(0, line.removeprefix("# "))
        if " ".join(above) != setting.sentence:
            wrong.append(f"{setting.name} should say: {setting.sentence}")
        shown_default = lines[said[0]].partition("=")[2]
        if lines[said[0]].startswith("#") and shown_default != setting.default:
            wrong.append(f"{setting.name} has the default {setting.default!r}")
    assert not wrong, lesson("deploy/tasuki.env is where an IT team reads what there is.", wrong)


def test_the_settings_file_sets_nothing_that_is_not_a_setting() -> None:
    content = text_of(SETTINGS_FILE)
    everything = re.sub(r"^#(TASUKI_)", r"\1", content, flags=re.M)
    known = {setting.name for setting in SETTINGS}
    assert set(parse_environment_file(everything)) == known
    # As it is shipped it can be read, too.
    assert parse(parse_environment_file(content)).member_id == "aoba"


def test_every_refusal_has_its_japanese_sentence() -> None:
    for name in sorted(modules("node")):
        if not name.startswith(("node.migrations.", "node.cli", "node.wsgi")):
            importlib.import_module(name)
    japanese = catalogue("ja")
    missing = []
    for kind in {*refusals_below(errors.ProtocolError), *refusals_below(refusals.Refusal)}:
        message = japanese.get(kind.sentence())
        if message is None or not message.string:
            missing.append(f"{kind.code}: {kind.sentence()}")
    assert not missing, lesson(
        "A refusal is read by a person in an office in Japan: its docstring is the msgid, its "
        "Japanese stands in node/translations/ja/.",
        sorted(missing),
    )


Refused = errors.ProtocolError | refusals.Refusal


def refusals_below(kind: type[Refused]) -> Iterator[type[Refused]]:
    for each in kind.__subclasses__():
        if "code" in vars(each):
            yield each
        yield from refusals_below(each)


def test_every_refusal_is_a_sentence_for_a_person() -> None:
    terse = [
        kind.code
        for kind in {*refusals_below(errors.ProtocolError), *refusals_below(refusals.Refusal)}
        if not re.search(r"\w .*[.?]$", kind.sentence())
    ]
    assert not terse, lesson("Say what happened and what to do, in whole sentences.", terse)


def test_the_table_of_libraries_is_the_list_of_dependencies() -> None:
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["postgres"]]
    names = {re.split(r"[\[>=<~! ]", each)[0].lower() for each in wanted}
    table = set(re.findall(r"^\| `([\w-]+)` \| `", text_of(ROOT / "node" / "README.md"), re.M))
    assert table == names, (
        "each dependency has its line in node/README.md, and no line is left over"
    )


def test_the_proxies_let_through_what_a_peer_may_send() -> None:
    mebibytes, rest = divmod(limits.PEER_BODY_BYTES_MAX, 1024 * 1024)
    assert rest == 0
    assert f"client_max_body_size {mebibytes}m;" in text_of(ROOT / "deploy/proxy/nginx.conf")
    assert f"max_size {mebibytes}MiB" in text_of(ROOT / "deploy/proxy/Caddyfile")


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_links_of_a_document_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text_of(document))
    targets += re.findall(r"<img[^>]*\bsrc=\"([^\"]+)\"", text_of(document))
    broken = [
        target
        for target in targets
        if "://" not in target and not (document.parent / target).exists()
    ]
    assert not broken, f"{shown(document)} points to files that are not there: {broken}"


def test_every_vendored_package_comes_with_its_licence() -> None:
    for vendor in (
        ROOT / "node/web/static/vendor",
        ROOT / "node/services/records/vendor",
        ROOT / "tests/vendor",
    ):
        for package in filter(Path.is_dir, vendor.iterdir()):
            assert list(package.glob("LICEN[CS]E*")), f"{shown(package)} has no licence"


def test_names_in_the_code_are_words_of_the_glossary() -> None:
    foreign = []
    for path in files(".py"):
        for part in ast.walk(tree(path)):
            if not isinstance(part, ast.ClassDef | ast.FunctionDef):
                continue
            snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", part.name).lower()
            for word in set(snake.split("_")) & NOT_OUR_WORDS.keys():
                foreign.append(f"{shown(path, part.lineno)} {part.name}: say {NOT_OUR_WORDS[word]}")
    assert not foreign, lesson("One word, one meaning, in code, table, screen and commit.", foreign)


def test_no_page_calls_a_notice_by_its_unkind_name() -> None:
    found = [shown(path) for path in files(".html", ".po") if "お祈り" in text_of(path)]
    assert not found, lesson(
        "Whoever was turned down reads this. 選考結果のご連絡 is its name.", found
    )
