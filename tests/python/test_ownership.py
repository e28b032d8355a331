"""Who removes a record: its owner, by a call. Nothing else does, however a process ends."""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path

import pytest

from programs import posix_only, run, running
from sessionreg import ClosedError, Reason, Registry, Session

# How often each way is tried.
TIMES = 25

# Registers a session with a sidecar and a claim, has children that end in one way, and looks after
# each what is left. What a child finds wrong it tells by its exit code.
FORKS = """
    import atexit, contextlib, gc, multiprocessing, os, pty, signal, subprocess, sys, threading
    import sessionreg

    way, folder, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
    owner = os.getpid()
    registry = sessionreg.Registry(folder + "/sessions")

    def use(session, claim):
        # What a child may do: look, and be told that it is not its session.
        assert os.getpid() != owner == session.pid
        assert [entry.record for entry in registry.live()] == [session.record]
        assert session.session_id == "s" and session.path and session.registered
        calls = [session.update, session.refresh, session.leave, session.close, claim.release]
        calls.append(lambda: session.switch("t"))
        for call in calls:
            try:
                call()
            except sessionreg.ClosedError:
                continue
            os._exit(70)
        # And have one of its own.
        with registry.register(session_id="child", work_dir="/srv"):
            assert registry.count_live() == 2
        assert registry.count_live() == 1
        assert registry.sweep().removed == []

    @atexit.register
    def at_exit():
        with contextlib.suppress(sessionreg.ClosedError):
            session.close()

    def child(session, claim):
        # True: it goes on as its parent would.
        try:
            use(session, claim)
        except BaseException:
            os._exit(71)
        if way == "return":
            return True
        if way == "exit":
            sys.exit(3)
        if way == "raise":
            sys.excepthook = lambda *_: None
            raise ValueError
        if way == "collect":
            collect, end = gc.collect, os._exit
            del session, claim
            globals().clear()
            collect()
            end(3)
        if way == "thread":
            thread = threading.Thread(target=os._exit, args=(3,))
            thread.start()
            thread.join()
        if way == "exec":
            os.execv(sys.executable, [sys.executable, "-c", "raise SystemExit(3)"])
        if way.startswith("SIG"):
            os.kill(os.getpid(), getattr(signal, way))
        os._exit(3)

    def fork(session, claim):
        # Whether this is a child that goes on.
        if way == "multiprocessing":
            process = multiprocessing.get_context("fork").Process(target=use, args=(session, claim))
            process.start()
            process.join()
            assert process.exitcode == 0
        elif way == "subprocess":
            command = [sys.executable, "-c", ""]
            subprocess.run(command, preexec_fn=lambda: use(session, claim), check=True)
        elif way == "posix_spawn":
            command = [sys.executable, "-c", "raise SystemExit(3)"]
            process = os.posix_spawn(sys.executable, command, dict(os.environ))
            assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 3
        else:
            process = pty.fork()[0] if way == "pty" else os.fork()
            if process == 0:
                return child(session, claim)
            code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            expected = {"return": 0, "raise": 1}.get(way, 3)
            if way.startswith("SIG"):
                expected = -getattr(signal, way)
            assert code == expected, code
        return False

    sidecar = folder + "/chats/{id}.runtime.json"
    with (
        registry.register(session_id="s", work_dir="/srv", sidecar=sidecar) as session,
        registry.claim("codex", "s") as claim,
    ):
        files = session.path, session.sidecar_path, claim.path
        before = [path.read_bytes() for path in files]
        for _ in range(times):
            if fork(session, claim):
                break
            assert [path.read_bytes() for path in files] == before
            assert [entry.verdict.reason for entry in registry.records()] == ["verified"]
        else:
            # Whether a claim is held another process has to ask.
            code = '''if True:
                import sessionreg
                try:
                    sessionreg.Registry().claim("codex", "s")
                except sessionreg.HeldError as error:
                    print(error.holder.pid, end="")
            '''
            command = [sys.executable, "-c", code]
            holder = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            assert holder == str(owner), holder
            assert session.update(status="busy")
    if os.getpid() == owner:
        assert not any(path.exists() for path in files)
        print("stood")
"""

WAYS = [
    "_exit", "exit", "raise", "return", "multiprocessing", "subprocess", "pty", "posix_spawn",
    "exec", "collect", "thread", "SIGTERM", "SIGKILL",
]  # fmt: skip


@posix_only
@pytest.mark.parametrize("way", WAYS)
def test_a_forked_child_never_removes_what_its_parent_registered(way: str, tmp_path: Path) -> None:
    done = run(FORKS, way, str(tmp_path), str(TIMES))
    assert (done.stdout.strip().split("\n")[-1], done.stderr) == ("stood", "")
    assert [name for _, _, names in os.walk(tmp_path) for name in names] == []


@posix_only
def test_children_of_busy_threads_find_every_lock_free(tmp_path: Path) -> None:
    done = run(
        """
        import os, sys, threading, warnings
        import sessionreg
        warnings.simplefilter("ignore")
        registry = sessionreg.Registry(sys.argv[1] + "/parent")
        session = registry.register(session_id="s", work_dir="/srv")
        # Python makes no new locks in a child for modules that were being imported meanwhile.
        str(registry.live()), session.update(x=1), registry.dialect, session.path
        stop = threading.Event()

        def hammer(number):
            while not stop.is_set():
                if number % 2:
                    session.switch(f"{number}")
                    session.record, session.path
                else:
                    registry.scan()
                    with registry.claim("codex", f"{number}"):
                        pass

        threads = [threading.Thread(target=hammer, args=(n,), daemon=True) for n in range(4)]
        for thread in threads: thread.start()
        for round_ in range(50):
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    try:
                        session.update(y=1)
                    except sessionreg.ClosedError:
                        code = 2
                    assert session.registered and session.pid != os.getpid()
                    # The parent's folder may be locked at this moment: by a living thread.
                    own = sessionreg.Registry(f"{sys.argv[1]}/{round_}")
                    with own.register(session_id="c", work_dir="/srv") as mine:
                        assert mine.update(x=1) and own.count_live() == 1
                    with own.claim("codex", f"child-{round_}"):
                        pass
                    registry.scan()
                    code += 1
                finally:
                    os._exit(code)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
        stop.set()
        for thread in threads: thread.join()
        session.close()
        print("all worked", os.listdir(registry.dir))
        """,
        str(tmp_path),
    )
    assert (done.stdout.strip(), done.stderr) == ("all worked []", "")


# How an owner may end without a call: the record stays, and its verdict tells.
ENDS = {
    "the end of the program": "",
    "exit": "sys.exit(0)",
    "an exception": "sys.excepthook = lambda *_: None; raise ValueError",
    "_exit": "os._exit(0)",
    "exec": "os.execv(sys.executable, [sys.executable, '-c', ''])",
    "del": "del session, registry; gc.collect()",
    "the end of its thread": "threading.Thread(target=register).start(); del session",
    "a cycle": "x = [session]; x.append(x); del session, x; gc.collect()",
    "SIGTERM": "os.kill(os.getpid(), signal.SIGTERM)",
    "SIGKILL": "os.kill(os.getpid(), signal.SIGKILL)",
}


@posix_only
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_however_its_owner_ends_a_record_stays_and_is_judged_dead(end: str, tmp_path: Path) -> None:
    done = run(
        f"""
        import gc, os, signal, sys, threading
        import sessionreg
        registry = sessionreg.Registry(sys.argv[1])
        def register():
            return registry.register(
                session_id="s", work_dir="/srv", sidecar=sys.argv[1] + "/chats/{{id}}.runtime.json"
            )
        session = register()
        session.update(status="busy")
        {end}
        """,
        str(tmp_path),
    )
    assert done.stderr == ""
    registry = Registry(tmp_path)
    entries = registry.records()
    assert {entry.verdict.reason for entry in entries} == {Reason.GONE}
    assert os.listdir(tmp_path / "chats") == ["s.runtime.json"]
    # A sweep removes just that.
    with registry.register(session_id="living", work_dir="/srv") as living:
        swept = registry.sweep(sidecar_folders=[tmp_path / "chats"])
        assert {removed.path for removed in swept.removed} == {
            tmp_path / "chats" / "s.runtime.json", *(entry.path for entry in entries)
        }  # fmt: skip
        assert living.path is not None
        assert set(os.listdir(tmp_path)) == {"chats", living.path.name}


def test_garbage_collection_removes_nothing(tmp_path: Path) -> None:
    registry = Registry(tmp_path)

    class Agent:
        session: Session

        def on_error(self, error: Exception) -> None:
            raise error

    agent = Agent()
    agent.session = registry.register(session_id="s", work_dir="/srv", on_error=agent.on_error)
    path = agent.session.path
    assert path is not None
    del agent
    gc.collect()
    assert path.exists()
    assert registry.count_live() == 1


def test_a_session_in_a_cycle_is_collected(tmp_path: Path) -> None:
    import weakref

    class Agent:
        session: Session

        def on_error(self, error: Exception) -> None:
            raise error

    agent = Agent()
    agent.session = Registry(tmp_path).register(
        session_id="s", work_dir="/srv", on_error=agent.on_error
    )
    agent.session.leave()
    gone = weakref.ref(agent)
    del agent
    gc.collect()
    assert gone() is None


@posix_only
def test_a_session_outlives_the_threads_that_used_it(tmp_path: Path) -> None:
    from threading import Thread

    registry = Registry(tmp_path)
    sessions: list[Session] = []
    for number in range(20):
        session_id = f"{number}"
        thread = Thread(
            target=lambda session_id=session_id: sessions.append(
                registry.register(session_id=session_id, work_dir="/srv")
            )
        )
        thread.start()
        thread.join()
    assert registry.count_live() == 20
    for session in sessions:
        assert session.update(status="busy")
        session.close()
    assert os.listdir(tmp_path) == []


@posix_only
def test_a_handle_that_was_closed_leaves_a_successor_alone(tmp_path: Path) -> None:
    registry = Registry(tmp_path, "claude")
    first = registry.register(session_id="first", work_dir="/srv")
    first.close()
    with registry.register(session_id="second", work_dir="/srv") as second:
        with pytest.raises(ClosedError):
            first.close()
        with first:
            pass
        assert [entry.record for entry in registry.live()] == [second.record]


@posix_only
def test_an_owner_that_is_stopped_is_alive(tmp_path: Path) -> None:
    code = """
        import sys, sessionreg
        session = sessionreg.Registry(sys.argv[1]).register(session_id="s", work_dir="/srv")
        print(flush=True)
        sys.stdin.read()
    """
    registry = Registry(tmp_path)
    with running(code, str(tmp_path)) as process:
        os.kill(process.pid, signal.SIGSTOP)
        try:
            assert registry.count_live() == 1
            assert registry.sweep().removed == []
        finally:
            os.kill(process.pid, signal.SIGCONT)


def test_nothing_is_registered_to_run_at_exit(tmp_path: Path) -> None:
    done = run(
        """
        import atexit, sys, sessionreg
        before = atexit._ncallbacks()
        session = sessionreg.Registry(sys.argv[1]).register(session_id="s", work_dir="/srv")
        session.update(status="busy")
        print(atexit._ncallbacks() - before)
        """,
        str(tmp_path),
    )
    assert (done.stdout.strip(), done.stderr) == ("0", "")
    assert sys.platform == "win32" or len(os.listdir(tmp_path)) == 1
