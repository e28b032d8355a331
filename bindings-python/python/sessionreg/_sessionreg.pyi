"""The native module; use it through `sessionreg`."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias, TypedDict, final

from typing_extensions import Self, Unpack

from .verdicts import Reason, State

__all__ = [
    "Record",
    "Terminal",
    "Verdict",
    "check_session_id",
    "clear",
    "clear_if",
    "liveness",
    "liveness_all",
    "load",
    "read",
    "sidecar_in_project",
    "sidecar_of",
    "write",
]

_Path: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]

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

class _Fields(_Description, total=False):
    started_at: float | None
    version_key: str | None

class _Changes(_Description, total=False):
    session_id: str
    work_dir: str
    pid: int
    started_at: float
    version_key: str

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
def _error_codes() -> list[str]: ...
def _reasons() -> list[tuple[str, str]]: ...
