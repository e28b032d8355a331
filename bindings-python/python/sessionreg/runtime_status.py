"""Drop-in for kimi-cli's module of this name: ``<session_dir>/runtime.json``.

It writes exactly the seven keys of schema 1, leaves no other file in the folder, and its readers
and writers get along with those that it replaces.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from . import Record, clear, read, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    _StrPath: TypeAlias = str | os.PathLike[str]

__all__ = [
    "RUNTIME_STATUS_FILENAME",
    "RUNTIME_STATUS_SCHEMA_VERSION",
    "RuntimeStatus",
    "clear_runtime_status",
    "read_runtime_status",
    "write_runtime_status",
]

RUNTIME_STATUS_FILENAME = "runtime.json"
RUNTIME_STATUS_SCHEMA_VERSION = 1

_VERSION_KEY = "kimi_version"


@dataclass(frozen=True)
class RuntimeStatus:
    """What ``runtime.json`` says; `started_at` is in seconds since the Unix epoch."""

    schema_version: int
    pid: int
    session_id: str
    work_dir: str
    hostname: str
    started_at: float
    kimi_version: str | None


def write_runtime_status(
    session_dir: _StrPath,
    *,
    session_id: str,
    work_dir: _StrPath,
    pid: int | None = None,
    kimi_version: str | None = None,
) -> Path:
    """Write ``runtime.json`` into an existing folder and return its path.

    `pid` defaults to the calling process, `kimi_version` to that of the installed kimi-cli.
    A missing folder is `FileNotFoundError`.
    """
    path = Path(session_dir) / RUNTIME_STATUS_FILENAME
    record = Record(
        session_id,
        os.fspath(work_dir),
        # Given explicitly, a pid is not looked up: nothing but the seven keys is written.
        pid=os.getpid() if pid is None else pid,
        agent_version=_installed_version() if kimi_version is None else kimi_version,
        version_key=_VERSION_KEY,
    )
    write(path, record, create_folders=False)
    return path


def read_runtime_status(session_dir: _StrPath) -> RuntimeStatus | None:
    """Read ``runtime.json``, also through a link; None for whatever is not a status."""
    with suppress(OSError, ValueError):
        record = read(os.path.realpath(Path(session_dir) / RUNTIME_STATUS_FILENAME))
        if record is not None and record.hostname is not None:
            return RuntimeStatus(
                schema_version=RUNTIME_STATUS_SCHEMA_VERSION,
                pid=record.pid,
                session_id=record.session_id,
                work_dir=record.work_dir,
                hostname=record.hostname,
                started_at=record.started_at,
                kimi_version=record.agent_version if record.version_key == _VERSION_KEY else None,
            )
    return None


def clear_runtime_status(session_dir: _StrPath) -> None:
    """Remove ``runtime.json`` if it is there. Never raises: a left-over harms nobody."""
    with suppress(Exception):
        clear(Path(session_dir) / RUNTIME_STATUS_FILENAME)


def _installed_version() -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("kimi-cli")
    except PackageNotFoundError:
        return None
