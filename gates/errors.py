"""What the user can put right: the one family of errors that the command line shows as a sentence."""

from __future__ import annotations


class GatesError(Exception):
    """A problem somebody outside this program can solve; `hint` says what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class ConfigurationError(GatesError):
    """gates.toml, a profile or an option is wrong: exit code 2."""


class IntegrityError(GatesError):
    """A baseline or the ledger is not what was signed: exit code 5."""


class ToolError(GatesError):
    """A tool crashed, timed out or wrote something unreadable: its gate is `error`."""


class NotMeasured(GatesError):
    """There is nothing that could be judged (no tests, no samples): the gate is `unknown`."""


class BackendFailed(GatesError):
    """The backend died or never became ready although its command could be run: the gate is `fail`."""


class SignoffRefused(GatesError):
    """A phase cannot be signed off as it stands: exit code 1, and nothing was written."""
