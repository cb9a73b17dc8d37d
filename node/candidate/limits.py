"""What a visitor of the applicant's pages may try how often.

Tokens have 128 bits, so nobody guesses one; what is limited here is the noise of trying, and the
work that checking a PDF costs.  ASVS 2.4.1.
"""

from node.refusals import Refusal
from node.tries import Limit


class TooManyTries(Refusal, code="too-many-tries", status=429):
    """Too many addresses that do not exist were asked for. Please wait a few minutes."""


class Limits:
    """The limits of one web process."""

    def __init__(self) -> None:
        # A person who mistypes an address tries a few times; a scanner of addresses hundreds.
        self.unknown = Limit(most=30, window_s=600)
        # Choosing the right file takes a few tries; each costs up to ten seconds of a processor.
        self.uploads = Limit(most=20, window_s=3600)

    def refuse_guessing(self, address: str, now: float) -> None:
        """Count an address of a page that does not exist; raise TooManyTries beyond the limit."""
        if not self.unknown.count(address, now):
            raise TooManyTries
