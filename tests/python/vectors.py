"""The shared vectors as values: their files, texts, and what they put on a disk."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "vectors"

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_FACT = re.compile(r"([a-z_][a-z0-9_]*)(?:([+-])(\d+))?")
_NUMBERS = {"pid", "own_pid", "pid_ns", "time_ns", "started_at", "revision"}
_INTEGERS = {"pid", "own_pid", "ticks", "pid_inode", "pid_ns", "time_ns", "uid", "started_at"}


class SkipCase(Exception):  # noqa: N818 - it is no error
    """The case cannot run here; the text says why."""


@dataclass(frozen=True)
class Case:
    """A vector with what its file says for all of its cases."""

    body: dict[str, Any]
    let: dict[str, str]
    base_record: dict[str, Any]

    @property
    def name(self) -> str:
        """The name, unique among all files."""
        name: str = self.body["name"]
        return name


def cases() -> list[Case]:
    """Return every case of every file."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        file = json.loads(path.read_bytes())
        unknown = set(file) - {"about", "let", "base_record", "cases"}
        assert not unknown, f"{path.name}: {unknown}"
        shared = file.get("let", {}), file.get("base_record", {})
        found += [Case(body, *shared) for body in file["cases"]]
    return found


class Texts:
    """Text with its placeholders replaced."""

    def __init__(self, let: dict[str, str], facts: dict[str, Any]) -> None:
        self._let = let
        self._facts = facts
        self._kept: dict[str, str | int | float] = {}

    def fact(self, name: str) -> Any:
        """Return a fact, whose absence skips the case."""
        assert name in self._facts, f"no fact is called {name}"
        if self._facts[name] is None:
            raise SkipCase(f"there is no {name} here")
        return self._facts[name]

    def keep(self, name: str, value: str | float) -> None:
        """Make a fact of a value that came up on the way."""
        self._kept[name] = self._facts[name] = value

    def text(self, text: str) -> str:
        """Replace placeholders until none is left."""
        while _PLACEHOLDER.search(text):
            text = _PLACEHOLDER.sub(lambda found: self._replacement(found[1]), text)
        return text

    def _replacement(self, name: str) -> str:
        if name.isupper():
            return self._let[name]
        found = _FACT.fullmatch(name)
        assert found, name
        fact, sign, offset = found.groups()
        value = self.fact(fact)
        if sign is None:
            return str(value)
        assert fact in _INTEGERS, name
        return str(int(value) + int(sign + offset))

    def value(self, spec: Any) -> Any:
        """Return a value of `fields` or of an expected record."""
        if isinstance(spec, str):
            single = _PLACEHOLDER.fullmatch(spec)
            if single and single[1] in self._kept:
                return self._kept[single[1]]
            text = self.text(spec)
            if single and re.split("[+-]", single[1])[0] in _NUMBERS:
                return float(text) if "." in text else int(text)
            return text
        if isinstance(spec, dict):
            if "parts" in spec:
                return self.content(spec).decode()
            if "repeat" in spec:
                return self.content({"parts": [spec]}).decode()
            return {key: self.value(value) for key, value in spec.items()}
        if isinstance(spec, list):
            return [self.value(item) for item in spec]
        return spec

    def json_text(self, spec: Any) -> str:
        """Return raw JSON text, given as a string or as content."""
        return self.text(spec) if isinstance(spec, str) else self.content(spec).decode()

    def content(self, spec: dict[str, Any]) -> bytes:
        """Return the bytes of a content."""
        if "text" in spec:
            return self.text(spec["text"]).encode()
        if "lines" in spec:
            return "\n".join(map(self.text, spec["lines"])).encode()
        if "hex" in spec:
            return bytes.fromhex(spec["hex"])
        content = b""
        for part in spec["parts"]:
            if "repeat" in part:
                content += part["repeat"].encode() * part["times"]
            elif "fill" in part:
                content += part["fill"].encode() * (part["until"] - len(content))
            else:
                content += self.content(part)
        return content


def place(folder: Path, case: dict[str, Any], texts: Texts) -> Path:
    """Put the file of a case into its folder, and return the path that the case speaks of."""
    path: Path = folder / case.get("path", "s.runtime.json")
    spec = dict(case.get("file", {"kind": "missing"}))
    owner = spec.pop("owner", None)
    if owner is not None and os.geteuid() != 0:
        raise SkipCase("needs root")
    kind = spec.pop("kind", "content")
    if kind == "below_a_file":
        (folder / "f").touch()
        return folder / "f" / path.name
    if kind == "through_a_linked_folder":
        (folder / "real").mkdir()
        (folder / "link").symlink_to("real")
        (folder / "real" / path.name).write_bytes(texts.content(spec["to"]))
        return folder / "link" / path.name
    if kind == "missing":
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "content":
        path.touch(mode=0o600)
        path.write_bytes(texts.content(spec))
    elif kind in ("directory", "full_directory"):
        path.mkdir()
        if kind == "full_directory":
            (path / "f").touch()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
    elif kind == "device":
        try:
            os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))
        except PermissionError:
            raise SkipCase("mknod is refused") from None
    elif kind in ("symlink", "dangling_symlink"):
        path.symlink_to("target")
        if kind == "symlink":
            (path.parent / "target").write_bytes(texts.content(spec["to"]))
    elif kind == "symlink_loop":
        path.symlink_to(path.name)
    else:
        raise AssertionError(f"unknown kind: {kind}")
    if owner is not None:
        os.chown(path, owner, -1)
    return path


def check_left(path: Path, left: dict[str, Any], texts: Texts) -> None:
    """Assert what is at the path afterwards."""
    kind = left.get("kind", "content")
    if kind == "content":
        assert path.read_bytes() == texts.content(left)
        return
    mode = path.lstat().st_mode if os.path.lexists(path) else None
    kinds = {
        "missing": lambda: mode is None,
        "directory": lambda: mode is not None and stat.S_ISDIR(mode) and not os.listdir(path),
        "full_directory": lambda: mode is not None and os.listdir(path) == ["f"],
        "fifo": lambda: mode is not None and stat.S_ISFIFO(mode),
        "socket": lambda: mode is not None and stat.S_ISSOCK(mode),
        "device": lambda: mode is not None and stat.S_ISCHR(mode),
        "symlink": lambda: path.is_symlink() and path.exists(),
        "dangling_symlink": lambda: path.is_symlink() and not path.exists(),
        "symlink_loop": lambda: path.is_symlink() and path.readlink() == Path(path.name),
    }
    assert kinds[kind](), f"{path} is no {kind}"
