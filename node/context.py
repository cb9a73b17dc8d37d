"""What services are handed besides the session: the settings, the time, the keys, the charter."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from node.clock import Clock
from node.config import Settings
from node.keyring import KeyNotHeld, Keyring
from protocol import Charter, SigningKey


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

    def signing(self, charter: Charter) -> SigningKey:
        """Return the key with which our node signs under `charter`; raise KeyNotHeld without it.

        What is signed names an epoch, and is proven with the keys of that epoch's charter.
        """
        us = charter.by_id.get(self.member_id)
        if us is None:
            # Of a member that left nobody takes anything, whatever it is signed with.
            return self.keyring.newest
        key = self.keyring.find_signing(us.signing_key)
        if key is None:
            raise KeyNotHeld(f"version {charter.version} names {us.verify_key.keyid}")
        return key

    def calling(self, charter: Charter) -> SigningKey:
        """Return the key with which we call peers under `charter`; without it, the newest.

        A node that was restored from before a change of its keys does not hold the charter's. The
        key that it has drawn since may be in force at its peers already, and asks them for that.
        """
        return self.signing(charter) if self.holds_key(charter) else self.keyring.newest

    def holds_key(self, charter: Charter) -> bool:
        """Tell whether we can sign under `charter`."""
        us = charter.by_id.get(self.member_id)
        return us is None or self.keyring.find_signing(us.signing_key) is not None

    def now(self) -> int:
        """Return whole Unix seconds."""
        return self.clock.now()

    def day_of(self, at: int) -> str:
        """Return the day of a moment where HR works, as YYYY-MM-DD."""
        return datetime.fromtimestamp(at, self.settings.time_zone).date().isoformat()
