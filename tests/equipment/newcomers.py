"""A company that belongs to nothing yet, in one process: its keys, its card, its answer."""

from dataclasses import dataclass

from node.config import parse
from node.context import Context
from node.database import Database
from node.keyring import Keyring, NodeKeys
from node.services import charter as charters
from node.services import joining as joinings
from protocol import (
    InvitationFile,
    MemberCard,
    SignedDocument,
    SigningKey,
    decree,
    fingerprint,
    joining,
)
from tests.equipment.alliance import Alliance, House, member_of

URL = "https://delta.example"
DOMAIN = "delta.example"


@dataclass(frozen=True)
class Newcomer:
    """Delta, with what its own people hold."""

    house: House
    identity: SigningKey

    @property
    def card(self) -> SignedDocument:
        keyring = self.house.context.keyring
        return MemberCard(member_of("delta", keyring, URL, 20)).sign(self.identity, keyring.signing)

    @property
    def spoken(self) -> dict[int, str]:
        """Its fingerprint, as it is read aloud."""
        return dict(enumerate(fingerprint(self.identity.verify_key.raw).split()))

    def request(self, file: InvitationFile) -> bytes:
        """Its sealed answer to an invitation."""
        report = decree.verify_chain(file.charters, file.invitation.founding)
        first, last = report.charters[0], report.charters[-1]
        sponsor = joining.verify_sponsor(file.invitation, first, last)
        return joining.seal_request(file.invitation, self.card, sponsor)

    def enter(self, file: InvitationFile) -> None:
        with self.house.database.transaction() as session:
            joinings.enter(session, self.house.context, file, actor="cli")


def newcomer(alliance: Alliance, database: Database) -> Newcomer:
    """Delta, with fresh keys, on a migrated database."""
    identity = SigningKey.generate()
    settings = parse({"TASUKI_MEMBER_ID": "delta", "TASUKI_PUBLIC_URL": URL})
    keyring = Keyring(NodeKeys.generate(identity.verify_key))
    context = Context(settings, alliance.clock, keyring, charters.in_force)
    return Newcomer(House(context, database), identity)


def invite(sponsor: House, member: str = "delta") -> InvitationFile:
    """An invitation of a sponsor."""
    with sponsor.database.transaction() as session:
        return joinings.invite(session, sponsor.context, member, DOMAIN, actor="cli")
