"""Error codes that are stored beside a delivery or a peer, as sentences for people."""

from flask_babel import gettext as _

from node.i18n import later
from node.services.membership import PAUSED
from node.services.outbox import PARTNER_LEFT, WE_LEFT
from protocol import errors

# What people did, what the transport found out; the rest are codes of the protocol.
FAILURES = {
    PARTNER_LEFT: later("The company has left the alliance, so it was not sent."),
    WE_LEFT: later("Your company has left the alliance, so it was not sent."),
    PAUSED: later("An administrator of your company has paused the sending."),
    "not-reached": later("The peer's server cannot be reached."),
    "no-answer": later("The connection broke before an answer came."),
    "timed-out": later("The peer's server did not answer in time."),
    "tls-failed": later("The encrypted connection failed. The peer's certificate may be wrong."),
    "name-not-found": later("The name of the peer's server cannot be found (DNS)."),
    "address-refused": later("The address of the peer's server is not one that may be called."),
    "redirected": later("The peer's server sends us elsewhere, which is not allowed."),
    "answer-too-large": later("The answer of the peer's server is too large."),
}


def error_words(code: str | None) -> str:
    """What a stored code means, as a sentence; the code itself for one of a newer release."""
    if not code:
        return ""
    if code in FAILURES:
        return str(_(FAILURES[code]))
    refusal = errors.by_code(code)
    if refusal is None:
        return code
    sentence = " ".join((refusal.__doc__ or "").split())
    return str(_(sentence))
