"""The folder: files of the watched folder are imported as those that HR brings, once each.

Nobody is there to say what the columns mean or to leave broken rows out. So a file is read as the
last one with the very same header row was, and one with a broken row is not imported at all. What
it is, by a keyed digest, stands with its import: who died between import and moving the file away
finds that it is done. The same content that comes another day is imported again: it takes back
what came in between.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import models
from node.context import Context
from node.services import users
from node.services.applicants import columns, importing, writing
from node.services.applicants.refusals import FileRefused, ImportElsewhere
from node.services.applicants.reports import Report


class HeaderUnknown(FileRefused, code="import-header-unknown"):
    """No file with exactly this header row has been imported yet, so nobody has said what its
    columns mean. Import it once in the browser; from then on such files are read from the
    folder."""


class UploadLost(FileRefused, code="import-upload-lost"):
    """The copy of this file on this node was lost while it was being imported. Rows that were
    imported by then stay."""


def find(session: Session, context: Context, digest: bytes) -> models.ApplicantImport | None:
    """Return the import of the file with this identity, as far as it has come."""
    table = models.ApplicantImport
    return session.scalar(select(table).where(table.folder_index == _index(context, digest)))


def begin(
    session: Session,
    context: Context,
    import_id: str,
    *,
    file_name: str,
    digest: bytes,
    report: Report,
) -> None:
    """Store that a file is here, with the columns of the last one like it; its check is next.

    Raise HeaderUnknown, or ImportElsewhere when another worker has begun with the same content.
    """
    writing.alone(session)
    if find(session, context, digest) is not None:
        raise ImportElsewhere
    mapping = _remembered(session, report.headers)
    made = importing.begin(
        session,
        context,
        import_id,
        file_name=file_name,
        report=report,
        user_id=users.folder(session, context).id,
    )
    made.folder_index = _index(context, digest)
    session.flush()
    importing.choose(session, import_id, mapping)


def start(session: Session, context: Context, import_id: str) -> None:
    """Let a checked file be imported; raise RowsBroken when a row of it cannot be."""
    importing.start(session, context, import_id, accept_broken=False, user_id=users.FOLDER_ID)


def let_go(session: Session, import_id: str) -> None:
    """Forget which file it was: its upload is gone, and the file may be put down once more."""
    importing.get(session, import_id).folder_index = None


def _remembered(session: Session, headers: list[str]) -> columns.ColumnMapping:
    """Return what the columns of the last imported file with this header row mean."""
    table = models.ApplicantImport
    like_it = (table.headers_digest == importing.digest_of(headers), table.state == "done")
    newest = select(table.report).where(*like_it).order_by(table.created_at.desc(), table.id.desc())
    last = session.scalar(newest.limit(1))
    if last is None:
        raise HeaderUnknown
    # Once more through what may be chosen: what must not be known may have grown since.
    chosen = [field or "" for field in Report.parse(last).fields]
    return columns.choose(headers, chosen)


def _index(context: Context, digest: bytes) -> bytes:
    # Keyed: a list of one person could be guessed from its plain digest.
    return context.keyring.blind("imports.folder", digest.hex())
