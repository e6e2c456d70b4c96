"""The errors that gate expects: each says what happened and what to do next, and carries its exit code."""

EXIT_PASS = 0
EXIT_BLOCK = 1
EXIT_USAGE = 2
EXIT_REVIEW = 3
EXIT_INCOMPLETE = 4
EXIT_INTERRUPTED = 130


class GateError(Exception):
    """Something the user can act on: ``message`` says what and where, ``hint`` what to do next."""

    exit_code = EXIT_INCOMPLETE

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(GateError):
    """Wrong arguments or configuration."""

    exit_code = EXIT_USAGE


class EvidenceError(GateError):
    """The input was named rightly but cannot be read whole: fails closed."""

    exit_code = EXIT_INCOMPLETE
