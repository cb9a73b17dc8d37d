"""Decrees over real databases: what is said is durable, and what is refused changes nothing."""

import pytest

from node.services import charter as charters
from node.services import decrees, ledger, seats
from protocol import (
    DRAFT,
    Ballot,
    OrderAnswer,
    OrderRequest,
    PullAnswer,
    SignedDocument,
    decree,
    errors,
    next_draft,
    sign,
)
from tests.equipment.alliance import MEMBERS, Alliance, House
from tests.equipment.deciding import (
    approve,
    approved,
    decide,
    digest_of,
    enact,
    fence,
    in_force,
    limited,
    open_order,
    owe,
    propose,
    proposer_of,
    tell,
)

THREE = ("aoba", "biwa", "seeds")


def ask(house: House, order: SignedDocument) -> OrderAnswer:
    with house.database.transaction() as session:
        body = OrderRequest(order).encode()
        return OrderAnswer.parse(ledger.vote_on(session, house.context, body))


def pay(alliance: Alliance, payer: str, to: str, told: tuple[str, ...] = MEMBERS) -> None:
    """A point, certified by everybody under the charter in force, and told to some."""
    house = alliance[payer]
    owe(house, to)
    order = open_order(house)
    assert order is not None
    ballot = Ballot(order, in_force(house))
    for other in alliance.others(payer):
        vote = ask(other, order.document).vote
        assert vote is not None
        ballot.add(vote, other.id)
    with house.database.transaction() as session:
        certificate = ledger.certify(session, house.context, ballot)
    for other in alliance.others(payer):
        if other.id in told:
            with other.database.transaction() as session:
                ledger.receive_certificate(session, other.context, certificate.data)


def test_a_limit_is_changed_and_points_move_under_the_new_version(alliance: Alliance) -> None:
    pay(alliance, "aoba", "biwa")
    approved(alliance, "aoba", limited(alliance.charter, "biwa", 33), ("biwa", "seeds"))
    enacted = decide(alliance, "aoba", THREE)
    assert all(enact(house, enacted) for house in alliance.houses.values())

    assert {in_force(house).digest for house in alliance.houses.values()} == {enacted.decree.digest}
    assert in_force(alliance["bridge"]).member("biwa").credit_limit == 33
    pay(alliance, "biwa", "bridge")
    assert len({digest_of(house) for house in alliance.houses.values()}) == 1
    with alliance["bridge"].database.reading() as session:
        report = decree.verify_chain(charters.chain(session), alliance.charter.digest)
        assert ledger.check(session, alliance["bridge"].context, "aoba", 1) is None
        assert ledger.check(session, alliance["bridge"].context, "biwa", 1) is None
        assert list(filter(None, ledger.Verification(session).findings())) == []
    assert report
    assert [each.version for each in report.charters] == [1, 2]


def test_an_approval_is_taken_back_and_counts_no_more(alliance: Alliance) -> None:
    digest = approved(alliance, "aoba", limited(alliance.charter, "biwa", 33), ("biwa", "seeds"))
    with alliance["aoba"].database.reading() as session:
        assert decrees.ready(session, alliance["aoba"].context)
    assert approve(alliance["seeds"], digest, on=False).approving == ("aoba", "biwa")
    # An approval that somebody still carries around does not bring it back.
    tell(alliance["seeds"], alliance["aoba"], digest)
    with alliance["aoba"].database.reading() as session:
        assert not decrees.ready(session, alliance["aoba"].context)
        view = decrees.view(session, alliance["aoba"].context, digest)
    assert (view.missing, view.needed, view.is_ready) == (("seeds", "bridge"), 3, False)


def test_who_has_stopped_votes_for_no_order_and_opens_none_until_the_next_version(
    alliance: Alliance,
) -> None:
    owe(alliance["bridge"], "aoba")
    order = open_order(alliance["bridge"])
    assert order is not None
    approved(alliance, "aoba", limited(alliance.charter, "biwa", 33), ("biwa", "seeds"))
    proposer = proposer_of(alliance["aoba"])
    answer = fence(alliance["biwa"], proposer.request)
    before = digest_of(alliance["biwa"])

    with pytest.raises(errors.EpochStopped):
        ask(alliance["biwa"], order.document)
    owe(alliance["biwa"], "aoba")
    assert open_order(alliance["biwa"]) is None
    assert digest_of(alliance["biwa"]) == before
    # Asked again, the same bytes.
    assert fence(alliance["biwa"], proposer.request).encode() == answer.encode()
    with alliance["aoba"].database.reading() as session:
        [request] = decrees.ready(session, alliance["aoba"].context)
    with pytest.raises(decrees.DraftClosed):
        approve(alliance["biwa"], request.draft.digest, on=False)

    enacted = decide(alliance, "aoba", THREE, ballot=2)
    assert enact(alliance["biwa"], enacted)
    following = open_order(alliance["biwa"])
    assert following is not None
    assert following.body.epoch == 2


def test_a_locked_order_is_carried_into_its_place_and_its_owner_owes_it_no_more(
    alliance: Alliance,
) -> None:
    owe(alliance["bridge"], "aoba")
    order = open_order(alliance["bridge"])
    assert order is not None
    assert ask(alliance["biwa"], order.document).vote is not None
    approved(alliance, "aoba", limited(alliance.charter, "biwa", 33), ("biwa", "seeds"))
    enacted = decide(alliance, "aoba", THREE)
    assert all(enact(house, enacted) for house in alliance.houses.values())
    assert len({digest_of(house) for house in alliance.houses.values()}) == 1
    with alliance["bridge"].database.reading() as session:
        books = ledger.SQLBooks(session)
        assert (books.head("bridge").balance, books.head("aoba").balance) == (-1, 1)
        assert not ledger.waiting(session)
        assert list(filter(None, ledger.Verification(session).findings())) == []
        lines = ledger.statement(session, alliance["bridge"].context, limit=10)
    assert [(line.peer, line.points) for line in lines] == [("aoba", -1)]


def test_who_lacks_an_order_within_the_cut_stops_and_waits_for_it(alliance: Alliance) -> None:
    pay(alliance, "aoba", "biwa", told=("biwa", "seeds"))
    approved(alliance, "aoba", limited(alliance.charter, "biwa", 33), ("biwa", "seeds"))
    enacted = decide(alliance, "aoba", THREE)
    assert enact(alliance["aoba"], enacted)
    bridge = alliance["bridge"]
    assert not enact(bridge, enacted)
    with bridge.database.reading() as session:
        assert seats.is_stopped(session, alliance.charter)
        question = ledger.pull_body(session, bridge.context)
    # Whoever is in the next epoch already shows what was certified in the one before.
    with alliance["aoba"].database.reading() as session:
        page = ledger.answer_pull(session, alliance["aoba"].context, question)
    with bridge.database.transaction() as session:
        assert ledger.absorb(session, bridge.context, PullAnswer.parse(page)) == 1
    assert enact(bridge, enacted)
    assert digest_of(bridge) == digest_of(alliance["aoba"])


def test_a_certificate_of_the_epoch_that_ended_is_refused(alliance: Alliance) -> None:
    owe(alliance["bridge"], "aoba")
    order = open_order(alliance["bridge"])
    assert order is not None
    approved(alliance, "aoba", limited(alliance.charter, "biwa", 33), ("biwa", "seeds"))
    assert enact(alliance["aoba"], decide(alliance, "aoba", THREE))
    before = digest_of(alliance["aoba"])
    with pytest.raises(errors.EpochMismatch):
        ask(alliance["aoba"], order.document)
    assert digest_of(alliance["aoba"]) == before


def test_a_decree_without_changes_needs_no_person(alliance: Alliance) -> None:
    digest = propose(alliance["aoba"], next_draft(alliance.charter))
    for name in ("biwa", "seeds"):
        tell(alliance["aoba"], alliance[name], digest)
        with alliance[name].database.transaction() as session:
            assert decrees.approve_by_ourselves(session, alliance[name].context) == 1
            assert decrees.approve_by_ourselves(session, alliance[name].context) == 0
        tell(alliance["aoba"], alliance[name], digest)
    enacted = decide(alliance, "aoba", THREE)
    assert all(enact(house, enacted) for house in alliance.houses.values())


def test_what_changes_more_than_a_nodes_keys_waits_for_a_person(alliance: Alliance) -> None:
    digest = propose(alliance["aoba"], limited(alliance.charter, "biwa", 33))
    tell(alliance["aoba"], alliance["biwa"], digest)
    with alliance["biwa"].database.transaction() as session:
        assert decrees.approve_by_ourselves(session, alliance["biwa"].context) == 0
        view = decrees.view(session, alliance["biwa"].context, digest)
    assert view.needs_people
    assert view.approving == ("aoba",)


def test_a_fence_without_enough_approvals_is_refused_and_stops_nothing(
    alliance: Alliance,
) -> None:
    draft = sign(
        DRAFT,
        limited(alliance.charter, "biwa", 33).draft,
        alliance["aoba"].context.keyring.signing,
    )
    with pytest.raises(errors.ApprovalsMissing):
        fence(alliance["biwa"], decree.FenceRequest(1, draft, ()))
    with alliance["biwa"].database.reading() as session:
        assert not seats.is_stopped(session, alliance.charter)
        assert decrees.views(session, alliance["biwa"].context) == []


def test_a_draft_that_nobody_knows_cannot_be_approved(alliance: Alliance) -> None:
    with pytest.raises(decrees.DraftUnknown):
        approve(alliance["biwa"], bytes(32))


def test_a_second_decree_of_one_version_changes_nothing(alliance: Alliance) -> None:
    approved(alliance, "aoba", limited(alliance.charter, "biwa", 33), ("biwa", "seeds"))
    enacted = decide(alliance, "aoba", THREE)
    assert enact(alliance["aoba"], enacted)
    assert enact(alliance["aoba"], enacted)
    assert in_force(alliance["aoba"]).version == 2
