"""What an agent does: register its session, keep it up to date, go on with another one.

A hook is a short-lived process that the agent starts; it has a word in the agent's record too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import sessionreg


def serve(folder: Path) -> None:
    """Serve two sessions, one after the other."""
    registry = sessionreg.Registry(folder / "sessions")
    with registry.register(
        session_id="4f1a",
        work_dir=str(Path.cwd()),
        agent="qwen-code",
        agent_version="0.9.1",
        status="busy",
        sidecar=folder / "chats" / "{id}.runtime.json",
    ) as session:
        show(registry)
        hook = [sys.executable, __file__, str(registry.dir), str(os.getpid())]
        subprocess.run(hook, check=True)
        show(registry)
        # As `/clear` does it: the session can be found at every instant.
        session.switch("97c2", status="idle")
        show(registry)
    assert registry.live() == []


def be_a_hook(folder: str, pid: int) -> None:
    """Say that the agent of that process waits for somebody."""
    with sessionreg.Registry(folder).open_session(pid=pid) as session:
        session.update(status="waiting", waiting_for="permission")


def show(registry: sessionreg.Registry) -> None:
    """Print what any other process sees."""
    for entry in registry.live():
        record = entry.record
        print(f"{record.session_id!r} of pid {record.pid}: {record.status}, {entry.verdict}")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        be_a_hook(sys.argv[1], int(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as name:
            serve(Path(name))
