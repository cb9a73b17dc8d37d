"""Founding: what `tasuki init` and `tasuki found` do for each member, done for four.  PEER 4."""

from node.cli.demo.cast import ALLIANCE, ALLIANCE_NAME, COMPANIES, Company
from node.cli.demo.workshop import User, Workshop
from node.cli.found import draft_charter, identity_on
from node.cli.init import Begun, begin
from node.config import Settings
from node.opening import open_node
from node.services import membership
from protocol import Charter, MemberCard, Policy, SignedDocument, limits

ADMIN = "admin"
ADMIN_NAME = "管理者"


def found(workshop: Workshop) -> Charter:
    """Four members, each with its own keys, under one charter that all four have signed."""
    workshop.write_settings()
    begun = {company.id: _begin(workshop, company) for company in COMPANIES}
    identities = {member: identity_on(each.sheet) for member, each in begun.items()}
    members = [_card(each).member for each in begun.values()]
    first = COMPANIES[0].id
    document = draft_charter(
        members,
        alliance=ALLIANCE,
        name=ALLIANCE_NAME,
        policy=Policy(),
        identity=identities[first],
    )
    for member, identity in identities.items():
        if member != first:
            document = document.add(identity)
    charters = [_adopt(place.settings(), document) for place in workshop.places]
    for each in begun.values():
        # A real one is printed for the safe first.
        each.sheet.unlink()
    assert len({charter.digest for charter in charters}) == 1
    return charters[0]


def _begin(workshop: Workshop, company: Company) -> Begun:
    place = workshop[company.id]
    begun = begin(place.settings(), admin=ADMIN, admin_name=ADMIN_NAME, **company.described)
    place.users.append(User(ADMIN, begun.password, ADMIN_NAME, "admin"))
    return begun


def _card(begun: Begun) -> MemberCard:
    document = SignedDocument.parse(begun.card.read_bytes(), bytes_max=limits.CHARTER_BYTES_MAX)
    return MemberCard.verify(document)


def _adopt(settings: Settings, document: SignedDocument) -> Charter:
    node = open_node(settings)
    try:
        with node.database.transaction() as session:
            return membership.adopt(session, node.context, document, actor="cli")
    finally:
        node.close()
