"""Keys that the format does not know: kept exactly, parsed on access, never coerced."""

from __future__ import annotations

import enum
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sessionreg
from sessionreg import InvalidInputError, Record, TooLargeError

PLAIN = {"pid": 1, "hostname": "h", "started_at": 0}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    # Lone surrogates too.
    | st.text() | st.text(st.characters(min_codepoint=0xDC00, max_codepoint=0xDFFF)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)  # fmt: skip


def record_with(value: str) -> Record:
    """Return a record whose text has the key `x` with this value."""
    return Record.from_json(
        '{"schema_version": 1, "pid": 1, "session_id": "s", "work_dir": "/srv", '
        f'"hostname": "h", "started_at": 0, "x": {value}}}'
    )


@given(json_values)
def test_json_values_come_back_equal_and_of_the_same_type(value: Any) -> None:
    record = Record("s", "/srv", pid=1, extra={"x": value})
    assert repr(record.extra) == repr({"x": value})
    assert repr(Record.from_json(record.to_json()).extra) == repr({"x": value})
    assert Record.from_dict(record.to_dict()) == record


def test_keys_stay_in_order() -> None:
    record = Record("s", "/srv", extra={"b": 1, "a": 2, "c": 3})
    assert list(record.extra) == list(Record.from_json(record.to_json()).extra) == ["b", "a", "c"]


def test_text_that_was_read_is_written_back_byte_for_byte() -> None:
    for text in ("1e999", "-0", "1.0000000000000000000001", '"\\ud800"', "[1,\t2]", '"\\u0041"'):
        record = record_with(text)
        assert record.to_json().endswith(f'"x": {text}\n}}')
        assert pickle.loads(pickle.dumps(record)).to_json() == record.to_json()
        assert record.replace(name="n").to_json().endswith(f'"x": {text}\n}}')


def test_integers_of_any_size_are_exact() -> None:
    digits = "9" * 60_000
    assert record_with(digits).extra["x"] == 10**60_000 - 1
    assert record_with("-" + digits).extra["x"] == 1 - 10**60_000
    assert record_with(str(2**70)).extra == {"x": 2**70}


def test_lone_surrogates_stay_what_they_are() -> None:
    assert record_with('"\\ud800x"').extra == {"x": "\ud800x"}
    record = Record("s", "/srv", extra={"x": ["é\udfff"]})
    assert record.extra == {"x": ["é\udfff"]}
    assert record.to_json().isascii()


def test_surrogates_that_json_would_join_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="pair"):
        Record("s", "/srv", extra={"x": ["\ud800\udc00"]})


def test_deep_nesting_is_a_recursion_error_on_access_and_nothing_else(tmp_path: Path) -> None:
    text = "[" * 30_000 + "]" * 30_000
    record = record_with(text)
    with pytest.raises(RecursionError):
        _ = record.extra
    with pytest.raises(RecursionError):
        record.to_dict()
    sessionreg.write(tmp_path / "r", record)
    assert sessionreg.read(tmp_path / "r") == record == pickle.loads(pickle.dumps(record))
    assert "session_id='s'" in repr(record)
    assert sessionreg.liveness(record) == sessionreg.liveness(record_with("1"))


def test_deep_nesting_given_is_a_recursion_error() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(RecursionError):
        Record("s", "/srv", extra={"x": value})


class Word(str, enum.Enum):
    """A text of another class."""

    A = "a"


@pytest.mark.parametrize(
    "value",
    [(1, 2), {1: 2}, {"a": {None: 1}}, [{True: 1}], {1, 2}, b"x", object(), 1j, Path("/")],
    ids=repr,
)
def test_what_json_would_change_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="`extra`"):
        Record("s", "/srv", extra={"x": value})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")]], ids=repr)
def test_numbers_that_json_has_not_are_refused(value: Any) -> None:
    with pytest.raises(InvalidInputError):
        Record("s", "/srv", extra={"x": value})


def test_keys_are_text() -> None:
    with pytest.raises(TypeError):
        Record("s", "/srv", extra={5: 1})  # type: ignore[dict-item]
    with pytest.raises(TypeError):
        Record("s", "/srv", extra=[("a", 1)])  # type: ignore[arg-type]


def test_keys_of_every_kind_are_exact() -> None:
    keys = ["", "é", "a\nb", '"', "\\", "\ud800", "x\udfffy", "foo_version", "\0", "\x7f"]
    extra = {key: index for index, key in enumerate(keys)}
    record = Record("s", "/srv", extra=extra)
    assert record.extra == extra
    again = Record.from_json(record.to_json())
    assert again.extra == extra
    assert again == record == pickle.loads(pickle.dumps(again)) == Record.from_dict(again.to_dict())
    with pytest.raises(InvalidInputError, match="pair"):
        Record("s", "/srv", extra={"\ud800\udc00": 1})


def test_a_key_that_was_read_with_escapes_stays_as_it_is() -> None:
    text = record_with('1, "\\u0041": 2, "f\\u006fo_version": [3], "codex_version": 4').to_json()
    record = Record.from_json(text)
    again = pickle.loads(pickle.dumps(record))
    assert again == record
    assert sorted(again.to_json().split("\n")) == sorted(record.to_json().split("\n"))
    assert record.extra == {"x": 1, "A": 2, "foo_version": [3], "codex_version": 4}


def test_extra_json_is_the_text_itself() -> None:
    assert record_with("1.00e2").extra_json == '{"x":1.00e2}'
    assert Record("s", "/srv").extra_json is None


def test_text_of_another_class_is_its_text() -> None:
    assert Record("s", "/srv", extra={"x": Word.A}).extra == {"x": "a"}


def test_a_key_of_a_field_is_refused_when_written() -> None:
    with pytest.raises(InvalidInputError, match="repeats the key"):
        Record("s", "/srv", extra={"pid": 2}).to_json()


def test_more_than_a_record_holds_is_refused_when_written() -> None:
    with pytest.raises(TooLargeError):
        Record("s", "/srv", extra={"x": "y" * 70_000}).to_json()


def test_keys_of_a_terminal_that_are_not_known_survive_every_copy() -> None:
    text = Record("s", "/w", pid=1, terminal={"pane": "%3"}).to_json()
    text = text.replace('"pane": "%3"', '"pane": "%3",\n    "window": 1.50')
    record = Record.from_json(text)
    terminal = record.terminal
    assert terminal is not None
    assert terminal.extra_json == '{"window":1.50}'
    for copy in (
        record.replace(),
        record.replace(terminal=pickle.loads(pickle.dumps(terminal))),
        pickle.loads(pickle.dumps(record)),
        Record.from_dict(record.to_dict()),
    ):
        assert copy.to_json() == text
    with pytest.raises(InvalidInputError):
        Record("s", "/w", pid=1, terminal={"extra_json": "[]"})
