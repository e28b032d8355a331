"""Resume a session, unless another process serves it: two of them would spoil its log.

Usage: resume_once.py [session id]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from sessionreg import HeldError, Registry


def resume(session_id: str) -> None:
    """Serve the session while nobody else can."""
    try:
        with Registry().claim("qwen-code", session_id):
            print(f"process {os.getpid()} resumes {session_id!r}", flush=True)
            if len(sys.argv) == 1:
                subprocess.run([sys.executable, __file__, session_id], check=True)
    except HeldError as error:
        # The record of the holder may be gone already; the claim is held all the same.
        print(f"process {error.holder.pid if error.holder else '?'} has {session_id!r}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        resume(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["SESSIONREG_HOME"] = folder
            resume("4f1a")
