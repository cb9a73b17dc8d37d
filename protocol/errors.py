"""Every refusal of the protocol, by phase: code, HTTP status and sentence.  SPEC Refusals.

The code crosses the wire and never changes its meaning. The docstring is the sentence a person
reads: what happened, and what to do. `detail` adds what is known of this one case, `facts` are
the members a problem document carries beside it. Who is to blame stands in the type:
`TheirMistake` (a peer sent it), `OurMistake` (we built it), `NotNow` (nobody; try again later).
"""

from typing import ClassVar

_BY_CODE: dict[str, type["ProtocolError"]] = {}


class ProtocolError(Exception):
    """The message was refused."""

    code: ClassVar[str] = ""
    status: ClassVar[int] = 400

    def __init_subclass__(cls, code: str = "", status: int = 0) -> None:
        if status:
            cls.status = status
        if code:
            # One code, one meaning: the wire cannot tell two classes apart.
            assert code not in _BY_CODE, code
            cls.code = code
            _BY_CODE[code] = cls

    def __init__(self, detail: str = "", /, **facts: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.facts = facts

    @classmethod
    def sentence(cls) -> str:
        """The sentence for a person, on one line; the msgid of its translation."""
        return " ".join((cls.__doc__ or "").split())

    def __str__(self) -> str:
        return f"{self.code}: {self.detail or self.sentence()}"


def by_code(code: str) -> type[ProtocolError] | None:
    """The class of a refusal that came over the wire; None for a code of a newer release."""
    return _BY_CODE.get(code)


def codes() -> list[str]:
    """Every code there is, sorted; documents and translations are checked against it."""
    return sorted(_BY_CODE)


class TheirMistake(ProtocolError):
    """The other side sent something that the protocol does not allow."""


class OurMistake(ProtocolError, code="our-mistake", status=500):
    """This node was about to build something illegal. Please report it to the makers."""


class NotNow(ProtocolError, status=503):
    """Nobody made a mistake, but it cannot be done now. It is tried again by itself."""


# --- The transport: what is decided before a signature is checked. ---


class UnprovenResponse(NotNow, code="response-unproven"):
    """The answer was not provably the peer's, so it counts as no answer. It is tried again."""


class TooLarge(TheirMistake, code="too-large", status=413):
    """The message is larger than the limit. Send it in smaller parts."""


class BodyBroken(TheirMistake, code="body-broken"):
    """The content did not arrive whole. Send it again."""


class MediaTypeWrong(TheirMistake, code="media-type", status=415):
    """The media type or an encoding of the content is not the one the protocol uses."""


class PathNotCanonical(TheirMistake, code="path-not-canonical"):
    """The path is not written in its one canonical form. Check the address and the proxy."""


class NotFound(TheirMistake, code="not-found", status=404):
    """There is nothing at this address."""


class MethodNotAllowed(TheirMistake, code="method-not-allowed", status=405):
    """Peers speak by POST only."""


class SignatureMissing(TheirMistake, code="signature-missing", status=401):
    """The request is not signed. Sign the components that are named."""


class SignatureMalformed(TheirMistake, code="signature-malformed"):
    """The signature headers cannot be read as this profile writes them."""


class SignatureCoverage(TheirMistake, code="signature-coverage", status=401):
    """The signature does not cover what it must cover. Sign the components that are named."""


class AlgorithmNotAllowed(TheirMistake, code="algorithm-not-allowed", status=401):
    """Only Ed25519 is allowed, and the algorithm is never named on the wire."""


class NonceInvalid(TheirMistake, code="nonce"):
    """The nonce is missing or is not 16 random bytes in base64url."""


class ContextMalformed(TheirMistake, code="context-malformed"):
    """The Peer-Context header is missing or cannot be read."""


class DigestUnsupported(TheirMistake, code="digest-unsupported"):
    """The content digest is missing, repeated, or of a kind that is not supported."""


class DigestMismatch(TheirMistake, code="digest-mismatch"):
    """The content is not the content that was signed. Perhaps a proxy rewrites it."""


# --- Time, names and keys. ---


class ClockSkew(TheirMistake, code="clock-skew", status=401):
    """The two clocks differ too much. Set the clock that is wrong."""


class SignatureExpired(TheirMistake, code="signature-expired", status=401):
    """The signature is too old. Sign again; if this repeats, check the clock."""


class Misdirected(TheirMistake, code="misdirected", status=421):
    """The message is meant for another node. Check the address of the peer."""


class NotAMember(TheirMistake, code="not-a-member", status=403):
    """The sender is not a member of this alliance."""


class MemberSuspended(TheirMistake, code="member-suspended", status=403):
    """The member is suspended at present."""


class MemberExpelled(TheirMistake, code="member-expelled", status=403):
    """The member has left the alliance."""


class PeerBlocked(TheirMistake, code="peer-blocked", status=403):
    """This member does not accept messages from that member at present."""


class KeyUnknown(TheirMistake, code="key-unknown", status=401):
    """The key is not a key of that member in the charter. The charter may have changed."""


class KeyRetired(TheirMistake, code="key-retired", status=401):
    """The key was replaced and is no longer valid."""


class KeyInvalid(TheirMistake, code="key-invalid", status=422):
    """The bytes are not a safe key: wrong length, not on the curve, or of small order."""


class KeyPublished(TheirMistake, code="key-published", status=422):
    """The key stands in a public document, so everybody can sign with it. Make a new one."""


class SignatureInvalid(TheirMistake, code="signature-invalid", status=401):
    """The signature does not match the key and the content."""


class NonceReused(TheirMistake, code="nonce-reused", status=409):
    """This very request was received before. Sign again with a new nonce."""


# --- Bytes and documents. ---


class EncodingInvalid(TheirMistake, code="encoding"):
    """The content is not plain UTF-8 without a byte order mark."""


class JsonNotStrict(TheirMistake, code="json-not-strict"):
    """The content is not strict JSON: see what is named, and where."""


class JsonDepth(TheirMistake, code="json-depth"):
    """The JSON is nested too deeply."""


class DocumentInvalid(TheirMistake, code="document-invalid", status=422):
    """The document does not have the form of its kind. The fields are named."""


class ProtocolVersion(TheirMistake, code="protocol-version", status=426):
    """The message is of a version that this node does not speak. Update the older node."""


# --- Envelopes. ---


class SenderMismatch(TheirMistake, code="sender-mismatch", status=403):
    """The sender named inside is not the member that signed and sent the message."""


class RecipientMismatch(TheirMistake, code="recipient-mismatch", status=403):
    """The recipient named inside is not this member."""


class CannotDecrypt(TheirMistake, code="cannot-decrypt", status=422):
    """The envelope cannot be opened with this node's keys."""


class EnvelopeConflict(TheirMistake, code="envelope-conflict", status=409):
    """An envelope with the same number and other content was received before."""


class ReceiptInvalid(TheirMistake, code="receipt-invalid", status=422):
    """The receipt does not prove that this envelope was stored."""


class ConsentWithdrawn(TheirMistake, code="consent-withdrawn", status=410):
    """The person has withdrawn the consent. Nothing more is sent."""


# --- The charter. ---


class EpochMismatch(TheirMistake, code="epoch-mismatch", status=409):
    """The two nodes hold different versions of the charter. The older one is updated."""


class CharterFork(TheirMistake, code="charter-fork", status=409):
    """There are two different charters with one number. Call the other members at once."""


class CharterInvalid(TheirMistake, code="charter-invalid", status=422):
    """The charter is not valid: see the reason that is named."""


class CharterSkipped(TheirMistake, code="charter-skipped", status=409):
    """Versions of the charter are missing in between. They are fetched and checked in order."""


class CharterRollback(TheirMistake, code="charter-rollback", status=409):
    """This version of the charter was replaced by a later one. The older node is updated."""


class DraftInvalid(TheirMistake, code="draft-invalid", status=422):
    """The draft may not become the next charter: see the reason that is named."""


class ApprovalsMissing(TheirMistake, code="approvals-missing", status=409):
    """Too few members approve of the draft. The missing ones are named."""


class DecreeInvalid(TheirMistake, code="decree-invalid", status=422):
    """This does not prove that enough members agreed: see the first reason, which is named."""


class ProposalInvalid(TheirMistake, code="proposal-invalid", status=422):
    """The proposal does not follow from the reports it stands on: see the reason."""


class BallotStale(TheirMistake, code="ballot-stale", status=409):
    """The member has promised another ballot. Ask again with a number that it can take."""


class BallotTaken(TheirMistake, code="ballot-taken", status=409):
    """The member voted for another proposal in this ballot. Ask again with a higher number."""


class EpochStopped(NotNow, code="epoch-stopped"):
    """The alliance is changing its charter. Orders go on by themselves under the new version."""


class MeasureInvalid(TheirMistake, code="measure-invalid", status=422):
    """The suspension or block is not valid: see the reason that is named."""


class InvitationInvalid(TheirMistake, code="invitation-invalid", status=403):
    """The invitation is for somebody else, or is none. Ask the sponsor for a new one."""


class InvitationExpired(TheirMistake, code="invitation-expired", status=410):
    """The invitation has expired. Ask the sponsor for a new one."""


class InvitationUsed(TheirMistake, code="invitation-used", status=409):
    """The invitation was used before. If that was not you, call the sponsor at once."""


class FingerprintMismatch(TheirMistake, code="fingerprint-mismatch", status=403):
    """The fingerprints differ. Read them again; if they still differ, stop and tell the others."""


# --- The ledger. ---


class IncarnationStale(TheirMistake, code="incarnation-stale", status=409):
    """The node was restored or copied since, and this message is from before. Run restore."""


class OrderInvalid(TheirMistake, code="order-invalid", status=422):
    """The order is not valid: see the reason that is named."""


class AmountInvalid(TheirMistake, code="amount", status=422):
    """The number of points is not a whole number above zero and within the limit."""


class LimitExceeded(TheirMistake, code="limit", status=409):
    """The account has too few points for this order."""


class OrderConflict(TheirMistake, code="double-spend", status=409):
    """The account's owner signed two different orders with one number. Both are kept as proof."""


class PromisesInvalid(TheirMistake, code="promises-invalid", status=422):
    """The promises do not allow this order in its incarnation: see the reason that is named."""


class EvidenceInvalid(TheirMistake, code="evidence-invalid", status=422):
    """The two orders do not prove that their owner signed twice: see the reason that is named."""


class CertificateInvalid(TheirMistake, code="certificate-invalid", status=422):
    """The certificate does not prove a quorum: see the first reason, which is named."""


class BeyondCut(TheirMistake, code="beyond-cut", status=409):
    """The order stands beyond the end of its epoch, so it never took effect. Order it anew."""


# --- Later. ---


class RateLimited(NotNow, code="rate-limited", status=429):
    """Too many messages at once. They are sent again a little later."""


class Maintenance(NotNow, code="maintenance"):
    """The peer is under maintenance. Messages wait and are sent by themselves."""


class Recovering(NotNow, code="recovering"):
    """The peer is restoring its data. Messages wait and are sent by themselves."""


class Abstaining(NotNow, code="abstaining"):
    """The member was restored and does not vote on this account yet. The others' votes count."""


class NonceStoreUnavailable(NotNow, code="nonce-store-unavailable"):
    """The peer cannot reach its database. Messages wait and are sent by themselves."""
