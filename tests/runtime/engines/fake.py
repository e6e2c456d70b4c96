"""An engine on this machine that answers what a test says."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Engine(ThreadingHTTPServer):
    """``answers`` are by path: status, body and headers; ``asked`` has method, path with query, headers and body."""

    daemon_threads = True
    answers: dict[str, tuple[int, bytes, Mapping[str, str]]]
    asked: list[tuple[str, str, Mapping[str, str], bytes]]
    pause_s = 0.0
    address = ""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked has given up: nothing to say."""

    def answer(self, path: str, body: bytes, status: int = 200, **headers: str) -> None:
        self.answers[path] = status, body, {name.replace("_", "-"): value for name, value in headers.items()}


class _Handler(BaseHTTPRequestHandler):
    server: Engine

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path, dict(self.headers), body))
        time.sleep(self.server.pause_s)
        status, content, headers = self.server.answers.get(self.path.partition("?")[0], (404, b"not here", {}))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *arguments: Any) -> None:
        pass


@contextmanager
def engine() -> Iterator[Engine]:
    """An engine that knows nothing yet."""
    server = Engine(("127.0.0.1", 0), _Handler)
    server.answers, server.asked = {}, []
    server.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
