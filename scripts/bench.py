"""Measure all languages side by side, print the tables, and write docs/benchmarks.md.

`scripts/bench.sh` builds what is needed and starts this. Programs take turns in short rounds; the
floors are measured in every round, and a ratio is one to the floor of its own round.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench_report import document, render, render_size, said
from bench_tables import Figures, Percentiles, Run, Table, tables

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ROOT / "core/benches/languages"
OUTPUT = ROOT / "docs/benchmarks.md"
MEMORY = Path("/dev/shm")

# The largest shared library of C, stripped, in bytes.
LIBRARY_LIMIT = 600_000

Results = list[tuple[str, Percentiles]]

# A process each: what the statement takes that stands between the two clocks.
FRESH_PYTHON = """
from time import perf_counter
start = perf_counter()
{statement}
print((perf_counter() - start) * 1e6)
"""
FRESH_NODE = """
const start = performance.now()
{statement}
console.log((performance.now() - start) * 1000)
"""


@dataclass(frozen=True)
class Bench:
    """The programs, and the folders in which they work."""

    programs: dict[str, list[str]]
    disk: Path
    memory: Path | None

    def folder(self, table: Table) -> Path | None:
        """Return where the jobs of a table are done; None if there is no such place."""
        return self.memory if table.in_memory else self.disk

    def rounds(self, table: Table, count: int) -> Figures:
        """Let the programs take turns."""
        figures: Figures = {}
        for _ in range(count):
            for run in table.runs:
                if run.program in self.programs:
                    results = self.job(run, self.folder(table))
                else:
                    results = fresh(run)
                for contender, percentiles in results:
                    figures.setdefault(contender, []).append(percentiles)
        return figures

    def job(self, run: Run, folder: Path | None) -> Results:
        """Have a program do a job."""
        output = said(
            *self.programs[run.program],
            run.job,
            str(folder),
            *map(str, (run.calls, run.calls_a_turn)),
        )
        results = map(json.loads, output.splitlines())
        return [(line["contender"], (line["p10"], line["p50"], line["p90"])) for line in results]


def fresh(run: Run) -> Results:
    """Run a statement in processes of its own."""
    if run.program == "fresh python":
        command = [sys.executable, "-c", FRESH_PYTHON.format(statement=run.job)]
    else:
        command = ["node", "-e", FRESH_NODE.format(statement=run.job)]
    times = sorted(float(said(*command, folder=LANGUAGES / "node")) for _ in range(run.calls))
    p10, p50, p90 = (times[(run.calls - 1) * percent // 100] for percent in (10, 50, 90))
    return [(run.job, (p10, p50, p90))]


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser()
    for program in ("rust", "c"):
        parser.add_argument(f"--{program}", required=True)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--disk", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--job", action="append", dest="jobs")
    parser.add_argument("--dry-run", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Measure, print, write."""
    given = arguments()
    if os.getloadavg()[0] > 1:
        print("This machine is busy: the figures will be.", file=sys.stderr)
    with (
        tempfile.TemporaryDirectory(dir=given.disk) as disk,
        tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else given.disk) as memory,
    ):
        bench = Bench(
            programs={
                "rust": [given.rust],
                "c": [given.c],
                "python": [sys.executable, str(LANGUAGES / "python/speed.py")],
                "node": ["node", str(LANGUAGES / "node/speed.mjs")],
            },
            disk=Path(disk),
            memory=Path(memory) if MEMORY.is_dir() else None,
        )
        sections = []
        kind = said("stat", "--file-system", "--format=%T", disk)
        for table in tables({"ext2/ext3": "ext4"}.get(kind, kind)):
            if (given.jobs and table.key not in given.jobs) or bench.folder(table) is None:
                continue
            sections.append(render(table, bench.rounds(table, given.rounds)))
            print(sections[-1].text, flush=True)
    sections.append(render_size(given.library, LIBRARY_LIMIT))
    print(sections[-1].text)
    if not given.jobs and not given.dry_run:
        OUTPUT.write_text(document(sections, given.rounds, LANGUAGES))
        print(f"written: {OUTPUT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
