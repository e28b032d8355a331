"""The helper that makes processes, as a conversation."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

_DEFAULT = Path(__file__).parents[2] / "target/debug/processes"


class Helper:
    """A running `processes`; when it is closed, the processes that it made end."""

    def __init__(self) -> None:
        program = os.environ.get("SESSIONREG_PROCESSES", str(_DEFAULT))
        self._process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )

    def ask(self, command: str) -> dict[str, Any]:
        """Return the answer to one command; an error is one of the test."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert "error" not in answer, f"{command}: {answer}"
        return answer

    def close(self) -> None:
        """End the helper in order."""
        self._process.communicate()
        assert self._process.returncode == 0
