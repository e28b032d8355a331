"""The words of a verdict. `sessionreg.State` and `sessionreg.Reason` are these."""

from __future__ import annotations

from enum import Enum

__all__ = ["Reason", "State"]


class _Word(str, Enum):
    """A member that is, compares as, and prints as its word."""

    def __str__(self) -> str:
        return str.__str__(self)

    def __format__(self, format_spec: str) -> str:
        return str.__format__(self, format_spec)


class State(_Word):
    """Whether the process of a record is there."""

    ALIVE = "alive"
    """It is."""
    DEAD = "dead"
    """It is not, and that is proven."""
    UNKNOWN = "unknown"
    """It cannot be told from here."""


class Reason(_Word):
    """Why a verdict says what it says; each reason belongs to one state."""

    VERIFIED = "verified"
    """Alive: the process exists and its identity equals the record's."""
    UNVERIFIED = "unverified"
    """Alive: the process exists, but there is no identity to compare."""
    GONE = "gone"
    """Dead: no such process in this namespace."""
    ZOMBIE = "zombie"
    """Dead: it has exited and was not reaped."""
    REUSED = "reused"
    """Dead: another process has the pid now."""
    REBOOTED = "rebooted"
    """Dead: the host was started anew since; the record lies on a local file system."""
    LOCK_HELD = "lock_held"
    """Alive: the program holds its own kernel lock."""
    FILE_OPEN = "file_open"
    """Alive: the program holds its transcript open."""
    LOCK_FREE = "lock_free"
    """Dead: nobody holds the program's kernel lock."""
    FILE_CLOSED = "file_closed"
    """Dead: nobody holds the transcript open."""
    PANE_GONE = "pane_gone"
    """Dead: the terminal pane is gone."""
    OTHER_HOST = "other_host"
    """Unknown: the record was written on another host."""
    OTHER_NAMESPACE = "other_namespace"
    """Unknown: the pid is meant in another PID namespace."""
    OTHER_PLATFORM = "other_platform"
    """Unknown: the pid is meant on another operating system."""
    PERMISSION = "permission"
    """Unknown: the file's owner is not the user of the process that it names."""
    CLOCK = "clock"
    """Unknown: the start was read in another time namespace, nothing else can be compared."""
    NO_IDENTITY = "no_identity"
    """Unknown: what would be needed to tell is missing from the record."""
    STARTING = "starting"
    """Unknown: the session is being started."""
    STALE = "stale"
    """Unknown: the session was being started, too long ago."""
    UNSUPPORTED = "unsupported"
    """Unknown: this system gives no way to tell."""
    INVALID = "invalid"
    """Unknown: no process can have this pid; the system was not asked."""
