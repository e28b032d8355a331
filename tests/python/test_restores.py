"""Of all the threads that want a session back, one restores it."""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import sessionreg
from programs import linux_only, posix_only, run, turns_during
from sessionreg import (
    CancelledError,
    ClosedError,
    ClosingError,
    InvalidIdError,
    InvalidInputError,
    Lease,
    NotFoundError,
    RestoreContext,
    RestoreInProgressError,
    RestoreStatus,
    RestoreTable,
    SessionLimitError,
    WorkspaceMismatchError,
)

CWD = Path.cwd()


class Gate:
    """A restore that begins, and ends when it is let."""

    def __init__(self, state: object = None) -> None:
        self.state = state
        self.calls = 0
        self.begun = threading.Event()
        self.open = threading.Event()
        self.context: RestoreContext | None = None

    def __call__(self, context: RestoreContext) -> object:
        """Run it."""
        self.calls += 1
        self.context = context
        self.begun.set()
        assert self.open.wait(60)
        if isinstance(self.state, BaseException):
            raise self.state
        return self.state


def open_gate(state: object) -> Gate:
    """Return a restore that ends at once."""
    gate = Gate(state)
    gate.open.set()
    return gate


def until(condition: Callable[[], object]) -> None:
    """Wait for what other threads are about to do."""
    while not condition():
        time.sleep(0.001)


def waiting(table: RestoreTable, session_id: str = "s") -> int:
    """Return how many callers are counted."""
    status = table.status(session_id)
    return 0 if status is None else status.attachments


def never(_: RestoreContext) -> object:
    """Be a restore that must not run."""
    raise AssertionError("it must not be called")


def live(table: RestoreTable, session_id: str = "s", state: object = None) -> Lease:
    """Restore a session at once."""
    return table.restore("load", session_id, CWD, lambda _: state)


def test_of_a_thousand_callers_one_restores_and_all_get_the_same() -> None:
    table = RestoreTable()
    gate = Gate(state={"history": []})
    with ThreadPoolExecutor(1000) as pool:
        callers = [pool.submit(table.restore, "load", "s", CWD, gate) for _ in range(1000)]
        until(lambda: waiting(table) == 1000)
        gate.open.set()
        leases = [caller.result() for caller in callers]
    assert gate.calls == 1
    assert [lease.attached for lease in leases].count(False) == 1
    assert all(lease.state is gate.state for lease in leases)
    assert table.status("s") == RestoreStatus("s", "load", "live", 1000, 0)
    assert [lease.release() for lease in leases] == [False] * 999 + [True]
    assert table.sessions() == []


def test_threads_that_restore_and_release_as_they_like_never_run_two_at_once() -> None:
    table = RestoreTable(limit=0)
    running = dict.fromkeys("abc", 0)
    lock = threading.Lock()

    def restore(context: RestoreContext) -> object:
        with lock:
            running[context.session_id] += 1
            assert running[context.session_id] == 1
        time.sleep(0.0005)
        with lock:
            running[context.session_id] -= 1
        if os.urandom(1)[0] < 64:
            raise ValueError
        return context.session_id

    def work(number: int) -> int:
        done = 0
        for round_ in range(100):
            session_id = "abc"[(number + round_) % 3]
            action = "load" if round_ % 5 else "resume"
            try:
                with table.restore(action, session_id, CWD, restore) as lease:  # type: ignore[arg-type]
                    assert lease.state == session_id
                    done += 1
            except (ValueError, RestoreInProgressError, NotFoundError):
                pass
        return done

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) > 0
    assert table.sessions() == []


def test_a_live_session_is_attached_to_whatever_the_action() -> None:
    table = RestoreTable(limit=1)
    first = live(table, state=[])
    assert (first.attached, first.ended, first.session_id) == (False, None, "s")
    for lease in (
        table.restore("load", "s", CWD, never),
        table.restore("resume", "s", CWD, never),
        table.spawn("s", CWD, never),
    ):
        assert lease.attached
        assert lease.state is first.state
    with pytest.raises(SessionLimitError) as caught:
        table.restore("load", "t", CWD, never)
    assert (caught.value.limit, caught.value.retry_after) == (1, 5)


def test_the_last_release_ends_the_session_and_a_second_one_does_nothing() -> None:
    table = RestoreTable()
    first, second = live(table), live(table)
    assert not first.release()
    assert not first.release()
    assert second.ended is None
    assert second.release()
    assert first.ended == second.ended == "released"
    with pytest.raises(NotFoundError):
        table.end("s")


def test_with_releases_whatever_ends_it() -> None:
    table = RestoreTable()
    for end in (ValueError, KeyboardInterrupt, SystemExit):
        with pytest.raises(end), live(table):
            raise end
        assert table.sessions() == []


def test_garbage_collection_does_not_release() -> None:
    table = RestoreTable()
    live(table)
    gc.collect()
    assert waiting(table) == 1
    assert table.restore("load", "s", CWD, never).attached


def test_what_is_kept_for_a_session_goes_with_it() -> None:
    table = RestoreTable()

    class State:
        pass

    state = State()
    before = sys.getrefcount(state)
    lease = live(table, state=state)
    assert sys.getrefcount(state) > before
    lease.release()
    del lease
    assert sys.getrefcount(state) == before


def test_the_very_exception_of_the_owner_reaches_all_and_a_retry_starts_clean() -> None:
    table = RestoreTable()
    gate = Gate(state=OSError(5, "the log is torn"))
    with ThreadPoolExecutor(8) as pool:
        callers = [pool.submit(table.restore, "load", "s", CWD, gate) for _ in range(8)]
        until(lambda: waiting(table) == 8)
        gate.open.set()
        failures = [caller.exception() for caller in callers]
    assert gate.calls == 1
    assert all(failure is gate.state for failure in failures)
    assert table.sessions() == []
    assert not table.restore("resume", "s", CWD, lambda _: "again").attached


def test_the_traceback_of_a_shared_exception_does_not_grow() -> None:
    table = RestoreTable()
    gate = Gate(state=ValueError("no"))
    lengths = []

    def depth(error: BaseException) -> int:
        found, trace = 0, error.__traceback__
        while trace is not None:
            found, trace = found + 1, trace.tb_next
        return found

    def restore() -> None:
        try:
            table.restore("load", "s", CWD, gate)
        except ValueError as error:
            lengths.append(depth(error))

    threads = [threading.Thread(target=restore) for _ in range(50)]
    for thread in threads:
        thread.start()
    until(lambda: waiting(table) == 50)
    gate.open.set()
    for thread in threads:
        thread.join()
    assert len(lengths) == 50
    assert max(lengths) < 25


@pytest.mark.parametrize("error", [KeyError("s"), IndexError(), LookupError("no such log")])
def test_a_lookup_error_says_that_there_is_no_such_session(error: LookupError) -> None:
    table = RestoreTable()
    gate = Gate(state=error)
    with ThreadPoolExecutor(2) as pool:
        callers = [pool.submit(table.restore, "load", "s", CWD, gate) for _ in range(2)]
        until(lambda: waiting(table) == 2)
        gate.open.set()
        first, second = (caller.exception() for caller in callers)
    assert isinstance(first, NotFoundError)
    assert first is second
    assert first.__cause__ is error


def test_not_found_reaches_all_as_it_is() -> None:
    table = RestoreTable()
    missing = NotFoundError("there is no log of it")
    with pytest.raises(NotFoundError) as caught:
        table.restore("load", "s", CWD, open_gate(missing))
    assert caught.value is missing


def test_the_other_action_is_refused_at_once_in_both_directions() -> None:
    for active, requested in (("load", "resume"), ("resume", "load")):
        table, gate = RestoreTable(), Gate()
        with ThreadPoolExecutor(1) as pool:
            owner = pool.submit(table.restore, active, "s", CWD, gate)  # type: ignore[arg-type]
            gate.begun.wait()
            with pytest.raises(RestoreInProgressError) as caught:
                table.restore(requested, "s", CWD, never)  # type: ignore[arg-type]
            error = caught.value
            assert (error.code, error.session_id) == ("RESTORE_IN_PROGRESS", "s")
            assert (error.active, error.requested) == (active, requested)
            assert (error.reason, error.retry_after) == ("restoring", 5)
            again = pickle.loads(pickle.dumps(error))
            assert vars(again) == vars(error)
            with pytest.raises(RestoreInProgressError) as caught:
                table.end("s")
            assert caught.value.requested is None
            gate.open.set()
            assert not owner.result().attached


def test_a_table_that_is_bound_to_a_workspace_takes_no_other(tmp_path: Path) -> None:
    workspace, other, link = tmp_path / "here", tmp_path / "there", tmp_path / "link"
    workspace.mkdir()
    other.mkdir()
    link.symlink_to(workspace)
    table = RestoreTable(link)
    for same in (workspace, link, str(link), os.fsencode(workspace)):
        table.restore("load", "s", same, lambda _: None)
    with pytest.raises(WorkspaceMismatchError) as caught:
        table.restore("load", "s", other, never)
    assert caught.value.bound == str(workspace.resolve())
    assert caught.value.requested == str(other.resolve())
    with pytest.raises(InvalidInputError):
        table.restore("load", "s", "here", never)


def test_sharers_time_out_in_time_and_the_owner_when_his_function_returns() -> None:
    table, gate = RestoreTable(timeout=0.2), Gate(state="late")
    with ThreadPoolExecutor(9) as pool:
        owner = pool.submit(table.restore, "load", "s", CWD, gate)
        gate.begun.wait()
        sharers = [pool.submit(table.restore, "load", "s", CWD, never) for _ in range(8)]
        for sharer in sharers:
            assert isinstance(sharer.exception(10), sessionreg.TimeoutError)
        assert not owner.done()
        assert gate.context is not None
        assert gate.context.cancelled
        # Until it ends nobody else may restore the session.
        with pytest.raises(RestoreInProgressError) as caught:
            table.restore("load", "s", CWD, never)
        assert caught.value.reason == "abandoned"
        gate.open.set()
        assert isinstance(owner.exception(), TimeoutError)
    assert table.sessions() == []
    assert not live(table).attached


def test_a_lone_function_hears_that_its_time_is_over() -> None:
    def restore(context: RestoreContext) -> object:
        assert not context.cancelled
        until(lambda: context.cancelled)
        return None

    with pytest.raises(sessionreg.TimeoutError):
        RestoreTable(timeout=0.05).restore("load", "s", CWD, restore)


def test_without_a_timeout_a_restore_may_take_any_time() -> None:
    table = RestoreTable(timeout=None)
    assert table.restore("load", "s", CWD, lambda context: context.cancelled).state is False


def test_a_sharer_who_leaves_drops_his_own_share_only() -> None:
    table, gate = RestoreTable(), Gate(state=1)
    leave = threading.Event()
    with ThreadPoolExecutor(3) as pool:
        owner = pool.submit(table.restore, "load", "s", CWD, gate)
        gate.begun.wait()
        leaver = pool.submit(table.restore, "load", "s", CWD, never, leave)
        stayer = pool.submit(table.restore, "load", "s", CWD, never)
        until(lambda: waiting(table) == 3)
        leave.set()
        assert isinstance(leaver.exception(), CancelledError)
        assert waiting(table) == 2
        gate.open.set()
        assert (owner.result().attached, stayer.result().attached) == (False, True)
    assert waiting(table) == 2


def test_an_owner_who_leaves_while_others_wait_restores_for_them() -> None:
    table, gate = RestoreTable(), Gate(state=1)
    leave = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        owner = pool.submit(table.restore, "load", "s", CWD, gate, leave)
        gate.begun.wait()
        sharer = pool.submit(table.restore, "load", "s", CWD, never)
        until(lambda: waiting(table) == 2)
        leave.set()
        assert gate.context is not None
        assert not gate.context.cancelled, "somebody waits"
        assert waiting(table) == 1
        gate.open.set()
        assert isinstance(owner.exception(), CancelledError)
        # He is the owner in the place of the one who has left.
        assert not sharer.result().attached
    assert waiting(table) == 1


def test_an_owner_who_leaves_alone_has_his_result_discarded() -> None:
    table, gate = RestoreTable(), Gate(state=1)
    leave = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        owner = pool.submit(table.restore, "load", "s", CWD, gate, leave)
        gate.begun.wait()
        leave.set()
        assert gate.context is not None
        assert gate.context.cancelled
        gate.open.set()
        assert isinstance(owner.exception(), CancelledError)
    assert table.sessions() == []


def test_whoever_has_left_before_asks_for_nothing() -> None:
    table, left = RestoreTable(), threading.Event()
    left.set()
    with pytest.raises(CancelledError):
        table.restore("load", "s", CWD, never, left)
    assert table.sessions() == []


class Interruption(BaseException):
    """What is about one caller, as Ctrl-C is."""


def test_an_interrupted_owner_hands_over_to_the_first_who_waits() -> None:
    table, gate = RestoreTable(), Gate(state=Interruption())
    later = [open_gate(number) for number in range(3)]
    callers: list[Future[Lease]] = []
    with ThreadPoolExecutor(4) as pool:
        owner = pool.submit(table.restore, "load", "s", CWD, gate)
        gate.begun.wait()
        for number, function in enumerate(later):
            callers.append(pool.submit(table.restore, "load", "s", CWD, function))
            until(lambda number=number: waiting(table) == number + 2)  # type: ignore[misc]
        gate.open.set()
        assert owner.exception() is gate.state
        leases = [caller.result() for caller in callers]
    assert [function.calls for function in later] == [1, 0, 0]
    assert [(lease.attached, lease.state) for lease in leases] == [(False, 0), (True, 0), (True, 0)]


@posix_only
def test_ctrl_c_interrupts_a_sharer_who_waits() -> None:
    table, gate = RestoreTable(), Gate()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    with ThreadPoolExecutor(1) as pool:
        owner = pool.submit(table.restore, "load", "s", CWD, gate)
        gate.begun.wait()
        try:
            with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - it comes at any moment
                timer.start()
                table.restore("load", "s", CWD, never)
        finally:
            timer.join()
            signal.signal(signal.SIGINT, before)
        assert waiting(table) == 1
        gate.open.set()
        assert not owner.result().attached


@posix_only
def test_ctrl_c_interrupts_a_close_that_waits() -> None:
    table, gate = RestoreTable(), Gate()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    with ThreadPoolExecutor(1) as pool:
        owner = pool.submit(table.restore, "load", "s", CWD, gate)
        gate.begun.wait()
        try:
            with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - it comes at any moment
                timer.start()
                table.close()
        finally:
            timer.join()
            signal.signal(signal.SIGINT, before)
            gate.open.set()
        assert isinstance(owner.exception(), ClosingError)
    table.close()


def test_other_threads_run_while_one_waits() -> None:
    table, gate = RestoreTable(timeout=0.3), Gate()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(table.restore, "load", "s", CWD, gate)
        gate.begun.wait()

        def share() -> None:
            with pytest.raises(sessionreg.TimeoutError):
                table.restore("load", "s", CWD, never)

        assert turns_during(share) > 20
        gate.open.set()


def test_a_thread_never_waits_for_itself() -> None:
    table = RestoreTable()

    def restore(context: RestoreContext) -> object:
        with pytest.raises(InvalidInputError):
            table.restore("load", context.session_id, CWD, never)
        with pytest.raises(InvalidInputError):
            table.close()
        # Nor by way of an event loop.
        with pytest.raises(InvalidInputError):
            asyncio.run(
                table.restore_async("load", context.session_id, CWD, never)  # type: ignore[arg-type]
            )
        with pytest.raises(InvalidInputError):
            asyncio.run(table.close_async())
        # Another session is another matter.
        with table.restore("load", "t", CWD, lambda _: 2) as lease:
            return lease.state

    assert table.restore("load", "s", CWD, restore).state == 2
    assert table.restore("load", "s", CWD, never).attached


def test_what_would_stop_an_event_loop_is_refused_there() -> None:
    table = RestoreTable()
    lease = live(table)
    subscription = table.subscribe("s")

    async def on_a_loop() -> None:
        for call in (
            lambda: table.restore("load", "s", CWD, never),
            lambda: table.spawn("t", CWD, never),
            table.close,
            subscription.next,
            lambda: next(subscription),
        ):
            with pytest.raises(InvalidInputError, match="event loop"):
                call()
        # What never waits is not.
        assert subscription.next(0) is None
        table.publish("s", 1)
        # Nor is a thread beside the loop.
        await asyncio.to_thread(table.restore, "load", "s", CWD, never)

    asyncio.run(on_a_loop())
    assert waiting(table) == 2
    assert lease.ended is None


def test_close_waits_for_a_hundred_pending_restores() -> None:
    table = RestoreTable(limit=0)
    gates = [Gate(state=number) for number in range(100)]
    lease = live(table, "live")
    with ThreadPoolExecutor(101) as pool:
        callers = [
            pool.submit(table.restore, "load", f"s{number}", CWD, gate)
            for number, gate in enumerate(gates)
        ]
        for gate in gates:
            gate.begun.wait()
        with pytest.raises(sessionreg.TimeoutError):
            table.close(0.01)
        assert lease.ended == "daemon_shutdown"
        assert all(gate.context is not None and gate.context.cancelled for gate in gates)
        with pytest.raises(ClosingError):
            table.restore("load", "t", CWD, never)
        closing = pool.submit(table.close)
        for gate in gates[:-1]:
            gate.open.set()
        until(lambda: len(table.sessions()) == 1)
        assert not closing.done()
        gates[-1].open.set()
        assert closing.result() is None
        assert all(isinstance(caller.exception(), ClosingError) for caller in callers)
    assert table.sessions() == []
    table.close()


def test_an_end_spares_who_is_attached_if_it_is_told_to() -> None:
    table = RestoreTable()
    first, second = live(table), live(table)
    assert table.end("s", only_if_unattached=True) is False
    assert first.release() is False
    assert second.release() is True
    assert second.ended == "ended"
    third = live(table)
    assert table.end("s") is True
    assert third.ended == "ended"
    assert third.release() is False


def test_only_a_spawned_session_is_meant_by_requests_that_name_none() -> None:
    table = RestoreTable()
    live(table, "restored")
    assert table.default_target() is None
    table.spawn("first", CWD, lambda _: None)
    table.spawn("second", CWD, lambda _: None)
    assert table.default_target() == "first"
    assert [one.session_id for one in table.sessions()] == ["first", "restored", "second"]


def test_a_channel_is_torn_down_by_the_last_who_leaves_it() -> None:
    table = RestoreTable()
    torn_down: list[int] = []
    channel = table.channel(lambda: torn_down.append(1))

    def carried(context: RestoreContext) -> None:
        context.carried_by(channel)

    first = table.restore("load", "s", CWD, carried)
    second = table.restore("load", "t", CWD, carried)
    first.release()
    assert (channel.is_open, torn_down) == (True, [])
    second.release()
    assert (channel.is_open, torn_down) == (False, [1])
    with pytest.raises(ClosedError) as caught:
        table.restore("load", "s", CWD, carried)
    assert caught.value.reason == "channel_closed"
    channel.exited("status 0")
    assert torn_down == [1]


def test_a_channel_with_a_pending_restore_is_not_torn_down_by_a_sibling() -> None:
    table = RestoreTable()
    torn_down: list[int] = []
    channel = table.channel(lambda: torn_down.append(1))
    gate = Gate()

    def carried(context: RestoreContext) -> object:
        context.carried_by(channel)
        return gate(context)

    def failing(context: RestoreContext) -> None:
        context.carried_by(channel)
        raise ValueError("by order")

    sibling = table.restore("load", "sibling", CWD, lambda context: context.carried_by(channel))
    with ThreadPoolExecutor(1) as pool:
        owner = pool.submit(table.restore, "load", "s", CWD, carried)
        gate.begun.wait()
        sibling.release()
        with pytest.raises(ValueError, match="by order"):
            table.restore("load", "failing", CWD, failing)
        assert channel.is_open
        gate.open.set()
        owner.result().release()
    assert torn_down == [1]


def test_the_death_of_a_channel_ends_its_sessions_and_fails_its_restores() -> None:
    table, gate = RestoreTable(), Gate()
    channel = table.channel(lambda: pytest.fail("it is dead"))

    def carried(context: RestoreContext) -> object:
        context.carried_by(channel)
        return gate(context)

    lease = table.restore("load", "s", CWD, lambda context: context.carried_by(channel))
    other = live(table, "other")
    with ThreadPoolExecutor(2) as pool:
        owner = pool.submit(table.restore, "load", "t", CWD, carried)
        gate.begun.wait()
        sharer = pool.submit(table.restore, "load", "t", CWD, never)
        until(lambda: waiting(table, "t") == 2)
        channel.exited("killed by signal 9")
        error = sharer.exception()
        assert isinstance(error, ClosedError)
        assert error.reason == "channel_closed"
        assert "killed by signal 9" in str(error)
        gate.open.set()
        assert isinstance(owner.exception(), ClosedError)
    assert (lease.ended, other.ended) == ("channel_closed", None)
    with pytest.raises(InvalidInputError):
        RestoreTable().restore("load", "s", CWD, lambda context: context.carried_by(channel))


def test_what_a_teardown_raises_is_told_and_harms_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = RestoreTable()
    told: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)

    def torn_down() -> None:
        raise ValueError("by order")

    channel = table.channel(torn_down)
    assert table.restore("load", "s", CWD, lambda context: context.carried_by(channel)).release()
    assert [str(one.exc_value) for one in told] == ["by order"]


def test_a_context_outlives_its_restore_and_says_so() -> None:
    table = RestoreTable()
    channel = table.channel(lambda: None)
    kept: list[RestoreContext] = []
    table.restore("load", "s", CWD, kept.append)
    assert not kept[0].cancelled
    with pytest.raises(InvalidInputError):
        kept[0].carried_by(channel)


def test_values_show_what_they_are() -> None:
    table = RestoreTable()
    contexts: list[str] = []
    lease = table.restore("load", "s\u202e", CWD, lambda context: contexts.append(repr(context)))
    assert contexts == ["<RestoreContext of 's\\u202e'>"]
    assert repr(lease) == "<Lease of 's\\u202e', restored>"
    assert repr(live(table, "s\u202e")) == "<Lease of 's\\u202e', attached>"
    assert repr(table) == "<RestoreTable, 1 sessions>"
    table.end("s\u202e")
    assert repr(lease) == "<Lease of 's\\u202e', ended>"
    channel = table.channel(lambda: None)
    assert repr(channel) == "<Channel, open>"
    channel.exited("")
    assert repr(channel) == "<Channel, closed>"
    status = RestoreStatus("s", "load", "live", 1, 2)
    assert repr(status) == (
        "RestoreStatus(session_id='s', action='load', stage='live', attachments=1, subscribers=2)"
    )
    assert pickle.loads(pickle.dumps(status)) == status
    assert hash(status) == hash(RestoreStatus("s", "load", "live", 1, 2))


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"limit": True}, TypeError),
        ({"limit": 1.0}, TypeError),
        ({"limit": -1}, InvalidInputError),
        ({"limit": 2**70}, InvalidInputError),
        ({"ring_capacity": "1"}, TypeError),
        ({"ring_capacity": -1}, InvalidInputError),
        ({"timeout": True}, TypeError),
        ({"timeout": "1"}, TypeError),
        ({"timeout": -0.1}, InvalidInputError),
        ({"timeout": float("nan")}, InvalidInputError),
        ({"timeout": float("inf")}, InvalidInputError),
        ({"timeout": 1e300}, InvalidInputError),
        ({"workspace": 1}, TypeError),
        ({"registry": "sessions"}, TypeError),
        ({"agent": "codex"}, InvalidInputError),
        ({"registry": sessionreg.Registry("/srv")}, InvalidInputError),
        ({"registry": sessionreg.Registry("/srv"), "agent": "No Agent"}, InvalidInputError),
        ({"registry": sessionreg.Registry("/srv"), "agent": 1}, TypeError),
    ],
    ids=repr,
)
def test_no_option_of_a_table_is_coerced(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        RestoreTable(**options)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("spawn", "s", CWD, never), InvalidInputError),
        (("", "s", CWD, never), InvalidInputError),
        ((1, "s", CWD, never), TypeError),
        (("load", "", CWD, never), InvalidIdError),
        (("load", "../s", CWD, never), InvalidIdError),
        (("load", "\ud800", CWD, never), InvalidInputError),
        (("load", b"s", CWD, never), TypeError),
        (("load", "s", "srv", never), InvalidInputError),
        (("load", "s", 1, never), TypeError),
        (("load", "s", CWD, None), TypeError),
        (("load", "s", CWD, never, True), TypeError),
    ],
    ids=repr,
)
def test_no_argument_of_a_restore_is_coerced(
    arguments: tuple[Any, ...], error: type[Exception]
) -> None:
    table = RestoreTable()
    with pytest.raises(error):
        table.restore(*arguments)

    async def on_a_loop() -> None:
        with pytest.raises(error):
            await table.restore_async(*arguments)

    asyncio.run(on_a_loop())
    assert table.sessions() == []


@posix_only
def test_a_forked_child_leaves_the_table_of_its_parent() -> None:
    done = run(
        """
        import gc, os, sys, threading, warnings
        import sessionreg
        warnings.simplefilter("ignore")
        registry = sessionreg.Registry("/nowhere")
        table = sessionreg.RestoreTable(limit=0, registry=registry, agent="codex")
        lease = table.restore("load", "s", "/srv", lambda context: 7)
        subscription = table.subscribe("s")
        channel = table.channel(print)
        stop = threading.Event()

        def hammer(number):
            # Threads that the child does not have hold the lock when it is made, sooner or later.
            while not stop.is_set():
                table.publish("s", number)
                table.status("s")

        threads = [threading.Thread(target=hammer, args=(n,)) for n in range(4)]
        for thread in threads: thread.start()
        for round_ in range(50):
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    for call in (
                        lease.release, lambda: table.end("s"), table.close, table.sessions,
                        lambda: table.restore("load", "s", "/srv", print),
                        lambda: subscription.next(0), subscription.close,
                        lambda: channel.exited(""),
                    ):
                        try:
                            call()
                        except sessionreg.ClosedError:
                            continue
                        break
                    else:
                        assert (lease.state, lease.ended) == (7, None)
                        repr(table), repr(lease), repr(channel)
                        del call, lease, table, subscription, channel
                        gc.collect()
                        code = 0
                finally:
                    os._exit(code)
            assert os.waitpid(child, 0)[1] == 0
        stop.set()
        for thread in threads: thread.join()
        try:
            registry.claim("codex", "s")
        except sessionreg.HeldError as error:
            print(error.holder.pid == os.getpid(), table.status("s").stage)
        """
    )
    assert (done.stdout.split(), done.stderr) == (["True", "live"], "")


@posix_only
def test_a_child_that_is_forked_while_a_restore_runs_leaves_it_to_its_parent() -> None:
    done = run(
        """
        import asyncio, gc, os, sys, threading, warnings
        import sessionreg
        warnings.simplefilter("ignore")
        table = sessionreg.RestoreTable(registry=sessionreg.Registry("/nowhere"), agent="codex")
        begun, open_ = threading.Event(), threading.Event()

        def restore(context):
            begun.set()
            open_.wait(60)
            return child_of(context)

        def child_of(context):
            child = os.fork()
            if child:
                return os.waitpid(child, 0)[1]
            code = 1
            try:
                calls = [
                    table.sessions, table.close, lambda: table.publish("s", 1),
                    lambda: table.restore("load", "s", "/srv", print),
                    lambda: table.end("s"),
                    lambda: asyncio.run(table.restore_async("load", "s", "/srv", print)),
                    lambda: asyncio.run(table.close_async()),
                ]
                if context:
                    calls.append(lambda: context.cancelled)
                refused = 0
                for call in calls:
                    try:
                        call()
                    except sessionreg.ClosedError:
                        refused += 1
                code = refused != len(calls)
            finally:
                os._exit(code)

        leases = []
        ask = lambda: leases.append(table.restore("load", "s", "/srv", restore))
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads: thread.start()
        begun.wait(60)
        beside = child_of(None)
        open_.set()
        for thread in threads: thread.join()
        print(beside, [lease.state for lease in leases], table.status("s").attachments)
        try:
            sessionreg.Registry("/nowhere").claim("codex", "s")
        except sessionreg.HeldError as error:
            print(error.holder.pid == os.getpid())
        """
    )
    assert (done.stdout.splitlines(), done.stderr) == (["0 [0, 0, 0, 0] 4", "True"], "")


@linux_only
def test_a_folder_that_is_compared_with_nothing_is_not_looked_at(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    os.utime(link, (0, 0), follow_symlinks=False)
    with RestoreTable().restore("load", "s", link, lambda _: None):
        # To follow it would be a time of access.
        assert os.lstat(link).st_atime == 0
    link.readlink()
    if os.lstat(link).st_atime == 0:
        pytest.skip("the file system keeps no times of access")
