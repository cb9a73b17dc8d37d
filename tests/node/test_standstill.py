"""A member in bad faith approves of a draft, lets others stop for it, and takes that back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from node.services import decrees
from node.worker.decrees import STANDSTILL_S, TURN_S, DecreeRounds
from protocol import APPROVAL, Approval, decree, errors, sign
from tests.equipment.alliance import Alliance
from tests.equipment.databases import LONG_TESTS
from tests.equipment.deciding import approve, approved, fence, in_force, limited, propose, tell
from tests.equipment.wires import node_with

pytestmark = pytest.mark.parametrize("alliance", LONG_TESTS, indirect=True)

HOSTILE = "bridge"
HONEST = ("aoba", "biwa", "seeds")


@pytest.fixture
def rounds(alliance: Alliance) -> Iterator[dict[str, DecreeRounds]]:
    """The workers of the three honest members."""
    with ThreadPoolExecutor(8) as pool:
        yield {
            name: DecreeRounds(node_with(alliance, name, **{HOSTILE: lambda _p, _b: b"{}"}), pool)
            for name in HONEST
        }


def say(alliance: Alliance, to: str, draft: bytes, number: int, *, on: bool) -> None:
    """A word of the hostile member on a draft, to one member only."""
    charter, house = alliance.charter, alliance[to]
    word = Approval(charter.alliance, charter.epoch, draft, number, on)
    document = sign(APPROVAL, word.encode(), alliance[HOSTILE].context.keyring.signing)
    with house.database.transaction() as session:
        told = decrees.news(session, charter, draft)
        decrees.receive_news(
            session, house.context, decree.DraftNews(told.draft, (document,)).encode()
        )


def stopped_for(alliance: Alliance) -> bytes:
    """A draft that aoba has stopped for, and that nobody who has not will ever stop for."""
    digest = approved(alliance, "biwa", limited(alliance.charter, "seeds", 33), ("aoba",))
    tell(alliance["biwa"], alliance["seeds"], digest)
    for name in HONEST:
        say(alliance, name, digest, 1, on=True)
    with alliance["aoba"].database.reading() as session:
        [request] = decrees.ready(session, alliance["aoba"].context)
    for name in ("biwa", "seeds"):
        say(alliance, name, digest, 2, on=False)
        with pytest.raises(errors.ApprovalsMissing):
            fence(alliance[name], request)
    fence(alliance["aoba"], request)
    return digest


def run(alliance: Alliance, rounds: dict[str, DecreeRounds], seconds: int) -> None:
    """All three work for so long, or until each has another version."""
    for _ in range(seconds):
        for worker in rounds.values():
            worker.step()
        if all(in_force(alliance[name]).version > 1 for name in HONEST):
            return
        alliance.clock.move(1)


def test_the_epoch_ends_with_nothing_changed_and_votes_go_on(
    alliance: Alliance, rounds: dict[str, DecreeRounds]
) -> None:
    stopped_for(alliance)
    run(alliance, rounds, STANDSTILL_S + 8 * TURN_S)
    versions = [in_force(alliance[name]) for name in HONEST]
    assert [each.version for each in versions] == [2, 2, 2]
    assert all(each.members == alliance.charter.members for each in versions)


def test_a_word_given_and_taken_back_without_end_keeps_nobody_from_the_way_out(
    alliance: Alliance, rounds: dict[str, DecreeRounds]
) -> None:
    digest = stopped_for(alliance)
    for number in range(3, 3 + STANDSTILL_S + 8 * TURN_S, 2):
        if in_force(alliance["aoba"]).version > 1:
            break
        for name in HONEST:
            if in_force(alliance[name]).version == 1:
                say(alliance, name, digest, number, on=name == "aoba")
        run(alliance, rounds, 2)
    assert in_force(alliance["aoba"]).version == 2


def test_people_whose_node_has_stopped_may_approve_of_another_draft(alliance: Alliance) -> None:
    stopped_for(alliance)
    digest = propose(alliance["aoba"], limited(alliance.charter, "seeds", 34))
    assert approve(alliance["aoba"], digest).approving == ("aoba",)
    with pytest.raises(decrees.DraftClosed):
        approve(alliance["aoba"], digest, on=False)


def test_as_many_drafts_as_it_may_have_keep_nobody_from_the_way_out(
    alliance: Alliance, rounds: dict[str, DecreeRounds]
) -> None:
    stopped_for(alliance)
    for number in range(8):
        propose(alliance["aoba"], limited(alliance.charter, "seeds", 40 + number))
    run(alliance, rounds, STANDSTILL_S + 8 * TURN_S)
    assert in_force(alliance["aoba"]).version == 2
