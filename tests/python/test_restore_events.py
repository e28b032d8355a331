"""Who follows a session gets its events, in order, or is told what is missing."""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from programs import posix_only, run, turns_during
from sessionreg import (
    InvalidInputError,
    NotFoundError,
    RestoreContext,
    RestoreTable,
    SessionEvent,
    SubscriberLimitError,
    Subscription,
)

CWD = Path.cwd()


def loaded(*events: object, **options: Any) -> RestoreTable:
    """Return a table with a session, of which so much was published during its load."""
    table = RestoreTable(**options)

    def load(context: RestoreContext) -> None:
        for event in events:
            table.publish(context.session_id, event)

    table.restore("load", "s", CWD, load)
    return table


def taken(subscription: Subscription) -> list[SessionEvent]:
    """Return what there is now."""
    found = []
    while (event := subscription.next(0)) is not None:
        found.append(event)
    return found


def data(events: list[SessionEvent]) -> list[Any]:
    """Return what was published."""
    assert {event.kind for event in events} <= {"published"}
    return [event.data for event in events]


def test_what_a_load_publishes_is_there_before_it_returns() -> None:
    first = object()
    table = loaded(first, "two")
    table.publish("s", "three")
    events = taken(table.subscribe("s", "0"))
    assert data(events) == [first, "two", "three"]
    assert events[0].data is first
    ids = [str(event.id) for event in events]
    assert [re.sub("^[0-9a-f]+-", "", one) for one in ids] == ["1", "2", "3"]
    assert data(taken(table.subscribe("s", ids[1]))) == ["three"]
    assert data(taken(table.subscribe("s", ids[2]))) == []
    assert data(taken(table.subscribe("s"))) == []
    assert data(taken(table.subscribe("s", None))) == []


def test_a_resume_publishes_nothing() -> None:
    table = RestoreTable()
    ids: list[str | None] = []
    table.restore(
        "resume", "s", CWD, lambda context: ids.append(table.publish(context.session_id, 1))
    )
    assert ids == [None]
    assert taken(table.subscribe("s", "0")) == []


def test_what_is_not_kept_any_more_is_a_gap() -> None:
    table = loaded(*range(10), ring_capacity=3)
    gap, *rest = taken(table.subscribe("s", "2"))
    assert gap == SessionEvent("gap", missed=5)
    assert data(rest) == [7, 8, 9]
    assert data(taken(table.subscribe("s", "7"))) == [7, 8, 9]


def test_an_event_of_another_life_is_told_apart() -> None:
    table = loaded("former")
    [former] = taken(table.subscribe("s", "0"))
    table.end("s")
    table.restore("load", "s", CWD, lambda context: table.publish(context.session_id, "new"))
    epoch, new = taken(table.subscribe("s", former.id))
    assert epoch == SessionEvent("new_epoch")
    assert new.data == "new"
    for wrong in ("", "x", "1-", "-1-x", "+1", "\u0661"):
        with pytest.raises(InvalidInputError):
            table.subscribe("s", wrong)
    with pytest.raises(TypeError):
        table.subscribe("s", 1)  # type: ignore[arg-type]


def test_who_does_not_keep_up_is_evicted_and_told() -> None:
    table = loaded()
    subscription = table.subscribe("s")
    for number in range(300):
        table.publish("s", number)
    *events, last = subscription
    assert data(events) == list(range(256))
    assert last == SessionEvent("evicted")
    assert subscription.over
    status = table.status("s")
    assert status is not None
    assert status.subscribers == 0
    # He goes on where he was.
    again = taken(table.subscribe("s", events[-1].id))
    assert data(again) == list(range(256, 300))


def test_a_session_has_sixty_four_subscribers_at_most() -> None:
    table = loaded()
    subscriptions = [table.subscribe("s") for _ in range(64)]
    with pytest.raises(SubscriberLimitError) as caught:
        table.subscribe("s")
    assert caught.value.limit == 64
    subscriptions[0].close()
    subscriptions[0].close()
    assert subscriptions[0].over
    assert next(iter(subscriptions[0]), None) is None
    with table.subscribe("s"):
        pass
    del subscriptions[1:3]
    gc.collect()
    status = table.status("s")
    assert status is not None
    assert status.subscribers == 61


def test_a_subscriber_keeps_a_session_that_nobody_wants_to_end() -> None:
    table = loaded()
    subscription = table.subscribe("s")
    lease = table.restore("load", "s", CWD, lambda _: None)
    assert table.end("s", only_if_unattached=True) is False
    lease.release()
    table.restore("load", "s", CWD, lambda _: None).release()
    status = table.status("s")
    assert status is not None
    assert (status.attachments, status.subscribers) == (1, 1)
    table.end("s")
    assert list(subscription) == [SessionEvent("ended", reason="ended")]


def test_all_are_told_why_a_session_ended() -> None:
    ends: list[tuple[Callable[[RestoreTable], object], str]] = [
        (lambda table: table.end("s"), "ended"),
        (lambda table: table.close(), "daemon_shutdown"),
    ]
    for end, reason in ends:
        table = loaded()
        subscriptions = [table.subscribe("s") for _ in range(3)]
        table.publish("s", 1)
        end(table)
        for subscription in subscriptions:
            one, last = subscription
            assert (one.data, last.kind, last.reason) == (1, "ended", reason)
            assert subscription.next() is None
    for call in (lambda: table.publish("s", 1), lambda: table.subscribe("s")):
        with pytest.raises(NotFoundError):
            call()


def test_threads_that_follow_get_all_in_order() -> None:
    table = loaded()
    got: list[list[Any]] = [[] for _ in range(4)]
    begun = threading.Barrier(5)

    def follow(number: int) -> None:
        with table.subscribe("s") as subscription:
            begun.wait()
            for event in subscription:
                got[number].append((event.kind, event.data))

    threads = [threading.Thread(target=follow, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    begun.wait()
    for number in range(200):
        table.publish("s", number)
    table.end("s")
    for thread in threads:
        thread.join()
    assert got == [[("published", number) for number in range(200)] + [("ended", None)]] * 4


def test_a_wait_ends_in_time_and_lets_others_run() -> None:
    subscription = loaded().subscribe("s")
    assert turns_during(lambda: subscription.next(0.2)) > 20
    assert not subscription.over


def test_closing_wakes_who_waits() -> None:
    subscription = loaded().subscribe("s")
    timer = threading.Timer(0.05, subscription.close)
    timer.start()
    assert list(subscription) == []
    timer.join()


def test_one_waits_at_a_time() -> None:
    table = loaded()
    subscription = table.subscribe("s")
    thread = threading.Thread(target=subscription.next)
    thread.start()

    def is_refused() -> bool:
        try:
            subscription.next(0.001)
        except InvalidInputError:
            return True
        return False

    while not is_refused():
        pass

    async def on_a_loop() -> None:
        with pytest.raises(InvalidInputError):
            await subscription.__anext__()

    asyncio.run(on_a_loop())
    table.publish("s", 1)
    thread.join()
    table.publish("s", 2)
    event = subscription.next()
    assert event is not None
    assert event.data == 2


@posix_only
def test_ctrl_c_interrupts_who_waits_for_an_event() -> None:
    subscription = loaded().subscribe("s")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    try:
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - it comes at any moment
            timer.start()
            next(subscription)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert subscription.next(0) is None


def test_tasks_that_follow_get_all_in_order() -> None:
    async def scene(table: RestoreTable) -> None:
        got: list[list[Any]] = [[] for _ in range(4)]

        async def follow(found: list[Any]) -> None:
            async with table.subscribe("s", "0") as subscription:
                async for event in subscription:
                    found.append((event.kind, event.data))

        tasks = [asyncio.create_task(follow(found)) for found in got]
        await asyncio.sleep(0)
        # From the loop's own thread, and from another one.
        for number in range(100):
            table.publish("s", number)
        await asyncio.to_thread(lambda: [table.publish("s", number) for number in range(100)])
        await asyncio.to_thread(table.end, "s")
        await asyncio.gather(*tasks)
        published = [("published", number) for number in range(100)]
        assert got == [[("published", "old"), *published, *published, ("ended", None)]] * 4

    asyncio.run(scene(loaded("old")), debug=True)


def test_a_task_that_is_cancelled_loses_no_event() -> None:
    async def scene(table: RestoreTable) -> None:
        subscription = table.subscribe("s")
        for number in range(20):
            task = asyncio.ensure_future(subscription.__anext__())
            await asyncio.sleep(0)
            table.publish("s", number)
            for _ in range(number % 4):
                await asyncio.sleep(0)
            task.cancel()
            try:
                event = await task
            except asyncio.CancelledError:
                event = await subscription.__anext__()
            assert event.data == number

    asyncio.run(scene(loaded()), debug=True)


def test_closing_wakes_a_task_that_waits() -> None:
    async def scene(subscription: Subscription) -> None:
        asyncio.get_running_loop().call_later(0.02, subscription.close)
        assert [event async for event in subscription] == []

    asyncio.run(scene(loaded().subscribe("s")), debug=True)


def test_an_event_is_a_value() -> None:
    event = SessionEvent("published", "0a-1", {"x": 1})
    assert (event.kind, event.id, event.data, event.missed, event.reason) == (
        "published",
        "0a-1",
        {"x": 1},
        0,
        None,
    )
    assert event == SessionEvent(kind="published", id="0a-1", data={"x": 1}, missed=0, reason=None)
    assert event != SessionEvent("published", "0a-1", {"x": 2})
    assert event != SessionEvent("published", "0a-2", {"x": 1})
    assert repr(event) == (
        "SessionEvent(kind='published', id='0a-1', data={'x': 1}, missed=0, reason=None)"
    )
    assert pickle.loads(pickle.dumps(event)) == event
    wrong: Any
    for wrong in ((1,), ("gap", 1), ("gap", None, None, 1.0), ("gap", None, None, True)):
        with pytest.raises(TypeError):
            SessionEvent(*wrong)


def test_a_publisher_never_waits_for_who_follows() -> None:
    table = loaded()
    subscriptions = [table.subscribe("s") for _ in range(64)]
    stop = threading.Event()
    published = 0

    def publish() -> None:
        nonlocal published
        while not stop.is_set():
            table.publish("s", published)
            published += 1

    thread = threading.Thread(target=publish)
    thread.start()
    while published < 5000:
        time.sleep(0.001)
    stop.set()
    thread.join()
    for subscription in subscriptions:
        assert subscription.next(0) is not None


def test_what_wakes_may_close_or_ask_again() -> None:
    done = run(
        """
        import faulthandler, sessionreg
        faulthandler.dump_traceback_later(20, exit=True)
        table = sessionreg.RestoreTable()
        lease = table.restore("load", "s", "/srv", lambda context: None)
        subscription = table.subscribe("s")
        subscription._poll(lambda: subscription.close())
        # It takes the place of the one before, which is told so.
        subscription._poll(lambda: None)
        print(subscription.over)
        subscription = table.subscribe("s")
        subscription._poll(lambda: print(subscription._poll(lambda: None).data))
        table.publish("s", "an event")
        print(subscription._poll(lambda: print("woken")))
        subscription.close()
        """
    )
    assert (done.stdout.split("\n"), done.stderr) == (
        ["True", "an event", "None", "woken", ""],
        "",
    )
