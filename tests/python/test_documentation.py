"""What is documented is there, says the same everywhere, and works."""

from __future__ import annotations

import ast
import doctest
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import sessionreg

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples" / "python").glob("*.py"))
README = (ROOT / "bindings-python" / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder, where its temporary files go too."""
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def stub_texts() -> Iterator[tuple[str, str | None]]:
    """Yield every documented name of the stub with its text."""
    stub = Path(sessionreg._sessionreg.__file__).parent / "_sessionreg.pyi"
    for node in ast.parse(stub.read_text("utf-8")).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.name.startswith("_"):
            yield node.name, ast.get_docstring(node)
            for member in node.body if isinstance(node, ast.ClassDef) else []:
                if isinstance(member, ast.FunctionDef) and not member.name.startswith("_"):
                    yield f"{node.name}.{member.name}", ast.get_docstring(member)


@pytest.mark.parametrize(("name", "text"), list(stub_texts()), ids=lambda value: str(value)[:30])
def test_help_says_what_the_stub_says(name: str, text: str | None) -> None:
    found: object = sessionreg
    for part in name.split("."):
        found = inspect.getattr_static(found, part)
    if isinstance(found, classmethod):
        found = found.__func__
    assert text
    assert inspect.cleandoc(found.__doc__ or "") == text


def test_every_public_name_is_documented() -> None:
    for name in sessionreg.__all__:
        assert getattr(sessionreg, name).__doc__, name
    assert set(sessionreg.__all__) <= set(dir(sessionreg))


def test_the_example_in_the_package_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testmod(sessionreg)
    assert (failed, tried > 0) == (0, True)


@pytest.mark.parametrize("block", BLOCKS)
def test_an_example_of_the_readme_works(block: str, tmp_path: Path) -> None:
    done = run([sys.executable, "-c", block], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    said = re.findall(r"print\(.*\)  # (.*)", block)
    assert done.stdout.splitlines() == said


def test_there_are_examples() -> None:
    assert EXAMPLES
    assert BLOCKS


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_runs(example: Path, tmp_path: Path) -> None:
    done = run([sys.executable, str(example)], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()
    assert os.listdir(tmp_path) == [], "an example leaves nothing behind"
