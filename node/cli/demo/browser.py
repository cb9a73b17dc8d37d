"""A browser for the demonstration: fetches a node's pages, fills in their forms and sends them."""

import http.client
import secrets
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit

from node.cli.demo.pages import File, Page, PageUnexpected, Value, filled, read

TIMEOUT_S = 30
REDIRECTS_MAX = 5
REDIRECTED = (301, 302, 303, 307, 308)


class Browser:
    """One person at one node: keeps its cookies, follows redirects."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._host = urlsplit(origin).netloc
        self._cookies: dict[str, str] = {}

    def open(self, url: str) -> Page:
        """Fetch a page."""
        return self._follow("GET", url, b"", "")

    def submit(
        self, page: Page, name: str, values: dict[str, Value] | None = None, *, press: str = ""
    ) -> Page:
        """Fill in a form of the page and send it; `press` is the id of a button.

        PageUnexpected when the form has no such field, or when the answer is no success.
        """
        form = page.form(name)
        pairs = filled(page, form, values or {}, press)
        url = urljoin(page.url, form.target(press) or page.url)
        if form.method == "get":
            texts = [(key, value) for key, value in pairs if isinstance(value, str)]
            return self.open(f"{url.partition('?')[0]}?{urlencode(texts)}")
        body, kind = _multipart(pairs) if form.multipart else _urlencoded(pairs)
        answer = self._follow("POST", url, body, kind)
        if answer.status >= 400:
            raise answer.unexpected("the form was not taken")
        return answer

    def _follow(self, method: str, url: str, body: bytes, kind: str) -> Page:
        url = urljoin(self._origin, url)
        for _ in range(REDIRECTS_MAX):
            status, location, answer = self._exchange(method, url, body, kind)
            if status not in REDIRECTED:
                return read(url, status, answer)
            url, method, body, kind = urljoin(url, location), "GET", b"", ""
            if urlsplit(url).netloc != self._host:
                raise PageUnexpected(f"{self._origin} leads elsewhere, to {url}")
        raise PageUnexpected(f"{url} leads in a circle")

    def _exchange(self, method: str, url: str, body: bytes, kind: str) -> tuple[int, str, bytes]:
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        headers = {"Accept": "text/html", "User-Agent": "tasuki demo"}
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in self._cookies.items())
        if kind:
            headers["Content-Type"] = kind
        connection = http.client.HTTPConnection(self._host, timeout=TIMEOUT_S)
        try:
            connection.request(method, target, body=body or None, headers=headers)
            answer = connection.getresponse()
            self._remember(answer.headers.get_all("Set-Cookie") or [])
            return answer.status, answer.headers.get("Location", ""), answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise PageUnexpected(f"{url} does not answer: {type(error).__name__}") from error
        finally:
            connection.close()

    def _remember(self, headers: list[str]) -> None:
        for header in headers:
            for name, morsel in SimpleCookie(header).items():
                if morsel["max-age"] == "0" or not morsel.value:
                    self._cookies.pop(name, None)
                else:
                    self._cookies[name] = morsel.coded_value


def _urlencoded(pairs: list[tuple[str, str | File]]) -> tuple[bytes, str]:
    texts = [(name, value.name if isinstance(value, File) else value) for name, value in pairs]
    return urlencode(texts).encode(), "application/x-www-form-urlencoded"


def _multipart(pairs: list[tuple[str, str | File]]) -> tuple[bytes, str]:
    boundary = secrets.token_hex(16)
    parts = []
    for name, value in pairs:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, File):
            head += f'; filename="{value.name}"\r\nContent-Type: {value.kind}'
            content = value.content
        else:
            content = value.encode()
        parts.append(head.encode() + b"\r\n\r\n" + content + b"\r\n")
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"
