"""What changes is told: to threads, to event loops, and to nobody else."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from programs import linux_only, posix_only, run
from sessionreg import (
    AgentSession,
    Batch,
    ClosedError,
    Monitor,
    Registry,
    Session,
    Sources,
    State,
    Watch,
)

# What comes, comes long before this; what does not, is missed after it.
SECONDS = 10
# Long enough for another thread, or a loop, to be waiting by then.
A_MOMENT = 0.2


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Return the registry of a folder that is not there yet."""
    return Registry(tmp_path / "sessions")


@pytest.fixture
def monitor(registry: Registry) -> Iterator[Monitor]:
    """Return a monitor of the registry."""
    with Monitor(Sources.none(registries=[registry.dir])) as monitor:
        yield monitor


def register(registry: Registry, session_id: str) -> Session:
    """Register a session of this process."""
    return registry.register(session_id=session_id, work_dir="/srv")


def ids(sessions: list[AgentSession]) -> list[str | None]:
    """Return what the sessions are called."""
    return [session.session_id for session in sessions]


def given(batch: Batch | None) -> Batch:
    """Return a batch that has to be there."""
    assert batch is not None
    return batch


def state() -> tuple[list[str], list[str]]:
    """Return the descriptors and threads of this process."""
    gc.collect()
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        # The listing has one of its own, which is gone by now.
        with suppress(FileNotFoundError):
            found.append(str(descriptor.readlink()))
    return sorted(found), os.listdir("/proc/self/task")


def is_readable(descriptor: int, millis: int = 0) -> bool:
    """Tell whether a descriptor is, or becomes, readable."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(millis))


# Batches


def test_a_reader_hears_first_of_all_there_is_and_then_of_changes(
    registry: Registry, monitor: Monitor
) -> None:
    session = register(registry, "s")
    first = given(monitor.wait())
    assert (first.reset, ids(first.added), first.changed, first.removed) == (True, ["s"], [], [])
    [one] = first.added
    assert monitor.wait(first.cursor, 0) is None
    session.update(status="busy")
    second = given(monitor.wait(first.cursor, SECONDS))
    assert (second.reset, second.added, ids(second.changed)) == (False, [], ["s"])
    assert second.changed[0].status == "busy"
    session.switch("t")
    third = given(monitor.wait(second.cursor, SECONDS))
    assert ids(third.changed) == ["t"]
    assert third.changed[0].key == one.key
    session.close()
    fourth = given(monitor.wait(third.cursor, SECONDS))
    assert (fourth.added, fourth.changed, fourth.removed) == ([], [], [one.key])
    # One who saw only the first is told of the end alone; one who saw nothing, of nothing.
    assert given(monitor.wait(first.cursor)).removed == [one.key]
    assert given(monitor.wait()).added == []
    assert first.at <= second.at <= third.at <= fourth.at <= time.time()


def test_a_batch_is_one_line_of_json(registry: Registry, monitor: Monitor) -> None:
    with register(registry, "s\n é"):
        batch = given(monitor.wait())
        text = batch.to_json()
        assert "\n" not in text
        parsed = json.loads(text)
        assert list(parsed) == ["cursor", "reset", "at", "added", "changed", "removed"]
        assert (parsed["cursor"], parsed["reset"], parsed["at"]) == (batch.cursor, True, batch.at)
        assert parsed["added"] == [json.loads(session.to_json()) for session in batch.added]
        assert batch.added[0] is batch.added[0]
        assert repr(batch) == f"<Batch '{batch.cursor}': 1 added, 0 changed, 0 removed, reset>"


@pytest.mark.parametrize("cursor", ["", "x", "-", "0123456789abcdef-1", "é-5", "\0", "x" * 100_000])
def test_a_cursor_that_is_none_gives_all_there_is(
    cursor: str, registry: Registry, monitor: Monitor
) -> None:
    with register(registry, "s"):
        for batch in (monitor.wait(cursor), monitor.watch(cursor).next()):
            assert given(batch).reset
            assert ids(given(batch).added) == ["s"]


def test_the_cursor_of_another_monitor_gives_all_there_is(registry: Registry) -> None:
    sources = Sources.none(registries=[registry.dir])
    with register(registry, "s"), Monitor(sources) as one, Monitor(sources) as other:
        cursor = given(one.wait()).cursor
        assert one.wait(cursor, 0) is None
        assert given(other.wait(cursor, 0)).reset
        assert one.snapshot().cursor == cursor
        # A snapshot that no monitor took has a cursor of nobody's.
        assert given(one.wait(one.watch("").cursor)).reset


def test_a_snapshot_is_where_a_reader_can_begin(registry: Registry, monitor: Monitor) -> None:
    before = monitor.snapshot()
    with register(registry, "s"):
        assert ids(monitor.snapshot().sessions) == ["s"]
        batch = given(monitor.wait(before.cursor, SECONDS))
        assert (batch.reset, ids(batch.added)) == (False, ["s"])
        assert ids(given(monitor.watch(before.cursor).next(SECONDS)).added) == ["s"]


def test_a_burst_is_one_batch(registry: Registry) -> None:
    with Monitor(Sources.none(registries=[registry.dir]), fold=0.5) as monitor:
        cursor = given(monitor.wait()).cursor
        sessions = [register(registry, f"s{number:02}") for number in range(50)]
        batch = given(monitor.wait(cursor, SECONDS))
        assert {*ids(batch.added)} == {f"s{number:02}" for number in range(50)}
        for session in sessions:
            session.close()


def test_a_process_that_is_killed_is_told_of(registry: Registry, monitor: Monitor) -> None:
    code = "import sys, sessionreg; r = sessionreg.Registry(sys.argv[1]);"
    code += (
        "s = r.register(session_id='other', work_dir='/srv'); print('here', flush=True); input()"
    )
    command = [sys.executable, "-c", code, str(registry.dir)]
    cursor = given(monitor.wait()).cursor
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        alive = given(monitor.wait(cursor, SECONDS))
        assert [(one.pid, one.state) for one in alive.added] == [(process.pid, State.ALIVE)]
        process.kill()
        process.wait()
        cursor, reasons = alive.cursor, [""]
        while reasons != ["gone"]:
            batch = given(monitor.wait(cursor, SECONDS))
            cursor, reasons = batch.cursor, [str(one.reason) for one in batch.changed]


@linux_only
def test_what_is_polled_is_named(registry: Registry) -> None:
    with Monitor(Sources.none(registries=[registry.dir])) as monitor:
        assert monitor.polled == []
    with Monitor(Sources(), poll=0.5) as monitor:
        assert ("processes", 0.5) in [(polled.what, polled.every) for polled in monitor.polled]


# Watches


def test_a_watch_is_an_iterator_that_ends_with_its_monitor(
    registry: Registry, monitor: Monitor
) -> None:
    seen = []
    with register(registry, "s") as session:
        for batch in monitor.watch():
            seen.append((batch.reset, ids(batch.added), [one.status for one in batch.changed]))
            if len(seen) == 1:
                session.update(status="busy")
            else:
                monitor.close()
    assert seen == [(True, ["s"], []), (False, [], ["busy"])]


def test_a_watch_goes_on_from_where_it_was(registry: Registry, monitor: Monitor) -> None:
    with register(registry, "s") as session:
        watch = monitor.watch()
        assert watch.cursor is None
        first = next(watch)
        assert watch.cursor == first.cursor
        assert watch.next(0) is None
        later = monitor.watch(watch.cursor)
        assert later.cursor == first.cursor
        session.update(status="busy")
        for reader in (watch, later):
            assert [one.status for one in next(reader).changed] == ["busy"]
            assert reader.next(0) is None
        # Whether it has a descriptor makes no difference.
        with monitor.watch(first.cursor) as third:
            third.fileno()
            assert [one.status for one in next(third).changed] == ["busy"]
            session.update(status="idle")
            assert [one.status for one in given(third.next(SECONDS)).changed] == ["idle"]


def test_a_watch_that_is_closed_ends_and_its_monitor_does_not(
    registry: Registry, monitor: Monitor
) -> None:
    with monitor.watch() as watch:
        watch.fileno()
        assert given(watch.next(0)).reset
    watch.close()
    assert list(watch) == []
    for call in (watch.next, watch.fileno):
        with pytest.raises(ClosedError):
            call()
    with register(registry, "s"):
        assert ids(given(monitor.wait(watch.cursor, SECONDS)).added) == ["s"]


def test_a_watch_keeps_its_monitor(registry: Registry) -> None:
    watch = Monitor(Sources.none(registries=[registry.dir])).watch()
    gc.collect()
    assert next(watch).reset
    with register(registry, "s"):
        assert ids(next(watch).added) == ["s"]


def test_after_close_every_call_says_so(monitor: Monitor) -> None:
    watch, other = monitor.watch(), monitor.watch()
    other.fileno()
    monitor.close()
    monitor.close()
    calls: list[Callable[[], object]] = [
        monitor.snapshot,
        monitor.wait,
        lambda: monitor.wait("x", 0),
        monitor.watch,
        lambda: monitor.polled,
        monitor.record_turn_start,
        lambda: monitor.clean_up([]),
        watch.next,
        watch.fileno,
        lambda: other.next(0),
        lambda: asyncio.run(awaited(monitor.wait_async())),
        lambda: asyncio.run(awaited(monitor.snapshot_async())),
    ]
    for call in calls:
        with pytest.raises(ClosedError):
            call()
    assert list(watch) == list(other) == []
    with monitor:
        pass


async def awaited(coroutine: Any) -> Any:
    """Wait for it."""
    return await coroutine


# Descriptors


@linux_only
def test_a_descriptor_is_readable_when_there_is_something_and_only_then(
    registry: Registry, monitor: Monitor
) -> None:
    with monitor.watch() as watch, register(registry, "s") as session:
        descriptor = watch.fileno()
        assert descriptor == watch.fileno()
        assert not os.get_inheritable(descriptor)
        assert is_readable(descriptor, SECONDS * 1000)
        while watch.next(0) is not None:
            pass
        assert not is_readable(descriptor, 300)
        session.update(status="busy")
        # At most once in vain: to find out that changes are being gathered.
        wakes, batch = 0, None
        while batch is None:
            assert is_readable(descriptor, SECONDS * 1000)
            batch = watch.next(0)
            wakes += 1
        assert wakes <= 3
        assert [one.status for one in batch.changed] == ["busy"]
        assert watch.next(0) is None
        assert not is_readable(descriptor, 300)
        monitor.close()
        assert is_readable(descriptor, SECONDS * 1000)
        with pytest.raises(ClosedError):
            watch.next(0)


@linux_only
def test_a_thousand_monitors_leave_no_descriptor_and_no_thread(registry: Registry) -> None:
    sources = Sources.none(registries=[registry.dir])

    def use(end: str) -> None:
        monitor = Monitor(sources)
        watch = monitor.watch()
        watch.fileno()
        assert watch.next(0)
        assert watch.next(0.0001) is None
        assert monitor.wait()
        if end == "close":
            monitor.close()

    with register(registry, "s"):
        use("close")
        before = state()
        for number in range(1000):
            use("close" if number % 2 else "forget")
        assert state() == before
        monitor = Monitor(sources)
        # The control: one that is open would be seen.
        assert state() != before
        monitor.close()
        assert state() == before


@linux_only
def test_a_thousand_watches_leave_no_descriptor(monitor: Monitor) -> None:
    assert monitor.wait()
    before = state()
    for number in range(1000):
        watch = monitor.watch()
        assert watch.next()
        if number % 2:
            assert watch.next(0.0001) is None
        if number % 3:
            watch.close()
    del watch
    assert state() == before


# Threads


def test_many_readers_each_hear_of_everything(registry: Registry, monitor: Monitor) -> None:
    last = 30

    def read(number: int) -> list[str | None]:
        seen: list[str | None] = []
        cursor = None
        watch = monitor.watch()
        while not seen or seen[-1] != f"v{last}":
            batch = watch.next(SECONDS) if number % 2 else monitor.wait(cursor, SECONDS)
            cursor = given(batch).cursor
            seen += [one.status for one in [*given(batch).added, *given(batch).changed]]
        return seen

    with register(registry, "s") as session, ThreadPoolExecutor(16) as pool:
        readers = [pool.submit(read, number) for number in range(16)]
        for number in range(1, last + 1):
            session.update(status=f"v{number}")
            time.sleep(0.005)
        for reader in readers:
            seen = reader.result(SECONDS)
            numbers = [int(status[1:]) for status in seen if status is not None]
            assert numbers == sorted(set(numbers)), "in order, and none twice"
            assert numbers[-1] == last


def test_more_readers_than_there_are_descriptors_for(registry: Registry, monitor: Monitor) -> None:
    count = 150

    def read(_: int) -> list[str | None]:
        watch = monitor.watch()
        assert watch.next(SECONDS)
        ready.release()
        return ids(given(watch.next(SECONDS)).added)

    ready = threading.Semaphore(0)
    with ThreadPoolExecutor(count) as pool:
        readers = [pool.submit(read, number) for number in range(count)]
        for _ in range(count):
            assert ready.acquire(timeout=SECONDS)
        with register(registry, "s"):
            assert [reader.result(SECONDS) for reader in readers] == [["s"]] * count


def waiting(call: Callable[[], object]) -> Future[object]:
    """Have a thread make a call that waits, and return when it does."""
    future: Future[object] = Future()
    begun = threading.Event()

    def work() -> None:
        begun.set()
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=work).start()
    assert begun.wait(SECONDS)
    time.sleep(A_MOMENT)
    assert not future.done()
    return future


def test_closing_a_monitor_ends_every_wait(monitor: Monitor) -> None:
    cursor = given(monitor.wait()).cursor
    waits = [waiting(lambda: monitor.wait(cursor)) for _ in range(3)]
    waits += [waiting(lambda: monitor.wait(cursor, 3600)), waiting(monitor.watch(cursor).next)]
    iteration = waiting(lambda: list(monitor.watch(cursor)))
    monitor.close()
    for wait in waits:
        with pytest.raises(ClosedError):
            wait.result(SECONDS)
    assert iteration.result(SECONDS) == []


def test_closing_a_watch_ends_its_waits_and_no_others(registry: Registry, monitor: Monitor) -> None:
    cursor = given(monitor.wait()).cursor
    watch, other = monitor.watch(cursor), monitor.watch(cursor)
    iteration, wait = waiting(lambda: list(watch)), waiting(lambda: watch.next(3600))
    goes_on = waiting(lambda: ids(next(other).added))
    watch.close()
    assert iteration.result(SECONDS) == []
    with pytest.raises(ClosedError):
        wait.result(SECONDS)
    assert not goes_on.done()
    with register(registry, "s"):
        assert goes_on.result(SECONDS) == ["s"]


def test_a_watch_that_threads_share_gives_each_batch_to_one(
    registry: Registry, monitor: Monitor
) -> None:
    watch = monitor.watch(given(monitor.wait()).cursor)
    with register(registry, "s") as session, ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(lambda: [batch.cursor for batch in watch]) for _ in range(4)]
        for number in range(20):
            session.update(status=f"v{number}")
            time.sleep(0.01)
        deadline = time.monotonic() + SECONDS
        while watch.cursor != monitor.snapshot().cursor:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        watch.close()
        seen = [cursor for reader in readers for cursor in reader.result(SECONDS)]
    assert len(seen) == len(set(seen)) > 1


def test_other_threads_run_while_one_waits(monitor: Monitor) -> None:
    cursor = given(monitor.wait()).cursor
    for call in (monitor.wait, lambda cursor, rest: monitor.watch(cursor).next(rest)):
        turns = 0
        with ThreadPoolExecutor(1) as pool:
            wait = pool.submit(call, cursor, A_MOMENT)
            while not wait.done():
                time.sleep(0.001)
                turns += 1
        assert wait.result() is None
        assert turns > 20


# Signals


CTRL_C = """
    import os, signal, sys, threading, time
    import sessionreg
    way, folder = sys.argv[1:]
    # A shell starts what it runs in the background with the signal ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    monitor = sessionreg.Monitor(sessionreg.Sources.none(registries=[folder]))
    cursor = monitor.wait().cursor
    watch = monitor.watch(cursor)
    calls = {
        "wait": lambda: monitor.wait(cursor),
        "timeout": lambda: monitor.wait(cursor, 3600),
        "next": watch.next,
        "for": lambda: list(watch),
    }
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        calls[way]()
    except KeyboardInterrupt:
        # It still works.
        print("interrupted", monitor.wait(cursor, 0), watch.next(0))
"""


@posix_only
@pytest.mark.parametrize("way", ["wait", "timeout", "next", "for"])
def test_ctrl_c_ends_a_wait(way: str, tmp_path: Path) -> None:
    done = run(CTRL_C, way, str(tmp_path))
    assert (done.stdout.strip(), done.stderr) == ("interrupted None None", "")


@posix_only
def test_a_signal_that_is_handled_ends_no_wait(registry: Registry, monitor: Monitor) -> None:
    cursor, seen = given(monitor.wait()).cursor, 0

    def handler(*_: object) -> None:
        nonlocal seen
        seen += 1

    before = signal.signal(signal.SIGALRM, handler)
    try:
        watched = lambda cursor, rest: monitor.watch(cursor).next(rest)  # noqa: E731
        for name, call in (("s", monitor.wait), ("t", watched)):
            seen = 0
            signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
            begun = time.monotonic()
            assert call(cursor, A_MOMENT) is None
            assert time.monotonic() - begun >= A_MOMENT
            assert seen >= 5
            timer = threading.Timer(A_MOMENT, register, (registry, name))
            timer.start()
            batch = given(call(cursor, SECONDS))
            signal.setitimer(signal.ITIMER_REAL, 0)
            timer.join()
            assert ids(batch.added) == [name]
            cursor = batch.cursor
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@posix_only
def test_an_exception_of_a_handler_ends_a_wait(monitor: Monitor) -> None:
    cursor = given(monitor.wait()).cursor

    def handler(*_: object) -> None:
        raise OSError("of the handler")

    before = signal.signal(signal.SIGALRM, handler)
    try:
        for call in (monitor.wait, lambda cursor: monitor.watch(cursor).next()):
            signal.setitimer(signal.ITIMER_REAL, A_MOMENT)
            with pytest.raises(OSError, match="of the handler"):
                call(cursor)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# Forks


@posix_only
def test_a_forked_child_is_told_that_the_monitor_is_not_its_own(registry: Registry) -> None:
    done = run(
        """
        import asyncio, gc, os, sys, threading, time
        import sessionreg
        folder = sys.argv[1]
        sources = sessionreg.Sources.none(registries=[folder])
        monitor = sessionreg.Monitor(sources)
        cursor = monitor.wait().cursor
        watch, busy = monitor.watch(cursor), monitor.watch(cursor)
        watch.fileno()
        # Threads that wait, and look all the time: of their locks a child must not wait.
        stop = threading.Event()
        def look():
            while not stop.is_set(): monitor.snapshot(); watch.next(0); watch.cursor
        threads = [threading.Thread(target=look) for _ in range(2)]
        threads += [threading.Thread(target=busy.next)]
        for thread in threads: thread.start()
        async def awaited(): await monitor.wait_async(cursor)
        for _ in range(20):
            child = os.fork()
            if child == 0:
                calls = [monitor.snapshot, monitor.wait, monitor.watch, watch.next, busy.next]
                calls += [watch.fileno, monitor.record_turn_start, lambda: monitor.polled]
                calls += [lambda: asyncio.run(awaited())]
                code = 0
                for number, call in enumerate(calls):
                    try:
                        call()
                        code = code or 10 + number
                    except sessionreg.ClosedError:
                        pass
                    except BaseException:
                        code = code or 30 + number
                if list(watch) or list(busy): code = code or 50
                watch.cursor
                # A child has one of its own.
                own = sessionreg.Monitor(sources)
                if not own.wait().reset: code = code or 51
                watch.close(); busy.close(); monitor.close()
                del watch, busy, monitor, own
                gc.collect()
                os._exit(code)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        stop.set()
        # The parent's works as before.
        with sessionreg.Registry(folder).register(session_id="s", work_dir="/srv"):
            for thread in threads: thread.join(10)
            batch = monitor.wait(cursor, 10)
            print([session.session_id for session in batch.added])
            own = watch.next(10)
            print(own is None or [session.session_id for session in own.added] == ["s"])
        """,
        str(registry.dir),
    )
    assert (done.stdout.split("\n")[:2], done.stderr) == (["['s']", "True"], "")


# Event loops


def test_an_event_loop_follows_a_watch_until_it_is_closed(
    registry: Registry, monitor: Monitor
) -> None:
    async def follow() -> list[tuple[bool, list[str | None], list[str]]]:
        seen = []
        with register(registry, "s") as session:
            async for batch in monitor.watch():
                seen.append((batch.reset, ids(batch.added), ids(batch.changed), batch.removed))
                if len(seen) == 1:
                    session.switch("t")
                elif len(seen) == 2:
                    session.close()
                else:
                    monitor.close()
        key = session.record.instance
        assert seen == [
            (True, ["s"], [], []),
            (False, [], ["t"], []),
            (False, [], [], [key]),
        ]
        return []

    assert asyncio.run(follow()) == []


def test_more_watches_in_one_loop_than_there_can_be_descriptors(
    registry: Registry, monitor: Monitor
) -> None:
    count = 1000

    async def follow(seen: list[list[str | None]]) -> None:
        async for batch in monitor.watch():
            seen.append(ids(batch.added))

    async def main() -> None:
        seen: list[list[str | None]] = []
        tasks = [asyncio.create_task(follow(seen)) for _ in range(count)]
        await until(lambda: len(seen) == count)
        descriptors = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
        assert descriptors < 100
        with register(registry, "s"):
            await until(lambda: len(seen) == 2 * count)
            monitor.close()
            await asyncio.gather(*tasks)
        assert seen == [[]] * count + [["s"]] * count

    threads = threading.active_count()
    asyncio.run(main())
    assert threading.active_count() == threads


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


def test_a_wait_in_a_loop_gives_what_a_wait_gives(registry: Registry, monitor: Monitor) -> None:
    async def main() -> None:
        first = given(await monitor.wait_async())
        assert first.reset
        assert await monitor.wait_async(first.cursor, 0) is None
        begun = time.monotonic()
        assert await monitor.wait_async(first.cursor, timeout=A_MOMENT) is None
        assert time.monotonic() - begun >= A_MOMENT
        wait = asyncio.create_task(awaited(monitor.wait_async(first.cursor, SECONDS)))
        await asyncio.sleep(0.01)
        with register(registry, "s"):
            assert ids((await wait).added) == ["s"]
            snapshot = await monitor.snapshot_async()
            assert ids(snapshot.sessions) == ["s"]

    asyncio.run(main())


def test_a_cancelled_wait_loses_nothing(registry: Registry, monitor: Monitor) -> None:
    async def main() -> None:
        watch = monitor.watch()
        await anext(watch)
        numbers: list[int] = []
        with register(registry, "s") as session:
            for number in range(60):
                session.update(status=f"v{number}")
                with suppress(asyncio.TimeoutError):
                    batch = await asyncio.wait_for(anext(watch), 0.001 * (number % 30))
                    for one in [*batch.added, *batch.changed]:
                        numbers.append(int((one.status or "v-1")[1:]))
            while numbers[-1:] != [59]:
                batch = await asyncio.wait_for(anext(watch), SECONDS)
                numbers += [int((one.status or "")[1:]) for one in [*batch.added, *batch.changed]]
        assert numbers == sorted(set(numbers))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(monitor.wait_async(monitor.snapshot().cursor), 0.01)

    asyncio.run(main())


@pytest.mark.parametrize("what", ["monitor", "watch"])
@pytest.mark.parametrize("where", ["loop", "thread"])
def test_closing_ends_the_waits_of_a_loop(what: str, where: str, monitor: Monitor) -> None:
    async def main() -> None:
        watch = monitor.watch()
        assert (await anext(watch)).reset

        async def follow() -> list[Batch]:
            return [batch async for batch in watch]

        follower = asyncio.create_task(follow())
        cursor = monitor.snapshot().cursor
        wait = asyncio.create_task(awaited(monitor.wait_async(cursor)))
        await asyncio.sleep(A_MOMENT)
        assert not follower.done()
        closes: dict[str, Callable[[], None]] = {"monitor": monitor.close, "watch": watch.close}
        if where == "thread":
            await asyncio.to_thread(closes[what])
        else:
            closes[what]()
        assert await asyncio.wait_for(follower, SECONDS) == []
        if what == "monitor":
            with pytest.raises(ClosedError):
                await asyncio.wait_for(wait, SECONDS)
        else:
            await asyncio.sleep(A_MOMENT)
            assert not wait.done()
            wait.cancel()

    asyncio.run(main())


def test_two_tasks_that_share_a_watch_each_get_some(registry: Registry, monitor: Monitor) -> None:
    async def main() -> None:
        watch = monitor.watch()
        seen: list[str] = []

        async def follow() -> None:
            async for batch in watch:
                seen.append(batch.cursor)

        tasks = [asyncio.create_task(follow()) for _ in range(3)]
        with register(registry, "s") as session:
            for number in range(10):
                session.update(status=f"v{number}")
                await asyncio.sleep(0.03)
            cursor = (await monitor.snapshot_async()).cursor
            await until(lambda: watch.cursor == cursor)
            watch.close()
            await asyncio.gather(*tasks)
        assert len(seen) == len(set(seen)) > 1

    asyncio.run(main())


@linux_only
def test_loops_in_threads_follow_one_monitor_and_leave_nothing(
    registry: Registry, monitor: Monitor
) -> None:
    assert monitor.wait()

    def loop(_: int) -> list[str | None]:
        async def follow() -> list[str | None]:
            watch = monitor.watch()
            await anext(watch)
            ready.release()
            return ids((await asyncio.wait_for(anext(watch), SECONDS)).added)

        return asyncio.run(follow())

    before = state()
    ready = threading.Semaphore(0)
    with ThreadPoolExecutor(8) as pool:
        loops = [pool.submit(loop, number) for number in range(8)]
        for _ in loops:
            assert ready.acquire(timeout=SECONDS)
        with register(registry, "s"):
            assert [future.result(SECONDS) for future in loops] == [["s"]] * 8
    assert monitor.snapshot().sessions == []
    assert state() == before


@linux_only
def test_a_loop_that_is_abandoned_leaves_nothing(monitor: Monitor) -> None:
    cursor = given(monitor.wait()).cursor
    before = state()

    async def follow(watch: Watch) -> None:
        async for _ in watch:
            pass

    for _ in range(10):
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda *_: None)
        for _ in range(3):
            loop.create_task(follow(monitor.watch(cursor)))  # noqa: RUF006 - it is forgotten
            loop.create_task(awaited(monitor.wait_async(cursor)))  # noqa: RUF006
        loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()
        del loop
    assert state() == before


def test_a_loop_without_descriptors_hears_of_changes_too(
    registry: Registry, monitor: Monitor
) -> None:
    class Loop(asyncio.SelectorEventLoop):
        """As that of Windows is."""

        def add_reader(self, fd: Any, callback: Any, *args: Any) -> None:  # type: ignore[override]
            if not self.is_running():
                super().add_reader(fd, callback, *args)
                return
            raise NotImplementedError

    async def main() -> None:
        watch = monitor.watch()
        await anext(watch)
        change = asyncio.create_task(awaited(anext(watch)))
        await asyncio.sleep(0.01)
        with register(registry, "s"):
            assert ids((await asyncio.wait_for(change, SECONDS)).added) == ["s"]
        assert await monitor.wait_async((watch.cursor), 0) is None or True
        end = asyncio.create_task(awaited(monitor.wait_async(monitor.snapshot().cursor)))
        await asyncio.sleep(0.01)
        monitor.close()
        with pytest.raises(ClosedError):
            await asyncio.wait_for(end, SECONDS)

    loop = Loop()
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()


# Nothing happens


@linux_only
def test_an_idle_reader_does_not_wake(monitor: Monitor) -> None:
    def switches(thread: int) -> int:
        status = Path(f"/proc/self/task/{thread}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("voluntary")]
        return int(line.split()[1])

    cursor = given(monitor.wait()).cursor

    async def follow() -> None:
        with suppress(ClosedError):
            await monitor.wait_async(cursor)

    calls: list[Callable[[], object]] = [
        lambda: monitor.wait(cursor),
        monitor.watch(cursor).next,
        lambda: asyncio.run(follow()),
    ]
    threads: list[threading.Thread] = []
    for call in calls:

        def work(call: Callable[[], object] = call) -> None:
            with suppress(ClosedError):
                call()

        threads.append(threading.Thread(target=work))
        threads[-1].start()
    time.sleep(0.5)
    before = [switches(thread.native_id or 0) for thread in threads]
    time.sleep(1)
    assert [switches(thread.native_id or 0) for thread in threads] == before
    monitor.close()
    for thread in threads:
        thread.join(SECONDS)
        assert not thread.is_alive()
