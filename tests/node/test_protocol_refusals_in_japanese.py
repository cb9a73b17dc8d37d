"""The protocol's refusals are shown to people, so each of them has its Japanese sentence."""

import pytest

from node.i18n import translator
from protocol import errors


@pytest.mark.parametrize("code", errors.codes())
def test_a_refusal_has_a_japanese_sentence(code: str) -> None:
    kind = errors.by_code(code)
    assert kind is not None
    japanese = translator("ja")(kind.sentence())
    assert japanese != kind.sentence()
    assert japanese.endswith("。")
