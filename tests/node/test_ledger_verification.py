"""The ledger proven again from its bytes: what is whole is found whole, and each fault is named."""

import json
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, update

from node import models
from node.services import ledger
from node.services.ledger import Finding, Verification
from protocol import REFERRAL_ENTRY, Ballot, OrderAnswer
from tests.equipment.alliance import Alliance, House
from tests.equipment.command_line import office
from tests.equipment.databases import Databases
from tests.equipment.referring import alliance_on

Spoil = Callable[[House], None]


def pay(house: House, to: str, points: int = 1) -> None:
    with house.database.transaction() as session:
        ledger.pay(
            session,
            house.context,
            entry_id=secrets.token_hex(16),
            kind=REFERRAL_ENTRY,
            to=to,
            points=points,
            reference=bytes(32),
        )


def certify(alliance: Alliance, payer: str) -> None:
    """One round of the payer's account, told to everybody."""
    house = alliance[payer]
    with house.database.transaction() as session:
        order = ledger.open_order(session, house.context)
    assert order is not None
    ballot = Ballot(order, alliance.charter)
    for other in alliance.others(payer):
        with other.database.transaction() as session:
            answer = ledger.vote_on(session, other.context, order.document.encode())
        vote = OrderAnswer.parse(answer).vote
        assert vote is not None
        ballot.add(vote, other.id)
    with house.database.transaction() as session:
        certificate = ledger.certify(session, house.context, ballot).data
    for other in alliance.others(payer):
        with other.database.transaction() as session:
            ledger.receive_certificate(session, other.context, certificate)


def looked_at(house: House) -> tuple[Verification, list[Finding]]:
    with house.database.reading() as session:
        run = Verification(session)
        return run, [finding for finding in run.findings() if finding is not None]


@pytest.fixture
def busy(alliance: Alliance) -> Alliance:
    """Six orders of three accounts that build on one another."""
    for payer, payee in (("biwa", "aoba"), ("seeds", "biwa"), ("aoba", "seeds")) * 2:
        pay(alliance[payer], payee)
        pay(alliance[payer], payee, 2)
        certify(alliance, payer)
    return alliance


def test_a_whole_ledger_is_found_whole_and_comes_to_the_digest_that_all_show(
    busy: Alliance,
) -> None:
    for house in busy.houses.values():
        run, findings = looked_at(house)
        assert findings == []
        assert (run.done, run.total, run.entries) == (6, 6, 12)
        with house.database.reading() as session:
            assert (run.vector, run.digest) == ledger.state(session)


def flip_a_bit(house: House) -> None:
    """In the last signature of a certificate, as a failing disk would."""
    table = models.LedgerCertificate
    with house.database.transaction() as session:
        row = session.get_one(table, ("seeds", 1))
        at = len(row.document) - 20
        changed = bytearray(row.document)
        changed[at] = ord("A") if changed[at] != ord("A") else ord("B")
        row.document = bytes(changed)


def cut_off_the_end(house: House) -> None:
    with house.database.transaction() as session:
        row = session.get_one(models.LedgerCertificate, ("seeds", 1))
        row.document = row.document[:-5]


def lose_a_certificate(house: House) -> None:
    table = models.LedgerCertificate
    with house.database.transaction() as session:
        session.execute(delete(table).where(table.account == "seeds", table.sequence == 1))


def write_points_up(house: House) -> None:
    table = models.LedgerAccount
    with house.database.transaction() as session:
        session.execute(
            update(table).where(table.account == "aoba").values(credits=table.credits + 5)
        )


def change_a_column(house: House) -> None:
    table = models.LedgerCertificate
    with house.database.transaction() as session:
        session.execute(
            update(table).where(table.account == "seeds", table.sequence == 1).values(incarnation=2)
        )


def forget_an_entry(house: House) -> None:
    table = models.LedgerEntry
    with house.database.transaction() as session:
        session.execute(delete(table).where(table.account == "seeds", table.sequence == 1))


def change_a_credit(house: House) -> None:
    table = models.LedgerCredit
    with house.database.transaction() as session:
        session.execute(
            update(table).where(table.payer == "seeds", table.sequence == 1).values(points=9)
        )


def invent_a_credit(house: House) -> None:
    with house.database.transaction() as session:
        session.execute(
            insert(models.LedgerCredit).values(
                payee="aoba", payer="biwa", sequence=77, points=1, applied_at=1
            )
        )


def change_the_charter(house: House) -> None:
    with house.database.transaction() as session:
        session.execute(update(models.Charter).values(digest=bytes(32)))


@pytest.mark.parametrize(
    ("spoil", "table", "word"),
    [
        (flip_a_bit, "ledger_certificates seeds #1", ""),
        (cut_off_the_end, "ledger_certificates seeds #1", "cannot be read"),
        (lose_a_certificate, "ledger_certificates", "seeds #1"),
        (write_points_up, "ledger_accounts aoba", "credits is"),
        (change_a_column, "ledger_certificates seeds #1", "incarnation"),
        (forget_an_entry, "ledger_entries seeds", "is missing"),
        (change_a_credit, "ledger_credits seeds #1", "signed order paid"),
        (invent_a_credit, "ledger_credits all", "rows"),
        (change_the_charter, "charters version 1", "digest"),
    ],
)
def test_what_was_changed_is_named(busy: Alliance, spoil: Spoil, table: str, word: str) -> None:
    spoil(busy["aoba"])
    lines = [str(finding) for finding in looked_at(busy["aoba"])[1]]
    assert any(line.startswith(table) and word in line for line in lines), lines
    assert looked_at(busy["biwa"])[1] == []


def test_one_flipped_bit_is_one_finding(busy: Alliance) -> None:
    flip_a_bit(busy["aoba"])
    assert len(looked_at(busy["aoba"])[1]) == 1


def test_an_index_that_names_another_order_is_not_taken_for_a_second_payment(
    busy: Alliance,
) -> None:
    """The index names another order, which does not have the entry: the index is wrong."""
    table = models.LedgerEntry
    with busy["aoba"].database.transaction() as session:
        first = session.query(table).where(table.account == "seeds", table.sequence == 1).first()
        assert first is not None
        changed = first.entry_id
        session.execute(
            update(table)
            .where(table.account == "seeds", table.entry_id == changed)
            .values(sequence=77)
        )
    findings = [str(finding) for finding in looked_at(busy["aoba"])[1]]
    assert findings == [f"ledger_entries seeds {changed}: the index says #77; it stands in #1"]


def test_the_command_prints_a_line_for_each_finding_and_ends_with_1(
    tmp_path: Path, sqlite_databases: Databases
) -> None:
    with alliance_on(sqlite_databases) as alliance:
        pay(alliance["biwa"], "aoba")
        certify(alliance, "biwa")
        url = str(alliance["aoba"].database.engine.url)
        machine = office(tmp_path / "aoba", "aoba")
        whole = machine.tasuki("ledger", "verify", DATABASE_URL=url)
        write_points_up(alliance["aoba"])
        wrong = machine.tasuki("ledger", "verify", DATABASE_URL=url)
        told = machine.tasuki("ledger", "verify", "--json", DATABASE_URL=url)
    assert (whole.code, wrong.code, told.code) == (0, 1, 1)
    assert "1 certificates, 1 entries" in whole.out
    assert wrong.out.splitlines()[0].startswith("ledger_accounts aoba: credits is 6")
    assert json.loads(told.out)["wrong"] == 1
