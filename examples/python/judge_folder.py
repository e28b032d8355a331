"""Which sessions of a project run? Judges every sidecar below a folder, in one pass.

Usage: judge_folder.py [project folder]; without one it makes an example.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import sessionreg
from sessionreg import Record, State


def judge(project_dir: Path) -> None:
    """Print the verdict on every record, and why a file is none."""
    records = []
    for path in sorted(project_dir.glob("chats/*.runtime.json")):
        try:
            records.append(sessionreg.load(path))
        except sessionreg.SessionRegError as error:
            print(f"{error.code}: {error}")
    for record, verdict in zip(records, sessionreg.liveness_all(records), strict=True):
        mark = "*" if verdict.state is State.ALIVE else " "
        print(f"{mark} {record.session_id!r} of pid {record.pid}: {verdict}")


def make_example(project_dir: Path) -> None:
    """Write the record of a living process, of one that has ended, and a torn file."""
    sessionreg.write(sessionreg.sidecar_in_project(project_dir, "living"), Record("living", "/"))
    wait = "import sys; sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", wait], stdin=subprocess.PIPE) as process:
        ended = Record.of_process(process.pid, "ended", "/")
    sessionreg.write(sessionreg.sidecar_in_project(project_dir, "ended"), ended)
    sessionreg.sidecar_in_project(project_dir, "torn").write_text('{"schema_version": 1,')


if __name__ == "__main__":
    if len(sys.argv) > 1:
        judge(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            make_example(Path(folder))
            judge(Path(folder))
