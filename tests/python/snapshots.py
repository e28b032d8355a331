"""The vectors of snapshots: what is found at one moment, and what is told of changes."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from expected import code_of
from histories import CONTENT, SECRET, check_same, put_aged, remove
from sessionreg import AgentSession, Batch, Monitor, Snapshot, Sources, State
from sessionreg import snapshot as take
from vectors import Texts

_FIELDS = [
    "key", "agent", "session_id", "pid", "tty", "work_dir", "kind", "status", "waiting_for", "name",
    "started_at", "updated_at", "parent_session_id", "turn_start_tokens", "sources",
    "superseded_by", "extra",
]  # fmt: skip
_SECONDS_FOR_A_STEP = 10


def _prepare(body: dict[str, Any], texts: Texts, folder: Path) -> Sources:
    for file in body["files"]:
        assert file.keys() <= {"path", "age", *CONTENT}
        put_aged(folder / texts.text(file["path"]), file, texts, folder)
    fields: dict[str, Any] = {}
    for name, value in body["sources"].items():
        is_list = isinstance(value, list)
        fields[name] = [folder / texts.text(path) for path in value] if is_list else value
    return Sources.none(**fields)


def _disk(folder: Path) -> dict[str, object]:
    """Return what is there, so that any other file shows."""
    found: dict[str, object] = {}
    for root, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            path = Path(root, name)
            status = path.lstat()
            found[str(path)] = (status.st_mode, status.st_ino, status.st_size, status.st_mtime_ns)
    return found


# One moment


def take_snapshots(body: dict[str, Any], texts: Texts, folder: Path) -> None:
    """Look for sessions in a folder that holds the files of a case, in every way."""
    sources = _prepare(body, texts, folder)
    before = _disk(folder)
    expect = body["expect"]
    assert expect.keys() <= {"sessions", "skipped", "dead_before"}
    alone = take(sources)
    assert alone.cursor == ""
    with Monitor(sources) as monitor:
        first, second = monitor.snapshot(), monitor.snapshot()
        batch = monitor.wait()
        assert batch is not None
        assert (batch.reset, batch.changed, batch.removed) == (True, [], [])
        assert batch.cursor == first.cursor == second.cursor != ""
    _check_sessions(batch.added, expect["sessions"], texts)
    _check_json(json.loads(batch.to_json())["added"], expect["sessions"], texts)
    for snapshot in (alone, first, second):
        _check_sessions(snapshot.sessions, expect["sessions"], texts)
        _check_skipped(snapshot, expect.get("skipped", []), texts)
        assert snapshot.dead_before == expect.get("dead_before", 0)
        parsed = json.loads(snapshot.to_json())
        _check_json(parsed["sessions"], expect["sessions"], texts)
        assert parsed["dead_before"] == snapshot.dead_before
        assert parsed["cursor"] == snapshot.cursor
        assert len(parsed["skipped"]) == len(snapshot.skipped)
        _check_queries(snapshot)
        _check_secrets(snapshot)
    assert _disk(folder) == before


def _check_skipped(snapshot: Snapshot, wanted: list[dict[str, str]], texts: Texts) -> None:
    assert len(snapshot.skipped) == len(wanted), snapshot.skipped
    for file, some in zip(snapshot.skipped, wanted, strict=True):
        assert some.keys() == {"file", "error"}
        assert file.path == _below(some["file"], texts)
        assert file.code == some["error"]


def _check_queries(snapshot: Snapshot) -> None:
    sessions = snapshot.sessions
    live = [session for session in sessions if session.state is State.ALIVE]
    assert snapshot.live() == live
    assert snapshot.count_live() == len(live)
    for one in sessions:
        if one.pid is not None:
            assert snapshot.find_by_pid(one.pid) == [s for s in sessions if s.pid == one.pid]
        if one.session_id is not None:
            same = [s for s in sessions if s.session_id == one.session_id]
            assert snapshot.find_by_session(one.session_id) == same
        if one.work_dir is not None:
            same = [s for s in sessions if s.work_dir == one.work_dir]
            assert snapshot.find_by_work_dir(one.work_dir) == same


def _check_secrets(snapshot: Snapshot) -> None:
    shown = [snapshot.to_json(), repr(snapshot), str(snapshot)]
    for session in snapshot.sessions:
        shown += [session.to_json(), repr(session), repr(session.to_dict())]
        shown += [str(session.extra_json), repr(session.extra)]
    assert not any(SECRET in text for text in shown)


# A session


def _check_sessions(
    sessions: list[AgentSession], wanted: list[dict[str, Any]], texts: Texts
) -> None:
    _check_json([_attributes(session) for session in sessions], wanted, texts)
    _check_json([session.to_dict() for session in sessions], wanted, texts)
    for session in sessions:
        assert (session.verdict.state, session.verdict.reason) == (session.state, session.reason)


def _attributes(session: AgentSession) -> dict[str, Any]:
    values = {name: getattr(session, name) for name in _FIELDS}
    values["files"] = [str(path) for path in session.files]
    values["state"], values["reason"] = str(session.state), str(session.reason)
    if session.terminal is not None:
        terminal = {
            name: getattr(session.terminal, name) for name in ("multiplexer", "session", "pane")
        }
        values["terminal"] = _present(terminal)
    if session.transcript is not None:
        path, mtime_ns = session.transcript.path, session.transcript.mtime_ns
        values["transcript"] = _present({"path": str(path), "mtime_ns": mtime_ns})
    if session.context_usage is not None:
        tokens, window = session.context_usage.current_tokens, session.context_usage.window
        values["context_usage"] = _present({"current_tokens": tokens, "window": window})
    return _present(values)


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _check_json(found: list[dict[str, Any]], wanted: list[dict[str, Any]], texts: Texts) -> None:
    assert len(found) == len(wanted), found
    for session, some in zip(found, wanted, strict=True):
        known = {*_FIELDS, "files", "state", "reason", "terminal", "transcript", "context_usage"}
        assert some.keys() <= known, some.keys() - known
        for name, value in some.items():
            value = texts.value(value)
            if value is None:
                assert name not in session, name
            elif name == "files":
                files = [Path(file) for file in session["files"]]
                assert files == [_below(file, texts) for file in value]
            elif name == "transcript" and value != "<any>":
                for part, inner in value.items():
                    if part == "path":
                        assert Path(session[name][part]) == _below(inner, texts)
                    else:
                        check_same(session[name].get(part), inner, f"{name}.{part}")
            else:
                check_same(session.get(name), value, name)


def _below(path: str, texts: Texts) -> Path:
    return Path(texts.fact("dir"), texts.text(path))


# Step by step


class Reader(Protocol):
    """A way to hear of changes."""

    def __init__(self, monitor: Monitor) -> None: ...
    def next(self, timeout: float) -> Batch | None:
        """Return the next batch, if one comes in that time."""

    def close(self) -> None:
        """End it."""


class Waits:
    """Goes on from the cursor of the last batch."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self._cursor: str | None = None

    def next(self, timeout: float) -> Batch | None:  # noqa: D102
        batch = self._monitor.wait(self._cursor, timeout)
        self._cursor = self._cursor if batch is None else batch.cursor
        return batch

    def close(self) -> None:  # noqa: D102
        pass


class Iterates:
    """Has a watch of its own."""

    def __init__(self, monitor: Monitor) -> None:
        self._watch = monitor.watch()

    def next(self, timeout: float) -> Batch | None:  # noqa: D102
        return self._watch.next(timeout)

    def close(self) -> None:  # noqa: D102
        assert list(self._watch) == []


class IteratesInALoop:
    """Has a watch of its own, in an event loop."""

    def __init__(self, monitor: Monitor) -> None:
        self._watch = monitor.watch()
        self._loop = asyncio.new_event_loop()

    def next(self, timeout: float) -> Batch | None:  # noqa: D102
        try:
            return self._loop.run_until_complete(asyncio.wait_for(anext(self._watch), timeout))
        except asyncio.TimeoutError:
            return None

    def close(self) -> None:  # noqa: D102
        async def left() -> list[Batch]:
            return [batch async for batch in self._watch]

        assert self._loop.run_until_complete(left()) == []
        self._loop.close()


def watch(
    body: dict[str, Any],
    texts: Texts,
    folder: Path,
    ask: Callable[[str], dict[str, Any]],
    form: type[Reader],
) -> None:
    """Follow what happens in a folder."""
    sources = _prepare(body, texts, folder)
    monitor = Monitor(sources)
    try:
        reader = form(monitor)
        table: dict[str, AgentSession] = {}
        calls: dict[str, tuple[Callable[[dict[str, Any]], object], set[str]]] = {
            "put_file": (
                lambda args: put_aged(folder / texts.text(args["path"]), args, texts, folder),
                {"path", "age", *CONTENT},
            ),
            "remove_file": (lambda args: remove(folder / texts.text(args["path"])), {"path"}),
            "end": (lambda _: ask(f"end {texts.fact('pid')}"), set()),
            "check": (lambda _: None, set()),
        }
        assert body["steps"]
        for number, step in enumerate(body["steps"]):
            assert step.keys() <= {"do", "args", "expect"}
            assert step["expect"].keys() == {"sessions"}
            call, known = calls[step["do"]]
            args = step.get("args", {})
            assert args.keys() <= known
            call(args)
            try:
                _follow(reader, table, step["expect"]["sessions"], texts)
            except AssertionError as error:
                raise AssertionError(f"step {number}, {step}: {error}") from error
        assert monitor.snapshot().sessions == _in_order(table.values())
    finally:
        monitor.close()
    assert code_of(monitor.wait) == "CLOSED"
    reader.close()


def _follow(
    reader: Reader, table: dict[str, AgentSession], wanted: list[dict[str, Any]], texts: Texts
) -> None:
    """Read until the table is what it should be."""
    end = time.monotonic() + _SECONDS_FOR_A_STEP
    while True:
        try:
            _check_sessions(_in_order(table.values()), wanted, texts)
        except AssertionError:
            batch = reader.next(max(end - time.monotonic(), 0))
            if batch is None:
                raise
        else:
            return
        if batch.reset:
            table.clear()
        for session in [*batch.added, *batch.changed]:
            table[session.key] = session
        for key in batch.removed:
            del table[key]


def _in_order(sessions: Iterable[AgentSession]) -> list[AgentSession]:
    return sorted(sessions, key=lambda session: (session.session_id or "", session.pid or 0))
