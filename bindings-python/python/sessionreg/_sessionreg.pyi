"""The native module; use it through `sessionreg`."""

import os
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, TypedDict, final

from typing_extensions import Self, Unpack

from .dialects import Dialect
from .verdicts import Reason, State

__all__ = [
    "AgentSession",
    "Batch",
    "Channel",
    "Claim",
    "CleanedUp",
    "ContextUsage",
    "Entry",
    "Holder",
    "Lease",
    "Monitor",
    "Polled",
    "Record",
    "Registry",
    "Removed",
    "RestoreContext",
    "RestoreStatus",
    "RestoreTable",
    "Scan",
    "Session",
    "SessionEvent",
    "Skipped",
    "Snapshot",
    "Sources",
    "Subscription",
    "Swept",
    "Terminal",
    "Tidied",
    "Transcript",
    "Verdict",
    "Watch",
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

_Path: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]
_DialectName: TypeAlias = Literal["ours", "qwen", "claude"]
_Action: TypeAlias = Literal["load", "resume", "spawn"]
_EndReason: TypeAlias = Literal["released", "ended", "channel_closed", "daemon_shutdown"]
_EventKind: TypeAlias = Literal["published", "gap", "new_epoch", "evicted", "ended"]

class _TerminalFields(TypedDict, total=False):
    multiplexer: str | None
    session: str | None
    pane: str | None
    extra_json: str | None

class _Description(TypedDict, total=False):
    agent: str | None
    agent_version: str | None
    hostname: str | None
    kind: str | None
    name: str | None
    entrypoint: str | None
    transcript_path: str | None
    parent_session_id: str | None
    terminal: Terminal | _TerminalFields | None
    extra: dict[str, Any] | None
    proc_start: str | None
    pid_inode: str | None
    host_key: str | None
    platform: str | None
    pid_ns: int | None
    time_ns: int | None
    instance: str | None
    revision: int | None
    status: str | None
    waiting_for: str | None
    updated_at: float | None
    status_updated_at: float | None

class _Fields(_Description, total=False):
    started_at: float | None
    version_key: str | None

class _Changes(_Description, total=False):
    session_id: str
    work_dir: str
    pid: int
    started_at: float
    version_key: str

class _SourceFields(TypedDict, total=False):
    registries: Iterable[_Path] | None
    claude_code: Iterable[_Path] | None
    qwen_code: Iterable[_Path] | None
    kimi_cli: Iterable[_Path] | None
    codex: Iterable[_Path] | None
    copilot: Iterable[_Path] | None
    hooks: Iterable[_Path] | None
    processes: bool | None
    multiplexers: bool | None
    dead_within: float | None
    superseded: bool | None

@final
class Terminal:
    """The place of a session in a terminal multiplexer.

    Immutable, compared by value.
    """

    def __new__(
        cls,
        multiplexer: str | None = None,
        session: str | None = None,
        pane: str | None = None,
        extra_json: str | None = None,
    ) -> Self: ...
    @property
    def multiplexer(self) -> str | None:
        """The program, such as `tmux` or `zellij`."""

    @property
    def session(self) -> str | None:
        """The multiplexer's session."""

    @property
    def pane(self) -> str | None:
        """The pane in it."""

    @property
    def extra_json(self) -> str | None:
        """Keys that this version does not know, as the text of a JSON object."""

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Record:
    """One session, served by one process.

    Without `pid` the record is a registration of the calling process: its pid, its identity and
    a new `instance` are in it. A `pid` that is given is not looked up: the record has no
    identity then, unless fields give one; see `of_process`. `hostname` is this host's and
    `started_at` is now, unless given. None always means the default.

    Values are never coerced. A value of a wrong Python type is a `TypeError`; one that the field
    cannot hold (a negative pid, NaN, text with lone surrogates) is an `InvalidInputError`. What
    no reader would accept, such as a relative `work_dir`, is refused by `write` and `to_json`.

    A record is immutable. Two are equal if they say the same; where they were read from is no
    part of it. The hash is made of `pid`, `session_id` and `instance`, which no two registrations
    share. Copies by `copy` and `replace` remember the file that a record was read from, for
    `liveness` to judge it; pickles, dicts and JSON do not.
    """

    def __new__(
        cls,
        session_id: str,
        work_dir: str,
        *,
        agent: str | None = None,
        agent_version: str | None = None,
        pid: int | None = None,
        hostname: str | None = None,
        started_at: float | None = None,
        kind: str | None = None,
        name: str | None = None,
        entrypoint: str | None = None,
        transcript_path: str | None = None,
        parent_session_id: str | None = None,
        terminal: Terminal | _TerminalFields | None = None,
        extra: dict[str, Any] | None = None,
        version_key: str | None = None,
        proc_start: str | None = None,
        pid_inode: str | None = None,
        host_key: str | None = None,
        platform: str | None = None,
        pid_ns: int | None = None,
        time_ns: int | None = None,
        instance: str | None = None,
        revision: int | None = None,
        status: str | None = None,
        waiting_for: str | None = None,
        updated_at: float | None = None,
        status_updated_at: float | None = None,
    ) -> Self: ...
    @classmethod
    def of_process(
        cls, pid: int, session_id: str, work_dir: str, **fields: Unpack[_Fields]
    ) -> Self:
        """Make a registration of another process, whose identity is read now.

        Further fields are those of the constructor. `NotFoundError` if no process has that pid,
        `InvalidInputError` if none can.
        """

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Self:
        """Make a record of exactly these fields, as `to_dict` gives them.

        Nothing is looked up and nothing has a default: `pid`, `session_id`, `work_dir` and
        `started_at` must be there. `InvalidInputError` if one is missing or not known. Numbers in
        `extra` that Python does not hold as they are, such as 1e999, are refused; JSON text and
        pickles keep them.
        """

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read the JSON text of a sidecar, by the rules for its file: see `load`."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that have a value as plain data, `terminal` and `extra` as dicts."""

    def to_json(self) -> str:
        """Return the text that `write` would write.

        What no reader would accept is `InvalidInputError` or `TooLargeError`.
        """

    def replace(self, **changes: Unpack[_Changes]) -> Self:
        """Return the same record with some fields changed; None takes an optional one away.

        Nothing follows from a change: a new `pid` with the old identity is a process that is not
        there.
        """

    @property
    def pid(self) -> int:
        """The process that serves the session, 1 to 2**31 - 1."""

    @property
    def session_id(self) -> str:
        """The session's id: data, see `check_session_id` before making a path of it."""

    @property
    def work_dir(self) -> str:
        """The folder in which the session works, an absolute path."""

    @property
    def hostname(self) -> str | None:
        """The host's name as the system gives it, for people to read."""

    @property
    def started_at(self) -> float:
        """When the session began, in seconds since the Unix epoch."""

    @property
    def agent_version(self) -> str | None:
        """The version of the program."""

    @property
    def version_key(self) -> str:
        """The key of `agent_version` in a sidecar, such as `qwen_version`.

        It is the one that the record was read with, else the agent's, else `agent_version`.
        """

    @property
    def proc_start(self) -> str | None:
        """Boot and start time of the process: `<boot>:<start>`."""

    @property
    def pid_inode(self) -> str | None:
        """Inode of the process's pidfd: unique in a boot (Linux 6.9 and later)."""

    @property
    def host_key(self) -> str | None:
        """Keyed hash of the machine id: equal on one machine, and tells nothing about it."""

    @property
    def platform(self) -> str | None:
        """The system: `linux`, `darwin` or `win32`."""

    @property
    def pid_ns(self) -> int | None:
        """Inode of the PID namespace in which the pid is meant (Linux)."""

    @property
    def time_ns(self) -> int | None:
        """Inode of the time namespace in which the start was read (Linux)."""

    @property
    def instance(self) -> str | None:
        """32 hex digits, random for every registration."""

    @property
    def revision(self) -> int | None:
        """Counts the writes of a registration; who owns the record raises it."""

    @property
    def agent(self) -> str | None:
        """The program: `[a-z][a-z0-9-]{0,31}`, such as `qwen-code`; not `schema`."""

    @property
    def kind(self) -> str | None:
        """The kind of session: `[a-z][a-z0-9-]{0,15}`, such as `interactive` or `headless`."""

    @property
    def name(self) -> str | None:
        """A name for people."""

    @property
    def entrypoint(self) -> str | None:
        """How the program was started, such as `cli` or `sdk-ts`."""

    @property
    def transcript_path(self) -> str | None:
        """The log of the session."""

    @property
    def parent_session_id(self) -> str | None:
        """The session that this one came from."""

    @property
    def terminal(self) -> Terminal | None:
        """Where the session is shown."""

    @property
    def status(self) -> str | None:
        """What the session is doing: `busy`, `idle`, `waiting`, or a word of the program's own."""

    @property
    def waiting_for(self) -> str | None:
        """What a `waiting` session waits for."""

    @property
    def updated_at(self) -> float | None:
        """When the record was last updated, in seconds since the Unix epoch."""

    @property
    def status_updated_at(self) -> float | None:
        """When the status last changed, in seconds since the Unix epoch."""

    @property
    def extra(self) -> dict[str, Any]:
        """Every other key: a new dict on each access, whose values are parsed then.

        Integers of any size are exact, lone surrogates stay what they are, floats are as `json`
        reads them; `extra_json` loses nothing. `RecursionError` if values nest deeper than Python's
        recursion limit allows: such a record is still read, written, compared and pickled.
        """

    @property
    def extra_json(self) -> str | None:
        """Every other key as one JSON object, exactly as it stands; None if there is none."""

    def __replace__(self, **changes: Unpack[_Changes]) -> Self: ...
    def __copy__(self) -> Self: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    def __deepcopy__(self, _memo: Any) -> Self: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Verdict:
    """The answer of `liveness`: alive, dead or unknown, and why.

    Immutable, compared by value; a reason makes one, since it belongs to one state.
    """

    __match_args__ = ("state", "reason")

    def __new__(cls, reason: Reason | str) -> Self: ...
    @property
    def state(self) -> State:
        """Alive, dead or unknown."""

    @property
    def reason(self) -> Reason:
        """What the state was concluded from."""

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Holder:
    """Who holds what was asked for, as far as it is known.

    Immutable, compared by value.
    """

    __match_args__ = ("pid", "session_id", "host", "path")

    def __new__(
        cls, pid: int | None, session_id: str | None, host: str | None, path: _Path
    ) -> Self: ...
    @property
    def pid(self) -> int | None:
        """The process, in its own namespace."""

    @property
    def session_id(self) -> str | None:
        """The session that it serves."""

    @property
    def host(self) -> str | None:
        """The name of its host."""

    @property
    def path(self) -> Path:
        """The file by which it is held."""

    def __reduce__(self) -> tuple[Any, ...]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Entry:
    """A registered session, and whether its process is there.

    Immutable, compared by value.
    """

    __match_args__ = ("record", "verdict", "path")

    def __new__(cls, record: Record, verdict: Verdict, path: _Path) -> Self: ...
    @property
    def record(self) -> Record:
        """What its file says."""

    @property
    def verdict(self) -> Verdict:
        """Whether its process is there, and how that is known."""

    @property
    def path(self) -> Path:
        """The file that the record was read from."""

    def __reduce__(self) -> tuple[Any, ...]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Skipped:
    """A file that was meant to be a record and is none, or could not be read, or not be removed.

    Immutable, compared by value.
    """

    __match_args__ = ("path", "code", "reason")

    def __new__(cls, path: _Path, code: str, reason: str) -> Self: ...
    @property
    def path(self) -> Path:
        """The file."""

    @property
    def code(self) -> str:
        """The kind of objection, as the `code` of an exception."""

    @property
    def reason(self) -> str:
        """The objection in words."""

    def __reduce__(self) -> tuple[Any, ...]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Scan:
    """What a registry folder holds.

    Compared by value.
    """

    __match_args__ = ("entries", "skipped")

    def __new__(cls, entries: list[Entry], skipped: list[Skipped]) -> Self: ...
    @property
    def entries(self) -> list[Entry]:
        """The records, ordered by session id, then pid."""

    @property
    def skipped(self) -> list[Skipped]:
        """Files that are none, ordered by path.

        A file that is not called as a record, and is no JSON, is somebody else's and not here.
        """

    def __reduce__(self) -> tuple[Any, ...]: ...
    def __eq__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]

@final
class Removed:
    """A file that went, or would go.

    Immutable, compared by value.
    """

    __match_args__ = ("path", "reason", "record")

    def __new__(cls, path: _Path, reason: Reason | str | None, record: Record | None) -> Self: ...
    @property
    def path(self) -> Path:
        """The file."""

    @property
    def reason(self) -> Reason | None:
        """Why its process is dead; None for a temporary file that was left for five minutes."""

    @property
    def record(self) -> Record | None:
        """What it said; None for a temporary file."""

    def __reduce__(self) -> tuple[Any, ...]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Swept:
    """What a sweep did.

    Compared by value.
    """

    __match_args__ = ("removed", "live", "failed")

    def __new__(cls, removed: list[Removed], live: int, failed: list[Skipped]) -> Self: ...
    @property
    def removed(self) -> list[Removed]:
        """The files that went, or would go in a dry run."""

    @property
    def live(self) -> int:
        """How many sessions of the registry live."""

    @property
    def failed(self) -> list[Skipped]:
        """Files that should have gone and could not, with the reason."""

    def __reduce__(self) -> tuple[Any, ...]: ...
    def __eq__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]

@final
class Session:
    """A session that this process registered, or helps to keep up to date; `Registry` makes them.

    Calls may come from any thread and are carried out in the order in which they were made. Each
    gives True when it is done; False if the session is inert, or the call failed and the failure
    went to `on_error`.

    Only `close` removes the record, and `with` at its end, and only on the handle that registered
    its own process; elsewhere both are `leave`. Garbage collection, the end of a thread or of the
    interpreter, and forked children never do. After a SIGKILL the record stays, and its verdict
    tells that the process is gone.

    In a forked child every call is `ClosedError`: the registration is its parent's, and a child
    that is an agent of its own registers itself.
    """

    def update(self, patch: dict[str, Any] | None = None, /, **changes: Any) -> bool:
        """Change what is said of the session, by a dict, by keywords, or both.

        It is a JSON merge patch over the names of fields: None removes, what is not named stays, a
        dict is merged into the one that is there. A name that is no field is a key of `extra`.
        `pid`, `session_id` and the rest of the identity cannot be changed. A status other than
        `waiting` drops `waiting_for`; the times of the update, and of the status, follow. Several
        processes may update one session: none of their changes is lost.

        `InvalidInputError` for what cannot be changed or written; `BusyError` if the folder's lock
        cannot be had within 250 ms; `HeldError` if its file is another registration's now; for a
        helper `NotFoundError` if the session was closed; `ClosedError` after `close` and `leave`.
        """

    def switch(self, new_id: str, patch: dict[str, Any] | None = None, /, **changes: Any) -> bool:
        """Go on with another session in the same process, as `/clear` and `/resume` of a CLI do.

        What is said of the former session's work (`status`, `waiting_for`, `name`,
        `transcript_path`) goes; the patch says what the new one is, as in `update`. The session can
        be found at every instant. With the id that it has, nothing happens. If it fails, the old
        record still stands.
        """

    def refresh(self) -> bool:
        """Put the record back, if somebody removed or damaged it."""

    def leave(self) -> bool:
        """Let go of the session; its record stays. Later calls are `ClosedError`."""

    def close(self) -> bool:
        """End the session: its record goes, and nothing of it is written any more.

        If it fails the session stays open, and may be closed again. Later calls are `ClosedError`.
        On a handle on another process's session this is `leave`.
        """

    @property
    def record(self) -> Record:
        """The record as it was last written, or found, by this handle."""

    @property
    def session_id(self) -> str:
        """The id of the session that is served now."""

    @property
    def pid(self) -> int:
        """The process that serves the session."""

    @property
    def path(self) -> Path | None:
        """The PID file; None if there is none."""

    @property
    def sidecar_path(self) -> Path | None:
        """The sidecar; None if there is none, or its name is another process's."""

    @property
    def sidecar_holder(self) -> Holder | None:
        """Who has the name of the sidecar instead."""

    @property
    def pid_file_holder(self) -> Holder | None:
        """Who has the name of the PID file instead, where a process has only one."""

    @property
    def registered(self) -> bool:
        """Whether the session is registered: neither inert nor closed."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

@final
class Claim:
    """The right to serve a session, held until it is released or this process ends.

    `Registry.claim` makes it. `with` releases it at its end; garbage collection and the end of the
    interpreter do not: the kernel does, when the process ends. A forked child does not hold it.
    """

    @property
    def path(self) -> Path:
        """The file that tells who claims the session."""

    def release(self) -> None:
        """Let go: another process may have the claim then. A second time is `ClosedError`."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

@final
class Registry:
    """The live sessions of a folder: register, find, sweep, claim.

    Without `dir` it is the user's own registry: `sessions` in `SESSIONREG_HOME`, else below the
    system's folder for such data (`~/.local/state/sessionreg` on Linux). The dialect of its records
    follows from the folder: `qwen` and `claude` where those programs keep theirs, else `ours`;
    given, it is taken as it is.

    Opening does no input or output: a folder that is not there has no sessions, and is made by the
    first registration. A registry may be used from any thread, and in forked children; it remembers
    the files that it read, so that a second scan reads only what changed.
    """

    def __new__(
        cls,
        dir: _Path | None = None,  # noqa: A002 - every language has this name
        dialect: Dialect | _DialectName | None = None,
    ) -> Self: ...
    @property
    def dir(self) -> Path:
        """The folder, an absolute path."""

    @property
    def dialect(self) -> Dialect:
        """The dialect of its records."""

    def scan(self) -> Scan:
        """Read every record and judge it; files that are none are told too."""

    def records(self) -> list[Entry]:
        """Return every record with its verdict, whatever that is."""

    def live(self) -> list[Entry]:
        """Return the sessions whose process is there; what cannot be judged is not among them."""

    def count_live(self) -> int:
        """Return how many sessions `live` gives."""

    def find_by_pid(self, pid: int) -> list[Entry]:
        """Return the records of a process."""

    def find_by_session(self, session_id: str) -> list[Entry]:
        """Return the records of a session; several processes may serve one."""

    def find_by_work_dir(self, work_dir: str) -> list[Entry]:
        """Return the records of a working folder, by exactly that text."""

    def owner_of(self, pid: int) -> list[Entry]:
        """Return the live sessions of the nearest process that serves any, from `pid` upwards.

        Of a shell or a language server, those of the agent that started it. It goes by the process
        tree, never by inherited environment variables. None are given if no ancestor is registered,
        or `pid` is no process; several if one process serves several.
        """

    def find_under(self, pid: int) -> list[Entry]:
        """Return the live sessions of `pid` and of the processes below it.

        Of a terminal pane's shell, the agents that run in it.
        """

    def register(
        self,
        *,
        session_id: str,
        work_dir: str,
        agent: str | None = None,
        agent_version: str | None = None,
        kind: str | None = None,
        name: str | None = None,
        entrypoint: str | None = None,
        status: str | None = None,
        transcript_path: str | None = None,
        parent_session_id: str | None = None,
        terminal: Terminal | _TerminalFields | None = None,
        sidecar: _Path | None = None,
        pid_file: bool = True,
        keep_sidecar: bool = False,
        pid: int | None = None,
        extra: dict[str, Any] | None = None,
        on_error: Callable[[Exception], object] | None = None,
    ) -> Session:
        """Register a session: publish its PID file and, where it is asked for, its sidecar.

        `kind` is by default what the environment variable `SESSIONREG_KIND` says. `sidecar` is a
        path outside of the registry's folder, in which `{id}` stands for the session id;
        `keep_sidecar` leaves it in place when the session is closed. Without `pid_file` the
        session is known by its sidecar alone, which then also tells what it is doing. `pid` is the
        process that serves the session, by default this one; `extra` holds further keys. None
        always means the default.

        It does not fail because another process holds a name: a sidecar whose holder may live is
        left alone, and `sidecar_holder` names the holder. In a folder with one file for each
        process (dialect `claude`) the session is inert instead, and `pid_file_holder` names the
        holder; a second session of one process is `InvalidInputError` there.

        With `on_error` no call of the session raises, and this one does not either: the exception
        is given to it, on the calling thread, and the call returns False; a session that could not
        be registered is inert. An exception that it raises goes to `sys.unraisablehook`.
        """

    def open_session(self, *, pid: int | None = None, session_id: str | None = None) -> Session:
        """Open a handle on a registration that exists, for a short-lived helper such as a hook.

        It is looked up by one of the two. `NotFoundError` if no live registration of this library
        matches, `InvalidInputError` if several do, `PermissionDeniedError` if it is another user's.
        """

    def sweep(self, *, dry_run: bool = False, sidecar_folders: Iterable[_Path] = ()) -> Swept:
        """Remove the records of processes that are proven dead, and abandoned temporary files.

        Only a record that this library wrote goes, and only if its boot and PID namespace are ours
        and its process is gone, a zombie, or another one now, or if its boot is over. What cannot
        be judged from here, cannot be read, is of a newer schema or is not called as a record
        stays.

        `dry_run` only tells what would go. `sidecar_folders` are swept too: folders that hold
        `<id>.runtime.json` or `<id>/runtime.json`.
        """

    def claim(self, agent: str, session_id: str) -> Claim:
        """Claim a session for this process, so that no other can resume its transcript.

        `HeldError` names the holder, as far as it is known; a second claim by the same process is
        held too. The claim is a lock of the kernel's that dies with its holder: none is ever stale,
        and none times out. Claims of a user lie in one folder, whatever that of the registry.
        """

    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Sources:
    """Where to look for agent sessions: the data folders of the programs, any number of each.

    What is not given is where the program's own environment variables say, else its default in
    the user's home; an empty list is no folder. `Sources.none` begins with nothing.

    Immutable, compared by value.
    """

    def __new__(
        cls,
        *,
        registries: Iterable[_Path] | None = None,
        claude_code: Iterable[_Path] | None = None,
        qwen_code: Iterable[_Path] | None = None,
        kimi_cli: Iterable[_Path] | None = None,
        codex: Iterable[_Path] | None = None,
        copilot: Iterable[_Path] | None = None,
        hooks: Iterable[_Path] | None = None,
        processes: bool | None = True,
        multiplexers: bool | None = False,
        dead_within: float | None = 86400.0,
        superseded: bool | None = False,
    ) -> Self: ...
    @classmethod
    def none(cls, **fields: Unpack[_SourceFields]) -> Self:
        """Make sources of what is given, which is as in the constructor, and of nothing else."""

    @property
    def registries(self) -> list[Path]:
        """Registry folders of this library."""

    @property
    def claude_code(self) -> list[Path]:
        """Claude Code: `CLAUDE_CONFIG_DIR`, `~/.claude`."""

    @property
    def qwen_code(self) -> list[Path]:
        """qwen-code: `QWEN_HOME`, `~/.qwen`, and for sidecars also `QWEN_RUNTIME_DIR`."""

    @property
    def kimi_cli(self) -> list[Path]:
        """kimi-cli: `KIMI_SHARE_DIR`, `~/.kimi`."""

    @property
    def codex(self) -> list[Path]:
        """Codex: `CODEX_HOME`, `~/.codex`."""

    @property
    def copilot(self) -> list[Path]:
        """Copilot CLI: `~/.copilot`."""

    @property
    def hooks(self) -> list[Path]:
        """Data folders fed by hooks: `~/.local/share/amc`."""

    @property
    def processes(self) -> bool:
        """Whether programs that leave no trace are looked for among the processes.

        Of such a process the folder is known, but not the session.
        """

    @property
    def multiplexers(self) -> bool:
        """Whether tmux and zellij are asked for their panes.

        Without it nothing is started, and what depends on a pane is unknown.
        """

    @property
    def dead_within(self) -> float:
        """How long sessions are listed after they died, in seconds."""

    @property
    def superseded(self) -> bool:
        """Whether sessions are listed that another one superseded in its terminal."""

    def __reduce__(self) -> tuple[Any, ...]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Transcript:
    """The log of a session.

    Immutable, compared by value.
    """

    __match_args__ = ("path", "mtime_ns")

    def __new__(cls, path: _Path, mtime_ns: int | None) -> Self: ...
    @property
    def path(self) -> Path:
        """The file."""

    @property
    def mtime_ns(self) -> int | None:
        """When it was last written, in nanoseconds since the epoch; None if it is not there."""

    def __reduce__(self) -> tuple[Any, ...]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class ContextUsage:
    """The tokens of a model's context that a session has filled.

    Immutable, compared by value.
    """

    __match_args__ = ("current_tokens", "window")

    def __new__(cls, current_tokens: int, window: int | None) -> Self: ...
    @property
    def current_tokens(self) -> int:
        """Tokens in use after the last answer."""

    @property
    def window(self) -> int | None:
        """How many the model takes, where the transcript says so."""

    def __reduce__(self) -> tuple[Any, ...]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class AgentSession:
    """A session of an agent on this machine, as all that speak of it describe it together.

    A snapshot or a batch gives it. Immutable, compared by value; the hash is that of `key`.
    """

    @property
    def key(self) -> str:
        """Its stable identity: the registration, where there is one.

        A process that moves to another session keeps it.
        """

    @property
    def agent(self) -> str | None:
        """The program."""

    @property
    def session_id(self) -> str | None:
        """The session's id; None for a process of which only the folder is known."""

    @property
    def pid(self) -> int | None:
        """The process that serves it."""

    @property
    def tty(self) -> str | None:
        """The process's controlling terminal, such as `pts/3`."""

    @property
    def work_dir(self) -> str | None:
        """The folder in which it works."""

    @property
    def kind(self) -> str | None:
        """The kind of session."""

    @property
    def status(self) -> str | None:
        """What it is doing: `busy`, `idle`, `waiting`, or a word of the program's own."""

    @property
    def waiting_for(self) -> str | None:
        """What a `waiting` session waits for."""

    @property
    def name(self) -> str | None:
        """A name for people."""

    @property
    def started_at(self) -> float | None:
        """When it began, in seconds since the Unix epoch."""

    @property
    def updated_at(self) -> float | None:
        """When something was last said of it, in seconds since the Unix epoch."""

    @property
    def parent_session_id(self) -> str | None:
        """The session that it came from."""

    @property
    def terminal(self) -> Terminal | None:
        """Where it is shown."""

    @property
    def transcript(self) -> Transcript | None:
        """Its log."""

    @property
    def context_usage(self) -> ContextUsage | None:
        """How much of its context it uses, by its log."""

    @property
    def turn_start_tokens(self) -> int | None:
        """Tokens in use when the present turn began."""

    @property
    def sources(self) -> list[str]:
        """The sources that speak of it, in order of name."""

    @property
    def files(self) -> list[Path]:
        """The files that speak of it, in order of path."""

    @property
    def verdict(self) -> Verdict:
        """Whether its process is there, by the best evidence, and how that is known."""

    @property
    def state(self) -> State:
        """Alive, dead or unknown: that of the verdict."""

    @property
    def reason(self) -> Reason:
        """What the state was concluded from: that of the verdict."""

    @property
    def superseded_by(self) -> str | None:
        """The session that took its place in its terminal."""

    @property
    def extra_json(self) -> str | None:
        """Every other key of its record, but for secrets, as one JSON object; None without any."""

    @property
    def extra(self) -> dict[str, Any]:
        """Every other key of its record, but for secrets: a new dict on each access.

        Its values are parsed then, as those of `Record.extra`.
        """

    def to_dict(self) -> dict[str, Any]:
        """Return all that is known of it as plain data, by the names of the attributes.

        Those without a value are left out; `state` and `reason` are those of the verdict.
        """

    def to_json(self) -> str:
        """Return all that is known of it as one line of JSON, by the names of the attributes.

        `mtime_ns` is text there: not every reader of JSON has integers of that size. A path that is
        not Unicode has replacement characters.
        """

    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: object, /) -> Self: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Snapshot:
    """Every agent session on this machine at one moment; `snapshot` takes it, or a `Monitor`.

    Immutable. Lists are new ones on each access.
    """

    @property
    def sessions(self) -> list[AgentSession]:
        """The sessions, ordered by session id, then pid; those without an id come first."""

    @property
    def skipped(self) -> list[Skipped]:
        """Files that were meant to be traces and are none, or could not be read, by path."""

    @property
    def dead_before(self) -> int:
        """How many dead sessions are older than `Sources.dead_within` and not listed."""

    @property
    def cursor(self) -> str:
        """From where `Monitor.wait` goes on, if a monitor took the snapshot; else empty."""

    @property
    def taken_at(self) -> float:
        """When it was taken, in seconds since the Unix epoch."""

    def live(self) -> list[AgentSession]:
        """Return the sessions whose process is there; what cannot be judged is not among them."""

    def count_live(self) -> int:
        """Return how many sessions `live` gives."""

    def find_by_pid(self, pid: int) -> list[AgentSession]:
        """Return the sessions of a process."""

    def find_by_session(self, session_id: str) -> list[AgentSession]:
        """Return the entries of a session; several processes may serve one."""

    def find_by_work_dir(self, work_dir: str) -> list[AgentSession]:
        """Return the sessions in a working folder, by exactly that text."""

    def owner_of(self, pid: int) -> list[AgentSession]:
        """Return the live sessions of the nearest process that serves any, from `pid` upwards.

        Of a shell or a language server, those of the agent that started it. It goes by the process
        tree as it is now, never by inherited environment variables.
        """

    def find_under(self, pid: int) -> list[AgentSession]:
        """Return the live sessions of `pid` and of the processes below it.

        Of a terminal pane's shell, the agents that run in it.
        """

    def to_json(self) -> str:
        """Return the snapshot as one line of JSON.

        It has the attributes, sessions as `AgentSession.to_json`.
        """

@final
class Batch:
    """What changed since a cursor; `Monitor.wait` and watches give it. Sessions in it are whole.

    Immutable. Lists are new ones on each access.
    """

    @property
    def cursor(self) -> str:
        """From where to go on: the `id` of a Server-Sent Event."""

    @property
    def reset(self) -> bool:
        """Whether `added` is all there is: the cursor was none, too old, or another monitor's."""

    @property
    def added(self) -> list[AgentSession]:
        """Sessions that are listed now and were not."""

    @property
    def changed(self) -> list[AgentSession]:
        """Sessions of which something changed."""

    @property
    def removed(self) -> list[str]:
        """The keys of sessions that are not listed any more."""

    @property
    def at(self) -> float:
        """When the latest of it was noticed, in seconds since the Unix epoch."""

    def to_json(self) -> str:
        """Return the batch as one line of JSON: the `data` of a Server-Sent Event.

        It has the attributes, sessions as `AgentSession.to_json`.
        """

@final
class Polled:
    """Something that nobody tells the changes of, and how often it is looked at.

    Immutable, compared by value.
    """

    __match_args__ = ("what", "every")

    def __new__(cls, what: str, every: float) -> Self: ...
    @property
    def what(self) -> str:
        """What it is, in words, such as `processes` or `folder /srv/x`."""

    @property
    def every(self) -> float:
        """How often, in seconds."""

    def __reduce__(self) -> tuple[Any, ...]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Tidied:
    """A file that a clean-up removed, or would remove.

    Immutable, compared by value.
    """

    __match_args__ = ("path", "reason")

    def __new__(cls, path: _Path, reason: str) -> Self: ...
    @property
    def path(self) -> Path:
        """The file."""

    @property
    def reason(self) -> str:
        """Why: `stale`, `pane_gone`, `superseded`, or `orphan` of an event log."""

    def __reduce__(self) -> tuple[Any, ...]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class CleanedUp:
    """What a clean-up did, or would do.

    Compared by value.
    """

    __match_args__ = ("removed", "failed")

    def __new__(cls, removed: list[Tidied], failed: list[Skipped]) -> Self: ...
    @property
    def removed(self) -> list[Tidied]:
        """The files that went, ordered by path."""

    @property
    def failed(self) -> list[Skipped]:
        """Files that could not be read or removed, ordered by path."""

    def __reduce__(self) -> tuple[Any, ...]: ...
    def __eq__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]

@final
class Watch:
    """A reader of a monitor; `Monitor.watch` makes it.

    As an iterator, in `for` and in `async for`, it gives batches as they come, the full state
    first, and ends when the monitor or the watch is closed. Any number of watches may be followed
    in one event loop. If several threads read from one watch, each batch goes to one of them.
    """

    @property
    def cursor(self) -> str | None:
        """The cursor of the last batch, or the one to begin from; None before the first."""

    def next(self, timeout: float | None = None) -> Batch | None:
        """Wait for the next batch; None if there was none within `timeout` seconds.

        Without `timeout` it waits without end. Signal handlers run meanwhile, so Ctrl-C ends it;
        `ClosedError` as soon as the monitor or the watch is closed.
        """

    def fileno(self) -> int:
        """Return a descriptor that is readable when `next` is worth calling, for event loops.

        It is the watch's until that is closed, and is only to be waited for. After `next(0)` gave
        None it is not readable before there is something, except for moments in which that has yet
        to be found out; when the monitor is closed it becomes readable. `UnavailableError` on
        systems without such descriptors, and where the kernel allows no more: Linux stops at a
        hundred in one event loop. `async for` takes one for each loop, not one for each watch.
        """

    def close(self) -> None:
        """End the iteration, in any thread. A second call does nothing; the monitor stays open."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> Batch: ...
    def __aiter__(self) -> Self: ...
    def __anext__(self) -> Coroutine[Any, Any, Batch]: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    def _on_close(self, call: Callable[[], object]) -> int: ...
    def _forget(self, token: int) -> None: ...

@final
class Monitor:
    """Watches the sessions of this machine, by default in the homes of all known programs.

    It keeps what was read, is told by the system of changes of files and of processes that exit,
    and has no thread of its own: who waits does the work, and any number of threads and event loops
    may wait. Where nothing changes, nothing wakes. Opening it looks at nothing yet.

    Changes are gathered for `fold` seconds after the first of them, so that a burst is one batch;
    what nobody tells of is looked at every `poll` seconds, see `polled`.

    `close`, `with` and garbage collection give back its descriptors. A forked child cannot use its
    parent's: there every call is `ClosedError`, as it is after `close`.
    """

    def __new__(
        cls,
        sources: Sources | None = None,
        *,
        fold: float | None = 0.02,
        poll: float | None = 2.0,
    ) -> Self: ...
    def snapshot(self) -> Snapshot:
        """Return every agent session as it is now; only what changed is looked at.

        What is polled, such as which processes there are, is as old as the last poll at most.
        """

    def snapshot_async(self) -> Coroutine[Any, Any, Snapshot]:
        """Return `snapshot()` to a coroutine; a thread of the event loop's executor takes it."""

    def wait(self, cursor: str | None = None, timeout: float | None = None) -> Batch | None:
        """Wait until something changed since a cursor, and return it.

        Without a cursor, and with one that is too old or another monitor's, it is the full state,
        at once. None if nothing changed within `timeout` seconds; without `timeout` it waits
        without end. Signal handlers run meanwhile, so Ctrl-C ends it; `ClosedError` as soon as the
        monitor is closed.
        """

    def wait_async(
        self, cursor: str | None = None, timeout: float | None = None
    ) -> Coroutine[Any, Any, Batch | None]:
        """Return `wait(cursor, timeout)` to a coroutine.

        The event loop waits for a descriptor: there is no thread, and one descriptor for all who
        wait in a loop. A cancelled wait loses nothing. The first look of all is taken by the loop
        itself, if no `snapshot_async` came before.
        """

    def watch(self, cursor: str | None = None) -> Watch:
        """Return a reader with a cursor of its own: an iterator of batches, also for `async for`.

        It begins with the full state, or goes on from a cursor, such as the `Last-Event-ID` of a
        client.
        """

    @property
    def polled(self) -> list[Polled]:
        """What is looked at every so often because nobody tells of its changes."""

    def record_turn_start(self) -> int:
        """Record with how many tokens the present turns of hook-fed sessions began.

        It is for other programs and later monitors, in this library's own data folder; what the
        hooks wrote is not touched. A monitor keeps them in memory anyway. Returns how many were
        new.
        """

    def clean_up(self, folders: Iterable[_Path], *, dry_run: bool = False) -> CleanedUp:
        """Remove what is left over in data folders fed by hooks, and only in those named here.

        That is records of sessions that are `starting` for an hour, or whose zellij session is
        known to be gone; records that another one superseded on its pane; event logs without a
        record that nobody wrote to for a day. Only ever a file that was read, and only if it is
        still as it was. `dry_run` only tells what would go.
        """

    def close(self) -> None:
        """End every wait, in any thread, and give back descriptors and memory.

        It returns when nobody waits any more. A second call does nothing.
        """

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

class _Signal(Protocol):
    def is_set(self) -> bool: ...

@final
class Lease:
    """A caller's share of a live session; restore tables give it.

    The last one to be released ends the session, unless somebody is subscribed. `with` and
    `async with` release it at their end; garbage collection does not: a lease that is lost counts
    until the session is ended by its id, its channel dies, or the table is closed.
    """

    @property
    def session_id(self) -> str:
        """The session."""

    @property
    def attached(self) -> bool:
        """Whether the session was there already, or was restored for another caller."""

    @property
    def state(self) -> Any:
        """What the restore gave: the very object, for every caller."""

    @property
    def ended(self) -> _EndReason | None:
        """Why the session is not live any more; None while it is.

        `released`, `ended`, `channel_closed` or `daemon_shutdown`.
        """

    def release(self) -> bool:
        """Give the share back; tells whether that ended the session. A second time does nothing."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    def __aenter__(self) -> Awaitable[Self]: ...
    def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> Awaitable[None]: ...

@final
class RestoreContext:
    """What a restore can know, and say, while it runs."""

    @property
    def session_id(self) -> str:
        """The session."""

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the restore any more: its outcome will be discarded.

        Its time is over, its callers have left, the table is shutting down, or its channel is
        dead. A coroutine is also cancelled then; a function looks here, and may end early.
        """

    def carried_by(self, channel: Channel) -> None:
        """Have the session carried by a channel from now on.

        The channel is not torn down before the session, and its death is that of the session.
        `ClosedError` if it is dead or being torn down, `CancelledError` if nobody waits any more,
        `InvalidInputError` for a channel of another table, or after the end of the restore.
        """

@final
class Channel:
    """One agent process that carries several sessions; `RestoreTable.channel` makes it.

    It is torn down once, when the last session and the last restore that it carries are gone, and
    carries nothing after that.
    """

    @property
    def is_open(self) -> bool:
        """Whether it can carry a session: it is neither dead nor being torn down."""

    def exited(self, info: str) -> None:
        """Say that its process is dead.

        Its sessions end (`channel_closed`), its restores fail with `ClosedError`, whose text
        `info` becomes a part of, and it is not torn down any more.
        """

@final
class RestoreStatus:
    """What a table says of one session.

    Immutable, compared by value.
    """

    __match_args__ = ("session_id", "action", "stage", "attachments", "subscribers")

    def __new__(
        cls,
        session_id: str,
        action: _Action,
        stage: Literal["restoring", "abandoned", "live"],
        attachments: int,
        subscribers: int,
    ) -> Self: ...
    @property
    def session_id(self) -> str:
        """The session."""

    @property
    def action(self) -> _Action:
        """How it came, or comes, to life: `load`, `resume` or `spawn`."""

    @property
    def stage(self) -> Literal["restoring", "abandoned", "live"]:
        """How far it has come: `restoring`, `abandoned` or `live`."""

    @property
    def attachments(self) -> int:
        """Leases that were not released; of a restore, callers that wait for it."""

    @property
    def subscribers(self) -> int:
        """Subscribers of its events."""

    def __reduce__(self) -> tuple[Any, ...]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class SessionEvent:
    """What a subscriber gets.

    Immutable, compared by value. Its `kind` is one of these:

    - `published`: `data` was published, and `id` is where it stands.
    - `gap`: `missed` events, which would come here, are not kept any more.
    - `new_epoch`: the event that the subscriber named as its last is of another life of the
      session; what follows is all that is kept of this one.
    - `evicted`: the last event; too many waited for the subscriber, who may subscribe anew.
    - `ended`: the last event; the session is not live any more, and `reason` says why.
    """

    __match_args__ = ("kind", "id", "data", "missed", "reason")

    def __new__(
        cls,
        kind: _EventKind,
        id: str | None = None,  # noqa: A002 - as an event of a stream is called everywhere
        data: Any = None,
        missed: int = 0,
        reason: _EndReason | None = None,
    ) -> Self: ...
    @property
    def kind(self) -> _EventKind:
        """What kind of event it is."""

    @property
    def id(self) -> str | None:
        """Where it stands, `<epoch>-<number>`; None if it was not published."""

    @property
    def data(self) -> Any:
        """What was published, the very object; None if nothing was."""

    @property
    def missed(self) -> int:
        """How many events are not kept any more: of a `gap`."""

    @property
    def reason(self) -> _EndReason | None:
        """Why the session ended: `released`, `ended`, `channel_closed` or `daemon_shutdown`."""

    def __reduce__(self) -> tuple[Any, ...]: ...
    def __eq__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]

@final
class Subscription:
    """The events of a session, from a place on; `RestoreTable.subscribe` makes it.

    It is an iterator and an async iterator of `SessionEvent`s, and ends after the last one,
    `evicted` or `ended`. One thread, or one task, may wait for its next event at a time; a second
    one is an `InvalidInputError`. `close`, the end of `with` or `async with`, and garbage
    collection unsubscribe.
    """

    def next(self, timeout: float | None = None) -> SessionEvent | None:
        """Wait for the next event, for some seconds at most; None for any time.

        None if there was none in time, or the subscriber has had its last one: `over` tells. With
        0 it never waits. Any other wait on a thread whose event loop runs is an
        `InvalidInputError`.
        """

    @property
    def over(self) -> bool:
        """Whether the subscriber has had its last event, or has unsubscribed."""

    def close(self) -> None:
        """Unsubscribe: whoever waits for the next event gets none. A second time does nothing."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> SessionEvent: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    def __aiter__(self) -> Self: ...
    def __anext__(self) -> Coroutine[Any, Any, SessionEvent]: ...
    def __aenter__(self) -> Awaitable[Self]: ...
    def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> Awaitable[None]: ...
    def _poll(self, wake: Callable[[], object]) -> SessionEvent | None: ...
    def _begin_wait(self) -> None: ...
    def _end_wait(self) -> None: ...

@final
class RestoreTable:
    """The sessions of a daemon, each of which is restored once, however many ask for it.

    `workspace` binds the table to a folder: sessions of other folders are refused. `limit` is how
    many sessions there may be, live or on their way, 0 for any number. A restore may take
    `timeout` seconds, None for any time. `ring_capacity` is how many events of a session are
    kept. With a `registry`, and the `agent` whose sessions they are, a session that another
    process serves or has claimed is `HeldError`; otherwise it is claimed before its restore
    begins, until it ends or the restore has failed.

    A table may be used from any thread and any event loop of asyncio at once, and has no threads
    of its own. A forked child has none: every call is `ClosedError` there. Sessions stay live
    until their last lease is released, or they are ended; to lose sight of the table does
    neither.
    """

    def __new__(
        cls,
        workspace: _Path | None = None,
        limit: int = 20,
        timeout: float | None = 60.0,
        registry: Registry | None = None,
        agent: str | None = None,
        *,
        ring_capacity: int = 4000,
    ) -> Self: ...
    def restore(
        self,
        action: Literal["load", "resume"],
        session_id: str,
        cwd: _Path,
        function: Callable[[RestoreContext], Any],
        signal: _Signal | None = None,
    ) -> Lease:
        """Restore a session, or share in what another caller restores.

        `action` is `load` or `resume`, `cwd` the absolute folder in which the session works. A
        live session is attached to at once. Otherwise `function(context)` is called on this
        thread, unless another caller's runs already: it is called at most once, and what it
        returns is the `state` of everybody's lease. What it raises is raised to everybody, the
        very object; `LookupError` and `NotFoundError` say that there is no such session, and
        arrive as `NotFoundError`. An exception that is no `Exception`, such as
        `KeyboardInterrupt`, is its caller's alone: the first who waits runs his own function
        instead.

        In this order: `ClosingError` after `close`; `InvalidInputError` for a relative `cwd`;
        `WorkspaceMismatchError`; `RestoreInProgressError` if the session is restored by the other
        action, or an abandoned restore of it has not ended; `SessionLimitError`; `HeldError`.
        Then what the restore comes to: `TimeoutError`, to sharers in time, to the owner when his
        function returns; `ClosedError` if its channel dies; `NotFoundError` if the session ended
        at once; `CancelledError` once `signal` is set, an object with `is_set` such as a
        `threading.Event`, that is looked at twenty times a second.

        `InvalidInputError` on a thread whose event loop runs: that is for `restore_async`; and for
        the session that this very thread restores. A function that waits for it by another thread
        waits for itself, until `TimeoutError`.
        """

    def restore_async(
        self,
        action: Literal["load", "resume"],
        session_id: str,
        cwd: _Path,
        function: Callable[[RestoreContext], Awaitable[Any]],
        signal: _Signal | None = None,
    ) -> Coroutine[Any, Any, Lease]:
        """Restore a session on the event loop of asyncio that runs.

        As `restore`, with a function that gives a coroutine, which becomes a task. A task that is
        cancelled while it waits here drops its own share, and nobody else's; its coroutine, if it
        runs, is cancelled and awaited, and the first who still waits runs his own instead.
        `TimeoutError` comes in time to everybody. A coroutine for which nobody waits any more is
        cancelled; what comes of it is discarded. One that waits for its own session waits for
        itself, until `TimeoutError`. With a registry, the session is claimed in a thread of the
        loop's default executor.
        """

    def spawn(
        self,
        session_id: str,
        cwd: _Path,
        function: Callable[[RestoreContext], Any],
        signal: _Signal | None = None,
    ) -> Lease:
        """Enter a session that is not restored, under the same rules and the same limit.

        As `restore` in all else.
        """

    def spawn_async(
        self,
        session_id: str,
        cwd: _Path,
        function: Callable[[RestoreContext], Awaitable[Any]],
        signal: _Signal | None = None,
    ) -> Coroutine[Any, Any, Lease]:
        """Enter a session that is not restored, as `restore_async` does."""

    def channel(self, on_teardown: Callable[[], object]) -> Channel:
        """Make a channel for sessions of this table.

        `on_teardown()` is called once, on whatever thread, when the last session and the last
        restore that it carries are gone, unless `Channel.exited` came first. What it raises goes
        to `sys.unraisablehook`.
        """

    def end(self, session_id: str, *, only_if_unattached: bool = False) -> bool:
        """End a live session, whoever is attached to it; tells whether it has ended.

        With `only_if_unattached` a session to which somebody is attached stays, for False, and
        ends when the last of those attached and subscribed has left. `NotFoundError` if there is
        no such session, `RestoreInProgressError` if it is not live yet.
        """

    def publish(self, session_id: str, data: Any) -> str | None:
        """Publish an event of a session that is live or being loaded; gives its id.

        None while it is being resumed: what an agent says then, its clients know already.
        `NotFoundError` if there is no such session. Subscribers get the very object.
        """

    def subscribe(self, session_id: str, last_event_id: str | None = None) -> Subscription:
        """Follow the events of a live session.

        From now on; or from the event that was seen last, `last_event_id`, of which the number
        alone will do: 0 is before the first. `NotFoundError` if there is no such live session,
        `SubscriberLimitError` if it has 64 subscribers, `InvalidInputError` for what is no id of
        an event.
        """

    def status(self, session_id: str) -> RestoreStatus | None:
        """Return what is known of a session; None if it is neither live nor on its way."""

    def sessions(self) -> list[RestoreStatus]:
        """Return every session, live or on its way, in the order of the ids."""

    def default_target(self) -> str | None:
        """Return the session that is meant by requests which name none, if there is one.

        Of those that were spawned, the one that has been live for the longest time; never a
        restored one.
        """

    def close(self, timeout: float | None = None) -> None:
        """Shut the table down.

        It begins nothing any more, ends all sessions (`daemon_shutdown`), tells all callers
        (`ClosingError`), and waits until every restore has ended, for `timeout` seconds at most,
        None for any time. `TimeoutError` if some have not: the table stays as it is, and may be
        closed again. `InvalidInputError`, and nothing is changed, on a thread that runs a restore
        itself or whose event loop runs.
        """

    def close_async(self, timeout: float | None = None) -> Coroutine[Any, Any, None]:
        """Shut the table down, as `close` does, on an event loop."""

    def _begin(
        self,
        action: str,
        session_id: str,
        cwd: _Path,
        wake: Callable[[], object],
        signal: _Signal | None = None,
    ) -> Lease | tuple[_Run | None, _Share]: ...
    @property
    def _takes_claims(self) -> bool: ...
    def _begin_close(self, wake: Callable[[], object]) -> None: ...
    def _close_now(self) -> None: ...

@final
class _Run:
    @property
    def context(self) -> RestoreContext: ...
    def secure(self) -> None: ...
    def on_cancelled(self, wake: Callable[[], object]) -> None: ...
    def complete(self, state: object) -> None: ...
    def fail(self, raised: BaseException) -> None: ...
    def leave(self) -> None: ...

@final
class _Share:
    def seconds_left(self) -> float | None: ...
    def time_out(self) -> None: ...
    def leave(self) -> None: ...
    def take(self, wake: Callable[[], object]) -> Lease | tuple[_Run | None, _Share]: ...

def snapshot(sources: Sources | None = None) -> Snapshot:
    """Look for agent sessions, by default in the homes of all known programs.

    Nothing is written, created, locked or removed, and, unless multiplexers are to be asked,
    nothing is started. One bad file never hides anything else: it is in `skipped`, with the
    reason. A `Monitor` keeps what was read, and looks again only at what changed.
    """

def write(
    path: _Path, record: Record, *, durable: bool = False, create_folders: bool = True
) -> None:
    """Write a record to `path`, replacing what is there.

    For every reader the file is complete at every instant, whatever happens to the writer. Its
    mode is 0600 whatever the umask; missing parent folders are made with 0700. A link at `path`
    is replaced, never followed. Until the new record is in place any failure leaves the old one
    and no other file.

    `durable` forces record and folder to the disk before returning; without `create_folders` a
    missing folder is `NotFoundError`. What no reader would accept is `InvalidInputError` or
    `TooLargeError`; `BusyError` if the folder's lock cannot be had within 250 ms.
    """

def read(path: _Path) -> Record | None:
    """Read the record at `path`, or None if there is none, whatever the file holds.

    Only a path that can never name a file is an error, `InvalidInputError`; `load` tells the
    other failures apart.
    """

def load(path: _Path) -> Record:
    """Read the record at `path`; the exception tells why there is none.

    Only a regular file is read, of at most 64 KiB, that belongs to the reader or to root (root
    reads everybody's); links are not followed and nothing ever blocks. Reading is strict: a value
    of another type than the format's is never coerced.

    `NotFoundError`, `NotAFileError`, `TooLargeError`, `PermissionDeniedError`, `CorruptError`,
    `UnsupportedVersionError` or `IoError`.
    """

def clear(path: _Path) -> bool:
    """Remove the record at `path`, whatever it is; tells whether there was one.

    A link is removed, not what it points to; a directory is `NotAFileError`.
    """

def clear_if(path: _Path, record: Record) -> bool:
    """Remove the record at `path` if it is still this registration; tells whether it was removed.

    The same registration is the same `instance`; of records without one the same `pid`,
    `proc_start` and `started_at`. A successor that another process writes at the same moment
    survives, if it writes through this library.
    """

def liveness(record: Record) -> Verdict:
    """Tell whether the process of a record is still there, and how that is known.

    Never a guess: dead only on proof, and the wall clock is no proof. A record that was read
    remembers its file: without one neither `permission` nor `rebooted` is said.
    """

def liveness_all(records: Iterable[Record]) -> list[Verdict]:
    """Judge many records at once: each process and each folder is asked for once."""

def check_session_id(session_id: str) -> None:
    r"""Check that a session id can safely become part of a path; else `InvalidIdError`.

    Refused are an empty id; one longer than 200 bytes; any of `/ \ : * ? " < > |` or a control
    character; `..` anywhere; a leading `.` or `-`; a trailing `.` or space; a Windows device name.
    """

def sidecar_in_project(project_dir: _Path, session_id: str) -> Path:
    """Return the sidecar of a session below a project: `<project_dir>/chats/<id>.runtime.json`."""

def sidecar_of(agent: str, work_dir: str, session_id: str, home: _Path | None = None) -> Path:
    """Return the sidecar that a known program writes for a session served in `work_dir`.

    The agents are `qwen-code` and `kimi-cli`. `home` is the program's own data folder; without it
    the one that its environment variables name, else its default below the user's home. Nothing
    is looked up on the file system. `InvalidInputError` for another agent or a relative
    `work_dir`.
    """

def _unpickle(fields: dict[str, Any], extra: list[tuple[str, str]]) -> Record: ...
def _sources(fields: dict[str, Any]) -> Sources: ...
def _error_codes() -> list[str]: ...
def _dialects() -> list[str]: ...
def _reasons() -> list[tuple[str, str]]: ...
