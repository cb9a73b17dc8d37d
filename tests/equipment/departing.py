"""A member goes: the others expel it, or it leaves, decided among members in one process."""

from collections.abc import Sequence

from protocol import Charter, next_draft
from tests.equipment.alliance import Alliance
from tests.equipment.deciding import approved, decide, enact, in_force


def expel(alliance: Alliance, member: str, *, told: Sequence[str] = ()) -> Charter:
    """The others expel `member`; in force at them and at those who are `told` besides."""
    remaining = [house.id for house in alliance.houses.values() if house.id != member]
    first, *others = remaining
    charter = in_force(alliance[first])
    members = tuple(each for each in charter.members if each.id != member)
    approved(alliance, first, next_draft(charter, members=members), others)
    decree = decide(alliance, first, remaining)
    for name in (*remaining, *told):
        assert enact(alliance[name], decree)
    return in_force(alliance[first])
