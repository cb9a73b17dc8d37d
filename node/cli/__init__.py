"""The `tasuki` command: one file for each word it knows."""

import click

from node.cli.words import LateGroup, Word

WORDS = {
    "backup": Word(
        "node.cli.backup",
        "backup",
        "Write one encrypted file with everything, while the node runs.",
    ),
    "backup-key": Word(
        "node.cli.backup", "backup_key", "Make a recipient of backups; its secret goes onto paper."
    ),
    "charter": Word(
        "node.cli.charter",
        "charter",
        "Show the charter in force, and verify charters without a node.",
    ),
    "conformance": Word(
        "node.cli.conformance",
        "conformance",
        "Try whether a running peer keeps to the protocol.",
    ),
    "demo": Word("node.cli.demo", "demo", "Found an alliance of four here, and play it through."),
    "doctor": Word(
        "node.cli.doctor", "doctor", "Look whether this node is well, and say what to do."
    ),
    "found": Word("node.cli.found", "found", "Found an alliance: draft, sign, adopt."),
    "import": Word(
        "node.cli.applicants", "import_", "Import applicants from a CSV, TSV or Excel file."
    ),
    "init": Word("node.cli.init", "init", "Make this member's keys and its first administrator."),
    "invite": Word(
        "node.cli.invite",
        "invite",
        "Bring a new member in: invite, hear its fingerprint, write the draft.",
    ),
    "join": Word(
        "node.cli.join",
        "join",
        "Join an alliance that invited this member.",
    ),
    "keys": Word(
        "node.cli.keys", "keys", "Show this node's signing and sealing keys, and replace them."
    ),
    "ledger": Word(
        "node.cli.ledger",
        "ledger",
        "Look at this node's ledger, compare it with a peer's, and prove it again.",
    ),
    "notices": Word(
        "node.cli.notices", "notices", "Read the bounces of notices from the sender's mailbox."
    ),
    "peers": Word(
        "node.cli.peers",
        "peers",
        "List the other members' nodes; block one, or suspend it with another member.",
    ),
    "restore": Word(
        "node.cli.restore",
        "restore",
        "Bring a node back from a backup, into an empty data folder and database.",
    ),
    "retention": Word(
        "node.cli.retention", "retention_", "Show what is kept how long, and what will go."
    ),
    "serve": Word("node.cli.serve", "serve", "Run this node: pages, peers and the worker."),
    "users": Word("node.cli.users", "users", "List, add and repair the users of this node."),
    "worker": Word("node.cli.serve", "worker", "Run one more worker beside `tasuki serve`."),
}


@click.group(cls=LateGroup, words=WORDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tasuki")
def main() -> None:
    """Run one member's node of a recruiting alliance.

    Settings come from the environment and from the file that TASUKI_ENV_FILE names; see
    deploy/tasuki.env. Every word has its own help: `tasuki init --help`.
    """
