"""The members, keys and messages that the protocol's tests speak with. Fixed, so they compare."""

from protocol import http, signed, strictjson
from protocol.errors import KeyUnknown
from protocol.keys import SigningKey, VerifyKey
from protocol.sealing import SealingKey

ALLIANCE = "minato"
EPOCH = 1
NOW = 1_795_000_000
AUTHORITY = "biwa.example"
PATH = "/peer/v1/envelopes"
NONCE = bytes(range(16))

SIGNING = {
    name: SigningKey.from_seed(bytes([number]) * 32)
    for number, name in enumerate(("aoba", "biwa", "seeds", "bridge"), start=1)
}
STRANGER = SigningKey.from_seed(bytes([9]) * 32)
SEALING = {
    name: SealingKey.from_bytes(bytes([number]) * 96)
    for number, name in enumerate(("aoba", "biwa", "seeds", "bridge"), start=1)
}
KEYS: dict[str, tuple[VerifyKey, str]] = {
    key.keyid: (key.verify_key, name) for name, key in SIGNING.items()
}

TO_BIWA = http.Context(ALLIANCE, EPOCH, "aoba", "biwa")
TO_AOBA = http.Context(ALLIANCE, EPOCH, "biwa", "aoba")
BODY = strictjson.encode({"greeting": "こんにちは"})
REFERRAL = strictjson.encode({"card": {"occupation": "ソフトウェア開発"}, "referral": "r" * 32})


def key_of(sender: str, keyid: str) -> VerifyKey:
    """The charter's look-up: the key belongs to the sender, or it is unknown."""
    key, member = KEYS.get(keyid, (None, None))
    if key is None or member != sender:
        raise KeyUnknown(keyid=keyid)
    return key


def request_headers(body: bytes = BODY, **changes: object) -> dict[str, str]:
    """A good request of aoba to biwa, with changes to what is signed."""
    arguments = {
        "authority": AUTHORITY,
        "path": PATH,
        "body": body,
        "context": TO_BIWA,
        "key": SIGNING["aoba"],
        "created": NOW,
        "nonce": NONCE,
    }
    return http.sign_request(**{**arguments, **changes})  # type: ignore[arg-type]


def parsed(headers: http.Headers, body: bytes = BODY) -> http.UnverifiedRequest:
    """What biwa's endpoint makes of it before any key is asked."""
    return http.parse_request(
        method="POST", authority=AUTHORITY, raw_path=PATH, headers=headers, body=body
    )


def verified(request: http.UnverifiedRequest, now: int = NOW) -> http.VerifiedRequest:
    """What biwa's endpoint proves."""
    return http.verify_request(
        request, now=now, authority=AUTHORITY, alliance=ALLIANCE, us="biwa", key_of=key_of
    )


def letter() -> signed.SignedDocument:
    """A referral, signed by aoba."""
    return signed.sign("referral", REFERRAL, SIGNING["aoba"])
