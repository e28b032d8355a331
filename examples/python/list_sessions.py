"""Lists the sessions that a registry knows, and tells which of them live.

Usage: list_sessions.py [registry folder]; without one it is the user's own.
"""

from __future__ import annotations

import sys

from sessionreg import Registry, State


def main() -> None:
    """Print every record, every file that is none, and what a sweep would remove."""
    registry = Registry(sys.argv[1] if len(sys.argv) > 1 else None)
    scan = registry.scan()
    for entry in scan.entries:
        mark = "*" if entry.verdict.state is State.ALIVE else " "
        print(f"{mark} {entry.record.session_id!r} of pid {entry.record.pid}: {entry.verdict}")
    for skipped in scan.skipped:
        print(f"{skipped.code}: {skipped.path.name!r}: {skipped.reason}")
    swept = registry.sweep(dry_run=True)
    print(f"{swept.live} live, {len(swept.removed)} to be swept from {str(registry.dir)!r}")


if __name__ == "__main__":
    main()
