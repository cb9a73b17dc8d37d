"""Vectors of signed requests: every way in which a call between peers may be wrong."""

import re
from collections.abc import Iterator

from protocol import http
from protocol.keys import b64encode
from tests.protocol.cast import BODY, EPOCH, NOW, PATH, SIGNING, STRANGER
from tests.protocol.cast import request_headers as good
from tests.protocol.vector import Vector

INPUT, VALUE = "Signature-Input", "Signature"
MALFORMED, COVERAGE = "signature-malformed", "signature-coverage"


def _vector(
    name: str,
    about: str,
    layer: str | None,
    refusal: str | None,
    headers: dict[str, str] | list[tuple[str, str]],
    **changes: object,
) -> Vector:
    pairs = list(headers.items()) if isinstance(headers, dict) else headers
    given = {
        "method": "POST",
        "path": PATH,
        "headers": [list(pair) for pair in pairs],
        "body": {"text": BODY.decode()},
        "now": NOW,
    }
    return Vector(name, about, "request", layer, refusal, {**given, **changes})


def _form(name: str, about: str, refusal: str, field: str, old: str, new: str) -> Vector:
    """A good request with one text in one header replaced."""
    headers = good()
    assert re.search(old, headers[field]), (name, old)
    headers[field] = re.sub(old, new, headers[field], count=1)
    return _vector(name, about, "form", refusal, headers)


def make() -> Iterator[Vector]:
    yield _vector("valid_request", "aoba asks biwa", None, None, good())
    proxied = good()
    proxied[INPUT] += ', proxy=("@authority");created=1;keyid="p";alg="hmac-sha256"'
    proxied[VALUE] += ", proxy=:AAAA:"
    about = "a proxy on the way added a signature under its own label and no tag of ours"
    yield _vector("valid_request_signed_by_a_proxy_too", about, None, None, proxied)
    yield from _forms()
    yield from _paths()
    yield from _repeated()
    yield from _proofs()


def _forms() -> Iterator[Vector]:
    headers = good()
    del headers[INPUT], headers[VALUE]
    yield _vector("request_unsigned", "no signature", "form", "signature-missing", headers)
    many = {**good(), INPUT: ", ".join(f"l{n}=()" for n in range(300))}
    yield _vector("request_300_labels", "300 signatures", "form", MALFORMED, many)
    for row in _FORMS:
        yield _form(*row)
    zipped = {**good(), "Content-Encoding": "gzip"}
    yield _vector("request_content_coding", "a zipped body", "form", "media-type", zipped)
    gone = good()
    del gone["Peer-Context"]
    yield _vector("request_context_missing", "no context", "form", "context-malformed", gone)


def _paths() -> Iterator[Vector]:
    for name, path in (
        ("path_double_slash", "//peer/v1/envelopes"),
        ("path_dot", "/peer/./v1/envelopes"),
        ("path_dot_dot", "/peer/x/../v1/envelopes"),
        ("path_escaped", "/peer/v1%2Fenvelopes"),
        ("path_slash_at_end", "/peer/v1/envelopes/"),
        ("path_query", "/peer/v1/envelopes?a=1"),
        ("path_query_empty", "/peer/v1/envelopes?"),
        ("path_upper_case", "/peer/v1/Envelopes"),
        ("path_absolute", "http://biwa.example/peer/v1/envelopes"),
        ("path_line_feed", "/peer/v1/envelopes\n"),
        ("path_empty", ""),
        ("path_too_long", "/peer/" + "a" * 200),
    ):
        about = "another writing than the canonical one"
        yield _vector(name, about, "form", "path-not-canonical", good(), path=path)
    about = "a signature that says POST under a GET"
    yield _vector("request_method_get", about, "form", "method-not-allowed", good(), method="GET")


def _repeated() -> Iterator[Vector]:
    for field, refusal in (
        ("Content-Digest", "digest-unsupported"),
        ("Content-Type", "media-type"),
        ("Peer-Context", "context-malformed"),
        (INPUT, "signature-malformed"),
        (VALUE, "signature-malformed"),
    ):
        pairs = [*good().items(), (field, good()[field])]
        name = f"request_{field.lower().replace('-', '_')}_twice"
        yield _vector(name, f"two fields {field}", "form", refusal, pairs)
    headers = good()
    headers[INPUT] += ", again=" + headers[INPUT].removeprefix("tasuki=")
    headers[VALUE] += ", again=" + headers[VALUE].removeprefix("tasuki=")
    about = "two signatures with our tag under two labels"
    yield _vector("request_two_signatures", about, "form", "signature-malformed", headers)


def _proofs() -> Iterator[Vector]:
    invalid, skew = "signature-invalid", "clock-skew"
    for name, about, refusal, headers in (
        ("request_31_s_ahead", "the sender's clock is 31 s fast", skew, good(created=NOW + 31)),
        ("request_31_s_behind", "the sender's clock is 31 s slow", skew, good(created=NOW - 31)),
        ("request_expired", "61 seconds old", "signature-expired", good(created=NOW - 61)),
        ("request_stranger", "a key of no member", "key-unknown", good(key=STRANGER)),
        (
            "request_key_of_another_member",
            "seeds' key, aoba's name",
            "key-unknown",
            good(key=SIGNING["seeds"]),
        ),
        (
            "request_other_authority",
            "signed for another host",
            invalid,
            good(authority="seeds.example"),
        ),
        ("request_other_path", "signed for another path", invalid, good(path="/peer/v1/orders")),
        (
            "request_to_another_member",
            "signed for seeds, relayed to us",
            "misdirected",
            good(context=http.Context("minato", EPOCH, "aoba", "seeds")),
        ),
        (
            "request_other_alliance",
            "of another alliance",
            "misdirected",
            good(context=http.Context("sumida", EPOCH, "aoba", "biwa")),
        ),
    ):
        yield _vector(name, about, "proof", refusal, headers)
    claimed = good(key=STRANGER)
    claimed[INPUT] = claimed[INPUT].replace(STRANGER.keyid, SIGNING["aoba"].keyid)
    about = "aoba's key id, signed with another key"
    yield _vector("request_forged", about, "proof", invalid, claimed)
    long = good()
    long[INPUT] = long[INPUT].replace(f"expires={NOW + 60}", f"expires={NOW + 301}")
    about = "valid for more than five minutes"
    yield _vector("request_lives_too_long", about, "proof", "signature-malformed", long)
    turned = good()
    turned["Peer-Context"] = turned["Peer-Context"].replace("epoch=1", "epoch=2")
    about = "the context was changed after signing"
    yield _vector("request_context_changed", about, "proof", invalid, turned)
    body = {"base64url": b64encode(BODY[:-2] + b'?"}')}
    about = "the body was changed after signing"
    yield _vector("request_body_changed", about, "proof", "digest-mismatch", good(), body=body)
    about = "body and digest were changed after signing"
    both = {**good(), "Content-Digest": good(b"{}")["Content-Digest"]}
    yield _vector("request_digest_changed", about, "proof", invalid, both, body={"text": "{}"})


# Name, what is wrong, the code, the field, and the text in it that is replaced.
_FORMS: list[tuple[str, str, str, str, str, str]] = [
    (
        "request_other_tag",
        "signed, but for another use",
        "signature-missing",
        INPUT,
        "tasuki-peer-req-1",
        "webhook",
    ),
    (
        "request_of_another_version",
        "a profile of a later release",
        "protocol-version",
        INPUT,
        "tasuki-peer-req-1",
        "tasuki-peer-req-2",
    ),
    ("request_input_garbage", "not a dictionary", MALFORMED, INPUT, r"\(", "(("),
    ("request_label_mismatch", "two labels", MALFORMED, VALUE, "tasuki=", "sig1="),
    ("request_input_cut", "cut inside a string", MALFORMED, INPUT, '"$', ""),
    (
        "request_created_fraction",
        "created has a fraction",
        MALFORMED,
        INPUT,
        r"created=(\d+)",
        r"created=\1.5",
    ),
    ("request_created_missing", "no created", MALFORMED, INPUT, r";created=\d+", ""),
    ("request_expires_missing", "no expires", MALFORMED, INPUT, r";expires=\d+", ""),
    ("request_keyid_missing", "no keyid", MALFORMED, INPUT, r';keyid="[^"]*"', ""),
    ("request_parameter_unknown", "a parameter of no meaning", MALFORMED, INPUT, "$", ";x=1"),
    ("request_parameter_twice", "two nonces", MALFORMED, INPUT, "$", ';nonce="x"'),
    ("request_signature_not_base64", "not base64", MALFORMED, VALUE, "=:.", "=:*"),
    ("request_signature_short", "63 bytes", MALFORMED, VALUE, "=:....", "=:"),
    (
        "request_algorithm_hmac",
        "HMAC with the public key as its secret",
        "algorithm-not-allowed",
        INPUT,
        "$",
        ';alg="hmac-sha256"',
    ),
    (
        "request_algorithm_rsa",
        "RSA",
        "algorithm-not-allowed",
        INPUT,
        "$",
        ';alg="rsa-v1_5-sha256"',
    ),
    ("request_nonce_missing", "no nonce", "nonce", INPUT, r';nonce="[^"]*"', ""),
    (
        "request_nonce_short",
        "a nonce of one character",
        "nonce",
        INPUT,
        r'nonce="[^"]*"',
        'nonce="A"',
    ),
    (
        "request_nonce_long",
        "a nonce of 129 characters",
        "nonce",
        INPUT,
        r'nonce="[^"]*"',
        f'nonce="{"A" * 129}"',
    ),
    (
        "request_digest_not_covered",
        "the digest is not signed",
        COVERAGE,
        INPUT,
        ' "content-digest"',
        "",
    ),
    (
        "request_authority_not_covered",
        "the host is not signed",
        COVERAGE,
        INPUT,
        ' "@authority"',
        "",
    ),
    (
        "request_method_not_covered",
        "the method is not signed",
        COVERAGE,
        INPUT,
        '"@method" ',
        "",
    ),
    ("request_path_not_covered", "the path is not signed", COVERAGE, INPUT, ' "@path"', ""),
    (
        "request_context_not_covered",
        "the context is not signed",
        COVERAGE,
        INPUT,
        ' "peer-context"',
        "",
    ),
    (
        "request_component_twice",
        "a component twice",
        COVERAGE,
        INPUT,
        '"@path"',
        '"@path" "@path"',
    ),
    (
        "request_component_more",
        "a component too many",
        COVERAGE,
        INPUT,
        ' "@path"',
        ' "@path" "date"',
    ),
    (
        "request_components_reordered",
        "another order",
        COVERAGE,
        INPUT,
        '"@method" "@authority"',
        '"@authority" "@method"',
    ),
    (
        "request_digest_md5",
        "a digest that is broken",
        "digest-unsupported",
        "Content-Digest",
        "sha-256",
        "md5",
    ),
    (
        "request_digest_sha512",
        "another digest than the profile's",
        "digest-unsupported",
        "Content-Digest",
        "sha-256",
        "sha-512",
    ),
    (
        "request_context_garbage",
        "no context to be read",
        "context-malformed",
        "Peer-Context",
        "alliance=",
        "alliances=",
    ),
    (
        "request_context_epoch_zero",
        "epochs start at one",
        "context-malformed",
        "Peer-Context",
        f"epoch={EPOCH}",
        "epoch=0",
    ),
    (
        "request_context_spaced",
        "a second writing of the same",
        "context-malformed",
        "Peer-Context",
        ", ",
        ",",
    ),
    ("request_media_type_text", "plain text", "media-type", "Content-Type", ".*", "text/plain"),
    (
        "request_media_type_charset",
        "a parameter",
        "media-type",
        "Content-Type",
        "$",
        "; charset=utf-8",
    ),
]
