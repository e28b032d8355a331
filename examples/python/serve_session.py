"""What an agent does: publish its session, move to another one, take its record away."""

from __future__ import annotations

import tempfile
from pathlib import Path

import sessionreg


def main() -> None:
    """Serve two sessions, one after the other."""
    with tempfile.TemporaryDirectory() as project_dir:
        first = sessionreg.Record("4f1a", str(Path.cwd()), agent="qwen-code", agent_version="0.9.1")
        first_path = sessionreg.sidecar_in_project(project_dir, first.session_id)
        sessionreg.write(first_path, first)
        show(first_path)

        # The new record before the old one goes: the session can be found at every instant.
        second = first.replace(session_id="97c2")
        second_path = sessionreg.sidecar_in_project(project_dir, second.session_id)
        sessionreg.write(second_path, second)
        sessionreg.clear_if(first_path, first)
        show(second_path)

        sessionreg.clear_if(second_path, second)
        assert sessionreg.read(second_path) is None


def show(path: Path) -> None:
    """Print what any other process sees."""
    record = sessionreg.load(path)
    print(f"{path.name}: pid {record.pid} is {sessionreg.liveness(record)}")


if __name__ == "__main__":
    main()
