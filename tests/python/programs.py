"""Programs of their own, and what tests watch a process by."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

posix_only = pytest.mark.skipif(os.name != "posix", reason="there is no fork on Windows")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")


def _command(code: str, args: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(code), *args]


def run(code: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Run code in a Python of its own."""
    command = _command(code, args)
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def running(code: str, *args: str) -> Iterator[subprocess.Popen[str]]:
    """Run code in a Python of its own until the end of its input; it has printed a line by now."""
    with subprocess.Popen(
        _command(code, args), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline(), "it failed"
            yield process
        finally:
            process.communicate()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder as another process would."""
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def turns_during(call: Callable[[], object]) -> int:
    """Count how often this thread gets its turn while another one is in a call."""
    begun, ended = threading.Event(), threading.Event()

    def other() -> None:
        begun.set()
        call()
        ended.set()

    thread = threading.Thread(target=other)
    thread.start()
    begun.wait()
    turns = 0
    while not ended.is_set():
        time.sleep(0.001)
        turns += 1
    thread.join()
    return turns
