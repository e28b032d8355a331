"""What is measured, and what is to be reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

# The 10th, the 50th and the 90th, in microseconds.
Percentiles = tuple[float, float, float]

# Of every contender, and of every round.
Figures = dict[str, list[Percentiles]]

REQUIRE = "require('sessionreg')"
REQUIRE_AND_CALL = f"{REQUIRE}.checkSessionId('a')"
REQUIRE_NOTHING = "require('empty')"

SINGLY = (
    "Each call comes after one of another contender, and meets the processor's caches as that one"
    " has left them: in Rust after another few system calls, in Python and Node after all that"
    " their own libraries do. So the languages are less alike here."
)
TEXT = (
    "What it takes beyond the calls is making text:"
    " the record's JSON, and the temporary file's name."
)
COLD = (
    "Compare it with the turns of ten calls above: the difference is most likely what the"
    " contenders before it, which in Node work on other threads too, leave of the caches."
)

UPDATE = (
    "What it takes beyond the calls is reading and making text: the record's JSON, twice, the patch,"
    " and the temporary file's name."
)
SCAN = (
    "The floor opens and reads each file and looks at nothing; a record of 25 keys takes as long to"
    " parse and to hold as its file takes to be read."
)
SNAPSHOT = (
    "Beyond the files it parses, judges, merges and orders ten thousand sessions, which takes longer"
    " than to read them; of one that is kept only what changed costs anything."
)


@dataclass(frozen=True)
class Run:
    """A program's part in a round; for a fresh process the job is a statement."""

    program: str
    job: str
    calls: int
    calls_a_turn: int = 10


@dataclass(frozen=True)
class Goal:
    """What a contender is to reach, as the median of all rounds.

    The measure is the contender of which `limit` is a multiple, or `over` and a contender for so
    many microseconds more, or `µs` for microseconds.
    """

    contender: str
    limit: float
    measure: str
    #: Said where the goal is missed.
    reason: str = ""

    def __str__(self) -> str:
        """Say what is to be reached."""
        if self.measure == "µs":
            return f"≤ {self.limit:,g} µs"
        if self.measure.startswith("over "):
            return f"≤ {self.measure.removeprefix('over ')} + {self.limit:g} µs"
        return f"≤ {self.limit:g} × {self.measure}"

    def value(self, figures: Figures) -> float:
        """Return what was reached."""
        own = medians(figures, self.contender)
        if self.measure == "µs":
            return median(own)
        others = medians(figures, self.measure.removeprefix("over "))
        pairs = zip(own, others, strict=True)
        if self.measure.startswith("over "):
            return median(mine - theirs for mine, theirs in pairs)
        return median(mine / theirs for mine, theirs in pairs)


@dataclass(frozen=True)
class Table:
    """One job, or one question."""

    key: str
    title: str
    runs: list[Run]
    goals: list[Goal] = field(default_factory=list)
    in_memory: bool = False
    text: str = ""


def medians(figures: Figures, contender: str) -> list[float]:
    """Return the medians of all rounds; `floor` and `required` have a description after them."""
    for name, rounds in figures.items():
        if name == contender or (is_base(name) and name.startswith(f"{contender}:")):
            return [p50 for _, p50, _ in rounds]
    return []


def is_base(name: str) -> bool:
    """Whether a contender is one that others are measured by."""
    return name.startswith(("floor:", "required:"))


def everywhere(job: str, calls: int) -> list[Run]:
    """Have all languages do a job."""
    return [Run(program, job, calls) for program in ("rust", "c", "python", "node")]


def singly(job: str, calls: int) -> list[Run]:
    """Have a job done in turns of one call, by programs that have contenders for turns."""
    return [Run(program, job, calls, 1) for program in ("rust", "python", "node")]


def replacing(*further: Goal) -> list[Goal]:
    """Return what is to be reached on every file system, and more."""
    return [
        *further,
        Goal("Rust", 1.2, "required", TEXT),
        Goal("C", 1.02, "Rust"),
        Goal("Python", 4, "over Rust"),
        Goal("Node sync", 4, "over Rust"),
    ]


def tables(kind: str) -> list[Table]:
    """Return all that is measured; `kind` is the file system of the disk."""
    on_ext4 = [Goal("Rust", 1.15, "floor")] if kind == "ext4" else []
    return [
        Table(
            "replace",
            f"Replace a record: disk, {kind}",
            everywhere("replace", 300),
            replacing(*on_ext4),
        ),
        Table(
            "replace-memory",
            "Replace a record: memory, tmpfs",
            everywhere("replace", 1_500),
            replacing(),
            in_memory=True,
        ),
        Table(
            "replace-durably",
            f"Replace a record durably: disk, {kind}",
            everywhere("replace-durably", 40),
            [Goal("Rust", 1.1, "floor")],
        ),
        Table(
            "read",
            "Read a record and parse it",
            everywhere("read", 3_000),
            [
                Goal("Rust", 1.25, "required"),
                Goal("Python", 2, "required"),
                Goal("Node sync", 2, "required"),
                Goal("Node promise", 25, "µs"),
            ],
        ),
        Table(
            "update",
            f"Update a registered session: disk, {kind}",
            [Run(program, "update", 300) for program in ("rust", "python", "node")],
            [
                *([Goal("Rust", 0.5, "floor")] if kind == "ext4" else []),
                Goal("Rust", 1.2, "required", UPDATE),
                Goal("Python", 4, "over Rust", UPDATE),
                Goal("Node sync", 4, "over Rust", UPDATE),
            ],
            text="The record is read, changed and put back by all; the floor only replaces a file.",
        ),
        Table(
            "scan",
            "Scan a folder of 10,000 records",
            [Run(program, "scan", 8, 1) for program in ("rust", "python", "node")],
            [
                Goal("Rust: the first scan", 1.25, "floor", SCAN),
                Goal("Rust: a second scan, nothing changed", 0.6, "floor"),
            ],
            text="Each record has 25 keys and a verdict. The first scan works on all processors, the"
            " floor on one.",
        ),
        Table(
            "snapshot",
            "Snapshot of 10,000 records and 1,000 processes",
            [Run("rust", "snapshot", 8, 2)],
            [
                Goal("Rust: snapshot", 1.3, "floor", SNAPSHOT),
                Goal("Rust: Monitor, one file changed", 0.02, "floor"),
            ],
            text="Of the processes the floor reads `/proc/<pid>/stat`, as the snapshot does to find"
            " agents that leave no trace. A change is written, told by the system, read, judged and"
            " merged.",
        ),
        Table(
            "open-files",
            "Who holds 100 transcripts open, among 1,000 processes",
            [Run("rust", "open-files", 6, 1)],
            [Goal("Rust: snapshot of 100 transcripts", 1.2, "floor")],
        ),
        Table(
            "change",
            "From a change of a file to the batch that tells it, without folding",
            [Run("rust", "change", 1_000)],
            [Goal("Rust: write, rename, the batch", 30, "over floor")],
            text="The floor writes and renames a file, and reads the event of its folder.",
        ),
        Table(
            "exit",
            "From the end of a process to the batch that tells it, without folding",
            [Run("rust", "exit", 40, 1)],
            [Goal("Rust: kill, the batch", 1_000, "µs")],
        ),
        Table(
            "share",
            "A thousand callers of one restore, from the request to the release",
            [Run("rust", "share", 50)],
            [
                Goal("Rust: by callback", 2_000, "µs"),
                Goal("Rust: each waits", 2_000, "µs"),
            ],
            text="A call is all thousand of them. The restore does nothing; the floor keeps callbacks"
            " in a map behind a lock, and promises nothing.",
        ),
        Table(
            "attach",
            "A caller of a live session, from the request to the release",
            [Run("rust", "attach", 20_000)],
        ),
        Table("publish", "An event of a session", [Run("rust", "publish", 20_000)]),
        Table(
            "verdict",
            "Verdict on one process",
            [*everywhere("verdict", 3_000), Run("python", "verdict-by-ps", 10)],
            [Goal("Rust", 1.2, "required")],
            text="The record holds the inode of the process's pidfd, as records of this library do"
            " on Linux 6.9 and later. It was made, not read: for one that was read from a file of"
            " another user than root one call more asks whose the process is.",
        ),
        Table(
            "verdict-by-start",
            "Verdict on one process, by its start",
            [Run("rust", "verdict-by-start", 3_000)],
            [Goal("Rust", 1.2, "required")],
            text="The record holds no inode: it is another program's, or an older system's.",
        ),
        Table(
            "replace-singly",
            "Replace a record, turns of one call: memory, tmpfs",
            singly("replace", 1_500),
            [
                Goal("Rust", 1.2, "required", TEXT),
                Goal("Python", 4, "over Rust", COLD),
                Goal("Node sync", 4, "over Rust", COLD),
            ],
            in_memory=True,
            text=SINGLY,
        ),
        Table(
            "read-singly",
            "Read a record and parse it, turns of one call",
            singly("read", 3_000),
            [
                Goal("Rust", 1.25, "required"),
                Goal("Python", 2, "required", COLD),
                Goal("Node sync", 2, "required", COLD),
                Goal("Node promise", 25, "µs", COLD),
            ],
            text=SINGLY,
        ),
        Table("verdicts", "Verdicts on many records", [Run("rust", "verdicts", 20)]),
        Table(
            "import",
            "Import in Python",
            [
                Run("fresh python", f"import {module}", 5)
                for module in ("sessionreg", "psutil", "json")
            ],
            [Goal("import sessionreg", 3_000, "µs")],
            text="Each in a fresh process, whose own start is not in it.",
        ),
        Table(
            "require",
            "Require in Node",
            [
                Run("fresh node", statement, 5)
                for statement in (
                    REQUIRE_NOTHING,
                    REQUIRE,
                    REQUIRE_AND_CALL,
                    "require('write-file-atomic')",
                )
            ],
            [Goal(REQUIRE, 5_000, "µs"), Goal(REQUIRE_AND_CALL, 5_000, "µs")],
            text="Each in a fresh process, whose own start is not in it. `empty` has one empty"
            " file, and `exports` in its package.json: what it takes is Node's own. The first call"
            " of ours loads the addon.",
        ),
    ]
