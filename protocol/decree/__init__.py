"""Decrees: how the members of one charter version agree on the next, without clocks.  SPEC Decrees.

One small agreement in two phases, with a ballot number in place of a leader: anybody may propose,
and a higher ballot replaces one that stalled.

    draft      the next charter without its cut; q members approve, each new key accepts
    fence      judge_fence      stop voting in this epoch for good, and report where we stand
    prepare    judge_proposal   vote for one motion (draft and cut) per ballot
    commit     judge_prepared   keep the proof that q prepared it, then vote to enact it
    enacted    judge_decree     q commit votes: the charter of the next epoch, and what to do first

Why there is one decree per version: a motion is prepared by q members in its ballot, and two of q
share more than b. A member reports the highest motion that it committed to. So among the q reports
that a higher ballot stands on there is an honest one that names each motion which may have been
enacted, and the highest must be proposed again, unchanged.

A member keeps a `Seat` for the charter in force. Every judge takes it and returns a `Kept`: the
seat as it must be now, and what may be answered once that is durable.

**The port.** What the node has to make durable, and before what it leaves:

1. `judge_fence` runs in one transaction with the table of locks. The new seat is committed before
   the answer leaves. From then on no order is voted for in this epoch: `require_voting` is asked in
   the transaction that would write a lock, so that a lock is either in the report or never made.
   `locks` are all orders that this member voted for and has not applied, and its own open order,
   whether or not anybody has answered to it.
2. A fence is never undone, not by a time-out, not by a restart, not by a restored backup: a node
   that cannot be sure of its seat answers to no decree and votes on no order until the next version
   is in force (`Seat(epoch, abstains=True)`).
3. `judge_proposal` and `judge_prepared`: the new seat is committed before the vote leaves. The seat
   holds the whole prepared motion with its votes; a digest alone could not be proposed again. It
   holds the orders that the motion carries too, and without them there is no vote: only a liar
   may have them otherwise, and what was decided could take effect nowhere.
4. `judge_decree` names what is still to be fetched (`Need`), or returns an `Activation`. In one
   transaction: the decree is stored, `placed` is applied and `amended` added to the places that
   are applied already, every lock is dropped, the new `Seat` begins, and entries of an own order
   that the cut left out wait for a new order again. The cut's `state` is compared with the books'
   digest before that transaction ends. Until then nothing is voted for: not in the old epoch, since
   the decree is known, nor in the new one.
5. A proposer keeps nothing durable. If it dies, anybody proposes again in a higher ballot.
6. Certificates of an earlier epoch pass `require_within_cut` before they are applied. Where the
   decree put orders there is no certificate: a peer sends the orders, and `verify_placed` proves
   them by the cut.
"""

from protocol.decree.activation import (
    Activation,
    judge_decree,
    require_within_cut,
    verify_placed,
)
from protocol.decree.chain import (
    ChainReport,
    Enactment,
    compare,
    encode_chain,
    follow,
    founding_of,
    trust_founding,
    verify_chain,
)
from protocol.decree.cut import (
    Carry,
    LockReports,
    carried_orders,
    changes_placed,
    check_cut,
    cut_of,
    is_placed,
    placed_entries,
)
from protocol.decree.messages import (
    DraftNews,
    Enacted,
    FenceAnswer,
    FenceRequest,
    Proposal,
    find_carried,
    require_carried,
    verify_locked,
)
from protocol.decree.proposals import Proposer, next_ballot, verify_proposal
from protocol.decree.seat import (
    Kept,
    Seat,
    judge_fence,
    judge_prepared,
    judge_proposal,
    require_voting,
)
from protocol.decree.votes import (
    Decree,
    Motion,
    Prepared,
    approving,
    require_approvals,
    verify_approval,
    verify_decree,
)

__all__ = [
    "Activation",
    "Carry",
    "ChainReport",
    "Decree",
    "DraftNews",
    "Enacted",
    "Enactment",
    "FenceAnswer",
    "FenceRequest",
    "Kept",
    "LockReports",
    "Motion",
    "Prepared",
    "Proposal",
    "Proposer",
    "Seat",
    "approving",
    "carried_orders",
    "changes_placed",
    "check_cut",
    "compare",
    "cut_of",
    "encode_chain",
    "find_carried",
    "follow",
    "founding_of",
    "is_placed",
    "judge_decree",
    "judge_fence",
    "judge_prepared",
    "judge_proposal",
    "next_ballot",
    "placed_entries",
    "require_approvals",
    "require_carried",
    "require_voting",
    "require_within_cut",
    "trust_founding",
    "verify_approval",
    "verify_chain",
    "verify_decree",
    "verify_locked",
    "verify_placed",
    "verify_proposal",
]
