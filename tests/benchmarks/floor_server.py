"""The floor of the delivery benchmark: verify one Ed25519 signature, commit one row, answer.

Run by gunicorn with a node's own options: nothing of Tasuki's protocol, all of its durability.
"""

import os

from flask import Flask, Response, request
from nacl.signing import VerifyKey
from sqlalchemy import text

from node import config
from node.database import Database
from node.web_server import NodeServer


class FloorServer(NodeServer):
    """The same server around the least application."""

    def load(self) -> Flask:
        settings = config.load()
        database = Database(settings.database_url)
        key = VerifyKey(bytes.fromhex(os.environ["FLOOR_KEY"]))
        app = Flask("floor")

        @app.post("/")
        def take() -> Response:
            body = request.get_data(cache=False)
            key.verify(body, bytes.fromhex(request.headers["Signature"]))
            with database.transaction() as session:
                session.execute(text("INSERT INTO floor (body) VALUES (:body)"), {"body": body})
            return Response(b"{}", content_type="application/json")

        return app


if __name__ == "__main__":
    FloorServer(config.load(), with_worker=False).run()
