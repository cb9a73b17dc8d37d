"""What can be said between members: one file per topic, each document a frozen dataclass.  SPEC §5.

Every document has `KIND`, `encode() -> bytes` (the payload to sign) and `parse(bytes)` (which
refuses anything it does not know). A document that exists is valid in itself; whether it is *true*
is decided by the state machines above this floor.
"""
