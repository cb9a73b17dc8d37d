"""The worker's step for mails that came back: reports in a mailbox, a few at a time.

Each is recorded in a transaction of its own and marked as read after it: who dies in between reads
it once more, and it says nothing new. A report of a mail that is not ours stays unread, for the
person whose mailbox it is.
"""

from datetime import date

import structlog

from node import mail_reader
from node.config import SettingsInvalid
from node.installation import Node
from node.mail_reader import MailboxUnavailable, Reports
from node.services.notices import bounces
from node.services.notices.bounce_mails import MAIL_BYTES_MAX, parse
from node.services.notices.refusals import NotABounce

# Other servers try for hours before they give up; nobody waits for the minute.
LOOK_S = 300
# Of one look; what is left comes in the next.
MAILS_MAX = 200
BYTES_MAX = 16 * 1024 * 1024
# A bounce comes within days. What is older is a person's to look at.
DAYS = 30
# Reports that are not ours are remembered, so as not to be read at each look.
PASSED_MAX = 10_000

log = structlog.get_logger("node.worker.bounces")


class BounceRounds:
    """The mailbox of one node, if the settings name one."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._looked_at: float | None = None
        self._validity = b""
        self._passed: set[int] = set()

    def step(self) -> bool:
        """Look once in a while; there is nothing more to do at once."""
        now = self._node.clock.monotonic()
        is_early = self._looked_at is not None and now < self._looked_at + LOOK_S
        if self._node.settings.bounce_mailbox is None or is_early:
            return False
        self._looked_at = now
        try:
            with mail_reader.opened(self._node.settings) as reports:
                self._read(reports)
        except (MailboxUnavailable, SettingsInvalid) as error:
            log.warning("mailbox of bounces unavailable", error=type(error).__name__)
        return False

    def _read(self, reports: Reports) -> None:
        if reports.validity != self._validity or len(self._passed) > PASSED_MAX:
            self._validity = reports.validity
            self._passed.clear()
        since = self._node.context.day_of(self._node.clock.now() - DAYS * 86_400)
        # The newest first: thousands of others' reports hold up none that comes now.
        found = reversed(reports.unread(date.fromisoformat(since)))
        waiting = [each for each in found if each not in self._passed]
        size = 0
        for number in waiting[:MAILS_MAX]:
            data = reports.read(number, MAIL_BYTES_MAX + 1)
            size += len(data)
            outcome = self._receive(data)
            if outcome in (None, bounces.UNKNOWN):
                self._passed.add(number)
            else:
                log.info("bounce read", outcome=outcome)
                reports.mark_read(number)
            if size > BYTES_MAX:
                break

    def _receive(self, data: bytes) -> str | None:
        """Record one report; None when it is no bounce."""
        try:
            mail = parse(data)
        except NotABounce:
            return None
        with self._node.database.transaction() as session:
            return bounces.receive(session, self._node.context, mail, actor="worker")
