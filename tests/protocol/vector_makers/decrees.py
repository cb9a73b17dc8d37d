"""Vectors of how a charter follows another, and of what members say meanwhile.  SPEC Decrees."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from protocol import (
    Approval,
    Block,
    Charter,
    FenceReport,
    Held,
    Locked,
    MemberCard,
    Promise,
    Suspension,
    b64encode,
    decree,
    joining,
)
from protocol.documents.invitations import InvitationFile, JoinAnswer, JoinRequest
from tests.protocol.cast import NOW
from tests.protocol.decree.drafts import (
    IDENTITY,
    NODE,
    Table,
    approvals,
    drafted,
    enact,
    founded,
    founding,
    member,
    without,
)
from tests.protocol.test_consents import RECEIPT
from tests.protocol.vector import Vector

Change = Callable[[dict[str, Any]], object]
DIGEST = bytes(range(32))


def _with(name: str, value: object) -> Change:
    return lambda fields: fields.update({name: value})


def _without(name: str) -> Change:
    return lambda fields: fields.pop(name)


_DEFECTS: list[tuple[str, str, str, Change]] = [
    ("approval", "draft_short", "a digest of two bytes", _with("draft", "AAA")),
    ("approval", "number_zero", "words are counted from 1", _with("number", 0)),
    ("approval", "approves_number", "1 is not true", _with("approves", 1)),
    ("approval", "reason", "no reason is signed", _with("reason", "x")),
    ("fence-report", "ballot_zero", "ballots are counted from 1", _with("ballot", 0)),
    ("fence-report", "lock_short", "a digest of two bytes", _with("locks", {"biwa": "AAA"})),
    ("fence-report", "held_missing", "nothing held is null", _without("held")),
    ("draft-news", "words_missing", "nobody's words are a list", _without("words")),
    ("fence-request", "ballot_zero", "ballots are counted from 1", _with("ballot", 0)),
    ("fence-answer", "orders_object", "orders are a list", _with("orders", {})),
    ("proposal", "votes", "a proposal has none yet", _with("votes", [])),
    ("prepared", "votes_empty", "nobody's votes", _with("votes", [])),
    ("enacted", "orders_missing", "no carried orders are a list", _without("orders")),
    ("promise", "incarnation_1", "nobody promises the first", _with("incarnation", 1)),
    ("promise", "attempt_short", "an attempt has 16 bytes", _with("attempt", "AAA")),
    ("promise", "locked_missing", "nothing locked is null", _without("locked")),
    ("block", "reason", "no reason is signed", _with("reason", "x")),
    ("block", "member_upper_case", "no member's id", _with("member", "BIWA")),
    ("suspension", "until", "72 hours, and nothing else", _with("until", NOW + 1)),
    ("suspension", "since_negative", "before 1970", _with("since", -1)),
    ("invitation", "secret_short", "a secret has 16 bytes", _with("secret", "AAA")),
    ("invitation", "fingerprint_hex", "digits are read aloud", _with("fingerprint", "ab cd")),
    ("join-request", "secret_missing", "who was invited?", _without("secret")),
    ("invitation-file", "charters_missing", "nothing proves the sponsor", _without("charters")),
    ("join-answer", "draft_null", "no draft is no member", _with("draft", None)),
    ("consent-receipt", "status_withdrawn", "a receipt is of a consent", _with("status", "x")),
    ("consent-receipt", "sensitive", "no such data here", _with("sensitive", value=True)),
    ("consent-receipt", "name", "it names no person", _with("name", "山田")),
]


def bodies() -> dict[str, bytes]:
    """A good one of each kind."""
    charter = founded()
    _, second = enact(charter, members=without(charter, "bridge"), q=3)
    invitation = joining.invite(
        second,
        charter.digest,
        "aoba",
        member="delta",
        domain="delta.example",
        secret=bytes(range(16)),
        now=NOW,
    )
    card = MemberCard(member("delta")).sign(IDENTITY["delta"], NODE["delta"])
    chain = decree.encode_chain(founding(), ())
    locks = {"biwa": DIGEST}
    return {
        "approval": Approval("minato", 1, DIGEST).encode(),
        "fence-report": FenceReport("minato", 1, 5, {"aoba": 7}, locks, Held(2, DIGEST)).encode(),
        "promise": Promise("minato", 1, "biwa", 2, bytes(16), 6, Locked(1, DIGEST)).encode(),
        "block": Block("minato", "biwa").encode(),
        "suspension": Suspension("minato", 1, "biwa", NOW).encode(),
        "invitation": invitation.encode(),
        "join-request": JoinRequest(invitation.secret, card).encode(),
        "invitation-file": InvitationFile(invitation, chain).encode(),
        "join-answer": JoinAnswer(chain, drafted(charter)).encode(),
        "consent-receipt": RECEIPT.encode(),
        **_calls(charter),
    }


def _calls(charter: Charter) -> dict[str, bytes]:
    """What travels while the four decide on a draft that changes nothing."""
    table, draft = Table(charter), drafted(charter)
    proposer = table.proposer(draft)
    for name in table.names:
        table.fence(name, proposer)
    proposal = table.propose(proposer)
    for name in table.names:
        table.prepare(name, proposal, proposer)
    prepared = proposer.prepared()
    for name in table.names:
        table.commit(name, proposer)
    enacted = proposer.decree()
    assert prepared is not None
    assert enacted is not None
    answer = table.seats["aoba"].answer
    return {
        "draft-news": decree.DraftNews(draft, approvals(charter, draft)).encode(),
        "fence-request": proposer.request.encode(),
        "fence-answer": answer,
        "proposal": proposal.encode(),
        "prepared": prepared.encode(),
        "enacted": decree.Enacted(enacted).encode(),
    }


def make() -> Iterator[Vector]:
    good = bodies()
    for kind, body in good.items():
        name = f"valid_{kind.replace('-', '_')}"
        yield Vector(name, f"a good {kind}", kind, None, None, {"text": body.decode()})
    for kind, defect, about, change in _DEFECTS:
        fields = json.loads(good[kind])
        change(fields)
        given = {"text": json.dumps(fields, ensure_ascii=False, separators=(",", ":"))}
        name = f"{kind.replace('-', '_')}_{defect}"
        yield Vector(name, about, kind, "fields", "document-invalid", given)
    yield from _chains()


def _chains() -> Iterator[Vector]:
    first = founded()
    expelled, second = enact(first, members=without(first, "bridge"), q=3)
    keys = (NODE["aoba"], NODE["delta"], IDENTITY["delta"])
    joined, third = enact(second, *keys, members=(*second.members, member("delta")))
    closed, _ = enact(third)
    other, _ = enact(first, name="ほか")
    few = replace(expelled, votes=expelled.votes[:2])
    twice = replace(expelled, votes=(expelled.votes[0],) * 3)
    moved = replace(expelled, ballot=expelled.ballot + 1)
    for name, about, refusal, decrees, trusted in (
        ("valid_chain", "founded, expelled, joined, closed", None, [expelled, joined, closed], b""),
        ("valid_chain_of_one", "version 1 alone", None, [], b""),
        ("chain_other_digest", "not the paper's version 1", "charter-invalid", [], bytes(32)),
        ("chain_version_skipped", "version 2 is missing", "charter-skipped", [joined], b""),
        ("chain_version_twice", "2 again", "charter-rollback", [expelled, expelled], b""),
        ("chain_fork", "3 follows another 2", "charter-fork", [other, joined], b""),
        ("chain_two_votes", "q is 3", "decree-invalid", [few], b""),
        ("chain_voter_thrice", "one member, three times", "decree-invalid", [twice], b""),
        ("chain_other_ballot", "votes of another ballot", "decree-invalid", [moved], b""),
    ):
        text = decree.encode_chain(founding(), decrees).decode()
        given = {"chain": {"text": text}, "trusted": b64encode(trusted or first.digest)}
        yield Vector(name, about, "chain", refusal and "chain", refusal, given)
