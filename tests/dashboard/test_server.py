"""What the server promises to clients of any kind, and refuses to others."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import psutil
import pytest

from programs import PATIENCE, SERVER, Agents, Dashboard, eventually

Start: TypeAlias = Callable[..., Dashboard]

# More than a kernel lets one event loop wait for through descriptors that hang together.
MANY = 120

PATHS = ["/", "/main.js", "/style.css", "/api/state", "/nowhere"]
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}


def test_state_is_the_snapshot(dashboard: Dashboard, agents: Agents) -> None:
    pid = agents.register("apricot", name="Fix the login", agent="qwen-code")
    response, body = dashboard.get("/api/state")
    assert (response.status, response.getheader("content-type")) == (200, "application/json")
    state = json.loads(body)
    assert {"cursor", "taken_at", "dead_before", "skipped", "sessions"} <= state.keys()
    [session] = state["sessions"]
    assert (session["session_id"], session["pid"], session["state"]) == ("apricot", pid, "alive")


def test_the_stream_is_as_the_format_of_events_says(dashboard: Dashboard, agents: Agents) -> None:
    agents.register("apricot", name="two\nlines\r and \u2028 \u0085 more")
    with dashboard.stream() as stream:
        assert stream.response.status == 200
        assert stream.response.getheader("content-type") == "text/event-stream; charset=utf-8"
        blocks = stream.blocks()
        assert next(blocks) == ["retry: 2000"]
        first = next(blocks)
        agents.update("apricot", status="waiting", waiting_for="a decision")
        second = next(blocks)
    for block, resets in ((first, True), (second, False)):
        assert [line.split(": ")[0] for line in block] == ["id", "event", "data"]
        assert block[1] == "event: state"
        text = block[2].removeprefix("data: ")
        batch = json.loads(text)
        assert batch["cursor"] == block[0].removeprefix("id: ")
        assert batch["reset"] is resets
        assert not re.search(r"\s", re.sub(r'"(\\.|[^"\\])*"', "", text)), "it is not compact"
    assert batch["changed"][0]["waiting_for"] == "a decision"


def test_a_quiet_stream_is_pinged_so_that_nobody_gives_it_up(dashboard: Dashboard) -> None:
    with dashboard.stream() as stream:
        blocks = list(islice(stream.blocks(), 3))
    assert blocks[0] == ["retry: 2000"]
    assert blocks[1][1] == "event: state"
    assert blocks[2] == [": ping"]


def test_who_comes_back_gets_what_it_missed_and_no_more(
    dashboard: Dashboard, agents: Agents
) -> None:
    agents.register("stays")
    agents.register("changes")
    agents.register("goes")
    with dashboard.stream() as stream:
        first = next(stream.batches())
    assert {session["session_id"] for session in first["added"]} == {"stays", "changes", "goes"}

    agents.update("changes", status="busy")
    agents.leave_for_good("goes")
    agents.register("comes")
    cursor = first["cursor"]
    for path, headers in (
        ("/api/stream", {"Last_Event_ID": cursor}),
        (f"/api/stream?last_event_id={cursor}", {}),
        # The header is the browser's own, and newer than what the page once asked for.
        ("/api/stream?last_event_id=old-1", {"Last_Event_ID": cursor}),
    ):
        seen: dict[str, set[str]] = {"added": set(), "changed": set(), "removed": set()}
        with dashboard.stream(path, **headers) as missed:
            batches = missed.batches()
            while [len(keys) for keys in seen.values()] != [1, 1, 1]:
                batch = next(batches)
                assert not batch["reset"]
                seen["added"] |= {session["session_id"] for session in batch["added"]}
                seen["changed"] |= {session["session_id"] for session in batch["changed"]}
                seen["removed"] |= set(batch["removed"])
        assert (seen["added"], seen["changed"]) == ({"comes"}, {"changes"})


@pytest.mark.parametrize("cursor", ["0123456789abcdef-1", "nonsense", "-", "{epoch}-999999", "é"])
def test_a_foreign_cursor_gets_the_full_state(
    dashboard: Dashboard, agents: Agents, cursor: str
) -> None:
    agents.register("apricot")
    with dashboard.stream() as stream:
        epoch = next(stream.batches())["cursor"].rsplit("-", 1)[0]
    with dashboard.stream(Last_Event_ID=cursor.replace("{epoch}", epoch)) as stream:
        batch = next(stream.batches())
    assert batch["reset"]
    assert [session["session_id"] for session in batch["added"]] == ["apricot"]


def test_a_cursor_of_before_a_restart_gets_the_full_state(start: Start, agents: Agents) -> None:
    agents.register("apricot")
    cursors: list[str] = []
    for _ in range(2):
        dashboard = start()
        with dashboard.stream(Last_Event_ID=cursors[-1] if cursors else "") as stream:
            batch = next(stream.batches())
        assert batch["reset"]
        cursors.append(batch["cursor"])
        assert dashboard.end() == ""
    assert cursors[0] != cursors[1]


def test_it_listens_on_the_loopback_only(dashboard: Dashboard) -> None:
    connections = psutil.Process(dashboard.pid).net_connections("inet")
    listening = [one.laddr for one in connections if one.status == psutil.CONN_LISTEN]
    assert listening == [("127.0.0.1", dashboard.port)]


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LocalHost", "[::1]"])
def test_its_own_names_are_let_in(dashboard: Dashboard, name: str) -> None:
    for path in PATHS[:-1]:
        response, _ = dashboard.get(path, [("Host", f"{name}:{dashboard.port}")])
        assert response.status == 200, path


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "localhost",
        "localhost:{other}",
        "127.0.0.1.evil.example:{port}",
        "localhost.:{port}",
        "127.0.0.1:{port}@evil.example",
        "evil.example#127.0.0.1:{port}",
        "127.1:{port}",
        "0.0.0.0:{port}",
        "[::]:{port}",
        ":{port}",
        "",
    ],
)
def test_other_names_are_refused_whoever_they_point_to(dashboard: Dashboard, host: str) -> None:
    host = host.format(port=dashboard.port, other=dashboard.port + 1)
    for path in [*PATHS, "/api/stream"]:
        response, body = dashboard.get(path, [("Host", host)])
        assert response.status in (400, 421), path
        assert b"session" not in body


def test_no_host_and_two_of_them_are_refused(dashboard: Dashboard) -> None:
    good = f"Host: 127.0.0.1:{dashboard.port}\r\n"
    for version, hosts in [("1.1", ""), ("1.0", ""), ("1.1", good + "Host: evil.example\r\n")]:
        with socket.create_connection(("127.0.0.1", dashboard.port), PATIENCE) as client:
            client.sendall(f"GET /api/state HTTP/{version}\r\n{hosts}\r\n".encode())
            assert client.recv(100).split()[1] == b"400", (version, hosts)


def test_pages_of_other_sites_get_nothing(dashboard: Dashboard) -> None:
    own = f"http://127.0.0.1:{dashboard.port}"
    for path in ("/api/state", "/main.js", "/api/stream"):
        for headers in (
            [("Sec-Fetch-Site", "cross-site")],
            # Another port of this machine is another program's.
            [("Sec-Fetch-Site", "same-site")],
            [("Origin", "https://evil.example")],
            [("Origin", "null")],
            [("Origin", f"http://127.0.0.1:{dashboard.port + 1}")],
        ):
            assert dashboard.get(path, headers)[0].status == 403, (path, headers)
    for headers in ([("Sec-Fetch-Site", "same-origin"), ("Origin", own)], []):
        assert dashboard.get("/api/state", headers)[0].status == 200
    # A link may lead to the page.
    assert dashboard.get("/", [("Sec-Fetch-Site", "cross-site")])[0].status == 200


def test_no_answer_lets_other_origins_read_it(dashboard: Dashboard) -> None:
    own = f"http://127.0.0.1:{dashboard.port}"
    for method in ("GET", "HEAD", "OPTIONS", "POST"):
        for origin in (own, "https://evil.example", "null"):
            for path in [*PATHS, *(["/api/stream"] if method == "HEAD" else [])]:
                preflight = [("Origin", origin), ("Access-Control-Request-Method", "GET")]
                response, _ = dashboard.get(path, preflight, method)
                names = [name.lower() for name in response.headers]
                assert not [name for name in names if name.startswith("access-control-")]


def test_every_answer_is_private_and_confines_the_page(dashboard: Dashboard) -> None:
    foreign = [("Host", "evil.example")]
    answers = [dashboard.get(path)[0] for path in PATHS]
    answers += [dashboard.get("/", foreign)[0], dashboard.get("/api/state", method="POST")[0]]
    assert [answer.status for answer in answers] == [200, 200, 200, 200, 404, 421, 405]
    with dashboard.stream() as stream:
        answers.append(stream.response)
    for answer in answers:
        assert answer.getheader("cache-control") == "no-store"
        assert answer.getheader("x-content-type-options") == "nosniff"
        assert answer.getheader("cross-origin-resource-policy") == "same-origin"
        policy = answer.getheader("content-security-policy") or ""
        assert dict(part.strip().split(" ", 1) for part in policy.split(";")) == POLICY


@pytest.mark.parametrize(
    "path",
    [
        "/server.py",
        "/../server.py",
        "/%2e%2e/server.py",
        "/page/main.js",
        "/README.md",
        "//etc/passwd",
    ],
)
def test_only_the_files_of_the_page_are_served(dashboard: Dashboard, path: str) -> None:
    assert dashboard.get(path)[0].status == 404


def test_asking_for_the_head_of_the_stream_ends(dashboard: Dashboard) -> None:
    response, body = dashboard.get("/api/stream", method="HEAD")
    assert (response.status, body) == (200, b"")


def test_clients_that_left_leave_nothing_behind(dashboard: Dashboard) -> None:
    process = psutil.Process(dashboard.pid)
    dashboard.get("/api/state")
    # What is made once for all clients is there by now.
    with dashboard.stream() as stream:
        next(stream.batches())
    eventually(lambda: not [c for c in process.net_connections("tcp") if c.status != "LISTEN"])
    before = (process.num_fds(), process.num_threads())
    for _ in range(3):
        with ExitStack() as clients:
            for _ in range(MANY):
                next(clients.enter_context(dashboard.stream()).batches())
            assert process.num_fds() >= before[0] + MANY
    eventually(lambda: process.num_fds() <= before[0])
    assert process.num_threads() <= before[1]


def test_a_client_that_reads_nothing_holds_up_nobody(dashboard: Dashboard, agents: Agents) -> None:
    agents.register("apricot", extra={"ballast": "x" * 50_000})
    request = f"GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1:{dashboard.port}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", dashboard.port), PATIENCE) as idle:
        idle.sendall(request.encode())
        with dashboard.stream() as stream:
            batches = stream.batches()
            next(batches)
            for round_ in range(100):
                agents.update("apricot", status=f"round{round_}")
                while next(batches)["changed"][0]["status"] != f"round{round_}":
                    pass


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_its_streams_and_itself_when_told_to(
    start: Start, agents: Agents, with_signal: int
) -> None:
    agents.register("apricot")
    dashboard = start()
    with ExitStack() as clients:
        followed = [clients.enter_context(dashboard.stream()).batches() for _ in range(5)]
        firsts = [next(batches) for batches in followed]
        complaints = dashboard.end(with_signal)
        # To the end, in order: what breaks off is an error.
        rests = [list(batches) for batches in followed]
    assert [len(first["added"]) for first in firsts] == [1] * 5
    assert rests == [[]] * 5
    assert complaints == ""


def test_a_port_that_is_taken_is_told_in_one_line(dashboard: Dashboard) -> None:
    command = [sys.executable, str(SERVER), "--port", str(dashboard.port)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"failed to listen on port {dashboard.port}: ")
    assert ended.stderr.count("\n") == 1


def test_looking_changes_nothing(dashboard: Dashboard, agents: Agents, folder: Path) -> None:
    def files() -> dict[Path, tuple[bytes, int]]:
        found = (path for path in folder.parent.rglob("*") if path.is_file())
        return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in found}

    agents.register("apricot")
    agents.kill("apricot")
    (folder / "1.json").write_text("{")
    before = files()
    assert len(before) >= 2
    with dashboard.stream() as stream:
        assert next(stream.batches())["added"][0]["state"] == "dead"
    assert dashboard.get("/api/state")[0].status == 200
    assert files() == before
