"""Which agent sessions run on this machine: records written atomically, judged honestly.

A program registers the session that it serves; others see it, and whether it is there:

>>> import sessionreg
>>> registry = sessionreg.Registry("sessions")
>>> with registry.register(session_id="4f1a", work_dir="/srv/project") as session:
...     for entry in registry.live():
...         print(entry.record.session_id, entry.verdict)
4f1a alive (verified)
>>> registry.live()
[]

A session record can also be a file of its own beside the log of the session. It names the process
that serves the session, and what tells this process from a later one with the same pid:

>>> sessionreg.write("chats/4f1a.runtime.json", sessionreg.Record("4f1a", "/srv/project"))
>>> record = sessionreg.read("chats/4f1a.runtime.json")
>>> print(sessionreg.liveness(record))
alive (verified)

A snapshot shows the sessions of all known programs, and a monitor tells what changes:

>>> sources = sessionreg.Sources.none(registries=["sessions"])
>>> with sessionreg.Monitor(sources) as monitor, monitor.watch() as watch:
...     print(watch.next().added)
...     with registry.register(session_id="4f1a", work_dir="/srv/project", status="busy"):
...         print(*((session.status, session.state) for session in watch.next().added))
[]
('busy', <State.ALIVE: 'alive'>)

Everything here may be called from any thread, runs without the interpreter's lock where it asks
the system, and does nothing on its own: no thread, no signal handler, nothing at exit.
"""

from ._sessionreg import (
    AgentSession,
    Batch,
    Channel,
    Claim,
    CleanedUp,
    ContextUsage,
    Entry,
    Holder,
    Lease,
    Monitor,
    Polled,
    Record,
    Registry,
    Removed,
    RestoreContext,
    RestoreStatus,
    RestoreTable,
    Scan,
    Session,
    SessionEvent,
    Skipped,
    Snapshot,
    Sources,
    Subscription,
    Swept,
    Terminal,
    Tidied,
    Transcript,
    Verdict,
    Watch,
    check_session_id,
    clear,
    clear_if,
    liveness,
    liveness_all,
    load,
    read,
    sidecar_in_project,
    sidecar_of,
    snapshot,
    write,
)
from .errors import (
    BusyError,
    CancelledError,
    ClosedError,
    ClosingError,
    CorruptError,
    HeldError,
    InvalidIdError,
    InvalidInputError,
    IoError,
    NoSpaceError,
    NotAFileError,
    NotFoundError,
    PanicError,
    PermissionDeniedError,
    ReadOnlyError,
    RestoreInProgressError,
    SessionLimitError,
    SessionRegError,
    SubscriberLimitError,
    TooLargeError,
    UnavailableError,
    UnsupportedVersionError,
    WorkspaceMismatchError,
)
from .errors import TimeoutError as TimeoutError  # noqa: A004 - not in __all__, which `*` takes

# `typing` and `enum` would take longer to import than all the rest.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from .dialects import Dialect
    from .verdicts import Reason, State

__all__ = [
    "AgentSession",
    "Batch",
    "BusyError",
    "CancelledError",
    "Channel",
    "Claim",
    "CleanedUp",
    "ClosedError",
    "ClosingError",
    "ContextUsage",
    "CorruptError",
    "Dialect",
    "Entry",
    "HeldError",
    "Holder",
    "InvalidIdError",
    "InvalidInputError",
    "IoError",
    "Lease",
    "Monitor",
    "NoSpaceError",
    "NotAFileError",
    "NotFoundError",
    "PanicError",
    "PermissionDeniedError",
    "Polled",
    "ReadOnlyError",
    "Reason",
    "Record",
    "Registry",
    "Removed",
    "RestoreContext",
    "RestoreInProgressError",
    "RestoreStatus",
    "RestoreTable",
    "Scan",
    "Session",
    "SessionEvent",
    "SessionLimitError",
    "SessionRegError",
    "Skipped",
    "Snapshot",
    "Sources",
    "State",
    "SubscriberLimitError",
    "Subscription",
    "Swept",
    "Terminal",
    "Tidied",
    "TooLargeError",
    "Transcript",
    "UnavailableError",
    "UnsupportedVersionError",
    "Verdict",
    "Watch",
    "WorkspaceMismatchError",
    "check_session_id",
    "clear",
    "clear_if",
    "liveness",
    "liveness_all",
    "load",
    "read",
    "sidecar_in_project",
    "sidecar_of",
    "snapshot",
    "write",
]


def __getattr__(name: str) -> object:
    """Load the enums when they are first asked for."""
    if name in ("Dialect", "Reason", "State"):
        from . import dialects, verdicts

        value = getattr(dialects if name == "Dialect" else verdicts, name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
