"""Referrals: one candidate offered to one member, from the card to the last stage.  DESIGN 2.4-2.6.

`sending` is the referrer's side, `receiving` the receiver's, `profiles` keeps what was released,
`rules` accepts cards by itself, `listing` is what the two boards read.
"""

from node.services.referrals.listing import (
    counts,
    list_in,
    list_out,
    of_consent,
    people_of,
    promised,
    sent_of,
    stages_of,
    state_shown,
)
from node.services.referrals.profiles import (
    duplicates_of,
    open_profile,
    open_resume,
    resume_matches,
)
from node.services.referrals.receiving import (
    STAGES_BY_HAND,
    accept,
    card_of,
    change_stage,
    declare_known,
    decline,
    move,
    receive_attachment,
    receive_profile,
    receive_referral,
    received,
    waiting_count,
)
from node.services.referrals.refusals import LetterUnexpected, ReferralNotAccepted
from node.services.referrals.rules import accepted_this_month, rule, write_rule
from node.services.referrals.sending import (
    receive_acceptance,
    receive_already_known,
    receive_decline,
    receive_progress,
    refer,
)

__all__ = [
    "STAGES_BY_HAND",
    "LetterUnexpected",
    "ReferralNotAccepted",
    "accept",
    "accepted_this_month",
    "card_of",
    "change_stage",
    "counts",
    "declare_known",
    "decline",
    "duplicates_of",
    "list_in",
    "list_out",
    "move",
    "of_consent",
    "open_profile",
    "open_resume",
    "people_of",
    "promised",
    "receive_acceptance",
    "receive_already_known",
    "receive_attachment",
    "receive_decline",
    "receive_profile",
    "receive_progress",
    "receive_referral",
    "received",
    "refer",
    "resume_matches",
    "rule",
    "sent_of",
    "stages_of",
    "state_shown",
    "waiting_count",
    "write_rule",
]
