"""Applicants: the people in this member's own list; read in, listed, written out.  DOMAIN 2.1.

The rooms: `table_files`, `columns`, `values` and `rows` read files; `importing` and `writing` bring
them in; `listing` and `exporting` show and hand out; `people` seals; `exclusion` says who gets no
link.  Other topics need only the names below.
"""

from node.services.applicants.exclusion import Notifiable, notifiable, suppress
from node.services.applicants.listing import (
    CHOSEN_MAX,
    Entry,
    Filters,
    count,
    entry_of,
    every,
    get,
    list_page,
)
from node.services.applicants.occupations import OCCUPATIONS
from node.services.applicants.people import (
    Person,
    erase,
    find_by_contact,
    person_of,
    persons_of,
)
from node.services.applicants.prefectures import PREFECTURES

__all__ = [
    "CHOSEN_MAX",
    "OCCUPATIONS",
    "PREFECTURES",
    "Entry",
    "Filters",
    "Notifiable",
    "Person",
    "count",
    "entry_of",
    "erase",
    "every",
    "find_by_contact",
    "get",
    "list_page",
    "notifiable",
    "person_of",
    "persons_of",
    "suppress",
]
