"""Our node's own keys: in use, staged for the next charter, kept for letters from before.  PEER 4.

Which of these a pair is stands nowhere but in the charters: in use is the one that the version in
force names, kept is one that an earlier version named, staged is one that none has named yet. So
nothing is to be switched when a decree takes effect, and no process can have missed it.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import Enum

from sqlalchemy.orm import Session

from node.context import Context
from node.keyring import KeyPair, NodeKeys
from node.refusals import Refusal
from node.services import audit, decrees
from node.services import charter as charters
from node.services.letters import PATIENCE_S
from protocol import (
    DRAFT,
    Charter,
    SignedDocument,
    SigningKey,
    fingerprint,
    limits,
    next_draft,
    sign,
)

# The last letter that was sealed to a key comes within the longest deadline after the key was
# replaced, and may then wait here for what it builds on.
KEPT_S = limits.ENVELOPE_DEADLINE_S_MAX + PATIENCE_S


class IdentityForeign(Refusal, code="identity-foreign", status=403):
    """This is not the identity key that the charter names for this member. Take this member's own
    recovery sheet."""


class RotationOver(Refusal, code="rotation-over"):
    """The new keys came into force in this moment. Nothing more is to be done."""


class State(Enum):
    """What a pair of keys is to this node."""

    IN_USE = "in-use"
    STAGED = "staged"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class PairView:
    """A pair of keys as people see it: ids, a fingerprint to compare, since when it is what."""

    state: State
    signing_keyid: str
    sealing_keyid: str
    fingerprint: str
    since: int
    # When a kept pair is dropped from the key file; None for the others.
    until: int | None
    public: bytes


def views(session: Session, context: Context) -> list[PairView]:
    """Every pair in the key file, the oldest first."""
    versions = charters.versions(session)
    return [_view(session, context, versions, pair) for pair in context.keyring.pairs]


def _view(session: Session, context: Context, versions: list[Charter], pair: KeyPair) -> PairView:
    public = pair.signing.verify_key.raw
    named = [each.version for each in versions if _names(each, context.member_id, public)]
    until = None
    if not named:
        state, since = State.STAGED, pair.made_at
    elif named[-1] == versions[-1].version:
        # The first version of its last unbroken run.
        state, since = State.IN_USE, charters.adopted_at(session, _run_start(named))
    else:
        state, since = State.KEPT, charters.adopted_at(session, named[-1] + 1)
        until = since + KEPT_S
    return PairView(
        state=state,
        signing_keyid=pair.signing.keyid,
        sealing_keyid=pair.opening.keyid,
        fingerprint=fingerprint(public),
        since=since,
        until=until,
        public=public,
    )


def _names(charter: Charter, us: str, public: bytes) -> bool:
    member = charter.by_id.get(us)
    return member is not None and member.signing_key == public


def _run_start(named: list[int]) -> int:
    first = named[-1]
    while first - 1 in named:
        first -= 1
    return first


# --- Changing them. ---


def require_identity(context: Context, charter: Charter, identity: SigningKey) -> None:
    """Raise IdentityForeign unless this is the identity key that the charter names for us."""
    if charter.member(context.member_id).identity_key != identity.verify_key.raw:
        owner = charter.every_key.get(identity.keyid)
        raise IdentityForeign(f"it is the key of {owner[1]}" if owner else "it is nobody's key")


def ever_named(session: Session, context: Context) -> frozenset[bytes]:
    """The signing keys that any charter up to now names for our node."""
    members = (each.by_id.get(context.member_id) for each in charters.versions(session))
    return frozenset(member.signing_key for member in members if member is not None)


def with_staged(keys: NodeKeys, named: Collection[bytes], now: int) -> NodeKeys:
    """The keys with a pair that no charter has `named` yet; unchanged when there is one."""
    if any(pair.signing.verify_key.raw not in named for pair in keys.pairs):
        return keys
    return replace(keys, pairs=(*keys.pairs, KeyPair.generate(now)))


def draft(session: Session, context: Context, identity: SigningKey) -> SignedDocument:
    """The draft that replaces our node's keys with the staged ones, and nothing else.

    The identity key proposes it, as a member's signature; the new signing key accepts.
    """
    charter, us = context.charter(session), context.member_id
    require_identity(context, charter, identity)
    named = ever_named(session, context)
    pairs = context.keyring.pairs
    pair = next((each for each in pairs if each.signing.verify_key.raw not in named), None)
    if pair is None:
        raise RotationOver
    signing_key, sealing_key = pair.signing.verify_key.raw, pair.opening.public.raw
    members = tuple(
        replace(each, signing_key=signing_key, sealing_key=sealing_key) if each.id == us else each
        for each in charter.members
    )
    following = next_draft(charter, members=members)
    return sign(DRAFT, following.draft, identity).add(pair.signing)


def rotate(
    session: Session, context: Context, identity: SigningKey, *, actor: str
) -> SignedDocument:
    """Write the draft and, where our node can speak for itself, hand it to the decrees.

    Asked again it is the same draft, or the next one on the version that came in between.
    """
    document = draft(session, context, identity)
    keyid = document.signatures[-1].keyid
    audit.record(session, context, actor=actor, action="keys.rotation-proposed", subject=keyid)
    if context.holds_key(context.charter(session)):
        decrees.offer(session, context, document, actor=actor)
    return document


# --- Dropping what is drained. ---


def drained(session: Session, context: Context) -> frozenset[bytes]:
    """The signing keys of the pairs that nothing on its way can need any more.

    None while the pair in use is not here: then whatever there is may be what helps.
    """
    known = views(session, context)
    if not any(view.state is State.IN_USE for view in known):
        return frozenset()
    now = context.now()
    return frozenset(view.public for view in known if view.until is not None and view.until <= now)


def without(keys: NodeKeys, gone: Collection[bytes]) -> NodeKeys:
    """The keys without these pairs."""
    left = tuple(pair for pair in keys.pairs if pair.signing.verify_key.raw not in gone)
    assert left, "a node has keys"
    return replace(keys, pairs=left)


def note_dropped(session: Session, context: Context, gone: Collection[bytes]) -> None:
    """Write into the audit log which pairs were dropped."""
    for view in views(session, context):
        if view.public in gone:
            audit.record(
                session, context, actor="worker", action="keys.dropped", subject=view.signing_keyid
            )
