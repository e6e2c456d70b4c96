"""SSH signatures, made and checked by OpenSSH's own ``ssh-keygen``: no key is ever read by gate.

https://man.openbsd.org/ssh-keygen.1#ALLOWED_SIGNERS: the list says which keys are whose, for which namespaces and from
when until when.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gatecli.errors import UsageError

NAMESPACE = "gate-approval"
"""What a signature is for: one of a commit or a file is none of these, and none of them stands for another."""
OVERRIDE = "gate-override"
GRANT = "gate-grant"
AUDIT = "gate-audit"

TIMEOUT_S = 30
SIGNING_TIMEOUT_S = 300
"""Somebody may have to type a passphrase, or touch a key."""

PRINCIPAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@-]{0,199}")
"""A name that a key can be listed under, without the wildcards of a pattern."""

_GOOD = re.compile(
    rb'Good "[^"]{1,100}" signature for [^\n]{1,300} with [A-Z0-9-]{1,40} key (SHA256:[A-Za-z0-9+/=]{20,100})'
)
_PLACE = re.compile(r"^[^:\n]{0,300}:\d{1,9}: ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys that may sign, and those that no longer may, as ssh-keygen reads them (``ALLOWED SIGNERS``, ``-r``)."""

    allowed: bytes
    revoked: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a signature turned out to be: the key's fingerprint and all names it is listed under, or why it is none."""

    key: str | None = None
    names: tuple[str, ...] = ()
    problem: str | None = None


def sign(payload: bytes, key: Path, *, namespace: str = NAMESPACE) -> str:
    """An armoured signature of some bytes; ``key`` is a private key, or a public one whose private half an agent has.

    Raises:
        UsageError: ssh-keygen is missing, or will not sign with this key.
    """
    command = ["-Y", "sign", "-q", "-f", str(key), "-n", namespace]
    status, out, err = _run(command, payload, timeout_s=SIGNING_TIMEOUT_S)
    if status or not out.startswith(b"-----BEGIN SSH SIGNATURE-----"):
        raise UsageError(f"ssh-keygen does not sign with {key}: {_last(err)}", "name a key that you hold with --key")
    return out.decode("ascii")


def check(
    payload: bytes, signature: str, principal: str, keys: Keys, *, now: int, namespace: str = NAMESPACE
) -> Checked:
    """Whether a person signed these bytes with a key that is listed for them and valid now.

    Args:
        payload: What was signed.
        signature: Armoured.
        principal: Who is said to have signed.
        keys: Those of the base revision.
        now: Epoch seconds. Not when it was signed: only the signer says when that was.
        namespace: What the signature has to be for.

    Raises:
        UsageError: ssh-keygen is missing.
    """
    if not PRINCIPAL.fullmatch(principal):
        return Checked(problem="signed under a name that no key is listed under")
    with tempfile.TemporaryDirectory(prefix="gate-") as folder:
        allowed, armour, revoked = (Path(folder, name) for name in ("allowed", "signature", "revoked"))
        allowed.write_bytes(keys.allowed)
        armour.write_text(signature, encoding="utf-8")
        files = ["-f", str(allowed), "-s", str(armour)]
        if keys.revoked is not None:
            revoked.write_bytes(keys.revoked)
        at = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d%H%M%S")
        verify = ["-Y", "verify", *files, "-I", principal, "-n", namespace, f"-Overify-time={at}"]
        status, out, err = _run(verify, payload)
        good = _GOOD.search(out)
        if status or good is None:
            return Checked(problem=_problem(err, principal, namespace))
        if keys.revoked is not None and _run([*verify, "-r", str(revoked)], payload)[0]:
            return Checked(problem="signed with a key that was revoked")
        status, out, _ = _run(["-Y", "find-principals", *files], b"")
    names = tuple(dict.fromkeys(out.decode("utf-8", "replace").split()))
    if any(not PRINCIPAL.fullmatch(name) for name in names):
        return Checked(problem="its key is listed under a pattern, which names nobody in particular")
    return Checked(key=good[1].decode("ascii"), names=names)


def signer(signature: str, keys: Keys) -> str | None:
    """Under which name the key of a signature is listed, the first of several; None: under none, or it is unreadable.

    Whether it signed anything is for ``check`` to tell.
    """
    with tempfile.TemporaryDirectory(prefix="gate-") as folder:
        allowed, armour = Path(folder, "allowed"), Path(folder, "signature")
        allowed.write_bytes(keys.allowed)
        armour.write_text(signature, encoding="utf-8")
        status, out, _ = _run(["-Y", "find-principals", "-f", str(allowed), "-s", str(armour)], b"")
    names = out.decode("utf-8", "replace").split()
    return names[0] if status == 0 and names else None


def _problem(err: bytes, principal: str, namespace: str) -> str:
    """ssh-keygen's reason, in our words where they say more."""
    said = _last(err)
    if "expired" in said:
        return f"signed with a key that is no longer valid ({said})"
    if "not yet valid" in said:
        return f"signed with a key that is not yet valid ({said})"
    if "namespace" in said:
        return f"signed with a key that is not listed for {namespace}"
    if "incorrect signature" in said:
        return "the signature is not of this text: one of them was edited"
    if "parse signature" in said or "armor" in said or "missing header" in said:
        return "the signature cannot be read"
    return f"no key of {principal} that the base revision lists made this signature"


def _last(err: bytes) -> str:
    """The telling line of what ssh-keygen complained about, without the name of our temporary file."""
    lines = [_PLACE.sub("", line) for line in err.decode("utf-8", "replace").splitlines() if line.strip()]
    telling = [line for line in lines if "Signing" not in line]
    return (telling or ["no message"])[0][:200]


def _run(arguments: Sequence[str], given: bytes, *, timeout_s: float = TIMEOUT_S) -> tuple[int, bytes, bytes]:
    # Dates in a list of keys are local time: one zone for all machines.
    environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["ssh-keygen", *arguments],
            input=given,
            capture_output=True,
            env=environment,
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError as error:
        raise UsageError("ssh-keygen is not installed, or not on PATH", "install OpenSSH 8.9 or newer") from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"ssh-keygen did not answer within {timeout_s:g} s", "check the key and its agent") from error
    return done.returncode, done.stdout, done.stderr
