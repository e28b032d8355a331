"""The example of a daemon: what a client sees of sessions that are restored once."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from programs import linux_only, posix_only
from sessionreg import RestoreTable

SERVER = Path(__file__).parents[2] / "examples" / "restore-server" / "python" / "server.py"


@dataclass
class Answer:
    """What a client is told."""

    status: int
    retry_after: str | None
    said: dict[str, Any]


@dataclass
class Event:
    """What a stream brings."""

    id: str | None = None
    kind: str = ""
    data: Any = field(default=None)


class Daemon:
    """A daemon that runs, and its workspace."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.workspace = folder / "workspace"
        self.workspace.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, str(SERVER), str(self.workspace), *options],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip().removeprefix("http://")

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def transcript(self, session_id: str, *lines: str) -> None:
        """Write the log of a session."""
        text = "".join(f"{line}\n" for line in lines)
        (self.workspace / f"{session_id}.jsonl").write_text(text, "utf-8")

    def open(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> http.client.HTTPResponse:
        """Send a request, of which the answer is not read yet."""
        connection = http.client.HTTPConnection(self.address, timeout=60)
        connection.request(method, path, body, headers or {})
        return connection.getresponse()

    def ask(self, *request: Any, **more: Any) -> Answer:
        """Send a request, and read its answer."""
        with self.open(*request, **more) as response:
            said = json.loads(response.read())
            return Answer(response.status, response.getheader("Retry-After"), said)

    def stages(self) -> list[tuple[str, int]]:
        """Return how far its sessions are, and how many wait for each."""
        sessions = self.ask("GET", "/session").said["sessions"]
        return [(one["stage"], one["attachments"]) for one in sessions]


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path)
    yield daemon
    daemon.close()


def events(response: http.client.HTTPResponse) -> Iterator[Event]:
    """Read the events of a stream as they come."""
    event = Event()
    for line in response:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "id":
            event.id = value
        elif name == "event":
            event.kind = value
        elif name == "data":
            event.data = json.loads(value)
        else:
            yield event
            event = Event()


def until(condition: Callable[[], object]) -> None:
    """Wait for what the daemon is about to do."""
    while not condition():
        time.sleep(0.005)


def until_read(pipe: Path) -> int:
    """Wait until somebody reads a named pipe, and open it for writing."""
    while True:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            time.sleep(0.005)


def test_fifty_clients_bring_a_session_back_once_and_each_lets_go_of_his_share(
    daemon: Daemon,
) -> None:
    daemon.transcript("s", "one", "two")
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: daemon.ask("POST", "/session/s/load"), range(50)))
    assert [one.status for one in answers] == [200] * 50
    assert all(one.said["state"] == {"lines": 2} for one in answers)
    assert [one.said["attached"] for one in answers].count(False) == 1
    with daemon.open("GET", "/session/s/events", headers={"Last-Event-ID": "0"}) as response:
        assert response.getheader("Content-Type") == "text/event-stream"
        stream = events(response)
        one, two = next(stream), next(stream)
        # Read once: nothing is in its history twice.
        assert (one.data, two.data) == ("one", "two")
        sent = daemon.ask("POST", "/session/s/prompt", "three")
        assert next(stream) == Event(sent.said["id"], "published", "three")
    last = {"Last-Event-ID": str(two.id)}
    with daemon.open("GET", "/session/s/events", headers=last) as response:
        assert next(events(response)).data == "three"
    # Who hangs up is no subscriber any more, and keeps nothing alive.
    until(lambda: daemon.ask("GET", "/session").said["sessions"][0]["subscribers"] == 0)
    ended = []
    for one_of_them in answers:
        path = f"/session/s/client/{one_of_them.said['client']}"
        ended.append(daemon.ask("DELETE", path).said["ended"])
        assert daemon.ask("DELETE", path).status == 404
    assert ended == [False] * 49 + [True]


def test_what_cannot_be_is_refused_by_its_status(daemon: Daemon) -> None:
    daemon.transcript("s")
    for request, status, code in [
        (("POST", "/session/none/load"), 404, "NOT_FOUND"),
        (("POST", "/session/none/resume"), 404, "NOT_FOUND"),
        (("GET", "/session/s/events"), 404, "NOT_FOUND"),
        (("POST", "/session/s/reload"), 404, "NOT_FOUND"),
        (("PUT", "/session/s/load"), 404, "NOT_FOUND"),
        (("GET", "/"), 404, "NOT_FOUND"),
        (("POST", "/session/..%2f..%2fetc/load"), 400, "INVALID_ID"),
        (("POST", "/session/%ff/load"), 400, "INVALID_INPUT"),
        (("POST", "/session/s/load", "{"), 400, "INVALID_INPUT"),
        (("POST", "/session/s/load", "[]"), 400, "INVALID_INPUT"),
        (("POST", "/session/s/load", "[" * 60_000), 400, "INVALID_INPUT"),
        (("POST", "/session/s/load", '{"cwd": 5}'), 400, "INVALID_INPUT"),
        (("POST", "/session/s/load", '{"cwd": "here"}'), 400, "INVALID_INPUT"),
        (("POST", "/session/s/load", '{"cwd": "/"}'), 400, "WORKSPACE_MISMATCH"),
        (("POST", "/session/s/load", "x" * 70_000), 413, "TOO_LARGE"),
        (("GET", "/" + "x" * 70_000), 431, "TOO_LARGE"),
    ]:
        answer = daemon.ask(*request)
        assert (answer.status, answer.said["code"]) == (status, code), request
        assert answer.retry_after is None
    for headers in ({"Origin": "http://127.0.0.1"}, {"Host": "example.org"}):
        assert daemon.ask("POST", "/session/s/load", headers=headers).status == 403
    here = json.dumps({"cwd": str(daemon.workspace)})
    assert daemon.ask("POST", "/session/s/load", here).status == 200
    wrong = daemon.ask("GET", "/session/s/events", headers={"Last-Event-ID": "x"})
    assert (wrong.status, wrong.said["code"]) == (400, "INVALID_INPUT")


@linux_only
def test_only_the_loopback_address_is_served(daemon: Daemon) -> None:
    port = int(daemon.address.rpartition(":")[2])
    # The whole of 127/8 is this machine, and who served all addresses would answer here.
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port)).close()
    socket.create_connection(("127.0.0.1", port)).close()


def test_beyond_the_limit_it_is_503_and_when_to_ask_again(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, "--limit", "1")
    try:
        daemon.transcript("a")
        daemon.transcript("b")
        client = daemon.ask("POST", "/session/a/load").said["client"]
        refused = daemon.ask("POST", "/session/b/load")
        assert (refused.status, refused.retry_after) == (503, "5")
        assert (refused.said["code"], refused.said["limit"]) == ("SESSION_LIMIT", 1)
        assert daemon.ask("DELETE", f"/session/a/client/{client}").said == {"ended": True}
        assert daemon.ask("POST", "/session/b/resume").status == 200
    finally:
        daemon.close()


@posix_only
def test_the_other_way_is_409_and_a_client_who_hangs_up_leaves_alone(daemon: Daemon) -> None:
    log = daemon.workspace / "s.jsonl"
    # Who reads it waits until somebody writes.
    os.mkfifo(log)
    with ThreadPoolExecutor(1) as pool:
        owner = pool.submit(daemon.ask, "POST", "/session/s/load")
        until(lambda: daemon.stages() == [("restoring", 1)])
        leaver = http.client.HTTPConnection(daemon.address)
        leaver.request("POST", "/session/s/load")
        until(lambda: daemon.stages() == [("restoring", 2)])
        refused = daemon.ask("POST", "/session/s/resume")
        assert (refused.status, refused.retry_after) == (409, "5")
        said = {name: refused.said[name] for name in ("code", "active", "requested", "reason")}
        assert said == {
            "code": "RESTORE_IN_PROGRESS",
            "active": "load",
            "requested": "resume",
            "reason": "restoring",
        }
        leaver.close()
        until(lambda: daemon.stages() == [("restoring", 1)])
        log.write_text("one\ntwo\n")
        answer = owner.result()
    assert (answer.status, answer.said["state"]) == (200, {"lines": 2})
    assert daemon.stages() == [("live", 1)]


@posix_only
def test_an_owner_who_hangs_up_alone_leaves_nothing(daemon: Daemon) -> None:
    log = daemon.workspace / "s.jsonl"
    os.mkfifo(log)
    owner = http.client.HTTPConnection(daemon.address)
    owner.request("POST", "/session/s/load")
    pipe = until_read(log)
    owner.close()
    until(lambda: daemon.stages() == [])
    os.close(pipe)
    log.unlink()
    daemon.transcript("s", "one")
    assert daemon.ask("POST", "/session/s/resume").said["state"] == {"lines": 1}


def test_what_another_daemon_serves_is_409_until_that_is_gone(
    daemon: Daemon, tmp_path: Path
) -> None:
    daemon.transcript("s")
    second = Daemon(tmp_path)
    try:
        assert daemon.ask("POST", "/session/s/load").status == 200
        held = second.ask("POST", "/session/s/load")
        assert (held.status, held.said["code"], held.retry_after) == (409, "HELD", "5")
        daemon.close()
        assert second.ask("POST", "/session/s/load").status == 200
    finally:
        second.close()


@posix_only
def test_at_its_end_every_stream_is_told_and_the_process_is_gone(daemon: Daemon) -> None:
    daemon.transcript("s", "one")
    daemon.ask("POST", "/session/s/load")
    with daemon.open("GET", "/session/s/events") as response:
        daemon.process.send_signal(signal.SIGTERM)
        [last] = events(response)
    assert last == Event(None, "ended", {"reason": "daemon_shutdown"})
    assert daemon.process.wait(60) == 0


def test_only_the_end_of_a_line_divides_a_transcript(daemon: Daemon) -> None:
    daemon.transcript("s", "one\u2028still one\x0c", "", "two")
    assert daemon.ask("POST", "/session/s/load").said["state"] == {"lines": 2}
    with daemon.open("GET", "/session/s/events", headers={"Last-Event-ID": "0"}) as response:
        stream = events(response)
        assert [next(stream).data, next(stream).data] == ["one\u2028still one\x0c", "two"]


def test_a_length_that_is_no_number_for_python_is_too_large(daemon: Daemon) -> None:
    host, _, port = daemon.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        head = f"POST /session/s/load HTTP/1.1\r\nHost: {daemon.address}\r\n"
        connection.sendall(f"{head}Content-Length: {'9' * 5000}\r\n\r\n".encode())
        connection.shutdown(socket.SHUT_WR)
        assert connection.makefile("rb").readline().startswith(b"HTTP/1.1 413 ")


def test_a_session_has_so_many_streams_and_no_more(daemon: Daemon) -> None:
    daemon.transcript("s")
    daemon.ask("POST", "/session/s/load")
    with ExitStack() as streams:
        for _ in range(64):
            stream = streams.enter_context(daemon.open("GET", "/session/s/events"))
            assert stream.status == 200
        refused = daemon.ask("GET", "/session/s/events")
    assert (refused.status, refused.retry_after) == (503, "5")
    assert refused.said["code"] == "SUBSCRIBER_LIMIT"


def test_a_stream_says_what_it_has_lost(daemon: Daemon) -> None:
    daemon.transcript("s", *(str(number) for number in range(4005)))
    daemon.ask("POST", "/session/s/load")
    with daemon.open("GET", "/session/s/events", headers={"Last-Event-ID": "0"}) as response:
        stream = events(response)
        assert next(stream) == Event(None, "gap", {"missed": 5})
        assert next(stream).data == "5"
    other = {"Last-Event-ID": f"{'0' * 16}-7"}
    with daemon.open("GET", "/session/s/events", headers=other) as response:
        assert next(events(response)) == Event(None, "new_epoch", {})


@posix_only
def test_at_its_end_whoever_waits_for_a_session_is_told(daemon: Daemon) -> None:
    log = daemon.workspace / "s.jsonl"
    os.mkfifo(log)
    with ThreadPoolExecutor(1) as pool:
        owner = pool.submit(daemon.ask, "POST", "/session/s/load")
        pipe = until_read(log)
        daemon.process.send_signal(signal.SIGTERM)
        refused = owner.result()
    assert (refused.status, refused.retry_after) == (503, "5")
    assert refused.said["code"] == "CLOSING"
    # Its thread still waits for what is written.
    os.close(pipe)
    assert daemon.process.wait(60) == 0


def test_what_takes_too_long_is_504(tmp_path: Path) -> None:
    async def scene() -> None:
        daemon = runpy.run_path(str(SERVER))["Daemon"](tmp_path, 20)
        daemon.table = RestoreTable(tmp_path, timeout=0.05)
        daemon.restore = lambda _: asyncio.sleep(60)
        async with await asyncio.start_server(daemon.serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            daemon.host = f"127.0.0.1:{port}"
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            head = f"POST /session/s/load HTTP/1.1\r\nHost: {daemon.host}\r\n\r\n"
            writer.write(head.encode())
            answer = await reader.read()
            writer.close()
        assert answer.startswith(b"HTTP/1.1 504 ")
        assert b'"code": "TIMEOUT"' in answer

    asyncio.run(scene())


def test_who_hangs_up_as_he_is_told_holds_nothing(tmp_path: Path) -> None:
    async def scene() -> None:
        program = runpy.run_path(str(SERVER))
        daemon = program["Daemon"](tmp_path, 20)
        (tmp_path / "s.jsonl").write_text("")
        await daemon.table.restore_async("load", "s", tmp_path, daemon.restore)
        hung_up = asyncio.StreamReader()
        hung_up.feed_eof()
        request = program["Request"]("POST", [], {}, b"")
        await daemon.bring_back("load", "s", request, hung_up, None)
        assert daemon.clients == {}
        assert [one.attachments for one in daemon.table.sessions()] == [1]
        await daemon.table.close_async()

    asyncio.run(scene())
