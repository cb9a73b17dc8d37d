"""Per-person data keys: what a person's fields are encrypted under, and what erasure destroys.

One person, one key, wrapped by the node's data key and kept apart from the fields, so that erasing
one row makes every copy of that person's data unreadable.  DESIGN 5.
"""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.keyring import PersonCipher


def begin(session: Session, context: Context, person_id: str) -> PersonCipher:
    """Give a new person a key and return its cipher."""
    wrapped, _ = context.keyring.new_person()
    session.add(models.PersonKey(person_id=person_id, wrapped=wrapped, created_at=context.now()))
    session.flush()
    return context.keyring.person(wrapped)


def cipher(session: Session, context: Context, person_id: str) -> PersonCipher:
    """The cipher of a person; raises PersonKeyErased when the key is gone."""
    table = models.PersonKey
    wrapped = session.scalar(select(table.wrapped).where(table.person_id == person_id))
    return context.keyring.person(wrapped)


def erase(session: Session, context: Context, person_id: str) -> None:
    """Destroy a person's key: what it sealed is unreadable from now on, in backups too."""
    table = models.PersonKey
    session.execute(
        update(table)
        .where(table.person_id == person_id, table.wrapped.is_not(None))
        .values(wrapped=None, erased_at=context.now())
    )
