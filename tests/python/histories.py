"""The vectors of registries: one scan, and what happens in a folder step by step."""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from expected import check_record, check_some_of_record, parse
from sessionreg import (
    Claim,
    Entry,
    HeldError,
    Holder,
    Registry,
    Scan,
    Session,
    SessionRegError,
    Skipped,
    State,
    Swept,
)
from vectors import SkipCase, Texts, check_left, place

SECRET = "s3cr3t"
CONTENT = {"text", "lines", "hex", "parts", "kind", "to", "owner"}
_CHANGES = ("update", "switch", "refresh", "leave", "close")


def put(path: Path, spec: dict[str, Any], texts: Texts, folder: Path) -> None:
    """Put a file at a path, in the place of what is there; a link leads out of its folder."""
    if "kind" in spec or not path.is_file() or path.is_symlink():
        remove(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if spec.get("kind") == "symlink":
        (folder / "target").write_bytes(texts.content(spec["to"]))
        path.symlink_to(folder / "target")
    else:
        place(path.parent, {"path": path.name, "file": spec}, texts)


def put_aged(path: Path, args: dict[str, Any], texts: Texts, folder: Path) -> None:
    """Put a file at a path, of the age that is said."""
    put(path, {key: args[key] for key in args.keys() - {"path", "age"}}, texts, folder)
    if "age" in args:
        then = time.time() - args["age"]
        os.utime(path, (then, then), follow_symlinks=False)


def remove(path: Path) -> None:
    """Remove what is at a path, a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


# One scan


def scan(body: dict[str, Any], base_record: dict[str, Any], texts: Texts, folder: Path) -> None:
    """Scan a folder that holds the files of a case."""
    expect = body["expect"]
    assert expect.keys() == {"entries", "skipped"}
    sessions = folder / "sessions"
    files = _files_of(body, texts, sessions)
    registry = Registry(sessions, body.get("dialect", "ours"))
    found = registry.scan()
    expected = expect["entries"]
    names = [texts.text(wanted["file"]) for wanted in expected]
    assert [entry.path for entry in found.entries] == [sessions / name for name in names]
    for entry, wanted in zip(found.entries, expected, strict=True):
        assert wanted.keys() <= {"file", "record", "verdict"}
        check_record(texts, entry.record, {**base_record, **wanted["record"]})
        if "verdict" in wanted:
            _check_verdict(entry, wanted["verdict"])
    assert all(wanted.keys() == {"file", "error"} for wanted in expect["skipped"])
    assert [(skipped.path, skipped.code) for skipped in found.skipped] == [
        (sessions / texts.text(wanted["file"]), wanted["error"]) for wanted in expect["skipped"]
    ]
    _check_queries(registry, found)
    _check_secrets(found)
    assert registry.scan() == found
    for path, spec in files.items():
        if spec.get("kind") == "symlink":
            assert path.readlink() == folder / "target"
            assert (folder / "target").read_bytes() == texts.content(spec["to"])
        else:
            check_left(path, {key: spec[key] for key in spec.keys() - {"owner"}}, texts)


def _files_of(body: dict[str, Any], texts: Texts, sessions: Path) -> dict[Path, dict[str, Any]]:
    files = {}
    for named in body.get("files", []):
        path = sessions / texts.text(named["name"])
        spec = {key: named[key] for key in named if key != "name"}
        assert spec.keys() <= CONTENT
        put(path, spec, texts, sessions.parent)
        files[path] = spec
    if "files" in body:
        sessions.mkdir(mode=0o700, exist_ok=True)
    return files


def _check_verdict(entry: Entry, wanted: dict[str, str]) -> None:
    assert {"state": entry.verdict.state, "reason": entry.verdict.reason} == wanted


def _check_queries(registry: Registry, found: Scan) -> None:
    entries = found.entries
    assert registry.records() == entries
    live = [entry for entry in entries if entry.verdict.state is State.ALIVE]
    assert registry.live() == live
    assert registry.count_live() == len(live)
    for record in (entry.record for entry in entries):
        assert registry.find_by_pid(record.pid) == [
            entry for entry in entries if entry.record.pid == record.pid
        ]
        assert registry.find_by_session(record.session_id) == [
            entry for entry in entries if entry.record.session_id == record.session_id
        ]
        assert registry.find_by_work_dir(record.work_dir) == [
            entry for entry in entries if entry.record.work_dir == record.work_dir
        ]


def _check_secrets(found: Scan) -> None:
    shown = [repr(found), str(found), repr(pickle.dumps(found))]
    for entry in found.entries:
        record = entry.record
        shown += [repr(entry), repr(record), str(record), str(record.extra_json)]
        # Not every record can be written, or held by Python's own values.
        for look in (record.to_json, record.to_dict, lambda record=record: record.extra):
            try:
                shown.append(repr(look()))
            except (RecursionError, SessionRegError) as error:
                shown.append(repr(error))
    assert not any(SECRET in text for text in shown)


# Step by step


class History:
    """A folder, and what is done in it and with it."""

    def __init__(
        self,
        body: dict[str, Any],
        texts: Texts,
        folder: Path,
        ask: Callable[[str], dict[str, Any]],
        form: str,
    ) -> None:
        dialect = body.get("dialect", "ours")
        path = folder / texts.text(body.get("registry", "sessions"))
        self._registry = Registry(path, None if dialect == "detected" else dialect)
        self._steps: list[dict[str, Any]] = body["steps"]
        self._texts = texts
        self._folder = folder
        self._ask = ask
        self._form = form
        self._handles: dict[str, Session | Claim] = {}
        self._all: list[Session | Claim] = []
        self._reported: list[str] = []

    def run(self) -> None:
        """Go through all steps."""
        assert self._steps
        try:
            for number, step in enumerate(self._steps):
                try:
                    self._step(step)
                except AssertionError as error:
                    raise AssertionError(f"step {number}, {step}: {error}") from error
        finally:
            for handle in self._all:
                with suppress(SessionRegError), handle:
                    pass

    def _step(self, step: dict[str, Any]) -> None:
        assert step.keys() <= {"do", "as", "args", "expect"}
        name, expect = step.get("as", "a"), step.get("expect", {})
        call, known = self._calls()[step["do"]]
        args = step.get("args", {})
        assert args.keys() <= known, args.keys() - known
        self._reported.clear()
        if "error" in expect:
            with pytest.raises(SessionRegError) as caught:
                call(name, args)
            assert caught.value.code == expect["error"], caught.value
            answer: Any = caught.value
        else:
            answer = call(name, args)
        if isinstance(answer, (Session, Claim)):
            self._handles[name] = answer
            self._all.append(answer)
        self._check(step["do"], name, answer, expect)

    # What is called

    def _calls(self) -> dict[str, tuple[Callable[[str, dict[str, Any]], object], set[str]]]:
        registry = self._registry
        new = {
            "session_id", "work_dir", "agent", "agent_version", "kind", "name", "entrypoint",
            "status", "transcript_path", "parent_session_id", "terminal", "sidecar", "pid_file",
            "keep_sidecar", "pid", "extra", "on_error",
        }  # fmt: skip

        def find(
            query: Callable[[Any], list[Entry]], key: str
        ) -> tuple[Callable[[str, dict[str, Any]], object], set[str]]:
            return lambda _, args: query(self._texts.value(args[key])), {key}

        return {
            "register": (lambda _, args: self._register(args), new),
            "open_session": (
                lambda _, args: registry.open_session(**self._texts.value(args)),
                {"pid", "session_id"},
            ),
            "update": (self._update, {"patch"}),
            "switch": (self._switch, {"session_id", "patch"}),
            "refresh": (lambda name, _: self._session(name).refresh(), set()),
            "leave": (lambda name, _: self._session(name).leave(), set()),
            "close": (lambda name, _: self._session(name).close(), set()),
            "scan": (lambda _, __: registry.scan(), set()),
            "live": (lambda _, __: registry.live(), set()),
            "records": (lambda _, __: registry.records(), set()),
            "count_live": (lambda _, __: registry.count_live(), set()),
            "find_by_pid": find(registry.find_by_pid, "pid"),
            "owner_of": find(registry.owner_of, "pid"),
            "find_under": find(registry.find_under, "pid"),
            "find_by_session": find(registry.find_by_session, "session_id"),
            "find_by_work_dir": find(registry.find_by_work_dir, "work_dir"),
            "sweep": (lambda _, args: self._sweep(args), {"dry_run", "sidecar_folders"}),
            "claim": (
                lambda _, args: registry.claim(**self._texts.value(args)),
                {"agent", "session_id"},
            ),
            "release": (lambda name, _: self._claim(name).release(), set()),
            "put_file": (lambda _, args: self._put_file(args), {"path", "age", *CONTENT}),
            "remove_file": (lambda _, args: remove(self._path(args["path"])), {"path"}),
            "end": (lambda _, __: self._ask(f"end {self._texts.fact('pid')}"), set()),
            "hold": (lambda _, args: self._ask_about("hold", args), {"path"}),
            "let_go": (lambda _, args: self._ask_about("let_go", args), {"path"}),
            "check": (lambda _, __: None, set()),
        }

    def _session(self, name: str) -> Session:
        session = self._handles[name]
        assert isinstance(session, Session)
        return session

    def _claim(self, name: str) -> Claim:
        claim = self._handles[name]
        assert isinstance(claim, Claim)
        return claim

    def _register(self, args: dict[str, Any]) -> Session:
        new = {name: self._texts.value(args[name]) for name in args.keys() - {"extra", "on_error"}}
        if "sidecar" in new:
            new["sidecar"] = self._folder / new["sidecar"]
        if "extra" in args:
            raws = args["extra"].items()
            new["extra"] = {key: parse(self._texts.json_text(raw)) for key, raw in raws}
        if args.get("on_error"):
            new["on_error"] = lambda error: self._reported.append(error.code)
        return self._registry.register(**new)

    def _update(self, name: str, args: dict[str, Any]) -> bool:
        patch = self._texts.value(args["patch"])
        session = self._session(name)
        return session.update(**patch) if self._form == "keywords" else session.update(patch)

    def _switch(self, name: str, args: dict[str, Any]) -> bool:
        new_id, session = self._texts.value(args["session_id"]), self._session(name)
        if "patch" not in args:
            return session.switch(new_id)
        patch = self._texts.value(args["patch"])
        if self._form == "keywords":
            return session.switch(new_id, **patch)
        return session.switch(new_id, patch)

    def _sweep(self, args: dict[str, Any]) -> Swept:
        options = self._texts.value(args)
        if "sidecar_folders" in options:
            options["sidecar_folders"] = [
                self._folder / path for path in options["sidecar_folders"]
            ]
        return self._registry.sweep(**options)

    def _put_file(self, args: dict[str, Any]) -> None:
        put_aged(self._path(args["path"]), args, self._texts, self._folder)

    def _ask_about(self, command: str, args: dict[str, Any]) -> None:
        answer = self._ask(f"{command} {self._path(args['path'])}")
        if "skip" in answer:
            raise SkipCase(answer["skip"])

    # Paths

    def _path(self, path: str) -> Path:
        """Return the file that a path names; that a pattern names, it must be there."""
        if "*" not in path:
            return self._folder / self._texts.text(path)
        found = self._matching(path)
        assert len(found) == 1, (path, found)
        return found[0]

    def _matching(self, pattern: str) -> list[Path]:
        path = self._folder / self._texts.text(pattern)
        names = os.listdir(path.parent) if path.parent.is_dir() else []
        return [path.parent / name for name in sorted(names) if _matches(path.name, name)]

    def _is_end(self, pattern: str, path: Path | None) -> bool:
        wanted = self._texts.text(pattern)
        return path is not None and _matches(wanted, path.as_posix(), prefix="(.*/)?")

    # What is expected

    def _check(self, do: str, name: str, answer: Any, expect: dict[str, Any]) -> None:
        checks: dict[str, Callable[[Any], None]] = {
            "error": lambda _: None,
            "holder": lambda wanted: self._check_holder(_holder_of(answer), wanted),
            "result": lambda _: None,
            "reported": lambda _: None,
            "session": lambda wanted: self._check_session(self._session(name), wanted),
            "entries": lambda wanted: self._check_entries(answer, wanted),
            "skipped": lambda wanted: self._check_skipped(answer.skipped, wanted),
            "count": lambda wanted: _check_equal(answer, wanted),
            "removed": lambda wanted: self._check_removed(answer, wanted),
            "live": lambda wanted: _check_equal(answer.live, wanted),
            "failed": lambda wanted: self._check_failed(answer, wanted),
            "path": lambda wanted: self._check_path(answer.path, wanted),
            "names": self._check_names,
            "files": self._check_files,
        }
        assert expect.keys() <= checks.keys(), expect.keys() - checks.keys()
        assert self._reported == expect.get("reported", [])
        if "error" not in expect:
            if do in _CHANGES:
                _check_equal(answer, expect.get("result", True))
            defaults: dict[str, list[Any]] = {}
            if do == "scan":
                defaults = {"skipped": []}
            if do == "sweep":
                defaults = {"removed": [], "failed": []}
            expect = {**defaults, **expect}
        # Files come last: what they keep is for the steps that follow.
        for key, check in checks.items():
            if key in expect:
                check(expect[key])

    def _check_path(self, path: Path | None, wanted: str | None) -> None:
        assert (path is None) == (wanted is None)
        assert wanted is None or self._is_end(wanted, path), path

    def _check_holder(self, holder: Holder | None, wanted: dict[str, Any] | None) -> None:
        if wanted is None:
            assert holder is None
            return
        assert wanted.keys() <= {"pid", "session_id", "host", "path"}
        assert holder is not None
        for key, value in wanted.items():
            if key == "path":
                self._check_path(holder.path, value)
            else:
                assert getattr(holder, key) == self._texts.value(value), key

    def _check_session(self, session: Session, wanted: dict[str, Any]) -> None:
        for key, value in wanted.items():
            if key == "record":
                check_some_of_record(self._texts, session.record, value)
            elif key in ("path", "sidecar_path"):
                self._check_path(getattr(session, key), value)
            elif key in ("sidecar_holder", "pid_file_holder"):
                self._check_holder(getattr(session, key), value)
            else:
                assert key == "registered"
                assert session.registered is value

    def _check_entries(self, answer: list[Entry] | Scan, wanted: list[dict[str, Any]]) -> None:
        entries = answer.entries if isinstance(answer, Scan) else answer
        assert len(entries) == len(wanted), entries
        for entry, some in zip(entries, wanted, strict=True):
            assert some.keys() <= {"file", "record", "verdict"}
            if "file" in some:
                self._check_path(entry.path, some["file"])
            if "record" in some:
                check_some_of_record(self._texts, entry.record, some["record"])
            if "verdict" in some:
                _check_verdict(entry, some["verdict"])

    def _check_skipped(self, skipped: list[Skipped], wanted: list[dict[str, str]]) -> None:
        assert len(skipped) == len(wanted), skipped
        for file, some in zip(skipped, wanted, strict=True):
            assert some.keys() == {"file", "error"}
            self._check_path(file.path, some["file"])
            assert file.code == some["error"]

    def _check_removed(self, answer: Swept, wanted: list[dict[str, Any]]) -> None:
        left = list(answer.removed)
        for some in wanted:
            assert some.keys() <= {"file", "reason", "record"}
            [removed] = [removed for removed in left if self._is_end(some["file"], removed.path)]
            left.remove(removed)
            assert removed.reason == some["reason"]
            if some.get("record") is not None:
                assert removed.record is not None
                check_some_of_record(self._texts, removed.record, some["record"])
            elif "record" in some:
                assert removed.record is None
        assert left == []

    def _check_failed(self, answer: Swept, wanted: list[dict[str, str]]) -> None:
        self._check_skipped(
            sorted(answer.failed, key=lambda file: file.path),
            sorted(wanted, key=lambda file: self._texts.text(file["file"])),
        )

    def _check_names(self, wanted: dict[str, list[str]]) -> None:
        for path, patterns in wanted.items():
            folder = self._folder / self._texts.text(path)
            left = os.listdir(folder) if folder.is_dir() else []
            # What is named without a pattern is not left to one.
            for pattern in sorted(map(self._texts.text, patterns), key=lambda name: "*" in name):
                name = next((name for name in left if _matches(pattern, name)), None)
                assert name is not None, (pattern, left)
                left.remove(name)
            assert left == [], path

    def _check_files(self, wanted: dict[str, dict[str, Any]]) -> None:
        kept: dict[str, str | int | float] = {}
        for pattern, some in wanted.items():
            if "json" in some:
                kept |= self._check_json(pattern, some)
            elif some == {"kind": "missing"} and "*" in pattern:
                assert self._matching(pattern) == []
            else:
                check_left(self._path(pattern), some, self._texts)
        for name, value in kept.items():
            self._texts.keep(name, value)

    def _check_json(self, pattern: str, some: dict[str, Any]) -> dict[str, str | int | float]:
        assert some.keys() <= {"json", "exact", "keep"}
        path = self._path(pattern)
        mode = path.lstat().st_mode
        assert stat.S_ISREG(mode)
        assert os.name != "posix" or stat.S_IMODE(mode) == 0o600
        found = json.loads(path.read_bytes())
        assert isinstance(found, dict)
        for key, value in some["json"].items():
            if value == "<absent>":
                assert key not in found
            elif value == "<any>":
                assert found.get(key) is not None, key
            else:
                check_same(found.get(key), self._texts.value(value), key)
                assert key in found
        if some.get("exact"):
            assert found.keys() == {key for key in some["json"] if some["json"][key] != "<absent>"}
        if pattern.endswith("-*.json"):
            assert path.name.endswith(f"-{found['instance'][:8]}.json")
        return {name: found[key] for name, key in some.get("keep", {}).items()}


def _matches(pattern: str, text: str, prefix: str = "") -> bool:
    parts = map(re.escape, pattern.split("*"))
    return re.fullmatch(prefix + "[^/]*".join(parts), text, re.DOTALL) is not None


def _holder_of(error: object) -> Holder | None:
    assert isinstance(error, HeldError)
    return error.holder


def _check_equal(answer: object, wanted: object) -> None:
    assert (answer, type(answer)) == (wanted, type(wanted))


def check_same(found: Any, wanted: Any, key: str) -> None:
    """Assert that two JSON values are the same: of the same types, numbers by value."""
    if wanted == "<any>":
        assert found is not None, key
    elif isinstance(wanted, dict):
        assert isinstance(found, dict), key
        assert found.keys() == wanted.keys(), key
        for inner, value in wanted.items():
            check_same(found[inner], value, f"{key}.{inner}")
    elif isinstance(wanted, list):
        assert isinstance(found, list), key
        assert len(found) == len(wanted), key
        for index, value in enumerate(wanted):
            check_same(found[index], value, f"{key}[{index}]")
    else:
        assert found == wanted, key
        assert isinstance(found, bool) == isinstance(wanted, bool), key
