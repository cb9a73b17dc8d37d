"""The seat: what a member answers while a decree is made, and what it never answers."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from protocol import (
    FENCE_REPORT,
    FenceReport,
    Held,
    MemoryBooks,
    Need,
    SignedDocument,
    decree,
    errors,
    limits,
    sign,
)
from tests.protocol.decree.drafts import (
    NODE,
    Table,
    approval,
    approvals,
    drafted,
    founded,
    signed_draft,
)
from tests.protocol.decree.scenarios import order
from tests.protocol.refusals import refusal_of

CHARTER = founded()
DRAFT, OTHER = drafted(CHARTER, name="ほか"), drafted(CHARTER)
THREE = ("aoba", "biwa", "seeds")


def fenced(
    request: decree.FenceRequest,
    seat: decree.Seat | None = None,
    name: str = "aoba",
    **more: object,
) -> decree.Kept[decree.FenceAnswer]:
    arguments: dict[str, object] = {"books": MemoryBooks(), "locks": {}, **more}
    return decree.judge_fence(
        request,
        seat=seat or decree.Seat(1),
        charter=CHARTER,
        key=NODE[name],
        **arguments,  # type: ignore[arg-type]
    )


def asked(
    *given: SignedDocument, ballot: int = 1, draft: SignedDocument = DRAFT
) -> decree.FenceRequest:
    return decree.FenceRequest(ballot, draft, given or approvals(CHARTER, draft, THREE))


def prepared(ballot: int = 1, draft: SignedDocument = DRAFT) -> decree.Prepared:
    """The proof that three members prepared the draft."""
    table = Table(CHARTER)
    proposer = table.proposer(draft, ballot)
    for name in THREE:
        table.fence(name, proposer)
    proposal = table.propose(proposer)
    for name in THREE:
        table.prepare(name, proposal, proposer)
    proof = proposer.prepared()
    assert proof is not None
    return proof


def report_of(answer: decree.FenceAnswer) -> FenceReport:
    return FenceReport.parse(answer.report.payload)


# --- To stop. ---


def test_a_member_that_stops_says_where_it_stands_and_votes_no_more() -> None:
    open_order = order("biwa", "aoba")
    decree.require_voting(decree.Seat(1), CHARTER)
    kept = fenced(asked(), locks={"biwa": open_order})
    report = report_of(kept.answer)
    assert (report.epoch, report.ballot, report.vector, report.held) == (1, 1, {}, None)
    assert report.locks == {"biwa": open_order.digest}
    assert kept.answer.orders == (open_order,)
    assert refusal_of(lambda: decree.require_voting(kept.seat, CHARTER)) == "epoch-stopped"


def test_whoever_asks_again_gets_the_same_bytes() -> None:
    kept = fenced(asked())
    again = fenced(asked(), kept.seat, locks={"biwa": order("biwa", "aoba")})
    assert again == kept


def test_a_seat_that_was_kept_is_the_seat_that_is_read() -> None:
    proof = prepared()
    seat = decree.judge_prepared(proof, seat=decree.Seat(1), charter=CHARTER, key=NODE["aoba"]).seat
    for each in (decree.Seat(1), decree.Seat(2, abstains=True), fenced(asked()).seat, seat):
        assert decree.Seat.parse(each.encode()) == each


@pytest.mark.parametrize(
    ("ballot", "promised"), [(1, 2), (2, 1 + 2), (limits.BALLOT_STEP_MAX + 2, 1)]
)
def test_a_ballot_below_the_promise_or_far_above_it_is_refused(ballot: int, promised: int) -> None:
    seat = decree.Seat(1, promised=promised)
    with pytest.raises(errors.BallotStale) as refusal:
        fenced(asked(ballot=ballot), seat)
    assert refusal.value.facts["promised"] == promised


def test_who_cannot_be_sure_of_its_seat_takes_no_part() -> None:
    seat = decree.Seat(1, abstains=True)
    assert refusal_of(lambda: fenced(asked(), seat)) == "epoch-stopped"
    assert refusal_of(lambda: decree.require_voting(seat, CHARTER)) == "epoch-stopped"
    with pytest.raises(errors.EpochStopped):
        decree.judge_prepared(prepared(), seat=seat, charter=CHARTER, key=NODE["aoba"])


UNREACHABLE = signed_draft(replace(founded(), version=2, previous=CHARTER.digest, q=5))


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (asked(*approvals(CHARTER, DRAFT, ("aoba", "biwa"))), "approvals-missing"),
        (asked(*approvals(CHARTER, DRAFT, ("aoba", "biwa", "biwa"))), "approvals-missing"),
        (asked(*approvals(CHARTER, OTHER, THREE)), "decree-invalid"),
        (asked(*approvals(replace(CHARTER, version=2), DRAFT, THREE)), "epoch-mismatch"),
        (asked(*approvals(CHARTER, DRAFT, ("aoba", "biwa", "echo"))), "key-unknown"),
        (asked(approval(CHARTER, DRAFT, "aoba").add(NODE["biwa"])), "document-invalid"),
        (asked(draft=UNREACHABLE), "draft-invalid"),
    ],
    ids=["few", "twice", "another-draft", "epoch", "stranger", "two-signatures", "unreachable"],
)
def test_nobody_stops_for_a_draft_that_is_not_approved(
    request_: decree.FenceRequest, code: str
) -> None:
    assert refusal_of(lambda: fenced(request_)) == code


def test_those_who_have_not_approved_are_named() -> None:
    with pytest.raises(errors.ApprovalsMissing) as refusal:
        fenced(asked(*approvals(CHARTER, DRAFT, ("aoba", "seeds"))))
    assert refusal.value.facts["missing"] == ["biwa", "bridge"]


def test_an_approval_that_was_taken_back_counts_for_nobody_who_has_heard_of_it() -> None:
    back = approval(CHARTER, DRAFT, "seeds", 2, approves=False)
    _, word = decree.verify_approval(back, CHARTER)
    fenced(asked())
    assert refusal_of(lambda: fenced(asked(), known={"seeds": word})) == "approvals-missing"
    given = (*approvals(CHARTER, DRAFT, THREE), back)
    assert refusal_of(lambda: fenced(asked(*given))) == "approvals-missing"
    # And may be given again.
    again = approval(CHARTER, DRAFT, "seeds", 3)
    fenced(asked(*given, again), known={"seeds": word})
    # What was heard about another draft is no word on this one.
    fenced(asked(), known={"seeds": replace(word, draft=OTHER.digest)})


# --- To prepare. ---


class Ready:
    """Three members that have stopped, a proposal that follows from them, and a seat to ask."""

    def __init__(self) -> None:
        self.table = Table(CHARTER)
        self.proposer = self.table.proposer(DRAFT)
        for name in THREE:
            self.table.fence(name, self.proposer)
        self.proposal = self.table.propose(self.proposer)
        self.seat = self.table.seats["aoba"]

    def asked(self, **changes: object) -> object:
        return decree.judge_proposal(
            replace(self.proposal, **changes),  # type: ignore[arg-type]
            seat=self.seat,
            charter=CHARTER,
            books=MemoryBooks(),
            key=NODE["aoba"],
        )


READY = Ready()


def lied(name: str = "seeds", **changes: object) -> tuple[SignedDocument, ...]:
    """The reports, with another one in the place of the third."""
    body = FenceReport("minato", 1, 1)
    false = replace(body, **changes)  # type: ignore[arg-type]
    return (*READY.proposal.reports[:2], sign(FENCE_REPORT, false.encode(), NODE[name]))


def of_ballot_two() -> decree.Motion:
    return prepared(draft=OTHER).motion


@pytest.mark.parametrize(
    ("ask", "code", "sentence"),
    [
        (lambda: READY.asked(ballot=2), "proposal-invalid", "reported for epoch 1, ballot 1"),
        (lambda: READY.asked(reports=READY.proposal.reports[:2]), "proposal-invalid", "2 members"),
        (lambda: READY.asked(reports=lied("biwa")), "proposal-invalid", "biwa is counted twice"),
        (lambda: READY.asked(reports=lied("echo")), "key-unknown", ""),
        (lambda: READY.asked(reports=lied(epoch=2)), "proposal-invalid", "epoch 2"),
        (lambda: READY.asked(reports=lied(alliance="other")), "proposal-invalid", ""),
        (lambda: READY.asked(reports=lied(vector={"zeta": 1})), "proposal-invalid", "no account"),
        (
            lambda: READY.asked(reports=lied(locks={"biwa": bytes(32)})),
            "proposal-invalid",
            "the order that is said to hold biwa is not here",
        ),
        (
            lambda: READY.asked(reports=lied(held=Held(1, bytes(32)))),
            "proposal-invalid",
            "holds what a later ballot prepared",
        ),
        (lambda: READY.asked(approvals=()), "approvals-missing", ""),
        (lambda: READY.asked(motion=of_ballot_two()), "decree-invalid", "another draft"),
        (
            lambda: READY.asked(
                motion=of_ballot_two(), approvals=approvals(CHARTER, OTHER), prepared=prepared()
            ),
            "proposal-invalid",
            "none of the reports names",
        ),
    ],
)
def test_a_proposal_that_does_not_follow_gets_no_vote(
    ask: Callable[[], object], code: str, sentence: str
) -> None:
    with pytest.raises(errors.ProtocolError) as refusal:
        ask()
    assert refusal.value.code == code
    assert sentence in refusal.value.detail


def test_a_member_votes_for_one_motion_in_a_ballot_and_as_often_as_it_is_asked() -> None:
    ready = Ready()
    first = ready.asked()
    assert isinstance(first, decree.Kept)
    ready.seat = first.seat
    assert ready.asked() == first
    other = {"motion": of_ballot_two(), "approvals": approvals(CHARTER, OTHER)}
    assert refusal_of(lambda: ready.asked(**other)) == "ballot-taken"


def test_a_proposal_of_an_earlier_ballot_comes_too_late() -> None:
    ready = Ready()
    ready.seat = replace(ready.seat, promised=2)
    assert refusal_of(ready.asked) == "ballot-stale"


def test_whoever_lags_behind_says_what_it_needs_and_changes_nothing() -> None:
    reports = lied(vector={"biwa": 2})
    assert READY.asked(reports=reports) == Need({"biwa": (1, 2)})


# --- What was prepared before. ---


def second_ballot(held: decree.Prepared | None) -> tuple[Table, decree.Proposer]:
    """Three members in ballot 2, one of which may have committed to something in ballot 1."""
    table = Table(CHARTER)
    if held is not None:
        table.seats["biwa"] = decree.judge_prepared(
            held, seat=table.seats["biwa"], charter=CHARTER, key=NODE["biwa"]
        ).seat
    proposer = table.proposer(OTHER, 2)
    for name in THREE:
        table.fence(name, proposer)
    return table, proposer


def test_what_may_have_been_enacted_is_proposed_again_whoever_proposes() -> None:
    held = prepared()
    table, proposer = second_ballot(held)
    proposal = table.propose(proposer)
    assert proposal.motion == held.motion
    for name in THREE:
        table.prepare(name, proposal, proposer)
    for name in THREE:
        table.commit(name, proposer)
    found = proposer.decree()
    assert found is not None
    assert decree.verify_decree(found, CHARTER).name == "ほか"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"prepared": None}, "which is not proven"),
        ({"prepared": prepared(draft=OTHER)}, "names another motion of ballot 1"),
        ({"motion": prepared(draft=OTHER).motion}, "must be proposed again"),
        ({"prepared": replace(prepared(), votes=prepared().votes[:2])}, "2 members voted"),
    ],
)
def test_another_motion_is_refused_where_one_was_prepared(
    changes: dict[str, object], sentence: str
) -> None:
    table, proposer = second_ballot(prepared())
    proposal = replace(table.propose(proposer), **changes)  # type: ignore[arg-type]
    with pytest.raises(errors.ProtocolError, match=sentence):
        table.prepare("seeds", proposal)


def test_a_proposer_takes_no_report_that_does_not_prove_what_it_claims() -> None:
    _, proposer = second_ballot(None)
    report = FenceReport("minato", 1, 2, held=Held(1, prepared().digest))
    signed = sign(FENCE_REPORT, report.encode(), NODE["bridge"])
    for proof in (None, prepared(draft=OTHER), replace(prepared(), votes=prepared().votes[:2])):
        answer = decree.FenceAnswer(signed, (), proof)
        code = refusal_of(lambda answer=answer: proposer.add_report(answer))  # type: ignore[misc]
        assert code in ("proposal-invalid", "decree-invalid")
    assert proposer.reporters == set(THREE)


def test_a_later_word_is_never_replaced_by_an_earlier_one() -> None:
    late, early = prepared(2, OTHER), prepared(1)
    kept = decree.judge_prepared(late, seat=decree.Seat(1), charter=CHARTER, key=NODE["aoba"])
    with pytest.raises(errors.BallotStale):
        decree.judge_prepared(early, seat=kept.seat, charter=CHARTER, key=NODE["aoba"])
    again = decree.judge_prepared(late, seat=kept.seat, charter=CHARTER, key=NODE["aoba"])
    assert again == kept


def test_two_motions_of_one_ballot_are_the_work_of_too_many_liars() -> None:
    kept = decree.judge_prepared(prepared(), seat=decree.Seat(1), charter=CHARTER, key=NODE["aoba"])
    other = prepared(draft=OTHER)
    assert (
        refusal_of(
            lambda: decree.judge_prepared(other, seat=kept.seat, charter=CHARTER, key=NODE["aoba"])
        )
        == "ballot-taken"
    )


def test_what_travels_reads_back_as_it_was_written() -> None:
    table, proposer = second_ballot(prepared())
    proposal = table.propose(proposer)
    assert decree.FenceRequest.parse(proposer.request.encode()) == proposer.request
    assert decree.Proposal.parse(proposal.encode()) == proposal
    answer = fenced(asked(), locks={"biwa": order("biwa", "aoba")}).answer
    assert decree.FenceAnswer.parse(answer.encode()) == answer


def test_every_proposer_has_ballots_of_its_own() -> None:
    taken = [decree.next_ballot(7, CHARTER, name) for name in CHARTER.by_id]
    assert len(set(taken)) == len(taken)
    assert min(taken) == 8
    assert max(taken) == 11


def test_no_vote_is_counted_that_is_about_something_else() -> None:
    table, proposer = second_ballot(None)
    stray = prepared().votes[0]
    vote = SignedDocument("decree-prepare", b"{}", (stray,))
    assert refusal_of(lambda: proposer.add_vote(vote)) == "decree-invalid"
    table.propose(proposer)
    assert refusal_of(lambda: proposer.add_vote(vote)) == "decree-invalid"
    assert proposer.prepared() is None
    assert proposer.decree() is None
