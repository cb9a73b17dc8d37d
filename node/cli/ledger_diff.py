"""`tasuki ledger diff`: this node's ledger beside a peer's, asked just now.  PEER 5."""

import click
from rich.console import Console
from rich.table import Table

from node.cli.entrance import Failed, as_json, load_settings, plainly, say_json
from node.installation import Node
from node.opening import open_node
from node.services.charter import NotFounded, if_any
from node.services.ledger.difference import LedgerDifference, OurLedger, compare_live
from node.transport import TransportFailure
from protocol import Charter, Pull, PullAnswer, problems

PULL_PATH = "/peer/v1/pull"


@click.command("diff", epilog="Example: tasuki ledger diff biwa")
@click.argument("peer")
@as_json
@plainly
def diff(peer: str, *, json_: bool) -> None:
    """Compare this node's ledger with that of PEER, asked just now; it changes nothing.

    Every account side by side, and the first place in which the two differ. A node that is behind
    catches up by itself. The exit code is 1 unless both are equal.
    """
    node = open_node(load_settings())
    try:
        with node.database.reading() as session:
            charter = if_any(session)
            if charter is None:
                raise NotFounded
            if peer not in charter.by_id or peer == node.context.member_id:
                others = ", ".join(sorted(charter.by_id.keys() - {node.context.member_id}))
                raise Failed(f"There is no other member {peer}. The others are: {others}.")
            ours = OurLedger(session, node.context)
            found = compare_live(ours, lambda pull: _ask(node, charter, peer, pull))
    finally:
        node.close()
    if json_:
        say_json(_as_json(peer, found))
    else:
        _print(peer, found)
    if not found.is_equal:
        raise Failed(_verdict(peer, found))
    if not json_:
        click.echo(_verdict(peer, found))


def _ask(node: Node, charter: Charter, peer: str, pull: Pull) -> PullAnswer:
    try:
        answer = node.transport.post(charter, peer, PULL_PATH, pull.encode())
    except TransportFailure as failure:
        raise Failed(f"{peer} does not answer: {failure.code}. See tasuki doctor.") from failure
    if answer.status != 200:
        raise problems.parse_problem(answer.body).to_error()
    return PullAnswer.parse(answer.body)


def _print(peer: str, found: LedgerDifference) -> None:
    table = Table("Account", "Ours", "Theirs", "First difference", box=None, pad_edge=False)
    for line in found.lines:
        if not line.same:
            first = f"#{line.first} holds something else there"
        else:
            first = f"#{line.first}" if line.first else ""
        table.add_row(line.account, f"#{line.ours}", f"#{line.theirs}", first)
    Console().print(table)
    click.echo(f"Our digest     {found.our_state.hex()}")
    click.echo(f"Digest there   {found.their_state.hex()}   ({peer})")


def _verdict(peer: str, found: LedgerDifference) -> str:
    if found.is_equal:
        return "Both ledgers are equal."
    if found.is_forked:
        return (
            f"{peer} has another order under a number that we have too. A quorum never certifies "
            "both: run `tasuki ledger verify` on both nodes, and tell the other members."
        )
    we_lack = sum(max(0, line.theirs - line.ours) for line in found.lines)
    they_lack = sum(max(0, line.ours - line.theirs) for line in found.lines)
    if not we_lack and not they_lack:
        return f"The numbers are equal and the digests are not: {peer} answered while it changed."
    lacking = [
        f"{where} {count} lacking"
        for count, where in ((we_lack, "here"), (they_lack, f"at {peer}"))
        if count
    ]
    missing = ", ".join(lacking)
    return f"Certificates: {missing}. They are fetched by themselves while both nodes run."


def _as_json(peer: str, found: LedgerDifference) -> dict[str, object]:
    return {
        "accounts": [
            {
                "account": line.account,
                "first_difference": line.first,
                "ours": line.ours,
                "same_content": line.same,
                "theirs": line.theirs,
            }
            for line in found.lines
        ],
        "equal": found.is_equal,
        "our_digest": found.our_state.hex(),
        "peer": peer,
        "their_digest": found.their_state.hex(),
    }
