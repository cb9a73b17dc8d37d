"""Another implementation, in another language, speaks to a real node and agrees on the vectors.

It was written from protocol/SPEC.md; what it cannot do without reading Python is a gap there.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from node import models
from protocol import Referral, b64encode
from tests.equipment.federation import Federation, eventually, founded
from tests.interop import second_implementation
from tests.protocol.letters import CARD, GROUNDS
from tests.protocol.vector import FOLDER

pytestmark = pytest.mark.nodejs
Run = Callable[..., Any]
SUBJECTS = ("document", "envelope", "json", "receipt", "request", "response")


@pytest.fixture(scope="module")
def run() -> Run:
    try:
        second_implementation.set_up()
    except second_implementation.Missing as reason:
        pytest.skip(str(reason))
    return second_implementation.run


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """`biwa` runs with its worker; `aoba` is the second implementation."""
    with founded(tmp_path_factory.mktemp("interop"), members=("aoba", "biwa")) as alliance:
        alliance["biwa"].start()
        yield alliance


def test_it_refuses_and_accepts_every_vector_as_we_do(run: Run) -> None:
    said = run("vectors.js", str(FOLDER))
    assert said["wrong"] == []
    assert said["run"] == {
        subject: len(list((FOLDER / subject).glob("*.json"))) for subject in SUBJECTS
    }


@pytest.mark.parametrize(
    ("right", "wrong", "subject"),
    [
        ("!found.has(name)", "true", "json"),
        ("DSSEv1 ", "DSSEv2 ", "document"),
        ("Math.abs(created - now) <= 30", "true", "request"),
        ("request.digest === contentDigest(request.body)", "true", "request"),
        ("signature.nonce === request.signature.nonce", "true", "response"),
        ("covered === components", "true", "request"),
    ],
)
def test_an_implementation_that_leaves_a_rule_out_does_not_pass(
    run: Run, tmp_path: Path, right: str, wrong: str, subject: str
) -> None:
    installed = second_implementation.set_up()
    (tmp_path / "node_modules").symlink_to(installed / "node_modules")
    for source in (*installed.glob("*.js"), installed / "package.json"):
        text = source.read_text()
        if source.name == "tasuki.js":
            assert right in text
            text = text.replace(right, wrong)
        (tmp_path / source.name).write_text(text)
    said = run("vectors.js", str(FOLDER), folder=tmp_path)
    assert any(line.startswith(f"{subject}/") for line in said["wrong"])


def test_it_refers_somebody_to_a_real_node_and_proves_the_receipt(
    run: Run, federation: Federation
) -> None:
    here, biwa = federation["aoba"].node, federation["biwa"].node
    with biwa.database.reading() as session:
        founding = session.scalars(select(models.Charter.document)).one()
    now = here.clock.now()
    referral = Referral("interop-referral-1", CARD, GROUNDS, now, now + 432_000, None)
    said = run(
        "refer.js",
        given={
            "charter": json.loads(founding),
            "as": "aoba",
            "seed": b64encode(here.keyring.signing.seed),
            "to": "biwa",
            "referral": json.loads(referral.encode()),
        },
    )
    assert said["same_receipt"] is True
    assert said["conflict"] == [409, "envelope-conflict"]
    assert said["forged"] == [401, "signature-invalid"]

    with biwa.database.reading() as session:
        stored = session.get_one(models.InboxEntry, said["envelope"])
        assert b64encode(stored.digest) == said["digest"] == said["receipt"]["digest"]
        assert stored.sender == "aoba"

    def handled() -> bool:
        with biwa.database.reading() as session:
            card = session.scalars(select(models.ReferralIn)).first()
            return card is not None and card.sender == "aoba"

    eventually(handled, timeout_s=30, what="biwa's worker to put the card before HR")
