"""`tasuki serve` and `tasuki worker`: a whole node in one command, or one more worker."""

import signal
from types import FrameType

import click

from node.cli.entrance import load_settings, plainly
from node.database import Database
from node.opening import open_node
from node.web_server import NodeServer, require_free_port
from node.worker import Worker


@click.command(epilog="Example: TASUKI_ENV_FILE=/etc/tasuki/tasuki.env tasuki serve")
@click.option("--no-worker", is_flag=True, help="Pages and peers only; workers run elsewhere.")
@plainly
def serve(no_worker: bool) -> None:
    """Run this node: pages, peers and the worker. SIGTERM stops it cleanly."""
    settings = load_settings()
    require_free_port(*settings.listen)
    # Before the fork, once: the schema, and whether the keys can be opened at all.
    node = open_node(settings)
    node.database.upgrade()
    node.close()
    NodeServer(settings, with_worker=not no_worker).run()


@click.command(epilog="Example: tasuki worker")
@plainly
def worker() -> None:
    """Run one more worker beside `tasuki serve`. For PostgreSQL only.

    Workers share the database: each takes rows that no other holds.
    """
    settings = load_settings()
    if Database(settings.database_url, unsafe=settings.unsafe_database).dialect == "sqlite":
        raise click.ClickException(
            "On SQLite the worker runs inside `tasuki serve`; a second one would only wait."
        )
    running = Worker(open_node(settings))

    def stop(_: int, __: FrameType | None) -> None:
        running.stop_soon()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    running.run()
