"""Uploads: encrypted while they wait, whole or not read at all, and gone when they are done."""

import pytest

from node.keyring import BlobUnreadable
from node.refusals import NotThere
from node.services.applicants import importing, uploads
from node.services.applicants.refusals import FileTooLarge, UploadGone
from tests.equipment.applicants_office import Office, line, table

CANARY = "金糸雀カナリア"


def test_the_upload_is_deleted_after_the_import_and_encrypted_before(office: Office) -> None:
    import_id = office.upload(table(line(1, name=CANARY, email="x"), line(2)))
    (path,) = office.files()
    assert CANARY.encode("cp932") not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    office.check(import_id)
    office.start(import_id, accept_broken=True)
    office.drive(import_id)
    assert [f"{import_id}.errors"] == [file.name for file in office.files()]
    assert CANARY.encode("cp932") not in office.files()[0].read_bytes()
    assert CANARY in office.errors(import_id).decode("cp932")


def test_an_upload_that_was_altered_cut_or_moved_is_not_read(office: Office) -> None:
    data = table(*(line(n) for n in range(8_000)))
    first, second = office.upload(data), office.upload(data)
    path, other = (uploads._path(office.context, each, "table") for each in (first, second))
    whole = path.read_bytes()
    piece = uploads.LENGTH_BYTES + int.from_bytes(whole[: uploads.LENGTH_BYTES], "big")
    assert piece < len(whole), "two pieces are needed"
    for wrong in (whole[:piece], whole[piece:], whole[:-1], whole[:99] + b"x" + whole[100:]):
        path.write_bytes(wrong)
        with pytest.raises(BlobUnreadable):
            uploads.reader(office.context, first, "table").read()
    path.write_bytes(other.read_bytes())
    with pytest.raises(BlobUnreadable):
        uploads.reader(office.context, first, "table").read()


def test_a_file_over_64_mb_is_refused_and_leaves_nothing(office: Office) -> None:
    pieces = (bytes(1024 * 1024) for _ in range(65))
    with pytest.raises(FileTooLarge):
        uploads.store(office.context, importing.new_id(), "table", pieces)
    assert office.files() == []


def test_a_cancelled_import_takes_its_file_along(office: Office) -> None:
    import_id = office.upload(table(line(1)))
    with office.database.transaction() as session:
        importing.cancel(session, office.context, import_id)
    with pytest.raises(NotThere):
        office.stored(import_id)
    with pytest.raises(UploadGone):
        uploads.reader(office.context, import_id, "table")


def test_uploads_nobody_went_on_with_are_deleted_after_a_day(office: Office) -> None:
    import_id = office.upload(table(line(1)))
    office.clock.move(importing.KEPT_S)
    with office.database.transaction() as session:
        assert importing.tidy(session, office.context) == 0
    office.clock.move(1)
    with office.database.transaction() as session:
        assert importing.tidy(session, office.context) == 1
    assert office.files() == []
    with pytest.raises(NotThere):
        office.stored(import_id)


def test_a_file_name_is_reduced_to_its_last_part() -> None:
    assert importing.plain_name("C:\\Users\\x\\a.csv") == "a.csv"
    assert importing.plain_name("../../a.csv") == "a.csv"
    assert importing.plain_name("") == "file"
