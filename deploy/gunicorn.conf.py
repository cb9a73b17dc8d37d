"""gunicorn for a node's pages and peers: `gunicorn --config deploy/gunicorn.conf.py node.wsgi:app`.

`tasuki serve` needs none of this; it is for those who run the web processes apart from the
worker, on PostgreSQL, with several of each. Always behind a proxy that reads slow clients to the
end: bare threads are soon all waiting for somebody's telephone.
"""

import re
from typing import Any

from gunicorn.glogging import Logger

from node.config import load

settings = load()

bind = "{}:{}".format(*settings.listen)
# Threads, because a peer's request waits for the disk; never `sync` workers alone.
worker_class = "gthread"
workers = settings.web_workers
threads = settings.web_threads
# More than any request needs, less than the proxy waits.
timeout = 30
graceful_timeout = 30
keepalive = 30

# The shortest request line and the fewest headers that a browser and a peer still fit in.
limit_request_line = 2048
limit_request_fields = 64
limit_request_field_size = 8190

# gunicorn opens a control socket in the home folder by default; nobody here asks for one, and
# the home folder is read-only.
control_socket_disable = True
# A heartbeat file on a disk would make a busy disk look like a dead worker.
worker_tmp_dir = "/dev/shm"  # noqa: S108 (memory, made by gunicorn with a name of its own)

# A link in a mail is a key: whoever reads it in a log could open the page.
LINKS = re.compile(r"^/([ls])/[^/]+")


class TokenFreeLogger(Logger):
    """gunicorn's access log, with the tokens of private links left out."""

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:  # noqa: ANN401
        """What a line may be made of: no token, no query, no page one came from."""
        known: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        path = LINKS.sub(r"/\1/-", str(known["U"]))
        known.update(U=path, r=f"{known['m']} {path} {known['H']}", q="", f="-")
        return {name: value for name, value in known.items() if not name.startswith("{")}


logger_class = TokenFreeLogger
accesslog = "-"
access_log_format = '%(h)s "%(r)s" %(s)s %(B)s %(M)sms'
