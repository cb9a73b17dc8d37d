"""A referral of 4 KB, signed and sealed, opened and verified, against the primitives in it.

The primitives: Ed25519 sign and verify, HPKE seal and open, and the one base64 coding each way that
carries a ciphertext in a JSON body. A second ratio leaves the base64 out of the floor.
"""

import binascii
import json
from collections.abc import Iterator

from protocol import envelope, sealing, signed
from tests.benchmarks.registry import Figure, benchmark
from tests.benchmarks.timing import best_us
from tests.protocol.cast import ALLIANCE, KEYS, NOW, SEALING, SIGNING

PAYLOAD_BYTES = 4096
# A profile as JSON: mostly Japanese text, three bytes a character.
PAYLOAD = json.dumps({"text": "職" * 1360}, ensure_ascii=False).encode().ljust(PAYLOAD_BYTES)
INFO = b"i" * 80
# What HPKE adds: ML-KEM-768 and X25519 encapsulations, and the tag.
SEAL_BYTES = 1088 + 32 + 16


def _seal() -> envelope.Envelope:
    return envelope.seal(
        signed.sign("referral", PAYLOAD, SIGNING["aoba"]),
        id="0123456789abcdef0123456789abcdef",
        alliance=ALLIANCE,
        epoch=1,
        sender="aoba",
        recipient="biwa",
        recipient_key=SEALING["biwa"].public,
        kind_class="referral",
        deadline=NOW,
    )


@benchmark("sealing")
def sealing_of_a_referral() -> Iterator[Figure]:
    key, box = SIGNING["aoba"], SEALING["biwa"]
    data = _seal().encode()

    def open_letter() -> object:
        letter = envelope.parse(data)
        document = envelope.open(letter, box)
        return envelope.verify_content(document, letter, "referral", KEYS, bytes)

    signature = key.sign(PAYLOAD)
    # What is sealed and coded is as long as in the real envelope: the payload with its header.
    length = len(_seal().ciphertext)
    plaintext = PAYLOAD.ljust(length - SEAL_BYTES)
    sealed = sealing.seal(box.public, plaintext, INFO)
    assert len(sealed) == length
    coded = binascii.b2a_base64(sealed, newline=False)
    ours_out, ours_in, sign, verify, seal, open_, b64_out, b64_in = best_us(
        _seal,
        open_letter,
        lambda: key.sign(PAYLOAD),
        lambda: key.verify_key.verify(PAYLOAD, signature),
        lambda: sealing.seal(box.public, plaintext, INFO),
        lambda: sealing.open(box, sealed, INFO),
        lambda: binascii.b2a_base64(sealed, newline=False),
        lambda: binascii.a2b_base64(coded),
    )
    crypto, base64 = sign + verify + seal + open_, b64_out + b64_in
    ours = ours_out + ours_in
    yield Figure("sign and seal", ours_out, "us")
    yield Figure("open and verify", ours_in, "us")
    yield Figure("Ed25519 and HPKE both ways", crypto, "us")
    yield Figure("base64 both ways", base64, "us")
    yield Figure("against the primitives", ours / (crypto + base64), "times", at_most=1.25)
    yield Figure("against Ed25519 and HPKE alone", ours / crypto, "times")
