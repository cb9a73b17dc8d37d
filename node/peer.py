"""The door for other members' nodes: POST /peer/v1/..., signed both ways.  PEER 1 and 2.

From cheap to dear: size, one signature with our tag, its parameters and times, the context, the key
out of the charter, Ed25519, the digest, the nonce, the rate, and only then the body. The nonce and
whatever the body changes are committed together, before the answer leaves.

Every refusal is a problem document. A caller whose signature was not verified learns what it needs
to come back properly and nothing else; and whatever could be parsed is answered with a signature,
because a peer believes no other answer.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import structlog
from flask import Blueprint, Response, current_app, g, request
from flask.blueprints import BlueprintSetupState

from node.allowance import RETRY_AFTER_S, BallotRates, Rates, Room, Share
from node.bodies import read_body
from node.database import UNAVAILABLE
from node.installation import Node
from node.keyring import KeyNotHeld
from node.peer_addresses import ENDPOINTS, Call, Endpoint
from node.services import charter as charters
from node.services import measures, membership, nonces, restores
from node.services.charter import Departure, NotFounded, departures
from protocol import (
    BLOCK,
    SUSPENSION,
    Charter,
    ProtocolError,
    Suspension,
    VerifyKey,
    errors,
    http,
    problems,
    standing,
)

log = structlog.get_logger("node.peer")

# A charter or a block that another process wrote is heeded after a second.
ROSTER_AGE_S = 1.0
# Versions that ended, by which whoever is behind is heard and answered; a year of closed months.
EARLIER_MAX = 12
# Anybody may claim a later epoch: it costs a look at the database twenty times a second at most.
ROSTER_AGE_BEHIND_S = 0.05
# A node that hears its peers again has caught up within a few rounds of comparison.
RECOVERING_RETRY_S = 10
# Nonces of two minutes at full rate; the database has them all.
NONCES_REMEMBERED_MAX = 50_000
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_CANONICAL = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[a-z0-9._-]+)+")
_OURS = re.compile(r"[/.]*peer(?:/|%2f|\Z)", re.IGNORECASE)

blueprint = Blueprint("peer", __name__)


@dataclass(frozen=True, slots=True)
class Roster:
    """Who may speak to us, as of a moment ago."""

    charter: Charter
    departed: Mapping[str, Departure]
    blocked: frozenset[str]
    suspensions: tuple[Suspension, ...]
    recovering: bool
    read_at: float


class Gate:
    """What one process remembers between requests: the roster, rates, and the last nonces."""

    def __init__(self, node: Node, share: Share) -> None:
        self.node = node
        self.rates = Rates(node.clock)
        self.ballots = BallotRates(node.clock)
        self.room = Room(node, share)
        self._roster: Roster | None = None
        self._nonces: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._earlier: dict[int, Charter] = {}
        self._lock = threading.Lock()

    def roster(self, epoch: int = 0) -> Roster:
        """Charter, members we refuse; read again every second, at once while we recover.

        A caller that speaks under a later `epoch` knows of a decree that is perhaps ours by now.
        """
        now, held = self.node.clock.monotonic(), self._roster
        behind = held is not None and held.charter.epoch < epoch
        age_s = ROSTER_AGE_BEHIND_S if behind else ROSTER_AGE_S
        if held is not None and not held.recovering and 0 <= now - held.read_at < age_s:
            return held
        try:
            with self.node.database.reading() as session:
                charter = self.node.context.charter(session)
                if held is not None and held.charter.digest == charter.digest:
                    departed = held.departed
                else:
                    departed = departures(session)
                fresh = Roster(
                    charter,
                    departed,
                    membership.blocked(session),
                    measures.in_force(session, self.node.context),
                    restores.is_recovering(session),
                    now,
                )
        except NotFounded:
            raise errors.Maintenance("this node belongs to no alliance yet") from None
        except UNAVAILABLE:
            raise errors.NonceStoreUnavailable from None
        self._roster = fresh
        return fresh

    def charter_of(self, epoch: int) -> Charter:
        """The charter of an epoch that is named to us; the one in force when we hold no such."""
        charter = self.roster().charter
        if epoch >= charter.epoch:
            return charter
        found = self._earlier.get(epoch)
        if found is None:
            try:
                with self.node.database.reading() as session:
                    found = charters.of_epoch(session, epoch)
            except NotFounded:
                return charter
            except UNAVAILABLE:
                raise errors.NonceStoreUnavailable from None
            with self._lock:
                if len(self._earlier) >= EARLIER_MAX:
                    self._earlier.clear()
                self._earlier[epoch] = found
        return found

    def remember(self, asked: http.VerifiedRequest) -> None:
        """Refuse a replay without asking the database, which has the last word all the same."""
        key = (asked.keyid, asked.nonce)
        with self._lock:
            if key in self._nonces:
                raise errors.NonceReused
            self._nonces[key] = None
            if len(self._nonces) > NONCES_REMEMBERED_MAX:
                self._nonces.popitem(last=False)


# --- From the request to the answer. ---


@blueprint.record_once
def _open_gate(state: BlueprintSetupState) -> None:
    node, share = state.app.extensions["tasuki"], state.options["share"]
    state.app.extensions["tasuki_gate"] = Gate(node, share)


@blueprint.before_app_request
def catch_other_writings() -> Response | None:
    """Answer what means one of our addresses and is not written like it.

    Flask would redirect `//peer/...` to the clean path, and a signature covers what was sent.
    """
    if request.blueprint == blueprint.name or not _OURS.match(request.path):
        return None
    return answer()


def answer() -> Response:
    """One request of a peer, or of somebody who says so."""
    gate = cast(Gate, current_app.extensions["tasuki_gate"])
    node, parsed = gate.node, None
    try:
        endpoint = _endpoint()
        body = read_body(endpoint.bytes_max)
        parsed = http.parse_request(
            method=request.method,
            authority=node.settings.authority,
            raw_path=_raw_path(),
            headers=request.headers.items(),
            body=body,
        )
        roster = gate.roster(parsed.context.epoch)
        asked = _verify(gate, roster, parsed)
    except ProtocolError as refusal:
        return _refuse(gate, refusal, parsed, sender=None)
    try:
        content = _carry_out(gate, roster, endpoint, asked)
        return _signed(gate, 200, content, http.JSON_TYPE, parsed)
    except ProtocolError as refusal:
        return _refuse(gate, refusal, parsed, sender=asked.context.sender)


for _path in ENDPOINTS:
    blueprint.add_url_rule(
        _path,
        _path.rpartition("/")[2],
        answer,
        methods=METHODS,
        provide_automatic_options=False,
    )


def _raw_path() -> str:
    """The request target as it stood on the wire; Flask's own is decoded and merged."""
    return str(request.environ.get("RAW_URI", ""))


def _endpoint() -> Endpoint:
    raw = _raw_path()
    endpoint = ENDPOINTS.get(raw)
    if endpoint is None:
        if not _CANONICAL.fullmatch(raw):
            raise errors.PathNotCanonical("only a-z, 0-9, . _ - between single slashes, no query")
        raise errors.NotFound(f"nothing at {raw[:100]}")
    if request.method != "POST":
        raise errors.MethodNotAllowed(allow="POST")
    return endpoint


def _verify(gate: Gate, roster: Roster, parsed: http.UnverifiedRequest) -> http.VerifiedRequest:
    node, charter, epoch = gate.node, roster.charter, parsed.context.epoch

    def key_of(sender: str, keyid: str) -> VerifyKey:
        try:
            return membership.verify_key_of(charter, roster.departed, sender, keyid)
        except errors.KeyUnknown:
            if epoch > charter.epoch:
                # Perhaps a key of the version that we do not hold yet.
                raise errors.EpochMismatch(
                    f"we hold version {charter.version}", epoch=charter.version
                ) from None
            # Whoever has not heard of its new key in force asks with the old one what it missed.
            return membership.verify_key_of(gate.charter_of(epoch), {}, sender, keyid)

    return http.verify_request(
        parsed,
        now=node.clock.now(),
        authority=node.settings.authority,
        alliance=roster.charter.alliance,
        us=node.context.member_id,
        key_of=key_of,
    )


def _carry_out(
    gate: Gate, roster: Roster, endpoint: Endpoint, asked: http.VerifiedRequest
) -> bytes:
    """Spend the nonce, keep to the rate, then do what the body says; committed before returning."""
    node, sender = gate.node, asked.context.sender
    _require_standing(node, roster, endpoint, sender)
    if roster.recovering and not endpoint.while_recovering:
        raise errors.Recovering(retry_after_s=RECOVERING_RETRY_S)
    theirs, ours = asked.context.epoch, roster.charter.version
    if theirs != ours and not (endpoint.for_those_behind and theirs < ours):
        raise errors.EpochMismatch(
            f"we hold version {roster.charter.version}", epoch=roster.charter.version
        )
    gate.remember(asked)
    # A key that was replaced may be a thief's by now: what it asks is not the member's to pay for.
    is_current = asked.keyid in roster.charter.keys
    gate.rates.take(sender if is_current else asked.keyid, endpoint.weight)
    if endpoint.begins_a_ballot:
        gate.ballots.take(roster.charter.epoch, sender)
    try:
        departure = roster.departed.get(sender)
        work = endpoint.prepare(Call(node.context, roster.charter, asked, gate.room, departure))
        with node.database.transaction() as session:
            nonces.use(session, asked)
            outcome = work(session)
    except errors.NonceReused:
        raise
    except ProtocolError:
        _spend_nonce(node, asked)
        raise
    except KeyNotHeld:
        # Signed with another key our word would be worth nothing: it waits until we have the key.
        raise errors.Maintenance(KeyNotHeld.sentence()) from None
    except UNAVAILABLE:
        # Unknown whether it was stored: the peer asks again and gets the same answer.
        raise errors.NonceStoreUnavailable(retry_after_s=RETRY_AFTER_S) from None
    if isinstance(outcome, ProtocolError):
        raise outcome
    return outcome


def _require_standing(node: Node, roster: Roster, endpoint: Endpoint, sender: str) -> None:
    """Refuse a caller that has left or that a measure shuts out at this address."""
    if sender in roster.departed and endpoint.for_those_behind:
        # So it learns of the decree that removed it; `Call.require_named` ends it there.
        return
    standing.require_standing(
        sender,
        roster.charter,
        node.clock.now(),
        suspensions=roster.suspensions if SUSPENSION in endpoint.heeds else (),
        blocked=BLOCK in endpoint.heeds and sender in roster.blocked,
        former=roster.departed,
    )


def _spend_nonce(node: Node, asked: http.VerifiedRequest) -> None:
    """A refused request is spent like any other; what it would have changed was rolled back."""
    try:
        with node.database.transaction() as session:
            nonces.use(session, asked)
    except UNAVAILABLE:
        raise errors.NonceStoreUnavailable(retry_after_s=RETRY_AFTER_S) from None


# --- Answers. ---


def _refuse(
    gate: Gate,
    refusal: ProtocolError,
    parsed: http.UnverifiedRequest | None,
    *,
    sender: str | None,
) -> Response:
    log.info(
        "refused",
        code=refusal.code,
        sender=sender,
        path=parsed.path if parsed else None,
        request=g.request_id,
    )
    content = problems.problem(refusal, g.request_id, verified=sender is not None)
    response = Response(content, refusal.status, content_type=http.PROBLEM_TYPE)
    if parsed is not None:
        try:
            response = _signed(gate, refusal.status, content, http.PROBLEM_TYPE, parsed)
        except ProtocolError as unsigned:
            # Nobody may take it for a verdict: it says only that there is none now.
            content = problems.problem(unsigned, g.request_id, verified=False)
            response = Response(content, unsigned.status, content_type=http.PROBLEM_TYPE)
    _add_advice(response, refusal)
    return response


def _add_advice(response: Response, refusal: ProtocolError) -> None:
    """What HTTP has headers for; the signed truth stands in the body."""
    if isinstance(refusal, errors.MethodNotAllowed):
        response.headers["Allow"] = "POST"
    if isinstance(refusal, errors.SignatureMissing | errors.SignatureCoverage):
        response.headers["Accept-Signature"] = http.ACCEPT_SIGNATURE
    if isinstance(refusal, errors.NotNow):
        wait_s = refusal.facts.get("retry_after_s", RETRY_AFTER_S)
        response.headers["Retry-After"] = str(wait_s)


def _signed(
    gate: Gate,
    status: int,
    content: bytes,
    content_type: str,
    parsed: http.UnverifiedRequest,
) -> Response:
    """An answer under the asker's epoch, if that has ended: it knows our key of then, no other."""
    node, us, asker = gate.node, gate.node.context.member_id, parsed.context.sender
    charter = gate.charter_of(parsed.context.epoch)
    try:
        key = node.context.signing(charter)
    except KeyNotHeld:
        raise errors.Maintenance(KeyNotHeld.sentence()) from None
    headers = http.sign_response(
        status=status,
        body=content,
        content_type=content_type,
        request=parsed,
        context=http.Context(charter.alliance, charter.version, us, asker),
        key=key,
        created=node.clock.now(),
    )
    return Response(content, status, headers)
