"""The worker's step of suspensions: tell each member until it has heard, or it is over.  PEER 4."""

import hashlib
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass

import structlog

from node.installation import Node
from node.services import measures
from node.services.measures import News
from node.worker.calls import others, post
from node.worker.ledger import Lines
from protocol import Charter, ProtocolError

SUSPENSIONS_PATH = "/peer/v1/suspensions"
# Whoever does not answer is told again soon, and then every five minutes, for 72 hours at most.
AGAIN_FIRST_S = 5
AGAIN_S_MAX = 300
TOLD_AT_ONCE = 1

log = structlog.get_logger("node.worker.measures")


@dataclass(frozen=True, slots=True)
class Told:
    """What a member was told last: all of it heard, or when it is told again."""

    mark: bytes
    heard: bool = False
    tries: int = 0
    again_at: float = 0.0


class SuspensionRounds:
    """What this node has heard of suspensions, on its way to everybody else."""

    def __init__(self, node: Node, executor: Executor) -> None:
        self._node = node
        self._lines = Lines(executor, TOLD_AT_ONCE)
        self._told: dict[tuple[str, bytes], Told] = {}
        self._calls: dict[Future[bytes | None], tuple[str, News]] = {}

    def step(self) -> bool:
        """Take what was answered, and tell whoever has not heard; nobody is waited for."""
        for call in [call for call in self._calls if call.done()]:
            self._take(*self._calls.pop(call), call.result())
        with self._node.database.reading() as session:
            charter = self._node.context.charter(session)
            news = measures.news(session, self._node.context)
        if not news:
            self._told.clear()
        for each in news:
            self._tell(charter, each)
        return False

    def _tell(self, charter: Charter, news: News) -> None:
        mark, now = _mark(news), self._node.clock.monotonic()
        for member in others(self._node, charter):
            if member == news.member and not news.is_complete:
                continue
            told = self._told.get((member, news.digest))
            if told and told.mark == mark and (told.heard or now < told.again_at):
                continue
            call = self._lines.call(member, self._posting(charter, member, news.document))
            if call is not None:
                self._calls[call] = member, news

    def _take(self, member: str, news: News, answer: bytes | None) -> None:
        key, mark = (member, news.digest), _mark(news)
        before = self._told.get(key)
        tries = before.tries if before and before.mark == mark else 0
        if answer is None:
            wait_s = min(AGAIN_S_MAX, AGAIN_FIRST_S << min(tries, 16))
            again_at = self._node.clock.monotonic() + wait_s
            self._told[key] = Told(mark, tries=tries + 1, again_at=again_at)
            return
        self._told[key] = Told(mark, heard=True)
        try:
            with self._node.database.transaction() as session:
                measures.receive(session, self._node.context, answer)
        except ProtocolError as refusal:
            log.warning("news of a suspension were refused", peer=member, code=refusal.code)

    def _posting(self, charter: Charter, member: str, body: bytes) -> Callable[[], bytes | None]:
        return lambda: post(self._node, charter, member, SUSPENSIONS_PATH, body)


def _mark(news: News) -> bytes:
    return hashlib.sha256(news.document).digest()
