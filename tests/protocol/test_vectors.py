"""Each vector is refused by the layer it names, with the code it names; the valid ones pass."""

from pathlib import Path

import pytest

from protocol import errors
from tests.protocol import vector
from tests.protocol.make_vectors import make_all

FILES = sorted(vector.FOLDER.glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_vector_is_refused_by_its_layer_with_its_code(path: Path) -> None:
    wanted = vector.read(path)
    expected = None if wanted.refusal is None else (wanted.layer, wanted.refusal)
    assert vector.run(wanted) == expected, wanted.about


def test_the_folder_holds_exactly_what_the_programs_make() -> None:
    made = {each.name: each for each in make_all()}
    assert sorted(path.stem for path in FILES) == sorted(made)
    for path in FILES:
        if made[path.stem].repeatable:
            assert path.read_text(encoding="utf-8") == made[path.stem].encode(), path.name


def test_every_refusal_of_the_vectors_has_a_code_of_the_protocol() -> None:
    named = {vector.read(path).refusal for path in FILES} - {None}
    assert named <= set(errors.codes())
