"""Referrals: one candidate offered to one member, from the card to the last stage.  DESIGN 2.4-2.6.

`sending` is the referrer's side, `receiving` the receiver's, `profiles` keeps what was released,
`promises` tells which points were paid, `rules` accepts cards by itself, `listing` is what the two
boards read.
"""

from node.services.referrals.listing import (
    counts,
    list_in,
    list_out,
    of_consent,
    offered,
    people_of,
    sent_of,
    sharing,
    stages_of,
    state_shown,
)
from node.services.referrals.profiles import (
    duplicates_of,
    open_profile,
    open_resume,
    resume_matches,
    twins_of,
)
from node.services.referrals.promises import paid, promised
from node.services.referrals.receiving import (
    STAGES_BY_HAND,
    accept,
    card_of,
    change_stage,
    declare_known,
    decline,
    grounds_of,
    hides_source,
    move,
    receive_attachment,
    receive_profile,
    receive_referral,
    received,
    tell,
    waiting_count,
)
from node.services.referrals.refusals import (
    KnownDateInvalid,
    LetterUnexpected,
    ReferralAnswered,
    ReferralNotAccepted,
    ResumeUnsafe,
    StageUnknown,
)
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
    "KnownDateInvalid",
    "LetterUnexpected",
    "ReferralAnswered",
    "ReferralNotAccepted",
    "ResumeUnsafe",
    "StageUnknown",
    "accept",
    "accepted_this_month",
    "card_of",
    "change_stage",
    "counts",
    "declare_known",
    "decline",
    "duplicates_of",
    "grounds_of",
    "hides_source",
    "list_in",
    "list_out",
    "move",
    "of_consent",
    "offered",
    "open_profile",
    "open_resume",
    "paid",
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
    "sharing",
    "stages_of",
    "state_shown",
    "tell",
    "twins_of",
    "waiting_count",
    "write_rule",
]
