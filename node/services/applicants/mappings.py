"""Saved mappings: how the files of one recruiting system are read, under a name people choose."""

import json
import uuid

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from node import models
from node.refusals import NotThere
from node.services.applicants import columns
from node.services.applicants.columns import ColumnMapping

NAME_CHARS_MAX = 60


def listing(session: Session) -> list[models.ImportMapping]:
    """Return the saved mappings by name."""
    table = models.ImportMapping
    return list(session.scalars(select(table).order_by(table.name)))


def save(session: Session, name: str, titles: list[str], mapping: ColumnMapping) -> None:
    """Save a mapping under `name`; one of that name is replaced."""
    name = name.strip()[:NAME_CHARS_MAX]
    table = models.ImportMapping
    content = json.dumps(columns.to_save(titles, mapping), ensure_ascii=False)
    found = session.scalar(select(table).where(table.name == name))
    if found is None:
        session.add(table(id=uuid.uuid4().hex, name=name, mapping=content))
    else:
        found.mapping = content


def apply(session: Session, name: str, titles: list[str]) -> ColumnMapping:
    """Return what a saved mapping makes of these headers; raise NotThere."""
    table = models.ImportMapping
    content = session.scalar(select(table.mapping).where(table.name == name))
    if content is None:
        raise NotThere(mapping=name)
    return columns.guess(titles, json.loads(content))


def remove(session: Session, name: str) -> None:
    """Forget a saved mapping."""
    session.execute(delete(models.ImportMapping).where(models.ImportMapping.name == name))
