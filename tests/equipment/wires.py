"""The way to other members without the network: honest ones do what their nodes would do."""

from collections.abc import Callable
from dataclasses import replace

from node.installation import Node
from node.services import decrees, ledger
from node.services.ledger import evidence, tenure
from protocol import Charter, ProtocolError, http, problems
from tests.equipment.alliance import Alliance
from tests.equipment.peers import node_of

DECREES = {
    "ballots": decrees.answer_fence,
    "drafts": decrees.receive_news,
    "prepared": decrees.answer_prepared,
    "proposals": decrees.answer_proposal,
}
# What a hostile member answers: path and body -> body.
Answer = Callable[[str, bytes], bytes]


class Wires:
    """A transport of one member of an alliance; `hostile` members answer what they like."""

    def __init__(self, alliance: Alliance, us: str, hostile: dict[str, Answer]) -> None:
        self._alliance, self._us = alliance, us
        self._hostile = hostile
        self.asked: list[tuple[str, str]] = []

    def post(self, charter: Charter, member: str, path: str, body: bytes) -> http.VerifiedResponse:
        self.asked.append((member, path))
        context = http.Context(charter.alliance, charter.version, member, self._us)
        try:
            answer, status, kind = self._answer(member, path, body), 200, http.JSON_TYPE
        except ProtocolError as refusal:
            status, kind = refusal.status, http.PROBLEM_TYPE
            answer = problems.problem(refusal, "r" * 16, verified=True)
        return http.VerifiedResponse(status, kind, answer, context, "")

    def _answer(self, member: str, path: str, body: bytes) -> bytes:
        if member in self._hostile:
            return self._hostile[member](path, body)
        return self.honest(member, path, body)

    def honest(self, member: str, path: str, body: bytes) -> bytes:
        """What this member's own node answers, committed before it is returned."""
        house, us = self._alliance[member], self._us
        with house.database.transaction() as session:
            context, what = house.context, path.rpartition("/")[2]
            if what == "orders":
                outcome = ledger.vote_on(session, context, body)
            elif what == "standing":
                outcome = tenure.answer_standing(session, context, us)
            elif what == "fences":
                outcome = tenure.answer_fence(session, context, us, body)
            elif what == "pull":
                outcome = ledger.answer_pull(session, context, body)
            elif what in DECREES:
                outcome = DECREES[what](session, context, body)
            else:
                outcome = b"{}"
                if what == "evidence":
                    evidence.receive(session, context, body)
                else:
                    assert what == "certificates", path
                    ledger.receive_certificate(session, context, body)
        if isinstance(outcome, ProtocolError):
            raise outcome
        return outcome

    def fetch_proof(self, charter: Charter, member: str, path: str, body: bytes) -> bytes:
        """The version after `charter`, as this member hands it on."""
        self.asked.append((member, path))
        if member in self._hostile:
            return self._hostile[member](path, body)
        house = self._alliance[member]
        with house.database.reading() as session:
            return decrees.following(session, charter.version) or b"{}"

    def close(self) -> None:
        """Nothing was opened."""


def node_with(alliance: Alliance, us: str = "aoba", **hostile: Answer) -> Node:
    """A member's node whose calls reach the others' services at once."""
    return replace(node_of(alliance[us]), transport=Wires(alliance, us, hostile))


def wires_of(node: Node) -> Wires:
    """The wires of such a node."""
    assert isinstance(node.transport, Wires)
    return node.transport
