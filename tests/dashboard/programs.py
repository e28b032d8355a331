"""The dashboard and its clients, as a test starts and asks them."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from typing_extensions import Self

HERE = Path(__file__).parent
SERVER = HERE.parents[1] / "examples/dashboard/server.py"

# Far longer than anything here takes; reached only by what never happens.
PATIENCE = 30.0


class Agents:
    """Processes that register themselves in a folder."""

    def __init__(self, folder: Path) -> None:
        self._pids: dict[str, int] = {}
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "agents.py"), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _call(self, name: str, method: str, /, **given: Any) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([name, method, given]), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())
        assert answer["answer"] == "done", f"{method} of {name} failed"
        self._pids[name] = answer["pid"]

    def register(self, name: str, /, **given: Any) -> int:
        """Start an agent that registers a session of that id; gives its pid."""
        later = {key: given.pop(key) for key in ("status", "waiting_for") if key in given}
        self._call(name, "register", **{"session_id": name, "work_dir": "/srv", **given})
        if later:
            self.update(name, **later)
        return self._pids[name]

    def update(self, name: str, /, **given: Any) -> None:
        """Have an agent say something of its session."""
        self._call(name, "update", **given)

    def switch(self, name: str, session_id: str) -> None:
        """Have an agent go on with another session."""
        self._call(name, "switch", session_id=session_id)

    def leave_for_good(self, name: str) -> None:
        """Have an agent close its session."""
        self._call(name, "close")

    def kill(self, name: str) -> None:
        """Kill an agent (SIGKILL): it gets to say nothing."""
        os.kill(self._pids[name], signal.SIGKILL)
        self._call(name, "reap")

    def end(self) -> None:
        """End all of them."""
        self._process.communicate(timeout=PATIENCE)


class Dashboard:
    """A running dashboard of one registry."""

    def __init__(self, folder: Path, port: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(SERVER), "--port", str(port), "--registry", str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        assert self.url, self._process.communicate()[1]
        self.pid = self._process.pid
        self.port = urlsplit(self.url).port or 80

    def get(
        self, path: str, headers: list[tuple[str, str]] | None = None, method: str = "GET"
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Ask for something that ends; `Host` is as it should be unless it is given."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = headers or []
        skips = any(name.lower() == "host" for name, _ in headers)
        connection.putrequest(method, path, skip_host=skips)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response, body

    def stream(self, path: str = "/api/stream", **headers: str) -> Stream:
        """Follow what happens."""
        return Stream(self.port, path, {k.replace("_", "-"): v for k, v in headers.items()})

    def end(self, with_signal: int = signal.SIGTERM) -> str:
        """End it in order; gives what it complained about."""
        if self._process.poll() is None:
            self._process.send_signal(with_signal)
        _, complaints = self._process.communicate(timeout=PATIENCE)
        return complaints

    def kill(self) -> None:
        """End it anyhow, if a test that failed has not."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


class Stream:
    """A client of Server-Sent Events that sees every line as it is."""

    def __init__(self, port: int, path: str, headers: dict[str, str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._connection.request("GET", path, headers=headers)
        self.response = self._connection.getresponse()

    def blocks(self) -> Iterator[list[str]]:
        """Give the lines of one event or comment after the other; a timeout is an error."""
        lines: list[str] = []
        while line := self.response.readline().decode():
            assert line.endswith("\n")
            if line == "\n":
                yield lines
                lines = []
            else:
                lines.append(line[:-1])
        assert not lines, "it broke off within an event"

    def batches(self) -> Iterator[dict[str, Any]]:
        """Give the batches; comments and the time to retry are left out."""
        for block in self.blocks():
            fields = dict(line.split(": ", 1) for line in block)
            if fields.get("event") == "state":
                batch: dict[str, Any] = json.loads(fields["data"])
                assert batch["cursor"] == fields["id"]
                yield batch

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.response.close()
        self._connection.close()


def eventually(look: Callable[[], object]) -> None:
    """Look until it is so."""
    end = time.monotonic() + PATIENCE
    while not look():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.05)
