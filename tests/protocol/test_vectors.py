"""Each vector is refused by the layer it names, with the code it names; the valid ones pass."""

import json
from pathlib import Path

import pytest

from protocol import errors
from tests.protocol import vector
from tests.protocol.make_vectors import CAST, INDEX, make_all, make_cast, make_index

FILES = sorted(vector.FOLDER.glob("*/*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_vector_is_refused_by_its_layer_with_its_code(path: Path) -> None:
    wanted = vector.read(path)
    expected = None if wanted.refusal is None else (wanted.layer, wanted.refusal)
    assert vector.run(wanted) == expected, wanted.about


def test_the_folder_holds_exactly_what_the_programs_make() -> None:
    made = {each.path: each for each in make_all()}
    assert sorted(made) == FILES
    for path in FILES:
        if made[path].repeatable:
            assert path.read_text(encoding="utf-8") == made[path].encode(), path.name
    assert CAST.read_text(encoding="utf-8") == make_cast()
    assert INDEX.read_text(encoding="utf-8") == make_index(list(made.values()))


def test_what_a_file_says_of_its_result_is_what_reading_it_gives() -> None:
    for path in FILES:
        said = json.loads(path.read_text(encoding="utf-8"))["result"]
        assert said == vector.result_of(vector.read(path)), path.name


def test_every_refusal_of_the_vectors_has_a_code_of_the_protocol() -> None:
    named = {vector.read(path).refusal for path in FILES} - {None}
    assert named <= set(errors.codes())


def test_the_folder_explains_every_subject_and_its_layers() -> None:
    readme = (vector.FOLDER / "README.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in readme.splitlines() if line.startswith("| `")]
    for subject, layers in vector.SUBJECTS.items():
        row = next((cells[3] for cells in rows if f"`{subject}`" in cells[1]), "")
        for layer, _ in layers:
            assert f"`{layer}`" in row, f"{subject} has the layer {layer}"
