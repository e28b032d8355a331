"""The words of a dialect. `sessionreg.Dialect` is this."""

from __future__ import annotations

from .verdicts import _Word

__all__ = ["Dialect"]


class Dialect(_Word):
    """The family of programs whose PID files a folder holds."""

    OURS = "ours"
    """This library's own."""
    QWEN = "qwen"
    """qwen-code."""
    CLAUDE = "claude"
    """Claude Code: a process has one file, called `<pid>.json`."""
