"""One record in one file, through every kind of path."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

import sessionreg
from sessionreg import InvalidInputError, NotAFileError, NotFoundError, Record

on_posix = pytest.mark.skipif(os.name != "posix", reason="file names are bytes on POSIX only")


class PathLike:
    """Any object with `__fspath__`."""

    def __init__(self, path: Any) -> None:
        self.path = path

    def __fspath__(self) -> Any:
        """Return the path."""
        return self.path


def test_a_record_is_written_read_judged_and_cleared(tmp_path: Path) -> None:
    path = tmp_path / "chats" / "s.runtime.json"
    record = Record("s", "/srv", agent="qwen-code")
    assert sessionreg.write(path, record) is None  # type: ignore[func-returns-value]
    assert sessionreg.read(path) == sessionreg.load(path) == record
    assert sessionreg.liveness(sessionreg.load(path)).state is sessionreg.State.ALIVE
    assert sessionreg.clear_if(path, Record("s", "/srv")) is False
    assert sessionreg.clear_if(path, record) is True
    assert sessionreg.read(path) is None
    assert sessionreg.clear(path) is False
    sessionreg.write(path, record, durable=True)
    assert sessionreg.clear(path) is True
    assert os.listdir(path.parent) == []


def test_folders_are_made_only_where_wanted(tmp_path: Path) -> None:
    path = tmp_path / "a" / "r"
    with pytest.raises(NotFoundError):
        sessionreg.write(path, Record("s", "/srv"), create_folders=False)
    assert os.listdir(tmp_path) == []
    sessionreg.write(path, Record("s", "/srv"))
    if os.name == "posix":
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "name", ["plain", "ünïcödé", "\U0001f600", " ", "-", "a\nb", "\x1b", "x" * 255], ids=ascii
)
def test_every_kind_of_path_names_the_same_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    record = Record("s", "/srv")
    sessionreg.write(str(path), record)
    assert os.listdir(tmp_path) == [name]
    for same in (
        str(path),
        path,
        os.fsencode(path),
        PathLike(str(path)),
        PathLike(os.fsencode(path)),
    ):
        assert sessionreg.read(same) == sessionreg.load(same) == record
        assert sessionreg.clear_if(same, Record("s", "/srv")) is False
        assert sessionreg.clear(same) is True
        sessionreg.write(same, record)
        assert os.listdir(tmp_path) == [name]


@on_posix
@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems refuse such names")
def test_names_that_are_no_utf_8_are_exact(tmp_path: Path) -> None:
    name = b"\xff\x80a"
    path = os.fsencode(tmp_path) + b"/" + name
    record = Record("s", "/srv")
    sessionreg.write(path, record)
    assert os.listdir(os.fsencode(tmp_path)) == [name]
    assert sessionreg.read(os.fsdecode(path)) == sessionreg.read(path) == record
    assert sessionreg.clear(os.fsdecode(path)) is True
    with pytest.raises(NotFoundError) as caught:
        sessionreg.load(path)
    assert caught.value.filename == os.fsdecode(path)
    sidecar = sessionreg.sidecar_in_project(path, "s")
    assert os.fsencode(sidecar) == path + b"/chats/s.runtime.json"


IMPOSSIBLE = ["", "/", ".", "..", "a\0b", b"a\0b", "a/", PathLike("\0"), PathLike(b"")]


@pytest.mark.parametrize("path", IMPOSSIBLE, ids=lambda p: ascii(getattr(p, "path", p)))
def test_a_path_that_can_never_name_a_file_is_invalid(path: Any) -> None:
    record = Record("s", "/srv")
    for call in (
        lambda: sessionreg.write(path, record),
        lambda: sessionreg.read(path),
        lambda: sessionreg.load(path),
        lambda: sessionreg.clear(path),
        lambda: sessionreg.clear_if(path, record),
    ):
        with pytest.raises(InvalidInputError):
            call()


@on_posix
def test_surrogates_that_are_no_bytes_are_invalid() -> None:
    with pytest.raises(InvalidInputError):
        sessionreg.read("/tmp/\ud800")


@pytest.mark.parametrize("path", [5, None, True, ["a"], bytearray(b"a"), object()], ids=repr)
def test_what_is_no_path_is_a_type_error(path: Any) -> None:
    for call in (sessionreg.read, sessionreg.load, sessionreg.clear):
        with pytest.raises(TypeError):
            call(path)
    with pytest.raises(TypeError):
        sessionreg.read(PathLike(5))


def test_read_gives_nothing_for_whatever_is_there(tmp_path: Path) -> None:
    (tmp_path / "torn").write_text("{")
    assert sessionreg.read(tmp_path / "torn") is None
    assert sessionreg.read(tmp_path) is None
    with pytest.raises(sessionreg.CorruptError):
        sessionreg.load(tmp_path / "torn")
    with pytest.raises(NotAFileError):
        sessionreg.load(tmp_path)


def test_where_known_programs_keep_their_sidecars(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sidecar = sessionreg.sidecar_of("qwen-code", "/srv/x", "s", home=tmp_path)
    assert sidecar == tmp_path / "projects" / "-srv-x" / "chats" / "s.runtime.json"
    assert sidecar == sessionreg.sidecar_of("qwen-code", "/srv/x", "s", os.fsencode(tmp_path))
    # Python's own changes of the environment are seen.
    monkeypatch.setenv("QWEN_RUNTIME_DIR", str(tmp_path / "runtime"))
    assert sessionreg.sidecar_of("qwen-code", "/srv/x", "s").is_relative_to(tmp_path / "runtime")
    with pytest.raises(InvalidInputError):
        sessionreg.sidecar_of("other", "/srv/x", "s")


def test_a_verdict_is_a_value() -> None:
    import pickle

    verdict = sessionreg.liveness(Record("s", "/srv"))
    assert verdict == sessionreg.Verdict("verified") != sessionreg.Verdict(sessionreg.Reason.GONE)
    assert hash(verdict) == hash(sessionreg.Verdict("verified"))
    assert pickle.loads(pickle.dumps(verdict)) == verdict
    assert (str(verdict), repr(verdict)) == ("alive (verified)", "Verdict('verified')")
    match verdict:
        case sessionreg.Verdict(sessionreg.State.ALIVE, reason):
            assert reason is sessionreg.Reason.VERIFIED
        case _:
            pytest.fail("the pattern should match")
    with pytest.raises(InvalidInputError):
        sessionreg.Verdict("alive")
    with pytest.raises(TypeError):
        sessionreg.Verdict(1)  # type: ignore[arg-type]


def test_the_words_are_those_of_the_core() -> None:
    from sessionreg import Reason, State, _sessionreg

    pairs = _sessionreg._reasons()
    assert [reason.value for reason in Reason] == [reason for reason, _ in pairs]
    assert {state.value for state in State} == {state for _, state in pairs}
    for reason, state in pairs:
        verdict = sessionreg.Verdict(reason)
        assert verdict.reason is Reason(reason)
        assert verdict.state is State(state)
        assert verdict.reason == str(verdict.reason) == f"{verdict.reason}" == reason


def test_many_are_judged_in_the_order_given() -> None:
    records = [
        Record("s", "/srv"),
        Record("s", "/srv", pid=0),
        Record("s", "/srv", pid=os.getpid()),
    ]
    reasons = [verdict.reason for verdict in sessionreg.liveness_all(iter(records))]
    assert reasons == ["verified", "invalid", "unverified"]
    assert sessionreg.liveness_all([]) == []
