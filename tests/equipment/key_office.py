"""A member's key file on a disk beside its house, as the processes of its node and IT handle it."""

from dataclasses import dataclass, replace
from pathlib import Path

from node import keyring_file
from node.keyring import Keyring
from node.services import decrees, keys
from protocol import SignedDocument, SigningKey
from tests.equipment.alliance import MEMBERS, Alliance, House
from tests.equipment.deciding import decide, enact, tell

PASSPHRASE = "a passphrase for tests only"
THREE = ("aoba", "biwa", "seeds")


@dataclass(frozen=True)
class KeyOffice:
    """A member with its key file."""

    house: House
    identity: SigningKey
    file: Path

    @property
    def keyring(self) -> Keyring:
        return self.house.context.keyring

    def opened_again(self) -> House:
        """Another process of the same node."""
        watch = keyring_file.Watch(self.file, lambda: PASSPHRASE)
        context = replace(self.house.context, keyring=Keyring(watch.first(), watch.changed))
        return House(context, self.house.database)

    def stage(self) -> None:
        with self.house.database.reading() as session:
            named = keys.ever_named(session, self.house.context)
        now = self.house.context.now()
        keyring_file.change(self.file, PASSPHRASE, lambda held: keys.with_staged(held, named, now))
        self.keyring.look_again()

    def rotate(self) -> SignedDocument:
        self.stage()
        with self.house.database.transaction() as session:
            return keys.rotate(session, self.house.context, self.identity, actor="cli")


def key_office(alliance: Alliance, member: str, folder: Path) -> KeyOffice:
    """Give a member of the alliance a key file, with the keys that it was founded with."""
    house = alliance[member]
    settings = replace(house.context.settings, data_dir=folder, passphrase=PASSPHRASE)
    keyring_file.create(settings.key_file, PASSPHRASE, house.context.keyring._keys)
    watch = keyring_file.Watch(settings.key_file, lambda: PASSPHRASE)
    keyring = Keyring(watch.first(), watch.changed)
    context = replace(house.context, settings=settings, keyring=keyring)
    alliance.houses[member] = House(context, house.database)
    return KeyOffice(alliance[member], alliance.identities[member], settings.key_file)


def rotated(alliance: Alliance, office: KeyOffice, enacting: tuple[str, ...] = MEMBERS) -> None:
    """biwa's new keys are decided by the nodes alone, and in force at some of them."""
    digest = office.rotate().digest
    for name in ("aoba", "seeds"):
        tell(office.house, alliance[name], digest)
        with alliance[name].database.transaction() as session:
            assert decrees.approve_by_ourselves(session, alliance[name].context) == 1
        tell(office.house, alliance[name], digest)
    enacted = decide(alliance, "biwa", THREE)
    for name in enacting:
        assert enact(alliance[name], enacted)
