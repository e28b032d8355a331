"""What the tests share: a registry of their own, agents in it, the dashboard, and a browser."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from programs import Agents, Dashboard

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of a registry; nothing here touches the sessions of the user."""
    monkeypatch.setenv("SESSIONREG_HOME", str(tmp_path))
    monkeypatch.delenv("SESSIONREG_KIND", raising=False)
    return tmp_path / "sessions"


@pytest.fixture
def agents(folder: Path) -> Iterator[Agents]:
    """Give agents that register there."""
    agents = Agents(folder)
    yield agents
    agents.end()


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., Dashboard]]:
    """Give a way to start dashboards of that registry; none outlives the test."""
    started = []

    def start_one(port: int = 0) -> Dashboard:
        started.append(Dashboard(folder, port))
        return started[-1]

    yield start_one
    for dashboard in started:
        dashboard.kill()


@pytest.fixture
def dashboard(start: Callable[..., Dashboard]) -> Iterator[Dashboard]:
    """Give a dashboard of that registry; it ends in order and has nothing to complain about."""
    dashboard = start()
    yield dashboard
    assert dashboard.end() == ""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give a headless Chromium: that of the system, since none is downloaded here."""
    named = os.environ.get("SESSIONREG_CHROMIUM")
    program = named or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        pytest.skip("there is no Chromium here (SESSIONREG_CHROMIUM may name one)")
    # Its sandbox refuses to run as root.
    args = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=args)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Give a way to open the page; no script of it fails, and nothing is asked of other hosts."""
    contexts, failures = [], []

    def open_page(dashboard: Dashboard, **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()

        def requested(request: Any) -> None:
            if not request.url.startswith(dashboard.url):
                failures.append(f"asked for {request.url}")

        page.on("request", requested)
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("dialog", lambda dialog: failures.append(f"dialog: {dialog.message}"))
        page.goto(dashboard.url)
        # Gone if the page is ever loaded anew.
        page.evaluate("() => { window.isFirstLoad = true }")
        return page

    yield open_page
    for context in contexts:
        for page in context.pages:
            assert page.evaluate("window.isFirstLoad"), "the page was loaded anew"
        context.close()
    assert failures == []


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say in one line how many tests were skipped, and why."""
    skipped: list[pytest.TestReport] = terminalreporter.stats.get("skipped", [])
    reasons = Counter(
        report.longrepr[2] for report in skipped if isinstance(report.longrepr, tuple)
    )
    for reason, count in reasons.items():
        terminalreporter.write_line(f"{count} skipped: {reason.removeprefix('Skipped: ')}")
