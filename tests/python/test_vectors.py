"""The shared vectors, against the Python face. Their format is in `tests/vectors/README.md`."""

from __future__ import annotations

import faulthandler
import json
import os
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import sessionreg
from expected import check_record, code_of, expectation, parse
from helper import Helper
from histories import History, scan
from restores import RestoreHistory
from sessionreg import Record
from snapshots import Iterates, IteratesInALoop, Reader, Waits, take_snapshots, watch
from vectors import Case, SkipCase, Texts, cases, check_left, place

Operation: TypeAlias = Callable[[Case, Texts, Path, Helper], None]

CASES = cases()
SECONDS_FOR_A_CASE = 60
MAX_RECORD_BYTES = 64 * 1024


@pytest.fixture(scope="module")
def helper() -> Iterator[Helper]:
    """Return the helper that makes the processes."""
    helper = Helper()
    yield helper
    helper.close()


@pytest.fixture(scope="module")
def host(helper: Helper) -> dict[str, Any]:
    """Return the facts of this host."""
    return helper.ask("host")


@pytest.fixture(autouse=True)
def _within_seconds() -> Iterator[None]:
    # A blocked call cannot be interrupted from here: the run ends, and says where.
    faulthandler.dump_traceback_later(SECONDS_FOR_A_CASE, exit=True, file=2)
    yield
    faulthandler.cancel_dump_traceback_later()


def test_names_are_unique_and_the_cases_are_there() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names)) >= 150


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_vector(case: Case, helper: Helper, host: dict[str, Any], tmp_path: Path) -> None:
    run(case, helper, host, tmp_path, _OPERATIONS[case.body["op"]])


def test_a_restore_vector_that_fails_leaves_no_claim(tmp_path: Path) -> None:
    steps = [
        {"do": "load", "as": "a", "args": {"id": "s"}, "expect": {"begun": "owner"}},
        {"do": "load", "as": "b", "args": {"id": "t"}, "expect": {"begun": "owner"}},
        {"do": "complete", "as": "b", "args": {"state": 1}, "expect": {"begun": "sharer"}},
    ]
    body = {"name": "", "op": "", "table": {"agent": "codex"}, "steps": steps}
    with pytest.raises(AssertionError, match="step 2"):
        RestoreHistory(body, Texts({}, {"root": "/"}), tmp_path).run()
    for session_id in ("s", "t"):
        sessionreg.Registry(tmp_path).claim("codex", session_id).release()


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.body["op"] == "history"], ids=lambda case: case.name
)
def test_vector_with_keywords(
    case: Case, helper: Helper, host: dict[str, Any], tmp_path: Path
) -> None:
    run(case, helper, host, tmp_path, partial(_history, form="keywords"))


@pytest.mark.parametrize("form", [Iterates, IteratesInALoop])
@pytest.mark.parametrize(
    "case", [case for case in CASES if case.body["op"] == "watch"], ids=lambda case: case.name
)
def test_vector_with_iterators(
    case: Case, form: type[Reader], helper: Helper, host: dict[str, Any], tmp_path: Path
) -> None:
    run(case, helper, host, tmp_path, partial(_watch, form=form))


def run(
    case: Case, helper: Helper, host: dict[str, Any], folder: Path, operation: Operation
) -> None:
    """Run a case, if it can run here."""
    platforms = case.body.get("platforms", [host["platform"]])
    if host["platform"] not in platforms:
        pytest.skip("not for this platform")
    try:
        facts = _facts(case, helper, host, folder)
        texts = Texts(case.let, facts)
        for need in case.body.get("needs", []):
            if need == "root" and host["uid"] != 0:
                raise SkipCase("needs root")
            if need == "pidfs" and not host["pidfs"]:
                raise SkipCase("needs pidfs")
            if need not in ("root", "pidfs"):
                texts.fact(need)
        with pytest.MonkeyPatch.context() as environment:
            if case.body["op"] in ("history", "restore_history"):
                for name in ("SESSIONREG_KIND", "QWEN_HOME", "CLAUDE_CONFIG_DIR"):
                    environment.delenv(name, raising=False)
            if case.body["op"] in ("history", "snapshot", "watch"):
                environment.setenv("SESSIONREG_HOME", str(folder / "home"))
            for name, value in case.body.get("env", {}).items():
                environment.setenv(name, texts.text(value))
            operation(case, texts, folder, helper)
    except SkipCase as reason:
        if os.environ.get("SESSIONREG_NO_SKIP") == "1":
            pytest.fail(f"may not be skipped: {reason}")
        pytest.skip(str(reason))


def _facts(case: Case, helper: Helper, host: dict[str, Any], folder: Path) -> dict[str, Any]:
    process = case.body.get("process")
    facts = dict(host)
    if process is not None:
        command = f"identify {os.getpid()}" if process == "runner" else f"spawn {process}"
        answer = helper.ask(command)
        if "skip" in answer:
            raise SkipCase(answer["skip"])
        facts |= answer
    facts["host_key"] = Record("s", "/").host_key
    facts["own_pid"] = os.getpid()
    facts["root"] = "C:" if os.name == "nt" else ""
    facts["dir"] = folder.as_posix()
    return facts


def _make(case: Case, texts: Texts) -> Record:
    fields: dict[str, Any] = {}
    for name, spec in case.body["fields"].items():
        if name == "extra":
            fields[name] = {key: parse(texts.json_text(raw)) for key, raw in spec.items()}
        else:
            fields[name] = texts.value(spec)
    if isinstance(fields.get("started_at"), str):
        fields["started_at"] = float(fields["started_at"])
    return Record(**fields)


def _record(case: Case) -> dict[str, Any]:
    return {**case.base_record, **case.body["expect"]["record"]}


def _load(case: Case, texts: Texts, folder: Path, _helper: Helper) -> None:
    expect = expectation(case.body, "record", "error")
    path = place(folder, case.body, texts)
    if "error" in expect:
        assert code_of(lambda: sessionreg.load(path)) == expect["error"]
        assert sessionreg.read(path) is None
    else:
        record = sessionreg.load(path)
        check_record(texts, record, _record(case))
        assert sessionreg.read(path) == record
    is_ours = case.body.get("file", {}).get("owner") is None
    if is_ours and not path.is_symlink() and path.is_file():
        text = path.read_bytes()
        if len(text) <= MAX_RECORD_BYTES:
            assert code_of(lambda: Record.from_json(text)) == expect.get("error")
            if "record" in expect:
                assert Record.from_json(text) == record
    if case.body.get("file", {}).get("kind") == "symlink":
        assert (path.parent / "target").read_bytes() == texts.content(case.body["file"]["to"])


def _make_only(case: Case, texts: Texts, _folder: Path, _helper: Helper) -> None:
    expect = expectation(case.body, "record", "error")
    if "error" in expect:
        assert code_of(lambda: _make(case, texts)) == expect["error"]
    else:
        check_record(texts, _make(case, texts), _record(case))


def _write(case: Case, texts: Texts, folder: Path, _helper: Helper) -> None:
    expect = expectation(case.body, "content", "keys", "error", "left")
    path = place(folder, case.body, texts)
    before = _names(path.parent)
    if "error" in expect:
        assert code_of(lambda: sessionreg.write(path, _make(case, texts))) == expect["error"]
        assert _names(path.parent) == before
        check_left(path, expect["left"], texts)
        return
    sessionreg.write(path, _make(case, texts))
    mode = path.lstat().st_mode
    assert stat.S_ISREG(mode)
    if os.name == "posix":
        assert stat.S_IMODE(mode) == 0o600
    assert _names(path.parent) == before | {path.name}
    if "content" in expect:
        assert path.read_bytes() == texts.content(expect["content"])
    if "keys" in expect:
        assert list(json.loads(path.read_bytes())) == expect["keys"]
    if case.body.get("file", {}).get("kind") == "symlink":
        assert (path.parent / "target").read_bytes() == texts.content(case.body["file"]["to"])


def _names(folder: Path) -> set[str]:
    return set(os.listdir(folder)) if folder.is_dir() else set()


def _rewrite(case: Case, texts: Texts, folder: Path, _helper: Helper) -> None:
    expect = expectation(case.body, "content", "error")
    record = sessionreg.load(place(folder, case.body, texts))
    out = folder / "out.runtime.json"
    if "error" in expect:
        assert code_of(lambda: sessionreg.write(out, record)) == expect["error"]
        return
    sessionreg.write(out, record)
    assert out.read_bytes() == texts.content(expect["content"])
    sessionreg.write(out, sessionreg.load(out))
    assert out.read_bytes() == texts.content(expect["content"])


def _clear(case: Case, texts: Texts, folder: Path, _helper: Helper) -> None:
    _check_removal(case, texts, place(folder, case.body, texts), sessionreg.clear)


def _clear_if(case: Case, texts: Texts, folder: Path, _helper: Helper) -> None:
    path = place(folder, case.body, texts)
    other = path.parent / "other.runtime.json"
    if not other.parent.is_dir():
        other = folder / other.name
    other.write_bytes(texts.content(case.body["record"]))
    record = sessionreg.load(other)
    _check_removal(case, texts, path, lambda path: sessionreg.clear_if(path, record))


def _check_removal(case: Case, texts: Texts, path: Path, call: Callable[[Path], bool]) -> None:
    expect = expectation(case.body, "removed", "error", "left")
    if "error" in expect:
        assert code_of(lambda: call(path)) == expect["error"]
    else:
        assert call(path) is expect["removed"]
        assert call(path) is False
    if "left" in expect:
        check_left(path, expect["left"], texts)
    if case.body.get("file", {}).get("kind") == "symlink":
        assert (path.parent / "target").read_bytes() == texts.content(case.body["file"]["to"])


def _liveness(case: Case, texts: Texts, folder: Path, _helper: Helper) -> None:
    expect = expectation(case.body, "verdict")
    if "fields" in case.body:
        record = _make(case, texts)
    elif case.body.get("origin", True):
        record = sessionreg.load(place(folder, case.body, texts))
    else:
        record = Record.from_json(texts.content(case.body["file"]))
    verdict = sessionreg.liveness(record)
    assert {"state": verdict.state, "reason": verdict.reason} == expect["verdict"]
    assert sessionreg.liveness_all([record, record]) == [verdict, verdict]


def _session_id(case: Case, texts: Texts, _folder: Path, _helper: Helper) -> None:
    expect = expectation(case.body, "ok", "error")
    session_id = texts.value(case.body["id"])
    error = code_of(lambda: sessionreg.check_session_id(session_id))
    assert {"error": error} == expect if "error" in expect else error is None


def _path(case: Case, texts: Texts, _folder: Path, _helper: Helper) -> None:
    expect = expectation(case.body, "path", "error")
    args = texts.value(case.body["args"])
    args["session_id"] = args.pop("id")
    helpers: dict[str, Callable[..., Path]] = {
        "sidecar_in_project": sessionreg.sidecar_in_project,
        "sidecar_of": sessionreg.sidecar_of,
    }
    call = helpers[case.body["helper"]]
    if "error" in expect:
        assert code_of(lambda: call(**args)) == expect["error"]
    else:
        assert call(**args).as_posix() == texts.text(expect["path"])


def _scan(case: Case, texts: Texts, folder: Path, _helper: Helper) -> None:
    scan(case.body, case.base_record, texts, folder)


def _history(case: Case, texts: Texts, folder: Path, helper: Helper, form: str = "dict") -> None:
    History(case.body, texts, folder, helper.ask, form).run()


def _snapshot(case: Case, texts: Texts, folder: Path, _helper: Helper) -> None:
    take_snapshots(case.body, texts, folder)


def _watch(
    case: Case, texts: Texts, folder: Path, helper: Helper, form: type[Reader] = Waits
) -> None:
    watch(case.body, texts, folder, helper.ask, form)


def _restore_history(case: Case, texts: Texts, folder: Path, _helper: Helper) -> None:
    RestoreHistory(case.body, texts, folder).run()


_OPERATIONS: dict[str, Operation] = {
    "load": _load,
    "make": _make_only,
    "write": _write,
    "rewrite": _rewrite,
    "clear": _clear,
    "clear_if": _clear_if,
    "liveness": _liveness,
    "session_id": _session_id,
    "path": _path,
    "scan": _scan,
    "history": _history,
    "snapshot": _snapshot,
    "watch": _watch,
    "restore_history": _restore_history,
}
