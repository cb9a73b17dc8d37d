"""A receiver that is down for a long time: the short form, with the waits cut short.

`python -m tests.federation.absence --minutes 60` is the same with nothing cut.
"""

from pathlib import Path

import pytest

from protocol import limits
from tests.equipment.federation import founded
from tests.federation.absence import CREDIT_LIMIT, THOSE_WHO_STAY, Absence

pytestmark = pytest.mark.federation

# From here on the next attempt is two minutes away: that all arrives sooner is the hello's doing.
FAILURES = 7


def test_while_a_member_is_down_the_rest_goes_on_and_nothing_is_lost_or_paid_twice(
    tmp_path: Path,
) -> None:
    said: list[str] = []
    with founded(tmp_path, credit_limit=CREDIT_LIMIT) as federation:
        absence = Absence(federation, said.append, patient=False)
        absence.leave()
        absence.stay_away(
            lambda: all(
                watch.seen and watch.seen[-1].failures >= FAILURES for watch in absence.watches
            ),
            offer_every_s=1,
        )
        summary = absence.come_back()

    assert FAILURES > limits.BREAKER_FAILURES
    assert summary.gave_up == 0
    assert summary.digests == 1
    assert summary.certificates_missed > 0
    assert set(summary.attempts_in_vain) == set(THOSE_WHO_STAY)
    assert summary.referrals_to_the_absent > len(THOSE_WHO_STAY), said
