"""Of all the processes that want a session back, one restores it."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from programs import run, running
from sessionreg import (
    CancelledError,
    ClosingError,
    HeldError,
    Lease,
    Registry,
    RestoreContext,
    RestoreTable,
)

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


class Slow(ThreadPoolExecutor):
    """Threads of a loop that have done their work, and are not done before they are let."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.open = threading.Event()

    def submit(self, call: Any, /, *args: Any, **more: Any) -> Any:
        """Hold back what comes of a call."""

        def slowly() -> Any:
            try:
                return call(*args, **more)
            finally:
                self.begun.set()
                assert self.open.wait(60)

        return super().submit(slowly)


async def claiming(
    table: RestoreTable, function: Any, **more: Any
) -> tuple[Slow, asyncio.Task[Lease]]:
    """Ask for a session, which is claimed now, and not restored yet."""
    threads = Slow()
    asyncio.get_running_loop().set_default_executor(threads)
    asked = asyncio.create_task(table.restore_async("load", "s", CWD, function, **more))
    while not threads.begun.is_set():
        # The loop goes on meanwhile.
        await asyncio.sleep(0.001)
    return threads, asked


async def turns() -> None:
    """Let a loop do what it has to do."""
    for _ in range(5):
        await asyncio.sleep(0)


async def never_async(_: RestoreContext) -> object:
    """Be a restore that must not run."""
    raise AssertionError("it must not be called")


def test_no_claim_is_let_go_by_garbage_collection(tmp_path: Path) -> None:
    table = table_of(tmp_path)
    lease = table.restore("load", "s", CWD, lambda _: None)
    ended = table_of(tmp_path)
    ended.restore("load", "t", CWD, lambda _: None).release()
    del table, lease, ended
    gc.collect()
    registry = Registry(tmp_path)
    with pytest.raises(HeldError):
        registry.claim("codex", "s")
    registry.claim("codex", "t").release()


class Watched:
    """A signal whose second look, after the session was claimed, does something."""

    def __init__(self, second: Callable[[], bool]) -> None:
        self.looks = 0
        self.second = second

    def is_set(self) -> bool:
        """Tell whether whoever has it has left."""
        self.looks += 1
        return self.looks > 1 and self.second()


def test_what_nobody_waits_for_any_more_is_not_restored_once_it_is_claimed(
    tmp_path: Path,
) -> None:
    def close(table: RestoreTable) -> bool:
        # This thread runs the restore, and may not close.
        thread = threading.Thread(target=table._begin_close, args=(lambda: None,))
        thread.start()
        thread.join()
        return False

    leaves: list[tuple[Callable[[RestoreTable], bool], type[Exception]]] = [
        (lambda _: True, CancelledError),
        (close, ClosingError),
    ]
    for leave, error in leaves:
        table = table_of(tmp_path)
        with pytest.raises(error):
            table.restore("load", "s", CWD, never, Watched(partial(leave, table)))
        assert table.sessions() == []
        Registry(tmp_path).claim("codex", "s").release()


def test_who_leaves_while_the_session_is_claimed_runs_nothing_and_the_next_one_does(
    tmp_path: Path,
) -> None:
    table = table_of(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        shared: list[Future[Lease]] = []

        def share() -> bool:
            shared.append(pool.submit(table.restore, "load", "s", CWD, lambda _: 2))
            while table.sessions()[0].attachments < 2:
                pass
            return True

        with pytest.raises(CancelledError):
            table.restore("load", "s", CWD, never, Watched(share))
        lease = shared[0].result()
    assert (lease.attached, lease.state) == (False, 2)
    lease.release()


@pytest.mark.parametrize("way", ["cancel", "close", "signal"])
def test_a_task_that_leaves_while_the_session_is_claimed_restores_nothing(
    way: str, tmp_path: Path
) -> None:
    async def scene() -> None:
        table, signal = table_of(tmp_path), threading.Event()
        threads, asked = await claiming(table, never_async, signal=signal)
        closing = None
        if way == "cancel":
            asked.cancel()
            await turns()
            # A second time does not tear the thread's work from it either.
            asked.cancel()
        elif way == "close":
            closing = asyncio.create_task(table.close_async())
        else:
            signal.set()
        await turns()
        # The claim is not let go of before the thread is done with it.
        assert len(table.sessions()) == 1
        assert closing is None or not closing.done()
        threads.open.set()
        ends = {"cancel": asyncio.CancelledError, "close": ClosingError, "signal": CancelledError}
        with pytest.raises(ends[way]):
            await asked
        await table.close_async()
        if closing is not None:
            await closing
        assert table.sessions() == []
        Registry(tmp_path).claim("codex", "s").release()

    asyncio.run(scene(), debug=True)


def test_the_next_task_restores_what_was_claimed_for_one_who_left(tmp_path: Path) -> None:
    async def scene() -> None:
        table = table_of(tmp_path)
        threads, asked = await claiming(table, never_async)

        async def restore(_: RestoreContext) -> int:
            return 2

        sharer = asyncio.create_task(table.restore_async("load", "s", CWD, restore))
        await turns()
        asked.cancel()
        await turns()
        threads.open.set()
        lease = await sharer
        assert (asked.cancelled(), lease.attached, lease.state) == (True, False, 2)
        lease.release()

    asyncio.run(scene(), debug=True)


def test_a_loop_that_ends_while_a_session_is_claimed_leaves_nothing(tmp_path: Path) -> None:
    table = table_of(tmp_path)

    async def abandon() -> None:
        threads, _ = await claiming(table, never_async)
        asyncio.get_running_loop().call_later(0.02, threads.open.set)

    asyncio.run(abandon())
    assert table.sessions() == []
    Registry(tmp_path).claim("codex", "s").release()
