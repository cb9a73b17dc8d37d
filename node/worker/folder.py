"""The worker's step for the watched folder: each file that has come to rest is imported once.

What has been done stands in the database before the file is moved. A worker that is killed in
between finds the import by the file's content, carries it on or moves the file, whichever is left.
"""

import structlog

from node import models
from node.i18n import DEFAULT_LANGUAGE, translator
from node.installation import Node
from node.keyring import BlobUnreadable
from node.refusals import NotThere
from node.services.applicants import folder, folder_reports, importing, uploads
from node.services.applicants.refusals import (
    FileRefused,
    FileTooLarge,
    ImportElsewhere,
    RowsBroken,
    UploadGone,
)
from node.services.applicants.reports import Report
from node.watched_folder import Look, WatchedFile, WatchedFolder
from node.worker.applicants import drive

# A file is at rest after two looks; nobody waits for it in front of a screen.
LOOK_S = 60

log = structlog.get_logger("node.worker.folder")


class FolderRounds:
    """The folder of one node, if the settings name one."""

    def __init__(self, node: Node) -> None:
        path = node.settings.import_folder
        self._node = node
        self._folder = WatchedFolder(path) if path else None
        self._looked_at: float | None = None
        self._say = translator(DEFAULT_LANGUAGE)

    def step(self) -> bool:
        """Look once a minute; there is nothing more to do at once."""
        now = self._node.clock.monotonic()
        if self._folder is None or (self._looked_at is not None and now < self._looked_at + LOOK_S):
            return False
        self._looked_at = now
        try:
            with self._folder.opened() as look:
                for name in look.at_rest:
                    self._try(look, name)
        except OSError as error:
            log.warning("import folder unusable", error=type(error).__name__)
        return False

    def _try(self, look: Look, name: str) -> None:
        """Take one file; one that cannot be put away holds up no other, and is tried again."""
        try:
            self._take(look, name)
        except OSError as error:
            log.warning("file of the import folder stays", error=type(error).__name__)

    def _take(self, look: Look, name: str) -> None:
        with look.open(name) as file:
            if file is None:
                # Gone, changed, or not ours to read: the name may be a person's and stays out.
                log.warning("file of the import folder passed over")
                return
            digest = file.shape.digest()
            try:
                if file.shape.size > uploads.FILE_BYTES_MAX:
                    raise FileTooLarge
                digest = file.digest()
                stored = self._bring_in(file, file.identity(digest))
                outcome, words = "done", self._imported(stored)
            except (ImportElsewhere, NotThere):
                return  # Others have it, or it is being written to: the next look tells.
            except FileRefused as refusal:
                outcome = "failed"
                words = folder_reports.refused(self._say, refusal, _report_of(refusal))
            log.info("file of the import folder", outcome=outcome)
            look.put(file, outcome, digest, words)

    def _bring_in(self, file: WatchedFile, digest: bytes) -> models.ApplicantImport:
        """Carry the import of this file to its end, from wherever it stands."""
        here = self._node
        with here.database.reading() as session:
            found = folder.find(session, here.context, digest)
        import_id = found.id if found else self._receive(file, digest)
        try:
            if self._state(import_id) == "checking":
                drive(here, import_id)
            if self._state(import_id) == "checked":
                self._start(import_id)
            if self._state(import_id) == "running":
                drive(here, import_id)
        except (UploadGone, BlobUnreadable):
            with here.database.transaction() as session:
                importing.fail(session, import_id)
        stored = self._stored(import_id)
        if stored.state == "failed":
            with here.database.transaction() as session:
                folder.let_go(session, import_id)
            raise folder.UploadLost
        return stored

    def _receive(self, file: WatchedFile, digest: bytes) -> str:
        here, import_id = self._node, importing.new_id()
        report = importing.receive(here.context, import_id, file.pieces())
        try:
            if not file.is_at_rest():
                raise ImportElsewhere
            with here.database.transaction() as session:
                folder.begin(
                    session,
                    here.context,
                    import_id,
                    file_name=file.name,
                    digest=digest,
                    report=report,
                )
        except BaseException:
            uploads.delete(here.context, import_id, "table")
            raise
        return import_id

    def _start(self, import_id: str) -> None:
        """Import what was checked; a file with broken rows leaves nothing behind."""
        here = self._node
        try:
            with here.database.transaction() as session:
                folder.start(session, here.context, import_id)
        except RowsBroken as refusal:
            report = Report.parse(self._stored(import_id).report)
            with here.database.transaction() as session:
                importing.cancel(session, here.context, import_id)
            raise RowsBroken(report=report) from refusal

    def _stored(self, import_id: str) -> models.ApplicantImport:
        with self._node.database.reading() as session:
            return importing.get(session, import_id)

    def _state(self, import_id: str) -> str:
        return self._stored(import_id).state

    def _imported(self, stored: models.ApplicantImport) -> str:
        report, zone = Report.parse(stored.report), self._node.settings.time_zone
        return folder_reports.imported(self._say, report, stored.created_at, zone)


def _report_of(refusal: FileRefused) -> Report | None:
    found = refusal.facts.get("report")
    return found if isinstance(found, Report) else None
