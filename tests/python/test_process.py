"""The module among threads, forks, signals and interpreters."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import sessionreg
from programs import linux_only, locked, posix_only, run, turns_during
from sessionreg import BusyError, Record

THREADS = 8


@linux_only
def test_other_threads_run_while_one_waits_for_the_system(tmp_path: Path) -> None:
    record = Record("s", "/srv")

    def blocked() -> None:
        with pytest.raises(BusyError):
            sessionreg.write(tmp_path / "r", record)

    with locked(tmp_path):
        with_release = turns_during(blocked)
    # The control: a call of the same length that keeps the interpreter's lock.
    keeping = ctypes.PyDLL(None)
    without_release = turns_during(lambda: keeping.usleep(250_000))
    free_threaded = not getattr(sys, "_is_gil_enabled", lambda: True)()
    assert with_release > 20
    assert without_release < with_release / 4 or free_threaded


def test_eight_threads_agree(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    sessionreg.write(shared, Record("shared", "/srv"))

    def work(number: int) -> int:
        # Folders of their own: in one, writers take turns, and are told so when it is too long.
        own = tmp_path / str(number) / "own"
        for round_ in range(200):
            record = Record(f"{number}-{round_}", "/srv", extra={"n": [round_]})
            sessionreg.write(own, record)
            assert sessionreg.load(own) == record
            assert sessionreg.load(own).extra == {"n": [round_]}
            if number == 0:
                sessionreg.write(shared, record)
            seen = sessionreg.load(shared)
            assert sessionreg.liveness(seen).reason is sessionreg.Reason.VERIFIED
            assert sessionreg.liveness_all([seen, record]) == [sessionreg.liveness(seen)] * 2
            hash(seen), repr(seen), seen == record
        assert sessionreg.clear_if(own, record)
        return number

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(work, range(THREADS))) == list(range(THREADS))
    assert [name for _, _, names in os.walk(tmp_path) for name in names] == ["shared"]


def test_threads_share_one_record() -> None:
    record = Record("s", "/srv", extra={"a": list(range(100))}, terminal={"pane": "%1"})
    start = threading.Barrier(THREADS)

    def look(_: int) -> list[object]:
        start.wait()
        found: list[object] = []
        for _ in range(200):
            found = [record.extra, record.to_dict(), record.terminal, hash(record), str(record)]
            assert sessionreg.liveness(record).state is sessionreg.State.ALIVE
        return found

    with ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(look, range(THREADS)))
    assert all(result == results[0] for result in results)


FORK = """
    import os, signal, sys, threading, gc
    import sessionreg
    from sessionreg import Record
    path, way = sys.argv[1:]
    record = Record("s", "/srv")
    sessionreg.write(path, record)
    again = sessionreg.load(path)
    child = os.fork()
    if child == 0:
        # A child is another process: its own identity, and a verdict on its parent's.
        own = Record("child", "/srv")
        assert own.pid == os.getpid() != again.pid
        assert own.pid_inode is None or own.pid_inode != again.pid_inode
        for seen in (own, again, record):
            assert sessionreg.liveness(seen).reason == "verified", seen
        if way == "return": pass
        elif way == "exit": sys.exit(0)
        elif way == "_exit": os._exit(0)
        elif way == "raise": sys.excepthook = lambda *_: None; raise ValueError
        elif way == "collect": del record, again, own; gc.collect(); os._exit(0)
        elif way == "exec": os.execv(sys.executable, [sys.executable, "-c", ""])
        else: os.kill(os.getpid(), getattr(signal, way))
    else:
        os.waitpid(child, 0)
        assert sessionreg.load(path) == record
        assert sessionreg.liveness(sessionreg.load(path)).reason == "verified"
        print("stands")
"""


@posix_only
@pytest.mark.parametrize(
    "way", ["return", "exit", "_exit", "raise", "collect", "exec", "SIGTERM", "SIGKILL"]
)
def test_a_forked_child_leaves_the_record_of_its_parent(way: str, tmp_path: Path) -> None:
    done = run(FORK, str(tmp_path / "r"), way)
    assert (done.stdout.strip(), done.stderr) == ("stands", "")
    assert os.listdir(tmp_path) == ["r"]


@posix_only
def test_a_fork_amid_busy_threads_gives_children_that_work(tmp_path: Path) -> None:
    done = run(
        """
        import os, sys, threading, warnings
        import sessionreg
        warnings.simplefilter("ignore")
        folder = sys.argv[1]
        stop = threading.Event()
        # Python makes no new locks in a child for modules that were being imported meanwhile:
        # what is loaded when first used has to be there.
        first = sessionreg.Record("s", "/srv", extra={"a": 1})
        print(sessionreg.liveness(first).reason, first.extra)

        def hammer(number):
            # A folder for each: the lock that writers of one folder take is another matter.
            path = f"{folder}/{number}/r"
            while not stop.is_set():
                record = sessionreg.Record("s", "/srv", extra={"a": 1})
                sessionreg.write(path, record)
                sessionreg.liveness(sessionreg.load(path))

        threads = [threading.Thread(target=hammer, args=(n,), daemon=True) for n in range(4)]
        for thread in threads: thread.start()
        for round_ in range(50):
            child = os.fork()
            if child == 0:
                try:
                    path = f"{folder}/child/{round_}"
                    record = sessionreg.Record("child", "/srv")
                    sessionreg.write(path, record)
                    good = sessionreg.liveness(sessionreg.load(path)).reason == "verified"
                    os._exit(0 if good and sessionreg.clear_if(path, record) else 1)
                finally:
                    os._exit(2)
            assert os.waitpid(child, 0)[1] == 0
        stop.set()
        for thread in threads: thread.join()
        print("all worked")
        """,
        str(tmp_path),
    )
    assert (done.stdout.strip(), done.stderr) == ("verified {'a': 1}\nall worked", "")


def judge_for_ever(path: Path, timer: threading.Timer) -> None:
    """Call without an end, from the moment the timer runs."""
    timer.start()
    while True:
        sessionreg.liveness(sessionreg.load(path))


@posix_only
def test_ctrl_c_interrupts_a_loop_of_calls(tmp_path: Path) -> None:
    path = tmp_path / "r"
    sessionreg.write(path, Record("s", "/srv"))
    # A shell starts what it runs in the background with the signal ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    try:
        with pytest.raises(KeyboardInterrupt):
            judge_for_ever(path, timer)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)


@linux_only
def test_importing_installs_no_handler_thread_or_descriptor() -> None:
    done = run(
        """
        import atexit, os, signal, sys, threading

        def read(path):
            with open(path) as lines:
                return list(lines)

        def state():
            return {
                "handlers": [signal.getsignal(n) for n in signal.valid_signals()],
                "caught": [
                    line
                    for line in read("/proc/self/status")
                    if line.startswith(("SigBlk", "SigIgn", "SigCgt"))
                ],
                "threads": os.listdir("/proc/self/task"),
                "descriptors": sorted(
                    (fd, os.readlink(f"/proc/self/fd/{fd}"))
                    for fd in os.listdir("/proc/self/fd")
                    if os.path.lexists(f"/proc/self/fd/{fd}")
                ),
                "at exit": atexit._ncallbacks(),
                "hooks": (sys.excepthook, threading.excepthook, sys.unraisablehook),
            }

        before = state()
        import sessionreg
        assert state() == before, (before, state())
        # The control: each of these would be seen.
        descriptor = os.open("/", os.O_RDONLY)
        signal.signal(signal.SIGUSR1, lambda *_: None)
        atexit.register(print)
        after = state()
        assert [name for name in before if before[name] != after[name]] == [
            "handlers", "caught", "descriptors", "at exit"
        ]
        atexit.unregister(print)
        # Nor does using it leave any.
        os.close(descriptor)
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)
        before = state()
        record = sessionreg.Record("s", "/srv")
        sessionreg.liveness_all([record, sessionreg.Record("s", "/srv", pid=os.getppid())])
        assert state() == before, (before, state())
        print("nothing")
        """
    )
    assert (done.stdout.strip(), done.stderr) == ("nothing", "")


def test_importing_loads_nothing_that_is_slow_to_load() -> None:
    done = run(
        """
        import sys
        before = set(sys.modules)
        import sessionreg
        print(*sorted(set(sys.modules) - before))
        """
    )
    ours = {"sessionreg", "sessionreg._sessionreg", "sessionreg.errors"}
    assert set(done.stdout.split()) == ours | {"__future__"}


def test_how_long_importing_takes(capsys: pytest.CaptureFixture[str]) -> None:
    # A report: machines differ, so nothing is asserted about it.
    code = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
    times = {
        name: sorted(float(run(code.format(name)).stdout) for _ in range(5))[2]
        for name in ("sessionreg", "json", "pathlib")
    }
    with capsys.disabled():
        print("\nimport:", ", ".join(f"{name} {t * 1e3:.2f} ms" for name, t in times.items()))


def test_another_interpreter_imports_it_or_is_told_why_not() -> None:
    done = run(
        """
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        import sessionreg
        other = interpreters.create()
        code = '''if True:
            try:
                import sessionreg
                sessionreg.liveness(sessionreg.Record("s", "/srv"))
            except ImportError as error:
                print("refused:", error)
            else:
                print("works")
        '''
        failure = interpreters.run_string(other, code)
        if failure is not None:
            print("failed:", failure)
        interpreters.destroy(other)
        assert sessionreg.liveness(sessionreg.Record("s", "/srv")).reason == "verified"
        """
    )
    assert (done.returncode, done.stderr) == (0, "")
    if done.stdout.startswith("refused:"):
        pytest.skip(f"PyO3: {done.stdout.strip()}")
    assert done.stdout.strip() == "works"


def test_signals_do_not_tear_a_call(tmp_path: Path) -> None:
    if os.name != "posix":
        pytest.skip("there are no interval timers on Windows")
    path = tmp_path / "r"
    seen = 0

    def handler(*_: object) -> None:
        nonlocal seen
        seen += 1

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        while seen < 100:
            record = Record("s", "/srv")
            sessionreg.write(path, record)
            assert sessionreg.load(path) == record
            assert sessionreg.liveness(record).reason == "verified"
            assert sessionreg.clear_if(path, record)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert os.listdir(tmp_path) == []
