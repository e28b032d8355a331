"""Nothing is coerced: every value is exact, or refused with the right class."""

from __future__ import annotations

import os
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import sessionreg
from sessionreg import InvalidIdError, InvalidInputError, Record

INTEGER_FIELDS = ["pid", "pid_ns", "time_ns", "revision"]
TEXT_FIELDS = [
    "session_id", "work_dir", "hostname", "agent_version", "version_key", "proc_start",
    "pid_inode", "host_key", "platform", "instance", "agent", "kind", "name", "entrypoint",
    "transcript_path", "parent_session_id", "status", "waiting_for",
]  # fmt: skip
TIME_FIELDS = ["started_at", "updated_at", "status_updated_at"]


class Index:
    """Counts as an integer for `operator.index`."""

    def __index__(self) -> int:
        """Return an integer."""
        return 5


def record(**fields: Any) -> Record:
    """Return a record with these fields."""
    return Record(**{"session_id": "s", "work_dir": "/srv", **fields})


def makers(name: str, value: Any) -> list[Any]:
    """Return every way to give a field."""
    least = {"pid": 1, "session_id": "s", "work_dir": "/srv", "started_at": 0}
    return [
        lambda: record(**{name: value}),
        lambda: record().replace(**{name: value}),
        lambda: Record.from_dict({**least, name: value}),
    ]


@pytest.mark.parametrize("name", INTEGER_FIELDS)
@pytest.mark.parametrize(
    "value", [True, False, 1.0, float("nan"), "1", b"1", Decimal(1), Index(), [1]], ids=repr
)
def test_integers_are_not_made_of_other_types(name: str, value: Any) -> None:
    for make in makers(name, value):
        with pytest.raises(TypeError, match=f"`{name}` must be int"):
            make()


@pytest.mark.parametrize("name", INTEGER_FIELDS)
@pytest.mark.parametrize("value", [-1, -(2**31), 2**64, 2**70, -(2**70), 10**400])
def test_integers_do_not_wrap(name: str, value: int) -> None:
    for make in makers(name, value):
        with pytest.raises(InvalidInputError, match=f"`{name}`"):
            make()


@pytest.mark.parametrize("value", [2**32, 2**32 + 5])
def test_a_pid_does_not_wrap(value: int) -> None:
    for make in makers("pid", value):
        with pytest.raises(InvalidInputError, match="`pid`"):
            make()
    with pytest.raises(InvalidInputError):
        Record.of_process(value, "s", "/srv")


@pytest.mark.parametrize("value", [0, 2**31, 2**32 - 1])
def test_a_pid_that_no_process_can_have_is_judged_and_written_by_no_one(
    value: int, tmp_path: Path
) -> None:
    assert record(pid=value).pid == value
    assert sessionreg.liveness(record(pid=value)).reason == "invalid"
    with pytest.raises(InvalidInputError):
        sessionreg.write(tmp_path / "r", record(pid=value))
    with pytest.raises(InvalidInputError):
        Record.of_process(value, "s", "/srv")
    assert os.listdir(tmp_path) == []


def test_integers_are_exact_up_to_their_limit() -> None:
    assert record(pid=2**31 - 1).pid == 2**31 - 1
    assert record(pid_ns=2**64 - 1).pid_ns == 2**64 - 1


@pytest.mark.parametrize("name", TIME_FIELDS)
@pytest.mark.parametrize("value", ["1", True, Fraction(1), Decimal(1), 1j, b"1"], ids=repr)
def test_times_are_not_made_of_other_types(name: str, value: Any) -> None:
    for make in makers(name, value):
        with pytest.raises(TypeError, match=f"`{name}` must be float"):
            make()


@pytest.mark.parametrize("name", TIME_FIELDS)
@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), float("-inf"), 2**53 + 1, 10**400],
    ids=lambda v: str(v)[:9],
)
def test_times_that_cannot_be_held_are_refused(name: str, value: float) -> None:
    for make in makers(name, value):
        with pytest.raises(InvalidInputError, match=f"`{name}`"):
            make()


@pytest.mark.parametrize("name", TIME_FIELDS)
def test_times_are_exact(name: str) -> None:
    for value in (0, 1763690000, 2**53, 0.1, sys.float_info.max, -1.5):
        found = getattr(record(**{name: value}), name)
        assert (found, type(found)) == (value, float)


@pytest.mark.parametrize("name", TEXT_FIELDS)
@pytest.mark.parametrize("value", [5, b"x", True, ["x"], Path("/x")], ids=repr)
def test_text_is_not_made_of_other_types(name: str, value: Any) -> None:
    for make in makers(name, value):
        with pytest.raises(TypeError, match=f"`{name}` must be str"):
            make()


@pytest.mark.parametrize("name", TEXT_FIELDS)
@pytest.mark.parametrize("value", ["\ud800", "/a\udcff"], ids=ascii)
def test_text_with_lone_surrogates_is_refused(name: str, value: str) -> None:
    for make in makers(name, value):
        with pytest.raises(InvalidInputError, match=f"`{name}`"):
            make()


def test_text_is_exact() -> None:
    for value in ("", "\0", "é", "e\u0301", "\U0001f600", "\ufeff", "a" * 100_000):
        assert record(name=value).name == value


@pytest.mark.parametrize("value", [5, None, [], object()], ids=repr)
def test_terminals_and_extra_are_not_made_of_other_types(value: Any) -> None:
    if value is not None:
        for name in ("terminal", "extra"):
            if not (name == "extra" and value == {}):
                for make in makers(name, value):
                    with pytest.raises(TypeError, match=f"`{name}` must be"):
                        make()
    with pytest.raises(TypeError):
        record(terminal={"pane": 5})
    with pytest.raises(TypeError):
        sessionreg.Terminal(pane=5)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [None, {"pid": 1}, "s", object()], ids=repr)
def test_a_record_is_not_made_of_other_types(value: Any, tmp_path: Path) -> None:
    path = tmp_path / "r"
    for call in (
        lambda: sessionreg.write(path, value),
        lambda: sessionreg.clear_if(path, value),
        lambda: sessionreg.liveness(value),
        lambda: sessionreg.liveness_all([value]),
    ):
        with pytest.raises(TypeError):
            call()
    with pytest.raises(TypeError):
        sessionreg.liveness_all(5)  # type: ignore[arg-type]
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("value", [1, 0, "yes", None], ids=repr)
def test_options_are_bools(value: Any, tmp_path: Path) -> None:
    for name in ("durable", "create_folders"):
        with pytest.raises(TypeError):
            sessionreg.write(tmp_path / "r", record(), **{name: value})
    with pytest.raises(TypeError):
        sessionreg.write(tmp_path / "r", record(), True)  # type: ignore[call-arg]  # noqa: FBT003
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("value", [5, None, b"x", ["x"]], ids=repr)
def test_session_ids_are_str(value: Any, tmp_path: Path) -> None:
    for call in (
        lambda: sessionreg.check_session_id(value),
        lambda: sessionreg.sidecar_in_project(tmp_path, value),
        lambda: sessionreg.sidecar_of("qwen-code", "/srv", value),
    ):
        with pytest.raises(TypeError):
            call()
    with pytest.raises(InvalidIdError):
        sessionreg.check_session_id("\ud800")


def test_json_is_str_or_bytes_and_valid() -> None:
    text = record(name="é").to_json()
    assert Record.from_json(text) == Record.from_json(text.encode())
    for value in (None, 5, bytearray(text.encode()), {"pid": 1}):
        with pytest.raises(TypeError):
            Record.from_json(value)  # type: ignore[arg-type]
    for bad in (text.replace("é", "\ud800"), text.encode("utf-16"), text.encode("latin-1"), ""):
        with pytest.raises(sessionreg.CorruptError):
            Record.from_json(bad)
