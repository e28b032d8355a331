"""Agents of the tests: processes of their own that register themselves.

One line of JSON on standard input is one call: `[agent, method, arguments]`, answered by a line.
Each agent is forked for the purpose, so that hundreds of them cost little.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import sessionreg


def call(session: sessionreg.Session | None, method: str, given: dict[str, Any]) -> Any:
    """Do one of the things that an agent does."""
    if method == "register":
        return sessionreg.Registry(sys.argv[1]).register(**given)
    assert session is not None
    if method == "switch":
        session.switch(given.pop("session_id"), given)
    else:
        getattr(session, method)(**given)
    return session


def serve(commands: int, answers: int) -> None:
    """Do what the commands say until they end."""
    session = None
    with os.fdopen(commands) as lines, os.fdopen(answers, "w") as out:
        for line in lines:
            session = call(session, *json.loads(line))
            print("done", file=out, flush=True)


def main() -> None:
    """Fork the agents that are asked for, and pass on what each is to do."""
    agents: dict[str, tuple[int, Any, Any]] = {}
    for line in sys.stdin:
        name, method, given = json.loads(line)
        if name not in agents:
            agents[name] = fork([end for _, *ends in agents.values() for end in ends])
        pid, commands, answers = agents[name]
        if method == "reap":
            os.waitpid(pid, 0)
            answer = "done"
        else:
            print(json.dumps([method, given]), file=commands, flush=True)
            answer = answers.readline().strip()
        print(json.dumps({"pid": pid, "answer": answer}), flush=True)
    for _, commands, _ in agents.values():
        commands.close()


def fork(others: list[Any]) -> tuple[int, Any, Any]:
    """Start an agent; gives its pid and the ends of its pipes."""
    (commands_out, commands_in), (answers_out, answers_in) = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        # An agent ends with its commands, which nobody else may keep open.
        for other in others:
            os.close(other.fileno())
        os.close(commands_in)
        os.close(answers_out)
        try:
            serve(commands_out, answers_in)
        finally:
            os._exit(0)
    os.close(commands_out)
    os.close(answers_in)
    return pid, os.fdopen(commands_in, "w"), os.fdopen(answers_out)


if __name__ == "__main__":
    main()
