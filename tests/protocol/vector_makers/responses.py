"""Vectors of signed responses: whatever is not provably the answer to our request is no answer."""

from collections.abc import Iterator

from protocol import http
from tests.protocol.cast import NOW, SIGNING, STRANGER, TO_AOBA, parsed
from tests.protocol.cast import request_headers as good
from tests.protocol.vector import Vector


def _answer(**changes: object) -> dict[str, str]:
    arguments = {
        "status": 200,
        "body": b"{}",
        "content_type": http.JSON_TYPE,
        "request": parsed(good()),
        "context": TO_AOBA,
        "key": SIGNING["biwa"],
        "created": NOW,
    }
    return http.sign_response(**{**arguments, **changes})


def _vector(
    name: str, about: str, headers: dict[str, str], *, refused: bool = True, **changes: object
) -> Vector:
    given = {"request_headers": good(), "status": 200, "headers": headers, "body": {"text": "{}"}}
    code = "response-unproven" if refused else None
    layer = "response" if refused else None
    return Vector(name, about, "response", layer, code, {**given, **changes})


def make() -> Iterator[Vector]:
    yield _vector("valid_response", "biwa answers aoba", _answer(), refused=False)
    late = _answer(created=NOW + 86_400)
    about = "the peer's clock is a day fast: the nonce proves that the answer is of now"
    yield _vector("valid_response_of_a_skewed_clock", about, late, refused=False)
    plain = {"Content-Type": http.JSON_TYPE}
    yield _vector("response_unsigned", "as a proxy answers", plain)
    yield _vector("response_other_status", "a 503 made into a 200", _answer(status=503))
    about = "a 200 made into a 503"
    yield _vector("response_other_status_503", about, _answer(), status=503)
    yield _vector("response_body_changed", "another body", _answer(), body={"text": "[]"})
    other = parsed(good(nonce=bytes(16)))
    about = "the answer to another request of ours"
    yield _vector("response_of_another_request", about, _answer(request=other))
    swapped = _answer(request=other)
    swapped["Signature-Input"] = _answer()["Signature-Input"]
    about = "the answer to another request, under our nonce"
    yield _vector("response_nonce_changed", about, swapped)
    body = parsed(good(b"[]"), b"[]")
    about = "bound to our nonce and to another body"
    yield _vector("response_of_another_body", about, _answer(request=body))
    about = "signed by another member"
    yield _vector("response_of_another_member", about, _answer(key=SIGNING["seeds"]))
    yield _vector("response_of_a_stranger", "signed by nobody known", _answer(key=STRANGER))
    elsewhere = http.Context("minato", 1, "seeds", "aoba")
    about = "seeds answers what biwa was asked"
    answer = _answer(context=elsewhere, key=SIGNING["seeds"])
    yield _vector("response_between_others", about, answer)
    about = "our own request sent back to us"
    yield _vector("response_reflected", about, good())
    html = _answer(content_type="text/html")
    yield _vector("response_html", "a page of a proxy, though signed", html)
