"""Offers: what came with a referral, and the way back to whoever made it."""

import json

from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import outbox
from node.services.referrals import profiles
from node.services.referrals.refusals import ReferralHandedOn
from protocol import Card, Grounds

# Among the items of a referral: what the person asked of the receiver's pages.
SOURCE_HIDDEN = "source-hidden"
# And what the person asked of the referrer: the profile follows an acceptance only after a yes.
ASKS_FIRST = "asks-first"


def card_of(row: models.ReferralIn) -> Card:
    """The anonymous card, as it came."""
    return profiles.card_from(row.card)


def grounds_of(row: models.ReferralIn) -> Grounds:
    """The facts of the consent, as they came: what Art. 30 asks us to have confirmed."""
    fields = json.loads(row.grounds)
    return Grounds(**fields | {"items": tuple(fields["items"])})


def hides_source(row: models.ReferralIn) -> bool:
    """Whether those who select should not see who referred the person; our records do name them."""
    return SOURCE_HIDDEN in json.loads(row.grounds).get("items", ())


def asks_first(row: models.ReferralIn) -> bool:
    """Whether the person is asked after our acceptance, before the profile comes."""
    return ASKS_FIRST in json.loads(row.grounds).get("items", ())


def require_not_handed_on(session: Session, row: models.ReferralIn) -> None:
    """Raise ReferralHandedOn once the person is on the way to others: nothing more begins here."""
    if session.get(models.Relay, row.id) is not None:
        raise ReferralHandedOn


def tell(
    session: Session, context: Context, row: models.ReferralIn, kind: str, payload: bytes
) -> None:
    """Tell the referrer how it goes on; nobody, if one of us has left: our own record stands."""
    if outbox.reaches(session, context, row.sender):
        outbox.enqueue(
            session, context, recipient=row.sender, kind=kind, payload=payload, subject=row.id
        )
