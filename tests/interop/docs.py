"""Runs every example of README.md and docs/: what the documentation shows has to work.

Each fenced block of C, Python or JavaScript is a whole program. It runs in an empty folder of its
own and must succeed. Rust blocks are run by `cargo test` as documentation tests.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = sys.argv[1]
BLOCK = re.compile(r"^```(c|python|js)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(language: str, folder: Path) -> list[list[str]]:
    match language:
        case "c":
            flags = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
            paths = [f"-I{ROOT / 'include'}", f"-L{LIBRARY}", "-lsessionreg"]
            compile_it = ["cc", *flags, "example.c", *paths, "-o", "example"]
            return [compile_it, [str(folder / "example")]]
        case "python":
            return [[sys.executable, "example.py"]]
        case _:
            return [["node", "example.js"]]


def run(language: str, source: str) -> str | None:
    """Gives what went wrong, or nothing."""
    with tempfile.TemporaryDirectory(prefix="sessionreg-docs-") as name:
        folder = Path(name)
        suffix = {"c": "c", "python": "py", "js": "js"}[language]
        (folder / f"example.{suffix}").write_text(source, encoding="utf-8")
        # As an installed package would be found.
        (folder / "node_modules").mkdir()
        (folder / "node_modules" / "sessionreg").symlink_to(ROOT / "bindings-node")
        environment = os.environ | {
            "LD_LIBRARY_PATH": LIBRARY,
            "DYLD_LIBRARY_PATH": LIBRARY,
            # The user's own registry is none of our business.
            "SESSIONREG_HOME": str(folder / "home"),
        }
        for command in commands(language, folder):
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60
            )
            if done.returncode != 0:
                return done.stdout + done.stderr
    return None


def main() -> None:
    passed = failed = 0
    for document in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = document.read_text(encoding="utf-8")
        for block in BLOCK.finditer(text):
            line = text[: block.start()].count("\n") + 1
            trouble = run(*block.groups())
            if trouble is None:
                passed += 1
            else:
                failed += 1
                print(f"FAILED {document.relative_to(ROOT)}:{line}\n{trouble}")
    print(f"documentation: {passed} passed, {failed} failed")
    sys.exit(failed > 0 or passed == 0)


main()
