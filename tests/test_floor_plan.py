"""The house has floors, and imports go down only: this file holds the plan.

A module on no floor fails the build: give it a floor here, in the commit that adds it. On one
floor, modules may use each other only inside their own package, and never in a circle. Which
library may be used where is the "home" column of the table in node/README.md.
"""

import ast
import re
import sys
from fnmatch import fnmatchcase

import protocol
from tests.equipment.source import ROOT, files, imports, lesson, module, modules, our_imports, tree

# A room's name covers what is inside it, unless that has a floor of its own.
PROTOCOL = {
    0: "errors limits",
    1: "strictjson",
    2: "keys sealing",
    3: "signed",
    4: "charter charter_cut charter_changes http_fields problems",
    4.5: "documents",
    5: "envelope http joining",
    6: "ledger delivery",
    6.5: "decree standing",  # a decree ends an epoch of the ledger
}
FRONT_DOOR = 7
NODE = {
    0: "config config_values clock logs origin recovery refusals tries",
    0.5: "migrations",  # runs them; the steps themselves stand higher, and are found by path
    1: "backup_file database driver keyring keyring_file transport mail i18n virus_scanner "
    "watched_folder mail_reader",
    1.5: "bodies forms",  # it marks sentences for translation
    2: "models",
    2.5: "context migrations.env migrations.versions",
    2.7: "installation",  # the parts above, open
    3: "services.audit services.breakers services.charter services.letters services.links "
    "services.mailing services.nonces services.office_hours services.outbox services.pages "
    "services.isolation services.pdf_inspector "
    "services.persons services.restores services.seats services.sessions services.users "
    "services.workbook_reader",
    3.2: "opening",  # a node is handed the charter in force
    3.5: "services.templates",  # its changes are audited
    4: "services.applicants services.exchange services.ledger services.measures "
    "services.membership",
    4.1: "services.records",  # names are compared as applicants' are
    4.2: "services.referrals",  # an acceptance owes a point; a profile may be a known applicant's
    4.21: "services.relays",  # an applicant is made of a referral
    4.22: "services.erasures",  # what a referral brought is destroyed
    4.25: "services.departing",  # what was referred to a member that goes ends
    4.3: "services.decrees",  # a decree ends an epoch of the ledger, and a membership perhaps
    4.35: "services.joining services.keys",  # a draft brings a newcomer in, or replaces keys
    4.4: "services.consents services.hires",  # both act on referrals
    4.45: "services.rights services.interest",  # over a consent and what it led to
    4.46: "services.retention",  # it destroys as rights do, by the calendar
    4.5: "services.notices",  # they ask who may be told, and who may get a link
    4.6: "services.backups",  # everything there is
    4.7: "services.overview",  # a little of everything
    5: "services.inbox services.delivery",
    5.3: "allowance",  # it asks the inbox how much a member has filled
    5.4: "peer_addresses",  # what `peer` leads to
    5.5: "greeting",  # the worker and the page of peers both say hello
    6: "web candidate peer joining worker",
    7: "app",
    7.5: "web_server",
    8: "cli wsgi",
}
# Only a name and a docstring: whoever imports a room walks through them.
HALLWAYS = {"node", "node.services"}
# Entrances open a session and hand it on, so they name its type; its queries are not theirs.
HANDED_ON = {("sqlalchemy.orm", ("Session",))}
# What a pure house may use of the standard library: nothing that asks the world.
PURE = set(
    "__future__ abc base64 binascii bisect builtins collections contextlib copy dataclasses "
    "datetime enum functools hashlib heapq hmac ipaddress itertools json math operator re string "
    "struct textwrap types typing unicodedata urllib.parse".split()
)
IMPURE_NAMES = {"now", "utcnow", "today", "urandom", "fromtimestamp"}
IMPURE_CALLS = {"open", "print", "input", "eval", "exec", "__import__", "compile", "breakpoint"}


def floor_of(name: str) -> float | None:
    """The floor of a module, in the numbering of its own house; None when it has none."""
    house, _, room = name.partition(".")
    if name in HALLWAYS:
        return -1
    if name == "protocol":
        return FRONT_DOOR
    plan = PROTOCOL if house == "protocol" else NODE
    floors = {each: floor for floor, rooms in plan.items() for each in rooms.split()}
    while room:
        if room in floors:
            return floors[room]
        room = room.rpartition(".")[0]
    return None


def package_of(name: str) -> str:
    """The room whose modules may use each other; `config` and `config_values` share one."""
    house, _, room = name.partition(".")
    return f"{house}.{re.split('[._]', room)[0]}"


def homes() -> dict[str, list[str]]:
    """Import name -> the modules it may be used in, as node/README.md's table says."""
    found: dict[str, list[str]] = {}
    for line in (ROOT / "node" / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 5:
            for name in re.findall(r"`([\w.]+)`", cells[1]):
                found[name] = re.findall(r"`([\w.*]+)`", cells[4])
    return found


def test_every_module_has_a_floor() -> None:
    every = sorted(modules("protocol") | modules("node"))
    homeless = [name for name in every if floor_of(name) is None]
    assert not homeless, lesson(
        "A module without a floor can be imported from anywhere, and soon is. Say where it "
        "belongs, in the plan at the top of tests/test_floor_plan.py.",
        homeless,
    )


def test_imports_go_down_only() -> None:
    upward = []
    for path in files(".py"):
        name = module(path)
        for asked, line in our_imports(path):
            if asked.partition(".")[0] != name.partition(".")[0] or asked == name:
                continue
            here, there = floor_of(name), floor_of(asked)
            neighbours = here == there and package_of(name) == package_of(asked)
            if here is None or there is None or there < here or neighbours:
                continue
            upward.append(f"{name}:{line} (floor {here}) imports {asked} (floor {there})")
    assert not upward, lesson(
        "A floor knows those below it, and nothing of those above or beside it. Move what both "
        "need one floor down, or hand it in as an argument from the floor that knows both.",
        upward,
    )


def test_there_is_no_circle_of_imports() -> None:
    graph = {
        module(path): {asked for asked, _ in our_imports(path)} - {module(path)}
        for path in files(".py")
    }
    done: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, lesson(
            "Modules in a circle are one module in several files: none can be read or tested "
            "without the others. Cut it where the names are weakest.",
            [" -> ".join((*trail[trail.index(name) :], name))],
        )
        if name not in done:
            for asked in sorted(graph.get(name, ())):
                walk(asked, (*trail, name))
            done.add(name)

    for name in sorted(graph):
        walk(name, ())


def test_the_node_enters_the_protocol_through_its_front_door() -> None:
    side_doors = []
    for path in files(".py", folders=("node",)):
        for asked, line, taken in imports(path):
            if asked.startswith("protocol."):
                side_doors.append(f"{module(path)}:{line} imports {asked}")
            unlisted = set(taken) - set(getattr(protocol, "__all__", ()))
            if asked == "protocol" and unlisted:
                side_doors.append(f"{module(path)}:{line} takes {sorted(unlisted)}")
    assert not side_doors, lesson(
        "`from protocol import Name`: the names in protocol.__all__ are its promise to the node "
        "and to everybody else; what stands behind them may move.",
        side_doors,
    )


def test_the_protocol_house_asks_nothing_of_the_world() -> None:
    impure = []
    for path in files(".py", folders=("protocol",)):
        name = module(path)
        for asked, line, _ in imports(path):
            top = asked.partition(".")[0]
            if top in sys.stdlib_module_names and not {asked, top} & PURE:
                impure.append(f"{name}:{line} imports {asked}")
        for part in ast.walk(tree(path)):
            if isinstance(part, ast.Attribute) and part.attr in IMPURE_NAMES:
                impure.append(f"{name}:{part.lineno} asks for .{part.attr}")
            called = part.func if isinstance(part, ast.Call) else None
            if isinstance(called, ast.Name) and called.id in IMPURE_CALLS:
                impure.append(f"{name}:{called.lineno} calls {called.id}()")
    assert not impure, lesson(
        "protocol/ is handed the time, the bytes and the keys, so that a simulator can run ten "
        "thousand years of it, and a second implementation can be compared with it.",
        impure,
    )


def test_the_protocol_house_knows_nothing_of_the_node() -> None:
    found = [
        f"{module(path)}:{line} imports {asked}"
        for path in files(".py", folders=("protocol",))
        for asked, line, _ in imports(path)
        if asked.partition(".")[0] in ("node", "tests")
    ]
    assert not found, lesson("protocol/ could be installed alone, and stays so.", found)


def test_every_library_is_used_only_in_its_home() -> None:
    homes_, astray = homes(), []
    assert homes_, "the table of libraries in node/README.md could not be read"
    for path in files(".py"):
        for asked, line, taken in imports(path):
            top = asked.partition(".")[0]
            if top in sys.stdlib_module_names or top in ("protocol", "node"):
                continue
            if (asked, taken) in HANDED_ON and module(path).startswith("node."):
                continue
            home = homes_.get(top, [])
            if not any(fnmatchcase(module(path), pattern) for pattern in home):
                astray.append(f"{module(path)}:{line} uses {top}, at home in {home or 'nowhere'}")
    assert not astray, lesson(
        "Each library has one home, so that it can be replaced there. Call our own module that "
        "wraps it; or, when the home is too small, widen it in the table of node/README.md and "
        "say why in the commit.",
        astray,
    )


def test_the_plan_names_only_rooms_that_exist() -> None:
    """A plan with rooms that were torn down is a plan nobody reads."""
    missing = []
    for house, plan in (("protocol", PROTOCOL), ("node", NODE)):
        rooms = {name.partition(".")[2] for name in modules(house)}
        for room in " ".join(plan.values()).split():
            if not any(each == room or each.startswith(f"{room}.") for each in rooms):
                missing.append(f"{house}.{room}")
    assert not missing, lesson("Take it out of the plan, or build it.", missing)


def test_a_hallway_holds_nothing_but_its_name() -> None:
    for path in files(".py", folders=("node",)):
        if module(path) in HALLWAYS:
            assert len(tree(path).body) == 1, f"{module(path)} is for a docstring only"


def test_the_floor_plan_sees_what_it_should() -> None:
    """The plan itself: a room's floor, its package, and the floors' order."""
    assert floor_of("protocol.errors") == 0
    assert floor_of("protocol.documents.ledger") == 4.5
    assert floor_of("node.cli.serve") == 8
    assert floor_of("node.migrations.env") == 2.5
    assert floor_of("node.nowhere") is None
    assert floor_of("node.services.nowhere") is None
    assert package_of("node.config_values") == package_of("node.config")
    assert package_of("node.web.points") != package_of("node.candidate.link")
