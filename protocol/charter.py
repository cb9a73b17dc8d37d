"""The charter: who belongs to the alliance, with which keys, and how many are enough.  SPEC §4.

Version 1 is a document signed by every founder's identity key; its digest goes into the paper
agreement, and everything a node trusts follows from that digest. Each later version is a decree of
the members of the one before: the draft that they approved, in the bytes that they approved, and
the cut that it opened on. It names the digest of the version before, so versions form a chain.
The version number is the *epoch* that orders, votes and envelopes name.

`q` (how many members certify) and `b` (how many liars that survives) are two explicit fields.
`propose_quorum` fills them in when an alliance is founded; verification never derives them, it only
refuses values that would let two different orders be certified for one place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from protocol import limits
from protocol.charter_cut import Cut
from protocol.errors import CharterInvalid, DraftInvalid, NotAMember
from protocol.keys import VerifyKey, b64encode, require_unpublished
from protocol.sealing import SealingPublicKey
from protocol.signed import SignedDocument, check_signature, require_kind
from protocol.strictjson import JSON, Reader, encode, parse

CHARTER = "charter"
DRAFT = "draft"
GENESIS = 1
MEMBER = "member"
WITNESS = "witness"
REDEMPTION_MODES = ("mutual", "agency", "none")
URL_PATTERN = r"https?://[a-z0-9.\-\[\]:]{1,200}"


def propose_quorum(voters: int) -> tuple[int, int]:
    """`(q, b)` by the table of SPEC §4: how many votes certify, how many liars that survives.

    For proposals only: what members signed counts, and no verifier asks this function.
    """
    tolerated = 0 if voters == 1 else max(1, voters // 4)
    if tolerated <= 1:
        return (voters + tolerated) // 2 + 1, tolerated
    # From two liars on, an owner who signed twice may have an accomplice among the voters.
    return (voters - 1) // 2 + tolerated + 1, tolerated


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence or notification that a member declares, e.g. 13-ユ-999901.  職業安定法 30, 33."""

    number: str
    valid_until: str

    def to_json(self) -> JSON:
        return {"number": self.number, "valid_until": self.valid_until}

    @classmethod
    def read(cls, reader: Reader) -> Licence:
        licence = cls(
            number=reader.text("number", chars_max=20, pattern=r"\d{2}-[ユム特地募]-\d{6}"),
            valid_until=reader.text("valid_until", chars_max=10, pattern=r"\d{4}-\d{2}-\d{2}"),
        )
        reader.done()
        return licence


@dataclass(frozen=True)
class Member:
    """One organisation under the charter: what people read of it, where its node is, its keys."""

    id: str
    legal_name: str
    address: str
    representative: str
    business: str
    contact: str
    country: str
    licences: tuple[Licence, ...]
    url: str
    identity_key: bytes
    signing_key: bytes
    sealing_key: bytes
    role: str
    credit_limit: int

    @cached_property
    def verify_key(self) -> VerifyKey:
        """The node's signing key, checked to be a sound point."""
        return VerifyKey(self.signing_key)

    @cached_property
    def sealing_public(self) -> SealingPublicKey:
        return SealingPublicKey(self.sealing_key)

    @property
    def authority(self) -> str:
        """Host and port of the node's public address, as RFC 9421 `@authority` has it."""
        return self.url.split("//", 1)[1]

    def to_json(self) -> JSON:
        return {
            "address": self.address,
            "business": self.business,
            "contact": self.contact,
            "country": self.country,
            "credit_limit": self.credit_limit,
            "id": self.id,
            "identity_key": b64encode(self.identity_key),
            "legal_name": self.legal_name,
            "licences": [licence.to_json() for licence in self.licences],
            "representative": self.representative,
            "role": self.role,
            "sealing_key": b64encode(self.sealing_key),
            "signing_key": b64encode(self.signing_key),
            "url": self.url,
        }

    @classmethod
    def read(cls, reader: Reader) -> Member:
        member = cls(
            id=reader.text("id", chars_max=32, pattern=limits.MEMBER_ID_PATTERN),
            legal_name=reader.text("legal_name", chars_max=limits.NAME_CHARS_MAX),
            address=reader.text("address", chars_max=limits.LINE_CHARS_MAX),
            representative=reader.text("representative", chars_max=limits.NAME_CHARS_MAX),
            business=reader.text("business", chars_max=limits.LINE_CHARS_MAX),
            contact=reader.text("contact", chars_max=limits.LINE_CHARS_MAX),
            country=reader.text("country", chars_max=2, pattern=r"[A-Z]{2}"),
            licences=tuple(
                Licence.read(each) for each in reader.objects("licences", limits.LICENCES_MAX)
            ),
            url=reader.text("url", chars_max=220, pattern=URL_PATTERN),
            identity_key=reader.bytes("identity_key", length=32),
            signing_key=reader.bytes("signing_key", length=32),
            sealing_key=reader.bytes("sealing_key", length=limits.SEALING_KEY_BYTES),
            role=reader.text("role", chars_max=7, pattern=f"{MEMBER}|{WITNESS}"),
            credit_limit=reader.integer("credit_limit", 0, limits.POINTS_MAX),
        )
        reader.done()
        return member


@dataclass(frozen=True, slots=True)
class Policy:
    """The commercial rules that the members signed.  DOMAIN 2.8 has the defaults' reasons."""

    points_per_referral: int = 1
    points_per_free_hire: int = 10
    redemption: str = "mutual"
    ownership_days: int = 180
    answer_days: int = 5
    refund_table: tuple[tuple[int, int], ...] = ((30, 80), (90, 50))
    partners_per_screen: int = 10
    retention_days: int = 180

    def to_json(self) -> JSON:
        return {
            "answer_days": self.answer_days,
            "ownership_days": self.ownership_days,
            "partners_per_screen": self.partners_per_screen,
            "points_per_free_hire": self.points_per_free_hire,
            "points_per_referral": self.points_per_referral,
            "redemption": self.redemption,
            "refund_table": [{"days": d, "percent": p} for d, p in self.refund_table],
            "retention_days": self.retention_days,
        }

    @classmethod
    def read(cls, reader: Reader) -> Policy:
        policy = cls(
            points_per_referral=reader.integer("points_per_referral", 1, limits.POINTS_MAX),
            points_per_free_hire=reader.integer("points_per_free_hire", 1, limits.POINTS_MAX),
            redemption=reader.text("redemption", 6, pattern="|".join(REDEMPTION_MODES)),
            ownership_days=reader.integer("ownership_days", 0, limits.DAYS_MAX),
            answer_days=reader.integer("answer_days", 1, limits.DAYS_MAX),
            refund_table=tuple(
                _read_refund(row) for row in reader.objects("refund_table", limits.REFUND_ROWS_MAX)
            ),
            partners_per_screen=reader.integer("partners_per_screen", 1, 10),
            retention_days=reader.integer("retention_days", 1, limits.DAYS_MAX),
        )
        reader.done()
        return policy


def _read_refund(reader: Reader) -> tuple[int, int]:
    row = reader.integer("days", 1, limits.DAYS_MAX), reader.integer("percent", 0, 100)
    reader.done()
    return row


@dataclass(frozen=True)
class Charter:
    """One version of the alliance's charter, or the draft of one, which has no cut yet.

    Its `digest` is that of the document. `closed` are accounts that were left behind: frozen, and
    their names never given again. `draft` is the draft's payload in the bytes that were approved.
    """

    alliance: str
    name: str
    version: int
    previous: bytes
    members: tuple[Member, ...]
    q: int
    b: int
    policy: Policy
    digest: bytes = b""
    closed: tuple[str, ...] = ()
    cut: Cut | None = None
    draft: bytes = b""

    @property
    def epoch(self) -> int:
        return self.version

    @cached_property
    def by_id(self) -> Mapping[str, Member]:
        return {member.id: member for member in self.members}

    @cached_property
    def keys(self) -> Mapping[str, tuple[VerifyKey, str]]:
        """Every node's signing key by its key id, with the member it belongs to."""
        return {m.verify_key.keyid: (m.verify_key, m.id) for m in self.members}

    @cached_property
    def every_key(self) -> Mapping[str, tuple[VerifyKey, str]]:
        """The same with the members' identity keys, which sign drafts."""
        identities = ((VerifyKey(m.identity_key), m.id) for m in self.members)
        return {**{key.keyid: (key, member) for key, member in identities}, **self.keys}

    @cached_property
    def accounts(self) -> frozenset[str]:
        """The members that keep a line in the ledger; a witness votes and has none."""
        return frozenset(member.id for member in self.members if member.role == MEMBER)

    @cached_property
    def opened_on(self) -> Mapping[str, int]:
        """What is applied before this epoch's first order is judged: the vector of the cut."""
        return {} if self.cut is None else self.cut.vector

    def past_of(self, seen: Mapping[str, int]) -> Mapping[str, int]:
        """All that an order of this epoch builds on: what it says it has `seen`, and the cut."""
        if not self.opened_on:
            return seen
        within = {account: max(at, seen.get(account, 0)) for account, at in self.opened_on.items()}
        return {**seen, **within}

    def member(self, member_id: str) -> Member:
        """The member of that id; NotAMember when this version has none."""
        try:
            return self.by_id[member_id]
        except KeyError:
            raise NotAMember(f"{member_id} is not a member", member=member_id) from None

    def encode(self) -> bytes:
        """The payload to sign. The digest belongs to the signed document, so it is not in it."""
        return encode(self._fields())

    def encode_draft(self) -> bytes:
        """The payload of a draft: what a founding charter says, and the accounts left behind."""
        return encode({**self._fields(), "closed": list(self.closed)})

    def _fields(self) -> dict[str, JSON]:
        return {
            "alliance": self.alliance,
            "b": self.b,
            "members": [member.to_json() for member in self.members],
            "name": self.name,
            "policy": self.policy.to_json(),
            "previous": b64encode(self.previous),
            "q": self.q,
            "version": self.version,
        }


def encode_decreed(draft: bytes, cut: Cut) -> bytes:
    """The payload of a version above the first: the draft as it was approved, and its cut."""
    return encode({"cut": cut.to_json(), "draft": b64encode(draft)})


def parse_charter(document: SignedDocument) -> Charter:
    """Read a charter document and check its rules; who agreed to it is the caller's question."""
    reader = Reader(parse(document.payload, bytes_max=limits.DECREE_BYTES_MAX))
    if not reader.has("draft"):
        return _read(reader, digest=document.digest)
    payload = reader.bytes("draft", bytes_max=limits.CHARTER_BYTES_MAX)
    cut = Cut.read(reader.object("cut"))
    reader.done()
    return replace(parse_draft(payload), digest=document.digest, cut=cut)


def parse_draft(payload: bytes) -> Charter:
    """Read a draft, which is a charter without its cut, and check what needs no other version."""
    reader = Reader(parse(payload, bytes_max=limits.CHARTER_BYTES_MAX))
    closed = reader.texts("closed", limits.ACCOUNTS_MAX, 32, pattern=limits.MEMBER_ID_PATTERN)
    try:
        return _read(reader, closed=closed, draft=payload)
    except CharterInvalid as refusal:
        raise DraftInvalid(refusal.detail, **refusal.facts) from None


def _read(
    reader: Reader, *, digest: bytes = b"", closed: tuple[str, ...] = (), draft: bytes = b""
) -> Charter:
    charter = Charter(
        alliance=reader.text("alliance", chars_max=32, pattern=limits.MEMBER_ID_PATTERN),
        name=reader.text("name", chars_max=limits.NAME_CHARS_MAX),
        version=reader.integer("version", 1, limits.VERSION_MAX),
        previous=reader.bytes("previous", length=32),
        members=tuple(Member.read(each) for each in reader.objects("members", limits.MEMBERS_MAX)),
        q=reader.integer("q", 1, limits.MEMBERS_MAX),
        b=reader.integer("b", 0, limits.MEMBERS_MAX),
        policy=Policy.read(reader.object("policy")),
        digest=digest,
        closed=closed,
        draft=draft,
    )
    reader.done()
    _check_rules(charter)
    return charter


def _check_rules(charter: Charter) -> None:
    count = len(charter.members)
    if not charter.accounts:
        raise CharterInvalid("a charter needs at least one member with an account")
    if len(charter.by_id) != count:
        raise CharterInvalid("two members of the charter share an id")
    # One key under two names would let one signature count for two members.
    keys = {key for m in charter.members for key in (m.identity_key, m.signing_key)}
    if len(keys) != 2 * count or len({m.sealing_key for m in charter.members}) != count:
        raise CharterInvalid("two members of the charter share a key")
    if len({member.url for member in charter.members}) != count:
        raise CharterInvalid("two members of the charter share an address")
    if tuple(sorted(set(charter.closed))) != charter.closed:
        raise CharterInvalid("the closed accounts are not sorted, or one stands twice")
    # A witness may have had an account, which stays closed.
    if back := charter.accounts & set(charter.closed):
        raise CharterInvalid(f"{min(back)} names a closed account, and is never given again")
    if charter.q > count:
        raise CharterInvalid(f"{charter.q} votes can never be had from {count} members")
    # Two quorums must share more members than may lie.  SPEC §4.2.
    if 2 * charter.q - count <= charter.b:
        raise CharterInvalid(
            f"q={charter.q} of {count} would let {charter.b} liars certify two orders for one place"
        )
    for member in charter.members:
        # A point of small order or an example key of a standard would sign for anybody.
        require_unpublished(VerifyKey(member.identity_key))
        require_unpublished(member.verify_key)


def verify_founding(document: SignedDocument) -> Charter:
    """The charter of version 1, proven by the identity key of every founder.  SPEC §4.3.

    Raises CharterInvalid when a signature is missing, foreign or repeated.
    """
    require_kind(document, CHARTER)
    charter = parse_charter(document)
    if charter.version != GENESIS or charter.previous != bytes(32):
        raise CharterInvalid("only version 1 can be trusted by its founders' signatures alone")
    missing = unsigned_founders(document, charter)
    if missing:
        raise CharterInvalid(f"not signed by {', '.join(missing)}", missing=list(missing))
    return charter


def unsigned_founders(document: SignedDocument, charter: Charter) -> tuple[str, ...]:
    """Founders whose identity key has not signed yet; a bad or foreign signature is refused."""
    founders = {VerifyKey(m.identity_key).keyid: m for m in charter.members}
    signed = set()
    for signature in document.signatures:
        founder = founders.get(signature.keyid)
        if founder is None:
            raise CharterInvalid("signed with a key that is no founder's")
        check_signature(document, signature, VerifyKey(founder.identity_key))
        signed.add(founder.id)
    return tuple(member.id for member in charter.members if member.id not in signed)
