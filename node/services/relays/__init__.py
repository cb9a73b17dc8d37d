"""Relays: a person we did not hire is handed on, with a fresh consent of their own.

HR hands on; that sends nothing. It makes an applicant of our own out of the profile we received,
under a key of its own, who is told the result like all others. The private link in that notice
shows the person by whom the profile came to us, and only what he or she agrees to there goes on:
an ordinary referral of ours. Of the selection here nothing travels, and of the first referral
neither.  DOMAIN 2.7, 3.1, 3.7; 個人情報保護法 27(1), 29, 30.

`handing` is HR's side, `origins` the person's, `forgetting` what is destroyed when asked.
"""

from node.services.relays.forgetting import forget_received, hold_received, made_of
from node.services.relays.handing import (
    ContactRefused,
    NothingToHandOn,
    PersonWithdrew,
    SelectionNotOver,
    check,
    hand_on,
    made_by,
    may_hand_on,
    receive_profile,
)
from node.services.relays.origins import (
    ACQUIRED,
    Chain,
    acquainted,
    chain_of,
    handed_on,
    has_resume,
    of_applicant,
    of_referral,
    profile_of,
)

__all__ = [
    "ACQUIRED",
    "Chain",
    "ContactRefused",
    "NothingToHandOn",
    "PersonWithdrew",
    "SelectionNotOver",
    "acquainted",
    "chain_of",
    "check",
    "forget_received",
    "hand_on",
    "handed_on",
    "has_resume",
    "hold_received",
    "made_by",
    "made_of",
    "may_hand_on",
    "of_applicant",
    "of_referral",
    "profile_of",
    "receive_profile",
]
