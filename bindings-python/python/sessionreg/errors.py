"""Exceptions: one class for each kind of failure, all of them `SessionRegError`.

Each class has the builtin exception that fits as a second base, so that code which knows nothing
of this library (`except FileNotFoundError`) does the right thing.
"""

from __future__ import annotations

import builtins
import sys

# `typing` would take longer to import than this package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from ._sessionreg import Holder

__all__ = [
    "BusyError",
    "CancelledError",
    "ClosedError",
    "ClosingError",
    "CorruptError",
    "HeldError",
    "InvalidIdError",
    "InvalidInputError",
    "IoError",
    "NoSpaceError",
    "NotAFileError",
    "NotFoundError",
    "PanicError",
    "PermissionDeniedError",
    "ReadOnlyError",
    "RestoreInProgressError",
    "SessionLimitError",
    "SessionRegError",
    "SubscriberLimitError",
    "TimeoutError",
    "TooLargeError",
    "UnavailableError",
    "UnsupportedVersionError",
    "WorkspaceMismatchError",
]


class SessionRegError(Exception):
    """What every failure of this library is.

    Attributes:
        code: The kind of failure, the same word in every language, such as ``NOT_FOUND``.
        errno: The operating system's number, or None where it gave none.
        filename: The file that the failure is about, or None.

    """

    args: tuple[Any, ...]
    code: ClassVar[str]
    errno: int | None
    filename: str | None

    def __init__(
        self, message: str = "", errno: int | None = None, filename: str | None = None
    ) -> None:
        if isinstance(self, OSError):
            # `OSError` fills its own attributes from its arguments, and prints them.
            super().__init__(errno, message)
        else:
            super().__init__(message)
        self.args = (message,)
        self.errno = errno
        self.filename = filename

    def __str__(self) -> str:
        """Return the message: ``failed to <verb> `<path>`: <reason>``."""
        return str(self.args[0]) if self.args else ""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle with the attributes, which not all builtin bases keep."""
        return type(self), (str(self), self.errno, self.filename), self.__dict__.copy()


class NotFoundError(SessionRegError, FileNotFoundError):
    """There is no such file, session or process."""

    code = "NOT_FOUND"


class CorruptError(SessionRegError, ValueError):
    """The file is not a well-formed record."""

    code = "CORRUPT"


class UnsupportedVersionError(SessionRegError, ValueError):
    """The file is a record of a schema that this version does not know."""

    code = "UNSUPPORTED_VERSION"


class NotAFileError(SessionRegError, OSError):
    """The path names something other than a regular file."""

    code = "NOT_A_FILE"


class TooLargeError(SessionRegError, ValueError):
    """The file, or the record to be written, is larger than 64 KiB."""

    code = "TOO_LARGE"


class PermissionDeniedError(SessionRegError, PermissionError):
    """The operating system, or the rule on whose files are read, refuses."""

    code = "PERMISSION_DENIED"


class InvalidIdError(SessionRegError, ValueError):
    """The session id cannot be part of a path."""

    code = "INVALID_ID"


class InvalidInputError(SessionRegError, ValueError):
    """An argument cannot be what it is."""

    code = "INVALID_INPUT"


class HeldError(SessionRegError, OSError):
    """Another process holds what was asked for.

    Attributes:
        holder: Who holds it, as far as it is known, or None.

    """

    code = "HELD"
    holder: Holder | None = None


class BusyError(SessionRegError, OSError):
    """The folder's lock could not be had in time (250 ms)."""

    code = "BUSY"


class ClosedError(SessionRegError, ValueError):
    """The handle was closed before.

    Attributes:
        reason: ``channel_closed`` of a restore whose channel is dead, else None.

    """

    code = "CLOSED"
    reason: str | None = None


class ClosingError(SessionRegError, RuntimeError):
    """The table is shutting down."""

    code = "CLOSING"


class CancelledError(SessionRegError, RuntimeError):
    """The caller cancelled the operation."""

    code = "CANCELLED"


class NoSpaceError(SessionRegError, OSError):
    """The file system, or the user's quota on it, is full."""

    code = "NO_SPACE"


class ReadOnlyError(SessionRegError, OSError):
    """The file system is mounted read-only."""

    code = "READ_ONLY"


class RestoreInProgressError(SessionRegError, RuntimeError):
    """The session is being restored in another way.

    Attributes:
        session_id: The session.
        active: What is going on: ``load``, ``resume`` or ``spawn``.
        requested: What was asked for, the same words; None if its end was.
        reason: ``restoring``, or ``abandoned`` if nobody waits for it any more.
        retry_after: When to try again, in seconds.

    """

    code = "RESTORE_IN_PROGRESS"
    session_id: str | None = None
    active: str | None = None
    requested: str | None = None
    reason: str | None = None
    retry_after: float | None = None


class SessionLimitError(SessionRegError, RuntimeError):
    """As many sessions as allowed are live.

    Attributes:
        limit: How many that are.
        retry_after: When to try again, in seconds.

    """

    code = "SESSION_LIMIT"
    limit: int | None = None
    retry_after: float | None = None


class SubscriberLimitError(SessionRegError, RuntimeError):
    """As many subscribers as allowed are connected.

    Attributes:
        limit: How many that are.

    """

    code = "SUBSCRIBER_LIMIT"
    limit: int | None = None


class WorkspaceMismatchError(SessionRegError, ValueError):
    """The session belongs to another workspace.

    Attributes:
        bound: The workspace that the table is bound to.
        requested: The one that was asked for, cut at 4096 bytes.

    """

    code = "WORKSPACE_MISMATCH"
    bound: str | None = None
    requested: str | None = None


class TimeoutError(SessionRegError, builtins.TimeoutError):  # noqa: A001 - named by its code, as all are
    """The time allowed is over."""

    code = "TIMEOUT"


class UnavailableError(SessionRegError, OSError):
    """The native library, or what it needs from the system, is not there."""

    code = "UNAVAILABLE"


class IoError(SessionRegError, OSError):
    """Any other error of the operating system."""

    code = "IO"


class PanicError(SessionRegError, RuntimeError):
    """A defect of this library was caught before it could do harm."""

    code = "PANIC"


_CLASSES = {cls.code: cls for cls in SessionRegError.__subclasses__()}


def _make(code: str, message: str, os_error: int | None, path: str | None) -> SessionRegError:
    """Make the exception of a code; called by the native module."""
    if os_error is not None and sys.platform == "win32":
        # The system's own numbers are not errnos there; `OSError` translates them.
        os_error = OSError(0, "", None, os_error).errno
    return _CLASSES[code](message, os_error, path)
