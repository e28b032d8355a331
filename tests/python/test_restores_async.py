"""Of all the tasks that want a session back, one restores it."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import sessionreg
from programs import run
from sessionreg import (
    ClosedError,
    ClosingError,
    InvalidInputError,
    Lease,
    NotFoundError,
    RestoreContext,
    RestoreInProgressError,
    RestoreTable,
)

CWD = Path.cwd()


class Gate:
    """A restore that begins, and ends when it is let; how it was cancelled is noted."""

    def __init__(self, state: object = None, *, stubborn: bool = False) -> None:
        self.state = state
        self.stubborn = stubborn
        self.calls = 0
        self.cancellations = 0
        self.begun = asyncio.Event()
        self.open = asyncio.Event()
        self.context: RestoreContext | None = None

    async def __call__(self, context: RestoreContext) -> object:
        """Run it."""
        self.calls += 1
        self.context = context
        self.begun.set()
        while not self.open.is_set():
            try:
                await self.open.wait()
            except asyncio.CancelledError:
                self.cancellations += 1
                if not self.stubborn:
                    raise
        if isinstance(self.state, BaseException):
            raise self.state
        return self.state


async def never(_: RestoreContext) -> object:
    """Be a restore that must not run."""
    raise AssertionError("it must not be called")


async def until(condition: Callable[[], object]) -> None:
    """Wait for what other tasks or threads are about to do."""
    while not condition():
        await asyncio.sleep(0.001)


def waiting(table: RestoreTable, session_id: str = "s") -> int:
    """Return how many callers are counted."""
    status = table.status(session_id)
    return 0 if status is None else status.attachments


def play(play: Coroutine[Any, Any, None], caplog: pytest.LogCaptureFixture | None = None) -> None:
    """Run a scene on a loop that complains of everything, after which nobody has complained."""
    complaints: list[dict[str, Any]] = []

    async def watched() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        await play
        for _ in range(3):
            await asyncio.sleep(0)
        gc.collect()
        assert asyncio.all_tasks() == {asyncio.current_task()}, "a task is left"

    asyncio.run(watched(), debug=True)
    gc.collect()
    assert complaints == []
    if caplog is not None:
        assert [one.getMessage() for one in caplog.records if one.levelno > logging.WARNING] == []


def start(
    table: RestoreTable, function: Callable[[RestoreContext], Any], **arguments: Any
) -> asyncio.Task[Lease]:
    """Ask for a session in a task of its own."""
    return asyncio.create_task(table.restore_async("load", "s", CWD, function, **arguments))


def test_of_a_thousand_tasks_one_restores_and_all_get_the_same() -> None:
    async def scene() -> None:
        table, gate = RestoreTable(), Gate(state={"history": []})
        callers = [start(table, gate) for _ in range(1000)]
        await until(lambda: waiting(table) == 1000)
        gate.open.set()
        leases = await asyncio.gather(*callers)
        assert gate.calls == 1
        assert [lease.attached for lease in leases].count(False) == 1
        assert all(lease.state is gate.state for lease in leases)
        assert [lease.release() for lease in leases] == [False] * 999 + [True]

    play(scene())


async def serve_until(table: RestoreTable, end: type[BaseException]) -> None:
    """Have a session, and end by an exception."""
    async with await table.spawn_async("s", CWD, open_gate(7)) as lease:
        assert (lease.state, lease.attached) == (7, False)
        raise end


def test_async_with_releases_whatever_ends_it() -> None:
    async def scene() -> None:
        table = RestoreTable()
        for end in (ValueError, asyncio.CancelledError):
            with pytest.raises(end):
                await serve_until(table, end)
            assert table.sessions() == []

    play(scene())


def open_gate(state: object) -> Gate:
    """Return a restore that ends at once."""
    gate = Gate(state)
    gate.open.set()
    return gate


def test_the_very_exception_of_the_owner_reaches_all_and_a_retry_starts_clean() -> None:
    async def scene() -> None:
        table, gate = RestoreTable(), Gate(state=OSError(5, "the log is torn"))
        callers = [start(table, gate) for _ in range(8)]
        await until(lambda: waiting(table) == 8)
        gate.open.set()
        failures = await asyncio.gather(*callers, return_exceptions=True)
        assert all(failure is gate.state for failure in failures)
        assert table.sessions() == []
        with pytest.raises(NotFoundError) as caught:
            await table.restore_async("load", "s", CWD, open_gate(KeyError("s")))
        assert isinstance(caught.value.__cause__, KeyError)
        with pytest.raises(TypeError):
            await table.restore_async("load", "s", CWD, lambda _: 1)  # type: ignore[arg-type, return-value]
        assert not (await table.restore_async("resume", "s", CWD, open_gate(1))).attached

    play(scene())


def test_a_cancelled_sharer_drops_his_own_share_only() -> None:
    async def scene() -> None:
        table, gate = RestoreTable(), Gate(state=1)
        owner = start(table, gate)
        await gate.begun.wait()
        leaver, stayer = start(table, never), start(table, never)
        await until(lambda: waiting(table) == 3)
        leaver.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaver
        assert waiting(table) == 2
        assert gate.cancellations == 0
        gate.open.set()
        assert ((await owner).attached, (await stayer).attached) == (False, True)
        assert waiting(table) == 2

    play(scene())


def test_a_cancelled_owner_hands_over_to_the_first_who_waits() -> None:
    async def scene() -> None:
        table, gate = RestoreTable(), Gate()
        owner = start(table, gate)
        await gate.begun.wait()
        others = [open_gate(number) for number in range(3)]
        callers = []
        for other in others:
            callers.append(start(table, other))
            await asyncio.sleep(0)
        owner.cancel()
        with pytest.raises(asyncio.CancelledError):
            await owner
        leases = await asyncio.gather(*callers)
        assert gate.cancellations == 1
        assert [other.calls for other in others] == [1, 0, 0]
        assert [(lease.attached, lease.state) for lease in leases] == [
            (False, 0),
            (True, 0),
            (True, 0),
        ]

    play(scene())


def test_a_run_that_is_cancelled_before_it_began_is_handed_over() -> None:
    async def scene() -> None:
        table = RestoreTable()
        first, second = start(table, never), start(table, open_gate(2))
        # One turn: both are counted, and no coroutine runs yet.
        await asyncio.sleep(0)
        [run_] = asyncio.all_tasks() - {asyncio.current_task(), first, second}
        run_.cancel()
        lease = await second
        assert (lease.attached, lease.state) == (False, 2)
        with pytest.raises(asyncio.CancelledError):
            await first
        assert waiting(table) == 1

    play(scene())


def test_a_cancelled_owner_waits_until_his_coroutine_has_cleaned_up() -> None:
    async def scene() -> None:
        table = RestoreTable()
        begun, steps = asyncio.Event(), []

        async def restore(_: RestoreContext) -> None:
            try:
                begun.set()
                await asyncio.sleep(60)
            finally:
                steps.append("cleaning")
                await asyncio.sleep(0.02)
                steps.append("clean")

        owner = start(table, restore)
        await begun.wait()
        owner.cancel()
        with pytest.raises(asyncio.CancelledError):
            await owner
        assert steps == ["cleaning", "clean"]
        assert table.sessions() == []

    play(scene())


def test_who_leaves_later_does_not_interrupt_how_a_coroutine_cleans_up() -> None:
    async def scene() -> None:
        table = RestoreTable()
        begun, cleaning, may_end = asyncio.Event(), asyncio.Event(), asyncio.Event()
        steps: list[str] = []

        async def restore(_: RestoreContext) -> None:
            try:
                begun.set()
                await asyncio.sleep(60)
            finally:
                cleaning.set()
                await may_end.wait()
                steps.append("clean")

        owner = start(table, restore)
        await begun.wait()
        sharer = start(table, never)
        await until(lambda: waiting(table) == 2)
        owner.cancel()
        await cleaning.wait()
        # Now nobody waits any more, which the run is told, too.
        sharer.cancel()
        await asyncio.wait([sharer])
        for _ in range(3):
            await asyncio.sleep(0)
        may_end.set()
        await asyncio.wait([owner])
        assert (owner.cancelled(), steps, table.sessions()) == (True, ["clean"], [])

    play(scene())


def test_a_share_that_comes_to_a_task_as_it_is_cancelled_is_given_back() -> None:
    async def scene() -> None:
        table = RestoreTable()
        open_, ended = threading.Event(), threading.Event()

        def by_thread(_: RestoreContext) -> None:
            assert open_.wait(60)

        def owner() -> Lease:
            try:
                return table.restore("load", "s", CWD, by_thread)
            finally:
                ended.set()

        thread = asyncio.create_task(asyncio.to_thread(owner))
        await until(lambda: waiting(table) == 1)
        sharer = start(table, never)
        await until(lambda: waiting(table) == 2)
        open_.set()
        # The loop stands still: the sharer is told, and has not heard of it.
        assert ended.wait(60)
        assert waiting(table) == 2
        sharer.cancel()
        await asyncio.wait([sharer])
        assert (sharer.cancelled(), waiting(table)) == (True, 1)
        assert (await thread).release()

    play(scene())


def test_a_coroutine_that_was_cancelled_by_others_is_its_callers_end_alone() -> None:
    async def scene() -> None:
        table = RestoreTable()

        async def restore(_: RestoreContext) -> None:
            raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await table.restore_async("load", "s", CWD, restore)
        assert table.sessions() == []

    play(scene())


def test_time_is_over_in_time_for_all_and_a_late_result_is_discarded(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scene(state: object) -> None:
        table, gate = RestoreTable(timeout=0.1), Gate(state, stubborn=True)
        callers = [start(table, gate), start(table, never)]
        for caller in callers:
            with pytest.raises(sessionreg.TimeoutError):
                await caller
        # Its coroutine was cancelled, which it did not heed: the session stays fenced.
        await until(lambda: gate.cancellations)
        assert gate.context is not None
        assert gate.context.cancelled
        with pytest.raises(RestoreInProgressError) as caught:
            await table.restore_async("load", "s", CWD, never)
        assert caught.value.reason == "abandoned"
        gate.open.set()
        await until(lambda: not table.sessions())
        assert not (await table.restore_async("load", "s", CWD, open_gate(1))).attached

    for state in ("late", ValueError("late"), KeyError("late")):
        play(scene(state), caplog)


def test_a_coroutine_for_which_nobody_waits_any_more_is_cancelled_once() -> None:
    async def scene() -> None:
        table, gate = RestoreTable(timeout=0.05), Gate()
        with pytest.raises(TimeoutError):
            await table.restore_async("load", "s", CWD, gate)
        await until(lambda: not table.sessions())
        assert gate.cancellations == 1

    play(scene())


def test_asyncio_timeouts_work_as_everywhere() -> None:
    async def scene() -> None:
        table, gate = RestoreTable(), Gate()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(table.restore_async("load", "s", CWD, gate), 0.02)
        assert (gate.cancellations, table.sessions()) == (1, [])

    play(scene())


def test_a_signal_from_any_thread_makes_a_caller_leave() -> None:
    async def scene() -> None:
        table, gate = RestoreTable(), Gate()
        left, leaves = threading.Event(), asyncio.Event()
        owner = start(table, gate, signal=leaves)
        await gate.begun.wait()
        sharer = start(table, open_gate(2), signal=left)
        third = start(table, never)
        await until(lambda: waiting(table) == 3)
        leaves.set()
        with pytest.raises(sessionreg.CancelledError):
            await owner
        assert (await sharer).state == 2
        assert (await third).attached
        left.set()
        with pytest.raises(sessionreg.CancelledError):
            await table.restore_async("load", "t", CWD, never, left)
        assert table.status("t") is None

    play(scene())


def test_closing_cancels_a_hundred_restores_and_waits_until_they_have_ended() -> None:
    async def scene() -> None:
        table = RestoreTable(limit=0)
        gates = [Gate(stubborn=number < 50) for number in range(100)]
        callers = [
            asyncio.create_task(table.restore_async("load", f"s{number}", CWD, gate))
            for number, gate in enumerate(gates)
        ]
        for gate in gates:
            await gate.begun.wait()
        with pytest.raises(sessionreg.TimeoutError):
            await table.close_async(0.02)
        failures = await asyncio.gather(*callers, return_exceptions=True)
        assert all(isinstance(failure, ClosingError) for failure in failures)
        assert [gate.cancellations for gate in gates] == [1] * 100
        closing = asyncio.create_task(table.close_async())
        for gate in gates[1:]:
            gate.open.set()
        await until(lambda: len(table.sessions()) == 1)
        assert not closing.done()
        gates[0].open.set()
        await closing
        await table.close_async(0)
        with pytest.raises(ClosingError):
            await table.restore_async("load", "s", CWD, never)

    play(scene())


def test_close_takes_no_time_that_is_none() -> None:
    async def scene() -> None:
        table = RestoreTable()
        wrong: Any
        for wrong in (True, "1"):
            with pytest.raises(TypeError):
                await table.close_async(wrong)
        for wrong in (-1, float("nan")):
            with pytest.raises(InvalidInputError):
                await table.close_async(wrong)
        assert not (await table.restore_async("load", "s", CWD, open_gate(1))).attached

    play(scene())


def test_the_death_of_a_channel_reaches_those_who_wait() -> None:
    async def scene() -> None:
        table, gate = RestoreTable(), Gate()
        channel = table.channel(lambda: None)

        async def restore(context: RestoreContext) -> object:
            context.carried_by(channel)
            return await gate(context)

        owner, sharer = start(table, restore), start(table, never)
        await gate.begun.wait()
        channel.exited("gone")
        for caller in (owner, sharer):
            with pytest.raises(ClosedError, match="gone"):
                await caller
        await until(lambda: not table.sessions())

    play(scene())


def test_threads_and_loops_share_one_restore() -> None:
    table, entered, open_ = RestoreTable(), threading.Event(), threading.Event()

    def by_thread(_: RestoreContext) -> object:
        entered.set()
        assert open_.wait(60)
        return "thread"

    async def wait_on_a_loop() -> Lease:
        return await table.restore_async("load", "s", CWD, never)

    with ThreadPoolExecutor(5) as pool:
        owner = pool.submit(table.restore, "load", "s", CWD, by_thread)
        entered.wait()
        loops = [pool.submit(asyncio.run, wait_on_a_loop()) for _ in range(4)]
        while waiting(table) != 5:
            pass
        open_.set()
        assert {loop.result().state for loop in loops} == {owner.result().state} == {"thread"}

    async def scene() -> None:
        table, gate = RestoreTable(), Gate("loop")
        owner = start(table, gate)
        await gate.begun.wait()
        thread = asyncio.create_task(
            asyncio.to_thread(table.restore, "load", "s", CWD, lambda _: "handed over")
        )
        await until(lambda: waiting(table) == 2)
        task = start(table, never)
        await until(lambda: waiting(table) == 3)
        owner.cancel()
        assert ((await thread).state, (await thread).attached) == ("handed over", False)
        assert (await task).state == "handed over"

    play(scene())


def test_a_loop_that_ends_in_the_middle_leaves_nothing_behind() -> None:
    table = RestoreTable()

    async def abandon() -> None:
        start(table, Gate())
        start(table, never)
        await until(lambda: waiting(table) == 2)

    asyncio.run(abandon())
    gc.collect()
    assert table.sessions() == []
    assert not table.restore("load", "s", CWD, lambda _: None).attached


def test_a_loop_that_is_closed_keeps_nobody_from_what_is_theirs() -> None:
    table, gate = RestoreTable(), threading.Event()
    loop = asyncio.new_event_loop()
    with ThreadPoolExecutor(1) as pool:
        owner = pool.submit(table.restore, "load", "s", CWD, lambda _: gate.wait(60))
        while not waiting(table):
            pass
        sharer = loop.create_task(table.restore_async("load", "s", CWD, never))
        loop.call_later(0.02, loop.stop)
        loop.run_forever()
        assert waiting(table) == 2
        loop.close()
        gate.set()
        assert not owner.result().attached
    # What nobody could be told is given back when nobody refers to it.
    sharer._log_destroy_pending = False  # type: ignore[attr-defined]
    del sharer
    gc.collect()
    assert waiting(table) == 1


def test_the_run_of_a_loop_that_is_closed_over_it_is_left_to_others() -> None:
    table = RestoreTable()
    loop = asyncio.new_event_loop()
    owner = loop.create_task(table.restore_async("load", "s", CWD, Gate()))
    loop.call_later(0.02, loop.stop)
    loop.run_forever()
    loop.close()
    assert waiting(table) == 1

    async def scene() -> None:
        assert (await table.restore_async("load", "s", CWD, open_gate(2))).state == 2

    asyncio.run(scene())
    owner._log_destroy_pending = False  # type: ignore[attr-defined]
    del owner
    gc.collect()


def test_an_interrupted_loop_hands_over() -> None:
    done = run(
        """
        import asyncio, sessionreg

        table = sessionreg.RestoreTable()

        async def interrupted(context):
            await asyncio.sleep(0)
            raise KeyboardInterrupt

        async def main():
            await table.restore_async("load", "s", "/srv", interrupted)

        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            print("interrupted", table.sessions())
        """
    )
    assert (done.stdout.strip(), done.stderr) == ("interrupted []", "")


def test_a_loop_starts_no_thread() -> None:
    async def scene() -> None:
        before = threading.active_count()
        table, gate = RestoreTable(timeout=0.05), Gate()
        callers = [start(table, gate) for _ in range(10)]
        await gate.begun.wait()
        assert threading.active_count() == before
        await asyncio.gather(*callers, return_exceptions=True)
        await table.close_async()
        assert threading.active_count() == before

    play(scene())
