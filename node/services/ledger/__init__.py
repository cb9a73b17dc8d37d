"""The ledger, carried out: the decisions are `protocol`'s, the database and the words are ours.

`votes` answers others, `orders` drives our own, `exchange` keeps two nodes alike, `accounts` is
what people see. Nothing here commits or uses the network: entrances and the worker do.
"""

from node.services.ledger.accounts import (
    LineKey,
    Position,
    StatementLine,
    certified,
    is_certified,
    line_key,
    pay,
    position,
    state,
    statement,
)
from node.services.ledger.books import SQLBooks
from node.services.ledger.exchange import absorb, answer_pull, certificates, pull_body, remember
from node.services.ledger.orders import certify, has_work, new_ballot, open_order, waiting
from node.services.ledger.votes import receive_certificate, vote_on

__all__ = [
    "LineKey",
    "Position",
    "SQLBooks",
    "StatementLine",
    "absorb",
    "answer_pull",
    "certificates",
    "certified",
    "certify",
    "has_work",
    "is_certified",
    "line_key",
    "new_ballot",
    "open_order",
    "pay",
    "position",
    "pull_body",
    "receive_certificate",
    "remember",
    "state",
    "statement",
    "vote_on",
    "waiting",
]
