"""A peer that calls a node's door through Flask's client: real keys, real signatures, any defect.

`Caller` is one member's way to another member's application. What it sends can be bent in every
place; what comes back is verified exactly as a real peer would.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from node import models
from node.allowance import SHARE, Share
from node.app import create_app
from node.database import Database
from node.installation import Node
from node.mail import Mailer
from node.transport import PeerTransport
from protocol import Charter, SigningKey, VerifyKey, envelope, errors, http, problems, sign
from tests.equipment.alliance import House

ENVELOPES = "/peer/v1/envelopes"
HELLO = "/peer/v1/hello"


def node_of(house: House) -> Node:
    """The whole node around a member of the alliance."""
    context = house.context
    return Node(
        settings=context.settings,
        clock=context.clock,
        database=house.database,
        keyring=context.keyring,
        mailer=Mailer(context.settings, context.clock),
        transport=PeerTransport(context.settings, context.clock, context.calling),
        context=context,
    )


@dataclass(frozen=True)
class Answer:
    """A node's answer, and whether it proved to be that node's."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    is_proven: bool

    @property
    def problem(self) -> problems.Problem:
        assert self.headers["Content-Type"] == http.PROBLEM_TYPE
        return problems.parse_problem(self.body)

    @property
    def code(self) -> str:
        return self.problem.code


class Caller:
    """`us` calls `them`; every argument of `call` may replace what would be right."""

    def __init__(self, us: House, them: House, charter: Charter, *, share: Share = SHARE) -> None:
        self.us, self.them, self.charter = us, them, charter
        self.client: FlaskClient = create_app(node_of(them), share=share).test_client()

    def headers(
        self,
        body: bytes,
        *,
        path: str = ENVELOPES,
        created: int | None = None,
        nonce: bytes | None = None,
        key: SigningKey | None = None,
        authority: str | None = None,
        context: http.Context | None = None,
    ) -> dict[str, str]:
        here = self.us.context
        return http.sign_request(
            authority=authority or self.charter.member(self.them.id).authority,
            path=path,
            body=body,
            context=context or self.context(),
            key=key or here.keyring.signing,
            created=here.now() if created is None else created,
            nonce=nonce or os.urandom(16),
        )

    def context(self, **changes: Any) -> http.Context:  # noqa: ANN401 (any field, any value)
        right = {
            "alliance": self.charter.alliance,
            "epoch": self.charter.version,
            "sender": self.us.id,
            "recipient": self.them.id,
        }
        return http.Context(**(right | changes))

    def call(
        self,
        body: bytes,
        *,
        path: str = ENVELOPES,
        headers: Mapping[str, str] | None = None,
        sent_path: str | None = None,
        sent_body: bytes | None = None,
        method: str = "POST",
        **signed: Any,  # noqa: ANN401 (what `headers` takes)
    ) -> Answer:
        """Sign as told, send as told, and verify the answer."""
        made = dict(headers) if headers is not None else self.headers(body, path=path, **signed)
        return self.send(
            made, body if sent_body is None else sent_body, path=sent_path or path, method=method
        )

    def send(
        self,
        headers: Mapping[str, str],
        body: bytes,
        *,
        path: str = ENVELOPES,
        method: str = "POST",
    ) -> Answer:
        # The client would tidy the path up; a server hands it over as it came.
        raw = {"RAW_URI": path, "PATH_INFO": unquote(path.partition("?")[0])}
        response = self.client.open(
            method=method, headers=dict(headers), data=body, environ_overrides=raw
        )
        proven = self._is_proven(headers, body, path, method, response)
        return Answer(response.status_code, response.data, response.headers, proven)

    def _is_proven(
        self,
        headers: Mapping[str, str],
        body: bytes,
        path: str,
        method: str,
        response: TestResponse,
    ) -> bool:
        try:
            asked = http.parse_request(
                method=method,
                authority=self.charter.member(self.them.id).authority,
                raw_path=path,
                headers=headers,
                body=body,
            )
            http.verify_response(
                status=response.status_code,
                headers=list(response.headers.items()),
                body=response.data,
                request=asked,
                key_of=self._key_of,
            )
        except errors.ProtocolError:
            return False
        return True

    def _key_of(self, sender: str, keyid: str) -> VerifyKey:
        key = self.charter.member(sender).verify_key
        assert key.keyid == keyid
        return key

    def letter(
        self,
        kind: str,
        payload: bytes,
        **changes: Any,  # noqa: ANN401 (any field, any value)
    ) -> envelope.Envelope:
        """An envelope from us to them around a signed document; anything may be replaced."""
        document = changes.pop("document", None)
        if document is None:
            document = sign(kind, payload, changes.pop("key", self.us.context.keyring.signing))
        right = {
            "id": os.urandom(16).hex(),
            "alliance": self.charter.alliance,
            "epoch": self.charter.version,
            "sender": self.us.id,
            "recipient": self.them.id,
            "recipient_key": self.charter.member(self.them.id).sealing_public,
            "kind_class": "letter",
            "deadline": self.us.context.now() + 3600,
        }
        return envelope.seal(document, **(right | changes))


# What a refused request must leave as it was; nonces are spent by design.
KEPT = (
    models.InboxEntry,
    models.OutboxEntry,
    models.LedgerLock,
    models.LedgerCertificate,
    models.HeldCertificate,
    models.ReferralIn,
    models.ExchangeLink,
    models.Evidence,
)


def stored(database: Database) -> dict[str, int]:
    """How many rows there are of everything a peer could cause."""
    with database.reading() as session:
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in KEPT
        }
