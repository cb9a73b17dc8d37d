"""The worker's step for imports: long files are checked and imported here, short ones in the web.

Each batch of rows is one transaction with the progress in it, so a worker that is killed goes on
where it stopped, and of two workers with one import one stops.
"""

import structlog

from node.i18n import DEFAULT_LANGUAGE, translator
from node.installation import Node
from node.keyring import BlobUnreadable
from node.services.applicants import error_files, importing
from node.services.applicants.refusals import ImportElsewhere, UploadGone
from node.services.applicants.reports import Report

log = structlog.get_logger("node.worker.applicants")


def drive_imports(node: Node) -> bool:
    """Drive every import that waits; there is nothing more to do at once."""
    with node.database.reading() as session:
        waiting = importing.waiting(session, node.context)
    for import_id in waiting:
        try:
            drive(node, import_id)
        except ImportElsewhere:
            log.info("import driven elsewhere", subject=import_id)
        except (UploadGone, BlobUnreadable) as error:
            log.warning("import given up", subject=import_id, error=type(error).__name__)
            with node.database.transaction() as session:
                importing.fail(session, import_id)
    return False


def drive(node: Node, import_id: str) -> Report:
    """Carry a check or an import through to its end; return its report. ImportElsewhere if not."""
    source = importing.source_of(node.context, import_id)
    with node.database.reading() as session:
        stored = importing.get(session, import_id)
    if stored.state not in importing.WAITING_STATES:
        raise ImportElsewhere  # another worker has come to its end since it was seen waiting
    with importing.Pass(node.context, stored, source) as run:
        for step in run.steps():
            with node.database.transaction() as session:
                step(session)
    if stored.state == "running":
        say = translator(DEFAULT_LANGUAGE)
        error_files.finish(node.context, import_id, run.report, source, say)
    return run.report


def tidy_uploads(node: Node) -> None:
    """Delete what is left of imports that nobody went on with."""
    with node.database.transaction() as session:
        importing.tidy(session, node.context)
