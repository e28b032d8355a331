"""What the library costs in Python: the jobs of ../../speed, the same way and with the same output.

speed.py <job> <folder> <calls> <calls a turn>
"""

from __future__ import annotations

import atexit
import itertools
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns

import psutil

import sessionreg

RECORD = sessionreg.Record(
    "0b2c7a52-6f1c-4a57-9a0e-5a3c6f0d9e11",
    "/home/user/project",
    agent="qwen-code",
    agent_version="1.2.3",
)
VALUE = json.loads(RECORD.to_json())

Contenders = dict[str, Callable[[], object]]


def replace(folder: Path) -> Contenders:
    """Write a record over the one that is there."""
    path = str(folder / "python.runtime.json")

    def by_tempfile() -> None:
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as file:
            json.dump(VALUE, file, indent=2)
        os.replace(file.name, folder / "tempfile.json")

    def by_pathlib() -> None:
        temp = folder / "pathlib.tmp"
        temp.write_text(json.dumps(VALUE, indent=2))
        temp.replace(folder / "pathlib.json")

    return {
        "Python": lambda: sessionreg.write(path, RECORD),
        "Python: NamedTemporaryFile, json.dump, os.replace": by_tempfile,
        "Python: pathlib write_text, json.dumps, replace": by_pathlib,
    }


def replace_durably(folder: Path) -> Contenders:
    """Write a record that survives a power cut."""
    path = str(folder / "python.runtime.json")

    def by_tempfile() -> None:
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as file:
            json.dump(VALUE, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        os.replace(file.name, folder / "tempfile.json")

    return {
        "Python": lambda: sessionreg.write(path, RECORD, durable=True),
        "Python: NamedTemporaryFile, fsync, os.replace; the folder is not synced": by_tempfile,
    }


def read(folder: Path) -> Contenders:
    """Read a record and parse it."""
    path = str(folder / "python.runtime.json")
    sessionreg.write(path, RECORD)

    def by_json() -> object:
        with open(path, encoding="utf-8") as file:
            return json.load(file)

    return {
        "Python": lambda: sessionreg.load(path),
        "Python, and all fields by to_dict": lambda: sessionreg.load(path).to_dict(),
        "Python: open, json.load": by_json,
    }


def update(folder: Path) -> Contenders:
    """Say what a session is doing."""
    session = sessionreg.Registry(folder / "updated").register(
        session_id="s", work_dir="/home/user/project"
    )
    atexit.register(session.close)
    states = itertools.cycle(["busy", "idle"])
    return {"Python": lambda: session.update(status=next(states))}


def scan(folder: Path) -> Contenders:
    """List a folder of many records."""
    sessions = folder / "sessions"
    kept = sessionreg.Registry(sessions)

    def by_json() -> None:
        for entry in os.scandir(sessions):
            with open(entry.path, encoding="utf-8") as file:
                json.load(file)

    return {
        "Python: the first scan": lambda: sessionreg.Registry(sessions).scan(),
        "Python: a second scan, nothing changed": lambda: kept.scan(),
        "Python: os.scandir, open, json.load": by_json,
    }


def verdict(_: Path) -> Contenders:
    """Judge one process."""
    pid = os.getpid()
    return {
        "Python": lambda: sessionreg.liveness(RECORD),
        "Python: psutil.Process(pid).create_time()": lambda: psutil.Process(pid).create_time(),
    }


def verdict_by_ps(_: Path) -> Contenders:
    """Judge one process as shell scripts do."""
    command = ["ps", "-o", "lstart=", "-p", str(os.getpid())]
    return {
        "ps -o lstart= -p pid": lambda: subprocess.run(command, check=True, capture_output=True),
    }


JOBS = {
    "replace": replace,
    "replace-durably": replace_durably,
    "read": read,
    "update": update,
    "scan": scan,
    "verdict": verdict,
    "verdict-by-ps": verdict_by_ps,
}


def compare(job: str, calls: int, calls_a_turn: int, contenders: Contenders) -> None:
    """Let the contenders take turns, and print what each needed."""
    to, fro = list(contenders.items()), list(contenders.items())[::-1]
    times: dict[str, list[int]] = {name: [] for name in contenders}
    turns = math.ceil(calls / calls_a_turn)
    warming_up = math.ceil(turns / 4)
    for turn in range(warming_up + turns):
        for name, run in fro if turn % 2 else to:
            for _ in range(calls_a_turn):
                start = perf_counter_ns()
                run()
                end = perf_counter_ns()
                if turn >= warming_up:
                    times[name].append(end - start)
    for name, taken in times.items():
        taken.sort()
        result: dict[str, object] = {"job": job, "contender": name}
        for percent in (10, 50, 90):
            result[f"p{percent}"] = taken[(len(taken) - 1) * percent // 100] / 1e3
        print(json.dumps(result))


if __name__ == "__main__":
    job, folder, calls, calls_a_turn = sys.argv[1:]
    compare(job, int(calls), int(calls_a_turn), JOBS[job](Path(folder)))
