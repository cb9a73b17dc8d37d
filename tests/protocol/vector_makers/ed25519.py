"""Vectors of the one Ed25519 verifier: keys and signatures that libraries disagree about.

Each of them is accepted by some library (see C2SP's CCTV for the whole field). A quorum in which
two members disagree about one of them is a fork, so ours refuses them all.
"""

import hashlib
from collections.abc import Iterator

from protocol.keys import b64encode
from tests.protocol.cast import SIGNING
from tests.protocol.vector import Vector

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
MESSAGE = b"ed25519 vectors"
# The eight points of small order, by their y; the sign bit gives the mirrored ones.
_Y8 = 2707385501144840649318225287225658788936804267575313519463743609750303021402
_LOW_ORDER = [
    ("key_low_order_1", (1).to_bytes(32, "little"), "the neutral element"),
    ("key_low_order_2", (P - 1).to_bytes(32, "little"), "the point of order two"),
    ("key_low_order_4", bytes(32), "a point of order four"),
    ("key_low_order_4_mirrored", bytes(31) + b"\x80", "the other point of order four"),
    ("key_low_order_8", _Y8.to_bytes(32, "little"), "a point of order eight"),
    ("key_low_order_8_negative", (P - _Y8).to_bytes(32, "little"), "a point of order eight"),
]
_NOT_CANONICAL = [
    ("key_not_canonical_0", P.to_bytes(32, "little"), "y = p stands for y = 0"),
    ("key_not_canonical_1", (P + 1).to_bytes(32, "little"), "y = p + 1 stands for y = 1"),
    ("key_not_canonical_3", (P + 3).to_bytes(32, "little"), "y = p + 3 stands for y = 3"),
    ("key_not_on_the_curve", (2).to_bytes(32, "little"), "no x belongs to y = 2"),
    ("key_too_short", bytes([5]) * 31, "31 bytes"),
    ("key_too_long", bytes([5]) * 33, "33 bytes"),
]


def make() -> Iterator[Vector]:
    key = SIGNING["aoba"]
    raw = key.verify_key.raw
    yield Vector("valid_key", "a good key", "key", None, None, {"key": b64encode(raw)})
    for name, point, about in _LOW_ORDER + _NOT_CANONICAL:
        yield Vector(name, about, "key", "key", "key-invalid", {"key": b64encode(point)})

    good = key.sign(MESSAGE)
    s = int.from_bytes(good[32:], "little")
    yield _signature("valid_signature", "a good signature", None, good)
    for name, value, about in (
        (
            "signature_s_plus_l",
            good[:32] + (s + L).to_bytes(32, "little"),
            "S + L: the same signature in a second writing",
        ),
        ("signature_r_low_order", _small_r(raw), "R is the neutral element; the equation holds"),
        ("signature_one_bit", bytes([good[0] ^ 1]) + good[1:], "one bit of R is turned"),
        ("signature_too_short", good[:-1], "63 bytes"),
        ("signature_too_long", good + b"\x00", "65 bytes"),
        ("signature_empty", b"", "no bytes"),
        ("signature_zero", bytes(64), "64 zero bytes"),
    ):
        yield _signature(name, about, "signature-invalid", value)
    other = SIGNING["biwa"].sign(MESSAGE)
    yield _signature("signature_other_key", "made with another key", "signature-invalid", other)


def _signature(name: str, about: str, refusal: str | None, value: bytes) -> Vector:
    given = {
        "key": b64encode(SIGNING["aoba"].verify_key.raw),
        "message": b64encode(MESSAGE),
        "signature": b64encode(value),
    }
    return Vector(name, about, "signature", refusal and "signature", refusal, given)


def _small_r(raw: bytes) -> bytes:
    """S = h * a with R = 0: S * B = R + h * A holds, so a verifier that does not look says yes."""
    hashed = bytearray(hashlib.sha512(SIGNING["aoba"].seed).digest()[:32])
    hashed[0] &= 248
    hashed[31] = hashed[31] & 127 | 64
    secret = int.from_bytes(hashed, "little")
    neutral = (1).to_bytes(32, "little")
    h = int.from_bytes(hashlib.sha512(neutral + raw + MESSAGE).digest(), "little") % L
    return neutral + (h * secret % L).to_bytes(32, "little")
