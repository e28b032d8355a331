"""What the tests share: a home of their own, and the summary of the vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hypothesis
import pytest

# Tests leave nothing in the tree, and assert nothing about time.
hypothesis.settings.register_profile(
    "here",
    database=None,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("here")


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep what a test does away from the sessions of the user, and what those say from it."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("SESSIONREG_HOME", str(folder))
    monkeypatch.delenv("SESSIONREG_KIND", raising=False)
    return folder


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many vectors ran, were skipped and failed, and why those were skipped."""
    counts = {}
    for outcome in ("passed", "skipped", "failed"):
        reports: list[pytest.TestReport] = terminalreporter.stats.get(outcome, [])
        vectors = [report for report in reports if "::test_vector" in report.nodeid]
        counts[outcome] = len(vectors)
        if outcome == "skipped":
            for report in vectors:
                reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
                terminalreporter.write_line(f"skipped: {report.nodeid}: {reason}")
    if any(counts.values()):
        ran = counts["passed"] + counts["failed"]
        terminalreporter.write_line(
            f"vectors: {ran} ran, {counts['skipped']} skipped, {counts['failed']} failed"
        )
