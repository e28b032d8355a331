"""What one language writes, every other reads, judges, rewrites and clears alike.

Four peers run side by side, one in each language; each pair of them shares one record.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
RUST_PEER, C_PEER = sys.argv[1:3]

COMMANDS = {
    "Rust": [RUST_PEER],
    "C": [C_PEER],
    "Python": [sys.executable, str(HERE / "peer.py")],
    "Node": ["node", str(HERE / "peer.mjs")],
}

UNKNOWN_KEYS = r"""{
  "schema_version": 1,
  "pid": 4242,
  "session_id": "s",
  "work_dir": "/srv/project",
  "hostname": "elsewhere",
  "started_at": 1700000000.25,
  "kimi_version": null,
  "future": {"n": 12345678901234567890123, "lone": "\ud800", "deep": [[[[1.0e0]]]]}
}"""


class Peer:
    def __init__(self, language: str) -> None:
        self.language = language
        self.process = subprocess.Popen(
            COMMANDS[language], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, *words: object) -> object:
        assert self.process.stdin is not None and self.process.stdout is not None
        print(*words, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise AssertionError(f"{self.language} ended on {words}")
        return json.loads(answer)


class Tally:
    passed = failed = 0

    def check(self, what: str, found: object, wanted: object) -> None:
        if found == wanted:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {what}: wanted {wanted}, found {found}")


def shared_record(tally: Tally, path: Path, writer: Peer, reader: Peer) -> None:
    pair = f"{writer.language} -> {reader.language}"
    writer.ask("write", path, "first")
    alive = ["first", writer.process.pid, "alive", "verified"]
    tally.check(f"{pair}: judged", reader.ask("judge", path), alive)
    reader.ask("write", path, "second")
    tally.check(f"{pair}: a successor stays", writer.ask("clear_if", path), False)
    alive = ["second", reader.process.pid, "alive", "verified"]
    tally.check(f"{pair}: the successor is judged", writer.ask("judge", path), alive)
    tally.check(f"{pair}: its owner clears it", reader.ask("clear_if", path), True)
    tally.check(f"{pair}: nothing is left", list(path.parent.iterdir()), [])


def unknown_keys(tally: Tally, path: Path, peers: list[Peer]) -> None:
    for peer in peers:
        path.write_text(UNKNOWN_KEYS, encoding="utf-8")
        peer.ask("rewrite", path)
        found = path.read_text(encoding="utf-8")
        tally.check(f"{peer.language}: unknown keys stay as they were", found, UNKNOWN_KEYS)
    path.unlink()


def errors(tally: Tally, path: Path, peers: list[Peer]) -> None:
    """Every language says the same of what it cannot read, to the letter."""
    folder = path.with_name("folder")
    folder.mkdir()
    for text in ("{", "[]", '{"schema_version": 2}', '{"schema_version": 1, "pid": true}'):
        path.write_text(text, encoding="utf-8")
        answers = [peer.ask("error", path) for peer in peers]
        tally.check(f"the same error for {text}", answers, answers[:1] * len(peers))
    path.unlink()
    for what in (path, folder):
        answers = [peer.ask("error", what) for peer in peers]
        tally.check(f"the same error for {what.name}", answers, answers[:1] * len(peers))
    folder.rmdir()


def deaths(tally: Tally, folder: Path, peers: list[Peer]) -> None:
    """Each peer is killed in turn; the others, and at the end a new one, see why."""
    for peer in peers:
        path = folder / peer.language
        peer.ask("write", path, "last")
        os.kill(peer.process.pid, signal.SIGKILL)
        os.waitid(os.P_PID, peer.process.pid, os.WEXITED | os.WNOWAIT)
        others = [other for other in peers if other.process.returncode is None and other is not peer]
        others = others or [Peer("Python")]
        for other in others:
            found = other.ask("judge", path)
            wanted = ["last", peer.process.pid, "dead", "zombie"]
            tally.check(f"{other.language} sees {peer.language} exited", found, wanted)
        peer.process.wait()
        for other in others:
            found = other.ask("judge", path)
            wanted = ["last", peer.process.pid, "dead", "gone"]
            tally.check(f"{other.language} sees {peer.language} gone", found, wanted)
    for other in others:
        other.process.stdin.close()
        other.process.wait(timeout=10)


def main() -> None:
    tally = Tally()
    peers = [Peer(language) for language in COMMANDS]
    with tempfile.TemporaryDirectory(prefix="sessionreg-interop-") as name:
        path = Path(name) / "s.runtime.json"
        for writer, reader in itertools.product(peers, repeat=2):
            if writer is not reader:
                shared_record(tally, path, writer, reader)
        unknown_keys(tally, path, peers)
        errors(tally, path, peers)
        deaths(tally, Path(name), peers)
    print(f"interop: {tally.passed} passed, {tally.failed} failed")
    sys.exit(tally.failed > 0)


main()
