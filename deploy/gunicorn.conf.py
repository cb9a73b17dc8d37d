"""gunicorn for a node's pages and peers: `gunicorn --config deploy/gunicorn.conf.py node.wsgi:app`.

`tasuki serve` needs none of this; it is for those who run the web processes apart from the
worker, on PostgreSQL, with several of each. Always behind a proxy that reads slow clients to the
end: bare threads are soon all waiting for somebody's telephone.

The options are those of `tasuki serve`, each with its reason, in node/web_server.py; whatever is
written below this line takes the place of one of them.
"""

from node.config import load
from node.web_server import options

globals().update(options(load()))
