"""The chain of charters, from the digest on paper to the version in force.  SPEC Decrees.

A verifier starts from the digest of version 1 in the agreement that people signed, and goes forward
version by version: each is enacted by a quorum of the members of the one before. It needs nothing
but bytes, and never skips a version, since the one that is left out may have removed exactly those
who vouch for the next.

    founding file   {"decrees": [decree, ...], "founding": the document signed by every founder}
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from protocol import limits
from protocol.charter import GENESIS, Charter, verify_founding
from protocol.charter_changes import Change, changes_of
from protocol.decree.votes import Decree, verify_decree
from protocol.errors import (
    CharterFork,
    CharterInvalid,
    CharterRollback,
    CharterSkipped,
    ProtocolError,
)
from protocol.signed import SignedDocument
from protocol.strictjson import Reader, encode, parse


@dataclass(frozen=True, slots=True)
class Enactment:
    """How one version came into force: who signed, who did not, how many had to, what it changed.

    For version 1 the signers are the founders; for each later one, members of the version before.
    """

    version: int
    digest: bytes
    needed: int
    signed: tuple[str, ...]
    missing: tuple[str, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What is proven of a chain, as far as it goes, and the refusal that ended it, if one did."""

    charters: tuple[Charter, ...]
    enactments: tuple[Enactment, ...]
    refusal: ProtocolError | None = None

    def __bool__(self) -> bool:
        return self.refusal is None


def encode_chain(founding: SignedDocument, decrees: Iterable[Decree]) -> bytes:
    """The file that `verify_chain` reads."""
    return encode(
        {"decrees": [decree.to_json() for decree in decrees], "founding": founding.to_json()}
    )


def verify_chain(data: bytes, trusted: bytes) -> ChainReport:
    """Prove a file of charters; `trusted` is the digest of version 1, from the paper agreement.

    Never raises for what the file holds: the report says how far it is proven, and what then.
    """
    charters: list[Charter] = []
    enactments: list[Enactment] = []
    try:
        reader = Reader(parse(data, bytes_max=limits.CHAIN_BYTES_MAX))
        founding = SignedDocument.from_json(reader.value("founding"))
        decrees = reader.objects("decrees", limits.CHAIN_VERSIONS_MAX)
        reader.done()
        charter, enactment = trust_founding(founding, trusted)
        charters.append(charter)
        enactments.append(enactment)
        for each in decrees:
            charter, enactment = follow(Decree.read(each), charters[-1])
            charters.append(charter)
            enactments.append(enactment)
    except ProtocolError as refusal:
        return ChainReport(tuple(charters), tuple(enactments), refusal)
    return ChainReport(tuple(charters), tuple(enactments))


def founding_of(data: bytes, trusted: bytes) -> SignedDocument:
    """The document of version 1 in a file of charters, if it is the one whose digest was given."""
    founding = SignedDocument.from_json(
        Reader(parse(data, bytes_max=limits.CHAIN_BYTES_MAX)).value("founding")
    )
    trust_founding(founding, trusted)
    return founding


def trust_founding(document: SignedDocument, trusted: bytes) -> tuple[Charter, Enactment]:
    """Version 1, if it is the one whose digest stands in the paper agreement."""
    charter = verify_founding(document)
    if charter.digest != trusted:
        raise CharterInvalid("version 1 is not the one whose digest was given")
    founders = tuple(charter.by_id)
    return charter, Enactment(GENESIS, charter.digest, len(founders), founders, (), ())


def follow(decree: Decree, charter: Charter) -> tuple[Charter, Enactment]:
    """The version that the decree enacts after `charter`, and how; or the refusal that fits.

    Check for a rollback, a skipped version, a quorum that is none, and last for a fork: only what
    a quorum signed is reason to raise that alarm.
    """
    claimed = decree.motion.charter
    if claimed.version <= charter.version:
        raise CharterRollback(
            f"version {claimed.version} was replaced, version {charter.version} is in force",
            ours=charter.version,
            theirs=claimed.version,
        )
    if claimed.version > charter.version + 1:
        raise CharterSkipped(
            f"version {charter.version + 1} is missing before {claimed.version}",
            ours=charter.version,
            theirs=claimed.version,
        )
    voters = decree.verify_votes(charter)
    following = verify_decree(decree, charter)
    missing = tuple(sorted(charter.by_id.keys() - voters))
    return following, Enactment(
        version=following.version,
        digest=following.digest,
        needed=charter.q,
        signed=tuple(sorted(voters)),
        missing=missing,
        changes=changes_of(decree.motion.draft, following, charter),
    )


def compare(decree: Decree, charters: Iterable[Charter]) -> bool:
    """Whether we know this version already; CharterFork when a quorum enacted another one.

    `charters` are the proven ones of our chain. A version above them is for `follow`.
    """
    claimed = decree.motion.charter
    by_version = {charter.version: charter for charter in charters}
    ours, before = by_version.get(claimed.version), by_version.get(claimed.version - 1)
    if ours is None or before is None:
        return False
    if ours.digest == decree.digest:
        return True
    decree.verify_votes(before)
    raise CharterFork(
        f"a quorum of version {before.version} enacted two versions {claimed.version}",
        version=claimed.version,
    )
