"""The shipped image and its compose file: what can be known of them without an engine.

The files are read as text: they use none of YAML's or Dockerfile's darker corners, and if they ever
do, the readers below say so.
"""

import re
from pathlib import Path

import pytest

from node.cli import main as tasuki
from node.config import SETTINGS
from tests.equipment.source import ROOT

CONTAINER = ROOT / "deploy" / "container"
DOCKERFILE = (CONTAINER / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (CONTAINER / "compose.yaml").read_text(encoding="utf-8")
CADDYFILE = (ROOT / "deploy" / "proxy" / "Caddyfile").read_text(encoding="utf-8")
# Ours, or read by `config` itself to find the others.
NAMES = {setting.name for setting in SETTINGS} | {"TASUKI_ENV_FILE"}


def instructions() -> list[tuple[str, str]]:
    """(word, the rest) of each instruction, its continued lines joined."""
    whole = re.sub(r"\\\n\s*", "", DOCKERFILE)
    lines = [line for line in whole.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def final_stage() -> list[tuple[str, str]]:
    """What the image itself is made of; the stages before it are thrown away."""
    every = instructions()
    return every[max(i for i, (word, _) in enumerate(every) if word == "FROM") :]


def block(name: str, text: str = COMPOSE, indent: str = "") -> str:
    """The lines below one key, up to the next of its own depth."""
    found = re.search(rf"^{indent}{re.escape(name)}:.*\n((?:{indent} +.*\n|\s*\n)*)", text, re.M)
    assert found, f"compose.yaml has no {name}"
    return found[1]


def keys(text: str, indent: str) -> list[str]:
    return re.findall(rf"^{indent}([\w-]+):", text, re.M)


SERVICES = keys(block("services"), "  ")


def service(name: str) -> str:
    return block(name, block("services"), "  ")


def test_the_image_runs_as_a_user_that_owns_nothing_of_the_system() -> None:
    words = [word for word, _ in final_stage()]
    users = [rest for word, rest in final_stage() if word == "USER"]
    assert users, "without USER it would run as root"
    # By number: an engine that insists on not being root cannot look names up.
    assert users[-1].isdecimal()
    assert int(users[-1]) >= 10_000
    assert f"--uid {users[-1]} " in DOCKERFILE
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert "RUN" not in words[words.index("USER") :]


def test_the_image_begins_with_a_command_that_exists() -> None:
    said = {word: re.findall(r'"([^"]+)"', rest) for word, rest in final_stage()}
    assert said["ENTRYPOINT"] == ["tasuki"]
    assert set(said["CMD"]) <= set(tasuki.commands)
    assert "STOPSIGNAL" in said


def test_everything_that_is_copied_into_the_image_is_there_and_nothing_else_is_sent() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines, "what is not named never reaches the builder"
    let_through = {line[1:] for line in lines if line.startswith("!")}
    copied = set()
    for word, rest in instructions():
        if word != "COPY" or "--from=" in rest:
            continue
        for source in rest.split()[:-1]:
            assert (ROOT / source).exists(), source
            copied.add(source)
    assert copied == let_through


def test_what_is_installed_into_the_image_is_locked_by_its_hash() -> None:
    whole = " ".join(rest for word, rest in instructions() if word == "RUN")
    installs = re.findall(r"pip install ([^&]*)", whole)
    assert installs
    for each in installs:
        assert "--require-hashes" in each or "--no-index" in each, each


def test_the_settings_of_image_and_compose_file_are_settings() -> None:
    told = re.findall(r"\b(TASUKI_\w+)=", DOCKERFILE) + re.findall(
        r"^ +(TASUKI_\w+):", service("node"), re.M
    )
    assert told
    assert set(told) <= NAMES
    # The proxy's are not ours: its own file reads them.
    for name in re.findall(r"^ +(TASUKI_\w+):", service("proxy"), re.M):
        assert f"{{${name}:" in CADDYFILE, name


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_has_a_read_only_root_and_no_rights_it_does_not_need(name: str) -> None:
    assert "<<: *small" in service(name)
    small = block("x-small")
    assert re.search(r"^  read_only: true$", small, re.M)
    assert re.search(r"^  cap_drop: \[ALL\]$", small, re.M)
    assert "no-new-privileges:true" in small
    for weaker in ("read_only:", "cap_drop:", "security_opt:", "privileged:", "user: root"):
        assert weaker not in service(name), f"{name} takes back {weaker}"


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert [name for name in SERVICES if "ports:" in service(name)] == ["proxy"]
    assert "inside: {internal: true}" in block("networks")
    assert "networks: [inside]" in service("database")


def test_what_the_containers_share_is_declared() -> None:
    declared = set(keys(block("volumes"), "  "))
    secrets = set(keys(block("secrets"), "  "))
    networks = set(keys(block("networks"), "  "))
    for name in SERVICES:
        mounts = re.findall(r"(?:- |\[)\"?([\w./-]+):/[\w/.-]+", service(name))
        assert mounts, name
        for mount in mounts:
            if mount == "./tasuki.env":
                continue  # the operator's copy of deploy/tasuki.env
            is_file = mount.startswith(".")
            assert (CONTAINER / mount).is_file() if is_file else mount in declared, (name, mount)
        for listed, known in (("secrets", secrets), ("networks", networks)):
            for inner in re.findall(rf"^    {listed}: \[(.*)\]$", service(name), re.M):
                assert set(re.split(r", *", inner)) <= known, (name, listed)


def test_a_stopped_node_is_given_the_time_it_takes() -> None:
    grace = re.search(r"stop_grace_period: (\d+)s", service("node"))
    assert grace
    spec = Path(ROOT / "deploy" / "systemd" / "tasuki.service").read_text(encoding="utf-8")
    patience = re.search(r"TimeoutStopSec=(\d+)", spec)
    assert patience
    assert int(grace[1]) == int(patience[1])


def test_no_password_stands_in_the_environment() -> None:
    for line in re.findall(r"^ +(\w*(?:PASS|SECRET|KEY)\w*): (.*)$", COMPOSE, re.M):
        assert line[0].endswith("FILE"), line
        assert line[1].startswith("/run/secrets/"), line
