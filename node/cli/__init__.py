"""The `tasuki` command: one file for each word it knows."""

import click

from node.cli.applicants import import_
from node.cli.backup import backup, backup_key
from node.cli.demo import demo
from node.cli.doctor import doctor
from node.cli.found import found
from node.cli.init import init
from node.cli.ledger import ledger
from node.cli.restore import restore
from node.cli.serve import serve, worker
from node.cli.users import users


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tasuki")
def main() -> None:
    """Run one member's node of a recruiting alliance.

    Settings come from the environment and from the file that TASUKI_ENV_FILE names; see
    deploy/tasuki.env. Every word has its own help: `tasuki init --help`.
    """


for command in (
    demo,
    init,
    found,
    serve,
    worker,
    doctor,
    users,
    import_,
    ledger,
    backup,
    backup_key,
    restore,
):
    main.add_command(command)
