"""Four members of one alliance in one process: real keys, real databases, a founded charter.

For tests of services and of the ledger. Tests that are about processes and HTTP use
`tests/federation`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from node.clock import FixedClock
from node.config import parse
from node.context import Context
from node.database import Database
from node.keyring import Keyring, NodeKeys
from node.services import charter as charters
from node.services import membership
from protocol import (
    CHARTER,
    Charter,
    Licence,
    Member,
    Policy,
    SignedDocument,
    SigningKey,
    propose_quorum,
    sign,
)

MEMBERS = ("aoba", "biwa", "seeds", "bridge")
AGENCY = "bridge"


@dataclass(frozen=True)
class House:
    """One member: what services are handed, and its database."""

    context: Context
    database: Database

    @property
    def id(self) -> str:
        return self.context.member_id


@dataclass(frozen=True)
class Alliance:
    """Founded members by id, and their identity keys, which a node itself does not hold."""

    houses: dict[str, House]
    identities: dict[str, SigningKey]
    charter: Charter
    founding: SignedDocument
    clock: FixedClock

    def __getitem__(self, member: str) -> House:
        return self.houses[member]

    def others(self, member: str) -> list[House]:
        return [house for house in self.houses.values() if house.id != member]


def member_of(member: str, keyring: Keyring, url: str, credit_limit: int) -> Member:
    """A member as its card describes it."""
    licences = (Licence("13-ユ-999901", "2030-03-31"),) if member == AGENCY else ()
    return Member(
        id=member,
        legal_name=f"株式会社{member}",
        address="東京都港区芝1-1-1",
        representative="代表取締役 髙橋 一郎",
        business="情報サービス",
        contact="03-0000-0000",
        country="JP",
        licences=licences,
        url=url,
        identity_key=keyring.identity.raw,
        signing_key=keyring.signing.verify_key.raw,
        sealing_key=keyring.sealing.public.raw,
        role="member",
        credit_limit=credit_limit,
    )


def found_alliance(
    databases: Sequence[Database],
    *,
    members: Sequence[str] = MEMBERS,
    credit_limit: int = 20,
    policy: Policy | None = None,
) -> Alliance:
    """Found an alliance over migrated databases, one each."""
    clock = FixedClock()
    identities = {member: SigningKey.generate() for member in members}
    keyrings = {m: Keyring(NodeKeys.generate(identities[m].verify_key)) for m in members}
    urls = {m: f"http://127.0.0.1:{9100 + place}" for place, m in enumerate(members)}
    q, b = propose_quorum(len(members))
    draft = Charter(
        alliance="minato",
        name="みなと採用連合",
        version=1,
        previous=bytes(32),
        members=tuple(member_of(m, keyrings[m], urls[m], credit_limit) for m in members),
        q=q,
        b=b,
        policy=policy or Policy(),
    )
    founding = sign(CHARTER, draft.encode(), identities[members[0]])
    for member in members[1:]:
        founding = founding.add(identities[member])

    houses = {}
    for member, database in zip(members, databases, strict=True):
        settings = parse({"TASUKI_MEMBER_ID": member, "TASUKI_PUBLIC_URL": urls[member]})
        context = Context(settings, clock, keyrings[member], charters.in_force)
        with database.transaction() as session:
            adopted = membership.adopt(session, context, founding, actor="cli")
        houses[member] = House(context, database)
    return Alliance(houses, identities, adopted, founding, clock)
