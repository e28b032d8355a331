"""A session in the hands of its process, of its threads, and of helpers."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import sessionreg
from programs import linux_only, locked, posix_only, run, running, turns_during
from sessionreg import (
    BusyError,
    ClosedError,
    HeldError,
    InvalidIdError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    Registry,
    Session,
    SessionRegError,
    Terminal,
)

THREADS = 8

# Ends with its input, and keeps its record.
REGISTERS = """
    import sys, sessionreg
    folder, session_id, dialect, sidecar = sys.argv[1:]
    session = sessionreg.Registry(folder, dialect).register(
        session_id=session_id, work_dir="/srv", sidecar=sidecar or None
    )
    print(session.path, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Return the registry of a folder that is not there yet."""
    return Registry(tmp_path / "sessions")


def files(folder: Path) -> list[str]:
    """Return every file below a folder."""
    found = (path for path in folder.rglob("*") if not path.is_dir())
    return sorted(str(path.relative_to(folder)) for path in found)


def content(session: Session) -> dict[str, Any]:
    """Return what the PID file of a session says."""
    assert session.path is not None
    found: dict[str, Any] = json.loads(session.path.read_text("utf-8"))
    return found


# Registering


def test_what_a_session_says_is_what_others_read(registry: Registry, tmp_path: Path) -> None:
    fields: dict[str, Any] = {
        "session_id": "s é",
        "work_dir": "/srv/é",
        "agent": "qwen-code",
        "agent_version": "0.9.1",
        "kind": "interactive",
        "name": "héllo",
        "entrypoint": "cli",
        "status": "busy",
        "transcript_path": "/srv/log.jsonl",
        "parent_session_id": "parent",
        "extra": {"n": [1, 2**70, 0.5, None, {"a": "\U0001f600"}]},
    }
    with registry.register(
        **fields,
        terminal=Terminal("tmux", "work", "%3"),
        sidecar=tmp_path / "chats" / "{id}.runtime.json",
    ) as session:
        [entry] = registry.live()
        assert entry.record == session.record
        assert {name: getattr(entry.record, name) for name in fields} == fields
        assert entry.record.terminal == Terminal("tmux", "work", "%3")
        assert entry.record.pid == session.pid == os.getpid()
        assert entry.record.revision == 1
        assert entry.record.updated_at == entry.record.status_updated_at
        assert (session.session_id, session.path) == ("s é", entry.path)
        assert session.sidecar_path == tmp_path / "chats" / "s é.runtime.json"
        sidecar = sessionreg.load(tmp_path / "chats" / "s é.runtime.json")
        assert (sidecar.instance, sidecar.agent) == (entry.record.instance, "qwen-code")
        assert (sidecar.status, sidecar.updated_at) == (None, None)
        assert session.registered
        assert session.sidecar_holder is session.pid_file_holder is None
        assert repr(session) == f"<Session 's é' of pid {os.getpid()}, registered>"
    assert files(tmp_path) == []
    assert not session.registered
    assert repr(session).endswith("not registered>")


def test_none_means_the_default(registry: Registry) -> None:
    names = [
        "agent", "agent_version", "kind", "name", "entrypoint", "status", "transcript_path",
        "parent_session_id", "terminal", "sidecar", "pid", "extra", "on_error",
    ]  # fmt: skip
    none: dict[str, Any] = dict.fromkeys(names)
    with registry.register(session_id="s", work_dir="/srv", **none) as session:
        record = session.record.to_dict()
        assert not record.keys() & (set(names) - {"pid"})
        assert record["pid"] == os.getpid()


def test_the_spawner_tells_the_kind(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSIONREG_KIND", "headless")
    with registry.register(session_id="s", work_dir="/srv") as session:
        assert session.record.kind == "headless"
    with registry.register(session_id="s", work_dir="/srv", kind="tui") as session:
        assert session.record.kind == "tui"


def test_a_session_may_be_known_by_its_sidecar_alone(registry: Registry, tmp_path: Path) -> None:
    sidecar = tmp_path / "{id}.json"
    with registry.register(
        session_id="s", work_dir="/srv", sidecar=sidecar, pid_file=False, status="busy"
    ) as session:
        assert session.path is None
        assert files(tmp_path) == ["s.json"]
        session.update(status="idle", x=1)
        found = sessionreg.load(tmp_path / "s.json")
        assert found == session.record
        assert (found.status, found.extra) == ("idle", {"x": 1})
    assert files(tmp_path) == []
    with pytest.raises(InvalidInputError, match="neither"):
        registry.register(session_id="s", work_dir="/srv", pid_file=False)


def test_a_sidecar_that_is_to_be_kept_stays(registry: Registry, tmp_path: Path) -> None:
    sidecar = os.fsencode(tmp_path / "{id}.json")
    with registry.register(session_id="s", work_dir="/srv", sidecar=sidecar, keep_sidecar=True):
        pass
    assert files(tmp_path) == ["s.json"]


def test_another_process_can_be_registered_and_keeps_its_record(registry: Registry) -> None:
    code = "import sys; sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as child:
        with registry.register(session_id="s", work_dir="/srv", pid=child.pid) as session:
            assert session.pid == child.pid
            assert session.update(status="busy")
        [entry] = registry.live()
        assert (entry.record.pid, entry.record.status) == (child.pid, "busy")
    [entry] = registry.records()
    assert entry.verdict.reason == "gone"
    with pytest.raises(NotFoundError):
        registry.register(session_id="s", work_dir="/srv", pid=child.pid)


WRONG: list[tuple[str, Any]] = [
    ("session_id", 5), ("session_id", b"s"), ("session_id", None), ("work_dir", Path("/srv")),
    ("agent", True), ("kind", 1), ("name", b"x"), ("status", ["busy"]), ("terminal", "%1"),
    ("terminal", {"pane": 5}), ("sidecar", 5), ("pid_file", 1), ("keep_sidecar", "yes"),
    ("pid", True), ("pid", 1.0), ("pid", "1"), ("extra", []), ("extra", {1: 2}),
    ("extra", {"a": {1}}),
]  # fmt: skip
IMPOSSIBLE: list[tuple[str, Any]] = [
    ("session_id", ""), ("session_id", "\ud800"), ("work_dir", "relative"), ("work_dir", "\udcff"),
    ("agent", "Upper"), ("agent", "schema"), ("kind", "no kind"), ("sidecar", ""),
    ("sidecar", b"a\0b"), ("pid", 0), ("pid", -1), ("pid", 2**31), ("pid", 2**32 + 5),
    ("pid", 2**70), ("extra", {"a": float("nan")}), ("extra", {"pid": 1}),
    ("terminal", {"tab": "1"}), ("name", "x" * 70_000),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG, ids=repr)
def test_what_is_registered_is_not_made_of_other_types(
    name: str, value: Any, registry: Registry, tmp_path: Path
) -> None:
    arguments: dict[str, Any] = {"session_id": "s", "work_dir": "/srv", name: value}
    with pytest.raises(TypeError):
        registry.register(**arguments)
    assert files(tmp_path) == []


@pytest.mark.parametrize(("name", "value"), IMPOSSIBLE, ids=lambda value: repr(value)[:20])
def test_what_cannot_be_registered_leaves_nothing(
    name: str, value: Any, registry: Registry, tmp_path: Path
) -> None:
    arguments: dict[str, Any] = {"session_id": "s", "work_dir": "/srv", name: value}
    with pytest.raises((InvalidInputError, InvalidIdError, sessionreg.TooLargeError)):
        registry.register(**arguments)
    assert files(tmp_path) == []


def test_an_id_that_would_leave_the_sidecars_folder_is_refused(
    registry: Registry, tmp_path: Path
) -> None:
    sidecar = tmp_path / "chats" / "{id}.json"
    for session_id in ("../x", "a/b", "..", ".x", "con"):
        with pytest.raises(InvalidIdError):
            registry.register(session_id=session_id, work_dir="/srv", sidecar=sidecar)
    assert files(tmp_path) == []


def test_a_sidecar_lies_outside_of_the_registry(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError):
        registry.register(session_id="s", work_dir="/srv", sidecar=registry.dir / "{id}.json")
    assert files(tmp_path) == []


def test_arguments_have_names(registry: Registry) -> None:
    with pytest.raises(TypeError):
        registry.register("s", "/srv")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        registry.register(session_id="s")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        registry.register(session_id="s", work_dir="/srv", nome="x")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="callable"):
        registry.register(session_id="s", work_dir="/srv", on_error=5)  # type: ignore[arg-type]


# Changing


def test_an_update_merges_a_dict_and_keywords(registry: Registry) -> None:
    with registry.register(
        session_id="s", work_dir="/srv", name="n", extra={"x": {"a": 1, "b": 2}, "y": 1}
    ) as session:
        assert session.update({"name": "dict", "status": "busy"}, name="keyword") is True
        record = session.record
        assert (record.name, record.status, record.revision) == ("keyword", "busy", 2)
        session.update({"x": {"a": None, "c": [None]}}, y=None, agent="codex")
        assert session.record.extra == {"x": {"b": 2, "c": [None]}}
        assert session.record.agent == "codex"
        session.update(name=None)
        assert session.record.name is None
        assert registry.live()[0].record == session.record
        assert session.update() is session.update(None) is session.update({}) is True


def test_a_status_other_than_waiting_drops_what_was_waited_for(registry: Registry) -> None:
    with registry.register(session_id="s", work_dir="/srv") as session:
        session.update(status="waiting", waiting_for="permission")
        waiting = session.record
        assert (waiting.status, waiting.waiting_for) == ("waiting", "permission")
        session.update(name="x")
        assert session.record.waiting_for == "permission"
        assert session.record.status_updated_at == waiting.status_updated_at
        session.update(status="idle")
        assert session.record.waiting_for is None
        assert session.record.updated_at is not None
        assert waiting.updated_at is not None
        assert session.record.updated_at >= waiting.updated_at


@pytest.mark.parametrize(
    "name", ["pid", "session_id", "instance", "proc_start", "revision", "started_at", "updated_at"]
)
def test_identity_cannot_be_patched(name: str, registry: Registry) -> None:
    with registry.register(session_id="s", work_dir="/srv") as session:
        before = content(session)
        for value in (None, 1, "x"):
            with pytest.raises(InvalidInputError, match=f"`{name}` cannot be changed"):
                session.update({name: value})
            with pytest.raises(InvalidInputError):
                session.switch("other", **{name: value})
        assert content(session) == before


def test_a_terminal_replaces_and_a_dict_merges(registry: Registry) -> None:
    with registry.register(
        session_id="s", work_dir="/srv", terminal={"pane": "%1", "extra_json": '{"window": 1.50}'}
    ) as session:
        session.update(terminal={"session": "work"})
        assert session.record.terminal == Terminal(None, "work", "%1", '{"window":1.50}')
        session.update(terminal=Terminal(multiplexer='t"\U0001f600', extra_json='{"tab": 1.0}'))
        assert session.record.terminal == Terminal('t"\U0001f600', extra_json='{"tab":1.0}')
        session.update({"terminal": Terminal(pane="%2")})
        assert session.record.terminal == Terminal(pane="%2")
        session.update(terminal=Terminal())
        assert session.record.terminal is None
        with pytest.raises(TypeError, match="JSON values"):
            session.update(other=Terminal())


@pytest.mark.parametrize(
    "patch",
    [5, "x", [("a", 1)], {1: 2}, {"a": {1: 2}}, {"a": (1,)}, {"a": {1}}, {"a": b"x"}, {None: 1}],
    ids=repr,
)
def test_a_patch_is_a_dict_of_json_values(patch: Any, registry: Registry) -> None:
    with registry.register(session_id="s", work_dir="/srv") as session:
        before = content(session)
        with pytest.raises(TypeError, match="patch"):
            session.update(patch)
        with pytest.raises(TypeError, match="patch"):
            session.switch("other", patch)
        assert content(session) == before


@pytest.mark.parametrize(
    "patch",
    [
        {"status": 5}, {"name": True}, {"work_dir": None}, {"work_dir": "relative"}, {"agent": "A"},
        {"kind": "no kind"}, {"terminal": 5}, {"terminal": {"pane": 5}}, {"a": float("nan")},
        {"\ud800": 1}, {"name": "\ud800"}, {"schemaVersion": 2}, {"a": "x" * 70_000},
    ],
    ids=lambda value: ascii(value)[:30],
)  # fmt: skip
def test_what_cannot_be_written_changes_nothing(patch: dict[str, Any], registry: Registry) -> None:
    with registry.register(session_id="s", work_dir="/srv", status="busy") as session:
        before, record = content(session), session.record
        with pytest.raises((InvalidInputError, sessionreg.TooLargeError)):
            session.update(patch)
        with pytest.raises((InvalidInputError, sessionreg.TooLargeError)):
            session.switch("other", patch)
        assert (content(session), session.record) == (before, record)


def test_a_patch_without_an_end_is_a_recursion_error(registry: Registry) -> None:
    endless: dict[str, Any] = {}
    endless["a"] = endless
    with registry.register(session_id="s", work_dir="/srv") as session:
        with pytest.raises(RecursionError):
            session.update(endless)
        assert session.record.revision == 1


def test_numbers_and_texts_of_a_patch_are_exact(registry: Registry) -> None:
    values = {"n": 2**70, "f": 0.1, "t": "\U0001f600\x7f\u2028", "lone": "\udc80", "": {"é": [[]]}}
    with registry.register(session_id="s", work_dir="/srv") as session:
        session.update(values)
        assert session.record.extra == registry.live()[0].record.extra == values


def test_a_switch_goes_on_with_another_session(registry: Registry, tmp_path: Path) -> None:
    chats = tmp_path / "chats"
    with registry.register(
        session_id="one", work_dir="/srv", name="n", status="waiting", transcript_path="/srv/one",
        agent="codex", extra={"x": 1}, sidecar=chats / "{id}.json",
    ) as session:  # fmt: skip
        session.update(waiting_for="permission")
        before = session.record
        assert session.switch("two", {"status": "busy"}, y=2) is True
        record = session.record
        assert session.session_id == record.session_id == "two"
        assert (record.status, record.waiting_for, record.name) == ("busy", None, None)
        assert (record.transcript_path, record.agent) == (None, "codex")
        assert record.extra == {"x": 1, "y": 2}
        assert (record.instance, record.started_at) == (before.instance, before.started_at)
        assert os.listdir(chats) == ["two.json"]
        assert session.sidecar_path == chats / "two.json"
        assert registry.find_by_session("one") == []
        assert [entry.record for entry in registry.find_by_session("two")] == [record]
        assert session.switch("two") is True
        assert session.record == record
        with pytest.raises(InvalidIdError):
            session.switch("../three")
        with pytest.raises(TypeError, match="`new_id` must be str"):
            session.switch(5)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            session.switch()  # type: ignore[call-arg]
        assert session.record == record
    assert files(tmp_path) == []


def test_a_refresh_puts_back_what_somebody_removed_or_damaged(
    registry: Registry, tmp_path: Path
) -> None:
    sidecar = tmp_path / "{id}.json"
    with registry.register(session_id="s", work_dir="/srv", sidecar=sidecar) as session:
        assert session.path is not None
        assert session.sidecar_path is not None
        before = session.path.read_bytes()
        assert session.refresh() is True
        assert session.path.read_bytes() == before
        session.path.unlink()
        assert session.refresh() is True
        assert [entry.record for entry in registry.live()] == [session.record]
        session.path.write_text("{")
        session.sidecar_path.unlink()
        assert session.refresh() is True
        assert registry.count_live() == 1
        assert session.sidecar_path.exists()


def test_leaving_keeps_the_record_and_closing_removes_it(registry: Registry) -> None:
    left = registry.register(session_id="left", work_dir="/srv")
    assert left.leave() is True
    closed = registry.register(session_id="closed", work_dir="/srv")
    assert closed.close() is True
    assert [entry.record.session_id for entry in registry.live()] == ["left"]
    for session in (left, closed):
        assert not session.registered
        calls: list[Callable[[], object]] = [
            session.update, partial(session.switch, "x"), session.refresh, session.leave,
            session.close,
        ]  # fmt: skip
        for call in calls:
            with pytest.raises(ClosedError) as caught:
                call()
            assert isinstance(caught.value, ValueError)
        # What was known is still told.
        assert session.record.session_id == session.session_id
        assert session.path is not None
        with session:
            pass


def serve_until(end: type[BaseException], registry: Registry, folder: Path) -> None:
    """Register, and end by an exception."""
    with registry.register(session_id="s", work_dir="/srv", sidecar=folder / "{id}.json"):
        assert len(files(folder)) == 2
        raise end


def test_with_closes_whatever_ends_it(registry: Registry, tmp_path: Path) -> None:
    for end in (ValueError, KeyboardInterrupt, SystemExit):
        with pytest.raises(end):
            serve_until(end, registry, tmp_path)
        assert files(tmp_path) == []
    with registry.register(session_id="s", work_dir="/srv") as session:
        session.close()
    with registry.register(session_id="s", work_dir="/srv") as session:
        session.leave()
    assert registry.count_live() == 1


@posix_only
def test_a_session_whose_close_failed_can_be_closed_again(registry: Registry) -> None:
    session = registry.register(session_id="s", work_dir="/srv")
    with locked(registry.dir):
        with pytest.raises(BusyError), session:
            pass
        with pytest.raises(BusyError):
            session.update(status="busy")
        assert session.registered
    assert session.record.status is None
    assert session.close() is True
    assert os.listdir(registry.dir) == []


def test_a_folder_with_one_file_for_a_process_has_one_session_of_it(
    registry: Registry,
) -> None:
    claude = Registry(registry.dir, "claude")
    with claude.register(session_id="s", work_dir="/srv") as session:
        assert session.path == registry.dir / f"{os.getpid()}.json"
        assert "procStart" in content(session)
        with pytest.raises(InvalidInputError):
            claude.register(session_id="other", work_dir="/srv")
    assert os.listdir(registry.dir) == []


def test_a_name_that_another_process_has_makes_a_session_inert(registry: Registry) -> None:
    claude = Registry(registry.dir, "claude")
    with running(REGISTERS, str(registry.dir), "first", "claude", "") as other:
        with claude.register(session_id="second", work_dir="/srv", pid=other.pid) as session:
            holder = session.pid_file_holder
            assert holder is not None
            assert (holder.pid, holder.session_id) == (other.pid, "first")
            assert holder.path == registry.dir / f"{other.pid}.json"
            assert not session.registered
            assert session.path is None
            assert session.update(status="busy") is session.switch("x") is False
            assert session.refresh() is False
        [entry] = claude.records()
        assert entry.record.session_id == "first"


def test_a_sidecar_that_another_process_holds_is_left_alone(
    registry: Registry, tmp_path: Path
) -> None:
    sidecar = tmp_path / "{id}.json"
    arguments = [str(registry.dir), "s", "ours", str(sidecar)]
    with running(REGISTERS, *arguments) as other:
        theirs = (tmp_path / "s.json").read_bytes()
        with registry.register(session_id="s", work_dir="/srv", sidecar=sidecar) as session:
            holder = session.sidecar_holder
            assert holder is not None
            assert (holder.pid, holder.session_id) == (other.pid, "s")
            assert holder.path == tmp_path / "s.json"
            assert holder.host == session.record.hostname
            assert session.sidecar_path is None
            assert session.registered
            session.update(status="busy")
            assert pickle.loads(pickle.dumps(holder)) == holder
        assert (tmp_path / "s.json").read_bytes() == theirs


# Helpers


HOOK = """
    import sys, sessionreg
    folder, key, value, times = sys.argv[1:]
    by = {key: int(value) if key == "pid" else value}
    with sessionreg.Registry(folder).open_session(**by) as session:
        for number in range(int(times)):
            assert session.update({f"hook-{value}": {str(number): True}}, status="waiting")
    print(session.session_id, session.pid, session.registered)
"""


def test_a_hook_updates_the_session_of_its_parent(registry: Registry) -> None:
    with registry.register(session_id="s", work_dir="/srv") as session:
        for key, value in (("pid", str(os.getpid())), ("session_id", "s")):
            session.update(status="idle")
            done = run(HOOK, str(registry.dir), key, value, "1")
            assert done.stderr == ""
            assert done.stdout.split() == ["s", str(os.getpid()), "False"]
            [entry] = registry.live()
            assert entry.record.status == "waiting"
            assert entry.record.extra[f"hook-{value}"] == {"0": True}
            # What the hook said survives what its parent says next.
            session.update(name=key)
            assert session.record.status == "waiting"
            assert f"hook-{value}" in session.record.extra
    assert os.listdir(registry.dir) == []


def test_no_change_of_several_processes_is_lost(registry: Registry) -> None:
    with registry.register(session_id="s", work_dir="/srv") as session:
        hook = [sys.executable, "-c", "\n".join(line[4:] for line in HOOK.split("\n"))]
        keys = [("pid", str(os.getpid())), ("session_id", "s")]
        hooks = [subprocess.Popen([*hook, str(registry.dir), *key, "50"]) for key in keys]
        for number in range(50):
            session.update(own={str(number): True})
        assert [process.wait() for process in hooks] == [0, 0]
        session.update()
        every = {str(number): True for number in range(50)}
        assert session.record.extra == {
            "own": every, f"hook-{os.getpid()}": every, "hook-s": every
        }  # fmt: skip
        assert session.record.revision == 1 + 3 * 50 + 1


def test_a_handle_of_a_helper_never_removes(registry: Registry) -> None:
    with registry.register(session_id="s", work_dir="/srv") as session:
        helper = registry.open_session(session_id="s")
        assert helper.close() is True
        with registry.open_session(pid=os.getpid()) as helper:
            assert helper.record == session.record
            assert (helper.path, helper.registered) == (session.path, True)
        del helper
        assert registry.count_live() == 1


def test_a_helper_is_told_that_the_session_is_over(registry: Registry) -> None:
    with registry.register(session_id="s", work_dir="/srv"):
        helper = registry.open_session(session_id="s")
    for call in (helper.update, helper.refresh, lambda: helper.switch("t")):
        with pytest.raises(NotFoundError):
            call()
    assert helper.close() is True
    assert os.listdir(registry.dir) == []


def test_a_file_that_is_another_registrations_is_left_alone(registry: Registry) -> None:
    session = registry.register(session_id="s", work_dir="/srv")
    assert session.path is not None
    text = json.dumps({**content(session), "instance": "0" * 32, "sessionId": "other"})
    session.path.write_text(text)
    for call in (session.update, session.refresh, lambda: session.switch("t")):
        with pytest.raises(HeldError) as caught:
            call()
        assert caught.value.holder is not None
        assert caught.value.holder.session_id == "other"
        assert caught.value.holder.path == session.path
    session.close()
    assert session.path.read_text() == text


def test_a_session_is_opened_by_one_of_two(registry: Registry) -> None:
    with registry.register(session_id="s", work_dir="/srv"):
        with pytest.raises(InvalidInputError, match="either"):
            registry.open_session()
        with pytest.raises(InvalidInputError, match="either"):
            registry.open_session(pid=os.getpid(), session_id="s")
        for pid in (True, 1.0, "1"):
            with pytest.raises(TypeError):
                registry.open_session(pid=pid)  # type: ignore[arg-type]
        for pid in (-1, 2**32):
            with pytest.raises(InvalidInputError):
                registry.open_session(pid=pid)
        with pytest.raises(TypeError):
            registry.open_session(session_id=5)  # type: ignore[arg-type]
        with pytest.raises(NotFoundError) as caught:
            registry.open_session(session_id="other")
        assert caught.value.filename == str(registry.dir)
        with pytest.raises(NotFoundError):
            registry.open_session(pid=os.getppid())
        with registry.register(session_id="t", work_dir="/srv"):
            assert registry.open_session(session_id="t").session_id == "t"
            with pytest.raises(InvalidInputError, match="several"):
                registry.open_session(pid=os.getpid())


@linux_only
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_the_session_of_another_user_is_not_opened(registry: Registry) -> None:
    with registry.register(session_id="s", work_dir="/srv") as session:
        assert session.path is not None
        folders = [registry.dir, *registry.dir.parents]
        modes = [(folder, folder.stat().st_mode) for folder in folders[:-1]]
        for folder, mode in modes:
            folder.chmod(mode | 0o055)
        done = run(
            """
            import os, sys, sessionreg
            folder, pid = sys.argv[1:]
            os.setuid(65534)
            try:
                sessionreg.Registry(folder).open_session(pid=int(pid))
            except sessionreg.PermissionDeniedError as error:
                print(error.code)
            """,
            str(registry.dir),
            str(os.getpid()),
        )
        for folder, mode in modes:
            folder.chmod(mode)
        assert (done.stdout.strip(), done.stderr) == (PermissionDeniedError.code, "")


# Failures that go elsewhere


class Told:
    """Takes failures, and remembers them with their thread."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self.threads: list[int] = []

    def __call__(self, error: Exception) -> None:
        """Take a failure."""
        self.errors.append(error)
        self.threads.append(threading.get_ident())

    def codes(self) -> list[str]:
        """Return the codes so far, and forget them."""
        codes = [getattr(error, "code", type(error).__name__) for error in self.errors]
        self.errors = []
        return codes


@pytest.mark.parametrize(
    ("name", "value"),
    WRONG + IMPOSSIBLE,
    ids=lambda value: ascii(value)[:20],
)
def test_with_on_error_registering_never_raises(
    name: str, value: Any, registry: Registry, tmp_path: Path
) -> None:
    told = Told()
    arguments: dict[str, Any] = {"session_id": "s", "work_dir": "/srv", name: value}
    session = registry.register(**arguments, on_error=told)
    assert len(told.codes()) == 1
    assert not session.registered
    assert session.path is session.sidecar_path is None
    assert session.record.session_id == session.session_id
    with session:
        assert session.update(status="busy") is session.switch("x") is session.refresh() is False
    assert told.codes() == []
    assert session.close() is False
    assert told.codes() == ["CLOSED"]
    assert files(tmp_path) == []


def test_with_on_error_no_call_raises(registry: Registry, tmp_path: Path) -> None:
    told = Told()
    session = registry.register(
        session_id="s", work_dir="/srv", sidecar=tmp_path / "{id}.json", on_error=told
    )
    failing: dict[str, list[Callable[[], bool]]] = {
        "INVALID_INPUT": [
            lambda: session.update(pid=1),
            lambda: session.update(status=5),
            lambda: session.switch("\ud800"),
        ],
        "INVALID_ID": [lambda: session.switch("../x"), lambda: session.switch("")],
        "TypeError": [
            lambda: session.update(5),  # type: ignore[arg-type]
            lambda: session.update(x={1}),
            lambda: session.switch(5),  # type: ignore[arg-type]
        ],
    }
    for code, calls in failing.items():
        for call in calls:
            assert call() is False
            assert told.codes() == [code]
    assert session.update(status="busy") is session.close() is True
    assert told.codes() == []
    for closed in (session.update, session.refresh, session.leave, session.close):
        assert closed() is False
    assert told.codes() == ["CLOSED"] * 4
    assert files(tmp_path) == []


def test_on_error_is_called_on_the_thread_of_the_call(registry: Registry) -> None:
    told = Told()
    session = registry.register(session_id="s", work_dir="/srv", on_error=told)
    thread = threading.Thread(target=session.update, args=({"pid": 1},))
    thread.start()
    thread.join()
    session.update(pid=1)
    assert told.threads == [thread.ident, threading.get_ident()]
    session.close()


def test_what_on_error_raises_is_reported_and_not_raised(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", reported.append)

    def on_error(error: Exception) -> None:
        raise LookupError from error

    with registry.register(session_id="s", work_dir="/srv", on_error=on_error) as session:
        assert session.update(pid=1) is False
        [report] = reported
        assert report.exc_type is LookupError
        assert isinstance(report.exc_value.__cause__, InvalidInputError)
        assert report.object is on_error
        reported.clear()
    assert registry.register(session_id="", work_dir="/srv", on_error=on_error).close() is False
    assert len(reported) == 1


def test_a_wish_to_end_passes_through_on_error(registry: Registry) -> None:
    def on_error(_error: Exception) -> None:
        raise KeyboardInterrupt

    with registry.register(session_id="s", work_dir="/srv", on_error=on_error) as session:
        with pytest.raises(KeyboardInterrupt):
            session.update(pid=1)
        assert session.update(status="busy") is True


def test_on_error_may_use_the_session(registry: Registry, tmp_path: Path) -> None:
    def on_error(error: Exception) -> None:
        assert isinstance(error, SessionRegError)
        session.update(last_error=error.code)
        if error.code == "INVALID_ID":
            session.close()

    sidecar = tmp_path / "{id}.json"
    session = registry.register(session_id="s", work_dir="/srv", sidecar=sidecar, on_error=on_error)
    assert session.update(pid=1) is False
    assert session.record.extra == {"last_error": "INVALID_INPUT"}
    assert session.switch("../x") is False
    assert not session.registered


@posix_only
def test_threads_that_wait_for_each_other_are_all_told(registry: Registry) -> None:
    told = Told()
    session = registry.register(session_id="s", work_dir="/srv", on_error=told)
    with locked(registry.dir), ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda n: session.update(n=n), range(4))) == [False] * 4
    assert told.codes() == ["BUSY"] * 4
    assert session.close() is True


# Threads


@linux_only
def test_other_threads_run_while_calls_wait_for_each_other(registry: Registry) -> None:
    session = registry.register(session_id="s", work_dir="/srv")

    def blocked() -> None:
        # The second waits for the first, and both for the folder.
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(session.update, n=n) for n in range(2)]:
                with pytest.raises(BusyError):
                    done.result()

    with locked(registry.dir):
        assert turns_during(blocked) > 20
    session.close()


def test_eight_threads_switch_one_session(registry: Registry, tmp_path: Path) -> None:
    rounds = 30
    sidecar = tmp_path / "{id}.json"
    session = registry.register(session_id="start", work_dir="/srv", sidecar=sidecar)
    seen: list[tuple[int, str]] = []
    ended = threading.Event()

    def watch() -> None:
        other = Registry(registry.dir)
        while not ended.is_set():
            [entry] = other.live()
            assert entry.record.revision is not None
            seen.append((entry.record.revision, entry.record.session_id))

    def work(number: int) -> None:
        for round_ in range(rounds):
            assert session.switch(f"{number}-{round_}", status="busy")
            assert session.update(**{f"t{number}": round_})
            # Never what was before one's own call.
            assert session.record.extra[f"t{number}"] == round_

    with ThreadPoolExecutor(THREADS + 1) as pool:
        watching = pool.submit(watch)
        done = [pool.submit(work, number) for number in range(THREADS)]
        for future in done:
            future.result()
        ended.set()
        watching.result()
    record = session.record
    assert record.extra == {f"t{number}": rounds - 1 for number in range(THREADS)}
    assert record.revision == 1 + 2 * THREADS * rounds
    assert record.session_id in {f"{number}-{rounds - 1}" for number in range(THREADS)}
    assert files(tmp_path) == sorted([f"{record.session_id}.json", f"sessions/{name(session)}"])
    # In the order of each thread's calls, and in one order for all.
    assert seen == sorted(seen, key=lambda pair: pair[0])
    for number in range(THREADS):
        own = [id_ for _, id_ in seen if id_.startswith(f"{number}-")]
        assert own == sorted(own, key=lambda id_: int(id_.split("-")[1]))
    session.close()
    assert files(tmp_path) == []


def name(session: Session) -> str:
    """Return the name of a session's PID file."""
    assert session.path is not None
    return session.path.name


def test_one_of_eight_threads_closes(registry: Registry) -> None:
    for _ in range(20):
        session = registry.register(session_id="s", work_dir="/srv")
        start = threading.Barrier(THREADS)

        def close(session: Session = session, start: threading.Barrier = start) -> bool:
            start.wait()
            try:
                return session.close()
            except ClosedError:
                return False

        with ThreadPoolExecutor(THREADS) as pool:
            done = [pool.submit(close) for _ in range(THREADS)]
            assert sum(future.result() for future in done) == 1
        assert os.listdir(registry.dir) == []


def test_nothing_is_written_after_a_close(registry: Registry) -> None:
    for _ in range(20):
        session = registry.register(session_id="s", work_dir="/srv")
        start = threading.Barrier(THREADS)

        def update(session: Session = session, start: threading.Barrier = start) -> None:
            start.wait()
            while True:
                session.update(status="busy")

        with ThreadPoolExecutor(THREADS) as pool:
            done = [pool.submit(update) for _ in range(THREADS - 1)]
            start.wait()
            session.close()
            left = os.listdir(registry.dir)
            for future in done:
                with pytest.raises(ClosedError):
                    future.result()
        assert left == os.listdir(registry.dir) == []


def test_event_loops_call_it_in_threads_of_their_own(registry: Registry) -> None:
    async def serve() -> None:
        session = await asyncio.to_thread(registry.register, session_id="s", work_dir="/srv")
        try:
            updates = [asyncio.to_thread(session.update, {f"k{n}": n}) for n in range(20)]
            assert await asyncio.gather(*updates) == [True] * 20
            await asyncio.to_thread(session.switch, "t")
            live = await asyncio.to_thread(registry.live)
            assert [entry.record for entry in live] == [session.record]
            assert session.record.extra == {f"k{n}": n for n in range(20)}
        finally:
            await asyncio.to_thread(session.close)

    asyncio.run(serve())
    assert os.listdir(registry.dir) == []


# Signals


def update_for_ever(session: Session, timer: threading.Timer) -> None:
    """Call without an end, from the moment the timer runs."""
    timer.start()
    while True:
        session.update(status="busy")
        session.update(status="idle")


@posix_only
def test_ctrl_c_ends_a_session_in_order(registry: Registry) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    try:
        with (
            pytest.raises(KeyboardInterrupt),
            registry.register(session_id="s", work_dir="/srv") as session,
        ):
            update_for_ever(session, timer)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert os.listdir(registry.dir) == []


@posix_only
def test_signals_do_not_tear_the_calls_of_a_session(registry: Registry) -> None:
    seen = 0

    def handler(*_: object) -> None:
        nonlocal seen
        seen += 1

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        while seen < 100:
            with registry.register(session_id="s", work_dir="/srv") as session:
                assert session.update(status="busy")
                assert session.switch("t")
                assert registry.count_live() == 1
            with registry.claim("codex", "s"), pytest.raises(HeldError):
                registry.claim("codex", "s")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert os.listdir(registry.dir) == []


# Secrets


SECRETS = dict.fromkeys(["ipcPath", "ipcToken", "peerToken", "authToken"], "/run/SECRET")


def assert_hidden(*values: object) -> None:
    """Assert that nothing of the values shows a secret."""
    for value in values:
        shown = [repr(value), str(value), repr(pickle.dumps(value)), f"{value}"]
        if isinstance(value, sessionreg.Record):
            shown += [value.to_json(), repr(value.to_dict()), repr(value.extra)]
            shown += [str(value.extra_json), repr(value.replace(name="x").extra)]
        for text in shown:
            assert "SECRET" not in text
            assert not any(key in text for key in SECRETS)


def test_secrets_are_kept_and_never_shown(registry: Registry, tmp_path: Path) -> None:
    with registry.register(
        session_id="s", work_dir="/srv", extra={**SECRETS, "x": 1}, sidecar=tmp_path / "{id}.json"
    ) as session:
        assert session.record.extra == {"x": 1}
        session.update(status="busy")
        session.switch("t")
        with registry.open_session(session_id="t") as helper:
            helper.update(y=2)
            assert_hidden(helper.record)
        session.refresh()
        said = content(session)
        assert {key: said[key] for key in SECRETS} == SECRETS
        session.update(authToken="other SECRET")
        assert content(session)["authToken"] == "other SECRET"
        session.update(peerToken=None)
        assert "peerToken" not in content(session)
        assert_hidden(session.record, registry.scan(), *registry.live())
        assert "SECRET" not in repr(session)
        assert session.sidecar_path is not None
        assert "SECRET" not in session.sidecar_path.read_text()


@pytest.mark.parametrize("dialect", ["ours", "qwen", "claude"])
def test_secrets_of_other_programs_are_never_shown(dialect: str, registry: Registry) -> None:
    theirs = Registry(registry.dir, dialect)  # type: ignore[arg-type]
    with theirs.register(session_id="s", work_dir="/srv", extra={"x": 1}) as session:
        assert session.path is not None
        text = {**content(session), **SECRETS, "name": "n"}
        session.path.write_text(json.dumps(text))
        scan = theirs.scan()
        assert [entry.record.extra for entry in scan.entries] == [{"x": 1}]
        assert_hidden(scan, scan.entries[0].record)
        session.path.write_text(json.dumps({**text, "schemaVersion": 2}))
        assert_hidden(theirs.scan())
        with pytest.raises(SessionRegError) as caught:
            session.update(status=5)
        assert_hidden(caught.value)
        session.path.write_text(json.dumps(text))
