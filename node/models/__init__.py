"""The tables, one file per topic; columns and constraints, no decisions.  STYLE 29-30.

Read them as `models.Applicant`: some share their name with what `protocol` decides about.
"""

from node.models.applicants import (
    Applicant,
    ApplicantImport,
    ImportMapping,
    PersonKey,
    Suppression,
)
from node.models.audit import AuditEntry
from node.models.consents import Consent, ConsentChoice, ConsentResume, ContactCode
from node.models.decrees import Decree, DecreeSeat, Draft, DraftWord
from node.models.delivery import Evidence, ExchangeLink, InboxEntry, MailEntry, Nonce, OutboxEntry
from node.models.erasures import Erasure
from node.models.hires import Hire
from node.models.incarnations import LedgerEvidence, LedgerGuard, LedgerTenure
from node.models.joining import Invitation
from node.models.ledger import (
    HeldCertificate,
    LedgerAccount,
    LedgerCertificate,
    LedgerCredit,
    LedgerEntry,
    LedgerLock,
    PendingEntry,
)
from node.models.measures import Suspension
from node.models.membership import Charter, Incarnation, Peer
from node.models.notices import Link, Notice, NoticeBatch, Template, TemplateVersion
from node.models.records import ProvisionRecord, ReceiptRecord
from node.models.referrals import (
    AcceptanceRule,
    ReferralIn,
    ReferralOut,
    ResumeChunk,
    SelectionStage,
    StageChange,
)
from node.models.relays import Relay
from node.models.restores import Restore, RestoreAnswer, RestoreStanding
from node.models.schema import METADATA, Model, table_of
from node.models.users import SignInAttempt, User, UserSession

__all__ = [
    "METADATA",
    "AcceptanceRule",
    "Applicant",
    "ApplicantImport",
    "AuditEntry",
    "Charter",
    "Consent",
    "ConsentChoice",
    "ConsentResume",
    "ContactCode",
    "Decree",
    "DecreeSeat",
    "Draft",
    "DraftWord",
    "Erasure",
    "Evidence",
    "ExchangeLink",
    "HeldCertificate",
    "Hire",
    "ImportMapping",
    "InboxEntry",
    "Incarnation",
    "Invitation",
    "LedgerAccount",
    "LedgerCertificate",
    "LedgerCredit",
    "LedgerEntry",
    "LedgerEvidence",
    "LedgerGuard",
    "LedgerLock",
    "LedgerTenure",
    "Link",
    "MailEntry",
    "Model",
    "Nonce",
    "Notice",
    "NoticeBatch",
    "OutboxEntry",
    "Peer",
    "PendingEntry",
    "PersonKey",
    "ProvisionRecord",
    "ReceiptRecord",
    "ReferralIn",
    "ReferralOut",
    "Relay",
    "Restore",
    "RestoreAnswer",
    "RestoreStanding",
    "ResumeChunk",
    "SelectionStage",
    "SignInAttempt",
    "StageChange",
    "Suppression",
    "Suspension",
    "Template",
    "TemplateVersion",
    "User",
    "UserSession",
    "table_of",
]
