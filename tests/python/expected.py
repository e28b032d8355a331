"""What a vector expects, held against what came."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from sessionreg import InvalidInputError, Record, SessionRegError
from vectors import Texts

_NAMES = [
    "pid", "session_id", "work_dir", "hostname", "started_at", "agent_version", "proc_start",
    "pid_inode", "host_key", "platform", "pid_ns", "time_ns", "instance", "revision", "agent",
    "kind", "name", "entrypoint", "transcript_path", "parent_session_id", "terminal", "status",
    "waiting_for", "updated_at", "status_updated_at",
]  # fmt: skip
_TIMES = {"started_at", "updated_at", "status_updated_at"}


def expectation(body: dict[str, Any], *known: str) -> dict[str, Any]:
    """Return what a case expects, in terms that its operation knows."""
    expect: dict[str, Any] = body["expect"]
    assert set(expect) <= set(known), f"not understood: {set(expect) - set(known)}"
    return expect


def code_of(call: Callable[[], object]) -> str | None:
    """Return the code of a failure, if the call fails."""
    try:
        call()
    except SessionRegError as error:
        return error.code
    return None


def parse(text: str) -> Any:
    """Parse JSON text with Python's own parser; what that refuses is invalid input."""
    try:
        return json.loads(text)
    except (RecursionError, ValueError) as error:
        raise InvalidInputError(str(error)) from error


def check_record(texts: Texts, record: Record, expected: dict[str, Any]) -> None:
    """Assert that a record is that one."""
    _check_fields(texts, record, expected, _NAMES)
    _check_extra(texts, record, expected.get("extra"))


def check_some_of_record(texts: Texts, record: Record, expected: dict[str, Any]) -> None:
    """Assert that a record says so, as far as it is named."""
    _check_fields(texts, record, expected, expected.keys() - {"extra"})
    if "extra" in expected:
        assert record.extra == {
            key: json.loads(texts.json_text(raw)) for key, raw in (expected["extra"] or {}).items()
        }


def _check_fields(
    texts: Texts, record: Record, expected: dict[str, Any], names: Iterable[str]
) -> None:
    assert expected.keys() <= {*_NAMES, "extra"}
    for name in names:
        wanted = texts.value(expected.get(name))
        got = getattr(record, name)
        if name == "terminal" and got is not None:
            got = record.to_dict()["terminal"]
        if wanted == "<any>":
            assert got is not None, name
        else:
            assert (got, type(got)) == (wanted, type(wanted)) or (
                name in _TIMES and got == wanted
            ), name


def _check_extra(texts: Texts, record: Record, expected: Any) -> None:
    if expected == "<any>":
        assert record.extra
        return
    raw = {key: texts.json_text(value) for key, value in (expected or {}).items()}
    # What a pickle holds is what the file held.
    state = record.__reduce__()[1][1]
    kept = {json.loads(key): value for key, value in state}
    assert kept.keys() == raw.keys()
    for key, text in raw.items():
        if text == "<any>":
            continue
        assert kept[key] == text
        try:
            value = json.loads(text)
        except RecursionError:
            with pytest.raises(RecursionError):
                _ = record.extra
        else:
            assert repr(record.extra[key]) == repr(value)
