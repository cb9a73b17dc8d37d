"""The virus scanner: ClamAV's clamd looks at every file from outside, where a member runs one.

A scanner that was set up and does not answer lets nothing through. clamd(8), command INSTREAM.
"""

import socket
import struct

from node.config import Settings
from node.config_values import Socket
from node.refusals import Refusal

# An upload waits for it; a scan of 5 MiB takes a second or two.
TIMEOUT_S = 30
PIECE_BYTES = 64 * 1024
ANSWER_BYTES_MAX = 4096


class FileInfected(Refusal, code="file-infected", status=422):
    """A virus scanner found something in this file, so it was not taken. Make it anew, please."""


class ScannerUnavailable(Refusal, code="scanner-unavailable", status=503):
    """The file cannot be checked for viruses at the moment. Please try again in a few minutes."""


def look_at(settings: Settings, content: bytes) -> None:
    """Raise unless the scanner finds nothing; without a scanner, nothing is looked at."""
    if settings.clamd is None:
        return
    answer = _ask(settings.clamd, content)
    if answer.endswith(" FOUND"):
        raise FileInfected
    if answer != "stream: OK":
        # Too large for it, or out of memory: nobody has looked.
        raise ScannerUnavailable(answer[:80])


def answers(settings: Settings) -> bool:
    """Whether the scanner finds nothing in nothing much; for whoever asks if all is well."""
    try:
        look_at(settings, b"tasuki")
    except Refusal:
        return False
    return True


def _ask(address: Socket, content: bytes) -> str:
    try:
        with _connected(address) as line:
            line.sendall(b"zINSTREAM\0")
            for at in range(0, len(content), PIECE_BYTES):
                piece = content[at : at + PIECE_BYTES]
                line.sendall(struct.pack(">I", len(piece)) + piece)
            line.sendall(struct.pack(">I", 0))
            answer = b""
            while not answer.endswith(b"\0") and len(answer) < ANSWER_BYTES_MAX:
                part = line.recv(ANSWER_BYTES_MAX)
                if not part:
                    break
                answer += part
    except OSError as error:
        raise ScannerUnavailable(type(error).__name__) from error
    return answer.rstrip(b"\0").decode("utf-8", "replace")


def _connected(address: Socket) -> socket.socket:
    if isinstance(address, tuple):
        return socket.create_connection(address, TIMEOUT_S)
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        line.settimeout(TIMEOUT_S)
        line.connect(address)
    except OSError:
        line.close()
        raise
    return line
