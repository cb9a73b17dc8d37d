"""The worker's inbox step: each letter that came in, in a transaction of its own.  PEER 3."""

import random

import structlog
from sqlalchemy.exc import IntegrityError

from node.installation import Node
from node.keyring import KeyNotHeld
from node.refusals import Refusal
from node.services import inbox
from node.services.inbox import Waiting
from node.services.letters import LetterEarly
from protocol import NotNow, OurMistake, ProtocolError

log = structlog.get_logger("node.worker.inbox")


class Handling:
    """Opens and handles letters; one that we stumble over does not hold up those behind it."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._trying: Waiting | None = None

    def step(self) -> bool:
        """Handle what is due; True when there was something."""
        node = self._node
        if self._trying is not None:
            # The last step broke off here: our mistake, not the letter's. Others go first.
            self._postpone(self._trying, OurMistake.code)
            self._trying = None
        with node.database.reading() as session:
            waiting = inbox.waiting(session, node.context)
        for entry in waiting:
            self._trying = entry
            try:
                with node.database.reading() as session:
                    letter = inbox.open_letter(session, node.context, entry)
                with node.database.transaction() as session:
                    inbox.handle(session, node.context, entry, letter)
            except (NotNow, LetterEarly, KeyNotHeld) as refusal:
                self._postpone(entry, refusal.code)
            except (ProtocolError, Refusal) as refusal:
                self._refuse(entry, refusal.code)
            except IntegrityError:
                # A race, or a letter that our schema knows better than our code. A lane that broke
                # off would rest, and one member's letters hold up everybody's.
                log.error("letter broke a rule of the schema", envelope=entry.envelope_id)
                self._postpone(entry, OurMistake.code)
            self._trying = None
        return bool(waiting)

    def _postpone(self, entry: Waiting, code: str) -> None:
        jitter = random.random()  # noqa: S311 (spreads retries, guards nothing)
        with self._node.database.transaction() as session:
            inbox.postpone(session, self._node.context, entry, code, jitter=jitter)

    def _refuse(self, entry: Waiting, code: str) -> None:
        with self._node.database.transaction() as session:
            inbox.refuse(session, self._node.context, entry, code)
        log.warning("letter refused", sender=entry.sender, code=code, envelope=entry.envelope_id)
