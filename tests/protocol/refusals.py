"""What an action is refused with: properties ask for the code, and nothing else may be raised."""

from collections.abc import Callable

from protocol.errors import ProtocolError, codes


def refusal_of(action: Callable[[], object]) -> str | None:
    """The code of the refusal, None when there is none; any other exception fails the test."""
    try:
        action()
    except ProtocolError as refusal:
        code = refusal.code
    else:
        return None
    assert code in codes()
    return code


def outcome_of(parse: Callable[[bytes], object], data: bytes) -> object:
    """What is read, or the code of the refusal: for comparing two ways of reading."""
    try:
        return parse(data)
    except ProtocolError as refusal:
        return refusal.code
