"""The content of a request at the doors for programs: whole, within its bound, or refused."""

from flask import request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from protocol import errors


def read_body(bytes_max: int) -> bytes:
    """The content, refused by its declared size before a byte of it is read."""
    length = request.content_length
    if length is not None and length > bytes_max:
        raise errors.TooLarge(f"{length} bytes", limit_bytes=bytes_max)
    request.max_content_length = bytes_max
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise errors.TooLarge("larger than declared", limit_bytes=bytes_max) from None
    except (BadRequest, OSError, ParseException):
        # A broken chunk is found by the server while the content is read.
        raise errors.BodyBroken from None
