"""The HTTP in front of it: pages, ETags, redirects to another host, and troubles on demand."""

import hashlib
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.github.fake.routes import REPO, answer
from tests.github.fake.state import FakeGitHub, Request, Trouble


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every answer waits 40 ms for an acknowledgement
    github: FakeGitHub

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""

    def _handle(self) -> None:
        github = self.github
        length = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        if github.root:
            graphql = f"{github.root.rpartition('/')[0]}/graphql"
            if self.path == graphql:
                self.path = "/graphql"
            elif self.path.startswith(f"{github.root}/"):
                self.path = self.path.removeprefix(github.root)
            else:
                return self._send(404, b"not the API", {})
        request = Request(self.command, self.path, {key.lower(): one for key, one in self.headers.items()}, body)
        github.requests.append(request)
        for trouble in github.troubles:
            if trouble.times and re.search(trouble.path, self.path) and re.fullmatch(trouble.method, self.command):
                trouble.times -= 1
                return self._trouble(trouble)
        token = self.headers.get("authorization", "")
        if token and token.removeprefix("Bearer ") not in github.tokens:
            return self._reply(401, {"message": "Bad credentials"})
        if not token and self.command != "GET":
            return self._reply(401, {"message": "Requires authentication"})
        github.before(request)
        if found := re.fullmatch(REPO + r"/actions/artifacts/(\d+)/zip", self.path):
            elsewhere = github.url.replace("127.0.0.1", "localhost")  # another host, as at the real one
            return self._send(302, b"", {"Location": f"{elsewhere}/store/{found[1]}?signature=secret"})
        if found := re.fullmatch(r"/store/(\d+)\?signature=secret", self.path):
            return self._send(200, github.archives[int(found[1])], {"Content-Type": "application/zip"})
        return self._reply(*answer(github, request))

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _handle  # noqa: N815

    def _reply(self, status: int, value: Any) -> None:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if status == 200 and self.command == "GET" and "per_page" in query:
            value, link = self._page(value, query)
            headers |= {"Link": link} if link else {}
        content = b"" if value is None else json.dumps(value).encode()
        if status == 200 and self.command == "GET":
            headers["ETag"] = f'W/"{hashlib.sha256(content).hexdigest()}"'
            if self.headers.get("if-none-match") == headers["ETag"]:
                status, content = 304, b""
        self._send(status, content, headers)

    def _page(self, value: Any, query: dict[str, list[str]]) -> tuple[Any, str]:
        size, page = int(query["per_page"][0]), int(query.get("page", ["1"])[0])
        within = next((name for name in ("commits", "artifacts", "check_runs") if name in value), "")
        entries = value[within] if within else value
        shown = entries[(page - 1) * size : page * size]
        link = ""
        if page * size < len(entries):
            following = urllib.parse.urlencode(
                {**{key: one[0] for key, one in query.items()}, "page": page + 1, "per_page": size}
            )
            path = urllib.parse.urlsplit(self.path).path
            link = f'<{self.github.url}{path}?{following}>; rel="next", <{self.github.url}{path}?page=99>; rel="last"'
        return ({within: shown} if within else shown), link

    def _send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for key, one in headers.items():
            self.send_header(key, one)
        if status != 304 and "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _trouble(self, trouble: Trouble) -> None:
        if trouble.how == "answer":
            self._send(trouble.status, trouble.body, trouble.headers)
            return
        self.close_connection = True
        if trouble.how == "hang":
            self.github.released.wait(10)
        elif trouble.how == "drip":
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            while not self.github.released.wait(0.02):
                self.wfile.write(b" ")
                self.wfile.flush()
        elif trouble.how == "cut":
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "5000")
            self.end_headers()
            self.wfile.write(b'{"number": 12')


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is part of the tests."""


def serve(github: FakeGitHub) -> Iterator[FakeGitHub]:
    """Run it on a free port of this machine until the caller is done."""
    handler = type("Handler", (_Handler,), {"github": github})
    server = _Server(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    github.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield github
    finally:
        github.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
