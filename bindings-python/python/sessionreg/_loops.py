"""Restore tables on event loops of asyncio: no thread, and the loop's own timers.

The native module calls what is here, and is asked for the rest: `RestoreTable._begin` counts a
caller, `_Share` is his place, and `_Run`, if he is the owner, what his coroutine ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from ._sessionreg import Lease, RestoreContext, RestoreTable, SessionEvent, Subscription
from .errors import CancelledError

if TYPE_CHECKING:
    from ._sessionreg import _Run, _Share

__all__ = ["close", "itself", "next_event", "restore"]

_Future = asyncio.Future[None]
_Task = asyncio.Task[None]
_Function = Callable[[RestoreContext], Awaitable[Any]]

# How often a signal is looked at: threads may set it too, which tells no loop.
_SECONDS_BETWEEN_LOOKS = 0.05

# Tasks of runs, and what they end. A loop refers to its tasks weakly, and a run may have nobody who
# waits for it.
_running: dict[_Task, tuple[_Run, _Share]] = {}
_cancelled: set[_Task] = set()


class _Signal(Protocol):
    def is_set(self) -> bool: ...


async def restore(
    table: RestoreTable,
    action: str,
    session_id: str,
    cwd: Any,
    function: _Function,
    signal: _Signal | None,
) -> Lease:
    """Restore a session, or share in what another caller restores."""
    if signal is not None and signal.is_set():
        raise _has_left()
    _leave_closed_loops()
    loop = asyncio.get_running_loop()
    told = loop.create_future()
    begun = table._begin(action, session_id, cwd, _waker(loop, told), signal)
    while not isinstance(begun, Lease):
        run, share = begun
        task = None
        if run is not None:
            task = loop.create_task(_carry_out(table, run, share, function, signal))
            _watch(loop, task, run, share, told)
        await _until_told(loop, told, share, task, signal)
        told = loop.create_future()
        begun = share.take(_waker(loop, told))
    return begun


async def close(table: RestoreTable, timeout: float | None) -> None:
    """Shut the table down, and wait until every restore has ended."""
    _leave_closed_loops()
    loop = asyncio.get_running_loop()
    told = loop.create_future()
    table._begin_close(_waker(loop, told))
    await asyncio.wait([told], timeout=timeout)
    # Whether they have ended is for the core to say.
    table._close_now()


async def next_event(subscription: Subscription) -> SessionEvent:
    """Wait for the next event of a subscription."""
    loop = asyncio.get_running_loop()
    subscription._begin_wait()
    try:
        while True:
            ready = loop.create_future()
            event = subscription._poll(_waker(loop, ready))
            if event is not None:
                return event
            if subscription.over:
                raise StopAsyncIteration
            await ready
    finally:
        subscription._end_wait()


async def itself(value: Any) -> Any:
    """Return what it is given."""
    return value


def _watch(
    loop: asyncio.AbstractEventLoop, task: _Task, run: _Run, share: _Share, told: _Future
) -> None:
    """Have the task of a run always end it."""
    _running[task] = run, share
    task.add_done_callback(partial(_end, run, share, told))
    run.on_cancelled(partial(_from_any_thread, loop, _cancel, task))


async def _carry_out(
    table: RestoreTable, run: _Run, share: _Share, function: _Function, signal: _Signal | None
) -> None:
    try:
        await _secure(table, run)
        # Perhaps this caller, or everybody, has left since it was asked for.
        has_left = signal is not None and signal.is_set()
        if has_left:
            share.leave()
        if has_left or run.context.cancelled:
            run.leave()
            return
        state = await function(run.context)
    except Exception as error:
        run.fail(error)
    else:
        run.complete(state)


async def _secure(table: RestoreTable, run: _Run) -> None:
    """Take what has to be had before: in a thread, if files are read and written for it."""
    if not table._takes_claims:
        run.secure()
        return
    secured = asyncio.get_running_loop().run_in_executor(None, run.secure)
    cancelled = None
    while not secured.done():
        try:
            await asyncio.wait([secured])
        except asyncio.CancelledError as error:
            # The run must not end before the thread is done with it.
            cancelled = error
    if cancelled is not None:
        if not secured.cancelled():
            # Nobody asks any more whether it failed, which a future would complain of.
            secured.exception()
        raise cancelled
    secured.result()


def _end(run: _Run, share: _Share, told: _Future, task: _Task) -> None:
    """End what a task has left: it was cancelled, perhaps before it began, or interrupted."""
    _running.pop(task, None)
    _cancelled.discard(task)
    if task.cancelled() or task.exception() is not None:
        # First the caller leaves, then the run: it must not be handed to him.
        share.leave()
        run.leave()
        told.cancel()


async def _until_told(
    loop: asyncio.AbstractEventLoop,
    told: _Future,
    share: _Share,
    task: _Task | None,
    signal: _Signal | None,
) -> None:
    left = share.seconds_left()
    timer = None if left is None else loop.call_later(left, share.time_out)
    try:
        if signal is None:
            await told
        else:
            await _until_told_or_set(told, signal)
    except BaseException:
        share.leave()
        # Of a loop that is closed no task ever ends.
        if task is not None and not loop.is_closed():
            _cancel(task)
            await _until_ended(task)
        raise
    finally:
        if timer is not None:
            timer.cancel()


async def _until_told_or_set(told: _Future, signal: _Signal) -> None:
    while not told.done():
        if signal.is_set():
            raise _has_left()
        await asyncio.wait([told], timeout=_SECONDS_BETWEEN_LOOKS)
    await told


async def _until_ended(task: _Task) -> None:
    """Wait for a task that was cancelled, as if it were awaited: further cancellations are its."""
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()


def _cancel(task: _Task) -> None:
    """Cancel a task once: a second time would interrupt how it cleans up."""
    if task in _running and task not in _cancelled:
        _cancelled.add(task)
        task.cancel()


def _leave_closed_loops() -> None:
    """End the runs of loops that were closed before their tasks had ended: nobody else would."""
    for task in [task for task in list(_running) if task.get_loop().is_closed()]:
        if (left := _running.pop(task, None)) is not None:
            run, share = left
            _cancelled.discard(task)
            share.leave()
            run.leave()


def _has_left() -> CancelledError:
    return CancelledError("failed to restore the session: whoever asked for it has left")


def _waker(loop: asyncio.AbstractEventLoop, future: _Future) -> Callable[[], None]:
    """Return what completes a future, from any thread."""
    return partial(_from_any_thread, loop, _complete, future)


def _from_any_thread(loop: asyncio.AbstractEventLoop, call: Callable[..., None], what: Any) -> None:
    # Of a loop that is closed nobody waits for anything.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call, what)


def _complete(future: _Future) -> None:
    if not future.done():
        future.set_result(None)
