"""Keys: names that standards fix, points that nobody may use, secrets that are never printed."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from protocol import sealing
from protocol.errors import (
    CannotDecrypt,
    KeyInvalid,
    KeyPublished,
    SignatureInvalid,
)
from protocol.keys import SigningKey, VerifyKey, b64decode, fingerprint, require_unpublished
from protocol.sealing import SealingKey, SealingPublicKey
from tests.protocol.refusals import refusal_of

# RFC 8037 appendix A.1 to A.3: a seed, its public key, and the thumbprint.
SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
PUBLIC = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
RFC_9421_TEST_KEY = "26b40b8f93fff3d897112f7ebc582b232dbd72517d082fe83cfb30ddce43d1bb"


def test_the_key_id_is_the_thumbprint_of_rfc_8037() -> None:
    key = SigningKey.from_seed(bytes.fromhex(SEED))
    assert key.verify_key.raw == b64decode(PUBLIC)
    assert key.keyid == key.verify_key.keyid == THUMBPRINT


def test_a_key_comes_back_from_its_seed_and_is_never_printed() -> None:
    key = SigningKey.generate()
    again = SigningKey.from_seed(key.seed)
    assert again.verify_key == key.verify_key
    assert again.sign(b"x") == key.sign(b"x")
    assert key.seed.hex() not in repr(key)
    assert repr(key.seed) not in repr(vars(key.verify_key))


@given(st.binary(max_size=200))
def test_what_we_sign_another_library_verifies(message: bytes) -> None:
    key = SigningKey.from_seed(bytes(32))
    signature = key.sign(message)
    key.verify_key.verify(message, signature)
    Ed25519PublicKey.from_public_bytes(key.verify_key.raw).verify(signature, message)


@given(st.binary(max_size=80), st.binary(max_size=50))
def test_a_garbage_signature_is_refused(signature: bytes, message: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        SigningKey.from_seed(bytes(32)).verify_key.verify(message, signature)


@given(st.binary(min_size=30, max_size=34))
def test_garbage_is_a_safe_key_or_a_refusal(raw: bytes) -> None:
    assert refusal_of(lambda: VerifyKey(raw)) in {None, "key-invalid"}


@pytest.mark.parametrize("seed", [b"", bytes(31), bytes(33)])
def test_a_seed_of_another_length_is_refused(seed: bytes) -> None:
    with pytest.raises(KeyInvalid):
        SigningKey.from_seed(seed)


@pytest.mark.parametrize("raw", [RFC_9421_TEST_KEY, b64decode(PUBLIC).hex()])
def test_a_key_that_a_standard_prints_is_refused_where_keys_enter(raw: str) -> None:
    with pytest.raises(KeyPublished):
        require_unpublished(VerifyKey(bytes.fromhex(raw)))


def test_a_fresh_key_may_enter() -> None:
    require_unpublished(SigningKey.generate().verify_key)


def test_a_fingerprint_is_thirty_digits_in_six_groups() -> None:
    # Fixed for ever: these digits stand on paper.
    assert fingerprint(bytes(32)) == "55702 88212 24920 52562 73692 94420"
    groups = fingerprint(SigningKey.generate().verify_key.raw).split(" ")
    assert [len(group) for group in groups] == [5] * 6


# --- Sealing keys. ---


def test_what_is_sealed_opens_with_the_key_and_the_context_only() -> None:
    key = SealingKey.generate()
    sealed = sealing.seal(key.public, b"secret", b"context")
    assert sealing.open(key, sealed, b"context") == b"secret"
    assert sealing.open(SealingKey.from_bytes(key.to_bytes()), sealed, b"context") == b"secret"
    for other, info in ((key, b"another"), (SealingKey.generate(), b"context")):
        with pytest.raises(CannotDecrypt):
            sealing.open(other, sealed, info)


@given(st.binary(max_size=2000))
def test_garbage_does_not_open(ciphertext: bytes) -> None:
    with pytest.raises(CannotDecrypt) as caught:
        sealing.open(SealingKey.from_bytes(bytes(96)), ciphertext, b"")
    # One answer for every reason.
    assert caught.value.detail == "the envelope does not open"


@given(st.binary(max_size=40) | st.binary(min_size=1216, max_size=1216))
def test_garbage_is_a_sealing_key_or_a_refusal(raw: bytes) -> None:
    refusal = refusal_of(lambda: sealing.seal(SealingPublicKey(raw), b"x", b""))
    assert refusal in {None, "key-invalid"}


def test_a_sealing_key_of_small_order_is_refused() -> None:
    good = SealingKey.from_bytes(bytes(96)).public.raw
    with pytest.raises(KeyInvalid):
        sealing.seal(SealingPublicKey(good[:1184] + bytes(32)), b"x", b"")


def test_a_private_sealing_key_of_another_length_is_refused() -> None:
    with pytest.raises(KeyInvalid):
        SealingKey.from_bytes(bytes(95))
