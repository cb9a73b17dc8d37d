"""This node's signing and sealing keys against the charter: in hand, staged, kept.  PEER 4."""

from node.cli.doctor.findings import OK, WARNING, WRONG, Finding
from node.installation import Node
from node.services import keys
from node.services.keys import State
from protocol import Charter


def look(node: Node, charter: Charter) -> list[Finding]:
    """Is the key that the charter names here, does a change wait, are old ones still kept?"""
    with node.database.reading() as session:
        views = keys.views(session, node.context)
    findings = [_in_hand(node, charter)]
    for view in views:
        day = node.context.day_of(view.since)
        if view.state is State.STAGED:
            text = f"new keys ({view.signing_keyid[:8]}) wait for a decree since {day}"
            advice = (
                "tasuki charter status says who is missing. When another decree came first: run "
                "tasuki keys rotate again."
            )
            findings.append(Finding("node keys", WARNING, text, advice))
        elif view.until is not None:
            last = node.context.day_of(view.until)
            text = f"old keys ({view.signing_keyid[:8]}) are kept for letters until {last}"
            findings.append(Finding("node keys", OK, text))
    return findings


def _in_hand(node: Node, charter: Charter) -> Finding:
    named = charter.member(node.context.member_id).verify_key.keyid
    if node.context.holds_key(charter):
        return Finding("node keys", OK, f"the key that the charter names ({named[:8]}) is in hand")
    return Finding(
        "node keys",
        WRONG,
        f"the charter names a key ({named[:8]}) that this node does not hold",
        "Its keys were changed after this key file was saved. Put the newest key file back; if it "
        "is lost, run tasuki keys rotate --out FILE with the recovery sheet, and let another "
        "member bring the file in: tasuki charter draft --file FILE.",
    )
