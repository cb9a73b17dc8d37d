"""Logs: one line of JSON for each thing that happened, without personal data.  DESIGN 5.

Nobody can be trusted to remember this in every call, so it is done in one place: only the
fields named here are written, an exception shows where it happened and not what it said, and
what looks like an address, a telephone number or a private link is replaced.
"""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, TextIO, cast

import structlog
from structlog.typing import FilteringBoundLogger, WrappedLogger

Event = MutableMapping[str, Any]

# Ids, codes, counts and names of machines; never what a person typed.
FIELDS = frozenset(
    "account action actor attempts batch bytes code count dialect digest duration_ms envelope "
    "epoch error event failed file_id host import_id incarnation kind level line link lock "
    "logger mail member method notice operation outcome path peer pid place port position "
    "process q reason recipient referral request request_id revision role route rows seconds "
    "sender sent sequence skew_s state status subject timestamp trace url user version "
    "waiting worker".split()
)
CHARS_MAX = 300  # A line stays a line; nothing of ours is longer.
FRAMES_MAX = 6  # From the place it happened upwards; the rest is the framework's.
HIDDEN = (
    # Private links and status pages: the token is the key to a person's page.
    (re.compile(r"/([ls])/[^/\s\"'?]+"), r"/\1/[link]"),
    # 64 signs before the @ are the most there are; without a bound, a long line costs its square.
    (re.compile(r"[^\s@<>\"'=,;:]{1,64}@[^\s@<>\"',;]+"), "[mail]"),
    (re.compile(r"(?<![\w.-])(?:\+81|0)[\d-]{8,13}(?![\w.-])"), "[phone]"),
)
# Libraries whose chatter below a warning is about themselves.
QUIET = ("alembic", "urllib3", "asyncio", "PIL", "pypdf", "werkzeug")


def configure(level: str, stream: TextIO | None = None) -> None:
    """Send our lines and the libraries' to `stream` (standard error), from `level` upwards."""
    number = logging.getLevelNamesMapping()[level.upper()]
    output = stream or sys.stderr
    prepare: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    write: list[structlog.typing.Processor] = [
        exception_without_words,
        only_known_fields,
        hide,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    structlog.configure(
        processors=[*prepare, *write],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, output)),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*prepare, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *write],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    # The server brings its own handlers; its errors belong into the same stream.
    server = logging.getLogger("gunicorn.error")
    server.handlers.clear()
    server.propagate = True


def log() -> FilteringBoundLogger:
    """Return the log: `log().info("envelope-delivered", peer=…, envelope=…)`."""
    return cast(FilteringBoundLogger, structlog.get_logger())


def exception_without_words(_: WrappedLogger, __: str, event: Event) -> Event:
    """Replace an exception by its kind and its place; its words may quote what a row held."""
    found = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    if isinstance(found, tuple):
        found = found[1]
    if not isinstance(found, BaseException):
        return event
    frames = traceback.extract_tb(found.__traceback__)[-FRAMES_MAX:]
    event["error"] = type(found).__name__
    event["trace"] = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames)]
    return event


def only_known_fields(_: WrappedLogger, __: str, event: Event) -> Event:
    """Drop every field that is not known to be free of personal data."""
    known: Event = {name: value for name, value in event.items() if name in FIELDS}
    if withheld := sorted(set(event) - FIELDS - {"_record", "_from_structlog"}):
        known["withheld"] = withheld
    return known


def hide(_: WrappedLogger, __: str, event: Event) -> Event:
    """Shorten every text, and replace what looks like a person's in it."""
    return {name: _hidden(value) for name, value in event.items()}


def _hidden(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_hidden(each) for each in value]
    if isinstance(value, bytes):
        return value.hex()[:CHARS_MAX]
    text = str(value)
    for pattern, instead in HIDDEN:
        text = pattern.sub(instead, text)
    # A line break would begin a line that nobody wrote (ASVS 16.4.1); JSON escapes it.
    return text[:CHARS_MAX]
