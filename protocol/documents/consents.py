"""The consent receipt: what a person agreed to, partner by partner, signed by the node that asked.

Field names follow the Kantara consent receipt 1.1 where they fit, with ISO/IEC TS 27560's split:
the record stays with the node, the receipt is the person's to keep. One receipt, one purpose entry
for each partner.  SPEC §7, DOMAIN 6.2, 個人情報保護法 27(1).
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol import limits
from protocol.errors import DocumentInvalid
from protocol.strictjson import JSON, Reader, encode, parse

CONSENT_RECEIPT = "consent-receipt"
VERSION = "tasuki-consent-1"
LEGAL_BASIS = "APPI27-1"
COLLECTION_METHOD = "private link page"
VERIFICATION = "email-otp"
CATEGORY = "recruitment selection"
_ID_PATTERN = r"[a-z0-9-]{8,64}"
_HASH_PATTERN = r"[0-9a-f]{64}"


@dataclass(frozen=True, slots=True)
class ConsentParty:
    """A company as the person saw it when consenting: the one that asked, or one that receives."""

    member: str
    name: str
    address: str
    representative: str
    contact: str
    country: str
    licences: tuple[str, ...]

    def to_json(self) -> JSON:
        return {
            "address": self.address,
            "contact": self.contact,
            "country": self.country,
            "licences": list(self.licences),
            "member": self.member,
            "name": self.name,
            "representative": self.representative,
        }

    @classmethod
    def read(cls, reader: Reader) -> ConsentParty:
        party = cls(
            member=reader.text("member", limits.MEMBER_ID_CHARS_MAX),
            name=reader.text("name", limits.NAME_CHARS_MAX),
            address=reader.text("address", limits.LINE_CHARS_MAX),
            representative=reader.text("representative", limits.NAME_CHARS_MAX),
            contact=reader.text("contact", limits.LINE_CHARS_MAX),
            country=reader.text("country", 2, pattern="[A-Z]{2}"),
            licences=reader.texts("licences", limits.LICENCES_MAX, chars_max=20),
        )
        reader.done()
        return party


@dataclass(frozen=True, slots=True)
class ConsentPurpose:
    """What one partner may have, for what, and for how long."""

    partner: ConsentParty
    purpose: str
    items: tuple[str, ...]
    termination: str
    profile_at_once: bool

    def to_json(self) -> JSON:
        return {
            "consentType": "EXPLICIT",
            "legalBasis": LEGAL_BASIS,
            "piiCategory": list(self.items),
            "primaryPurpose": True,
            "profileAtOnce": self.profile_at_once,
            "purpose": self.purpose,
            "purposeCategory": [CATEGORY],
            "termination": self.termination,
            "thirdParty": self.partner.to_json(),
            "thirdPartyDisclosure": True,
            "thirdPartyName": self.partner.name,
        }

    @classmethod
    def read(cls, reader: Reader) -> ConsentPurpose:
        reader.text("consentType", 8, pattern="EXPLICIT")
        reader.text("legalBasis", 8, pattern=LEGAL_BASIS)
        _expect(reader, "primaryPurpose", True)
        _expect(reader, "purposeCategory", [CATEGORY])
        _expect(reader, "thirdPartyDisclosure", True)
        named = reader.text("thirdPartyName", limits.NAME_CHARS_MAX)
        purpose = cls(
            partner=ConsentParty.read(reader.object("thirdParty")),
            purpose=reader.text("purpose", limits.LINE_CHARS_MAX),
            items=reader.texts("piiCategory", 30, chars_max=40),
            termination=reader.text("termination", limits.LINE_CHARS_MAX),
            profile_at_once=reader.boolean("profileAtOnce"),
        )
        reader.done()
        if named != purpose.partner.name:
            raise DocumentInvalid("thirdPartyName is not the name of thirdParty")
        return purpose


@dataclass(frozen=True, slots=True)
class ConsentReceipt:
    """One consent. `principal` is a pseudonym of this node: the receipt names no person.

    `page_hash` is the SHA-256 of the very text that stood above the button, `text_version` the
    version of its wording, and `network` the person's address without its last part.
    """

    id: str
    language: str
    given_at: int
    principal: str
    public_key: str
    controller: ConsentParty
    policy_url: str
    purposes: tuple[ConsentPurpose, ...]
    page_hash: str
    text_version: str
    network: str

    def encode(self) -> bytes:
        return encode(
            {
                "collectionMethod": COLLECTION_METHOD,
                "consentReceiptID": self.id,
                "consentTimestamp": self.given_at,
                "evidence": {
                    "ipTruncated": self.network,
                    "pageTextSha256": self.page_hash,
                    "uiVersion": self.text_version,
                },
                "jurisdiction": "JP",
                "language": self.language,
                "piiControllers": [self.controller.to_json()],
                "piiPrincipalId": self.principal,
                "policyUrl": self.policy_url,
                "publicKey": self.public_key,
                "sensitive": False,
                "services": [
                    {"purposes": [p.to_json() for p in self.purposes], "service": "referral"}
                ],
                "spiCat": [],
                "status": "given",
                "verification": VERIFICATION,
                "version": VERSION,
            }
        )

    @classmethod
    def parse(cls, payload: bytes) -> ConsentReceipt:
        reader = Reader(parse(payload, bytes_max=limits.DOCUMENT_BYTES_MAX))
        for name, constant in (
            ("collectionMethod", COLLECTION_METHOD),
            ("jurisdiction", "JP"),
            ("status", "given"),
            ("verification", VERIFICATION),
            ("version", VERSION),
        ):
            reader.text(name, 40, pattern=constant)
        # No receipt of ours holds special-care data (要配慮個人情報): it has no field for it.
        _expect(reader, "sensitive", False)
        _expect(reader, "spiCat", [])
        evidence = reader.object("evidence")
        controller = _only(reader, "piiControllers")
        service = _only(reader, "services")
        service.text("service", 20, pattern="referral")
        receipt = cls(
            id=reader.text("consentReceiptID", 64, pattern=_ID_PATTERN),
            language=reader.text("language", 2, pattern="[a-z]{2}"),
            given_at=reader.integer("consentTimestamp", 0, limits.TIME_MAX),
            principal=reader.text("piiPrincipalId", 64, pattern=_ID_PATTERN),
            public_key=reader.text("publicKey", 60),
            controller=ConsentParty.read(controller),
            policy_url=reader.text("policyUrl", limits.LINE_CHARS_MAX, empty=True),
            purposes=tuple(
                ConsentPurpose.read(each)
                for each in service.objects("purposes", limits.MEMBERS_MAX)
            ),
            page_hash=evidence.text("pageTextSha256", 64, pattern=_HASH_PATTERN),
            text_version=evidence.text("uiVersion", 40),
            network=evidence.text("ipTruncated", 50, empty=True),
        )
        for each in (evidence, service, reader):
            each.done()
        return receipt


def _expect(reader: Reader, name: str, value: JSON) -> None:
    """A member that has one value in this version; another one would mean something else."""
    found = reader.value(name)
    if type(found) is not type(value) or found != value:
        raise DocumentInvalid(f"{name} is not what it is in every receipt")


def _only(reader: Reader, name: str) -> Reader:
    """The one object of a list that Kantara lets have several."""
    found = reader.objects(name, 1)
    if not found:
        raise DocumentInvalid(f"{name} is empty")
    return found[0]
