"""`tasuki conformance`: is a running peer what the specification says?  SPEC Vectors."""

from collections.abc import Iterator
from pathlib import Path

import click

from node.cli.conformance import (
    decrees,
    envelopes,
    fences,
    messages,
    signatures,
    spending,
    sync,
    votes,
)
from node.cli.conformance.caller import Caller
from node.cli.conformance.cases import FAILED, PASSED, SKIPPED, Case, Result, carry_out
from node.cli.entrance import FILE, Failed, as_json, opened, plainly, say_json
from node.clock import SystemClock
from node.services import membership
from protocol import (
    Charter,
    Member,
    SignedDocument,
    SigningKey,
    b64decode,
    decree,
    limits,
    strictjson,
)

CHAPTERS = (signatures, messages, envelopes, votes, sync, fences, decrees)
COLOURS = {PASSED: "green", FAILED: "red", SKIPPED: "yellow"}


@click.command(
    epilog="Example: tasuki conformance https://biwa.example",
    short_help="Try whether a running peer keeps to the protocol.",
)
@click.argument("url")
@click.option("--as", "member", metavar="MEMBER", help="Speak as this member, without a node.")
@click.option("--key", type=FILE, help="With --as: file with the seed of its signing key.")
@click.option("--charter", "chain", type=FILE, help="With --as: file of tasuki charter show --out.")
@click.option("--votes", is_flag=True, help="With --as: spend the account for cases 7xx.")
@as_json
@plainly
def conformance(
    url: str, member: str | None, key: Path | None, chain: Path | None, *, votes: bool, json_: bool
) -> None:
    """Go through numbered cases with the peer at URL, which belongs to our alliance.

    It speaks as this node, with its keys, or with --as as another member, whose key is given (43
    characters of base64url). Each case names the section of protocol/SPEC.md that it holds the
    peer to. The exit code is 1 when one fails.

    What stays at the peer is what any member could leave there: a few dozen used nonces, refused
    requests in its log, and a few letters that it sets aside. With --votes it also leaves the
    account locked, and the proof that its owner signed two orders for one place: use that only in
    an alliance made for tests.
    """
    if votes and member is None:
        raise click.UsageError("--votes spends an account: name a test member with --as.")
    caller = _our_node(url) if member is None else _as_member(url, member, key, chain)
    results = []
    for case in cases(spend=votes):
        result = carry_out(case, caller)
        results.append(result)
        if not json_:
            click.echo(shown(result))
    failed = sum(result.outcome == FAILED for result in results)
    if json_:
        say_json(
            {
                "as": caller.us,
                "cases": [result.to_json() for result in results],
                "failed": failed,
                "peer": caller.peer.id,
            }
        )
    if failed:
        raise Failed(f"{failed} of {len(results)} cases failed.")
    if not json_:
        skipped = sum(result.outcome == SKIPPED for result in results)
        click.echo(f"{len(results) - skipped} cases passed, {skipped} did not apply.")


def cases(*, spend: bool) -> Iterator[Case]:
    """Every case in its order; those that spend the account only when that is wanted."""
    for chapter in (*CHAPTERS, *((spending,) if spend else ())):
        yield from sorted(chapter.CHAPTER.cases, key=lambda case: case.number)


def shown(result: Result) -> str:
    """The result for a person; colour only repeats what the word says."""
    case = result.case
    outcome = click.style(f"{result.outcome:8}", fg=COLOURS[result.outcome])
    line = f"{case.number}  {outcome} {case.title}"
    if result.outcome == FAILED:
        line += (
            f"\n{'':14}expected: {case.expected} (SPEC §{case.section})\n{'':14}got: {result.got}"
        )
    elif result.got:
        line += f" ({result.got})"
    return line


# --- Who speaks. ---


def _our_node(url: str) -> Caller:
    node = opened()
    try:
        with node.database.reading() as session:
            charter = node.context.charter(session)
            incarnation = membership.make_hello(session, node.context).incarnation
        return Caller(
            charter=charter,
            us=node.context.member_id,
            peer=_peer_at(url, charter, node.context.member_id),
            key=node.context.signing(charter),
            clock=node.clock,
            ca_file=node.settings.ca_file,
            incarnation=incarnation,
        )
    finally:
        node.close()


def _as_member(url: str, member: str, key: Path | None, chain: Path | None) -> Caller:
    if key is None or chain is None:
        raise click.UsageError("--as needs --key and --charter.")
    charter = _last_of(chain.read_bytes())
    signing = SigningKey.from_seed(b64decode(key.read_text(encoding="utf-8").strip()))
    if charter.member(member).verify_key != signing.verify_key:
        raise Failed(f"{key} is not the signing key of {member}.")
    peer = _peer_at(url, charter, member)
    return Caller(charter=charter, us=member, peer=peer, key=signing, clock=SystemClock())


def _last_of(data: bytes) -> Charter:
    """The version in force of a file of charters, which is taken at its own word."""
    fields = strictjson.parse(data, bytes_max=limits.CHAIN_BYTES_MAX)
    if not isinstance(fields, dict) or "founding" not in fields:
        raise Failed("This is no file of tasuki charter show --out.")
    founding = SignedDocument.from_json(fields["founding"])
    report = decree.verify_chain(data, founding.digest)
    if report.refusal is not None:
        raise report.refusal
    return report.charters[-1]


def _peer_at(url: str, charter: Charter, us: str) -> Member:
    for member in charter.members:
        if member.url == url.rstrip("/") and member.id != us:
            return member
    others = ", ".join(member.url for member in charter.members if member.id != us)
    raise Failed(f"No other member of the charter is at {url}. There are: {others}")
