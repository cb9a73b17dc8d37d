"""The letters of one referral, from the card to the released profile.  SPEC §7.

    referrer                                receiver
       | -- referral (card, consent facts) ---> |   decides on the card
       | <-- acceptance | decline | already-known |
       | -- profile (against the acceptance) --> |
       | -- attachment, in chunks -------------> |

None of them carries anything negative about a person: a decline has no reason and no free text.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol import limits
from protocol.documents.profiles import Card, Profile
from protocol.keys import b64encode
from protocol.strictjson import JSON, Reader, encode, parse

REFERRAL = "referral"
ACCEPTANCE = "acceptance"
DECLINE = "decline"
ALREADY_KNOWN = "already-known"
PROFILE = "profile"
ATTACHMENT = "attachment"
ID_PATTERN = r"[a-z0-9-]{8,64}"
DATE_PATTERN = r"\d{4}-\d{2}-\d{2}"


def open_payload(payload: bytes) -> Reader:
    """A reader over a letter's payload, bounded by what a letter may weigh."""
    return Reader(parse(payload, bytes_max=limits.DOCUMENT_BYTES_MAX))


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why this may be sent at all: the live consent, and what the receiver must record.

    `consent` names the referrer's consent record; `page_hash` is the SHA-256 of the page that the
    person saw. Giver's name and address follow from the charter; `acquired` says how the giver
    came to the data.  個人情報保護法 27(1), 29, 30.
    """

    consent: str
    given_at: int
    text_version: str
    page_hash: str
    items: tuple[str, ...]
    acquired: str

    def to_json(self) -> JSON:
        return {
            "acquired": self.acquired,
            "consent": self.consent,
            "given_at": self.given_at,
            "items": list(self.items),
            "page_hash": self.page_hash,
            "text_version": self.text_version,
        }

    @classmethod
    def read(cls, reader: Reader) -> Grounds:
        grounds = cls(
            consent=reader.text("consent", 64, pattern=ID_PATTERN),
            given_at=reader.integer("given_at", 0, limits.TIME_MAX),
            text_version=reader.text("text_version", 40),
            page_hash=reader.text("page_hash", 64, pattern="[0-9a-f]{64}"),
            items=reader.texts("items", 30, chars_max=40),
            acquired=reader.text("acquired", limits.LINE_CHARS_MAX),
        )
        reader.done()
        return grounds


@dataclass(frozen=True, slots=True)
class Referral:
    """One candidate offered to one member. `profile` is there when the person chose to send it."""

    id: str
    card: Card
    grounds: Grounds
    created_at: int
    answer_by: int
    profile: Profile | None

    def encode(self) -> bytes:
        return encode(
            {
                "answer_by": self.answer_by,
                "card": self.card.to_json(),
                "created_at": self.created_at,
                "grounds": self.grounds.to_json(),
                "id": self.id,
                "profile": None if self.profile is None else self.profile.content,
            }
        )

    @classmethod
    def parse(cls, payload: bytes) -> Referral:
        reader = open_payload(payload)
        profile = reader.value("profile")
        referral = cls(
            id=reader.text("id", 64, pattern=ID_PATTERN),
            card=Card.read(reader.object("card")),
            grounds=Grounds.read(reader.object("grounds")),
            created_at=reader.integer("created_at", 0, limits.TIME_MAX),
            answer_by=reader.integer("answer_by", 0, limits.TIME_MAX),
            profile=None if profile is None else Profile.from_json(profile),
        )
        reader.done()
        return referral


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The signed promise of points, against which the referrer releases the profile.

    `entry` is the id that the payment will have in the ledger and `salt` opens its `reference`,
    so that both sides, and nobody else, can tie the one to the other.
    """

    referral: str
    accepted_at: int
    points: int
    entry: str
    salt: bytes

    def encode(self) -> bytes:
        return encode(
            {
                "accepted_at": self.accepted_at,
                "entry": self.entry,
                "points": self.points,
                "referral": self.referral,
                "salt": b64encode(self.salt),
            }
        )

    @classmethod
    def parse(cls, payload: bytes) -> Acceptance:
        reader = open_payload(payload)
        acceptance = cls(
            referral=reader.text("referral", 64, pattern=ID_PATTERN),
            accepted_at=reader.integer("accepted_at", 0, limits.TIME_MAX),
            points=reader.integer("points", 1, limits.POINTS_MAX),
            entry=reader.text("entry", 64, pattern=ID_PATTERN),
            salt=reader.bytes("salt", length=32),
        )
        reader.done()
        return acceptance


@dataclass(frozen=True, slots=True)
class Decline:
    """The receiver will not go on. There is no field for a reason, and there never will be."""

    referral: str
    declined_at: int

    def encode(self) -> bytes:
        return encode({"declined_at": self.declined_at, "referral": self.referral})

    @classmethod
    def parse(cls, payload: bytes) -> Decline:
        reader = open_payload(payload)
        decline = cls(
            referral=reader.text("referral", 64, pattern=ID_PATTERN),
            declined_at=reader.integer("declined_at", 0, limits.TIME_MAX),
        )
        reader.done()
        return decline


@dataclass(frozen=True, slots=True)
class AlreadyKnown:
    """The receiver was in contact with the person before, with the date that shows it."""

    referral: str
    known_since: str
    last_contact: str
    declared_at: int

    def encode(self) -> bytes:
        return encode(
            {
                "declared_at": self.declared_at,
                "known_since": self.known_since,
                "last_contact": self.last_contact,
                "referral": self.referral,
            }
        )

    @classmethod
    def parse(cls, payload: bytes) -> AlreadyKnown:
        reader = open_payload(payload)
        known = cls(
            referral=reader.text("referral", 64, pattern=ID_PATTERN),
            known_since=reader.text("known_since", 10, pattern=DATE_PATTERN),
            last_contact=reader.text("last_contact", 10, pattern=DATE_PATTERN),
            declared_at=reader.integer("declared_at", 0, limits.TIME_MAX),
        )
        reader.done()
        return known


@dataclass(frozen=True, slots=True)
class ProfileRelease:
    """The identified profile, released against the acceptance whose document has this digest."""

    referral: str
    acceptance: bytes
    profile: Profile
    released_at: int

    def encode(self) -> bytes:
        return encode(
            {
                "acceptance": b64encode(self.acceptance),
                "profile": self.profile.content,
                "referral": self.referral,
                "released_at": self.released_at,
            }
        )

    @classmethod
    def parse(cls, payload: bytes) -> ProfileRelease:
        reader = open_payload(payload)
        release = cls(
            referral=reader.text("referral", 64, pattern=ID_PATTERN),
            acceptance=reader.bytes("acceptance", length=32),
            profile=Profile.from_json(reader.value("profile")),
            released_at=reader.integer("released_at", 0, limits.TIME_MAX),
        )
        reader.done()
        return release


@dataclass(frozen=True, slots=True)
class Attachment:
    """One chunk of the person's PDF; the profile's `resumeFile` has the digest of the whole."""

    referral: str
    index: int
    total: int
    content: bytes

    def encode(self) -> bytes:
        return encode(
            {
                "content": b64encode(self.content),
                "index": self.index,
                "referral": self.referral,
                "total": self.total,
            }
        )

    @classmethod
    def parse(cls, payload: bytes) -> Attachment:
        reader = open_payload(payload)
        total = reader.integer("total", 1, limits.ATTACHMENT_CHUNKS_MAX)
        chunk = cls(
            referral=reader.text("referral", 64, pattern=ID_PATTERN),
            index=reader.integer("index", 0, total - 1),
            total=total,
            content=reader.bytes("content", bytes_max=limits.ATTACHMENT_CHUNK_BYTES),
        )
        reader.done()
        return chunk
