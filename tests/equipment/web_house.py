"""A member's node with its pages: visitors to click through them, and a server for browsers."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import TestResponse

from node import models
from node.app import create_app
from node.clock import FixedClock
from node.installation import Node
from node.mail import Mailer
from node.services import sessions, users
from node.transport import PeerTransport
from node.web.entrance import cookie_name
from tests.equipment.alliance import House

PASSWORD = "ekiden no tasuki"
NAMES = {
    "admin": "山田 花子",
    "recruiter": "佐藤 太郎",
    "approver": "鈴木 次郎",
    "viewer": "高橋 三郎",
}
TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


class CompiledPages(BytecodeCache):
    """Templates compiled once for all the nodes of a test run; a node does it once for itself."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = CompiledPages()


@dataclass
class Visitor:
    """Somebody with a browser, without the browser: reads pages and sends their forms."""

    client: FlaskClient
    # A page that holds a form, to take the token from.
    form_page: str = "/sign-in"

    def get(self, path: str, **more: object) -> TestResponse:
        # Read to the end, so that no file stays open.
        return self.client.get(path, buffered=True, **more)

    def post(
        self, path: str, values: dict[str, object] | None = None, **more: object
    ) -> TestResponse:
        """Send a form as its page would, with the page's token."""
        data = {"csrf_token": self.token(), **(values or {})}
        return self.client.post(path, data=data, buffered=True, **more)

    def token(self) -> str:
        page = self.client.get(self.form_page).get_data(as_text=True)
        found = TOKEN.search(page)
        assert found, f"{self.form_page} holds no token"
        return found[1]


@dataclass
class WebHouse:
    """One member's node as people see it."""

    house: House
    _users: dict[str, models.User] = field(default_factory=dict)

    @property
    def clock(self) -> FixedClock:
        clock = self.house.context.clock
        assert isinstance(clock, FixedClock)
        return clock

    @cached_property
    def node(self) -> Node:
        context = self.house.context
        return Node(
            settings=context.settings,
            clock=context.clock,
            database=self.house.database,
            keyring=context.keyring,
            mailer=Mailer(context.settings, context.clock),
            transport=PeerTransport(context.settings, context.clock, context.calling),
            context=context,
        )

    @cached_property
    def app(self) -> Flask:
        app = create_app(self.node)
        app.testing = True
        app.jinja_env.bytecode_cache = COMPILED
        # What goes wrong inside is shown by the test, and not turned into a page.
        app.config["PROPAGATE_EXCEPTIONS"] = False
        return app

    def user(self, role: str = "admin") -> models.User:
        """The user of that role; made at the first question, with PASSWORD."""
        if role not in self._users:
            with self.node.database.transaction() as session:
                self._users[role] = users.create(
                    session,
                    self.node.context,
                    login=role,
                    name=NAMES[role],
                    role=role,
                    password=PASSWORD,
                    actor="cli",
                )
        return self._users[role]

    def visitor(self) -> Visitor:
        """Somebody who has not signed in."""
        return Visitor(self.app.test_client())

    def token_of(self, role: str) -> str:
        """A session of the user of that role, without the slow password."""
        user = self.user(role)
        with self.node.database.transaction() as session:
            return sessions.open_session(session, self.node.context, user)

    def signed_in(self, role: str = "admin") -> Visitor:
        """Somebody who has."""
        client = self.app.test_client()
        with self.app.app_context():
            client.set_cookie(cookie_name(), self.token_of(role))
        return Visitor(client, form_page="/users/me/password")

    @contextmanager
    def served(self) -> Iterator[str]:
        """The pages at an address of their own, for a real browser."""
        server = make_server("127.0.0.1", 0, self.app, threaded=True, request_handler=Quiet)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class Quiet(WSGIRequestHandler):
    """No line for each request between the tests' dots."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 (werkzeug's)
        pass
