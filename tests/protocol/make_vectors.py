"""Write the vectors anew: `python -m tests.protocol.make_vectors`. Look at the difference then.

What sealing made stays as it is; to have one of those anew, delete its file first.
"""

import json
from collections.abc import Iterator
from typing import Any

from protocol.keys import b64encode
from tests.protocol import cast
from tests.protocol.alliance import IDENTITY, NAMES, draft, signed_by
from tests.protocol.vector import FOLDER, Vector, read
from tests.protocol.vector_makers import (
    calls,
    charters,
    decrees,
    documents,
    ed25519,
    envelopes,
    json_bytes,
    letters,
    orders,
    profiles,
    recoveries,
    responses,
)
from tests.protocol.vector_makers import requests as request_makers

MAKERS = (
    json_bytes,
    ed25519,
    documents,
    charters,
    profiles,
    letters,
    request_makers,
    responses,
    envelopes,
    orders,
    recoveries,
    calls,
    decrees,
)
CAST, INDEX = FOLDER / "cast.json", FOLDER / "index.json"


def make_all() -> Iterator[Vector]:
    """Every vector, in the order of the floors."""
    for maker in MAKERS:
        yield from maker.make()


def make_cast() -> str:
    """Who speaks in the vectors: every key, private halves included, and what biwa knows."""
    members = {
        name: {
            "identity_key": b64encode(IDENTITY[name].verify_key.raw),
            "identity_seed": b64encode(IDENTITY[name].seed),
            "signing_key": b64encode(cast.SIGNING[name].verify_key.raw),
            "signing_seed": b64encode(cast.SIGNING[name].seed),
            "signing_keyid": cast.SIGNING[name].keyid,
            "sealing_key": b64encode(cast.SEALING[name].public.raw),
            "sealing_private": b64encode(cast.SEALING[name].to_bytes()),
            "sealing_keyid": cast.SEALING[name].keyid,
        }
        for name in NAMES
    }
    return _written(
        {
            "about": "who speaks in the vectors; the reader is biwa, at this time and address",
            "alliance": cast.ALLIANCE,
            "epoch": cast.EPOCH,
            "us": "biwa",
            "authority": cast.AUTHORITY,
            "now": cast.NOW,
            "members": members,
            "charter": signed_by(draft(), *NAMES).to_json(),
        }
    )


def make_index(vectors: list[Vector]) -> str:
    """Every vector in one list: its file, the layer and the code that refuse it."""
    rows = [
        {
            "file": f"{each.subject}/{each.name}.json",
            "about": each.about,
            "layer": each.layer,
            "refusal": each.refusal,
        }
        for each in sorted(vectors, key=lambda vector: (vector.subject, vector.name))
    ]
    return _written({"about": "every vector, and what must happen to it", "vectors": rows})


def _written(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    """Replace what differs. Vectors that do not come out the same twice stay while they hold."""
    made = list(make_all())
    assert len({each.path for each in made}) == len(made), "two vectors share a name"
    for old in set(FOLDER.glob("*/*.json")) - {each.path for each in made}:
        old.unlink()
    for vector in made:
        kept = vector
        if not vector.repeatable and vector.path.exists():
            # What sealing drew stays, so that a difference shows only what was changed.
            kept = read(vector.path)
            same = (kept.about, kept.layer, kept.refusal)
            assert same == (vector.about, vector.layer, vector.refusal), vector.name
        vector.path.parent.mkdir(parents=True, exist_ok=True)
        vector.path.write_text(kept.encode(), encoding="utf-8")
    CAST.write_text(make_cast(), encoding="utf-8")
    INDEX.write_text(make_index(made), encoding="utf-8")


if __name__ == "__main__":
    main()
