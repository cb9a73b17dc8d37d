"""The worker's step for what people were asked: ended in time, and settled.  DOMAIN 2.4 C12."""

from node.installation import Node
from node.services import interest


def end_questions(node: Node) -> tuple[int, int]:
    """End what nobody answered, and give back what was paid for it; how many of each."""
    with node.database.reading() as session:
        late = interest.overdue(session, node.context)
    ended = 0
    for consent_id in late:
        with node.database.transaction() as session:
            ended += interest.end(session, node.context, consent_id)
    with node.database.transaction() as session:
        return ended, interest.give_points_back(session, node.context)
