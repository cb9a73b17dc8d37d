"""Applicants, the keys of their data, imports, and people who asked for no more contact.

`job`, `stage` and `source` are the member's own words for its process, not personal data.
`applied_on` and `rejected_on` are the first second of that day in the node's time zone.
"""

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from node.models.schema import Model, one_of

STATUSES = ("active", "rejected", "withdrawn", "hired")
APPLICANT_TYPES = ("newgrad", "midcareer", "parttime")
# Who is to be told and is not; in words, since an engine compares them with those of the index.
UNTOLD = text("status = 'rejected' AND notified_at IS NULL AND length(person_blob) > 0")
IMPORT_STATES = ("uploaded", "checking", "checked", "running", "done", "failed")


class PersonKey(Model):
    """The key of one person's data, wrapped; erasing it makes the data unreadable."""

    __tablename__ = "person_keys"
    __table_args__ = (
        # Either the key is there, or it is written when it was destroyed.
        CheckConstraint("(wrapped IS NULL) = (erased_at IS NOT NULL)", name="key_or_erasure"),
    )

    person_id: Mapped[str] = mapped_column(primary_key=True)
    wrapped: Mapped[bytes | None]
    created_at: Mapped[int]
    erased_at: Mapped[int | None] = mapped_column(default=None)


class Applicant(Model):
    """A person in this member's own list.  Lists page by `(created_at, id)` or `rejected_on`."""

    __tablename__ = "applicants"
    __table_args__ = (
        # An id of the recruiting system belongs to one application.
        UniqueConstraint("ats_id_index", name="ats_id_belongs_to_one"),
        # Without such an id, e-mail and job together make an import idempotent.
        UniqueConstraint("dedupe_index", name="imported_once"),
        one_of("status_known", "status", STATUSES),
        one_of("type_known", "applicant_type", APPLICANT_TYPES),
        Index(None, "created_at", "id"),
        Index(None, "applied_on", "id"),
        Index(None, "rejected_on", "id"),
        Index(None, "status", "created_at", "id"),
        Index(None, "status", "rejected_on", "id"),
        Index(
            "ix_applicants_untold",
            "status",  # always the same; without it SQLite prefers the wider index above
            "rejected_on",
            "id",
            sqlite_where=UNTOLD,
            postgresql_where=UNTOLD,
        ),
        Index(None, "job", "created_at", "id"),
        Index(None, "stage_code", "created_at", "id"),
        Index(None, "stage", "created_at", "id"),
        Index(None, "email_index"),
        Index(None, "phone_index"),
        Index(None, "name_index"),
        Index(None, "kana_index"),
        Index(None, "person_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    # The key outlives its use: an erased key still says that and when it was erased.
    person_id: Mapped[str] = mapped_column(ForeignKey("person_keys.person_id"))
    ats_id_index: Mapped[bytes | None] = mapped_column(default=None)
    dedupe_index: Mapped[bytes | None] = mapped_column(default=None)
    person_blob: Mapped[bytes]
    email_index: Mapped[bytes | None] = mapped_column(default=None)
    phone_index: Mapped[bytes | None] = mapped_column(default=None)
    # People are looked up as they are written and as they are read: two indexes.
    name_index: Mapped[bytes | None] = mapped_column(default=None)
    kana_index: Mapped[bytes | None] = mapped_column(default=None)
    job: Mapped[str]
    stage: Mapped[str]
    stage_code: Mapped[str]
    status: Mapped[str]
    applicant_type: Mapped[str]
    source: Mapped[str | None] = mapped_column(default=None)
    applied_on: Mapped[int | None] = mapped_column(default=None)
    rejected_on: Mapped[int | None] = mapped_column(default=None)
    exclusion: Mapped[str | None] = mapped_column(default=None)  # DOMAIN 2.7; never leaves
    notified_at: Mapped[int | None] = mapped_column(default=None)
    created_at: Mapped[int]
    updated_at: Mapped[int]


class ImportMapping(Model):
    """How the headers of one kind of file map to our fields, saved under a name."""

    __tablename__ = "import_mappings"
    __table_args__ = (
        # People choose it by its name.
        UniqueConstraint("name", name="name_chooses_one"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    mapping: Mapped[str]  # JSON {field: header}


class ApplicantImport(Model):
    """One imported file and what became of its rows."""

    __tablename__ = "imports"
    __table_args__ = (
        one_of("state_known", "state", IMPORT_STATES),
        # What lay in the watched folder is imported once.
        Index("uq_imports_from_folder_once", "folder_index", unique=True),
        Index(None, "created_at", "id"),
        Index(None, "headers_digest", "created_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    file_name: Mapped[str]
    state: Mapped[str] = mapped_column(default="uploaded")
    rows: Mapped[int] = mapped_column(default=0)
    imported: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    report: Mapped[str] = mapped_column(default="{}")  # JSON; row numbers and codes, no values
    # Who imported it.
    created_by: Mapped[str] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[int]
    # SHA-256 of its header row: the next file like it is read in the same way.
    headers_digest: Mapped[bytes | None] = mapped_column(default=None)
    # Of a file from the watched folder: a keyed digest of its content.
    folder_index: Mapped[bytes | None] = mapped_column(default=None)


class Suppression(Model):
    """Someone who asked not to be contacted again; only a blind index is kept."""

    __tablename__ = "suppressions"

    contact_index: Mapped[bytes] = mapped_column(primary_key=True)
    created_at: Mapped[int]
