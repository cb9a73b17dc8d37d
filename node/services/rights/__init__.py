"""Rights: what a person who has consented may ask of us: take it back, read it, have it erased.

The page that the receipt leads to shows no name, so it may take a consent back by itself. Whoever
wants to read or erase the data proves the mailbox first, with a code: a receipt may have been
passed on.  個人情報保護法 33-35; DOMAIN 2.4 C8, C9.
"""

from node.services.rights.correcting import correct, facts_of
from node.services.rights.erasing import (
    destroy,
    erase,
    receive_withdrawal,
    stop_contact,
    withdraw,
)
from node.services.rights.proof import check_code, consent_of, mailbox, send_code
from node.services.rights.reading import copy_of

__all__ = [
    "check_code",
    "consent_of",
    "copy_of",
    "correct",
    "destroy",
    "erase",
    "facts_of",
    "mailbox",
    "receive_withdrawal",
    "send_code",
    "stop_contact",
    "withdraw",
]
