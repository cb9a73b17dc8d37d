"""A change of one node's keys: staged, decided without people, and nothing on its way is lost."""

from dataclasses import replace
from pathlib import Path

import pytest

from node import keyring_file
from node.keyring import KeyNotHeld, Keyring
from node.services import audit, decrees, delivery, keys, ledger, membership, outbox
from node.services.keys import KEPT_S, State
from node.worker.keys import drop_drained_keys
from protocol import (
    DRAFT,
    REFERRAL_ENTRY,
    Ballot,
    Charter,
    Decline,
    Order,
    OrderAnswer,
    OrderRequest,
    Signed,
    SigningKey,
    decree,
    next_draft,
    sign,
)
from tests.equipment.alliance import Alliance, House
from tests.equipment.deciding import decide, enact, in_force, propose, tell
from tests.equipment.key_office import PASSPHRASE, THREE, KeyOffice, key_office, rotated
from tests.equipment.letters import deliver, handle
from tests.equipment.peers import HELLO, Answer, Caller, node_of, stored
from tests.equipment.referring import accept, received, refer, sent

DECLINE = Decline(referral="referral-0001", declined_at=1_800_000_000).encode()
FOLLOWING = "/peer/v1/following"


@pytest.fixture
def office(alliance: Alliance, tmp_path: Path) -> KeyOffice:
    return key_office(alliance, "biwa", tmp_path)


def states(house: House) -> list[State]:
    with house.database.reading() as session:
        return [view.state for view in keys.views(session, house.context)]


def write_letter(house: House, to: str) -> str:
    with house.database.transaction() as session:
        return outbox.enqueue(session, house.context, recipient=to, kind="decline", payload=DECLINE)


def send_over_http(house: House, to: House, charter: Charter) -> list[delivery.Outcome]:
    """What waits for a member goes through its door, and what came of it is recorded."""
    caller = Caller(house, to, charter)
    with house.database.transaction() as session:
        parcels = delivery.claim(session, house.context, to.id, "one")
        proving = delivery.receipt_keys(session, house.context, parcels)
    outcomes = []
    for parcel in parcels:
        answer = caller.call(parcel.envelope, key=house.context.signing(charter))
        assert answer.is_proven
        outcomes.append(delivery.outcome_of(parcel, answer.status, answer.body, proving))
    with house.database.transaction() as session:
        delivery.record(session, house.context, to.id, "one", parcels, outcomes, jitter=0.0)
    return outcomes


def ask(us: House, them: House, under: Charter, path: str, key: SigningKey) -> Answer:
    body = b"{}"
    if path == HELLO:
        with us.database.reading() as session:
            body = membership.make_hello(session, us.context).encode()
    return Caller(us, them, under).call(body, path=path, key=key)


def test_the_nodes_decide_alone_and_biwa_signs_with_the_new_key(
    alliance: Alliance, office: KeyOffice
) -> None:
    before = office.house.context.signing(alliance.charter)
    assert states(office.house) == [State.IN_USE]
    rotated(alliance, office)
    after = office.house.context.signing(in_force(office.house))
    assert after != before
    assert states(office.house) == [State.KEPT, State.IN_USE]
    # Under the charter that ended, a thread that is still in it signs with the old one.
    assert office.house.context.signing(alliance.charter).keyid == before.keyid
    for house in alliance.houses.values():
        assert in_force(house).member("biwa").verify_key == after.verify_key


def test_running_it_again_proposes_the_same_keys(alliance: Alliance, office: KeyOffice) -> None:
    first, content = office.rotate(), office.file.read_bytes()
    assert states(office.house) == [State.IN_USE, State.STAGED]
    assert office.rotate().digest == first.digest
    assert office.file.read_bytes() == content
    # Another decree comes first: the same keys, on the version that follows it.
    other = propose(alliance["aoba"], next_draft(alliance.charter))
    for name in ("biwa", "seeds"):
        tell(alliance["aoba"], alliance[name], other)
        with alliance[name].database.transaction() as session:
            decrees.approve_by_ourselves(session, alliance[name].context)
        tell(alliance["aoba"], alliance[name], other)
    enacted = decide(alliance, "aoba", THREE)
    for house in alliance.houses.values():
        assert enact(house, enacted)
    assert states(office.house) == [State.IN_USE, State.STAGED]
    second = office.rotate()
    assert second.digest != first.digest
    assert office.file.read_bytes() == content
    with office.house.database.reading() as session:
        view = decrees.view(session, office.house.context, second.digest)
    assert (view.version, view.approving, view.lacks) == (3, ("biwa",), "")


def test_somebody_elses_recovery_sheet_is_refused_and_changes_nothing(
    alliance: Alliance, office: KeyOffice
) -> None:
    office.stage()
    for identity, whose in (
        (alliance.identities["aoba"], "aoba"),
        (SigningKey.generate(), "nobody"),
    ):
        with (
            pytest.raises(keys.IdentityForeign, match=whose),
            office.house.database.transaction() as session,
        ):
            keys.rotate(session, office.house.context, identity, actor="cli")
    with office.house.database.reading() as session:
        assert decrees.views(session, office.house.context) == []


def test_a_running_process_reads_the_key_file_again_when_the_charter_names_a_new_key(
    alliance: Alliance, office: KeyOffice
) -> None:
    web = office.opened_again()
    rotated(alliance, office)
    assert len(web.context.keyring.pairs) == 1
    assert web.context.signing(in_force(web)) is not None
    assert len(web.context.keyring.pairs) == 2
    # What is not in the file is not looked for again before the file is written anew.
    asked = []

    def passphrase() -> str:
        asked.append(len(asked))
        return PASSPHRASE

    watch = keyring_file.Watch(office.file, passphrase)
    keyring = Keyring(watch.first(), watch.changed)
    for _ in range(3):
        assert keyring.find_signing(bytes(32)) is None
    assert asked == [0]


def test_letters_on_their_way_arrive_in_both_directions(
    alliance: Alliance, office: KeyOffice
) -> None:
    biwa, aoba, seeds = office.house, alliance["aoba"], alliance["seeds"]
    # Sealed to the old key by aoba, signed with the old key by biwa, and not sent yet.
    to_biwa, from_biwa = refer(aoba, "biwa"), refer(biwa, "seeds")
    rotated(alliance, office)
    charter = in_force(biwa)
    for sender, recipient in ((aoba, biwa), (biwa, seeds)):
        (outcome,) = send_over_http(sender, recipient, charter)
        assert outcome.receipt is not None
        assert handle(alliance, recipient) == []
    for recipient, sender, referral in ((biwa, aoba, to_biwa), (seeds, biwa, from_biwa)):
        accept(recipient, received(recipient).id)
        send_over_http(recipient, sender, charter)
        assert handle(alliance, sender) == []
        assert sent(sender, referral).acceptance is not None


def test_a_letter_that_came_before_the_change_is_handled_behind_it(
    alliance: Alliance, office: KeyOffice
) -> None:
    biwa, seeds = office.house, alliance["seeds"]
    refer(biwa, "seeds")
    refer(seeds, "biwa")
    deliver(alliance, biwa)
    deliver(alliance, seeds)
    rotated(alliance, office)
    assert handle(alliance, seeds) == []
    assert handle(alliance, biwa) == []


def test_a_receipt_from_before_the_change_proves_the_delivery_still(
    alliance: Alliance, office: KeyOffice
) -> None:
    biwa, aoba = office.house, alliance["aoba"]
    refer(aoba, "biwa")
    with aoba.database.transaction() as session:
        (parcel,) = delivery.claim(session, aoba.context, "biwa", "lost")
    first = Caller(aoba, biwa, alliance.charter).call(parcel.envelope)
    # The answer is lost on its way, and asked for again after the change.
    with aoba.database.transaction() as session:
        delivery.release_all(session)
    rotated(alliance, office)
    (outcome,) = send_over_http(aoba, biwa, in_force(aoba))
    assert outcome.receipt == first.body


def test_who_is_behind_asks_with_its_old_key_what_it_missed_and_nothing_else(
    alliance: Alliance, office: KeyOffice
) -> None:
    biwa, aoba = office.house, alliance["aoba"]
    old = biwa.context.signing(alliance.charter)
    rotated(alliance, office, enacting=("aoba", "seeds", "bridge"))
    answer = ask(biwa, aoba, alliance.charter, FOLLOWING, old)
    assert (answer.status, answer.is_proven) == (200, True)
    assert ask(biwa, aoba, alliance.charter, HELLO, old).code == "epoch-mismatch"
    # As if it were in force still, under the version that replaced it: refused.
    for path in (FOLLOWING, HELLO):
        assert ask(biwa, aoba, in_force(aoba), path, old).code == "key-unknown"
    assert enact(biwa, decree.Enacted.parse(answer.body))
    new = biwa.context.signing(in_force(biwa))
    assert ask(biwa, aoba, in_force(biwa), HELLO, new).status == 200


def test_whoever_is_behind_can_prove_what_a_node_with_new_keys_answers(
    alliance: Alliance, office: KeyOffice
) -> None:
    bridge = alliance["bridge"]
    rotated(alliance, office, enacting=("aoba", "biwa", "seeds"))
    key = bridge.context.signing(alliance.charter)
    answer = ask(bridge, office.house, alliance.charter, FOLLOWING, key)
    assert (answer.status, answer.is_proven) == (200, True)
    assert enact(bridge, decree.Enacted.parse(answer.body))


def test_a_peer_that_has_not_heard_of_the_new_key_says_that_it_is_behind(
    alliance: Alliance, office: KeyOffice
) -> None:
    rotated(alliance, office, enacting=("biwa",))
    charter = in_force(office.house)
    key = office.house.context.signing(charter)
    answer = ask(office.house, alliance["aoba"], charter, HELLO, key)
    assert (answer.status, answer.code, answer.is_proven) == (409, "epoch-mismatch", True)
    stranger = ask(office.house, alliance["aoba"], alliance.charter, HELLO, SigningKey.generate())
    assert stranger.code == "key-unknown"


def owe(house: House, entry_id: str) -> Signed[Order]:
    """The house's open order, with one more point for aoba."""
    with house.database.transaction() as session:
        ledger.pay(
            session,
            house.context,
            entry_id=entry_id,
            kind=REFERRAL_ENTRY,
            to="aoba",
            points=1,
            reference=bytes(32),
        )
        order = ledger.open_order(session, house.context)
    assert order is not None
    return order


def test_points_go_on_from_an_order_of_the_old_key_to_one_of_the_new(
    alliance: Alliance, office: KeyOffice
) -> None:
    biwa, bridge = office.house, alliance["bridge"]
    carried = owe(biwa, "opened-before-the-change")
    rotated(alliance, office)
    order = owe(biwa, "owed-behind-it")
    old, new = (each.document.signatures[0].keyid for each in (carried, order))
    assert (old, new) == tuple(pair.signing.keyid for pair in office.keyring.pairs)

    ballot = Ballot(order, in_force(biwa))
    for name in ("aoba", "seeds"):
        with alliance[name].database.transaction() as session:
            body = OrderRequest(order.document).encode()
            answer = ledger.vote_on(session, alliance[name].context, body)
        assert isinstance(answer, bytes)
        vote = OrderAnswer.parse(answer).vote
        assert vote is not None
        ballot.add(vote, name)
    with biwa.database.transaction() as session:
        data = ledger.certify(session, biwa.context, ballot).data
    with bridge.database.transaction() as session:
        assert ledger.receive_certificate(session, bridge.context, data)
        assert ledger.SQLBooks(session).head("aoba").balance == 2
        assert list(filter(None, ledger.Verification(session).findings())) == []


# --- The key file of before the change. ---


def lose(alliance: Alliance, office: KeyOffice) -> KeyOffice:
    """biwa's key file is the one of before the change again."""
    held = keyring_file.read(office.file, PASSPHRASE)
    keyring_file.replace(office.file, PASSPHRASE, replace(held, pairs=held.pairs[:1]))
    alliance.houses["biwa"] = office.opened_again()
    return replace(office, house=alliance["biwa"])


def test_without_the_key_of_the_charter_nothing_is_signed_and_the_door_says_so(
    alliance: Alliance, office: KeyOffice
) -> None:
    rotated(alliance, office)
    biwa, aoba = lose(alliance, office).house, alliance["aoba"]
    with pytest.raises(KeyNotHeld):
        write_letter(biwa, "aoba")
    refer(aoba, "biwa")
    before = stored(biwa.database)
    charter = in_force(aoba)
    with aoba.database.transaction() as session:
        (parcel,) = delivery.claim(session, aoba.context, "biwa", "one")
    answer = Caller(aoba, biwa, charter).call(parcel.envelope)
    assert (answer.status, answer.code, answer.is_proven) == (503, "maintenance", False)
    assert stored(biwa.database) == before


def test_a_node_that_lost_its_key_gets_new_ones_with_another_members_help(
    alliance: Alliance, office: KeyOffice
) -> None:
    rotated(alliance, office)
    lost = lose(alliance, office)
    biwa, aoba = lost.house, alliance["aoba"]
    document = lost.rotate()
    with biwa.database.reading() as session:
        assert decrees.views(session, biwa.context) == []
    with aoba.database.transaction() as session:
        decrees.offer(session, aoba.context, document, actor="cli")
    for name in ("seeds", "bridge"):
        tell(aoba, alliance[name], document.digest)
        with alliance[name].database.transaction() as session:
            assert decrees.approve_by_ourselves(session, alliance[name].context) == 1
        tell(aoba, alliance[name], document.digest)
    enacted = decide(alliance, "aoba", ("aoba", "seeds", "bridge"))
    for name in ("aoba", "seeds", "bridge"):
        assert enact(alliance[name], enacted)
    # The new key is in force where it is asked, though biwa has not heard of that yet.
    behind = in_force(biwa)
    answer = ask(biwa, aoba, behind, FOLLOWING, biwa.context.calling(behind))
    assert (answer.status, answer.is_proven) == (200, True)
    assert enact(biwa, decree.Enacted.parse(answer.body))
    assert states(biwa) == [State.KEPT, State.IN_USE]
    assert write_letter(biwa, "aoba")


# --- Old keys leave. ---


def test_old_keys_are_dropped_when_the_last_letter_to_them_has_come(
    alliance: Alliance, office: KeyOffice
) -> None:
    aoba, biwa = alliance["aoba"], office.house
    rotated(alliance, office)
    sealed = Caller(aoba, biwa, alliance.charter).letter("decline", DECLINE)
    alliance.clock.move(KEPT_S - 1)
    drop_drained_keys(node_of(biwa))
    assert states(biwa) == [State.KEPT, State.IN_USE]
    alliance.clock.move(1)
    drop_drained_keys(node_of(biwa))
    assert states(biwa) == [State.IN_USE]
    assert len(keyring_file.read(office.file, PASSPHRASE).pairs) == 1
    assert biwa.context.signing(in_force(biwa)) == biwa.context.keyring.signing
    assert biwa.context.keyring.find_sealing(sealed.sealing_keyid) is None
    with biwa.database.reading() as session:
        assert audit.verify(session) is None


def test_nothing_is_dropped_while_the_key_in_use_is_not_here(
    alliance: Alliance, office: KeyOffice
) -> None:
    rotated(alliance, office)
    lost = lose(alliance, office)
    lost.stage()
    alliance.clock.move(KEPT_S)
    drop_drained_keys(node_of(lost.house))
    assert states(lost.house) == [State.KEPT, State.STAGED]


def test_a_draft_that_does_more_than_change_keys_waits_for_people(
    alliance: Alliance, office: KeyOffice
) -> None:
    office.stage()
    pair = office.keyring.pairs[-1]
    members = tuple(
        replace(each, signing_key=pair.signing.verify_key.raw, credit_limit=999)
        if each.id == "biwa"
        else each
        for each in alliance.charter.members
    )
    greedy = sign(DRAFT, next_draft(alliance.charter, members=members).draft, office.identity)
    with alliance["aoba"].database.transaction() as session:
        decrees.offer(session, alliance["aoba"].context, greedy.add(pair.signing), actor="cli")
    tell(alliance["aoba"], alliance["seeds"], greedy.digest)
    with alliance["seeds"].database.transaction() as session:
        assert decrees.approve_by_ourselves(session, alliance["seeds"].context) == 0
