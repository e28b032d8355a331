"""A folder of PID files: opened, scanned, asked, swept."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import sessionreg
from programs import posix_only, running
from sessionreg import (
    Dialect,
    Entry,
    Holder,
    InvalidInputError,
    Reason,
    Record,
    Registry,
    Removed,
    Scan,
    Skipped,
    State,
    Swept,
    Verdict,
    _sessionreg,
)

WAITS = "import sys; sys.stdin.read()"

REGISTERS = """
    import sys, sessionreg
    folder, session_id, sidecar = sys.argv[1:]
    session = sessionreg.Registry(folder).register(
        session_id=session_id, work_dir="/srv", sidecar=sidecar or None
    )
    print(session.path, flush=True)
    sys.stdin.read()
"""


def kill(process: subprocess.Popen[str]) -> None:
    """End a process as nothing else does, and reap it."""
    process.kill()
    process.wait()


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Return the registry of a folder that is not there yet."""
    return Registry(tmp_path / "sessions")


def test_opening_and_asking_touch_nothing(registry: Registry, tmp_path: Path) -> None:
    assert registry.dir == tmp_path / "sessions"
    assert registry.scan() == Scan([], [])
    assert registry.records() == registry.live() == registry.find_by_session("s") == []
    assert registry.owner_of(os.getpid()) == registry.find_under(1) == []
    assert registry.count_live() == 0
    assert registry.sweep() == Swept([], 0, [])
    assert os.listdir(tmp_path) == []


def test_without_a_folder_it_is_the_users_own(home: Path) -> None:
    assert Registry().dir == Registry(None, None).dir == home / "sessions"
    assert Registry().dialect is Dialect.OURS
    assert Registry(dialect="qwen").dir == home / "sessions"
    assert Registry(dialect="qwen").dialect is Dialect.QWEN
    assert os.listdir(home) == []


def test_the_dialect_follows_from_the_folder_unless_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QWEN_HOME", str(tmp_path / "q"))
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "c"))
    assert Registry(tmp_path / "q" / "sessions").dialect is Dialect.QWEN
    assert Registry(os.fsencode(tmp_path / "c" / "sessions")).dialect is Dialect.CLAUDE
    assert Registry(tmp_path / "other").dialect is Dialect.OURS
    assert Registry(tmp_path / "q" / "sessions", "ours").dialect is Dialect.OURS
    assert Registry(tmp_path / "other", Dialect.CLAUDE).dialect == "claude"


def test_the_dialects_are_those_of_the_core() -> None:
    assert [dialect.value for dialect in Dialect] == _sessionreg._dialects()
    assert str(Dialect.QWEN) == f"{Dialect.QWEN}" == "qwen"
    for dialect in Dialect:
        assert Registry("d", dialect).dialect is dialect


def test_what_opens_no_registry_is_refused() -> None:
    for value in (5, True, b"ours", ["ours"]):
        with pytest.raises(TypeError, match="`dialect` must be"):
            Registry("d", value)  # type: ignore[arg-type]
    for word in ("", "Ours", "gemini", "ours\0", "\ud800"):
        with pytest.raises(InvalidInputError):
            Registry("d", word)  # type: ignore[arg-type]
    for folder in (5, True, ["a"], object()):
        with pytest.raises(TypeError):
            Registry(folder)  # type: ignore[arg-type]
    for path in ("", b"", "a\0b", b"a\0b"):
        with pytest.raises(InvalidInputError):
            Registry(path)


def test_a_relative_folder_is_what_it_names_when_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    registry = Registry("sessions")
    monkeypatch.chdir("/")
    assert registry.dir == tmp_path / "sessions"


@posix_only
@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems refuse such names")
def test_folders_that_are_no_utf_8_are_exact(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/\xff\x80"
    for given in (folder, os.fsdecode(folder), Path(os.fsdecode(folder))):
        registry = Registry(given)
        assert os.fsencode(registry.dir) == folder
        assert ascii(os.fsdecode(folder)) in ascii(registry)
        sidecar = folder + b"/chats/{id}-\xfe.runtime.json"
        with registry.register(session_id="s", work_dir="/srv", sidecar=sidecar) as session:
            assert session.path is not None
            assert os.fsencode(session.path.parent) == folder
            assert session.path.name.encode() in os.listdir(folder)
            assert session.sidecar_path is not None
            assert os.fsencode(session.sidecar_path) == folder + b"/chats/s-\xfe.runtime.json"
            [entry] = registry.live()
            assert entry.path == session.path
            assert pickle.loads(pickle.dumps(entry)) == entry
            assert repr(entry).isprintable()
        (Path(os.fsdecode(folder)) / "1.json").write_text("{")
        [skipped] = registry.scan().skipped
        assert os.fsencode(skipped.path) == folder + b"/1.json"
        assert pickle.loads(pickle.dumps(skipped)) == skipped
        skipped.path.unlink()


def test_sessions_are_found_by_what_they_are(registry: Registry) -> None:
    with (
        registry.register(session_id="b", work_dir="/srv/é") as second,
        registry.register(session_id="a", work_dir="/srv") as first,
        running(REGISTERS, str(registry.dir), "a", "") as other,
    ):
        entries = registry.records()
        assert [(entry.record.session_id, entry.record.pid) for entry in entries] == sorted(
            [("a", os.getpid()), ("a", other.pid), ("b", os.getpid())]
        )
        assert registry.live() == entries == registry.scan().entries
        assert registry.count_live() == 3
        for entry in entries:
            assert entry.verdict == Verdict(Reason.VERIFIED) == sessionreg.liveness(entry.record)
            assert entry.path.parent == registry.dir

        def paths(found: list[Entry]) -> set[Path | None]:
            return {entry.path for entry in found}

        assert paths(registry.find_by_pid(os.getpid())) == {first.path, second.path}
        assert [entry.record.pid for entry in registry.find_by_pid(other.pid)] == [other.pid]
        assert len(registry.find_by_session("a")) == 2
        assert paths(registry.find_by_session("b")) == {second.path}
        assert paths(registry.find_by_work_dir("/srv/é")) == {second.path}
        assert registry.find_by_work_dir("/srv/") == []
        assert registry.find_by_pid(0) == registry.find_by_pid(2**32 - 1) == []
        assert registry.find_by_session("") == []
    assert os.listdir(registry.dir) == [f"{other.pid}-{entries_instance(entries, other.pid)}.json"]


def entries_instance(entries: list[Entry], pid: int) -> str:
    """Return the part of a file name that tells registrations of one pid apart."""
    [instance] = [entry.record.instance for entry in entries if entry.record.pid == pid]
    assert instance is not None
    return instance[:8]


def test_a_process_is_led_to_the_session_that_started_it(registry: Registry) -> None:
    with (
        registry.register(session_id="s", work_dir="/srv") as session,
        subprocess.Popen([sys.executable, "-c", WAITS], stdin=subprocess.PIPE) as child,
    ):
        [owner] = registry.owner_of(child.pid)
        assert owner.path == session.path
        assert registry.owner_of(os.getpid()) == [owner]
        assert registry.owner_of(os.getppid()) == []
        assert registry.find_under(os.getppid()) == registry.find_under(os.getpid()) == [owner]
        assert registry.find_under(child.pid) == []


@pytest.mark.parametrize("value", [-1, 2**32, 2**70])
def test_a_pid_to_look_for_does_not_wrap(value: int, registry: Registry) -> None:
    for call in (registry.find_by_pid, registry.owner_of, registry.find_under):
        with pytest.raises(InvalidInputError, match="`pid`"):
            call(value)


@pytest.mark.parametrize("value", [True, 1.0, "1", None, b"1"], ids=repr)
def test_what_is_looked_for_is_not_made_of_other_types(value: Any, registry: Registry) -> None:
    for call in (registry.find_by_pid, registry.owner_of, registry.find_under):
        with pytest.raises(TypeError, match="`pid` must be int"):
            call(value)
    if not isinstance(value, str):
        for search in (registry.find_by_session, registry.find_by_work_dir):
            with pytest.raises(TypeError, match="must be str"):
                search(value)


def test_one_bad_file_hides_nothing(registry: Registry) -> None:
    with registry.register(session_id="s", work_dir="/srv") as session:
        assert session.path is not None
        good = json.loads(session.path.read_text())
        for name, text in {
            "1.json": "{",
            "2.json": json.dumps({**good, "schemaVersion": 2, "pid": 2}),
            "3.json": json.dumps({**good, "pid": 4}),
            "5-.json": "{}",
        }.items():
            (registry.dir / name).write_text(text)
        (registry.dir / "6.json").mkdir()
        (registry.dir / "2026-03-14_notes.md").write_text("mine")
        scan = registry.scan()
        assert [entry.path for entry in scan.entries] == [session.path]
        assert {skipped.path.name: skipped.code for skipped in scan.skipped} == {
            "1.json": "CORRUPT",
            "2.json": "UNSUPPORTED_VERSION",
            "3.json": "CORRUPT",
            "5-.json": "CORRUPT",
            "6.json": "NOT_A_FILE",
        }
        assert all(skipped.reason for skipped in scan.skipped)
        assert scan.skipped == sorted(scan.skipped, key=lambda skipped: skipped.path)


def test_a_folder_that_is_none_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    registry = Registry(tmp_path / "f")
    calls: list[Callable[[], object]] = [
        registry.scan, registry.live, registry.count_live, registry.sweep,
        lambda: registry.register(session_id="s", work_dir="/srv"),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(sessionreg.SessionRegError) as caught:
            call()
        assert caught.value.filename is not None
        assert caught.value.filename.startswith(str(tmp_path / "f"))


def test_what_cannot_be_judged_is_listed_and_not_live(registry: Registry) -> None:
    with registry.register(session_id="s", work_dir="/srv") as session:
        assert session.path is not None
        there = {**json.loads(session.path.read_text()), "pid": 1, "hostKey": "0" * 32}
        there["procStart"] = "11111111-2222-3333-4444-555555555555:1"
        (registry.dir / "1.json").write_text(json.dumps(there))
        assert [entry.verdict.reason for entry in registry.records()] == ["other_host", "verified"]
        assert registry.count_live() == len(registry.live()) == 1


def dead_session(registry: Registry, sidecar: str = "") -> Path:
    """Return the PID file of a process that was killed."""
    with running(REGISTERS, str(registry.dir), "dead", sidecar) as process:
        [entry] = registry.find_by_pid(process.pid)
        kill(process)
    return entry.path


def test_a_sweep_removes_what_is_proven_dead_and_nothing_else(registry: Registry) -> None:
    dead = dead_session(registry)
    with registry.register(session_id="s", work_dir="/srv") as session:
        assert session.path is not None
        text = json.loads(dead.read_text())
        without_instance = {key: text[key] for key in text if key != "instance"}
        untouched = {
            "2147483647.json": json.dumps({**without_instance, "pid": 2**31 - 1}),
            "2147483646.json": json.dumps({**text, "pid": 2**31 - 2, "schemaVersion": 2}),
            "2147483645.json": "{",
            "2147483644.json": json.dumps({**text, "pid": 2**31 - 4, "pidNs": 1}),
            "notes.md": "mine",
        }
        for name, content in untouched.items():
            (registry.dir / name).write_text(content)
        dry = registry.sweep(dry_run=True)
        assert dead.exists()
        swept = registry.sweep()
        assert dry == swept
        [removed] = swept.removed
        assert (removed.path, removed.reason) == (dead, Reason.GONE)
        assert removed.record is not None
        assert removed.record.session_id == "dead"
        assert (swept.live, swept.failed) == (1, [])
        assert set(os.listdir(registry.dir)) == {session.path.name, *untouched}
        assert registry.sweep().removed == []


def test_sidecar_folders_are_swept_only_when_named(registry: Registry, tmp_path: Path) -> None:
    chats = tmp_path / "chats"
    template = str(chats / "{id}.runtime.json")
    dead_session(registry, template)
    living = Record("living", "/srv")
    sessionreg.write(chats / "living.runtime.json", living)
    assert len(registry.sweep().removed) == 1
    assert sorted(os.listdir(chats)) == ["dead.runtime.json", "living.runtime.json"]
    nothing: list[Iterable[Any]] = [[], (), iter([tmp_path / "no"]), [b"/nowhere"]]
    for folders in nothing:
        assert registry.sweep(sidecar_folders=folders).removed == []
    both: list[str | Path] = [str(chats), chats]
    swept = registry.sweep(sidecar_folders=(folder for folder in both))
    assert [removed.path for removed in swept.removed] == [chats / "dead.runtime.json"]
    assert os.listdir(chats) == ["living.runtime.json"]


def test_temporary_files_of_dead_writers_go_at_once(registry: Registry) -> None:
    killed = dead_session(registry)
    living = registry.dir / f".sr-{os.getpid()}-0-00000000-0-00000000.tmp"
    living.write_text("{")
    assert [removed.path for removed in registry.sweep().removed] == [killed]
    assert living.exists()


@pytest.mark.parametrize("value", ["/tmp", b"/tmp", Path("/tmp"), 5, [5], [None]], ids=repr)
def test_one_path_is_not_a_list_of_folders(value: Any, registry: Registry) -> None:
    with pytest.raises(TypeError):
        registry.sweep(sidecar_folders=value)


@pytest.mark.parametrize("value", [1, 0, None, "yes"], ids=repr)
def test_a_dry_run_is_a_bool(value: Any, registry: Registry) -> None:
    dead = dead_session(registry)
    with pytest.raises(TypeError):
        registry.sweep(dry_run=value)
    with pytest.raises(TypeError):
        registry.sweep(True)  # type: ignore[call-arg]  # noqa: FBT003
    assert dead.exists()


RECORD = Record("s", "/srv", pid=1, started_at=0)
OTHER = RECORD.replace(name="x")
HOSTILE = "\x1b[31m\x07\u202e\n"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Entry(RECORD, Verdict("gone"), "/a"), Entry(RECORD, Verdict("gone"), "/b")),
        (Entry(RECORD, Verdict("gone"), "/a"), Entry(RECORD, Verdict("reused"), "/a")),
        (Entry(RECORD, Verdict("gone"), "/a"), Entry(OTHER, Verdict("gone"), "/a")),
        (Skipped("/a", "CORRUPT", "torn"), Skipped("/a", "CORRUPT", "other")),
        (Removed("/a", "gone", RECORD), Removed("/a", None, None)),
        (Holder(1, "s", "h", "/a"), Holder(None, None, None, "/a")),
        (Scan([], [Skipped("/a", "IO", "x")]), Scan([], [])),
        (Swept([Removed("/a", "gone", None)], 1, []), Swept([], 1, [])),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_results_are_values(one: Any, other: Any) -> None:
    for value in (one, other):
        again = pickle.loads(pickle.dumps(value))
        assert again == value
        assert type(again) is type(value)
        assert repr(again) == repr(value)
        fields = [getattr(value, name) for name in type(value).__match_args__]
        assert type(value)(*fields) == value
        with pytest.raises(AttributeError):
            value.path = "/x"
    assert one != other
    assert one != "a value"
    if isinstance(one, (Scan, Swept)):
        with pytest.raises(TypeError):
            hash(one)
    else:
        assert len({one, pickle.loads(pickle.dumps(one)), other}) == 2


def test_results_are_made_of_their_own_types_only() -> None:
    wrong: list[Callable[..., object]] = [
        lambda: Entry(RECORD, "gone", "/a"),  # type: ignore[arg-type]
        lambda: Entry({}, Verdict("gone"), "/a"),  # type: ignore[arg-type]
        lambda: Entry(RECORD, Verdict("gone"), 5),  # type: ignore[arg-type]
        lambda: Skipped("/a", 5, "x"),  # type: ignore[arg-type]
        lambda: Removed("/a", 5, None),  # type: ignore[arg-type]
        lambda: Removed("/a", "gone", {}),  # type: ignore[arg-type]
        lambda: Holder(True, None, None, "/a"),  # noqa: FBT003
        lambda: Holder(1, None, None, None),  # type: ignore[arg-type]
        lambda: Scan((), []),  # type: ignore[arg-type]
        lambda: Swept([], 1, ()),  # type: ignore[arg-type]
        lambda: Swept([], True, []),  # noqa: FBT003
    ]
    for make in wrong:
        with pytest.raises(TypeError):
            make()
    for name in ("Session", "Claim"):
        with pytest.raises(TypeError, match=r"No constructor|cannot create"):
            getattr(sessionreg, name)()


def test_representations_are_safe_on_a_terminal() -> None:
    shown = [
        Entry(RECORD.replace(session_id=HOSTILE), Verdict("gone"), "/" + HOSTILE),
        Skipped("/" + HOSTILE, HOSTILE, HOSTILE),
        Holder(1, HOSTILE, HOSTILE, "/" + HOSTILE),
        Removed("/" + HOSTILE, None, None),
        Registry("/" + HOSTILE),
    ]
    assert all(repr(value).isprintable() for value in shown)


def test_results_take_part_in_patterns(registry: Registry) -> None:
    with registry.register(session_id="s", work_dir="/srv"):
        match registry.scan():
            case Scan([Entry(Record(session_id="s"), Verdict(State.ALIVE), path)], []):
                assert path.exists()
            case _:
                pytest.fail("the pattern should match")


def test_a_registry_goes_to_another_process_by_its_folder(registry: Registry) -> None:
    again = pickle.loads(pickle.dumps(registry))
    assert (again.dir, again.dialect) == (registry.dir, registry.dialect)
    assert repr(again) == repr(registry)
    with registry.register(session_id="s", work_dir="/srv") as session:
        with pytest.raises(TypeError, match="pickle"):
            pickle.dumps(session)
        assert pickle.loads(pickle.dumps(registry.scan())) == again.scan()


def test_eight_threads_scan_while_sessions_come_and_go(registry: Registry) -> None:
    with (
        registry.register(session_id="stays", work_dir="/srv") as stays,
        ThreadPoolExecutor(8) as pool,
    ):

        def look(_number: int) -> None:
            for _ in range(50):
                assert stays.path in [entry.path for entry in registry.live()]

        def register(number: int) -> None:
            for round_ in range(25):
                session_id = f"{number}-{round_}"
                with registry.register(session_id=session_id, work_dir="/srv") as session:
                    [entry] = registry.find_by_session(session_id)
                    assert entry.record == session.record
                assert registry.find_by_session(session_id) == []

        done = [pool.submit(look, number) for number in range(4)]
        done += [pool.submit(register, number) for number in range(4)]
        for future in done:
            future.result()
        assert registry.scan() == Scan(registry.find_by_session("stays"), [])


@posix_only
def test_a_scan_in_a_forked_child_sees_what_its_parent_sees(registry: Registry) -> None:
    with registry.register(session_id="s", work_dir="/srv"):
        before = registry.scan()
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if registry.scan() == before else 1)
            finally:
                os._exit(2)
        assert os.waitpid(child, 0)[1] == 0


@posix_only
def test_a_process_that_was_killed_is_seen_to_be_dead(registry: Registry) -> None:
    with running(REGISTERS, str(registry.dir), "s", "") as process:
        assert registry.count_live() == 1
        os.kill(process.pid, signal.SIGKILL)
        # Dead, and not reaped: it still answers to a signal.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        [entry] = registry.records()
        assert entry.verdict.reason is Reason.ZOMBIE
        assert registry.live() == []
        process.wait()
        [entry] = registry.records()
        assert entry.verdict.reason is Reason.GONE
