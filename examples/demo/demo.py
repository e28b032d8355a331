"""Runs the demo: starts the agents, the server and the C tool, and shows what each of them sees."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
C_TOOL, HELPER = sys.argv[1:3]


class Agent:
    """A Node CLI that serves one session of the project after another."""

    def __init__(self, project: Path, session_id: str) -> None:
        command = ["node", str(HERE / "agent.mjs"), str(project), session_id]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._wait_for("ready")

    def _wait_for(self, word: str) -> None:
        assert self.process.stdout is not None
        if self.process.stdout.readline().strip() != word:
            sys.exit("an agent did not start")

    def move_to(self, session_id: str) -> None:
        assert self.process.stdin is not None
        print(f"/new {session_id}", file=self.process.stdin, flush=True)
        self._wait_for("done")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        if self.process.poll() is None:
            assert self.process.stdin is not None
            self.process.stdin.close()
            self.process.wait(timeout=10)


class Observers:
    """The three that look: each in its own language and process, through the same library."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.server = subprocess.Popen(
            [sys.executable, str(HERE / "server.py"), str(project)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.server.stdout is not None
        self.url = f"http://127.0.0.1:{int(self.server.stdout.readline())}/"

    def rows(self) -> dict[str, list[tuple[str, ...]]]:
        with urllib.request.urlopen(self.url, timeout=10) as answer:
            python = [tuple(str(v) for v in row.values()) for row in json.load(answer)]
        return {
            "Python server": python,
            "C tool": self._lines([C_TOOL, str(self.project / "chats")]),
            "Node CLI": self._lines(["node", str(HERE / "list.mjs"), str(self.project)]),
        }

    @staticmethod
    def _lines(command: list[str]) -> list[tuple[str, ...]]:
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return [tuple(line.split("\t")) for line in output.splitlines()]

    def close(self) -> None:
        self.server.terminate()
        self.server.wait(timeout=10)


def show(title: str, observers: Observers) -> dict[str, str]:
    """Prints what each observer sees and returns the reasons; they must not disagree."""
    print(f"\n{title}\n")
    seen = observers.rows()
    form = "  {:14} {:12} {:>8}  {:8} {}"
    print(form.format("seen by", "session", "pid", "state", "reason"))
    for observer, rows in seen.items():
        for row in rows:
            print(form.format(observer, *row))
    python, *others = seen.values()
    if any(other != python for other in others):
        sys.exit("the observers disagree")
    return {session: reason for session, _, _, reason in python}


def take_over(pid: int) -> subprocess.Popen[str] | None:
    """Starts another process under a pid that was just freed; `None` where that is not allowed."""
    helper = subprocess.Popen([HELPER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert helper.stdin is not None and helper.stdout is not None
    print(f"occupy {pid}", file=helper.stdin, flush=True)
    answer = json.loads(helper.stdout.readline())
    if answer.get("pid") == pid:
        return helper
    helper.stdin.close()
    helper.wait(timeout=10)
    print(f"\n(a pid cannot be forced here: {answer.get('skip') or answer.get('error')})")
    return None


def main() -> None:
    project = Path(tempfile.mkdtemp(prefix="sessionreg-demo-"))
    agents: list[Agent] = []
    observers = None
    other = None
    try:
        agents = [Agent(project, "apricot"), Agent(project, "blueberry")]
        observers = Observers(project)
        reasons = show("Two agents, each with a session:", observers)
        expect(reasons, {"apricot": "verified", "blueberry": "verified"})

        agents[1].move_to("cherry")
        reasons = show("The second one moves to another session (/new cherry):", observers)
        expect(reasons, {"apricot": "verified", "cherry": "verified"})

        pid = agents[1].process.pid
        os.kill(pid, signal.SIGKILL)
        # The signal is sent at once, but it takes the kernel a moment to end the process.
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        reasons = show("It is killed (SIGKILL), its parent has not noticed yet:", observers)
        expect(reasons, {"apricot": "verified", "cherry": "zombie"})

        agents[1].process.wait()
        reasons = show("Its parent has:", observers)
        expect(reasons, {"apricot": "verified", "cherry": "gone"})

        other = take_over(pid)
        if other:
            reasons = show(f"Another program is started under its pid {pid}:", observers)
            expect(reasons, {"apricot": "verified", "cherry": "reused"})
        print("\nAll observers agreed, at every step.")
    finally:
        if other and other.stdin:
            other.stdin.close()
            other.wait(timeout=10)
        if observers:
            observers.close()
        for agent in agents:
            agent.close()
        shutil.rmtree(project)


def expect(reasons: dict[str, str], wanted: dict[str, str]) -> None:
    if reasons != wanted:
        sys.exit(f"expected {wanted}, saw {reasons}")


main()
