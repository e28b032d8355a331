"""What is found at one moment: sources, sessions, questions, and what is left over."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sessionreg
from programs import linux_only, posix_only
from sessionreg import (
    AgentSession,
    CleanedUp,
    ContextUsage,
    InvalidInputError,
    Monitor,
    Polled,
    Registry,
    Skipped,
    Snapshot,
    Sources,
    State,
    Terminal,
    Tidied,
    Transcript,
    snapshot,
)

FOLDERS = ["registries", "claude_code", "qwen_code", "kimi_cli", "codex", "copilot", "hooks"]
ANSWER = '{"message":{"usage":{"input_tokens":10,"output_tokens":2}}}\n'
HOSTILE = "\x1b[31m\x07\u202e\n"


def of_registry(folder: Path) -> Sources:
    """Return one registry as the only source."""
    return Sources.none(registries=[folder])


def hook(data: Path, session_id: str, age: float = 0, **fields: Any) -> Path:
    """Write a record as hooks do."""
    path = data / "sessions" / f"{session_id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {"session_id": session_id, "agent": "claude", "status": "active", **fields}
    path.write_text(json.dumps(record))
    then = time.time() - age
    os.utime(path, (then, then))
    return path


# Sources


def test_without_arguments_sources_are_the_homes_of_the_programs(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {
        "claude_code": "CLAUDE_CONFIG_DIR",
        "kimi_cli": "KIMI_SHARE_DIR",
        "codex": "CODEX_HOME",
    }
    for name, variable in names.items():
        monkeypatch.setenv(variable, f"/homes/{name}")
    monkeypatch.setenv("QWEN_HOME", "/homes/qwen")
    monkeypatch.setenv("QWEN_RUNTIME_DIR", "/homes/runtime")
    sources = Sources()
    assert sources.registries == [home / "sessions"]
    assert sources.qwen_code == [Path("/homes/qwen"), Path("/homes/runtime")]
    for name in names:
        assert getattr(sources, name) == [Path(f"/homes/{name}")]
    assert sources == Sources(registries=None, processes=None, dead_within=None)
    flags = (sources.processes, sources.multiplexers, sources.superseded, sources.dead_within)
    assert flags == (True, False, False, 86400.0)


def test_sources_that_are_given_take_the_place_of_homes(home: Path) -> None:
    sources = Sources(codex=["/a", b"/b", Path("/c")], hooks=[], dead_within=5, superseded=True)
    assert sources.codex == [Path("/a"), Path("/b"), Path("/c")]
    assert sources.hooks == []
    assert (sources.dead_within, sources.superseded) == (5.0, True)
    assert sources.registries == [home / "sessions"]


def test_none_begins_with_nothing() -> None:
    nothing = Sources.none()
    assert all(getattr(nothing, name) == [] for name in FOLDERS)
    assert not nothing.processes
    named = Sources.none(codex=iter(["/a"]), multiplexers=True, hooks=None)
    assert (named.codex, named.multiplexers, named.hooks) == ([Path("/a")], True, [])
    assert Sources.none(codex=["/a"], multiplexers=True) == named
    with pytest.raises(TypeError, match='no field "colour"'):
        Sources.none(colour=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Sources(colour=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Sources(["/a"])  # type: ignore[call-arg]


def test_sources_are_values() -> None:
    one = Sources.none(codex=["/a"], dead_within=0.1)
    others = [Sources.none(codex=["/a"], dead_within=0.2), Sources.none(hooks=["/a"]), Sources()]
    for sources in (one, *others):
        again = pickle.loads(pickle.dumps(sources))
        assert (again, hash(again), repr(again)) == (sources, hash(sources), repr(sources))
    assert len({one, *others}) == 4
    assert one != "sources"
    one.codex.append(Path("/b"))
    assert one.codex == [Path("/a")]
    with pytest.raises(AttributeError):
        one.codex = []  # type: ignore[misc]
    assert repr(Sources.none(codex=["/" + HOSTILE])).isprintable()


@posix_only
def test_folders_that_are_no_utf_8_are_exact(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/\xff\xfe"
    with Registry(raw).register(session_id="s", work_dir="/srv"):
        for folder in (raw, os.fsdecode(raw), Path(os.fsdecode(raw))):
            sources = Sources.none(registries=[folder])
            assert [os.fsencode(path) for path in sources.registries] == [raw]
            assert pickle.loads(pickle.dumps(sources)) == sources
            [session] = snapshot(sources).sessions
            [file] = session.files
            assert os.fsencode(file).startswith(raw)
            assert session.to_dict()["files"] == [str(file)]


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("value", ["/a", b"/a", 5, [5], [None]], ids=repr)
def test_a_list_of_folders_is_made_of_nothing_else(name: str, value: Any) -> None:
    for make in (Sources, Sources.none):
        with pytest.raises(TypeError):
            make(**{name: value})


@pytest.mark.parametrize("name", ["processes", "multiplexers", "superseded"])
@pytest.mark.parametrize("value", [1, 0, "yes", 1.0, []], ids=repr)
def test_a_choice_is_a_bool(name: str, value: Any) -> None:
    for make in (Sources, Sources.none):
        with pytest.raises(TypeError, match=f"`{name}` must be bool"):
            make(**{name: value})


SECONDS: list[Callable[[Any], object]] = [
    lambda value: Sources(dead_within=value),
    lambda value: Sources.none(dead_within=value),
    lambda value: Monitor(Sources.none(), fold=value),
    lambda value: Monitor(Sources.none(), poll=value),
    lambda value: Monitor(Sources.none()).wait(timeout=value),
    lambda value: Monitor(Sources.none()).wait_async(timeout=value),
    lambda value: Monitor(Sources.none()).watch().next(value),
    lambda value: Polled("x", value),
]


@pytest.mark.parametrize("call", SECONDS)
def test_a_length_of_time_is_exact_or_refused(call: Callable[[Any], object]) -> None:
    for value in (True, "1", b"1", 1j, [1]):
        with pytest.raises(TypeError, match="must be float"):
            call(value)
    for value in (-1, -0.001, float("nan"), float("inf"), 1e300, 2**64, 2**1100):
        with pytest.raises(InvalidInputError):
            call(value)


@pytest.mark.parametrize("value", [5, b"x", True, ["x"]], ids=repr)
def test_a_cursor_is_text(value: Any) -> None:
    with Monitor(Sources.none()) as monitor:
        for call in (monitor.wait, monitor.wait_async, monitor.watch):
            with pytest.raises(TypeError, match="`cursor` must be str"):
                call(value)
            with pytest.raises(InvalidInputError):
                call("\ud800")


def test_sources_are_given_as_sources() -> None:
    values: list[Any] = [{}, "/a", [], 5]
    for value in values:
        with pytest.raises(TypeError):
            snapshot(value)
        with pytest.raises(TypeError):
            Monitor(value)


# A snapshot


def test_a_snapshot_shows_the_sessions_of_the_user(home: Path) -> None:
    with Registry().register(session_id="mine", work_dir="/srv", status="busy") as session:
        for found in (snapshot(), Monitor().snapshot()):
            [mine] = found.find_by_session("mine")
            assert (mine.pid, mine.status, mine.state) == (os.getpid(), "busy", State.ALIVE)
            assert mine.files == [session.path]
            assert mine.sources == ["registry"]
    assert snapshot().find_by_session("mine") == []
    assert os.listdir(home / "sessions") == []


def test_a_session_says_all_that_is_known_of_it(tmp_path: Path) -> None:
    transcript = tmp_path / "t.jsonl"
    transcript.write_text(ANSWER)
    terminal = Terminal("tmux", "main", "%3")
    registry = Registry(tmp_path / "sessions")
    with registry.register(
        session_id="s é",
        work_dir="/srv",
        agent="claude-code",
        kind="headless",
        name="n",
        status="waiting",
        transcript_path=str(transcript),
        parent_session_id="p",
        terminal=terminal,
        extra={"x": [2**70], "y": None},
    ) as mine:
        mine.update(waiting_for="permission")
        [one] = snapshot(of_registry(registry.dir)).sessions
        record = mine.record
    assert one.key == record.instance
    assert (one.agent, one.kind, one.name) == ("claude-code", "headless", "n")
    assert (one.status, one.waiting_for) == ("waiting", "permission")
    assert (one.started_at, one.updated_at) == (record.started_at, record.updated_at)
    assert one.parent_session_id == "p"
    assert one.terminal == terminal
    assert one.transcript == Transcript(transcript, transcript.stat().st_mtime_ns)
    assert one.context_usage == ContextUsage(12, None)
    assert one.extra == {"x": [2**70], "y": None}
    assert one.extra_json == f'{{"x":[{2**70}],"y":null}}'
    assert (one.superseded_by, one.turn_start_tokens) == (None, None)
    plain = one.to_dict()
    assert plain["terminal"] == {"multiplexer": "tmux", "session": "main", "pane": "%3"}
    assert plain["transcript"] == {"path": str(transcript), "mtime_ns": one.transcript.mtime_ns}
    assert plain["context_usage"] == {"current_tokens": 12}
    assert not any(value is None for value in plain.values())
    parsed = json.loads(one.to_json())
    assert "\n" not in one.to_json()
    plain["transcript"]["mtime_ns"] = str(one.transcript.mtime_ns)
    assert parsed == plain


def test_a_session_is_a_value(tmp_path: Path) -> None:
    registry, sources = Registry(tmp_path), of_registry(tmp_path)
    with registry.register(session_id="s", work_dir="/srv") as mine:
        found = snapshot(sources)
        [one], [again] = found.sessions, snapshot(sources).sessions
        assert found.sessions[0] is one
        found.sessions.clear()
        assert found.sessions == [one]
        mine.update(status="busy")
        [other] = snapshot(sources).sessions
    assert (one, hash(one), repr(one)) == (again, hash(again), repr(again))
    # Of one registration, told apart by what it says.
    assert one != other
    assert hash(one) == hash(other)
    assert one != "a session"
    assert copy.copy(one) is copy.deepcopy(one) is one
    with pytest.raises(AttributeError):
        one.status = "idle"  # type: ignore[misc]


def test_lists_and_dicts_of_a_session_are_copies(tmp_path: Path) -> None:
    with Registry(tmp_path).register(session_id="s", work_dir="/srv", extra={"a": []}):
        [one] = snapshot(of_registry(tmp_path)).sessions
    before = one.to_json()
    one.extra["a"].append(1)
    one.sources.clear()
    one.files.clear()
    one.to_dict().clear()
    assert (one.extra, one.sources, len(one.files)) == ({"a": []}, ["registry"], 1)
    assert one.to_json() == before


def test_one_bad_file_hides_nothing(tmp_path: Path) -> None:
    with Registry(tmp_path).register(session_id="s", work_dir="/srv"):
        for number in range(20):
            (tmp_path / f"{number + 1}.json").write_text("{torn")
        found = snapshot(of_registry(tmp_path))
    assert [one.session_id for one in found.sessions] == ["s"]
    assert {skipped.code for skipped in found.skipped} == {"CORRUPT"}
    assert len(found.skipped) == 20
    parsed = json.loads(found.to_json())
    assert [(file["path"], file["code"]) for file in parsed["skipped"]] == [
        (str(skipped.path), skipped.code) for skipped in found.skipped
    ]


@linux_only
def test_a_process_is_led_to_the_session_that_started_it(tmp_path: Path) -> None:
    with (
        Registry(tmp_path).register(session_id="s", work_dir="/srv"),
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child,
    ):
        found = snapshot(of_registry(tmp_path))
        [mine] = found.sessions
        assert found.owner_of(child.pid) == found.owner_of(os.getpid()) == [mine]
        assert found.find_under(os.getppid()) == found.find_under(os.getpid()) == [mine]
        assert found.owner_of(1) == found.find_under(child.pid) == []
        child.communicate(b"\n")


@pytest.mark.parametrize("value", ["1", 1.0, True, None, b"1"], ids=repr)
def test_what_is_looked_for_is_not_made_of_other_types(value: Any) -> None:
    found = snapshot(Sources.none())
    for query in (found.find_by_pid, found.owner_of, found.find_under):
        with pytest.raises(TypeError, match="`pid` must be int"):
            query(value)
        for number in (-1, 2**32 + 5):
            with pytest.raises(InvalidInputError):
                query(number)
    for text in (5, b"s", None):
        for ask in (found.find_by_session, found.find_by_work_dir):
            with pytest.raises(TypeError, match="must be str"):
                ask(text)  # type: ignore[arg-type]


def test_a_snapshot_leaves_everything_as_it_is(tmp_path: Path, home: Path) -> None:
    names = ["registries", "claude_code", "qwen_code", "kimi_cli", "codex", "copilot", "hooks"]
    missing: dict[str, Any] = {name: [tmp_path / name] for name in names}
    assert snapshot(Sources.none(**missing)).sessions == []
    with Monitor(Sources.none(**missing)) as monitor:
        assert monitor.snapshot().sessions == []
        assert monitor.wait() is not None
    assert os.listdir(tmp_path) == os.listdir(home) == []


def test_names_are_safe_on_a_terminal(tmp_path: Path) -> None:
    data = tmp_path / "amc"
    hook(data, "s", cwd="/" + HOSTILE, project_name=HOSTILE, status=HOSTILE)
    found = snapshot(Sources.none(hooks=[data]))
    assert len(found.sessions) == 1
    shown: list[object] = [found, *found.sessions, Tidied("/" + HOSTILE, HOSTILE)]
    shown += [Transcript("/" + HOSTILE, None), Polled(HOSTILE, 1)]
    assert all(repr(value).isprintable() for value in shown)
    for text in (found.to_json(), found.sessions[0].to_json()):
        assert "\x1b" not in text
        assert "\n" not in text


# Plain values


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Transcript("/a", 2**90), Transcript("/a", None)),
        (ContextUsage(2**64 - 1, 5), ContextUsage(2**64 - 1, None)),
        (Tidied("/a", "stale"), Tidied("/a", "orphan")),
        (Polled("processes", 2), Polled("processes", 0.5)),
        (CleanedUp([Tidied("/a", "stale")], []), CleanedUp([], [Skipped("/a", "IO", "x")])),
    ],
    ids=lambda value: type(value).__name__,
)
def test_results_are_values(one: Any, other: Any) -> None:
    for value in (one, other):
        again = pickle.loads(pickle.dumps(value))
        assert (again, repr(again), type(again)) == (value, repr(value), type(value))
        fields = [getattr(value, name) for name in type(value).__match_args__]
        assert type(value)(*fields) == value
        with pytest.raises(AttributeError):
            value.path = "/x"
    assert one != other
    assert one != "a value"
    if isinstance(one, CleanedUp):
        with pytest.raises(TypeError):
            hash(one)
    else:
        assert len({one, pickle.loads(pickle.dumps(one)), other}) == 2


def test_results_are_made_of_their_own_types_only() -> None:
    wrong: list[Callable[..., object]] = [
        lambda: Transcript(5, None),  # type: ignore[arg-type]
        lambda: Transcript("/a", 1.0),  # type: ignore[arg-type]
        lambda: Transcript("/a", True),  # noqa: FBT003
        lambda: ContextUsage(True, None),  # noqa: FBT003
        lambda: ContextUsage(1, "2"),  # type: ignore[arg-type]
        lambda: Tidied("/a", 5),  # type: ignore[arg-type]
        lambda: Polled(5, 1),  # type: ignore[arg-type]
        lambda: CleanedUp((), []),  # type: ignore[arg-type]
    ]
    for make in wrong:
        with pytest.raises(TypeError):
            make()
    for number in (-1, 2**128):
        with pytest.raises(InvalidInputError):
            Transcript("/a", number)
    for number in (-1, 2**64):
        with pytest.raises(InvalidInputError):
            ContextUsage(number, None)
    for name in ("AgentSession", "Snapshot", "Batch", "Watch"):
        with pytest.raises(TypeError, match=r"No constructor|cannot create"):
            getattr(sessionreg, name)()


def test_sessions_take_part_in_patterns(tmp_path: Path) -> None:
    with Registry(tmp_path).register(session_id="s", work_dir="/srv"):
        match snapshot(of_registry(tmp_path)):
            case Snapshot(sessions=[AgentSession(session_id="s", state=State.ALIVE)], skipped=[]):
                pass
            case _:
                pytest.fail("the pattern should match")


# What is left over


def test_a_clean_up_removes_what_is_left_over_where_it_is_told_to(tmp_path: Path) -> None:
    data, other = tmp_path / "amc", tmp_path / "other"
    stale, kept = hook(data, "old", age=7200, status="starting"), hook(data, "busy")
    elsewhere = hook(other, "old", age=7200, status="starting")
    torn = data / "sessions" / "torn.json"
    torn.write_text("{")
    log = data / "events" / "lost.jsonl"
    log.parent.mkdir()
    log.write_text("{}\n")
    then = time.time() - 2 * 86400
    os.utime(log, (then, then))
    with Monitor(Sources.none(hooks=[data, other])) as monitor:
        assert monitor.clean_up([]) == CleanedUp([], [])
        would = monitor.clean_up([data], dry_run=True)
        assert log.exists()
        assert stale.exists()
        done = monitor.clean_up(iter([str(data)]))
        assert monitor.clean_up([os.fsencode(data)]).removed == []
    assert done == would
    assert done.removed == [Tidied(log, "orphan"), Tidied(stale, "stale")]
    [failed] = done.failed
    assert (failed.path, failed.code) == (torn, "CORRUPT")
    assert [log.exists(), stale.exists()] == [False, False]
    assert kept.exists()
    assert torn.exists()
    assert elsewhere.exists()


def test_what_is_cleaned_up_is_named_exactly(tmp_path: Path) -> None:
    stale = hook(tmp_path, "old", age=7200, status="starting")
    with Monitor(Sources.none()) as monitor:
        for value in (str(tmp_path), os.fsencode(tmp_path), tmp_path, 5, None, [5]):
            with pytest.raises(TypeError):
                monitor.clean_up(value)  # type: ignore[arg-type]
        for choice in (1, "yes", 0):
            with pytest.raises(TypeError, match="`dry_run` must be bool"):
                monitor.clean_up([tmp_path], dry_run=choice)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            monitor.clean_up([tmp_path], True)  # type: ignore[call-arg]  # noqa: FBT003
    assert stale.exists()


def test_the_tokens_at_the_start_of_a_turn_are_kept_in_our_own_home(
    tmp_path: Path, home: Path
) -> None:
    data, transcript = tmp_path / "amc", tmp_path / "t.jsonl"
    transcript.write_text(ANSWER)
    path = hook(data, "s", transcript_path=str(transcript), last_event="UserPromptSubmit")
    before = path.read_bytes()
    sources = Sources.none(hooks=[data])
    with Monitor(sources) as monitor:
        [first] = monitor.snapshot().sessions
        assert os.listdir(home) == []
        assert monitor.record_turn_start() == 1
        assert monitor.record_turn_start() == 0
    transcript.write_text(ANSWER + ANSWER.replace("10", "100"))
    with Monitor(sources) as later:
        [second] = later.snapshot().sessions
    assert first.context_usage == ContextUsage(12, None)
    assert second.context_usage == ContextUsage(102, None)
    assert first.turn_start_tokens == second.turn_start_tokens == 12
    assert path.read_bytes() == before
