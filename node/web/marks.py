"""Marks: how a state looks as a badge, kept in one table for each topic."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """A badge: its kind, its sign (None: the kind's own) and its word, still to be translated."""

    kind: str
    sign: str | None
    word: str
