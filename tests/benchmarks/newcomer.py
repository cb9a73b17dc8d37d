"""A newcomer reads the whole history from a peer: verified, applied, durable.  LEDGER 5.

The peer's pages are made as it makes them; timed is what the newcomer does with each, in the
functions and transactions of its worker, against the signatures alone of the same certificates.
"""

import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from time import perf_counter

from node.database import Database
from node.services import ledger
from protocol import (
    REFERRAL_ENTRY,
    Certificate,
    Charter,
    Entry,
    PullAnswer,
    SignedDocument,
    cast_vote,
    limits,
)
from protocol.documents.ledger import VOTE
from protocol.ledger.certificates import encode_certificate
from tests.benchmarks.registry import Figure, benchmark
from tests.benchmarks.replicas import Replica
from tests.equipment.alliance import MEMBERS, House, found_alliance

ENTRIES = 100_000
PAGE = limits.PULL_CERTIFICATES_MAX
SAMPLED = 50


def history(houses: dict[str, House], charter: Charter) -> Iterator[Certificate]:
    """Certificates without end, one entry each, every member in turn; nobody is asked."""
    replicas = [
        Replica(name, charter, house.context.keyring.signing) for name, house in houses.items()
    ]
    number = 0
    while True:
        owner = replicas[number % len(replicas)]
        others = [each for each in replicas if each is not owner]
        to = others[number // len(replicas) % len(others)].name
        order = owner.build(Entry(f"{number:032x}", REFERRAL_ENTRY, to, 1, bytes(32)))
        votes = [cast_vote(order, each.key) for each in others[: charter.q - 1]]
        signatures = tuple(vote.signatures[0] for vote in votes)
        vote = SignedDocument(VOTE, votes[0].payload, signatures)
        certificate = Certificate(order, vote, encode_certificate(order.document, vote))
        for replica in replicas:
            replica.follow(certificate)
        yield certificate
        number += 1


def signatures_s(certificates: list[Certificate], charter: Charter) -> float:
    """Seconds that the signatures alone of these certificates take to verify."""
    claims = [
        (charter.keys[signature.keyid][0], document.signing_bytes, signature.value)
        for certificate in certificates
        for document in (certificate.order.document, certificate.vote)
        for signature in document.signatures
    ]
    started = perf_counter()
    for key, message, value in claims:
        key.verify(message, value)
    return perf_counter() - started


@benchmark("newcomer")
def whole_history() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        databases = [Database(f"sqlite:///{Path(folder) / name}.sqlite") for name in MEMBERS]
        for database in databases:
            database.upgrade()
        alliance = found_alliance(databases, credit_limit=ENTRIES)
        newcomer, pages = alliance["aoba"], history(dict(alliance.houses), alliance.charter)
        ours_s = floor_s = 0.0
        for left in range(ENTRIES - PAGE, -1, -PAGE):
            page = list(islice(pages, PAGE))
            floor_s += signatures_s(page[:SAMPLED], alliance.charter) * PAGE / SAMPLED
            body = PullAnswer({}, bytes(32), tuple(each.data for each in page), left > 0).encode()
            started = perf_counter()
            answer = PullAnswer.parse(body)
            with newcomer.database.transaction() as session:
                assert ledger.absorb(session, newcomer.context, answer) == PAGE
            ours_s += perf_counter() - started
        with newcomer.database.reading() as session:
            assert sum(ledger.state(session)[0].values()) == ENTRIES
        for database in databases:
            database.close()
    yield Figure(f"{ENTRIES:,} entries, an order each, read and kept", ours_s, "s")
    yield Figure("their signatures alone", floor_s, "s")
    yield Figure("against the signatures alone", ours_s / floor_s, "times", at_most=3)
    yield Figure("certificates a second", ENTRIES / ours_s, "/s")
