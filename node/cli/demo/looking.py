"""Looking at the nodes' databases, to see whether what was done came true; nothing is written."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Self

from node.cli.demo.workshop import Place
from node.installation import Node
from node.models.schema import METADATA
from node.opening import open_node
from node.services import hires, ledger, referrals
from node.services.ledger import Position

# More than the story has.
HIRES_MAX = 10


class Look:
    """Every node, open for reading."""

    def __init__(self, places: list[Place]) -> None:
        self._nodes: dict[str, Node] = {}
        try:
            for place in places:
                self._nodes[place.id] = open_node(place.settings())
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every database."""
        for node in self._nodes.values():
            node.close()

    def today(self) -> date:
        """The day where HR works."""
        node = self._nodes["aoba"]
        return datetime.fromtimestamp(node.clock.now(), node.settings.time_zone).date()

    def position(self, member: str) -> Position:
        """Where a member's account stands, as its own node knows."""
        node = self._nodes[member]
        with node.database.reading() as session:
            return ledger.position(session, node.context)

    def digests(self) -> set[bytes]:
        """The digests of the ledger, as each node has it; one if all are equal."""
        found = set()
        for node in self._nodes.values():
            with node.database.reading() as session:
                found.add(ledger.state(session)[1])
        return found

    def received(self, member: str, state: str = "") -> int:
        """How many referrals a member has received, in one state or in all."""
        node = self._nodes[member]
        with node.database.reading() as session:
            counts = referrals.counts(session)[1]
        return counts.get(state, 0) if state else sum(counts.values())

    def sent(self, member: str, state: str) -> int:
        """How many of the referrals that a member sent are in a state."""
        node = self._nodes[member]
        with node.database.reading() as session:
            return referrals.counts(session)[0].get(state, 0)

    def consents(self, member: str) -> int:
        """How many consents stand at a member."""
        rows = self._rows(member, "SELECT id FROM consents WHERE state = 'given'")
        return sum(1 for _ in rows)

    def hires_with_slot(self, member: str) -> tuple[int, int]:
        """How many free hires a member made, and the fees of all its hires together."""
        node = self._nodes[member]
        with node.database.reading() as session:
            ours = hires.list_hires(session, direction="in", limit=HIRES_MAX).rows
        return sum(hire.points > 0 for hire in ours), sum(hire.fee_yen for hire in ours)

    def erasure_receipts(self, member: str) -> int:
        """How many proofs of an erasure a member has got."""
        proven = "SELECT id FROM erasures WHERE direction = 'out' AND receipt IS NOT NULL"
        return sum(1 for _ in self._rows(member, proven))

    def profiles_left(self, member: str) -> int:
        """Where something is left of those who took back what this member had sent."""
        asked = "SELECT referral_id FROM erasures WHERE direction = 'out'"
        taken_back = {row[0] for row in self._rows(member, asked)}
        held = (
            "SELECT r.referral_id FROM referrals_in r JOIN person_keys k ON k.person_id = r.id "
            "WHERE r.profile_blob IS NOT NULL OR k.wrapped IS NOT NULL"
        )
        others = (other for other in self._nodes if other != member)
        return sum(row[0] in taken_back for other in others for row in self._rows(other, held))

    def everything(self) -> Iterator[tuple[str, object]]:
        """Every value in every table of every node, with the table's name."""
        for member in self._nodes:
            for table in METADATA.tables:
                for row in self._rows(member, f'SELECT * FROM "{table}"'):  # noqa: S608 (ours)
                    for value in row:
                        yield f"{table} of {member}", value

    def _rows(self, member: str, statement: str) -> Iterator[Sequence[object]]:
        with self._nodes[member].database.reading() as session:
            yield from session.connection().exec_driver_sql(statement)
