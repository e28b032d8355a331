"""A daemon that brings sessions back, each once, however many clients ask for it at the same time.

A session is the file `<workspace>/<id>.jsonl`; each of its lines is an event.

    python server.py <workspace> [--port 0] [--limit 20]

    GET    /session                       says which there are
    POST   /session/<id>/load             brings it back with its history; also `resume`, without
    POST   /session/<id>/prompt           adds the body to its events
    GET    /session/<id>/events           follows them (SSE); Last-Event-ID goes on after that one
    DELETE /session/<id>/client/<client>  lets go of what `load` or `resume` gave
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import traceback
import uuid
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

from sessionreg import (
    InvalidInputError,
    Lease,
    NotFoundError,
    Registry,
    RestoreContext,
    RestoreTable,
    SessionEvent,
    SessionRegError,
    TooLargeError,
)

MAX_BODY = 64 * 1024
SECONDS_FOR_A_REQUEST = 30
STATUS = {
    "INVALID_ID": 400,
    "INVALID_INPUT": 400,
    "WORKSPACE_MISMATCH": 400,
    "NOT_FOUND": 404,
    "HELD": 409,
    "RESTORE_IN_PROGRESS": 409,
    "TOO_LARGE": 413,
    "CLOSING": 503,
    "SESSION_LIMIT": 503,
    "SUBSCRIBER_LIMIT": 503,
    "TIMEOUT": 504,
}
# Where the library does not say when to ask again.
RETRY_AFTER = 5


class HeadTooLargeError(TooLargeError):
    """The head of a request is larger than any that is served."""


@dataclass
class Request:
    """What a client asks."""

    method: str
    parts: list[str]
    headers: dict[str, str]
    body: bytes


class Daemon:
    """The sessions of one workspace, and who has them."""

    def __init__(self, workspace: Path, limit: int) -> None:
        self.workspace = workspace
        # No other process of this user brings the same session back.
        self.table = RestoreTable(
            workspace, limit=limit, registry=Registry(), agent="restore-server"
        )
        self.clients: dict[str, Lease] = {}
        self.connections: set[asyncio.Task[None]] = set()
        self.host = ""

    async def restore(self, context: RestoreContext) -> dict[str, int]:
        """Read a transcript: called once, whatever number of clients wait for what it gives."""
        # An id that has come this far is no path.
        path = self.workspace / f"{context.session_id}.jsonl"
        try:
            text = await asyncio.to_thread(path.read_text, "utf-8")
        except FileNotFoundError:
            raise NotFoundError("there is no such session") from None
        # JSON may have other ends of lines inside.
        lines = [line for line in text.split("\n") if line]
        for line in lines:
            self.table.publish(context.session_id, line)
        return {"lines": len(lines)}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        task = asyncio.current_task()
        assert task is not None
        self.connections.add(task)
        try:
            try:
                request = await asyncio.wait_for(self.read(reader), SECONDS_FOR_A_REQUEST)
            except (EOFError, asyncio.TimeoutError):
                return
            # Web pages reach the loopback device too, under names that lead there.
            if "origin" in request.headers or request.headers.get("host") != self.host:
                answer(writer, 403, {"error": "web pages are not served"})
                return
            await self.route(request, reader, writer)
        except ConnectionError:
            # Whoever has hung up is told nothing.
            pass
        except Exception as error:
            refuse(writer, error)
        finally:
            self.connections.discard(task)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def read(self, reader: asyncio.StreamReader) -> Request:
        """Read a request, which is bounded in its size."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            raise HeadTooLargeError("the head is too large") from None
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        method, _, rest = first.partition(" ")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not (length.isascii() and length.isdigit()):
            raise InvalidInputError("the length of the body must be given")
        # Python makes no number of thousands of digits.
        if len(length) > 9 or int(length) > MAX_BODY:
            # Who reads nothing of it before he hangs up is not heard.
            with suppress(EOFError):
                await reader.readexactly(min(int(length[:9]), 16 * MAX_BODY))
            raise TooLargeError("the body is too large")
        body = await reader.readexactly(int(length))
        path = rest.split(" ")[0].partition("?")[0]
        try:
            parts = [unquote(part, errors="strict") for part in path.split("/")[1:]]
        except UnicodeDecodeError:
            raise InvalidInputError("the path is not encoded as it must be") from None
        return Request(method, parts, headers, body)

    async def route(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Do what is asked."""
        match request.method, request.parts:
            case "GET", ["session"]:
                answer(writer, 200, {"sessions": self.sessions()})
            case "POST", ["session", session_id, "load"]:
                await self.bring_back("load", session_id, request, reader, writer)
            case "POST", ["session", session_id, "resume"]:
                await self.bring_back("resume", session_id, request, reader, writer)
            case "POST", ["session", session_id, "prompt"]:
                text = request.body.decode("utf-8", "replace")
                answer(writer, 202, {"id": self.table.publish(session_id, text)})
            case "GET", ["session", session_id, "events"]:
                await self.follow(session_id, request, reader, writer)
            case "DELETE", ["session", session_id, "client", client]:
                lease = self.clients.get(client)
                if lease is None or lease.session_id != session_id:
                    raise NotFoundError("there is no such client")
                del self.clients[client]
                answer(writer, 200, {"ended": lease.release()})
            case _:
                raise NotFoundError("there is no such thing")

    def sessions(self) -> list[dict[str, object]]:
        """Say which sessions there are."""
        return [
            {
                "sessionId": one.session_id,
                "action": one.action,
                "stage": one.stage,
                "attachments": one.attachments,
                "subscribers": one.subscribers,
            }
            for one in self.table.sessions()
        ]

    async def bring_back(
        self,
        action: Literal["load", "resume"],
        session_id: str,
        request: Request,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Give a client its share of a session."""
        cwd = self.folder_of(request.body)
        restored = asyncio.ensure_future(
            self.table.restore_async(action, session_id, cwd, self.restore)
        )
        hung_up = asyncio.ensure_future(until_end(reader))
        try:
            await asyncio.wait({restored, hung_up}, return_when=asyncio.FIRST_COMPLETED)
            if hung_up.done():
                # He leaves, and nobody else does: nobody could let go of what he was given.
                if restored.done():
                    restored.result().release()
                return
            lease = restored.result()
            client = str(uuid.uuid4())
            self.clients[client] = lease
            said = {"client": client, "attached": lease.attached, "state": lease.state}
            answer(writer, 200, said)
        finally:
            hung_up.cancel()
            restored.cancel()
            await asyncio.wait({restored})

    def folder_of(self, body: bytes) -> str:
        """Return the working folder that a client names, else the workspace."""
        if not body:
            return str(self.workspace)
        try:
            cwd = json.loads(body).get("cwd", str(self.workspace))
        except (AttributeError, RecursionError, ValueError):
            raise InvalidInputError("the body is no JSON object") from None
        if not isinstance(cwd, str):
            raise InvalidInputError("`cwd` is no text")
        return cwd

    async def follow(
        self,
        session_id: str,
        request: Request,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Send a client the events of a session, until either has gone."""
        async with self.table.subscribe(
            session_id, request.headers.get("last-event-id")
        ) as subscription:
            hung_up = asyncio.ensure_future(until_end(reader))
            hung_up.add_done_callback(lambda _: subscription.close())
            writer.write(head(200, {"Content-Type": "text/event-stream"}))
            try:
                async for event in subscription:
                    writer.write(text_of(event))
                    # Who reads too slowly is evicted by the table: nothing piles up here.
                    await writer.drain()
            finally:
                hung_up.cancel()

    async def run(self, port: int) -> None:
        """Serve until a signal, then tell every client, and end."""
        server = await asyncio.start_server(self.serve, "127.0.0.1", port)
        self.host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ended = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            # Windows has no such signals for event loops.
            with suppress(NotImplementedError):
                asyncio.get_running_loop().add_signal_handler(name, ended.set)
        print(f"http://{self.host}", flush=True)
        await ended.wait()
        server.close()
        with suppress(SessionRegError):
            await self.table.close_async(5)
        # Every stream has got its last event; who does not take it holds nobody up.
        if self.connections:
            await asyncio.wait(self.connections, timeout=1)


async def until_end(reader: asyncio.StreamReader) -> None:
    """Wait until a client hangs up."""
    with suppress(ConnectionError):
        while await reader.read(4096):
            pass


def text_of(event: SessionEvent) -> bytes:
    """Return an event as a stream has it: only what was published has an id, to go on from."""
    place = "" if event.id is None else f"id: {event.id}\n"
    notes = {"missed": event.missed or None, "reason": event.reason}
    data = {name: note for name, note in notes.items() if note is not None}
    said = json.dumps(event.data if event.kind == "published" else data)
    return f"{place}event: {event.kind}\ndata: {said}\n\n".encode()


def head(status: int, headers: dict[str, str]) -> bytes:
    """Return the head of an answer, after which the connection is closed."""
    fields = {"Cache-Control": "no-store", "Connection": "close", **headers}
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def answer(
    writer: asyncio.StreamWriter,
    status: int,
    value: dict[str, Any],
    headers: dict[str, str] | None = None,
) -> None:
    """Answer with JSON."""
    body = json.dumps(value).encode()
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    writer.write(head(status, {**fields, **(headers or {})}) + body)


def refuse(writer: asyncio.StreamWriter, error: Exception) -> None:
    """Answer with the status that an error stands for."""
    status = STATUS.get(error.code, 500) if isinstance(error, SessionRegError) else 500
    if isinstance(error, HeadTooLargeError):
        status = 431
    if status == 500:
        traceback.print_exception(error)
        answer(writer, 500, {"error": "it failed"})
        return
    names = ("code", "active", "requested", "reason", "limit", "bound")
    known = {name: getattr(error, name, None) for name in names}
    said = {name: value for name, value in known.items() if value is not None}
    headers = {}
    if status in (409, 503):
        # Whole seconds, as the header has them.
        headers["Retry-After"] = str(round(getattr(error, "retry_after", None) or RETRY_AFTER))
    answer(writer, status, {**said, "error": str(error)}, headers)


def main() -> None:
    """Serve a workspace."""
    parser = argparse.ArgumentParser(description="brings the sessions of a workspace back")
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--limit", type=int, default=20)
    arguments = parser.parse_args()
    asyncio.run(Daemon(arguments.workspace.resolve(), arguments.limit).run(arguments.port))


if __name__ == "__main__":
    main()
