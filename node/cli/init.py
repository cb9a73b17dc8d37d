"""`tasuki init`: keys, database, first administrator, member card.  PEER 4."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from node import keyring_file
from node.cli.entrance import (
    Failed,
    as_json,
    ask,
    load_settings,
    plainly,
    say_json,
    write_new,
)
from node.config import Settings
from node.keyring import Keyring, NodeKeys
from node.opening import open_node
from node.recovery import sheet, write_code
from node.services import users
from protocol import MEMBER, WITNESS, Licence, Member, MemberCard, SigningKey, fingerprint

CARD_FILE = "member-card.json"
SHEET_FILE = "recovery-sheet.txt"
# What is asked for when its option is not given.
QUESTIONS = {
    "legal_name": "Legal name of the company",
    "address": "Address of the head office",
    "representative": "Representative (title and name)",
    "business": "Business (applicants read it)",
    "contact": "Contact for applicants (telephone or e-mail)",
}


@click.command(epilog="Example: tasuki init --legal-name 株式会社アオバシステム --admin hanako")
@click.option("--legal-name", help="As registered.")
@click.option("--address", help="Of the head office.")
@click.option("--representative", help="代表者氏名.")
@click.option("--business", help="What applicants read of the company.")
@click.option("--contact", help="苦情窓口: telephone or e-mail.")
@click.option("--country", default="JP", show_default=True, help="ISO 3166 code.")
@click.option(
    "--licence", "licences", multiple=True, help="Number and last day, 13-ユ-999901:2030-03-31."
)
@click.option("--role", default=MEMBER, type=click.Choice([MEMBER, WITNESS]), show_default=True)
@click.option("--credit-limit", default=20, show_default=True, help="Points it may owe.")
@click.option("--admin", default="admin", show_default=True, help="Sign-in name of the first user.")
@click.option("--admin-name", default="管理者", show_default=True, help="That user's name.")
@as_json
@plainly
def init(json_: bool, admin: str, admin_name: str, **described: Any) -> None:  # noqa: ANN401
    """Make this member's keys and its first administrator.

    Writes the key file, encrypted under the passphrase of the settings; the member card, which
    the founder of the alliance needs; and the recovery sheet, to be printed and then deleted.
    What no option says of the company is asked for.
    """
    settings = load_settings()
    if not settings.member_id:
        raise Failed("Set TASUKI_MEMBER_ID first, such as aoba.")
    _refuse_what_cannot_work(settings)
    for name, question in QUESTIONS.items():
        if described[name] is None:
            described[name] = ask(question, "--" + name.replace("_", "-"))
    begun = begin(settings, admin=admin, admin_name=admin_name, **described)
    _report(begun, admin, json_=json_)


@dataclass(frozen=True, slots=True)
class Begun:
    """What a member has to hand on: its card; its fingerprint, read aloud; the first password."""

    card: Path
    sheet: Path
    fingerprint: str
    password: str


def begin(
    settings: Settings,
    *,
    admin: str,
    admin_name: str,
    **described: Any,  # noqa: ANN401 (as click hands them in)
) -> Begun:
    """Make the keys, database, member card, recovery sheet and first administrator of a member.

    `described` is what the member card says of the company, as the command's options name it.
    """
    identity = SigningKey.generate()
    keys = NodeKeys.generate(identity.verify_key)
    member = _describe(settings, Keyring(keys), identity, described)
    # What it holds is nobody else's, down to the names of files.
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    keyring_file.create(settings.key_file, settings.read_passphrase(), keys)
    try:
        password = _settle(settings, member, identity, admin=admin, admin_name=admin_name)
    except BaseException:
        # Keys without a recovery sheet are no use, and would stand in the way of the next try.
        settings.key_file.unlink()
        raise
    folder, print_ = settings.data_dir, fingerprint(identity.verify_key.raw)
    return Begun(folder / CARD_FILE, folder / SHEET_FILE, print_, password)


def _refuse_what_cannot_work(settings: Settings) -> None:
    """Say what is in the way before anybody answers questions."""
    settings.read_passphrase()
    if settings.key_file.exists():
        raise keyring_file.KeyFileExists
    for name in (CARD_FILE, SHEET_FILE):
        if (settings.data_dir / name).exists():
            raise Failed(f"{settings.data_dir / name} is there already and is not overwritten.")


def _settle(
    settings: Settings, member: Member, identity: SigningKey, *, admin: str, admin_name: str
) -> str:
    """Make the database, the first administrator, card and sheet; the administrator's password."""
    node = open_node(settings)
    password = users.make_password()
    try:
        node.database.upgrade()
        with node.database.transaction() as session:
            users.create(
                session,
                node.context,
                login=admin,
                name=admin_name,
                role="admin",
                password=password,
                actor="cli",
            )
            card = MemberCard(member).sign(identity, node.keyring.signing)
            write_new(settings.data_dir / CARD_FILE, card.encode())
            print_ = fingerprint(identity.verify_key.raw)
            paper = sheet(member.id, member.legal_name, write_code(identity.seed), print_)
            write_new(settings.data_dir / SHEET_FILE, paper.encode(), mode=0o600)
    finally:
        node.close()
    return password


def _describe(
    settings: Settings, keyring: Keyring, identity: SigningKey, described: dict[str, Any]
) -> Member:
    pairs = [each.partition(":") for each in described.pop("licences")]
    if not all(number and until for number, _, until in pairs):
        raise Failed("--licence is its number and its last day, such as 13-ユ-999901:2030-03-31.")
    member = Member(
        id=settings.member_id,
        licences=tuple(Licence(number, until) for number, _, until in pairs),
        url=settings.public_url,
        identity_key=identity.verify_key.raw,
        signing_key=keyring.signing.verify_key.raw,
        sealing_key=keyring.sealing.public.raw,
        **described,
    )
    # Reading it back refuses here what every founder would refuse later.
    return MemberCard.parse(MemberCard(member).encode()).member


def _report(begun: Begun, admin: str, *, json_: bool) -> None:
    if json_:
        say_json(
            {
                "admin": admin,
                "fingerprint": begun.fingerprint,
                "member_card": str(begun.card),
                "password": begun.password,
                "recovery_sheet": str(begun.sheet),
            }
        )
        return
    click.echo(f"""
The keys are made. The fingerprint of this member, to read aloud on the telephone:

    {begun.fingerprint}

Next:
  1. Print {begun.sheet}, put it in the safe, and delete the file.
  2. Send {begun.card} to whoever writes the charter.
  3. Sign in as {admin} with the password {begun.password} and change it.
""")
