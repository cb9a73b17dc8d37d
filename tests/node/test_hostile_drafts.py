"""Drafts as one hostile member writes them: the others go on proposing, approving and telling."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from node.services import decrees
from node.services.decrees.drafts import (
    BY_OURSELVES_A_DAY_MAX,
    DAY_S,
    DRAFTS_MAX_PER_MEMBER,
)
from node.services.ledger import evidence
from protocol import (
    DRAFT,
    REFERRAL_ENTRY,
    Charter,
    Entry,
    MemoryBooks,
    SignedDocument,
    SigningKey,
    build_order,
    decree,
    errors,
    evidence_of,
    limits,
    next_draft,
    propose_quorum,
    sign,
    verify_order,
)
from protocol.sealing import SealingKey
from tests.equipment.alliance import Alliance, House
from tests.equipment.deciding import approve, decide, enact, in_force, limited, propose, tell

# One request of every other member, and then some.
AT_ONCE = 6


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


def crowded(charter: Charter, names: list[str]) -> tuple[Charter, list[SigningKey]]:
    """A draft that brings many in, and all their keys: as many as one liar likes to make."""
    keys = [SigningKey.generate() for _ in range(2 * len(names))]
    like = charter.members[0]
    members = [
        replace(
            like,
            id=name,
            url=f"https://{name}.example",
            identity_key=keys[2 * at].verify_key.raw,
            signing_key=keys[2 * at + 1].verify_key.raw,
            sealing_key=SealingKey.generate().public.raw,
        )
        for at, name in enumerate(names)
    ]
    everybody = tuple(sorted((*charter.members, *members), key=lambda each: each.id))
    q, b = propose_quorum(len(everybody))
    return next_draft(charter, members=everybody, q=q, b=b), keys


def test_more_signatures_than_a_document_holds_make_no_draft_unreadable(
    alliance: Alliance,
) -> None:
    aoba = alliance["aoba"]
    draft, keys = crowded(alliance.charter, [f"x{number:02}" for number in range(40)])
    for part in (keys[:40], keys[40:]):
        document = sign(DRAFT, draft.draft, hostile(alliance))
        for key in part:
            document = document.add(key)
        receive(aoba, document)
    with aoba.database.reading() as session:
        (known,) = decrees.open_drafts(session, aoba.context)
        assert len(decrees.views(session, aoba.context)) == 1
    assert len(known.draft.signatures) == limits.SIGNATURES_MAX


def test_one_signature_many_times_leaves_room_for_the_others(alliance: Alliance) -> None:
    aoba, key = alliance["aoba"], hostile(alliance)
    draft, keys = crowded(alliance.charter, ["newcomer"])
    alone = sign(DRAFT, draft.draft, key)
    many = SignedDocument(DRAFT, alone.payload, alone.signatures * limits.SIGNATURES_MAX)
    assert receive(aoba, many).signatures == alone.signatures
    whole = receive(aoba, alone.add(keys[0]).add(keys[1]))
    assert len(whole.signatures) == 3


def test_a_draft_and_a_proof_that_all_tell_at_once_are_kept_once(alliance: Alliance) -> None:
    aoba, key = alliance["aoba"], hostile(alliance)
    bodies = [
        decree.DraftNews(sign(DRAFT, limited(alliance.charter, "seeds", at).draft, key), ())
        for at in range(40, 44)
    ]
    proofs = [proof(alliance, sequence) for sequence in range(1, 5)]
    together = Barrier(AT_ONCE)

    def tell_all(_: int) -> None:
        for news, shown in zip(bodies, proofs, strict=True):
            together.wait()
            with aoba.database.transaction() as session:
                decrees.receive_news(session, aoba.context, news.encode())
            with aoba.database.transaction() as session:
                evidence.receive(session, aoba.context, shown)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(tell_all, range(AT_ONCE)))
    with aoba.database.reading() as session:
        assert len(decrees.views(session, aoba.context)) == len(bodies)
        assert len(list(evidence.accusations(session))) == len(proofs)


def proof(alliance: Alliance, sequence: int) -> bytes:
    """Two orders of the hostile member for one place."""
    key = hostile(alliance)
    orders = []
    for points in (1, 2):
        entry = Entry(f"{points:032x}", REFERRAL_ENTRY, "aoba", points, bytes(32))
        built = build_order(
            "bridge", [entry], charter=alliance.charter, books=MemoryBooks(), key=key
        )
        assert built is not None
        payload = built.body.encode().replace(b'"sequence":1', b'"sequence":%d' % sequence)
        orders.append(verify_order(sign("order", payload, key), alliance.charter))
    return evidence_of(*orders).encode()


def test_who_closes_one_epoch_after_the_other_is_stopped_by_the_next_nodes(
    alliance: Alliance,
) -> None:
    """Nothing changes in its drafts, so nodes approve of them by themselves; not all day long."""
    bridge, others = alliance["bridge"], (alliance["aoba"], alliance["biwa"])

    def closed() -> int:
        """How many nodes approve by themselves of one more; with enough, it is decided."""
        digest = propose(bridge, next_draft(in_force(bridge)))
        approving = 0
        for house in others:
            tell(bridge, house, digest)
            with house.database.transaction() as session:
                approving += decrees.approve_by_ourselves(session, house.context)
            tell(bridge, house, digest)
        if approving == len(others):
            enacted = decide(alliance, "bridge", ("bridge", "aoba", "biwa"))
            for house in (bridge, *others):
                assert enact(house, enacted)
        return approving

    for _ in range(BY_OURSELVES_A_DAY_MAX):
        assert closed() == len(others)
    assert closed() == 0
    alliance.clock.move(DAY_S)
    assert closed() == len(others)
