"""Every failure has a class, a code, and the builtin base that fits."""

from __future__ import annotations

import copy
import errno
import pickle
from pathlib import Path

import pytest

import sessionreg
from sessionreg import HeldError, Holder, SessionRegError, _sessionreg, errors


def name_of(code: str) -> str:
    """Return the class name of a code."""
    return code.title().replace("_", "") + "Error"


def test_every_code_of_the_core_has_its_class() -> None:
    codes = _sessionreg._error_codes()
    assert len(codes) == len(set(codes)) == 23
    classes = {cls.code: cls for cls in SessionRegError.__subclasses__()}
    assert sorted(classes) == sorted(codes)
    for code, cls in classes.items():
        assert cls.__name__ == name_of(code)
        assert getattr(sessionreg, cls.__name__) is getattr(errors, cls.__name__) is cls
        assert cls.__doc__
        assert len(cls.__bases__) == 2


@pytest.mark.parametrize("code", _sessionreg._error_codes())
def test_an_error_has_its_attributes_whatever_its_bases(code: str) -> None:
    for number, path in ((errno.ENOENT, "/a"), (None, None)):
        error = errors._make(code, "failed to read `/a`: gone", number, path)
        assert (error.code, error.errno, error.filename) == (code, number, path)
        assert str(error) == "failed to read `/a`: gone"
        assert repr(error) == f"{name_of(code)}('failed to read `/a`: gone')"
        vars(error)["__notes__"] = ["a note"]
        for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
            assert type(again) is type(error)
            assert (again.code, again.errno, again.filename) == (code, number, path)
            assert str(again) == str(error)
            assert vars(again)["__notes__"] == ["a note"]


@pytest.mark.parametrize(
    ("code", "base"),
    [
        ("NOT_FOUND", FileNotFoundError),
        ("PERMISSION_DENIED", PermissionError),
        ("INVALID_INPUT", ValueError),
        ("INVALID_ID", ValueError),
        ("TIMEOUT", TimeoutError),
        ("NO_SPACE", OSError),
        ("READ_ONLY", OSError),
        ("IO", OSError),
        ("PANIC", RuntimeError),
    ],
)
def test_code_that_knows_only_builtin_exceptions_catches_ours(
    code: str, base: type[Exception]
) -> None:
    assert isinstance(errors._make(code, "", None, None), base)


def test_an_error_names_the_file_and_keeps_the_number(tmp_path: Path) -> None:
    path = tmp_path / "né\udcffe"
    with pytest.raises(FileNotFoundError) as caught:
        sessionreg.load(path)
    error = caught.value
    assert isinstance(error, sessionreg.NotFoundError)
    assert error.errno == errno.ENOENT
    assert error.filename == str(path)
    assert str(error).startswith("failed to read `")


def test_held_has_a_holder_or_none() -> None:
    error = errors._make("HELD", "failed to claim `/a`: another process holds it", None, "/a")
    assert isinstance(error, HeldError)
    assert error.holder is pickle.loads(pickle.dumps(error)).holder is None
    error.holder = Holder(1, "s", "h", "/a")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert again.holder == error.holder
    assert HeldError().holder is None


def test_a_star_import_hides_no_builtin() -> None:
    import builtins

    assert not set(sessionreg.__all__) & set(dir(builtins))


def test_a_panic_is_an_exception_that_can_be_caught(capfd: pytest.CaptureFixture[str]) -> None:
    panic = getattr(_sessionreg, "_panic", None)
    if panic is None:
        pytest.skip("a release build has no way to force one")
    with pytest.raises(sessionreg.PanicError, match="by order") as caught:
        panic("by order")
    assert isinstance(caught.value, Exception)
    assert "panicked" in capfd.readouterr().err
