"""Cases 4xx: what an order is answered with, and what a certificate proves.  SPEC §6.1 to §6.3.

An account's owner may never sign two orders for one place: it would be proof against it. So each
order here stands in a place of its own, drawn from those that no account will ever reach, and
nobody can vote for it.
"""

import secrets

from node.cli.conformance.caller import Answer, Caller, Deviation, NotApplicable
from node.cli.conformance.cases import Chapter, Run
from node.cli.conformance.sync import proven, some_certificate, vector_of
from protocol import (
    FIRST_INCARNATION,
    ORDER,
    REFERRAL_ENTRY,
    VOTE,
    Entry,
    Order,
    OrderAnswer,
    OrderRequest,
    ProtocolError,
    SigningKey,
    encode_vote,
    limits,
    parse_certificate,
    sign,
    verify_order,
)

ORDERS = "/peer/v1/orders"
CERTIFICATES = "/peer/v1/certificates"
# Far beyond any account's last place, and so many that two are never drawn alike.
PLACES = limits.SEQUENCE_MAX // 2
CHAPTER = Chapter([])


def account_of(caller: Caller) -> str:
    """Our account."""
    if caller.us not in caller.charter.accounts:
        raise NotApplicable(f"{caller.us} is a witness and keeps no account")
    return caller.us


def payee(caller: Caller) -> str:
    """Somebody else's account."""
    others = sorted(caller.charter.accounts - {caller.us})
    if not others:
        raise NotApplicable("there is no other account to pay")
    return others[0]


def entry(caller: Caller, **changes: object) -> Entry:
    """A point for somebody."""
    made = Entry(secrets.token_hex(16), REFERRAL_ENTRY, payee(caller), 1, secrets.token_bytes(32))
    return made._replace(**changes)  # type: ignore[arg-type]


def order(caller: Caller, **changes: object) -> Order:
    """An order in a place of its own that will never be reached."""
    made = Order(
        alliance=caller.charter.alliance,
        epoch=caller.charter.epoch,
        account=account_of(caller),
        sequence=limits.SEQUENCE_MAX - secrets.randbelow(PLACES),
        incarnation=FIRST_INCARNATION,
        previous=bytes(32),
        seen={},
        entries=(entry(caller),),
    )
    return made._replace(**changes)  # type: ignore[arg-type]


def asked(caller: Caller, body: Order, key: SigningKey | None = None) -> Answer:
    """The answer to an order, signed with our key or another."""
    document = sign(ORDER, body.encode(), key or caller.key)
    return caller.call(ORDERS, OrderRequest(document).encode())


def answered(caller: Caller, answer: Answer) -> OrderAnswer:
    """What an order was answered with."""
    try:
        return OrderAnswer.parse(caller.accepted(answer))
    except ProtocolError as error:
        raise Deviation(f"no answer to an order: {error}") from error


@CHAPTER.case(401, "an order far ahead", "6.2", "what the peer lacks of our account before it")
def _far(caller: Caller) -> None:
    far = order(caller)
    need = answered(caller, asked(caller, far)).need
    if need is None:
        raise Deviation("no need of what it lacks")
    first, last = need.get(caller.us, (0, 0))
    if last != far.sequence - 1 or first != vector_of(caller).get(caller.us, 0) + 1:
        raise Deviation(f"it needs {first} to {last} of {caller.us}")


def _order(code: str, **changes: object) -> Run:
    """An order with these changes, which we sign."""

    def run(caller: Caller) -> None:
        caller.refused(asked(caller, order(caller, **changes)), code)

    return run


def _entry(code: str, **changes: object) -> Run:
    """An order with an entry like this."""

    def run(caller: Caller) -> None:
        caller.refused(asked(caller, order(caller, entries=(entry(caller, **changes),))), code)

    return run


CHAPTER.refusals(
    (number, title, section, code, make(code, **changes))
    for number, title, section, code, make, changes in (
        (411, "no entries", "6.1", "document-invalid", _order, {"entries": ()}),
        (412, "place 0", "6.1", "document-invalid", _order, {"sequence": 0}),
        (413, "an order of somebody else's", "6.2", "certificate-invalid", _order,
         {"account": "somebody-else"}),
        (414, "of another alliance", "6.2", "epoch-mismatch", _order, {"alliance": "another-one"}),
        (415, "a later incarnation without promises", "6.7", "promises-invalid", _order,
         {"incarnation": limits.INCARNATION_MAX}),
        (416, "no points", "6.1", "amount", _entry, {"points": 0}),
        (417, "points backwards", "6.1", "amount", _entry, {"points": -1}),
        (418, "a million and one", "6.1", "amount", _entry, {"points": limits.POINTS_MAX + 1}),
        (419, "a kind of entry that is none", "6.1", "document-invalid", _entry, {"kind": "gift"}),
    )
)  # fmt: skip


@CHAPTER.case(421, "of the next epoch", "6.2", "the refusal epoch-mismatch")
def _epoch(caller: Caller) -> None:
    later = order(caller, epoch=caller.charter.epoch + 1)
    caller.refused(asked(caller, later), "epoch-mismatch")


@CHAPTER.case(422, "an entry twice", "6.1", "the refusal document-invalid")
def _twice(caller: Caller) -> None:
    same = entry(caller)
    caller.refused(asked(caller, order(caller, entries=(same, same))), "document-invalid")


@CHAPTER.case(423, "signed with no member's key", "6.2", "the refusal key-unknown")
def _stranger(caller: Caller) -> None:
    caller.refused(asked(caller, order(caller), SigningKey.generate()), "key-unknown")


@CHAPTER.case(424, "a vote in place of an order", "1.3", "the refusal document-invalid")
def _kind(caller: Caller) -> None:
    body = order(caller)
    document = sign(VOTE, encode_vote(body, bytes(32)), caller.key)
    caller.refused(caller.call(ORDERS, document.encode()), "document-invalid")


@CHAPTER.case(425, "an order that is applied", "6.2", "the certificate that settled its place")
def _settled(caller: Caller) -> None:
    data = some_certificate(caller)
    document, _ = parse_certificate(data)
    settled = answered(caller, caller.call(ORDERS, OrderRequest(document).encode())).certificate
    if settled is None:
        raise Deviation("no certificate")
    proven(settled, caller.charter)


@CHAPTER.case(431, "a certificate that it has", "6.4", "an empty answer: twice is once")
def _known(caller: Caller) -> None:
    before = vector_of(caller)
    caller.accepted(caller.call(CERTIFICATES, some_certificate(caller)))
    if any(vector_of(caller).get(account, 0) < at for account, at in before.items()):
        raise Deviation("its ledger stands behind where it stood")


@CHAPTER.case(432, "a certificate without a quorum", "6.3", "the refusal certificate-invalid")
def _alone(caller: Caller) -> None:
    document = sign(ORDER, order(caller).encode(), caller.key)
    own = verify_order(document, caller.charter)
    vote = sign(VOTE, encode_vote(own.body, own.digest), caller.key)
    body = b'{"order":%b,"vote":%b}' % (document.encode(), vote.encode())
    # The owner's vote is its order's signature, and counts once.
    caller.refused(caller.call(CERTIFICATES, body), "certificate-invalid")
