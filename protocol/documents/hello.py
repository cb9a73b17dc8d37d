"""Hello: what two nodes tell each other when one starts, and when somebody tests the line.  PEER 3.

The body of a signed HTTP call and of its answer, not a document: it says nothing that would have to
be proven to a third member. It wakes the queues that wait for the caller, shows how far apart the
two clocks are, and lets either side notice that the other holds another charter or began a new
life from a backup.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol import limits
from protocol.strictjson import JSON, Reader, b64encode, encode, parse


@dataclass(frozen=True, slots=True)
class Hello:
    """The caller's charter, incarnation, release, and what its clock shows."""

    charter_version: int
    charter_digest: bytes
    incarnation: int
    release: str
    time: int

    def encode(self) -> bytes:
        content: JSON = {
            "charter_digest": b64encode(self.charter_digest),
            "charter_version": self.charter_version,
            "incarnation": self.incarnation,
            "release": self.release,
            "time": self.time,
        }
        return encode(content)

    @classmethod
    def parse(cls, data: bytes) -> Hello:
        reader = Reader(parse(data, bytes_max=limits.HELLO_BYTES_MAX))
        hello = cls(
            charter_version=reader.integer("charter_version", 1, limits.VERSION_MAX),
            charter_digest=reader.bytes("charter_digest", length=32),
            incarnation=reader.integer("incarnation", 0, limits.INCARNATION_MAX),
            release=reader.text("release", limits.RELEASE_CHARS_MAX),
            time=reader.integer("time", 0, limits.TIME_MAX),
        )
        reader.done()
        return hello
