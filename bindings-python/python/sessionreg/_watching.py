"""Waiting in event loops: by one descriptor for each monitor in a loop, and by no thread."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from weakref import WeakValueDictionary

from .errors import ClosedError, SessionRegError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ClassVar

    from . import Batch, Monitor, Snapshot, Watch

__all__ = ["follow", "snapshot", "wait"]

# How often is looked where no descriptor is to be had, in seconds.
_WITHOUT_DESCRIPTOR = 0.05


async def snapshot(monitor: Monitor) -> Snapshot:
    """Take a snapshot in a thread of the loop's."""
    return await asyncio.to_thread(monitor.snapshot)


async def wait(monitor: Monitor, cursor: str | None, timeout: float | None) -> Batch | None:
    """Do what `Monitor.wait` does."""
    loop = asyncio.get_running_loop()
    end = None if timeout is None else loop.time() + timeout
    while True:
        batch = monitor.wait(cursor, 0)
        if batch is not None:
            return batch
        rest = None if end is None else end - loop.time()
        if rest is not None and rest <= 0:
            return None
        await _pause(loop, monitor, cursor, rest, None)


async def follow(watch: Watch, monitor: Monitor) -> Batch:
    """Do what `Watch.next` does, and end the iteration when it is closed."""
    loop = asyncio.get_running_loop()
    try:
        while True:
            batch = watch.next(0)
            if batch is not None:
                return batch
            await _pause(loop, monitor, watch.cursor, None, watch)
    except ClosedError:
        raise StopAsyncIteration from None


async def _pause(
    loop: asyncio.AbstractEventLoop,
    monitor: Monitor,
    cursor: str | None,
    rest: float | None,
    watch: Watch | None,
) -> None:
    """Wait, in vain at times, until there may be something to take."""
    try:
        hub = _Hub.of(loop, monitor, cursor)
    except (OSError, NotImplementedError):
        # Not every system has such descriptors, nor every loop a way to wait for them.
        limit = _WITHOUT_DESCRIPTOR
        await asyncio.sleep(limit if rest is None else min(rest, limit))
        return
    waiter: asyncio.Future[None] = loop.create_future()
    hub.waiters.add(waiter)
    timer = None if rest is None else loop.call_later(rest, _wake, waiter)
    token = None if watch is None else watch._on_close(_waker(loop, waiter))
    try:
        await waiter
    finally:
        if watch is not None and token is not None:
            watch._forget(token)
        if timer is not None:
            timer.cancel()
        hub.leave(waiter)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _waker(loop: asyncio.AbstractEventLoop, waiter: asyncio.Future[None]) -> Callable[[], None]:
    """Return what wakes it from any thread."""

    def wake() -> None:
        # In a loop that was closed nobody waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_wake, waiter)

    return wake


class _Hub:
    """All who wait for one monitor in one loop, with the one descriptor that wakes them.

    A descriptor for each of them would meet a limit of the kernel's: Linux allows no more than a
    hundred of these in one loop.
    """

    # The loop holds a hub, by the reader that is in it; when the loop goes, so does the hub.
    _all: ClassVar[WeakValueDictionary[tuple[int, int], _Hub]] = WeakValueDictionary()

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop, monitor: Monitor, cursor: str | None) -> _Hub:
        """Return the hub of both, which is made if nobody waits yet."""
        hub = cls._all.get((id(loop), id(monitor)))
        return cls(loop, monitor, cursor) if hub is None else hub

    def __init__(
        self, loop: asyncio.AbstractEventLoop, monitor: Monitor, cursor: str | None
    ) -> None:
        self.waiters: set[asyncio.Future[None]] = set()
        self._loop = loop
        # Held, so that the keys are those of no other objects.
        self._monitor = monitor
        self._watch = monitor.watch(cursor)
        self._descriptor = self._watch.fileno()
        loop.add_reader(self._descriptor, self._look)
        self._all[id(loop), id(monitor)] = self

    def _look(self) -> None:
        try:
            if self._watch.next(0) is None:
                return
        except SessionRegError:
            # Each of them will hear of it when it looks for itself.
            pass
        for waiter in self.waiters:
            _wake(waiter)

    def leave(self, waiter: asyncio.Future[None]) -> None:
        """Forget one who waited. With the last one the hub goes."""
        self.waiters.discard(waiter)
        if self.waiters:
            return
        self._all.pop((id(self._loop), id(self._monitor)), None)
        # In a loop that was closed there is no reader.
        with suppress(RuntimeError):
            self._loop.remove_reader(self._descriptor)
        self._watch.close()
