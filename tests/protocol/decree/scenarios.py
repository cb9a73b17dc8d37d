"""The small worlds that are explored: who is in them, who lies, and what is under way."""

from collections.abc import Callable

from protocol import ORDER, REFERRAL_ENTRY, Entry, Order, Signed, SignedDocument, sign
from protocol.signed import verify
from tests.protocol.decree.drafts import NODE, drafted, founded
from tests.protocol.decree.world import Scenario

CHARTER = founded()
# Two drafts that cannot both become version 2.
RENAMED, CLOSED = drafted(CHARTER, name="ほか"), drafted(CHARTER)


def order(
    account: str, to: str, *, name: str = "", signer: str = "", **changes: object
) -> SignedDocument:
    """One entry of `account`, in its first place if nothing else is said."""
    entry = Entry(name or f"{account}-to-{to}", REFERRAL_ENTRY, to, 3, bytes(32))
    fields: dict[str, object] = {
        "alliance": CHARTER.alliance,
        "epoch": 1,
        "account": account,
        "sequence": 1,
        "incarnation": 1,
        "previous": bytes(32),
        "seen": {},
        "entries": (entry,),
    }
    body = Order(**{**fields, **changes})  # type: ignore[arg-type]
    return sign(ORDER, body.encode(), NODE[signer or account])


def proven(document: SignedDocument) -> Signed[Order]:
    return verify(document, ORDER, CHARTER.keys, Order.parse)


def agreement() -> Scenario:
    """Four members, one liar, two drafts, two ballots."""
    return Scenario(CHARTER, (RENAMED, CLOSED), ballots=2, liar="bridge")


def three_ballots() -> Scenario:
    """The same with a third ballot, which returns to the first draft. For walks, not for all."""
    return Scenario(CHARTER, (RENAMED, CLOSED), ballots=3, liar="bridge")


def honest_owner() -> Scenario:
    """An honest owner's order is under way, and the liar reports what it likes about it."""
    own = order("aoba", "biwa")
    return Scenario(CHARTER, (CLOSED,), commits=False, liar="bridge", orders=(proven(own),))


def lying_owner() -> Scenario:
    """The liar has signed two orders for one place, with one id for what is not the same."""
    one, two = order("bridge", "aoba", name="one-name"), order("bridge", "biwa", name="one-name")
    return Scenario(
        CHARTER, (CLOSED,), commits=False, liar="bridge", orders=(proven(one), proven(two))
    )


def forged_order() -> Scenario:
    """The liar reports an order that it wrote in another's name."""
    forged = order("aoba", "bridge", signer="bridge")
    return Scenario(CHARTER, (CLOSED,), commits=False, liar="bridge", forged=(forged,))


def two_of_three() -> Scenario:
    """Three members, one liar, and two votes are enough: no charter may say so."""
    charter = founded(3, q=2, b=1)
    drafts = drafted(charter, name="ほか"), drafted(charter)
    return Scenario(charter, drafts, ballots=2, liar="seeds")


def everything() -> Scenario:
    """Three ballots, a chain of orders, one that has seen them, and a liar that signed two."""
    first = order("aoba", "biwa")
    second = order("aoba", "seeds", sequence=2, previous=first.digest)
    builds = order("biwa", "seeds", seen={"aoba": 1})
    one, two = order("bridge", "aoba"), order("bridge", "biwa")
    # An id that names two different entries is a liar's own doing.
    same = order("bridge", "seeds", name="bridge-to-aoba")
    return Scenario(
        CHARTER,
        (RENAMED, CLOSED),
        ballots=3,
        liar="bridge",
        orders=tuple(map(proven, (first, second, builds, one, two, same))),
        forged=(order("aoba", "bridge", signer="bridge"),),
        enacts=True,
    )


SCENARIOS: dict[str, Callable[[], Scenario]] = {
    each.__name__: each
    for each in (
        agreement,
        three_ballots,
        two_of_three,
        honest_owner,
        lying_owner,
        forged_order,
        everything,
    )
}
