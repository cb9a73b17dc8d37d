"""What a backup holds: the key file, every row of one moment, and a signed manifest.  PEER 4.

One line of JSON each: the head, the key file (still under its passphrase), a table's name and
columns, its rows; at last the manifest, which the node signs: how many rows, and the digest of
every line before it. A logical copy is the same for both databases: it needs no tool of the
server's, is read in one consistent view while the node works, and restores into either engine.

What is worthless or harmful in another life stays out: nonces, sessions, attempts to sign in.
"""

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Integer, MetaData, Table, func, insert, select, text
from sqlalchemy.orm import Session

from node import models
from node.backup_file import BackupUnreadable
from node.context import Context
from node.services import audit, membership
from protocol import JSON, ProtocolError, SignedDocument, limits, sign, strictjson, verify

KIND = "backup-manifest"
LEFT_OUT = frozenset({"nonces", "sessions", "sign_in_attempts"})
# Rows that one statement inserts; envelopes of 4 MiB come one row at a time all the same.
BATCH_ROWS = 200
BATCH_BYTES = 8 * 1024 * 1024
READ_ROWS = 100


@dataclass(frozen=True, slots=True)
class Head:
    """A backup's first line: whose it is, of when, and the schema that its rows have."""

    member: str
    alliance: str
    charter_digest: str
    revision: str
    made_at: int
    rows: int
    key_file: bytes = field(repr=False)


@dataclass(slots=True)
class Tally:
    """Rows by table and a digest over every line: equal where both ends saw the same."""

    rows: dict[str, int] = field(default_factory=dict)
    _hash: Any = field(default_factory=hashlib.sha256)

    @property
    def total(self) -> int:
        return sum(self.rows.values())

    @property
    def digest(self) -> str:
        return str(self._hash.hexdigest())

    def add(self, line: bytes) -> None:
        self._hash.update(line + b"\n")


def write(
    session: Session,
    context: Context,
    revision: str,
    key_file: bytes,
    put: Callable[[bytes], None],
    progress: Callable[[int, int], None],
) -> Tally:
    """Put every line of a backup, within one consistent view; the manifest is the last."""
    tally, charter = Tally(), context.charter(session)

    def add(value: object) -> None:
        line = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        tally.add(line)
        put(line)

    tables = [table for table in models.METADATA.sorted_tables if table.name not in LEFT_OUT]
    total = sum(session.scalar(select(func.count()).select_from(each)) or 0 for each in tables)
    add(
        {
            "alliance": charter.alliance,
            "charter_digest": charter.digest.hex(),
            "key_file": b64encode(key_file).decode(),
            "made_at": context.now(),
            "member": context.member_id,
            "revision": revision,
            "rows": total,
        }
    )
    for table in tables:
        add({"table": table.name, "columns": [column.name for column in table.columns]})
        tally.rows[table.name] = 0
        streamed = session.execute(select(table).execution_options(yield_per=READ_ROWS))
        for row in streamed:
            add([_to_json(value) for value in row])
            tally.rows[table.name] += 1
            progress(tally.total, total)
    # A table's name is a kind of text of the library's own; the strict writer takes plain ones.
    rows: JSON = {str(name): count for name, count in tally.rows.items()}
    payload = strictjson.encode({"lines": tally.digest, "rows": rows})
    signed = sign(KIND, payload, context.signing(charter)).encode()
    put(json.dumps({"manifest": b64encode(signed).decode()}).encode())
    return tally


def _to_json(value: object) -> object:
    return {"b": b64encode(value).decode()} if isinstance(value, bytes) else value


def read_head(lines: Iterator[bytes]) -> tuple[Head, Tally]:
    """The head, and the tally that `load` goes on with."""
    tally = Tally()
    try:
        line = next(lines)
        content = json.loads(line)
        content["key_file"] = b64decode(content["key_file"])
        head = Head(**content)
    except (StopIteration, ValueError, KeyError, TypeError) as error:
        raise BackupUnreadable("its first line cannot be read") from error
    tally.add(line)
    return head, tally


def load(
    session: Session,
    context: Context,
    lines: Iterator[bytes],
    tally: Tally,
    progress: Callable[[int], None],
) -> Tally:
    """Store every row in an empty schema of the backup's revision, then prove the manifest.

    Raises BackupUnreadable unless the manifest is signed by this member's node, under the charter
    that came with it, for exactly these lines. The caller's transaction is then rolled back.
    """
    connection = session.connection()
    schema = MetaData()
    schema.reflect(connection)
    shelf: _Shelf | None = None
    manifest: bytes | None = None
    for line in lines:
        if manifest is not None:
            raise BackupUnreadable("something follows its manifest")
        value = json.loads(line)
        if isinstance(value, dict) and "manifest" in value:
            manifest = b64decode(value["manifest"])
            continue
        tally.add(line)
        if isinstance(value, dict):
            if shelf is not None:
                shelf.empty()
            if value["table"] not in schema.tables:
                raise BackupUnreadable(f"there is no table {value['table']} in this release")
            shelf = _Shelf(session, schema.tables[value["table"]], value["columns"])
            tally.rows[value["table"]] = 0
        elif shelf is not None:
            shelf.add(value, len(line))
            tally.rows[shelf.table.name] += 1
            progress(tally.total)
    if shelf is not None:
        shelf.empty()
    _continue_numbers(session, schema)
    _prove(session, context, manifest, tally)
    return tally


class _Shelf:
    """Rows of one table on their way in, a batch at a time."""

    def __init__(self, session: Session, table: Table, columns: list[str]) -> None:
        self.table = table
        self._session = session
        self._columns = columns
        self._rows: list[dict[str, object]] = []
        self._bytes = 0

    def add(self, values: list[object], bytes_: int) -> None:
        row = dict(zip(self._columns, map(_from_json, values), strict=True))
        self._rows.append(row)
        self._bytes += bytes_
        if len(self._rows) >= BATCH_ROWS or self._bytes >= BATCH_BYTES:
            self.empty()

    def empty(self) -> None:
        if self._rows:
            self._session.execute(insert(self.table), self._rows)
        self._rows, self._bytes = [], 0


def _from_json(value: object) -> object:
    return b64decode(value["b"]) if isinstance(value, dict) else value


def _continue_numbers(session: Session, schema: MetaData) -> None:
    """PostgreSQL counts its own numbers up: go on behind the highest that came in."""
    if session.get_bind().dialect.name != "postgresql":
        return
    for table in schema.sorted_tables:
        for column in table.primary_key.columns:
            if isinstance(column.type, Integer) and column.server_default is not None:
                last = session.scalar(select(func.max(column)))
                if last is not None:
                    session.execute(
                        text("SELECT setval(pg_get_serial_sequence(:t, :c), :last)"),
                        {"t": table.name, "c": column.name, "last": last},
                    )


def _prove(session: Session, context: Context, manifest: bytes | None, tally: Tally) -> None:
    if manifest is None:
        raise BackupUnreadable("it has no manifest")
    charter = context.charter(session)
    try:
        document = SignedDocument.parse(manifest, bytes_max=limits.CHARTER_BYTES_MAX)
        signed = verify(document, KIND, charter.keys, json.loads)
    except ProtocolError as refusal:
        raise BackupUnreadable(f"its manifest proves nothing: {refusal.code}") from refusal
    told: Mapping[str, object] = signed.body
    if signed.signer != context.member_id:
        raise BackupUnreadable(f"it is a backup of {signed.signer}")
    if told != {"lines": tally.digest, "rows": tally.rows}:
        raise BackupUnreadable("its manifest is about other rows")


def note(session: Session, context: Context, action: str, tally: Tally) -> None:
    """Remember in the audit log that a backup was made, or was proven to restore."""
    audit.record(
        session,
        context,
        actor="cli",
        action=action,
        subject=tally.digest[:32],
        detail=f"rows={tally.total} incarnation={membership.incarnation(session)}",
    )
