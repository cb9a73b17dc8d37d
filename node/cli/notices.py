"""`tasuki notices`: what the mailbox of the sender knows about the notices."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import click

from node.cli.entrance import as_json, opened, plainly, say_json
from node.installation import Node
from node.services.notices import bounces
from node.services.notices.bounce_mails import MAIL_BYTES_MAX, parse
from node.services.notices.refusals import NotABounce

NO_BOUNCE = "no_bounce"
FROM = b"From "  # RFC 4155: each mail of an mbox file begins with such a line
LINE_BYTES_MAX = 64 * 1024
WORDS = {
    bounces.FAILED: "came back: their notices stand among the failures",
    bounces.DELAYED: "are delayed: noted beside their notices",
    bounces.OPENED: "came back, but the private link was opened: nothing changed",
    bounces.KNOWN: "were known already, or speak of an earlier sending",
    bounces.UNKNOWN: "speak of mails or addresses that are not ours",
    NO_BOUNCE: "are no bounces",
}


@click.group()
def notices() -> None:
    """Read the bounces of notices from the sender's mailbox."""


@notices.command("bounces", epilog="Example: tasuki notices bounces /var/mail/saiyo")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@as_json
@plainly
def bounces_(path: Path, json_: bool) -> None:
    """Read the bounces in PATH: an mbox file, one mail (.eml), a Maildir or a folder of .eml.

    The mailbox is only read. Reading it twice changes nothing, and a mail that is no bounce of a
    notice of ours is passed over. A notice that came back stands among its batch's failures.
    """
    node = opened()
    try:
        counts = _read(node, path)
    finally:
        node.close()
    if json_:
        say_json(counts)
        return
    click.echo(f"{sum(counts.values())} mails read")
    for outcome, count in counts.items():
        if count:
            click.echo(f"  {count:6} {WORDS[outcome]}")


def _read(node: Node, path: Path) -> dict[str, int]:
    """Each mail in a transaction of its own: one that cannot be recorded holds up no other."""
    counts = dict.fromkeys(WORDS, 0)
    for data in _mails(path):
        try:
            mail = parse(data)
        except NotABounce:
            outcome = NO_BOUNCE
        else:
            with node.database.transaction() as session:
                outcome = bounces.receive(session, node.context, mail)
        counts[outcome] += 1
    return counts


def _mails(path: Path) -> Iterator[bytes]:
    """Yield every mail; of one that is too large for a bounce, just enough to see that."""
    if path.is_file():
        yield from _in_file(path)
        return
    folders = [path / name for name in ("new", "cur") if (path / name).is_dir()]
    found = (
        chain.from_iterable(each.iterdir() for each in folders) if folders else path.glob("*.eml")
    )
    for each in sorted(found):
        if each.is_file():
            with each.open("rb") as file:
                yield file.read(MAIL_BYTES_MAX + 1)


def _in_file(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        if file.read(len(FROM)) != FROM:
            file.seek(0)
            yield file.read(MAIL_BYTES_MAX + 1)
            return
        # The rest of the first mail's own line, however long somebody made it.
        while (line := file.readline(LINE_BYTES_MAX)) and not line.endswith(b"\n"):
            pass
        mail, blank = bytearray(), False
        while line := file.readline(LINE_BYTES_MAX):
            if blank and line.startswith(FROM):
                yield bytes(mail)
                mail.clear()
                blank = False
                continue
            if len(mail) <= MAIL_BYTES_MAX:
                mail += line
            blank = line in (b"\n", b"\r\n")
        yield bytes(mail)
