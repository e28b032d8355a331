"""At most one process holds the claim of a session."""

from __future__ import annotations

import gc
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

import sessionreg
from programs import posix_only, run, running
from sessionreg import ClosedError, HeldError, Holder, InvalidIdError, InvalidInputError, Registry

# Holds a claim until the end of its input, and never releases it.
CLAIMS = """
    import sys, sessionreg
    claim = sessionreg.Registry().claim("codex", "s")
    print(claim.path, flush=True)
    sys.stdin.read()
"""

TRIES = """
    import sessionreg
    try:
        with sessionreg.Registry().claim("codex", "s"):
            print("free")
    except sessionreg.HeldError as error:
        print(error.holder.pid, error.holder.session_id)
"""


def tried_elsewhere() -> str:
    """Return what another process is told that claims the same session."""
    done = run(TRIES)
    assert done.stderr == ""
    return done.stdout.strip()


def held_here() -> str:
    """Return what others are told while this process holds the claim."""
    return f"{os.getpid()} s"


def test_a_claim_lies_in_the_home_whatever_the_registry(tmp_path: Path, home: Path) -> None:
    with Registry(tmp_path / "elsewhere").claim("codex", "s é") as claim:
        assert claim.path == home / "claims" / "codex.s é.json"
        assert claim.path.exists()
        assert repr(claim) == f"<Claim {str(claim.path)!r}>"
    assert os.listdir(home / "claims") == os.listdir(tmp_path) == []


def hold_until(end: type[BaseException]) -> None:
    """Claim, and end by an exception."""
    with Registry().claim("codex", "s"):
        assert tried_elsewhere() == held_here()
        raise end


def test_with_releases_whatever_ends_it(home: Path) -> None:
    for end in (ValueError, KeyboardInterrupt, SystemExit):
        with pytest.raises(end):
            hold_until(end)
        assert tried_elsewhere() == "free"
    with Registry().claim("codex", "s") as claim:
        assert claim.release() is None  # type: ignore[func-returns-value]
    assert os.listdir(home / "claims") == []


def test_a_claim_is_released_once(home: Path) -> None:
    claim = Registry().claim("codex", "s")
    claim.release()
    with pytest.raises(ClosedError) as caught:
        claim.release()
    assert caught.value.filename == str(claim.path) == str(home / "claims" / "codex.s.json")
    # Somebody else's by now: it is not taken away.
    with Registry().claim("codex", "s"):
        with pytest.raises(ClosedError):
            claim.release()
        with claim:
            pass
        assert tried_elsewhere() == held_here()


def test_held_names_the_holder(home: Path) -> None:
    with running(CLAIMS) as other:
        with pytest.raises(HeldError) as caught:
            Registry().claim("codex", "s")
        error = caught.value
        path = home / "claims" / "codex.s.json"
        assert error.holder == Holder(other.pid, "s", sessionreg.Record("s", "/").hostname, path)
        assert (error.code, error.filename) == ("HELD", str(path))
        assert isinstance(error, OSError)
        assert f"process {other.pid}" in str(error)
        again = pickle.loads(pickle.dumps(error))
        assert (again.holder, str(again), again.filename) == (error.holder, str(error), str(path))
        with Registry().claim("codex", "t"), Registry().claim("kimi-cli", "s"):
            pass


def test_a_second_claim_by_the_same_process_is_held_too() -> None:
    with Registry().claim("codex", "s"):
        with pytest.raises(HeldError) as caught:
            Registry().claim("codex", "s")
        assert caught.value.holder is not None
        assert caught.value.holder.pid == os.getpid()
        assert tried_elsewhere() == held_here()
    with Registry().claim("codex", "s"):
        pass


def test_a_holder_that_is_killed_holds_nothing() -> None:
    with running(CLAIMS) as other:
        with pytest.raises(HeldError):
            Registry().claim("codex", "s")
        other.kill()
        other.wait()
        with Registry().claim("codex", "s"):
            assert tried_elsewhere() == held_here()


def test_the_file_of_a_dead_holder_is_swept_from_the_home(home: Path, tmp_path: Path) -> None:
    with running(CLAIMS) as other:
        other.kill()
    dead = home / "claims" / "codex.s.json"
    assert dead.exists()
    assert Registry(tmp_path).sweep().removed == []
    (home / "sessions").mkdir()
    with Registry().claim("codex", "living"):
        [removed] = Registry().sweep().removed
        assert removed.path == dead
        assert removed.record is not None
        assert (removed.record.pid, removed.record.session_id) == (other.pid, "s")
        assert not dead.exists()
        assert tried_elsewhere() == "free"


def test_garbage_collection_does_not_release() -> None:
    claim = Registry().claim("codex", "s")
    path = claim.path
    del claim
    gc.collect()
    assert tried_elsewhere() == held_here()
    with pytest.raises(HeldError):
        Registry().claim("codex", "s")
    assert path.exists()


def test_the_end_of_the_interpreter_leaves_it_to_the_kernel(home: Path) -> None:
    done = run(
        """
        import sessionreg
        claim = sessionreg.Registry().claim("codex", "s")
        """
    )
    assert (done.returncode, done.stderr) == (0, "")
    # Nothing of ours ran: the file is there, and nobody holds the claim.
    assert (home / "claims" / "codex.s.json").exists()
    assert tried_elsewhere() == "free"


@posix_only
def test_a_forked_child_holds_nothing_and_releases_nothing() -> None:
    with Registry().claim("codex", "s") as claim:
        for _ in range(10):
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    with pytest.raises(ClosedError):
                        claim.release()
                    with pytest.raises(HeldError) as caught:
                        Registry().claim("codex", "s")
                    assert caught.value.holder is not None
                    assert caught.value.holder.pid == os.getppid()
                    with claim:
                        pass
                    del claim
                    gc.collect()
                    code = 0
                finally:
                    os._exit(code)
            assert os.waitpid(child, 0)[1] == 0
            assert tried_elsewhere() == held_here()
    assert tried_elsewhere() == "free"


@posix_only
def test_a_child_that_lives_on_does_not_keep_the_claim() -> None:
    claim = Registry().claim("codex", "s")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    claim.release()
    assert tried_elsewhere() == "free"
    os.close(writer)
    os.close(reader)
    os.waitpid(child, 0)


@pytest.mark.parametrize("agent", ["", "Codex", "1x", "schema", "a" * 33, "a/b", "é", "\ud800"])
def test_an_agent_that_is_none_is_invalid(agent: str, home: Path) -> None:
    with pytest.raises(InvalidInputError):
        Registry().claim(agent, "s")
    assert os.listdir(home) == []


@pytest.mark.parametrize("session_id", ["", "..", "a/b", ".x", "con", "a\0", "x" * 201])
def test_an_id_that_can_be_no_part_of_a_path_is_invalid(session_id: str, home: Path) -> None:
    with pytest.raises(InvalidIdError):
        Registry().claim("codex", session_id)
    assert os.listdir(home) == []


@pytest.mark.parametrize("value", [5, None, b"codex", True, ["codex"]], ids=repr)
def test_what_is_claimed_is_text(value: Any, home: Path) -> None:
    with pytest.raises(TypeError, match="`agent` must be str"):
        Registry().claim(value, "s")
    with pytest.raises(TypeError, match="`session_id` must be str"):
        Registry().claim("codex", value)
    assert os.listdir(home) == []


def test_one_of_many_processes_gets_the_claim() -> None:
    done = run(
        """
        import subprocess, sys
        code = '''if True:
            import sys, sessionreg
            sys.stdin.readline()
            try:
                claim = sessionreg.Registry().claim("codex", "s")
                print("mine", flush=True)
            except sessionreg.HeldError:
                print("held", flush=True)
            sys.stdin.read()
        '''
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        others = [subprocess.Popen([sys.executable, "-c", code], **pipes) for _ in range(8)]
        for other in others:
            other.stdin.write("go\\n")
            other.stdin.flush()
        print(*sorted(other.stdout.readline().strip() for other in others))
        for other in others:
            other.communicate()
        """
    )
    assert (done.stdout.split(), done.stderr) == (["held"] * 7 + ["mine"], "")
