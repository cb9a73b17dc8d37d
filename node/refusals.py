"""Refusals of this node: what a person or a service may not do here, with a code and a sentence.

What crosses the wire between members is refused by `protocol.ProtocolError`; this tree is for what
happens inside one member. Each topic declares its own below `Refusal`, beside the service that
raises it. The docstring is the sentence a person reads (an English msgid, translated like every
other text), `detail` says what is known of this one case, `facts` are for screens and scripts.
"""

from typing import ClassVar

_BY_CODE: dict[str, type["Refusal"]] = {}


class Refusal(Exception):
    """This cannot be done."""

    code: ClassVar[str] = "refused"
    # What a web page or an API answers with.
    status: ClassVar[int] = 409

    def __init_subclass__(cls, code: str = "", status: int = 0) -> None:
        if status:
            cls.status = status
        if code:
            # One code, one meaning: a script that reads it cannot tell two classes apart.
            assert code not in _BY_CODE, code
            cls.code = code
            _BY_CODE[code] = cls

    def __init__(self, detail: str = "", **facts: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.facts = facts

    @classmethod
    def sentence(cls) -> str:
        """The sentence for a person, on one line; the msgid of its translation."""
        return " ".join((cls.__doc__ or "").split())

    def __str__(self) -> str:
        return f"{self.code}: {self.detail or self.sentence()}"


def codes() -> list[str]:
    """Every code declared by the services imported so far, sorted."""
    return sorted(_BY_CODE)


class NotThere(Refusal, code="not-there", status=404):
    """There is nothing under this number. It may have been erased."""


class NotAllowed(Refusal, code="not-allowed", status=403):
    """Your role does not allow this. Ask an administrator of this node."""


class ValueInvalid(Refusal, code="value-invalid", status=422):
    """A value that was entered cannot be used. Please correct it."""
