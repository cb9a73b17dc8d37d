"""A founded alliance in memory, for tests of the charter and the ledger."""

from dataclasses import replace

from protocol import (
    CHARTER,
    Charter,
    Member,
    Policy,
    SignedDocument,
    SigningKey,
    propose_quorum,
    sign,
    verify_founding,
)
from tests.protocol.cast import ALLIANCE, SEALING, SIGNING

IDENTITY = {name: SigningKey.from_seed(bytes([40 + n]) * 32) for n, name in enumerate(SIGNING)}
NAMES = tuple(SIGNING)


def member(name: str, *, credit_limit: int = 20, role: str = "member") -> Member:
    """A member with the keys of the cast."""
    return Member(
        id=name,
        legal_name=f"株式会社{name}",
        address="滋賀県大津市1-1",
        representative="代表取締役 渡邊 花子",
        business="製造",
        contact="077-000-0000",
        country="JP",
        licences=(),
        url=f"https://{name}.example",
        identity_key=IDENTITY[name].verify_key.raw,
        signing_key=SIGNING[name].verify_key.raw,
        sealing_key=SEALING[name].public.raw,
        role=role,
        credit_limit=credit_limit,
    )


def draft(**changes: object) -> Charter:
    """Charter version 1 of the four, with changes to its fields."""
    q, b = propose_quorum(len(NAMES))
    charter = Charter(
        alliance=ALLIANCE,
        name="みなと採用連合",
        version=1,
        previous=bytes(32),
        members=tuple(map(member, NAMES)),
        q=q,
        b=b,
        policy=Policy(),
    )
    return replace(charter, **changes)  # type: ignore[arg-type]


def signed_by(charter: Charter, *names: str) -> SignedDocument:
    """The charter under the identity keys of these members."""
    document = sign(CHARTER, charter.encode(), IDENTITY[names[0]])
    for name in names[1:]:
        document = document.add(IDENTITY[name])
    return document


def founded(**changes: object) -> Charter:
    """The charter, signed by all and proven."""
    return verify_founding(signed_by(draft(**changes), *NAMES))
