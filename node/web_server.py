"""gunicorn, as a node runs it: the options, the access log without tokens, the worker inside.

`tasuki serve` is one small process that starts others: the web process answers people and peers
with threads, and one more thread in it does the worker's steps. On SQLite that is also the fastest
way, because one process has one writer. Larger members run `tasuki worker` beside it.
"""

import errno
import gc
import re
import socket
import time
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker as WebProcess

from node.app import create_app
from node.config import Settings
from node.opening import open_node
from node.worker import Worker

# A link in a mail is a key: whoever reads it in a log could open the page.
LINKS = re.compile(r"^/+([ls])/+[^/]+")
# Longer than a step of the worker, shorter than systemd waits.
STOP_TIMEOUT_S = 25
# A node that was stopped a moment ago may still be letting go of its port.
PORT_FREE_WITHIN_S = 5
PORT_POLL_S = 0.1


class PortTaken(Exception):
    """Something listens on this port already, perhaps this very node. Stop it, or give
    TASUKI_LISTEN another port."""


class AddressImpossible(Exception):
    """This machine does not let the node listen on this address. Correct TASUKI_LISTEN; ports
    below 1024 are the proxy's."""


def require_free_port(host: str, port: int) -> None:
    """Raise PortTaken or AddressImpossible unless the node can listen there.

    gunicorn would say so too, in seven lines of its own, after everything else was opened.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    ends_at = time.monotonic() + PORT_FREE_WITHIN_S
    while True:
        try:
            socket.create_server((host, port), family=family).close()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise AddressImpossible(f"{host}:{port}") from error
            if time.monotonic() >= ends_at:
                raise PortTaken(f"{host}:{port}") from error
            time.sleep(PORT_POLL_S)
        else:
            return


class TokenFreeLogger(Logger):  # type: ignore[misc]
    """gunicorn's access log, with the tokens of private links left out."""

    def atoms(  # gunicorn's own signature
        self,
        resp: Any,  # noqa: ANN401
        req: Any,  # noqa: ANN401
        environ: Any,  # noqa: ANN401
        request_time: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """What a line may be made of: no token, no query, no page one came from."""
        known: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        path = LINKS.sub(r"/\1/-", str(known["U"]))
        known.update(U=path, r=f"{known['m']} {path} {known['H']}", q="", f="-")
        return {name: value for name, value in known.items() if not name.startswith("{")}


def options(settings: Settings) -> dict[str, Any]:
    """gunicorn's settings for a node, by their names."""
    return {
        "bind": "{}:{}".format(*settings.listen),
        # Threads, because a peer's request waits for the disk; never `sync` workers alone.
        "worker_class": "gthread",
        "workers": settings.web_workers,
        "threads": settings.web_threads,
        # More than any request needs, less than the proxy waits.
        "timeout": 30,
        "graceful_timeout": 30,
        "keepalive": 30,
        # The shortest request line and the fewest headers that a browser and a peer still fit in.
        "limit_request_line": 2048,
        "limit_request_fields": 64,
        "limit_request_field_size": 8190,
        # gunicorn opens a control socket in the home folder by default; nobody here asks for one.
        "control_socket_disable": True,
        # A heartbeat file on a disk would make a busy disk look like a dead worker.
        "worker_tmp_dir": "/dev/shm",  # noqa: S108 (memory; gunicorn names the file)
        "logger_class": TokenFreeLogger,
        "accesslog": "-",
        "access_log_format": '%(h)s "%(r)s" %(s)s %(B)s %(M)sms',
    }


class NodeServer(BaseApplication):  # type: ignore[misc]
    """One node under gunicorn: pages, peers and, in the same process, the worker."""

    def __init__(self, settings: Settings, *, with_worker: bool) -> None:
        self._settings = settings
        self._with_worker = with_worker
        self._workers: dict[int, Worker] = {}
        super().__init__()

    def load_config(self) -> None:
        """Hand gunicorn our options and hooks, and no others."""
        for name, value in options(self._settings).items():
            self.cfg.set(name, value)
        self.cfg.set("when_ready", self._share_memory)
        self.cfg.set("worker_exit", self._stop_worker)

    def load(self) -> Any:  # noqa: ANN401 (gunicorn calls it a WSGI application)
        """Open the node in the process that will use it: connections do not survive a fork."""
        node = open_node(self._settings)
        if self._with_worker:
            worker = Worker(node)
            worker.start()
            self._workers[id(node)] = worker
        return create_app(node)

    def _share_memory(self, arbiter: Arbiter) -> None:
        # Ctrl-C is as orderly an end as SIGTERM: gunicorn's own breaks off whatever is running.
        arbiter.handle_int = arbiter.handle_term
        # What is loaded before the fork stays shared: the collector must not write into it.
        gc.collect()
        gc.freeze()

    def _stop_worker(self, _: Arbiter, __: WebProcess) -> None:
        for worker in self._workers.values():
            worker.stop(timeout_s=STOP_TIMEOUT_S)
