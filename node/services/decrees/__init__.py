"""Decrees, carried out: how this member takes part in the agreement on the next charter.  LEDGER 5.

`drafts` writes, hears and approves of them; `voting` answers the three questions of a ballot;
`enacting` takes a decree into force and hands it to whoever missed it. What is decided is
`protocol.decree`'s; nothing here commits or uses the network: entrances and the worker do.
"""

from node.services.decrees.drafts import (
    DraftClosed,
    DraftUnknown,
    DraftView,
    approve,
    approve_by_ourselves,
    news,
    offer,
    offer_way_out,
    open_drafts,
    propose,
    ready,
    receive_news,
    take_signatures,
    view,
    views,
)
from node.services.decrees.enacting import enact, following, newest, note, waiting
from node.services.decrees.voting import answer_fence, answer_prepared, answer_proposal

__all__ = [
    "DraftClosed",
    "DraftUnknown",
    "DraftView",
    "answer_fence",
    "answer_prepared",
    "answer_proposal",
    "approve",
    "approve_by_ourselves",
    "enact",
    "following",
    "newest",
    "news",
    "note",
    "offer",
    "offer_way_out",
    "open_drafts",
    "propose",
    "ready",
    "receive_news",
    "take_signatures",
    "view",
    "views",
    "waiting",
]
