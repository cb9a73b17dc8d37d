"""`tasuki init`, `users` and `found` as an IT team types them, right and wrong."""

import json
import stat
from pathlib import Path

import pytest

from tests.equipment.command_line import Office, office


@pytest.fixture(scope="module")
def aoba(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A member with its keys; tests leave them as they are."""
    here = office(tmp_path_factory.mktemp("aoba") / "aoba", "aoba")
    ended = here.init()
    assert ended.code == 0, ended.err
    return here


@pytest.fixture(scope="module")
def biwa(tmp_path_factory: pytest.TempPathFactory) -> Office:
    here = office(tmp_path_factory.mktemp("biwa") / "biwa", "biwa")
    assert here.init().code == 0
    return here


@pytest.fixture
def draft(aoba: Office, biwa: Office, tmp_path: Path) -> Path:
    """A charter that aoba has signed and biwa has not."""
    charter = tmp_path / "charter.json"
    ended = aoba.tasuki(
        *("found", "draft", "--alliance", "minato", "--name", "みなと採用連合"),
        *("--out", str(charter), "--recovery-sheet", str(aoba.sheet)),
        *(str(aoba.card), str(biwa.card)),
    )
    assert ended.code == 0, ended.err
    assert "still needs the signatures of: biwa" in ended.out
    return charter


def adopted(member: Office) -> bool:
    """Whether the member's node belongs to an alliance, as doctor sees it."""
    found = json.loads(member.tasuki("doctor", "--json").out)["findings"]
    return next(each for each in found if each["name"] == "charter")["state"] == "ok"


# --- init. ---


def test_init_leaves_keys_and_sheet_readable_to_their_owner_alone(aoba: Office) -> None:
    for file in (aoba.folder / "data" / "keys" / "node.key", aoba.sheet):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((aoba.folder / "data" / "keys").stat().st_mode) == 0o700


def test_init_says_what_to_do_next_for_people_and_as_json(tmp_path: Path) -> None:
    said = json.loads(office(tmp_path / "seeds", "seeds").init("--json").out)
    assert set(said) == {"admin", "fingerprint", "member_card", "password", "recovery_sheet"}
    assert len(said["fingerprint"].split()) == 6


def test_a_second_init_is_refused_and_changes_nothing(aoba: Office) -> None:
    files = {p: p.read_bytes() for p in (aoba.folder / "data").rglob("*.[kjt]*") if p.is_file()}
    ended = aoba.init()
    assert ended.code == 1
    assert "There is a key file already" in ended.err
    assert files == {path: path.read_bytes() for path in files}


def test_init_needs_to_know_whose_node_it_is(tmp_path: Path) -> None:
    here = office(tmp_path / "seeds", "seeds")
    ended = here.tasuki("init", "--legal-name", "x", typed="x\n" * 9, MEMBER_ID="")
    assert ended.code == 1
    assert "TASUKI_MEMBER_ID" in ended.err
    assert not (here.folder / "data").exists()


def test_a_weak_passphrase_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    here = office(tmp_path / "seeds", "seeds")
    weak = Office(here.folder, {**here.values, "TASUKI_PASSPHRASE": "short"})
    ended = weak.init()
    assert ended.code == 1
    assert "at least eight characters" in ended.err
    assert not (here.folder / "data" / "keys" / "node.key").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--licence", "13-ユ-999901"), "13-ユ-999901:2030-03-31"),
        (("--country", "Japan"), "country"),
        (("--admin", "山田"), "login-invalid"),
    ],
)
def test_after_a_mistake_init_can_simply_be_run_again(
    tmp_path: Path, words: tuple[str, str], said: str
) -> None:
    here = office(tmp_path / "seeds", "seeds")
    ended = here.init(*words)
    assert ended.code == 1
    assert said in ended.err
    assert not here.card.exists()
    assert not here.sheet.exists()
    again = here.init()
    assert again.code == 0, again.err


def test_init_says_what_is_in_the_way_before_it_asks_anything(aoba: Office, tmp_path: Path) -> None:
    ended = aoba.tasuki("init", typed="x\n" * 9)
    assert ended.code == 1
    assert "There is a key file already" in ended.err
    assert "Legal name" not in ended.out
    unlocked = office(tmp_path / "seeds", "seeds")
    ended = unlocked.tasuki("init", typed="x\n" * 9, PASSPHRASE="")
    assert "TASUKI_PASSPHRASE" in ended.err
    assert "Legal name" not in ended.out


def test_without_a_terminal_the_missing_option_is_named(
    biwa: Office, draft: Path, tmp_path: Path
) -> None:
    assert "--legal-name" in office(tmp_path / "seeds", "seeds").tasuki("init").err
    ended = biwa.tasuki("found", "sign", str(draft))
    assert ended.code == 1
    assert "--recovery-sheet" in ended.err


# --- Every command. ---


def test_a_wrong_passphrase_is_one_plain_sentence(aoba: Office) -> None:
    ended = aoba.tasuki("users", "list", PASSPHRASE="another one entirely")
    assert ended.code == 1
    assert "The passphrase does not open the key file" in ended.err
    assert "another one" not in ended.err


def test_wrong_settings_are_named_all_at_once(aoba: Office) -> None:
    ended = aoba.tasuki("users", "list", LISTEN="nowhere", TIME_ZONE="Moon/Crater")
    assert ended.code == 1
    assert "TASUKI_LISTEN" in ended.err
    assert "TASUKI_TIME_ZONE" in ended.err


def test_users_can_be_added_and_listed(aoba: Office) -> None:
    words = ("users", "add", "hanako", "--name", "山田 花子", "--role", "recruiter", "--json")
    assert json.loads(aoba.tasuki(*words).out)["login"] == "hanako"
    listed = json.loads(aoba.tasuki("users", "list", "--json").out)
    assert {row["login"]: row["role"] for row in listed} == {
        "admin": "admin",
        "hanako": "recruiter",
    }
    assert aoba.tasuki(*words).code == 1


# --- found. ---


def test_a_charter_without_every_signature_is_not_adopted(aoba: Office, draft: Path) -> None:
    ended = aoba.tasuki("found", "adopt", str(draft))
    assert ended.code == 1
    assert "biwa" in ended.err
    assert not adopted(aoba)


def test_a_typing_mistake_in_the_recovery_code_is_found(biwa: Office, draft: Path) -> None:
    before, code = draft.read_bytes(), biwa.recovery_code
    wrong = code[:-1] + ("2" if code[-1] != "2" else "3")
    ended = biwa.tasuki("found", "sign", str(draft), typed=f"{wrong}\n")
    assert ended.code == 1
    assert "typing mistake" in ended.err
    assert draft.read_bytes() == before


def test_the_code_of_another_member_signs_nothing(aoba: Office, biwa: Office, draft: Path) -> None:
    before = draft.read_bytes()
    ended = biwa.tasuki("found", "sign", str(draft), typed=f"{aoba.recovery_code}\n")
    assert ended.code == 1
    assert "signed the draft already" in ended.err
    assert draft.read_bytes() == before


def test_a_wrong_file_is_named_whatever_it_is(aoba: Office, draft: Path, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes("氏名,選考結果".encode("cp932"))
    csv = str(tmp_path / "list.csv")
    sheet = ("--recovery-sheet", str(aoba.sheet))
    names = ("--alliance", "minato", "--name", "みなと", "--out", str(tmp_path / "new.json"))
    for words, said in (
        (("sign", csv, *sheet), f"{csv} is not a charter"),
        (("sign", str(aoba.card), *sheet), f"{aoba.card} is not a charter but a member-card"),
        (("sign", str(draft), "--recovery-sheet", csv), f"{csv} has no recovery code"),
        (("draft", *names, *sheet, str(draft)), f"{draft} is not a member-card but a charter"),
    ):
        ended = aoba.tasuki("found", *words)
        assert ended.code == 1
        assert said in ended.err


def test_a_folder_that_takes_no_file_is_named(aoba: Office, biwa: Office, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    out = str(tmp_path / "file" / "charter.json")
    ended = aoba.tasuki(
        *("found", "draft", "--alliance", "minato", "--name", "みなと", "--out", out),
        *("--recovery-sheet", str(aoba.sheet), str(aoba.card), str(biwa.card)),
    )
    assert ended.code == 1
    assert str(tmp_path / "file") in ended.err


def test_a_file_that_is_no_charter_is_refused(aoba: Office, tmp_path: Path) -> None:
    (tmp_path / "charter.json").write_text('{"kind": "charter"}')
    ended = aoba.tasuki("found", "adopt", str(tmp_path / "charter.json"))
    assert ended.code == 1
    assert not adopted(aoba)


def test_two_members_found_an_alliance_with_codes_typed_from_paper(
    aoba: Office, biwa: Office, draft: Path
) -> None:
    # As people type: in capitals, with blanks for hyphens, an O for a 0.
    typed = biwa.recovery_code.upper().replace("-", " ").replace("0", "O")
    signed = biwa.tasuki("found", "sign", str(draft), typed=f"{typed}\n")
    assert signed.code == 0, signed.err
    assert "Signed by all" in signed.out
    digests = set()
    for member in (aoba, biwa):
        ended = member.tasuki("found", "adopt", str(draft), "--json")
        assert ended.code == 0, ended.err
        digests.add(json.loads(ended.out)["digest"])
        assert adopted(member)
    assert len(digests) == 1
    # Once more changes nothing and is no mistake.
    assert aoba.tasuki("found", "adopt", str(draft)).code == 0
