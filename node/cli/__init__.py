"""The `tasuki` command: one file for each word it knows."""

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tasuki")
def main() -> None:
    """Run one member's node of a recruiting alliance.

    Settings come from the environment and from the file that TASUKI_ENV_FILE names; see
    deploy/tasuki.env. Every word has its own help: `tasuki init --help`.
    """
