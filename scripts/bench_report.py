"""Markdown of what was measured: docs/benchmarks.md."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import subprocess
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from statistics import median

from bench_tables import (
    REQUIRE,
    REQUIRE_AND_CALL,
    REQUIRE_NOTHING,
    Figures,
    Goal,
    Percentiles,
    Table,
    is_base,
    medians,
)

INTRODUCTION = """\
# Benchmarks

What each job costs in each language, beside the system calls that it cannot do without and beside
what people use today. Written by `make bench`; do not edit.

{machine}

## How to read this

- **floor** is the job done by system calls alone, without any promise. **required** has the calls,
  and the parsing, that the [promises](../README.md#what-is-promised) ask for. Both are called from
  Rust, with nothing around them.
- Times are microseconds a call: the median and, in parentheses, the 10th and the 90th percentile.
  Within a language contenders take turns of ten calls; languages take turns in {rounds} rounds, and
  figures are medians over the rounds. So the processor's caches are warm; two further tables
  show single calls after other work, which take longer.
- Ratios are what to look at, for machines differ and are noisy: each is to the floor of its own
  round; in parentheses are the smallest and the largest of any round.
- What people use today writes the same record, made JSON text by its language's own library, and
  reads any JSON. None of it takes the lock by which writers and `clear_if` take turns, none judges
  what it read.
- All that is written or read stays in the page cache, except where something is forced to disk.
"""


@dataclass(frozen=True)
class Section:
    """A part of the document, and how many of its goals are reached."""

    text: str
    reached: int
    missed: int


def render(table: Table, figures: Figures) -> Section:
    """Make Markdown of a table."""
    lines = [f"## {table.title}", ""]
    lines += [table.text, ""] if table.text else []
    bases = [base for base in ("floor", "required") if medians(figures, base)]
    header = ["contender", "µs", *(f"× {base}" for base in bases), "to reach"]
    lines += [row(header), row(["---"] * len(header))]
    reasons, reached = [], 0
    for contender in sorted(figures, key=lambda name: order(name, figures)):
        words = []
        for goal in table.goals:
            if goal.contender == contender:
                value = goal.value(figures)
                reached += value <= goal.limit
                if value > goal.limit:
                    reasons.append(f"{contender}, {goal}. {goal.reason}".strip())
                words.append(f"{goal}: {shown(goal, value)}")
        ratios = [ratio(figures, contender, base) for base in bases]
        lines.append(row([contender, times(figures[contender]), *ratios, "; ".join(words)]))
    for reason in reasons:
        lines += ["", f"Missed: {reason}"]
    return Section("\n".join([*lines, ""]), reached, len(reasons))


def render_size(library: Path, limit: int) -> Section:
    """Say how large the stripped C library is."""
    size = library.stat().st_size
    reached = size <= limit
    goal = f"To reach: ≤ {limit:,}, {word(reached)}."
    text = f"## Size\n\n`{library.name}`, stripped: {size:,} bytes. {goal}\n"
    return Section(text, int(reached), int(not reached))


def document(sections: list[Section], rounds: int, languages: Path) -> str:
    """Return docs/benchmarks.md."""
    reached = sum(section.reached for section in sections)
    goals = reached + sum(section.missed for section in sections)
    parts = [
        INTRODUCTION.format(machine=machine(languages), rounds=rounds),
        f"Of {goals} goals {reached} are reached in this run.\n",
    ]
    return "\n".join(parts + [section.text for section in sections])


def shown(goal: Goal, value: float) -> str:
    """Say what was reached of a goal."""
    reached = f"{value:+.2f}" if goal.measure.startswith("over ") else short(value)
    return f"{reached}, {word(value <= goal.limit)}"


def word(reached: bool) -> str:  # noqa: FBT001 - the answer itself
    """Say whether something is reached."""
    return "reached" if reached else "**missed**"


def order(name: str, figures: Figures) -> tuple[int, float]:
    """Sort floors first, then the library, then what people use today by its speed."""
    ours = ["Rust", "C", "Python", "Python, and all fields by to_dict"]
    ours += ["Node", "Node sync", "Node promise"]
    ours += ["import sessionreg", REQUIRE_NOTHING, REQUIRE, REQUIRE_AND_CALL]
    if is_base(name):
        return (0, median(p50 for _, p50, _ in figures[name]))
    if name in ours:
        return (1, ours.index(name))
    return (2, median(p50 for _, p50, _ in figures[name]))


def row(cells: list[str]) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(cells)} |"


def times(rounds: list[Percentiles]) -> str:
    """Return a median and its spread, three digits of each."""
    p10, p50, p90 = (short(median(values)) for values in zip(*rounds, strict=True))
    return f"{p50} ({p10}–{p90})"


def short(value: float) -> str:
    """Return a number with three digits, or all those before the point."""
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{digits}f}"


def ratio(figures: Figures, contender: str, base: str) -> str:
    """Return how often a contender needs what its floor needs, with the range of the rounds."""
    if (own := medians(figures, contender)) == (floor := medians(figures, base)):
        return "1"
    ratios = [mine / theirs for mine, theirs in zip(own, floor, strict=True)]
    return f"{short(median(ratios))} ({short(min(ratios))}–{short(max(ratios))})"


def machine(languages: Path) -> str:
    """Say where and when this was measured, and with what."""
    cpu = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    kernel = re.match(r"[0-9.]+[0-9]", platform.release())
    versions = [
        said("rustc", "--version").split(" (")[0],
        said("cc", "--version").splitlines()[0],
        f"Python {platform.python_version()}",
        f"Node {said('node', '--version')}",
        *others(languages),
    ]
    return "\n".join(
        [
            f"- Machine: {cpu[1] if cpu else platform.machine()}, {os.cpu_count()} cores,"
            f" {memory:.0f} GiB, Linux {kernel[0] if kernel else ''}",
            f"- With: {', '.join(versions)}",
            f"- Date: {datetime.now(timezone.utc):%Y-%m-%d}",
            "- Command: `make bench`",
        ]
    )


def said(*command: str, folder: Path | None = None) -> str:
    """Return what a command says."""
    finished = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=folder)
    return finished.stdout.strip()


def others(languages: Path) -> list[str]:
    """Return the versions of what is measured beside the library."""
    lock = json.loads((languages / "node/package-lock.json").read_text())
    node = lock["packages"]["node_modules/write-file-atomic"]["version"]
    return [f"psutil {importlib.metadata.version('psutil')}", f"write-file-atomic {node}"]
