"""Of all the processes that want a session back, one restores it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from programs import run, running
from sessionreg import HeldError, Registry, RestoreContext, RestoreTable

CWD = Path.cwd()

# Restores a session, and serves it until the end of its input.
RESTORES = """
    import sys, sessionreg
    registry = sessionreg.Registry(sys.argv[1])
    table = sessionreg.RestoreTable(registry=registry, agent="codex")
    lease = table.restore("load", "s", "/srv", lambda context: 7)
    print("live", flush=True)
    sys.stdin.read()
"""

REGISTERS = """
    import sys, sessionreg
    session = sessionreg.Registry(sys.argv[1]).register(
        session_id="s", work_dir="/srv", agent={agent!r}
    )
    print("live", flush=True)
    sys.stdin.read()
"""

TRIES = """
    import sys, sessionreg
    registry = sessionreg.Registry(sys.argv[1])
    table = sessionreg.RestoreTable(registry=registry, agent="codex")
    try:
        print(table.restore("load", "s", "/srv", lambda context: 8).state)
    except sessionreg.HeldError as error:
        print(error.holder.pid, error.holder.session_id, table.sessions())
"""


def table_of(folder: Path) -> RestoreTable:
    """Return a table that looks at other processes."""
    return RestoreTable(registry=Registry(folder), agent="codex")


def never(_: RestoreContext) -> object:
    """Be a restore that must not run."""
    raise AssertionError("it must not be called")


def tried_elsewhere(folder: Path) -> str:
    """Return what another process is told that restores the session."""
    done = run(TRIES, str(folder))
    assert done.stderr == ""
    return done.stdout.strip()


def test_what_another_process_serves_is_held_and_named(tmp_path: Path) -> None:
    table = table_of(tmp_path)
    with running(RESTORES, str(tmp_path)) as other:
        with pytest.raises(HeldError) as caught:
            table.restore("load", "s", CWD, never)
        assert caught.value.holder is not None
        assert (caught.value.holder.pid, caught.value.holder.session_id) == (other.pid, "s")

        async def on_a_loop() -> None:
            async def restore(_: RestoreContext) -> object:
                return never(_)

            with pytest.raises(HeldError) as caught:
                await table.restore_async("resume", "s", CWD, restore)
            assert caught.value.holder is not None
            assert caught.value.holder.pid == other.pid

        asyncio.run(on_a_loop())
        assert table.sessions() == []
        other.kill()
        other.wait()
        # The kernel releases the claim of whoever dies.
        assert table.restore("load", "s", CWD, lambda _: 1).state == 1


def test_what_another_process_has_registered_is_held(tmp_path: Path) -> None:
    with running(REGISTERS.format(agent="codex"), str(tmp_path)) as other:
        with pytest.raises(HeldError) as caught:
            table_of(tmp_path).restore("load", "s", CWD, never)
        assert caught.value.holder is not None
        assert caught.value.holder.pid == other.pid
    with running(REGISTERS.format(agent="kimi-cli"), str(tmp_path)):
        assert table_of(tmp_path).restore("load", "s", CWD, lambda _: 1).release()


def test_a_session_is_claimed_from_before_its_restore_until_its_end(tmp_path: Path) -> None:
    table = table_of(tmp_path)
    mine = f"{os.getpid()} s []"
    seen: list[str] = []

    def restore(context: RestoreContext) -> None:
        assert context.session_id == "s"
        seen.append(tried_elsewhere(tmp_path))

    lease = table.restore("load", "s", CWD, restore)
    assert seen == [mine]
    assert tried_elsewhere(tmp_path) == mine
    lease.release()
    assert tried_elsewhere(tmp_path) == "8"

    def failing(_: RestoreContext) -> None:
        raise ValueError("by order")

    with pytest.raises(ValueError, match="by order"):
        table.restore("load", "s", CWD, failing)
    assert tried_elsewhere(tmp_path) == "8"
    table.restore("load", "s", CWD, lambda _: None)
    table.close()
    assert tried_elsewhere(tmp_path) == "8"


def test_a_claim_of_this_process_holds_too(tmp_path: Path) -> None:
    table = table_of(tmp_path)
    with Registry(tmp_path).claim("codex", "s"):
        with pytest.raises(HeldError) as caught:
            table.restore("load", "s", CWD, never)
        assert caught.value.holder is not None
        assert caught.value.holder.pid == os.getpid()
        assert not table.restore("load", "t", CWD, lambda _: None).attached
    assert not table.restore("load", "s", CWD, lambda _: None).attached


def test_of_eight_processes_one_restores(tmp_path: Path) -> None:
    done = run(
        """
        import subprocess, sys
        code = '''if True:
            import sys, sessionreg
            registry = sessionreg.Registry(sys.argv[1])
            table = sessionreg.RestoreTable(registry=registry, agent="codex")
            sys.stdin.readline()
            try:
                table.restore("load", "s", "/srv", lambda context: None)
                print("mine", flush=True)
            except sessionreg.HeldError:
                print("held", flush=True)
            sys.stdin.read()
        '''
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        command = [sys.executable, "-c", code, sys.argv[1]]
        others = [subprocess.Popen(command, **pipes) for _ in range(8)]
        for other in others:
            other.stdin.write("go\\n")
            other.stdin.flush()
        print(*sorted(other.stdout.readline().strip() for other in others))
        for other in others:
            other.communicate()
        """,
        str(tmp_path),
    )
    assert (done.stdout.split(), done.stderr) == (["held"] * 7 + ["mine"], "")
