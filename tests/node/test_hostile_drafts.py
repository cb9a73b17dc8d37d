"""Drafts as one hostile member writes them: the others go on proposing, approving and telling."""

import pytest

from node.services import decrees
from node.services.decrees.drafts import DRAFTS_MAX_PER_MEMBER
from protocol import (
    DRAFT,
    SignedDocument,
    SigningKey,
    decree,
    errors,
    sign,
)
from tests.equipment.alliance import Alliance, House
from tests.equipment.deciding import approve, limited, propose, tell


def receive(house: House, document: SignedDocument) -> SignedDocument:
    """What a member of this house's alliance tells it of a draft; the draft as it is known then."""
    with house.database.transaction() as session:
        body = decrees.receive_news(session, house.context, decree.DraftNews(document, ()).encode())
    return decree.DraftNews.parse(body).draft


def hostile(alliance: Alliance) -> SigningKey:
    return alliance["bridge"].context.keyring.signing


def test_who_floods_the_others_with_drafts_keeps_nobody_from_proposing(
    alliance: Alliance,
) -> None:
    aoba, key = alliance["aoba"], hostile(alliance)
    for number in range(DRAFTS_MAX_PER_MEMBER):
        receive(aoba, sign(DRAFT, limited(alliance.charter, "bridge", 100 + number).draft, key))
    another = sign(DRAFT, limited(alliance.charter, "bridge", 99).draft, key)
    with pytest.raises(errors.RateLimited):
        receive(aoba, another)
    # What it sent already may be told again.
    receive(aoba, sign(DRAFT, limited(alliance.charter, "bridge", 100).draft, key))

    digest = propose(aoba, limited(alliance.charter, "biwa", 33))
    foreign = propose(alliance["biwa"], limited(alliance.charter, "seeds", 44))
    tell(alliance["biwa"], aoba, foreign)
    assert approve(aoba, digest).approving == ("aoba",)
    with aoba.database.reading() as session:
        assert len(decrees.views(session, aoba.context)) == DRAFTS_MAX_PER_MEMBER + 2
