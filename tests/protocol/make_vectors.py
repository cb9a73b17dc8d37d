"""Write the vectors anew: `python -m tests.protocol.make_vectors`. Look at the difference then."""

from collections.abc import Iterator

from tests.protocol.vector import FOLDER, Vector
from tests.protocol.vector_makers import (
    charters,
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
)


def make_all() -> Iterator[Vector]:
    """Every vector, in the order of the floors."""
    for maker in MAKERS:
        yield from maker.make()


def main() -> None:
    """Replace the folder's files, the unrepeatable ones too."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.json"):
        old.unlink()
    for vector in make_all():
        path = FOLDER / f"{vector.name}.json"
        assert not path.exists(), vector.name
        path.write_text(vector.encode(), encoding="utf-8")


if __name__ == "__main__":
    main()
