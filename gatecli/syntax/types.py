"""A type checker's opinion on receivers that the text leaves open: the optional extra ``gatecli[types]``.

ty (https://docs.astral.sh/ty/) is asked over the Language Server Protocol where a name is defined, and only at calls on
an unknown receiver. It reads files and runs none; other checkers start the repository's own interpreter. One version is
pinned: its answers belong to the report. Whatever goes wrong, the edge stays *possible* and the search goes on.
"""

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import unquote, urlsplit

from gatecli.errors import GateError
from gatecli.model import Definition

VERSION = "0.0.104"
NAME = f"ty {VERSION}"

# A search asks at most so many questions and waits at most so long for all of them; then the rest stays open.
MAX_QUESTIONS = 400
TIMEOUT_S = 10.0
MAX_MESSAGE_BYTES = 4_000_000


def program() -> str | None:
    """The pinned checker next to this Python or on the path, None where it is not installed in that version."""
    beside = Path(sys.executable).with_name("ty.exe" if os.name == "nt" else "ty")
    found = str(beside) if beside.is_file() else shutil.which("ty")
    if found is None:
        return None
    try:
        done = subprocess.run([found, "version"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found if done.stdout.split()[1:2] == [VERSION.encode()] else None


class TypeServer:
    """A running checker over a folder; ``definitions`` answers None once it has failed or used up its time.

    Args:
        program: Finds the checker, None where there is none; asked at the first question.
        checkout: Gives a folder with the files as they are to be judged for as long as it is entered.
        clock: Seconds, for the time limit.
    """

    def __init__(
        self,
        program: Callable[[], str | None],
        checkout: Callable[[], AbstractContextManager[Path]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._program = program
        self._checkout = checkout
        self._stack = ExitStack()
        self._root = Path()
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._opened: set[str] = set()
        self._asked = 0
        self._id = 0
        self._until = 0.0
        self.has_failed = False
        self.problem: str | None = None
        """Why calls that the text leaves open stay open although the checker is installed."""

    @property
    def name(self) -> str | None:
        """The checker and its version, if it was asked and answered."""
        return NAME if self._asked and not self.has_failed else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the checker."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    with suppress(OSError):  # what was not written yet, to a process that is gone
                        stream.close()
            self._process = None
        self._stack.close()

    def definitions(self, path: str, source: bytes, at: int) -> tuple[Definition, ...] | None:
        """Where the name at a byte of a file is defined; empty: the checker does not know; None: it was not asked."""
        if self.has_failed:
            return None
        if self._asked >= MAX_QUESTIONS:
            self.problem = f"{NAME} was asked about {MAX_QUESTIONS} calls and not about the others"
            return None
        self._asked += 1
        try:
            self._start()
            self._open(path, source)
            line = source.count(b"\n", 0, at)
            before = source[source.rfind(b"\n", 0, at) + 1 : at].decode("utf-8", "replace")
            character = len(before.encode("utf-16-le")) // 2
            found = self._request(
                "textDocument/definition",
                {"textDocument": {"uri": self._uri(path)}, "position": {"line": line, "character": character}},
            )
        except (OSError, ValueError, GateError, _NoAnswerError):
            if self._process is not None:
                self.problem = f"{NAME} gave no answer (it has {TIMEOUT_S:g} s)"
            self.has_failed = True
            self.close()
            return None
        locations = found if isinstance(found, list) else [found] if isinstance(found, dict) else []
        return tuple(sorted({one for location in locations if (one := self._definition(location)) is not None}))

    # ------------------------------------------------------------------ the protocol

    def _start(self) -> None:
        if self._process is not None:
            return
        program = self._program()
        if program is None:
            raise _NoAnswerError
        self._root = self._stack.enter_context(self._checkout()).resolve()
        # VIRTUAL_ENV tells it where the libraries of the program are; it reads them and starts nothing there.
        kept = ("PATH", "HOME", "TMPDIR", "TEMP", "SYSTEMROOT", "XDG_CACHE_HOME", "LANG", "VIRTUAL_ENV")
        self._process = subprocess.Popen(
            [program, "server"],
            cwd=self._root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in kept if name in os.environ},
        )
        self._until = self._clock() + TIMEOUT_S
        assert self._process.stdout is not None
        threading.Thread(target=_read, args=(self._process.stdout, self._answers), daemon=True).start()
        folder = {"uri": self._root.as_uri(), "name": self._root.name}
        self._request(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": folder["uri"],
                "workspaceFolders": [folder],
                "capabilities": {"general": {"positionEncodings": ["utf-16"]}},
                "initializationOptions": {"diagnosticMode": "off"},
            },
        )
        self._send({"method": "initialized", "params": {}})

    def _open(self, path: str, source: bytes) -> None:
        if path in self._opened:
            return
        self._opened.add(path)
        document = {
            "uri": self._uri(path),
            "languageId": "python",
            "version": 1,
            "text": source.decode("utf-8", "replace"),
        }
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})

    def _uri(self, path: str) -> str:
        return self._root.joinpath(*path.split("/")).as_uri()

    def _request(self, method: str, params: object) -> object:
        self._id += 1
        self._send({"id": self._id, "method": method, "params": params})
        while True:
            try:
                answer = self._answers.get(timeout=max(0.01, self._until - self._clock()))
            except queue.Empty:
                raise _NoAnswerError from None
            if answer is None:
                raise _NoAnswerError
            if "method" in answer and "id" in answer:  # the server asks for settings, or to be told of changes
                items = (answer.get("params") or {}).get("items", [])
                wants_settings = answer["method"] == "workspace/configuration"
                self._send({"id": answer["id"], "result": [None] * len(items) if wants_settings else None})
            elif answer.get("id") == self._id:
                return answer.get("result")

    def _send(self, message: dict[str, object]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()

    def _definition(self, location: object) -> Definition | None:
        if not isinstance(location, dict):
            return None
        uri = location.get("uri") or location.get("targetUri")
        place = location.get("targetSelectionRange") or location.get("range")
        if not isinstance(uri, str) or not isinstance(place, dict):
            return None
        path = Path(unquote(urlsplit(uri).path))
        if not path.is_relative_to(self._root):
            return Definition(str(path), place["start"]["line"] + 1)
        return Definition(path.relative_to(self._root).as_posix(), place["start"]["line"] + 1)


class _NoAnswerError(Exception):
    """The checker ended, or did not answer in time."""


def _read(stream: IO[bytes], answers: "queue.Queue[dict[str, Any] | None]") -> None:
    """Hand on the messages of the checker; None when there are no more."""
    try:
        while True:
            length = 0
            while line := stream.readline().strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if not 0 < length <= MAX_MESSAGE_BYTES:
                break
            message = json.loads(stream.read(length))
            if isinstance(message, dict):
                answers.put(message)
    except (OSError, ValueError):
        pass
    answers.put(None)
