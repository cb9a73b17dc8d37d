"""What a draft changes in the charter, what it may not change, and who has to look.  SPEC Decrees.

A member joins, leaves, is expelled, becomes a witness or the reverse, or gets other keys, another
limit or other details; the alliance gets another q, b, policy or name; or nothing changes, which
closes a month and replaces a decree that stalled. All of them are one draft and one decree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from typing import NamedTuple, NoReturn

from protocol.charter import DRAFT, Charter, Member, parse_draft
from protocol.errors import (
    CharterFork,
    CharterRollback,
    CharterSkipped,
    DraftInvalid,
    SignatureMissing,
)
from protocol.keys import VerifyKey
from protocol.signed import SignedDocument, check_signature, require_kind


class Kind(Enum):
    """One kind of change, as people read it in a list of what a draft does."""

    JOIN = "join"
    LEAVE = "leave"
    EXPEL = "expel"
    ROLE = "role"
    IDENTITY = "identity"
    NODE_KEYS = "node-keys"
    LIMIT = "limit"
    DETAILS = "details"
    QUORUM = "quorum"
    POLICY = "policy"
    NAME = "name"


class Change(NamedTuple):
    """One thing a draft changes, and the member it concerns; no member: the whole alliance."""

    kind: Kind
    member: str = ""


def next_draft(charter: Charter, **changes: object) -> Charter:
    """The draft that follows `charter` with these fields changed; none: nothing but the number.

    Accounts that it leaves behind are closed by it. Raises DraftInvalid with the reason when the
    result may not become a charter.
    """
    draft = replace(
        charter,
        version=charter.version + 1,
        previous=charter.digest,
        digest=b"",
        cut=None,
        draft=b"",
    )
    draft = replace(draft, **changes)  # type: ignore[arg-type]
    closed = tuple(sorted({*charter.closed, *(charter.accounts - draft.accounts)}))
    draft = parse_draft(replace(draft, closed=closed).encode_draft())
    check_draft(draft, charter)
    return draft


def check_draft(draft: Charter, charter: Charter) -> None:
    """Raise the first rule that the draft breaks as the version after `charter`, in a sentence."""
    if draft.version <= charter.version:
        raise CharterRollback(
            f"version {draft.version} is not above ours, {charter.version}", ours=charter.version
        )
    # A skipped version might have removed exactly the members that vouch for this one.
    if draft.version != charter.version + 1:
        raise CharterSkipped(
            f"version {draft.version} does not follow {charter.version}", ours=charter.version
        )
    if draft.alliance != charter.alliance:
        _refuse(f"it is of {draft.alliance}, and an alliance keeps its id for ever")
    if draft.previous != charter.digest:
        raise CharterFork(
            f"version {draft.version} follows another version {charter.version} than ours",
            version=charter.version,
        )
    # Even as a witness: its word would be read as the word of the member that left.
    if taken := (draft.by_id.keys() - charter.by_id.keys()) & set(charter.closed):
        _refuse(f"{min(taken)} names a closed account, and is never given again")
    left = charter.accounts - draft.accounts
    if set(draft.closed) != {*charter.closed, *left}:
        _refuse("the closed accounts are not those closed before and those that it leaves behind")
    _check_keys(draft, charter)


def _check_keys(draft: Charter, charter: Charter) -> None:
    # With its key a name would move: what was signed under one would count for the other.
    owners = {key: m.id for m in charter.members for key in _keys_of(m)}
    for member in draft.members:
        for key in _keys_of(member):
            if owners.get(key, member.id) != member.id:
                _refuse(f"a key of {owners[key]} would become a key of {member.id}")
        before = charter.by_id.get(member.id)
        if before is None:
            continue
        crossed = {before.identity_key, member.identity_key} & {
            before.signing_key,
            member.signing_key,
        }
        if crossed:
            _refuse(f"the identity key and the node's key of {member.id} would change places")


def _refuse(reason: str) -> NoReturn:
    raise DraftInvalid(reason)


def _keys_of(member: Member) -> tuple[bytes, bytes, bytes]:
    return member.identity_key, member.signing_key, member.sealing_key


# --- Who has signed a draft, and who has to approve of it. ---


def verify_draft(document: SignedDocument, charter: Charter) -> Charter:
    """The draft, proven to be proposed by a member and accepted by each key that is new.

    One signature is a member's under `charter`: no committee introduces itself. Each new identity
    or node key has signed too, so nobody is entered who did not agree or does not hold the key.
    """
    draft = read_draft(document, charter)
    signers = draft_signers(document, draft, charter)
    new = {VerifyKey(key).keyid for key in joining_keys(draft, charter)}
    if not signers - new:
        raise DraftInvalid("no member of the present charter has signed it")
    missing = sorted({member for key, member in _new_keys(draft, charter) if key not in signers})
    if missing:
        raise SignatureMissing(f"{', '.join(missing)} has not accepted yet", missing=missing)
    return draft


def read_draft(document: SignedDocument, charter: Charter) -> Charter:
    """The draft and its rules; who signed it is a question of its own."""
    require_kind(document, DRAFT)
    draft = parse_draft(document.payload)
    check_draft(draft, charter)
    return draft


def draft_signers(document: SignedDocument, draft: Charter, charter: Charter) -> frozenset[str]:
    """The ids of the keys that signed; a bad signature, or one that is nobody's, is refused."""
    known = {**draft.every_key, **charter.every_key}
    for signature in document.signatures:
        if signature.keyid not in known:
            raise DraftInvalid("signed with a key of neither version")
        check_signature(document, signature, known[signature.keyid][0])
    return frozenset(signature.keyid for signature in document.signatures)


def joining_keys(draft: Charter, charter: Charter) -> frozenset[bytes]:
    """The signing and identity keys that stand in the draft and not in the charter."""
    before = {key for m in charter.members for key in (m.identity_key, m.signing_key)}
    after = {key for m in draft.members for key in (m.identity_key, m.signing_key)}
    return frozenset(after - before)


def _new_keys(draft: Charter, charter: Charter) -> Iterator[tuple[str, str]]:
    new = joining_keys(draft, charter)
    for member in draft.members:
        for key in (member.identity_key, member.signing_key):
            if key in new:
                yield VerifyKey(key).keyid, member.id


def changes_of(document: SignedDocument, draft: Charter, charter: Charter) -> tuple[Change, ...]:
    """What the draft changes. Who goes with a signature of its own leaves, else it is expelled."""
    signed = {signature.keyid for signature in document.signatures}
    found: list[Change] = []
    for id_, before in charter.by_id.items():
        after = draft.by_id.get(id_)
        if after is None:
            own = {VerifyKey(before.identity_key).keyid, before.verify_key.keyid}
            found.append(Change(Kind.LEAVE if own & signed else Kind.EXPEL, id_))
        else:
            found += [Change(kind, id_) for kind in _differences(before, after)]
    found += [Change(Kind.JOIN, m.id) for m in draft.members if m.id not in charter.by_id]
    for kind, differs in (
        (Kind.QUORUM, (draft.q, draft.b) != (charter.q, charter.b)),
        (Kind.POLICY, draft.policy != charter.policy),
        (Kind.NAME, draft.name != charter.name),
    ):
        if differs:
            found.append(Change(kind))
    return tuple(found)


def _differences(before: Member, after: Member) -> Iterator[Kind]:
    if before.role != after.role:
        yield Kind.ROLE
    if before.identity_key != after.identity_key:
        yield Kind.IDENTITY
    if (before.signing_key, before.sealing_key) != (after.signing_key, after.sealing_key):
        yield Kind.NODE_KEYS
    if before.credit_limit != after.credit_limit:
        yield Kind.LIMIT
    rest = replace(
        before,
        role=after.role,
        identity_key=after.identity_key,
        signing_key=after.signing_key,
        sealing_key=after.sealing_key,
        credit_limit=after.credit_limit,
    )
    if rest != after:
        yield Kind.DETAILS


def needs_people(document: SignedDocument, charter: Charter) -> str:
    """Why a person has to approve of the draft; nothing when nodes may do it by themselves.

    They may when nothing changes, and when one member replaces its own node's keys with its
    identity key's signature. Whether the draft is valid is `verify_draft`'s question.
    """
    draft = read_draft(document, charter)
    found = changes_of(document, draft, charter)
    if not found:
        return ""
    foreign = [change for change in found if change.kind is not Kind.NODE_KEYS]
    if foreign:
        first = foreign[0]
        return f"it changes more than a node's keys: {first.kind.value} {first.member}".rstrip()
    if len(found) > 1:
        return "it replaces the keys of more than one member"
    identity = VerifyKey(charter.member(found[0].member).identity_key).keyid
    if identity not in draft_signers(document, draft, charter):
        return f"it is not signed with the identity key of {found[0].member}"
    return ""


def verify_rotation(document: SignedDocument, charter: Charter) -> Charter:
    """A draft that is meant to replace a member's own node keys; DraftInvalid if it does more."""
    draft = verify_draft(document, charter)
    reason = needs_people(document, charter)
    if reason or draft.members == charter.members:
        raise DraftInvalid(reason or "it replaces no key")
    return draft
