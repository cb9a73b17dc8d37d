"""Records: who gave what of whom to whom, kept for three years whatever is erased meanwhile.

`writing` makes them in the transaction of what they record, `reading` lists and finds them, `pdf`
prints a register.  個人情報保護法 29, 30; DOMAIN 3.1.
"""

from node.services.records.pdf import Column, print_table
from node.services.records.reading import (
    EXPORT_ROWS_MAX,
    FOUND_ROWS_MAX,
    REGISTERS,
    Entry,
    Filters,
    RecordsTooMany,
    RecordsUnclear,
    every,
    exported,
    find,
    first_received,
    is_recorded,
    list_page,
    provided,
)
from node.services.records.writing import (
    KEPT_YEARS,
    items_in,
    kept_until,
    purge,
    write_provision,
    write_receipt,
)

__all__ = [
    "EXPORT_ROWS_MAX",
    "FOUND_ROWS_MAX",
    "KEPT_YEARS",
    "REGISTERS",
    "Column",
    "Entry",
    "Filters",
    "RecordsTooMany",
    "RecordsUnclear",
    "every",
    "exported",
    "find",
    "first_received",
    "is_recorded",
    "items_in",
    "kept_until",
    "list_page",
    "print_table",
    "provided",
    "purge",
    "write_provision",
    "write_receipt",
]
