"""The ledger, carried out: the decisions are `protocol`'s, the database and the words are ours.

`votes` answers others, `orders` drives our own, `exchange` keeps two nodes alike; `applied` reads
what is settled; `accounts`, `statement`, `settlement`, `history` and `inspection` are what people
see, and `verification` proves all of it again. Nothing here commits or uses the network: entrances
and the worker do.
"""

from node.services.ledger.accounts import Position, hold, new_entry_id, pay, position, state
from node.services.ledger.applied import Certified, Place, entries, is_certified, place_of
from node.services.ledger.books import SQLBooks
from node.services.ledger.epochs import settle
from node.services.ledger.exchange import absorb, answer_pull, certificates, pull_body, remember
from node.services.ledger.history import balances
from node.services.ledger.inspection import (
    CertificateUnknown,
    CertificateView,
    Comparison,
    Difference,
    certificate,
    check,
    compare,
    heads_beside,
)
from node.services.ledger.orders import certify, has_work, new_ballot, open_order, waiting
from node.services.ledger.settlement import Settlement, settlement, settlements
from node.services.ledger.statement import LineKey, StatementLine, line_key, statement
from node.services.ledger.verification import Finding, Verification
from node.services.ledger.votes import receive_certificate, vote_on

__all__ = [
    "CertificateUnknown",
    "CertificateView",
    "Certified",
    "Comparison",
    "Difference",
    "Finding",
    "LineKey",
    "Place",
    "Position",
    "SQLBooks",
    "Settlement",
    "StatementLine",
    "Verification",
    "absorb",
    "answer_pull",
    "balances",
    "certificate",
    "certificates",
    "certify",
    "check",
    "compare",
    "entries",
    "has_work",
    "heads_beside",
    "hold",
    "is_certified",
    "line_key",
    "new_ballot",
    "new_entry_id",
    "open_order",
    "pay",
    "place_of",
    "position",
    "pull_body",
    "receive_certificate",
    "remember",
    "settle",
    "settlement",
    "settlements",
    "state",
    "statement",
    "vote_on",
    "waiting",
]
