"""The shipped gunicorn configuration: accepted by gunicorn, and silent about private links."""

import http.client
import subprocess
import sys
from pathlib import Path

from tests.equipment import proxy
from tests.equipment.source import ROOT

TOKEN = "kK4-a-private-link-token"
APP = """
def app(environ, start_response):
    start_response("204 No Content", [])
    return []
"""


def test_the_access_log_names_no_token_and_there_is_no_control_socket(tmp_path: Path) -> None:
    (tmp_path / "echo.py").write_text(APP)
    port = proxy.free_port()
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "TASUKI_LISTEN": f"127.0.0.1:{port}",
        "TASUKI_DATA_DIR": str(tmp_path),
    }
    configuration = ROOT / "deploy" / "gunicorn.conf.py"
    command = [sys.executable, "-m", "gunicorn", "--config", configuration, "echo:app"]
    with subprocess.Popen(
        command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as server:
        try:
            proxy.wait_for_port(port)
            for target in (
                f"/l/{TOKEN}",
                f"//l/{TOKEN}",
                f"/s/{TOKEN}/status?code={TOKEN}",
                f"/points?t={TOKEN}",
            ):
                ask(port, target)
        finally:
            server.terminate()
            log = b"".join(server.communicate())
    assert b"GET /l/- HTTP/1.1" in log, log.decode()
    assert b"GET /s/-/status HTTP/1.1" in log
    assert TOKEN.encode() not in log
    assert not (tmp_path / ".gunicorn").exists(), "gunicorn opened its control socket"


def ask(port: int, target: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", target, headers={"Referer": f"http://x/l/{TOKEN}"})
    assert connection.getresponse().status == 204
    connection.close()
