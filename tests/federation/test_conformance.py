"""The conformance kit against a real node: every case passes, and what it leaves is harmless."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.cli import main
from node.installation import Node
from node.services import charter as charters
from node.services import ledger
from protocol import Ballot, Order, OrderRequest, ProtocolError, b64encode, cast_vote
from tests.equipment.broken_peer import FAULTS, Fault, Said, serving
from tests.equipment.federation import Federation, RunningNode, eventually, founded

pytestmark = pytest.mark.federation
MEMBERS = ("aoba", "biwa", "seeds")


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """Three members; `biwa` and `seeds` run, and have settled an order with `aoba`'s help."""
    with founded(tmp_path_factory.mktemp("conformance"), members=MEMBERS) as alliance:
        for running in alliance.nodes.values():
            running.start()
        owe(alliance["biwa"], to="seeds")
        everybody = list(alliance.nodes.values())
        eventually(lambda: all(map(has_certificate, everybody)), timeout_s=60, what="an order")
        # From here on the kit speaks for it.
        alliance["aoba"].stop()
        yield alliance


def owe(running: RunningNode, *, to: str) -> None:
    with running.node.database.transaction() as session:
        pay(session, running.node, to=to)


def pay(session: Session, node: Node, *, to: str) -> None:
    ledger.pay(
        session,
        node.context,
        entry_id=os.urandom(16).hex(),
        kind="referral",
        to=to,
        points=1,
        reference=bytes(32),
    )


def has_certificate(running: RunningNode) -> bool:
    with running.node.database.reading() as session:
        return session.scalars(select(models.LedgerCertificate.sequence)).first() is not None


def conformance(running: RunningNode, *words: str) -> tuple[int, dict[str, Any]]:
    """The kit with the settings of that node: its exit code, and what it reports."""
    command = ["conformance", *words, "--json"]
    ended = CliRunner().invoke(main, command, env=running.environment)
    assert ended.exit_code in (0, 1), ended.output
    return ended.exit_code, json.loads(ended.stdout.splitlines()[0])


def failures(report: dict[str, Any]) -> list[str]:
    return [
        f"{case['case']} {case['title']}: {case['got']}"
        for case in report["cases"]
        if case["outcome"] == "failed"
    ]


def skipped(report: dict[str, Any]) -> list[int]:
    return [case["case"] for case in report["cases"] if case["outcome"] == "skipped"]


def test_a_real_node_passes_every_case(federation: Federation) -> None:
    biwa = federation["biwa"]
    code, report = conformance(federation["aoba"], biwa.node.settings.public_url)
    assert failures(report) == []
    assert skipped(report) == []
    assert (code, report["failed"], report["as"], report["peer"]) == (0, 0, "aoba", "biwa")
    assert len(report["cases"]) > 100


def test_it_leaves_no_lock_and_no_row_that_waits(federation: Federation) -> None:
    seeds = federation["seeds"]
    conformance(federation["aoba"], seeds.node.settings.public_url)

    def is_quiet() -> bool:
        with seeds.node.database.reading() as session:
            states = set(session.scalars(select(models.InboxEntry.state)))
            return states == {"refused"}

    eventually(is_quiet, timeout_s=30, what="the letters to be set aside")
    with seeds.node.database.reading() as session:
        assert session.scalars(select(models.LedgerLock)).all() == []
        assert session.scalars(select(models.ReferralIn)).all() == []
        assert session.scalars(select(models.LedgerEvidence)).all() == []
        assert session.scalars(select(models.Draft)).all() == []
        assert session.scalars(select(models.DecreeSeat)).all() == []


def spending(federation: Federation, folder: Path) -> Sequence[str]:
    """The words that let the kit spend aoba's account, without its node."""
    node = federation["aoba"].node
    chain, key = folder / "minato.json", folder / "aoba.seed"
    with node.database.reading() as session:
        chain.write_bytes(charters.chain(session))
    key.write_text(b64encode(node.keyring.signing.seed) + "\n")
    return ("--as", "aoba", "--key", str(key), "--charter", str(chain), "--votes")


def test_a_member_without_a_node_can_spend_its_account_for_the_cases_of_votes(
    federation: Federation, tmp_path: Path
) -> None:
    url = federation["biwa"].node.settings.public_url
    words = spending(federation, tmp_path)
    code, report = conformance(federation["aoba"], url, *words)
    assert failures(report) == []
    assert (code, skipped(report)) == (0, [])
    assert {case["case"] for case in report["cases"]} > {701, 711, 714, 715}
    # What it leaves is the proof; the cases of votes do not apply to it a second time.
    code, again = conformance(federation["aoba"], url, *words)
    assert failures(again) == []
    assert set(skipped(again)) == {701, 702, 703, 704, 711, 712, 713, 714, 715}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """Two members that run nowhere: `biwa` is served by the test, with a fault."""
    with founded(tmp_path_factory.mktemp("broken"), members=("aoba", "biwa")) as alliance:
        settle_an_order(alliance["biwa"].node, alliance["aoba"].node)
        yield alliance


def settle_an_order(owner: Node, voter: Node) -> None:
    """An order of one, certified by both and applied by the first."""
    with owner.database.transaction() as session:
        pay(session, owner, to=voter.context.member_id)
        opened = ledger.open_order(session, owner.context)
        charter = owner.context.charter(session)
    assert opened is not None
    ballot = Ballot(opened, charter)
    ballot.add(cast_vote(opened, voter.keyring.signing), voter.context.member_id)
    certificate = ballot.certificate()
    assert certificate is not None
    with owner.database.transaction() as session:
        assert ledger.receive_certificate(session, owner.context, certificate.data)


def test_the_node_that_faults_are_put_upon_passes_by_itself(
    pair: Federation, tmp_path: Path
) -> None:
    assert failed_with(lambda said: said, pair, tmp_path, votes=False) == set()


def test_it_signs_no_two_orders_for_one_place_unless_the_account_may_be_spent(
    pair: Federation, tmp_path: Path
) -> None:
    signed: dict[tuple[str, int, int], set[bytes]] = {}

    def listening(said: Said) -> Said:
        # What is no order in form proves nothing against whoever signed it.
        with suppress(ProtocolError):
            document = OrderRequest.parse(said.asked).order
            order = Order.parse(document.payload)
            place = order.account, order.sequence, order.incarnation
            signed.setdefault(place, set()).add(document.digest)
        return said

    for _ in range(2):
        assert failed_with(listening, pair, tmp_path, votes=False) == set()
    assert len(signed) > 10
    assert max(map(len, signed.values())) == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_fails_the_cases_that_are_about_it_and_no_others(
    pair: Federation, tmp_path: Path, fault: str
) -> None:
    change, about = FAULTS[fault]
    votes = any(number > 700 for number in about)
    if not votes:
        assert failed_with(change, pair, tmp_path, votes=False) == about
        return
    # An account can be spent once: this fault has an alliance of its own.
    with founded(tmp_path / "spent", members=("aoba", "biwa")) as alone:
        settle_an_order(alone["biwa"].node, alone["aoba"].node)
        assert failed_with(change, alone, tmp_path, votes=True) == about


def failed_with(fault: Fault, alliance: Federation, folder: Path, *, votes: bool) -> set[int]:
    """The numbers of the cases that fail when `biwa` is served with this fault."""
    biwa = alliance["biwa"]
    words = spending(alliance, folder) if votes else ()
    with serving(biwa.node, biwa.port, fault):
        _, report = conformance(alliance["aoba"], biwa.node.settings.public_url, *words)
    return {case["case"] for case in report["cases"] if case["outcome"] == "failed"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("https://nobody.example",), "No other member of the charter is at"),
        (("https://biwa.example", "--votes"), "name a test member with --as"),
        (("https://biwa.example", "--as", "aoba"), "--as needs --key and --charter"),
    ],
)
def test_what_cannot_be_tried_is_said_in_a_sentence(
    federation: Federation, words: Sequence[str], said: str
) -> None:
    ended = CliRunner().invoke(main, ["conformance", *words], env=federation["aoba"].environment)
    assert ended.exit_code in (1, 2)
    assert said in ended.output


def test_another_members_key_is_not_ours(federation: Federation, tmp_path: Path) -> None:
    url = federation["biwa"].node.settings.public_url
    words = list(spending(federation, tmp_path))
    words[1] = "seeds"
    ended = CliRunner().invoke(
        main, ["conformance", url, *words], env=federation["aoba"].environment
    )
    assert ended.exit_code == 1
    assert "is not the signing key of seeds" in ended.output
