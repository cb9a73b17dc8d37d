"""Recovery: fences, promises, and how an owner that forgot goes on.  SPEC §6.6."""

from dataclasses import replace

import pytest

from protocol import (
    Cast,
    MemoryBooks,
    MemoryGuards,
    ProtocolError,
    Settled,
    SignedDocument,
    Standing,
    Tenure,
    Warrant,
    begin,
    content_digest,
    contradicted,
    errors,
    forgotten,
    is_current,
    judge,
    judge_guarded,
    limits,
    restored_guards,
    settled,
    standing_of,
    state_digest,
    superseded,
)
from tests.protocol.cast import SIGNING
from tests.protocol.members import (
    ATTEMPT,
    OTHER_ATTEMPT,
    OWNER,
    Voter,
    again,
    fence_of,
    fencing,
    gathered,
    in_other_bytes,
    resumed,
    voters,
)
from tests.protocol.orders import CHARTER, certified, order_of


def test_an_owner_that_nobody_saw_anything_of_is_free_behind_its_fence() -> None:
    members = voters()
    resumption = resumed(fencing(), members)
    assert resumption.order is None
    assert (resumption.tenure.incarnation, resumption.tenure.is_fencing) == (2, False)
    order = order_of(incarnation=2)
    for member in members.values():
        member.vote(order, resumption.tenure.warrant)
        assert member.books.lock(OWNER, 1) is not None


def test_an_order_that_anybody_locked_is_issued_again_unchanged() -> None:
    members, lost = voters(), order_of()
    members["seeds"].vote(lost)
    resumption = resumed(fencing(), members)
    assert resumption.order is not None
    assert resumption.order.body.incarnation == 2
    assert content_digest(resumption.order) == content_digest(lost)
    assert resumption.order.body.entries == lost.body.entries
    for member in members.values():
        member.vote(resumption.order, resumption.tenure.warrant)
    # Anything else is refused in that incarnation, whoever asks.
    with pytest.raises(errors.OrderConflict):
        members["aoba"].vote(order_of(incarnation=2), resumption.tenure.warrant)


def test_what_others_locked_comes_before_what_the_owner_itself_still_knows() -> None:
    members, lost, known = voters(), order_of(), order_of()
    members["seeds"].vote(lost)
    resumption = resumed(fencing(), members, known)
    assert resumption.order is not None
    assert content_digest(resumption.order) == lost.digest
    # Nobody had locked anything: it keeps to what it signed before.
    free = resumed(fencing(), voters(), known)
    assert free.order is not None
    assert content_digest(free.order) == known.digest


def test_another_order_than_the_one_that_was_locked_is_refused_and_locks_nothing() -> None:
    members = voters()
    members["seeds"].vote(order_of())
    resumption = resumed(fencing(), members)
    with pytest.raises(errors.PromisesInvalid, match="another order"):
        members["aoba"].vote(order_of(incarnation=2), resumption.tenure.warrant)
    assert members["aoba"].books.lock(OWNER, 1) is None


def test_the_highest_incarnation_that_was_locked_decides() -> None:
    members = voters()
    members["aoba"].vote(order_of())
    first = fencing()
    promises = gathered(first, members)
    resumption = promises.resume(MemoryBooks().head(OWNER), SIGNING[OWNER])
    assert resumption is not None
    assert resumption.order is not None
    members["bridge"].vote(resumption.order, resumption.tenure.warrant)
    third = resumed(begin_again(first), members)
    assert third.order is not None
    assert third.order.body.incarnation == 3
    assert content_digest(third.order) == content_digest(resumption.order)
    members["seeds"].vote(third.order, third.tenure.warrant)


def begin_again(tenure: Tenure) -> Tenure:
    return begin(tenure, 1, OWNER, charter=CHARTER, key=SIGNING[OWNER], attempt=OTHER_ATTEMPT)


def test_one_promise_fewer_than_needed_lets_the_owner_do_nothing() -> None:
    members, tenure = voters(), fencing()
    promises = gathered(tenure, members, "aoba", "seeds")
    head = MemoryBooks().head(OWNER)
    assert promises.resume(head, SIGNING[OWNER]) is None
    promises.add(members["bridge"].promise(fence_of(tenure)), "bridge")
    assert promises.resume(head, SIGNING[OWNER]) is not None


def test_a_promise_ends_the_votes_below_it_and_says_so_with_the_owners_own_fence() -> None:
    members, tenure = voters(), fencing()
    members["aoba"].promise(fence_of(tenure))
    before = members["aoba"].guards.guard(OWNER)
    with pytest.raises(errors.IncarnationStale) as refusal:
        members["aoba"].vote(order_of())
    assert superseded(refusal.value, OWNER, Tenure(), CHARTER) == 2
    # Our own open fence tells us nothing new, and nobody else's tells us anything.
    assert superseded(refusal.value, OWNER, tenure, CHARTER) is None
    assert superseded(refusal.value, "aoba", Tenure(), CHARTER) is None
    assert members["aoba"].books.lock(OWNER, 1) is None
    assert members["aoba"].guards.guard(OWNER) == before


def test_the_same_fence_again_gets_the_same_answer_whatever_happened_since() -> None:
    members, tenure = voters(), fencing()
    fence = fence_of(tenure)
    answer = members["aoba"].promise(fence)
    resumption = resumed(tenure, members)
    members["aoba"].vote(order_of(incarnation=2), resumption.tenure.warrant)
    assert members["aoba"].promise(fence) == answer


def test_two_clones_that_ask_for_one_incarnation_do_not_both_get_it() -> None:
    members = voters()
    members["aoba"].promise(fence_of(fencing()))
    with pytest.raises(errors.IncarnationStale) as refusal:
        members["aoba"].promise(fence_of(fencing(attempt=OTHER_ATTEMPT)))
    assert superseded(refusal.value, OWNER, fencing(attempt=OTHER_ATTEMPT), CHARTER) == 2


def test_promises_of_two_attempts_allow_nothing() -> None:
    members, mine, other = voters(), fencing(), fencing(attempt=OTHER_ATTEMPT)
    answers = [members["aoba"].promise(fence_of(mine)), members["seeds"].promise(fence_of(mine))]
    answers.append(members["bridge"].promise(fence_of(other)))
    warrant = Warrant(tuple(answer.promises[0] for answer in answers))
    with pytest.raises(errors.PromisesInvalid, match="two attempts"):
        Voter("seeds").vote(order_of(incarnation=2), warrant.encode())


def test_an_order_certified_before_the_fence_and_again_behind_it_has_one_successor() -> None:
    """Whoever holds either certificate stands at the same state, and judges the next one alike."""
    first = order_of()
    old, new = Voter("aoba"), Voter("seeds")
    old.apply(first)
    new.apply(again(first, 2))
    assert state_digest(old.books.heads()) == state_digest(new.books.heads())
    assert old.books.head(OWNER) == new.books.head(OWNER)
    assert new.guards.guard(OWNER).lowest == 2
    following = order_of(sequence=2, previous=first.digest)
    assert isinstance(judge(following, CHARTER, old.books), Cast)
    # Along a chain the incarnation never goes down.
    with pytest.raises(errors.IncarnationStale):
        new.vote(following)


def test_the_warrant_of_the_open_place_allows_the_places_behind_it() -> None:
    members = voters()
    resumption = resumed(fencing(), members)
    first = order_of(incarnation=2)
    for member in members.values():
        member.vote(first, resumption.tenure.warrant)
        member.apply(first)
    tenure = settled(resumption.tenure)
    second = order_of(sequence=2, incarnation=2, previous=content_digest(first))
    for member in members.values():
        member.vote(second, tenure.warrant)


def test_a_warrant_of_another_epoch_allows_nothing_and_its_owner_is_told() -> None:
    members = voters()
    tenure = resumed(fencing(), members).tenure
    later = replace(CHARTER, version=2)
    assert is_current(tenure, CHARTER)
    assert is_current(Tenure(), later), "the first incarnation rests on no promise"
    assert not is_current(tenure, later)
    order = order_of(incarnation=2, epoch=2)
    with pytest.raises(errors.EpochMismatch):
        Voter("aoba", later).vote(order, tenure.warrant)


def test_an_order_in_another_writing_is_never_issued_again() -> None:
    with pytest.raises(errors.DocumentInvalid):
        again(in_other_bytes(order_of()), 2)


def test_a_restored_voter_abstains_two_places_beyond_what_the_others_applied() -> None:
    members, voter = voters(), Voter("aoba")
    fence = fence_of(fencing())
    members["seeds"].promise(fence)
    chain = order_of()
    voter.apply(chain)
    for account, guard in restored_guards(
        "aoba", CHARTER, voter.books, voter.guards, [fence]
    ).items():
        voter.guards.keep(account, guard)
    guard = voter.guards.guard(OWNER)
    assert (guard.abstains_to, guard.lowest) == (3, 2)
    assert voter.guards.guard("seeds").abstains_to == limits.ABSTAINED_SEQUENCES
    for sequence in (2, 3):
        chain = order_of(
            sequence=sequence, incarnation=2 if sequence == 3 else 1, previous=content_digest(chain)
        )
        with pytest.raises(errors.Abstaining):
            voter.vote(chain)
        # What it may have forgotten it cannot report either.
        with pytest.raises(errors.Abstaining):
            voter.promise(fence_of(fencing(known=5)))
        voter.apply(chain)
    assert voter.promise(fence_of(fencing(known=5))).promises


def test_a_settled_place_is_answered_with_its_certificate_whatever_the_guard() -> None:
    member, first = voters()["aoba"], order_of()
    member.apply(first)
    member.promise(fence_of(fencing()))
    verdict = judge_guarded(first, b"", CHARTER, member.books, member.guards)
    assert verdict == Settled(certified(first).data)


def test_an_owner_learns_from_its_peers_what_it_has_forgotten() -> None:
    member, empty, order = voters()["aoba"], MemoryBooks(), order_of()

    def known(own: object = None) -> int | None:
        shown = Standing.parse(standing_of(OWNER, CHARTER, member.books, member.guards).encode())
        return forgotten(shown, OWNER, Tenure(), CHARTER, empty, own)  # type: ignore[arg-type]

    assert known() is None
    member.vote(order)
    # Our own open order is nothing new; another one, or none, is.
    assert (known(order), known(order_of()), known()) == (None, 1, 1)
    member.apply(order)
    assert known(order) == 1, "we certified it, and have forgotten that"
    member.promise(fence_of(fencing()))
    assert known() == 2


def test_what_a_peer_shows_of_a_closed_epoch_says_nothing_new() -> None:
    member, later = voters()["aoba"], replace(CHARTER, version=2)
    member.apply(order_of())
    member.promise(fence_of(fencing()))
    shown = standing_of(OWNER, CHARTER, member.books, member.guards)
    assert forgotten(shown, OWNER, Tenure(), CHARTER, MemoryBooks(), None) == 2
    assert forgotten(shown, OWNER, Tenure(), later, MemoryBooks(), None) is None


def test_a_peer_cannot_make_an_owner_begin_anew_by_its_word_alone() -> None:
    foreign = Standing(order=order_of(signer="seeds").document)
    with pytest.raises(ProtocolError):
        forgotten(foreign, OWNER, Tenure(), CHARTER, MemoryBooks(), None)


def test_fences_begin_above_everything_that_is_known() -> None:
    tenure = fencing(known=4)
    assert fence_of(tenure).body.incarnation == 5
    later = begin(tenure, 2, OWNER, charter=CHARTER, key=SIGNING[OWNER], attempt=ATTEMPT)
    assert fence_of(later).body.incarnation == 6


def test_a_fence_of_another_member_or_below_what_is_promised_changes_nothing() -> None:
    member = voters()["aoba"]
    stolen = begin(Tenure(), 1, OWNER, charter=CHARTER, key=SIGNING["seeds"], attempt=ATTEMPT)
    with pytest.raises(errors.SenderMismatch):
        fence_of(stolen)
    member.promise(fence_of(fencing(known=3)))
    before = member.guards.guard(OWNER)
    with pytest.raises(errors.IncarnationStale):
        member.promise(fence_of(fencing()))
    assert member.guards.guard(OWNER) == before


def test_answers_and_standings_read_back_as_they_were_written() -> None:
    members = voters()
    members["aoba"].vote(order_of())
    resumption = resumed(fencing(), members)
    assert resumption.order is not None
    members["aoba"].vote(resumption.order, resumption.tenure.warrant)
    third = resumed(fencing(known=2), members)
    warrant = Warrant.parse(third.tenure.warrant)
    assert warrant.encode() == third.tenure.warrant
    assert len(warrant.cases) == 2, "the lock of incarnation 2, and the one that allowed it"
    standing = standing_of(OWNER, CHARTER, members["aoba"].books, members["aoba"].guards)
    assert Standing.parse(standing.encode()) == standing
    assert SignedDocument.parse(standing.fences[0].encode()) == standing.fences[0]
    assert MemoryGuards().guard(OWNER).lowest == 1


def test_an_owner_begins_anew_when_too_many_have_forgotten_what_they_promised() -> None:
    """A restored member knows the fence that it promised, and not what it reported then."""
    members, tenure = voters(), fencing()
    fence, forgetful = fence_of(tenure), Voter("aoba")
    members["aoba"].promise(fence)
    restored = restored_guards("aoba", CHARTER, forgetful.books, forgetful.guards, [fence])
    forgetful.guards.keep(OWNER, restored[OWNER]._replace(abstains_to=0))
    promises = gathered(tenure, members, "seeds", "bridge")
    with pytest.raises(errors.IncarnationStale) as refusal:
        forgetful.promise(fence)
    assert superseded(refusal.value, OWNER, tenure, CHARTER) is None
    assert not promises.is_hopeless
    promises.refused(refusal.value, "aoba")
    assert promises.is_hopeless
    assert forgetful.promise(fence_of(begin_again(tenure))).promises


def test_a_refusal_that_shows_nothing_of_the_owners_makes_nothing_hopeless() -> None:
    members, tenure = voters(), fencing()
    promises = gathered(tenure, members, "seeds")
    for shown in (None, "fence", [], [fence_of(begin_again(tenure)).document.to_json()]):
        promises.refused(errors.IncarnationStale(shown=shown), "aoba")
    assert not promises.is_hopeless


def test_an_owner_that_is_shown_another_order_of_its_own_key_unlocks_its_place() -> None:
    members, own, clones = voters(), order_of(), order_of()
    members["aoba"].vote(clones)
    with pytest.raises(errors.OrderConflict) as refusal:
        members["aoba"].vote(own)
    assert contradicted(refusal.value, own, CHARTER) == 1
    assert contradicted(refusal.value, clones, CHARTER) is None
    assert contradicted(refusal.value, None, CHARTER) is None
    assert contradicted(errors.LimitExceeded(), own, CHARTER) is None
    for name in ("seeds", "bridge"):
        members[name].vote(own)
    resumption = resumed(fencing(), members)
    assert resumption.order is not None
    assert content_digest(resumption.order) == own.digest, "two of three had locked it"
