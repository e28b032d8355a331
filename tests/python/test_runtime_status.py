"""The drop-in for kimi-cli: today's users change one import."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import time
from pathlib import Path
from typing import Any

import pytest

from sessionreg import runtime_status
from sessionreg.runtime_status import (
    RuntimeStatus,
    clear_runtime_status,
    read_runtime_status,
    write_runtime_status,
)

KEYS = [
    "schema_version", "pid", "session_id", "work_dir", "hostname", "started_at", "kimi_version",
]  # fmt: skip


def status(**fields: Any) -> dict[str, Any]:
    """Return the content of a file as another program may have written it."""
    return {
        "schema_version": 1,
        "pid": 4242,
        "session_id": "s",
        "work_dir": "/srv",
        "hostname": "h",
        "started_at": 1763690000.125,
        "kimi_version": "1.44.0",
        **fields,
    }


def test_the_constants_are_those_of_the_file() -> None:
    assert runtime_status.RUNTIME_STATUS_FILENAME == "runtime.json"
    assert runtime_status.RUNTIME_STATUS_SCHEMA_VERSION == 1


def test_exactly_the_seven_keys_are_written_as_json_dumps_would(tmp_path: Path) -> None:
    before = time.time()
    path = write_runtime_status(
        tmp_path, session_id='s"\x01\x7f/é\U0001f600', work_dir="/srv/é", kimi_version="1.44.0"
    )
    assert path == tmp_path / "runtime.json"
    assert isinstance(path, Path)
    text = path.read_text("utf-8")
    content = json.loads(text)
    assert list(content) == KEYS
    assert text == json.dumps(content, indent=2, ensure_ascii=False)
    assert content["pid"] == os.getpid()
    assert content["hostname"] == platform.node()
    assert before - 0.001 <= content["started_at"] <= time.time() + 0.001
    assert content["kimi_version"] == "1.44.0"
    assert os.listdir(tmp_path) == ["runtime.json"]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_runtime_status(
        str(tmp_path), session_id="s", work_dir=Path("/srv"), pid=4242, kimi_version="1"
    )
    found = read_runtime_status(str(tmp_path))
    assert found is not None
    assert found == RuntimeStatus(1, 4242, "s", "/srv", found.hostname, found.started_at, "1")
    with pytest.raises(AttributeError):
        found.pid = 1  # type: ignore[misc]


def test_a_missing_folder_is_file_not_found_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_runtime_status(tmp_path / "no", session_id="s", work_dir="/srv")
    assert os.listdir(tmp_path) == []
    assert read_runtime_status(tmp_path / "no") is None
    clear_runtime_status(tmp_path / "no")


def test_the_version_is_the_installed_one_or_null(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_runtime_status(tmp_path, session_id="s", work_dir="/srv")
    assert json.loads(path.read_text())["kimi_version"] is None
    found = read_runtime_status(tmp_path)
    assert found is not None
    assert found.kimi_version is None

    installed = tmp_path / "site" / "kimi_cli-1.55.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: kimi-cli\nVersion: 1.55\n")
    monkeypatch.syspath_prepend(str(installed.parent))
    assert importlib.metadata.version("kimi-cli") == "1.55"
    write_runtime_status(tmp_path, session_id="s", work_dir="/srv")
    assert json.loads(path.read_text())["kimi_version"] == "1.55"


@pytest.mark.skipif(os.name != "posix", reason="links need a privilege on Windows")
def test_a_link_is_followed_when_read_and_replaced_when_written(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(json.dumps(status()))
    (tmp_path / "runtime.json").symlink_to("elsewhere")
    assert read_runtime_status(tmp_path) == RuntimeStatus(**status())
    write_runtime_status(tmp_path, session_id="new", work_dir="/srv")
    assert not (tmp_path / "runtime.json").is_symlink()
    assert json.loads((tmp_path / "elsewhere").read_text()) == status()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        json.dumps(status(schema_version=2)),
        json.dumps(status(pid=True)),
        json.dumps(status(pid=1.0)),
        json.dumps(status(started_at="1")),
        json.dumps({**status(), "kimi_version": 5}),
        "\ufeff" + json.dumps(status()),
    ],
)
def test_what_is_no_status_reads_as_none(content: str, tmp_path: Path) -> None:
    (tmp_path / "runtime.json").write_text(content, "utf-8")
    assert read_runtime_status(tmp_path) is None


def test_a_status_of_another_program_has_no_kimi_version(tmp_path: Path) -> None:
    content = status(qwen_version="0.9.1")
    del content["kimi_version"]
    (tmp_path / "runtime.json").write_text(json.dumps(content))
    found = read_runtime_status(tmp_path)
    assert found is not None
    assert found.kimi_version is None


def test_reading_never_raises(tmp_path: Path) -> None:
    (tmp_path / "runtime.json").mkdir()
    for folder in (tmp_path, "a\0b", "\ud800", "/dev/null", "x" * 5000):
        assert read_runtime_status(folder) is None


def test_clearing_never_raises(tmp_path: Path) -> None:
    path = write_runtime_status(tmp_path, session_id="s", work_dir="/srv")
    clear_runtime_status(tmp_path)
    assert not path.exists()
    clear_runtime_status(tmp_path)
    path.mkdir()
    clear_runtime_status(tmp_path)
    assert path.is_dir()
    for folder in ("a\0b", "\ud800", "/dev/null", None, 5):
        clear_runtime_status(folder)  # type: ignore[arg-type]


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = write_runtime_status(tmp_path, session_id="s", work_dir="/srv")
    before = path.read_bytes()
    with pytest.raises(ValueError, match="work_dir"):
        write_runtime_status(tmp_path, session_id="s", work_dir="relative")
    with pytest.raises(TypeError):
        write_runtime_status(tmp_path, session_id=5, work_dir="/srv")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        write_runtime_status(tmp_path, session_id="s", work_dir="/srv", pid=True)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["runtime.json"]
