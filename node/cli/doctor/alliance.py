"""The alliance as seen from here: charter, licences, every peer, both clocks.  PEER 4, 5."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

from node.cli.doctor import own_keys
from node.cli.doctor.findings import OK, WARNING, WRONG, Finding
from node.cli.entrance import moment
from node.config import Settings
from node.installation import Node
from node.opening import open_node
from node.services import charter as charters
from node.services import measures, membership
from node.services.charter import Departure
from node.services.ledger import evidence, tenure
from node.services.membership import PeerView
from node.transport import TransportFailure
from protocol import Charter, Hello, ProtocolError, limits, problems

HELLO_PATH = "/peer/v1/hello"
LICENCE_SOON_DAYS = 60
# Half of what is refused: time to act.
SKEW_WARNING_S = limits.CLOCK_SKEW_S_MAX // 2
WAITING_TOO_LONG_S = 3600

# What to do about a code that a call ended with; the rest is for the log.
ADVICE = {
    "not-reached": "Is the other node up? Is its address in the charter right? Does the firewall "
    "let this machine out?",
    "timed-out": "The other node, or a proxy before it, is overloaded or stuck.",
    "name-not-found": "The name server does not know it: check DNS.",
    "tls-failed": "Its certificate is expired, names another host, or its issuer is unknown here.",
    "address-refused": "Add its network to TASUKI_PEER_NETWORKS if that is meant.",
    "redirected": "The proxy redirects. It must pass /peer/ on as it is.",
    "unproven-response": "Something between answers instead of the node: the proxy, or a firewall.",
    "no-answer": "The connection broke off. Look into the proxy's log.",
    "digest-mismatch": "A proxy changes the body on its way: switch that off for /peer/.",
    "path-not-canonical": "A proxy rewrites the path: pass it on byte for byte.",
    "signature-invalid": "A proxy changes headers, or TASUKI_PUBLIC_URL is another address.",
    "signature-missing": "A proxy takes the signature's headers away.",
    "misdirected": "The address leads to another node: check DNS and the proxy.",
    "clock-skew": "Set the clock that is wrong; use NTP on both sides.",
    "rate-limited": "Wait a minute and run this again.",
    "maintenance": "The node answers, and belongs to no alliance yet, or is being worked on.",
    "key-unknown": "The charter there names other keys for this member. Start this node, which "
    "fetches the newest charter by itself, and run this again.",
    "peer-blocked": "That member has blocked this one: speak with them.",
}


@dataclass(frozen=True, slots=True)
class Visit:
    """The node open, and its charter if it has one."""

    node: Node
    charter: Charter | None
    # How this member left, if it has.
    departure: Departure | None = None


@contextmanager
def opened(settings: Settings) -> Iterator[Visit]:
    """Open the node for looking; nothing is written."""
    node = open_node(settings)
    try:
        with node.database.reading() as session:
            charter = charters.if_any(session)
            departure = charters.has_left(session, node.context.member_id)
        yield Visit(node, charter, departure)
    finally:
        node.close()


def look_at_charter(visit: Visit) -> list[Finding]:
    """Is there one, does it name this node, and are licences about to end?"""
    charter, node = visit.charter, visit.node
    if charter is None:
        advice = "Found an alliance or join one: tasuki found --help"
        return [Finding("charter", WARNING, "this node belongs to no alliance yet", advice)]
    us = charter.by_id.get(node.context.member_id)
    if us is None and visit.departure is not None:
        gone = visit.departure
        text = f"this member has left {charter.name}: version {gone.charter.version} ends it"
        advice = "Nothing is sent or taken any more. Keep this node for its records."
        return [Finding("charter", WARNING, text, advice)]
    if us is None:
        text = f"{charter.name} has no member {node.context.member_id}"
        return [Finding("charter", WRONG, text, "Correct TASUKI_MEMBER_ID.")]
    if us.url != node.settings.public_url:
        text = f"the charter says {us.url}, TASUKI_PUBLIC_URL says {node.settings.public_url}"
        return [Finding("charter", WRONG, text, "Peers call the charter's: set it to that.")]
    text = f"{charter.name}, version {charter.version}, digest {charter.digest.hex()[:16]}"
    return [
        Finding("charter", OK, text),
        *own_keys.look(node, charter),
        *_suspended(visit),
        *_licences(visit, charter),
    ]


def _suspended(visit: Visit) -> Iterator[Finding]:
    with visit.node.database.reading() as session:
        until = measures.held(session, visit.node.context).get(visit.node.context.member_id)
    if until is not None:
        text = f"two members have suspended this one until {moment(until)}"
        yield Finding("suspended", WARNING, text, "Speak with them. Letters leave at its end.")


def _licences(visit: Visit, charter: Charter) -> Iterator[Finding]:
    today = visit.node.context.day_of(visit.node.clock.now())
    soon = (date.fromisoformat(today) + timedelta(days=LICENCE_SOON_DAYS)).isoformat()
    for member in charter.members:
        for licence in member.licences:
            text = f"{member.id}: {licence.number} is valid until {licence.valid_until}"
            if licence.valid_until < today:
                advice = "No fee may be owed to this member. A new charter names the new date."
                yield Finding("licence", WARNING, f"{text}, which is over", advice)
            elif licence.valid_until < soon:
                advice = "Prepare the next charter with the new date."
                yield Finding("licence", WARNING, text, advice)


def look_at_ledger(visit: Visit) -> list[Finding]:
    """Is the account ours, and has anybody signed two orders for one place?"""
    with visit.node.database.reading() as session:
        taken_at = tenure.superseded_at(session, visit.node.context)
        is_fencing = tenure.tenure(session, visit.node.context).is_fencing
        accused = list(evidence.accusations(session))
    findings = []
    if taken_at is not None:
        text = "another machine with the keys of this node has taken its account over"
        advice = "Stop one of the two for good. If it is the other one, start this one again."
        findings.append(Finding("account", WRONG, text, advice))
    elif is_fencing:
        text = "the account is being taken up again; payments wait for the peers' promises"
        findings.append(Finding("account", WARNING, text, "It ends by itself once they answer."))
    for one in accused:
        text = f"{one.account} signed two orders for #{one.sequence}"
        advice = "Speak with that member. The proof is on the page of points."
        findings.append(Finding("evidence", WRONG, text, advice))
    return findings or [Finding("account", OK, "nobody but this node pays from it")]


def look_at_peers(visit: Visit) -> list[Finding]:
    """Call each member's node: does it answer, and what does its clock say?"""
    with visit.node.database.reading() as session:
        peers = membership.peers(session, visit.node.context)
        hello = membership.make_hello(session, visit.node.context)
    assert visit.charter is not None
    return [finding for peer in peers for finding in _peer(visit, visit.charter, peer, hello)]


def _peer(visit: Visit, charter: Charter, peer: PeerView, hello: Hello) -> Iterator[Finding]:
    now = visit.node.clock.now()
    last = "never" if peer.last_success_at is None else _ago(now - peer.last_success_at)
    code, theirs = call(visit, charter, peer.member, hello.encode())
    if theirs is None:
        advice = ADVICE.get(code, "Its refusal stands in both logs, under the same number.")
        text = f"{peer.member} ({peer.url}): {code}; last success {last}"
        yield Finding("peer", WRONG, text, advice)
    else:
        yield Finding("peer", OK, f"{peer.member} answers ({theirs.release}); last success {last}")
        yield from _clocks(peer, theirs.time - visit.node.clock.now())
    if peer.blocked:
        yield Finding("peer", WARNING, f"{peer.member} is blocked here", "Unblock it, if over.")
    if peer.suspended_until is not None:
        text = f"{peer.member} is suspended by two members until {moment(peer.suspended_until)}"
        yield Finding("peer", WARNING, text, "Letters wait; it ends by itself.")
    if peer.oldest_at is not None and now - peer.oldest_at > WAITING_TOO_LONG_S:
        text = (
            f"{peer.queued} letters wait for {peer.member}, the oldest {_ago(now - peer.oldest_at)}"
        )
        yield Finding("peer", WARNING, text, "They leave by themselves once it answers.")


def _clocks(peer: PeerView, ahead_s: int) -> Iterator[Finding]:
    """Both ways: what we see now, and what the peer's last hello said of us."""
    for skew_s, seen in ((ahead_s, "now"), (peer.skew_s or 0, "at its last hello")):
        if abs(skew_s) > SKEW_WARNING_S:
            side = "ahead of" if skew_s > 0 else "behind"
            text = f"the clock of {peer.member} is {abs(skew_s)} s {side} ours ({seen})"
            yield Finding("clock", WARNING, text, "Use NTP on both; beyond 30 s nothing passes.")
            return
    yield Finding("clock", OK, f"within {SKEW_WARNING_S} s of {peer.member}")


def call(visit: Visit, charter: Charter, member: str, body: bytes) -> tuple[str, Hello | None]:
    """Post a body to a member's hello; the code of what went wrong, or its answer."""
    try:
        answer = visit.node.transport.post(charter, member, HELLO_PATH, body)
        if answer.status != 200:
            return problems.parse_problem(answer.body).code, None
        return "", Hello.parse(answer.body)
    except TransportFailure as failure:
        return failure.code, None
    except ProtocolError as error:
        return error.code, None


def _ago(seconds: int) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{max(0, seconds)} s ago"
