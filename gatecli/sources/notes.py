"""Git notes: text that stands beside a commit (or any object) without changing it.

A ref of notes is a tree of blobs named after what they are about, in folders once there are many
(https://git-scm.com/docs/git-notes).
"""

import hashlib
import os
import tempfile
from collections.abc import Collection
from pathlib import Path

from gatecli.errors import EvidenceError
from gatecli.model import Person
from gatecli.sources.git import Repository

MAX_NOTE_BYTES = 2_000_000


def read_notes(repository: Repository, ref: str, names: Collection[str]) -> dict[str, bytes]:
    """The notes on some objects: id → text; none where there is no such ref. Too large ones are left out."""
    try:
        out = repository.run("ls-tree", "-r", "-z", "--full-tree", ref)
    except EvidenceError:
        return {}
    wanted, found = set(names), {}
    for row in out.split(b"\0"):
        meta, _, path = row.partition(b"\t")
        name = os.fsdecode(path.replace(b"/", b""))
        if name in wanted and meta.startswith(b"100"):
            content = repository.blob(meta.split()[2].decode("ascii"))
            if content is not None and len(content) <= MAX_NOTE_BYTES:
                found[name] = content
    return found


def anchor(text: str, *, like: str) -> str:
    """The id that git gives a blob with this text, in the hash of another id: an object to hang notes on.

    Content that was rebased is another commit; an anchor that is named after the content stays.
    """
    data = text.encode()
    return hashlib.new("sha1" if len(like) == 40 else "sha256", b"blob %d\0%s" % (len(data), data)).hexdigest()


def append_note(repository: Repository, ref: str, name: str, line: str, *, by: Person, anchor_text: str = "") -> None:
    """Add a line to the note on an object, in the name of a person; ``anchor_text`` first becomes an object.

    Raises:
        EvidenceError: git cannot write here.
    """
    environment = {
        "GIT_AUTHOR_NAME": by.name,
        "GIT_AUTHOR_EMAIL": by.email,
        "GIT_COMMITTER_NAME": by.name,
        "GIT_COMMITTER_EMAIL": by.email,
    }
    with tempfile.TemporaryDirectory(prefix="gate-") as folder:
        file = Path(folder, "note")
        if anchor_text:
            file.write_text(anchor_text, encoding="utf-8", newline="\n")
            repository.run("hash-object", "-w", "--no-filters", "--", str(file))
        file.write_text(line + "\n", encoding="utf-8", newline="\n")
        repository.run("notes", f"--ref={ref}", "append", f"--file={file}", name, env=environment)
