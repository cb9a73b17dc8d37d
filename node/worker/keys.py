"""The worker's part in a change of keys: old ones leave the key file when nothing needs them."""

import structlog

from node import keyring_file
from node.installation import Node
from node.services import keys

log = structlog.get_logger("node.worker.keys")


def drop_drained_keys(node: Node) -> None:
    """Drop each pair that is kept and whose time is over; other processes follow by themselves."""
    if len(node.keyring.pairs) == 1:
        return
    with node.database.reading() as session:
        gone = keys.drained(session, node.context)
    if not gone:
        return
    settings = node.settings
    keyring_file.change(
        settings.key_file, settings.read_passphrase(), lambda held: keys.without(held, gone)
    )
    with node.database.transaction() as session:
        keys.note_dropped(session, node.context, gone)
    node.keyring.look_again()
    log.info("old keys dropped", count=len(gone))
