"""What services are handed besides the session: the settings, the time, the keys, the charter."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from node.clock import Clock
from node.config import Settings
from node.keyring import Keyring
from protocol import Charter


@dataclass(frozen=True, slots=True)
class Context:
    """The node around one transaction; made once, in `node/app.py`."""

    settings: Settings
    clock: Clock
    keyring: Keyring
    # The charter in force, out of the same transaction as everything else.
    charter: Callable[[Session], Charter]

    @property
    def member_id(self) -> str:
        """Return our own id in the charter."""
        return self.settings.member_id

    def now(self) -> int:
        """Return whole Unix seconds."""
        return self.clock.now()

    def day_of(self, at: int) -> str:
        """Return the day of a moment where HR works, as YYYY-MM-DD."""
        return datetime.fromtimestamp(at, self.settings.time_zone).date().isoformat()
