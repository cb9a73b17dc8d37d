"""Opening a node: what its settings describe, for servers and commands alike.

Commands open one without a page or a framework; `app.py` makes the pages of one that is open.
"""

from node import keyring_file
from node.clock import Clock, SystemClock
from node.config import Settings
from node.context import Context
from node.database import Database
from node.installation import Node
from node.keyring import Keyring
from node.mail import Mailer
from node.services import charter
from node.transport import PeerTransport


def open_node(settings: Settings, clock: Clock | None = None) -> Node:
    """Open the node that `settings` describe: its keys, its database, its ways out."""
    clock = clock or SystemClock()
    watch = keyring_file.Watch(settings.key_file, settings.read_passphrase)
    keyring = Keyring(watch.first(), watch.changed)
    context = Context(settings, clock, keyring, charter.in_force)
    return Node(
        settings=settings,
        clock=clock,
        database=Database(settings.database_url, unsafe=settings.unsafe_database),
        keyring=keyring,
        mailer=Mailer(settings, clock),
        transport=PeerTransport(settings, clock, context.calling),
        context=context,
    )
