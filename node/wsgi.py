"""The application for a web server of one's own: `node.wsgi:app`.  deploy/gunicorn.conf.py

For those who run web processes and workers apart, on PostgreSQL. Import it in the process that
will answer, after the fork: connections and threads do not survive one.
"""

from flask import Flask

from node import config, logs
from node.app import create_app
from node.opening import open_node


def _make() -> Flask:
    settings = config.load()
    logs.configure(settings.log_level)
    node = open_node(settings)
    # Whichever process comes first does it; the others wait for it, and find it done.
    node.database.upgrade()
    return create_app(node)


app = _make()
