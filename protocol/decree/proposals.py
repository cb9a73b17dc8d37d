"""Proposals: what has to follow from the reports of q members, and who gathers the votes for it.

A proposal carries the reports it stands on, so every voter repeats the proposer's reasoning and
nobody has to believe it.  SPEC Decrees.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from protocol.charter import Charter, encode_decreed
from protocol.decree.cut import Carry, carried_orders, cut_of
from protocol.decree.messages import (
    FenceAnswer,
    FenceRequest,
    Proposal,
    require_carried,
    verify_locked,
    verify_report,
)
from protocol.decree.votes import (
    Decree,
    Motion,
    Prepared,
    count_voters,
    require_approvals,
    verify_motion,
)
from protocol.documents.decrees import (
    COMMIT,
    PREPARE,
    Approval,
    FenceReport,
    Held,
    encode_statement,
)
from protocol.errors import DecreeInvalid, ProposalInvalid
from protocol.ledger.books import Books
from protocol.ledger.replica import Need
from protocol.signed import Signature, Signed, SignedDocument


def verify_proposal(
    proposal: Proposal,
    charter: Charter,
    books: Books,
    carry: Carry = carried_orders,
    known: Mapping[str, Approval] | None = None,
) -> Need | None:
    """Raise unless the motion follows from the reports; Need while our books lag behind them."""
    reports: dict[str, FenceReport] = {}
    for document in proposal.reports:
        report = verify_report(document, charter, proposal.ballot)
        if report.signer in reports:
            raise ProposalInvalid(f"{report.signer} is counted twice")
        reports[report.signer] = report.body
    if len(reports) < charter.q:
        raise ProposalInvalid(f"{len(reports)} members reported and {charter.q} are needed")

    highest = highest_held(reports.values())
    if highest is not None:
        _verify_again(proposal, highest, reports.values(), charter)
        return None
    if proposal.prepared is not None:
        raise ProposalInvalid("none of the reports names what is said to be prepared")
    verify_motion(proposal.motion, charter)
    require_approvals(proposal.approvals, proposal.motion.draft.digest, charter, known)
    orders = verify_locked(proposal.orders, reports.values(), charter)
    cut = cut_of(reports, orders, charter, books, carry)
    if isinstance(cut, Need):
        return cut
    if cut != proposal.motion.charter.cut:
        raise ProposalInvalid("the cut is not the one that the reports lead to")
    return None


def highest_held(reports: Iterable[FenceReport]) -> Held | None:
    """What was prepared in the highest ballot that any report names."""
    return max((report.held for report in reports if report.held is not None), default=None)


def _verify_again(
    proposal: Proposal, highest: Held, reports: Iterable[FenceReport], charter: Charter
) -> None:
    """Raise unless the proposal is the motion that was prepared in the highest ballot reported.

    It may have been enacted. That its draft was approved and its cut was right, q members checked.
    """
    prepared = proposal.prepared
    if prepared is None or prepared.ballot != highest.ballot:
        raise ProposalInvalid(f"a report names ballot {highest.ballot}, which is not proven")
    if any(r.held and r.held.ballot == highest.ballot and r.held != highest for r in reports):
        raise ProposalInvalid(f"two reports name two motions of ballot {highest.ballot}")
    if prepared.digest != highest.charter:
        raise ProposalInvalid(f"a report names another motion of ballot {highest.ballot}")
    prepared.verify_votes(charter)
    if proposal.motion.digest != prepared.digest:
        raise ProposalInvalid(f"what ballot {highest.ballot} prepared must be proposed again")
    verify_motion(proposal.motion, charter)


class Proposer:
    """Carries one draft through one ballot. It keeps nothing durable: others may take over."""

    def __init__(
        self,
        charter: Charter,
        ballot: int,
        draft: SignedDocument,
        approvals: Iterable[SignedDocument],
    ) -> None:
        self.charter = charter
        self.request = FenceRequest(ballot, draft, tuple(approvals))
        self.motion: Motion | None = None
        self._answers: dict[str, tuple[Signed[FenceReport], FenceAnswer]] = {}
        self._votes: dict[str, dict[str, Signature]] = {PREPARE: {}, COMMIT: {}}

    @property
    def ballot(self) -> int:
        return self.request.ballot

    @property
    def reporters(self) -> frozenset[str]:
        return frozenset(self._answers)

    def is_reported(self, vector: Mapping[str, int]) -> bool:
        """Whether q members reported no more than stands at `vector`, where our books stand.

        Fewer are not worth stopping at: a liar is quick to report what nobody can ever show.
        """
        return len(self._within(vector)) >= self.charter.q

    def add_report(self, answer: FenceAnswer) -> None:
        """Take a member's report, if everything that it claims is proven with it."""
        report = verify_report(answer.report, self.charter, self.ballot)
        verify_locked(answer.orders, [report.body], self.charter)
        held, prepared = report.body.held, answer.prepared
        if held is not None:
            if prepared is None or Held(prepared.ballot, prepared.digest) != held:
                raise ProposalInvalid(f"{report.signer} does not prove what it says is prepared")
            prepared.verify_votes(self.charter)
            verify_motion(prepared.motion, self.charter)
            require_carried(answer.orders, prepared.motion.charter.cut, self.charter)
        self._answers[report.signer] = report, answer

    def proposal(self, books: Books, carry: Carry = carried_orders) -> Proposal | Need | None:
        """What to propose; None before q members reported, Need while our books lag behind.

        A report of orders that nobody can show is left out as soon as there are q others.
        """
        chosen = self._within(books.vector())
        if len(chosen) < self.charter.q:
            chosen = self._answers
        if len(chosen) < self.charter.q:
            return None
        reports = {member: report.body for member, (report, _) in chosen.items()}
        orders = {
            document.digest: document for _, answer in chosen.values() for document in answer.orders
        }
        documents = tuple(answer.report for _, answer in chosen.values())
        highest = highest_held(reports.values())
        if highest is not None:
            again = next(
                answer.prepared
                for report, answer in chosen.values()
                if answer.prepared is not None and report.body.held == highest
            )
            self.motion = again.motion
            carried = require_carried(orders.values(), again.motion.charter.cut, self.charter)
            return Proposal(self.ballot, again.motion, documents, carried, prepared=again)

        locked = verify_locked(orders.values(), reports.values(), self.charter)
        cut = cut_of(reports, locked, self.charter, books, carry)
        if isinstance(cut, Need):
            return cut
        draft = self.request.draft
        self.motion = Motion(encode_decreed(draft.payload, cut), draft.signatures)
        return Proposal(
            self.ballot, self.motion, documents, tuple(orders.values()), self.request.approvals
        )

    def _within(
        self, vector: Mapping[str, int]
    ) -> dict[str, tuple[Signed[FenceReport], FenceAnswer]]:
        return {
            member: (report, answer)
            for member, (report, answer) in self._answers.items()
            if all(vector.get(a, 0) >= at for a, at in report.body.vector.items())
        }

    def add_vote(self, vote: SignedDocument) -> None:
        """Count one member's vote of either phase; DecreeInvalid unless it is for our motion."""
        if self.motion is None or vote.kind not in self._votes or len(vote.signatures) != 1:
            raise DecreeInvalid("not a vote for a motion of this ballot")
        if vote.payload != encode_statement(self.charter, self.ballot, self.motion.digest):
            raise DecreeInvalid("the vote is about another motion")
        for voter in count_voters(vote, self.charter):
            self._votes[vote.kind][voter] = vote.signatures[0]

    def prepared(self) -> Prepared | None:
        """The proof that q members prepared our motion."""
        votes = self._quorum(PREPARE)
        if self.motion is None or votes is None:
            return None
        return Prepared(self.motion, self.ballot, votes)

    def decree(self) -> Decree | None:
        """The proof that q members enacted it."""
        votes = self._quorum(COMMIT)
        if self.motion is None or votes is None:
            return None
        return Decree(self.motion, self.ballot, votes)

    def _quorum(self, kind: str) -> tuple[Signature, ...] | None:
        votes = sorted(self._votes[kind].items())
        if len(votes) < self.charter.q:
            return None
        return tuple(signature for _, signature in votes)


def next_ballot(above: int, charter: Charter, proposer: str) -> int:
    """The lowest ballot above this one that is the proposer's own: honest ones never share one."""
    names = sorted(charter.by_id)
    step = (names.index(proposer) - above - 1) % len(names)
    return above + 1 + step
