"""Erasures: a consent taken back, carried out at every company that holds something, and proven.

`asking` is the referrer's side, `answering` the receiver's, `owing` what is not proven yet.
個人情報保護法 22, 35; DOMAIN 2.4 C8.
"""

from node.services.erasures.answering import receive_withdrawal
from node.services.erasures.asking import ask_again, may_withdraw, receive_receipt, withdraw
from node.services.erasures.owing import (
    by_referral,
    kept_of,
    list_erasures,
    owed,
    state_of,
)

__all__ = [
    "ask_again",
    "by_referral",
    "kept_of",
    "list_erasures",
    "may_withdraw",
    "owed",
    "receive_receipt",
    "receive_withdrawal",
    "state_of",
    "withdraw",
]
