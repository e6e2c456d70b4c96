"""A server on this machine that keeps what an agent sends to it."""

import gzip
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What was sent: the path, the content type and the body, inflated."""

    path: str
    type: str
    body: bytes


@dataclass(slots=True)
class Receiver:
    """Where to send it, and what came."""

    address: str
    sent: list[Sent] = field(default_factory=list)


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Receive until the end; everything is answered with an empty JSON object."""
    found = Receiver("")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if body.startswith(b"\x1f\x8b"):
                body = gzip.decompress(body)
            found.sent.append(Sent(path=self.path, type=self.headers.get("Content-Type", ""), body=body))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
