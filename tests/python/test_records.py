"""What a record promises as a Python value."""

from __future__ import annotations

import copy
import inspect
import os
import pickle
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sessionreg
from sessionreg import InvalidInputError, NotFoundError, Record, Terminal

EVERY_FIELD: dict[str, Any] = {
    "pid": 4242,
    "session_id": "0b7f3c1e",
    "work_dir": "/srv/project",
    "hostname": "build-7",
    "started_at": 1763690000.125,
    "agent_version": "0.9.1",
    "version_key": "goose_version",
    "proc_start": "3f1c9a52-6b7e-4d08-9c1d-2e5f80a7b346:8675309",
    "pid_inode": "18446744073709551615",
    "host_key": "00112233445566778899aabbccddeeff",
    "platform": "linux",
    "pid_ns": 4026531836,
    "time_ns": 2**53 - 1,
    "instance": "ffeeddccbbaa99887766554433221100",
    "revision": 7,
    "status": "waiting",
    "waiting_for": "permission",
    "updated_at": 1763690001.5,
    "status_updated_at": 1763690001.25,
    "agent": "qwen-code",
    "kind": "interactive",
    "name": "héllo",
    "entrypoint": "cli",
    "transcript_path": "/srv/log.jsonl",
    "parent_session_id": "parent",
    "terminal": {"multiplexer": "tmux", "session": "work", "pane": "%3"},
    "extra": {"a": [1, 2.5, None, True, {"b": "\U0001f600"}], "": {}},
}

NUMBERS = [
    "pid", "started_at", "pid_ns", "time_ns", "revision", "updated_at", "status_updated_at",
]  # fmt: skip


def test_a_record_without_a_pid_is_a_registration_of_this_process() -> None:
    before = time.time()
    record = Record("s", "/srv")
    assert record.pid == os.getpid()
    assert record.hostname == platform.node()
    assert before - 0.001 <= record.started_at <= time.time() + 0.001
    assert record.instance is not None
    assert record.instance != Record("s", "/srv").instance
    assert record.platform == sys.platform
    assert sessionreg.liveness(record).reason == "verified"


def test_a_pid_that_is_given_is_not_looked_up() -> None:
    record = Record("s", "/srv", pid=os.getpid())
    assert record.proc_start is record.pid_inode is record.instance is None
    assert sessionreg.liveness(record).reason == "unverified"


def test_of_process_reads_the_identity_of_another_process() -> None:
    record = Record.of_process(os.getppid(), "s", "/srv", agent="qwen-code", name=None)
    assert record.pid == os.getppid()
    assert record.agent == "qwen-code"
    assert sessionreg.liveness(record).reason == "verified"


def test_of_process_says_that_there_is_no_such_process() -> None:
    with pytest.raises(NotFoundError, match="no process has the id"):
        Record.of_process(2**31 - 1, "s", "/srv")
    with pytest.raises(InvalidInputError):
        Record.of_process(0, "s", "/srv")


def test_fields_that_are_given_always_win() -> None:
    record = Record("s", "/srv", hostname="h", started_at=1.5, instance="i", proc_start="b:1")
    assert (record.hostname, record.started_at) == ("h", 1.5)
    assert (record.instance, record.proc_start) == ("i", "b:1")


def test_every_field_comes_back_as_it_was_given() -> None:
    fields = {name: value for name, value in EVERY_FIELD.items() if name != "terminal"}
    record = Record(**EVERY_FIELD)
    assert {name: getattr(record, name) for name in fields} == fields
    assert record.terminal == Terminal("tmux", "work", "%3")
    assert record.to_dict() == EVERY_FIELD
    parameters = set(inspect.signature(Record).parameters)
    assert parameters == set(EVERY_FIELD), "every field is tested here"


@pytest.mark.parametrize("fields", [EVERY_FIELD, {"session_id": "s", "work_dir": "/srv"}])
def test_copies_as_dict_json_and_pickle_are_equal(fields: dict[str, Any]) -> None:
    record = Record(**fields)
    assert Record.from_dict(record.to_dict()) == record
    assert Record.from_json(record.to_json()) == record
    assert Record.from_json(record.to_json().encode()) == record
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(record, protocol)) == record


def test_a_record_that_cannot_be_written_can_be_pickled() -> None:
    record = Record("s", "relative", pid=2**32 - 1)
    with pytest.raises(InvalidInputError):
        record.to_json()
    assert pickle.loads(pickle.dumps(record)) == record


def test_a_record_read_back_equals_the_one_written(tmp_path: Path) -> None:
    for record in (Record("s", "/srv"), Record("s", "/srv", agent="codex"), Record(**EVERY_FIELD)):
        sessionreg.write(tmp_path / "r.json", record)
        assert sessionreg.read(tmp_path / "r.json") == record


def test_equal_records_have_equal_hashes_and_others_differ() -> None:
    record = Record(**EVERY_FIELD)
    assert hash(record) == hash(Record(**EVERY_FIELD))
    assert len({record, Record(**EVERY_FIELD), Record("s", "/srv")}) == 2
    changes: dict[str, Any] = dict.fromkeys(EVERY_FIELD, "x")
    changes |= dict.fromkeys(NUMBERS, 1)
    changes |= {"version_key": "other_version", "terminal": None, "extra": {}}
    for name, value in changes.items():
        assert record.replace(**{name: value}) != record, name
    assert record != "a record"
    with pytest.raises(TypeError):
        _ = record < record  # type: ignore[operator]


def test_a_record_cannot_be_changed() -> None:
    record = Record("s", "/srv", extra={"a": [1]})
    with pytest.raises(AttributeError):
        record.pid = 1  # type: ignore[misc]
    with pytest.raises(AttributeError):
        record.other = 1  # type: ignore[attr-defined]
    record.extra["a"].append(2)
    record.to_dict()["extra"]["b"] = 1
    assert record.extra == {"a": [1]}


def test_replace_changes_only_what_it_names() -> None:
    record = Record(**EVERY_FIELD)
    changed = record.replace(name=None, work_dir="/other", hostname=None, extra={"x": 1})
    assert changed.to_dict() == {
        **{name: EVERY_FIELD[name] for name in EVERY_FIELD.keys() - {"name", "hostname"}},
        "work_dir": "/other",
        "extra": {"x": 1},
    }
    assert record.to_dict() == EVERY_FIELD
    assert record.replace() == record
    with pytest.raises(TypeError, match="no field"):
        record.replace(nome="x")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        record.replace(pid=None)  # type: ignore[arg-type]


@pytest.mark.skipif(sys.version_info < (3, 13), reason="copy.replace came with Python 3.13")
def test_copy_replace_works() -> None:
    if sys.version_info >= (3, 13):
        assert copy.replace(Record(**EVERY_FIELD), name="x").name == "x"


def test_the_version_key_follows_the_agent_until_one_is_given() -> None:
    record = Record("s", "/srv", agent="qwen-code")
    assert record.version_key == "qwen_version"
    assert record.replace(agent="kimi-cli").version_key == "kimi_version"
    assert Record("s", "/srv").version_key == "agent_version"
    given = Record("s", "/srv", version_key="kimi_version")
    assert pickle.loads(pickle.dumps(given)).version_key == "kimi_version"


def test_only_native_copies_remember_where_a_record_was_read(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    other_boot = "11111111-2222-3333-4444-555555555555:1"
    sessionreg.write(path, Record("s", "/srv", proc_start=other_boot))
    record = sessionreg.load(path)
    reasons = {
        "itself": record,
        "copy": copy.copy(record),
        "deepcopy": copy.deepcopy([record])[0],
        "replace": record.replace(name="x"),
    }
    assert {name: sessionreg.liveness(r).reason for name, r in reasons.items()} == dict.fromkeys(
        reasons, sessionreg.Reason.REBOOTED
    )
    plain = [
        pickle.loads(pickle.dumps(record)),
        Record.from_dict(record.to_dict()),
        Record.from_json(record.to_json()),
    ]
    assert [r == record for r in plain] == [True] * 3
    assert {verdict.reason for verdict in sessionreg.liveness_all(plain)} == {"other_host"}


def test_from_dict_looks_nothing_up_and_refuses_what_it_does_not_know() -> None:
    least = {"pid": 1, "session_id": "s", "work_dir": "/srv", "started_at": 0}
    record = Record.from_dict(least)
    assert record.hostname is record.instance is record.proc_start is None
    for name in least:
        missing = {key: value for key, value in least.items() if key != name}
        with pytest.raises(InvalidInputError, match=name):
            Record.from_dict(missing)
    with pytest.raises(InvalidInputError, match="nome"):
        Record.from_dict({**least, "nome": "x"})
    with pytest.raises(TypeError):
        Record.from_dict({**least, 5: "x"})  # type: ignore[dict-item]
    with pytest.raises(TypeError):
        Record.from_dict(list(least.items()))  # type: ignore[arg-type]


HOSTILE = "\x1b[31m\x07\x00\x9b\u202e\u200b\u2066\ufeff\n"


def test_representations_and_messages_are_safe_on_a_terminal(tmp_path: Path) -> None:
    record = Record(HOSTILE, "/" + HOSTILE, hostname=HOSTILE, agent=HOSTILE, name=HOSTILE)
    shown = [repr(record), repr(Terminal(HOSTILE, HOSTILE, HOSTILE))]
    calls: list[Callable[[], object]] = [
        lambda: sessionreg.load(tmp_path / HOSTILE.replace("\0", "")),
        lambda: sessionreg.load(HOSTILE),
        lambda: sessionreg.check_session_id(HOSTILE),
        lambda: sessionreg.Verdict(HOSTILE),
        lambda: Record.from_dict({**EVERY_FIELD, HOSTILE: 1}),
        lambda: sessionreg.write(tmp_path / "x", record),
    ]
    for call in calls:
        with pytest.raises(sessionreg.SessionRegError) as caught:
            call()
        shown += [str(caught.value), repr(caught.value)]
    assert all(text.isprintable() for text in shown), shown


def test_a_terminal_is_a_value() -> None:
    terminal = Terminal(multiplexer="tmux", pane="%3")
    assert (terminal.multiplexer, terminal.session, terminal.pane) == ("tmux", None, "%3")
    assert terminal == Terminal("tmux", None, "%3") != Terminal("tmux")
    assert hash(terminal) == hash(Terminal("tmux", None, "%3"))
    assert pickle.loads(pickle.dumps(terminal)) == copy.deepcopy(terminal) == terminal
    assert repr(terminal) == "Terminal(multiplexer='tmux', session=None, pane='%3')"
    assert Record("s", "/srv", terminal=terminal).terminal == terminal
    fields: dict[str, Any] = {"terminal": {"tab": "1"}}
    with pytest.raises(InvalidInputError):
        Record("s", "/srv", **fields)
