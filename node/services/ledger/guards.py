"""Guards over the database: what this node holds to for each account.  SPEC §6.6, LEDGER 4."""

from collections.abc import Mapping

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.orm import Session

from node import models
from node.driver import Driver, Prepared
from protocol import NO_GUARD, Guard

_guard = models.table_of(models.LedgerGuard)
# Everybody's order asks.
_GUARD = Prepared(
    select(
        _guard.c.incarnation,
        _guard.c.certified,
        _guard.c.fence,
        _guard.c.answer,
        _guard.c.abstains_to,
    ).where(_guard.c.account == bindparam("of"))
)
_FORGET = Prepared(delete(_guard).where(_guard.c.account == bindparam("of")))
_KEEP = Prepared(insert(_guard))


class SQLGuards:
    """The guards that the rules ask for; what is kept is durable with the caller's transaction."""

    def __init__(self, session: Session) -> None:
        self._driver = Driver(session.connection())

    def guard(self, account: str) -> Guard:
        """The account's guard, `NO_GUARD` when there is none."""
        row = self._driver.first(_GUARD, {"of": account})
        return NO_GUARD if row is None else Guard(*row)

    def keep(self, account: str, guard: Guard) -> None:
        """Store a guard. What it holds to is never given up."""
        known = self.guard(account)
        assert guard.lowest >= known.lowest
        assert guard.abstains_to >= known.abstains_to
        self._driver.run(_FORGET, {"of": account})
        self._driver.run(_KEEP, {"account": account, **guard._asdict()})

    def keep_all(self, guards: Mapping[str, Guard]) -> None:
        """Store several guards."""
        for account, guard in guards.items():
            self.keep(account, guard)
