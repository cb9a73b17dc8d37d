"""The Tasuki protocol: the front door. What stands in `__all__` is for use; the rest is inside.

    from protocol import Charter, Signed, envelope, errors, http

Modules are named here where their verbs are short (`envelope.seal`, `http.sign_request`), and
documents, keys and decisions by their own names. Nothing in this package has a clock, a network, a
disk or a framework: it is handed the time, the bytes and the keys.
"""

from protocol import delivery, envelope, errors, http, limits, problems, strictjson
from protocol.charter import (
    CHARTER,
    GENESIS,
    MEMBER,
    WITNESS,
    Charter,
    Licence,
    Member,
    Policy,
    parse_charter,
    propose_quorum,
    unsigned_founders,
    verify_founding,
)
from protocol.documents.consents import (
    CONSENT_RECEIPT,
    ConsentParty,
    ConsentPurpose,
    ConsentReceipt,
)
from protocol.documents.hello import Hello
from protocol.documents.hires import HIRE, Hire
from protocol.documents.ledger import (
    CORRECTION,
    ENTRY_KINDS,
    FIRST_INCARNATION,
    FREE_HIRE,
    NO_PREVIOUS,
    ORDER,
    REFUND,
    VOTE,
    Entry,
    Order,
    commitment,
    encode_vote,
)
from protocol.documents.ledger import REFERRAL as REFERRAL_ENTRY
from protocol.documents.members import MEMBER_CARD, MemberCard
from protocol.documents.profiles import APPLICANT_TYPES, STAGES, Card, Profile, stage_code
from protocol.documents.progress import PROGRESS, Progress
from protocol.documents.referrals import (
    ACCEPTANCE,
    ALREADY_KNOWN,
    ATTACHMENT,
    DECLINE,
    PROFILE,
    REFERRAL,
    Acceptance,
    AlreadyKnown,
    Attachment,
    Decline,
    Grounds,
    ProfileRelease,
    Referral,
)
from protocol.errors import NotNow, OurMistake, ProtocolError, TheirMistake
from protocol.keys import SigningKey, VerifyKey, fingerprint, require_unpublished
from protocol.ledger.books import Books, Changes, Head, Lock, MemoryBooks, state_digest
from protocol.ledger.certificates import (
    Certificate,
    Voted,
    order_within,
    parse_certificate,
    verify_certificate,
    verify_order,
)
from protocol.ledger.owner import Ballot, build_order
from protocol.ledger.replica import Cast, Need, Settled, advance, cast_vote, judge
from protocol.ledger.sync import OrderAnswer, OrderRequest, Pull, PullAnswer, lacking
from protocol.sealing import SealingKey, SealingPublicKey
from protocol.signed import Signature, Signed, SignedDocument, check_signature, sign, verify
from protocol.strictjson import JSON, b64decode, b64encode

__all__ = [
    "ACCEPTANCE",
    "ALREADY_KNOWN",
    "APPLICANT_TYPES",
    "ATTACHMENT",
    "CHARTER",
    "CONSENT_RECEIPT",
    "CORRECTION",
    "DECLINE",
    "ENTRY_KINDS",
    "FIRST_INCARNATION",
    "FREE_HIRE",
    "GENESIS",
    "HIRE",
    "JSON",
    "MEMBER",
    "MEMBER_CARD",
    "NO_PREVIOUS",
    "ORDER",
    "PROFILE",
    "PROGRESS",
    "REFERRAL",
    "REFERRAL_ENTRY",
    "REFUND",
    "STAGES",
    "VOTE",
    "WITNESS",
    "Acceptance",
    "AlreadyKnown",
    "Attachment",
    "Ballot",
    "Books",
    "Card",
    "Cast",
    "Certificate",
    "Changes",
    "Charter",
    "ConsentParty",
    "ConsentPurpose",
    "ConsentReceipt",
    "Decline",
    "Entry",
    "Grounds",
    "Head",
    "Hello",
    "Hire",
    "Licence",
    "Lock",
    "Member",
    "MemberCard",
    "MemoryBooks",
    "Need",
    "NotNow",
    "Order",
    "OrderAnswer",
    "OrderRequest",
    "OurMistake",
    "Policy",
    "Profile",
    "ProfileRelease",
    "Progress",
    "ProtocolError",
    "Pull",
    "PullAnswer",
    "Referral",
    "SealingKey",
    "SealingPublicKey",
    "Settled",
    "Signature",
    "Signed",
    "SignedDocument",
    "SigningKey",
    "TheirMistake",
    "VerifyKey",
    "Voted",
    "advance",
    "b64decode",
    "b64encode",
    "build_order",
    "cast_vote",
    "check_signature",
    "commitment",
    "delivery",
    "encode_vote",
    "envelope",
    "errors",
    "fingerprint",
    "http",
    "judge",
    "lacking",
    "limits",
    "order_within",
    "parse_certificate",
    "parse_charter",
    "problems",
    "propose_quorum",
    "require_unpublished",
    "sign",
    "stage_code",
    "state_digest",
    "strictjson",
    "unsigned_founders",
    "verify",
    "verify_certificate",
    "verify_founding",
    "verify_order",
]
