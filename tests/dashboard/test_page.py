"""What the page promises to who looks at it, listens to it, or only has a keyboard."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from playwright.sync_api import Locator, Page, expect

import sessionreg
from programs import PATIENCE, Agents, Dashboard, eventually

Start: TypeAlias = Callable[..., Dashboard]
Visit: TypeAlias = Callable[..., Page]

MANY = 500
LATE_MS = 100

# In milliseconds, later than any date that a browser knows.
NO_DATE = 8_640_000_000_000_001

expect.set_options(timeout=PATIENCE * 1000)


def row_of(page: Page, title: str) -> Locator:
    """Find the row of a session by what it is called."""
    button = page.get_by_role("button", name=title, exact=True)
    return page.locator("main li").filter(has=button)


def group(page: Page, heading: str) -> Locator:
    """Find the rows under a heading."""
    return page.get_by_role("list", name=heading, exact=True).get_by_role("listitem")


def press(page: Page, *keys: str) -> None:
    """Press keys one after the other."""
    for key in keys:
        page.keyboard.press(key)


# Live


def test_a_session_is_followed_from_its_start_to_its_end(
    dashboard: Dashboard, agents: Agents, visit: Visit
) -> None:
    page = visit(dashboard)
    expect(page.get_by_text("No agent session is known on this machine.")).to_be_visible()
    expect(page.locator("#connection")).to_have_text("Live")

    agents.register("apricot", name="Fix the login", agent="qwen-code", work_dir="/srv/shop")
    row = row_of(page, "Fix the login")
    expect(row).to_contain_text("Alive")
    expect(row).to_contain_text("its process is running")
    expect(row).to_contain_text("qwen-code · apricot")
    expect(row).to_contain_text("/srv/shop")
    expect(page.get_by_text("No agent session is known")).to_be_hidden()
    key = row.get_attribute("data-key")
    row.evaluate("row => { row.isTheSame = true }")

    agents.update("apricot", status="busy")
    expect(group(page, "Working")).to_have_count(1)
    agents.update("apricot", status="waiting", waiting_for="permission to run make")
    expect(group(page, "Waiting for you")).to_contain_text("Waiting for permission to run make")
    expect(page).to_have_title("(1) Agent sessions")
    expect(page.locator("#summary")).to_have_text("One session waits for you.")
    agents.update("apricot", status="idle")
    expect(group(page, "Idle")).to_have_count(1)
    expect(page).to_have_title("Agent sessions")

    agents.switch("apricot", "blueberry")
    swapped = row_of(page, "blueberry")
    expect(swapped).to_have_attribute("data-key", key or "")
    assert swapped.evaluate("row => row.isTheSame")
    expect(page.locator("main li")).to_have_count(1)

    agents.update("apricot", status="busy")
    expect(swapped).to_contain_text("Working")
    agents.kill("apricot")
    expect(group(page, "Ended")).to_contain_text("its process is gone")
    expect(swapped).to_contain_text("Dead")
    expect(swapped).to_contain_text("was working")
    assert swapped.evaluate("row => row.isTheSame")

    agents.register("cherry")
    expect(page.locator("main li")).to_have_count(2)
    agents.leave_for_good("cherry")
    expect(page.locator("main li")).to_have_count(1)


def test_context_and_terminal_are_shown_in_words(
    dashboard: Dashboard, agents: Agents, visit: Visit, tmp_path: Path
) -> None:
    log = tmp_path / "rollout.jsonl"
    info = {"last_token_usage": {"total_tokens": 170_000}, "model_context_window": 200_000}
    payload = {"type": "token_count", "info": info}
    log.write_text(json.dumps({"type": "event_msg", "payload": payload}) + "\n")
    agents.register(
        "apricot",
        agent="codex",
        transcript_path=str(log),
        terminal={"multiplexer": "tmux", "session": "main", "pane": "%3"},
    )
    row = row_of(visit(dashboard), "apricot")
    expect(row).to_contain_text("85 % of 200k")
    expect(row).to_contain_text("nearly full")
    expect(row).to_contain_text("tmux main · pane %3")


def test_ages_go_on_by_themselves(dashboard: Dashboard, agents: Agents, visit: Visit) -> None:
    agents.register("apricot")
    age = row_of(visit(dashboard), "apricot").locator('[data-part="age"]')
    expect(age).to_have_text(re.compile(r"^\d+ s$"))
    before = age.inner_text()
    expect(age).not_to_have_text(before)


def test_it_goes_on_after_the_server_was_away(start: Start, agents: Agents, visit: Visit) -> None:
    agents.register("apricot")
    agents.register("blueberry")
    dashboard = start()
    page = visit(dashboard)
    row = row_of(page, "apricot")
    expect(row).to_be_visible()
    row.evaluate("row => { row.isTheSame = true }")

    assert dashboard.end() == ""
    expect(page.locator("#connection")).to_have_text("Reconnecting…")
    expect(page.get_by_text("The connection is lost. This is how it was at")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("The connection is lost")
    expect(row).to_be_visible()

    agents.leave_for_good("blueberry")
    agents.register("cherry")
    again = start(port=dashboard.port)
    expect(page.locator("#connection")).to_have_text("Live")
    expect(page.locator("#stale")).to_be_hidden()
    expect(row_of(page, "cherry")).to_be_visible()
    expect(page.locator("main li")).to_have_count(2)
    assert row.evaluate("row => row.isTheSame")
    agents.update("apricot", status="idle")
    expect(group(page, "Idle")).to_have_count(1)
    assert again.end() == ""


def test_it_goes_on_though_the_browser_gave_up(start: Start, agents: Agents, visit: Visit) -> None:
    agents.register("apricot")
    dashboard = start()
    page = visit(dashboard)
    expect(row_of(page, "apricot")).to_be_visible()
    assert dashboard.end() == ""
    # Browsers do not ask again where the answer is that there is no such thing.
    with other_server(dashboard.port) as asked:
        eventually(asked)
    again = start(port=dashboard.port)
    expect(page.locator("#connection")).to_have_text("Live")
    agents.update("apricot", status="idle")
    expect(group(page, "Idle")).to_have_count(1)
    assert again.end() == ""


@contextmanager
def other_server(port: int) -> Iterator[Callable[[], bool]]:
    """Run a server that knows nothing, and gives whether it was asked."""
    asked = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)
            asked.set()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield asked.is_set
        server.shutdown()
        thread.join()


def test_files_that_could_not_be_read_are_told(
    dashboard: Dashboard, agents: Agents, visit: Visit, folder: Path
) -> None:
    agents.register("apricot")
    (folder / "1.json").write_text("{")
    page = visit(dashboard)
    expect(row_of(page, "apricot")).to_be_visible()
    page.get_by_text("one file could not be read").click()
    expect(page.locator("#unread-list")).to_contain_text("1.json: ")


# Hostile text

HOSTILE = {
    '<img src=x onerror="window.pwned = true">': '<img src=x onerror="window.pwned = true">',
    "&lt;b&gt; </button><script>window.pwned = true</script>": None,
    "report\u202etxt.exe": r"report\u{202e}txt.exe",
    "a\u2066b\u2069": r"a\u{2066}b\u{2069}",
    "\x1b[31mred\x07\x00": r"\u{1b}[31mred\u{7}\u{0}",
    "c1 \x9b31m": r"c1 \u{9b}31m",
    "zero\u200bwidth\ufeff": r"zero\u{200b}width\u{feff}",
    "pay\u200dpal": r"pay\u{200d}pal",
    "two\nlines\u2028three": r"two\u{a}lines\u{2028}three",
    # What emoji and scripts need to be what they are stays.
    "\U0001f469\u200d\U0001f467": "\U0001f469\u200d\U0001f467",
    "\u0646\u0627\u0645\u0647\u200c\u0647\u0627": "\u0646\u0627\u0645\u0647\u200c\u0647\u0627",
    "x" * 5000: "x" * 512 + "…",
    "__proto__": None,
    "constructor": None,
}


def test_names_from_elsewhere_are_text_and_nothing_else(
    dashboard: Dashboard, agents: Agents, visit: Visit
) -> None:
    for index, name in enumerate(HOSTILE):
        agents.register(
            f"s{index}",
            name=name,
            status=name[:200],
            work_dir=f"/srv/{name[:200]}".replace("\0", ""),
            terminal={"multiplexer": name[:200], "session": name[:200]},
            extra={name[:200]: name[:200], "__proto__": {"polluted": True}},
        )
    page = visit(dashboard)
    expect(page.locator("main li")).to_have_count(len(HOSTILE))
    elements = page.evaluate("() => new Set([...document.all].map(e => e.localName)).size")
    for row in page.locator("main li").all():
        row.get_by_role("button").click()
    titles = page.locator('[data-part="title"]').all_text_contents()
    assert sorted(titles) == sorted(shown or name for name, shown in HOSTILE.items())
    text = page.evaluate("document.querySelector('main').textContent")
    assert not re.findall(
        r"[\0-\x09\x0b-\x1f\x7f-\x9f\u200b\u2028\u202a-\u202e\u2066-\u2069]", text
    )
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("({}).polluted") is None
    # Details bring lists of terms, and no other kind of element.
    assert page.evaluate("document.querySelectorAll('main :is(img, script)').length") == 0
    kinds = page.evaluate("() => new Set([...document.all].map(e => e.localName)).size")
    assert kinds <= elements + 2


def test_the_browser_itself_refuses_markup_from_text(dashboard: Dashboard, visit: Visit) -> None:
    page = visit(dashboard)
    attempt = "() => { document.body.innerHTML = '<b>'; return 'done' }"
    with pytest.raises(Exception, match="TrustedHTML"):
        page.evaluate(attempt)
    expect(page.get_by_role("heading", name="Agent sessions")).to_be_visible()


def test_one_absurd_record_spoils_nothing(
    dashboard: Dashboard, agents: Agents, visit: Visit, folder: Path
) -> None:
    agents.register("apricot")
    [path] = folder.glob("*.json")
    record = json.loads(path.read_text())
    deep = "[" * 20_000 + "]" * 20_000
    absurd = {**record, "sessionId": "absurd", "instance": "0" * 32, "startedAt": NO_DATE}
    (folder / f"{record['pid']}-00000000.json").write_text(
        json.dumps(absurd)[:-1] + f', "deep": {deep}}}'
    )
    page = visit(dashboard)
    row = row_of(page, "absurd")
    row.get_by_role("button").click()
    expect(row.get_by_role("term").filter(has_text="deep")).to_be_visible()
    agents.update("apricot", status="idle")
    expect(group(page, "Idle")).to_have_count(1)


# Keyboard


def test_everything_is_within_reach_of_the_keyboard(
    dashboard: Dashboard, agents: Agents, visit: Visit
) -> None:
    for name in ("apricot", "blueberry", "cherry"):
        agents.register(name)
    page = visit(dashboard)
    expect(page.locator("main li")).to_have_count(3)
    titles = page.locator('[data-part="title"]').all_text_contents()
    rows = [page.get_by_role("button", name=title, exact=True) for title in titles]

    press(page, "j")
    expect(rows[0]).to_be_focused()
    press(page, "j", "ArrowDown", "j")
    expect(rows[2]).to_be_focused()
    press(page, "k", "ArrowUp", "k")
    expect(rows[0]).to_be_focused()
    press(page, "End")
    expect(rows[2]).to_be_focused()
    press(page, "Home", "ArrowDown", "Enter")
    expect(rows[1]).to_have_attribute("aria-expanded", "true")
    details = page.get_by_role("region", name=f"Details of {titles[1]}")
    expect(details).to_contain_text("Process")
    press(page, "Escape")
    expect(rows[1]).to_have_attribute("aria-expanded", "false")
    expect(details).to_be_hidden()
    expect(rows[1]).to_be_focused()

    search = page.get_by_role("searchbox")
    press(page, "/")
    expect(search).to_be_focused()
    page.keyboard.type("jk/ CHERRY")
    expect(page.get_by_text("No session matches.")).to_be_visible()
    search.fill("CHERRY /srv")
    expect(page.locator("main li:visible")).to_have_count(1)
    press(page, "Enter")
    expect(page.get_by_role("button", name="cherry", exact=True)).to_be_focused()
    press(page, "/", "Escape")
    expect(search).to_have_value("")
    expect(page.locator("main li:visible")).to_have_count(3)
    press(page, "Escape")
    expect(page.get_by_role("button", name="cherry", exact=True)).to_be_focused()


def test_tab_goes_through_the_page_in_order_with_the_list_as_one_stop(
    dashboard: Dashboard, agents: Agents, visit: Visit
) -> None:
    for index in range(20):
        agents.register(f"s{index}")
    page = visit(dashboard)
    expect(page.locator("main li")).to_have_count(20)
    stops = []
    for _ in range(5):
        press(page, "Tab")
        stops.append(page.evaluate("document.activeElement.id || document.activeElement.type"))
        # What has the focus shows it, in itself or in its row.
        shown = page.evaluate(
            """() => [document.activeElement, document.activeElement.nextElementSibling,
                      document.activeElement.closest('li')].filter(Boolean)
                .some(element => getComputedStyle(element).outlineStyle !== 'none'
                    && parseFloat(getComputedStyle(element).outlineWidth) >= 2)
                || document.activeElement.matches('.skip')"""
        )
        assert shown, stops
    assert stops == ["", "search", "group-all", "button", "letters"]


def test_letters_as_shortcuts_can_be_turned_off(
    dashboard: Dashboard, agents: Agents, visit: Visit
) -> None:
    agents.register("apricot")
    page = visit(dashboard)
    expect(row_of(page, "apricot")).to_be_visible()
    page.get_by_role("checkbox", name="letters as shortcuts").uncheck()
    page.get_by_role("checkbox").blur()
    press(page, "j", "/")
    assert page.evaluate("document.activeElement === document.body")


def test_the_focus_stays_with_a_session_that_moves_and_with_the_list_when_it_goes(
    dashboard: Dashboard, agents: Agents, visit: Visit
) -> None:
    for name in ("apricot", "blueberry"):
        agents.register(name, status="idle")
    page = visit(dashboard)
    expect(group(page, "Idle")).to_have_count(2)
    apricot = page.get_by_role("button", name="apricot", exact=True)
    apricot.focus()
    agents.update("apricot", status="waiting")
    expect(group(page, "Waiting for you")).to_have_count(1)
    expect(apricot).to_be_focused()
    agents.leave_for_good("apricot")
    expect(page.get_by_role("button", name="blueberry", exact=True)).to_be_focused()


def test_groups_can_be_chosen(dashboard: Dashboard, agents: Agents, visit: Visit) -> None:
    agents.register("apricot", status="idle")
    agents.register("blueberry", status="busy")
    page = visit(dashboard)
    expect(page.locator("main li:visible")).to_have_count(2)
    page.get_by_role("radio", name="Idle 1").check()
    expect(page.locator("main li:visible")).to_have_count(1)
    expect(row_of(page, "apricot")).to_be_visible()
    # Who leaves the group leaves the list.
    agents.update("apricot", status="busy")
    expect(page.get_by_text("No session matches.")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("main li:visible")).to_have_count(2)


# For everybody


def test_roles_and_names_tell_what_is_what(
    dashboard: Dashboard, agents: Agents, visit: Visit
) -> None:
    agents.register("apricot", name="Fix the login", status="waiting", waiting_for="an answer")
    page = visit(dashboard)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("heading", level=1, name="Agent sessions")).to_be_visible()
    expect(page.get_by_role("search")).to_be_visible()
    label = "Filter by name, folder, agent or status"
    expect(page.get_by_role("searchbox", name=label)).to_be_visible()
    expect(page.get_by_role("group", name="Show").get_by_role("radio")).to_have_count(6)
    main = page.get_by_role("main", name="Sessions")
    region = main.get_by_role("region", name="Waiting for you")
    expect(region.get_by_role("heading", level=2)).to_be_visible()
    item = region.get_by_role("list").get_by_role("listitem")
    expect(item).to_have_text(
        re.compile(
            "Fix the login.*Alive.*: its process.*Status: Waiting for an answer.*Folder: ", re.S
        )
    )
    button = item.get_by_role("button", name="Fix the login", expanded=False)
    details = page.locator(f"#{button.get_attribute('aria-controls')}")
    expect(details).to_be_hidden()
    button.click()
    expect(details).to_have_role("region")
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    assert page.locator("[tabindex]:not([tabindex='0'], [tabindex='-1'])").count() == 0


def test_what_is_important_is_said_and_nothing_else(
    dashboard: Dashboard, agents: Agents, visit: Visit
) -> None:
    agents.register("apricot")
    page = visit(dashboard)
    expect(row_of(page, "apricot")).to_be_visible()
    page.evaluate(
        """() => {
            window.said = []
            const note = () => said.push(document.getElementById('news').textContent)
            const watched = { childList: true, characterData: true, subtree: true }
            new MutationObserver(note).observe(document.getElementById('news'), watched)
        }"""
    )
    status = page.get_by_role("status")
    expect(status).to_have_attribute("aria-live", "polite")
    agents.update("apricot", status="busy")
    agents.register("blueberry")
    agents.update("apricot", status="waiting", waiting_for="an answer")
    expect(status).to_have_text("apricot is waiting for an answer")
    agents.update("apricot", status="busy")
    agents.kill("blueberry")
    expect(status).to_have_text("blueberry ended: its process is gone")
    for index in range(4):
        agents.register(f"s{index}")
    expect(page.locator("main li")).to_have_count(6)
    # What comes in quick succession is said together, though it came in several batches.
    for index in range(4):
        agents.update(f"s{index}", status="waiting")
        expect(page.locator("#count-waiting")).to_have_text(str(index + 1))
    page.wait_for_timeout(1000)
    said = page.evaluate("said")
    assert said[:2] == ["apricot is waiting for an answer", "blueberry ended: its process is gone"]
    assert 1 <= len(said[2:]) < 4
    live = page.evaluate("[...document.querySelectorAll('[aria-live], [role=status]')].length")
    assert live == 1


def test_states_differ_by_more_than_their_colour(
    dashboard: Dashboard, agents: Agents, visit: Visit, folder: Path
) -> None:
    agents.register("alive", status="busy")
    agents.register("waiting", status="waiting")
    agents.register("dead")
    agents.kill("dead")
    agents.register("elsewhere")
    [path] = [p for p in folder.glob("*.json") if '"elsewhere"' in p.read_text()]
    record = json.loads(path.read_text()) | {"platform": "plan9", "sessionId": "unknown"}
    path.write_text(json.dumps(record))
    page = visit(dashboard)
    seen = {}
    for name in ("alive", "waiting", "dead", "unknown"):
        row = row_of(page, name)
        expect(row).to_be_visible()
        mark, state = (row.locator(f'[data-part="{part}"]') for part in ("mark", "state"))
        seen[name] = (mark.inner_text(), state.inner_text())
    assert seen == {
        "alive": ("●", "Alive"),
        "waiting": ("!", "Alive"),
        "dead": ("✕", "Dead"),
        "unknown": ("?", "Unknown"),
    }
    expect(row_of(page, "unknown")).to_contain_text("it runs on another operating system")


def test_every_reason_has_words(dashboard: Dashboard, visit: Visit) -> None:
    page = visit(dashboard)
    words = page.evaluate("import('/words.js').then(words => words.REASONS)")
    assert words.keys() == {str(reason) for reason in sessionreg.Reason}
    assert len(set(words.values())) == len(words)


CONTRASTS = """() => {
    const channels = colour => colour.match(/[\\d.]+/g).map(Number)
    const luminance = colour => {
        const [r, g, b] = channels(colour).map(c => c / 255)
            .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const behind = element => {
        for (let e = element; e; e = e.parentElement) {
            const colour = getComputedStyle(e).backgroundColor
            const [, , , alpha = 1] = channels(colour)
            if (alpha === 1) return colour
            if (alpha !== 0) throw new Error(`half transparent: ${e.outerHTML}`)
        }
        throw new Error('nothing is behind it')
    }
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    const found = []
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement
        if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue
        const [one, other] = [getComputedStyle(element).color, behind(element)].map(luminance)
        const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)
        found.push([ratio, texts.currentNode.data.trim()])
    }
    return { page: luminance(behind(document.body)), found }
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_in_the_dark(
    dashboard: Dashboard, agents: Agents, visit: Visit, scheme: str
) -> None:
    for status in ("busy", "idle", "waiting"):
        agents.register(status, name=f"Name of {status}", status=status)
    agents.register("dead")
    agents.kill("dead")
    page = visit(dashboard, color_scheme=scheme)
    expect(page.locator("main li")).to_have_count(4)
    row_of(page, "Name of waiting").get_by_role("button").click()
    seen: dict[str, Any] = page.evaluate(CONTRASTS)
    assert (seen["page"] < 0.05) == (scheme == "dark")
    assert (seen["page"] > 0.8) == (scheme == "light")
    assert len(seen["found"]) > 50
    assert [text for text in seen["found"] if text[0] < 4.5] == []


@pytest.mark.parametrize("width", [320, 700, 1000, 1600])
def test_it_fits_screens_of_any_width(
    dashboard: Dashboard, agents: Agents, visit: Visit, width: int
) -> None:
    agents.register("x" * 200, name="w" * 600, work_dir="/srv/" + "y" * 300, status="z" * 100)
    page = visit(dashboard, viewport={"width": width, "height": 700})
    expect(page.locator("main li")).to_have_count(1)
    page.locator("main li button").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_nothing_moves_for_who_wants_it_still(
    dashboard: Dashboard, agents: Agents, visit: Visit
) -> None:
    agents.register("apricot")
    moving = """() => [...document.all]
        .map(element => getComputedStyle(element))
        .filter(style => style.transitionDuration !== '0s' || style.animationName !== 'none')
        .length"""
    still = visit(dashboard, reduced_motion="reduce")
    expect(row_of(still, "apricot")).to_be_visible()
    assert still.evaluate(moving) == 0
    other = visit(dashboard, reduced_motion="no-preference")
    expect(row_of(other, "apricot")).to_be_visible()
    assert other.evaluate(moving) > 0


# Many


@pytest.fixture
def many(agents: Agents) -> list[str]:
    """Give the names of hundreds of agents that have registered."""
    names = [f"s{index}" for index in range(MANY)]
    for name in names:
        agents.register(name, status="busy")
    return names


def test_with_hundreds_of_sessions_a_change_touches_its_own_row_only(
    dashboard: Dashboard, agents: Agents, visit: Visit, many: list[str]
) -> None:
    page = visit(dashboard)
    expect(page.locator("main li")).to_have_count(len(many))
    page.evaluate(
        """() => {
            window.touched = { rows: new Set(), parts: new Set() }
            new MutationObserver(changes => {
                for (const { target } of changes) {
                    const element = target.parentElement?.closest('li') ?? target.closest?.('li')
                    // Ages tick by themselves.
                    const part = (target.closest ? target : target.parentElement).dataset.part
                    if (!element || part === 'age') continue
                    touched.rows.add(element.dataset.key)
                    touched.parts.add(part)
                }
            }).observe(document.querySelector('main'),
                { subtree: true, childList: true, characterData: true, attributes: true })
        }"""
    )
    agents.update(many[7], status="idle")
    expect(group(page, "Idle")).to_have_count(1)
    rows, parts = page.evaluate("[[...touched.rows], [...touched.parts]]")
    assert rows == [row_of(page, many[7]).get_attribute("data-key")]
    # Nor what stays in it: a selection of text would be lost.
    assert "status" in parts
    assert "title" not in parts

    # Rows come in several frames; the keyboard begins at the top all the same.
    press(page, "j")
    expect(page.locator("main li button").first).to_be_focused()
    press(page, "End")
    expect(page.locator("main li button").last).to_be_focused()


def test_a_burst_of_hundreds_of_changes_leaves_the_page_responsive(
    dashboard: Dashboard, agents: Agents, visit: Visit, many: list[str]
) -> None:
    page = visit(dashboard)
    expect(page.locator("main li")).to_have_count(len(many))
    # Nothing is measured before the page is at rest.
    page.evaluate(
        """() => new Promise(requestIdleCallback).then(() => {
            window.gaps = []
            let last = performance.now()
            const frame = time => {
                gaps.push(time - last)
                last = time
                requestAnimationFrame(frame)
            }
            requestAnimationFrame(frame)
        })"""
    )
    for round_ in range(8):
        for name in many:
            agents.update(name, status=f"round{round_}")
    # The last state always arrives.
    expect(page.get_by_text("round7", exact=True)).to_have_count(len(many))
    gaps: list[float] = page.evaluate("gaps")
    # A frame is late where a person would see that the page sticks.
    late = sum(gap for gap in gaps if gap > LATE_MS)
    assert late < sum(gaps) / 4, f"late for {late:.0f} of {sum(gaps):.0f} ms"
