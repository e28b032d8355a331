"""The vectors of restore tables: who is told what, and when, step by step.

A vector ends runs and callers one by one, so it is what event loops are made of that is called:
`restore_async` calls nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sessionreg import (
    Channel,
    Claim,
    HeldError,
    Lease,
    Registry,
    RestoreTable,
    SessionEvent,
    SessionRegError,
    Subscription,
    errors,
)
from vectors import Texts

if TYPE_CHECKING:
    from sessionreg._sessionreg import _Run, _Share

_EXPECTED = {
    "error", "begun", "result", "event", "keep", "events", "settled", "signalled", "torn_down",
    "ended", "sessions", "default_target",
}  # fmt: skip
_OPTIONS = {"workspace", "limit", "ring_capacity", "agent"}
_DETAILS = ("session_id", "active", "requested", "reason", "retry_after", "limit", "bound")


class Thrown(Exception):  # noqa: N818 - it is no error of the library's
    """What a restore fails with."""


def describe(error: SessionRegError) -> dict[str, Any]:
    """Return an error as an expected one is written: with every field that it has."""
    found = {name: getattr(error, name, None) for name in _DETAILS}
    described = {"code": error.code} | {
        name: value for name, value in found.items() if value is not None
    }
    if isinstance(error, HeldError) and error.holder is not None:
        described["holder"] = {"pid": error.holder.pid, "session_id": error.holder.session_id}
    return described


class RestoreHistory:
    """A table, and everything that a vector has names for."""

    def __init__(self, body: dict[str, Any], texts: Texts, folder: Path) -> None:
        self._body = body
        self._texts = texts
        self._registry = Registry(folder / "sessions")
        self._runs: dict[str, _Run] = {}
        self._shares: dict[str, _Share] = {}
        self._leases: dict[str, Lease] = {}
        self._subscriptions: dict[str, list[Subscription]] = {}
        self._channels: dict[str, Channel] = {}
        self._claims: dict[str, Claim] = {}
        self._told: list[str] = []
        self._closed: list[str] = []
        self._signalled: list[str] = []
        self._torn_down: list[str] = []
        self._settled: dict[str, Any] = {}

    def run(self) -> None:
        """Take every step."""
        assert self._body.keys() <= {"name", "why", "op", "table", "steps", "expect", "platforms"}
        wanted = self._body.get("expect")
        if wanted is not None:
            with pytest.raises(SessionRegError) as caught:
                self._make(self._body["table"])
            assert {"error": describe(caught.value)} == wanted
            return
        self._table = self._make(self._body.get("table", {}))
        try:
            for number, step in enumerate(self._body["steps"]):
                assert step.keys() <= {"do", "as", "args", "expect"}
                try:
                    self._step(step)
                except AssertionError as failure:
                    raise AssertionError(f"step {number}, {step}: {failure}") from failure
        finally:
            self._clean_up()

    def _clean_up(self) -> None:
        """Let go of everything, for claims may last until the process ends."""
        steps: list[Callable[[], object]] = [
            *(partial(run.complete, None) for run in self._runs.values()),
            *(share.leave for share in self._shares.values()),
            *(lease.release for lease in self._leases.values()),
            *(one.close for several in self._subscriptions.values() for one in several),
            *(claim.release for claim in self._claims.values()),
            *(partial(channel.exited, "") for channel in self._channels.values()),
            partial(self._table.close, 0),
        ]
        for step in steps:
            with suppress(SessionRegError):
                step()

    def _make(self, table: dict[str, Any]) -> RestoreTable:
        assert table.keys() <= _OPTIONS
        options = self._texts.value(table)
        if "agent" in options:
            options["registry"] = self._registry
        return RestoreTable(timeout=None, **options)

    def _step(self, step: dict[str, Any]) -> None:
        expect = step.get("expect", {})
        assert expect.keys() <= _EXPECTED, expect
        name = step.get("as", "a")
        args = self._texts.value(step.get("args", {}))
        answer: dict[str, Any] = {}
        try:
            answer = self._call(step["do"], name, args)
        except SessionRegError as error:
            answer = {"error": describe(error)}
        assert not args, f"not understood: {args}"
        self._check(name, answer, expect)

    def _call(self, what: str, name: str, args: dict[str, Any]) -> dict[str, Any]:
        if what in ("load", "resume", "spawn"):
            return self._begin(what, name, args)
        calls: dict[str, Callable[[str, dict[str, Any]], dict[str, Any] | None]] = {
            "complete": lambda name, args: self._runs.pop(name).complete(args.pop("state")),
            "fail": self._fail,
            "cancel": lambda name, _: self._shares.pop(name).leave(),
            "time_out": lambda name, _: self._shares[name].time_out(),
            "release": lambda name, _: {"result": self._leases[name].release()},
            "end": self._end,
            "end_if_unattached": self._end_if_unattached,
            "publish": self._publish,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "next": self._next,
            "channel": self._channel,
            "carried_by": self._carried_by,
            "exited": lambda name, args: self._channels[name].exited(args.pop("info")),
            "close": self._close,
            "claim": self._claim,
            "release_claim": lambda name, _: self._claims.pop(name).release(),
            "check": lambda _name, _args: None,
        }
        return calls[what](name, args) or {}

    def _begin(self, action: str, name: str, args: dict[str, Any]) -> dict[str, Any]:
        cwd = args.pop("cwd", self._texts.text("${root}/srv/project"))
        wake = partial(self._told.append, name)
        begun = self._table._begin(action, args.pop("id"), cwd, wake)
        if isinstance(begun, Lease):
            self._leases[name] = begun
            self._settled[name] = {"attached": begun.attached, "state": begun.state}
            return {"begun": "attached"}
        run, self._shares[name] = begun
        if run is None:
            return {"begun": "sharer"}
        try:
            run.secure()
        except SessionRegError as error:
            run.fail(error)
            # He is told what the call says.
            self._told.remove(name)
            raise
        run.on_cancelled(partial(self._signalled.append, name))
        self._runs[name] = run
        return {"begun": "owner"}

    def _fail(self, name: str, args: dict[str, Any]) -> None:
        if "failure" in args:
            raised: Exception = Thrown(args.pop("failure"))
        else:
            raised = errors._make(args.pop("error"), "the vector says so", None, None)
        self._runs.pop(name).fail(raised)

    def _end(self, _: str, args: dict[str, Any]) -> None:
        assert self._table.end(args.pop("id"))

    def _end_if_unattached(self, _: str, args: dict[str, Any]) -> dict[str, Any]:
        return {"result": self._table.end(args.pop("id"), only_if_unattached=True)}

    def _publish(self, _name: str, args: dict[str, Any]) -> dict[str, Any]:
        session_id, data = args.pop("id"), args.pop("data")
        for _ in range(args.pop("times", 1)):
            event_id = self._table.publish(session_id, data)
        if event_id is None:
            return {"event": None}
        return {"event": _number_of(event_id), "id": event_id}

    def _subscribe(self, name: str, args: dict[str, Any]) -> None:
        session_id, last = args.pop("id"), args.pop("last_event_id", None)
        for _ in range(args.pop("times", 1)):
            subscription = self._table.subscribe(session_id, last)
            self._subscriptions.setdefault(name, []).append(subscription)

    def _unsubscribe(self, name: str, _: dict[str, Any]) -> None:
        for subscription in self._subscriptions.pop(name):
            subscription.close()
            assert subscription.over

    def _next(self, name: str, _: dict[str, Any]) -> dict[str, Any]:
        subscription = self._subscriptions[name][-1]
        events = []
        while (event := subscription.next(0)) is not None:
            events.append(_describe_event(event))
        return {"events": events}

    def _channel(self, name: str, _: dict[str, Any]) -> None:
        self._channels[name] = self._table.channel(partial(self._torn_down.append, name))

    def _carried_by(self, name: str, args: dict[str, Any]) -> None:
        self._runs[name].context.carried_by(self._channels[args.pop("channel")])

    def _close(self, name: str, _: dict[str, Any]) -> None:
        self._table._begin_close(partial(self._closed.append, name))

    def _claim(self, name: str, args: dict[str, Any]) -> None:
        self._claims[name] = self._registry.claim(args.pop("agent"), args.pop("session_id"))

    def _check(self, name: str, answer: dict[str, Any], expect: dict[str, Any]) -> None:
        wanted = self._texts.value(expect)
        for key in ("error", "begun", "result", "event"):
            assert (key in answer, answer.get(key)) == (key in wanted, wanted.get(key)), name
        if "keep" in wanted:
            self._texts.keep(wanted["keep"], answer["id"])
        if "events" in wanted or "events" in answer:
            assert answer["events"] == _expanded(wanted["events"])
        for caller in self._take(self._told):
            self._settled[caller] = self._outcome(caller)
        settled = self._settled | {name: {"closed": True} for name in self._take(self._closed)}
        self._settled = {}
        assert settled == wanted.get("settled", {})
        assert sorted(self._take(self._signalled)) == wanted.get("signalled", [])
        assert sorted(self._take(self._torn_down)) == wanted.get("torn_down", [])
        for caller, reason in wanted.get("ended", {}).items():
            assert self._leases[caller].ended == reason, caller
        if "sessions" in wanted:
            assert self._sessions() == wanted["sessions"]
        if "default_target" in wanted:
            assert self._table.default_target() == wanted["default_target"]

    def _outcome(self, caller: str) -> Any:
        try:
            told = self._shares[caller].take(partial(self._told.append, caller))
        except Thrown as failure:
            return {"failure": str(failure)}
        except SessionRegError as error:
            return {"error": describe(error)}
        if isinstance(told, Lease):
            self._leases[caller] = told
            return {"attached": told.attached, "state": told.state}
        return "owner"

    def _sessions(self) -> list[dict[str, Any]]:
        all_of_them = self._table.sessions()
        assert all_of_them == [self._table.status(one.session_id) for one in all_of_them]
        return [
            {
                "id": one.session_id,
                "action": one.action,
                "stage": one.stage,
                "attachments": one.attachments,
                "subscribers": one.subscribers,
            }
            for one in all_of_them
        ]

    @staticmethod
    def _take(names: list[str]) -> list[str]:
        taken, names[:] = names[:], []
        return taken


def _number_of(event_id: str) -> int:
    found = re.fullmatch(r"[0-9a-f]+-([1-9][0-9]*)", event_id)
    assert found, event_id
    return int(found[1])


def _describe_event(event: SessionEvent) -> dict[str, Any]:
    described: dict[str, Any] = {"kind": event.kind}
    if event.id is not None:
        described |= {"number": _number_of(event.id), "data": event.data}
    if event.missed:
        described["missed"] = event.missed
    if event.reason is not None:
        described["reason"] = event.reason
    return described


def _expanded(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the events one by one: with `times` one stands for several, whose numbers follow."""
    found = []
    for event in events:
        times = event.pop("times", 1)
        for further in range(times):
            number = {"number": event["number"] + further} if "number" in event else {}
            found.append(event | number)
    return found
