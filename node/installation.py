"""A running node: its settings and the things opened with them, as entrances are handed them.

`node/opening.py` opens it; web, peers, worker and commands take it as it is.
"""

from dataclasses import dataclass

from node.clock import Clock
from node.config import Settings
from node.context import Context
from node.database import Database
from node.keyring import Keyring
from node.mail import Mailer
from node.transport import PeerTransport


@dataclass(frozen=True, slots=True)
class Node:
    """One member's installation, open."""

    settings: Settings
    clock: Clock
    database: Database
    keyring: Keyring
    mailer: Mailer
    transport: PeerTransport
    context: Context

    def close(self) -> None:
        """Give back connections; nothing is lost, since nothing was kept here."""
        self.transport.close()
        self.database.close()
