"""`tasuki demo`: founds an alliance of four on this machine and plays DESIGN 2 through on it."""

from pathlib import Path

import click

from node.cli.entrance import plainly


@click.command(
    epilog="Example: tasuki demo --once --nodes-on postgresql",
    short_help="Found an alliance of four here, and play it through.",
)
@click.option("--once", is_flag=True, help="Stop afterwards; the last line is a JSON summary.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the nodes' files in this folder; without it they go when the demo ends.",
)
@click.option(
    "--nodes-on",
    type=click.Choice(["sqlite", "postgresql"]),
    default="sqlite",
    show_default=True,
    help="Database of the nodes.",
)
@plainly
def demo(*, once: bool, data: Path | None, nodes_on: str) -> None:
    """Found an alliance of four on this machine, and play a whole referral through on it.

    Four real nodes on loopback: applicants are imported, notices sent, ten people consent,
    referrals travel, points are certified, and one hire is free. Then the nodes stay up to be
    looked at, with their users and everybody's mail, until Ctrl-C.
    """
    # Only this command needs a mail server and all the rest.
    from node.cli.demo.performance import perform

    perform(once=once, data=data, nodes_on=nodes_on)
