"""Shows the agent sessions of this machine on a page that follows what happens.

Usage: server.py [--port PORT] [--registry FOLDER]... [--multiplexers]
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sessionreg import ClosedError, Monitor, Sources

PAGE = Path(__file__).with_name("page")
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

RETRY_MS = 2000
PING_SECONDS = 15.0

# Trusted Types make the browser refuse what would turn text into markup.
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """Lets in only who asks for this server by a name of the loopback, from its own page.

    A page of another site can make a browser send requests here, and can point a name of its own
    at 127.0.0.1 to read the answers; it can forge neither `Host` nor `Sec-Fetch-Site`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have the application answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_guarded)

    @staticmethod
    def _refusal(scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        port = scope["server"][1]
        names = ["127.0.0.1", "localhost", "[::1]"]
        hosts = {f"{name}:{port}" for name in names} | ({*names} if port == 80 else set())
        given = [host.lower() for host in headers.getlist("host")]
        if len(given) != 1:
            return PlainTextResponse("one Host is needed\n", 400)
        if given[0] not in hosts:
            return PlainTextResponse("this server is only for this machine\n", 421)
        # Opened by hand, from a bookmark or a link, the page itself may be; what it reads may not.
        is_page = scope["path"] == "/"
        came_from = headers.get("sec-fetch-site", "none")
        if came_from not in ("same-origin", "none") and not is_page:
            return PlainTextResponse("this is only for the page of this server\n", 403)
        if headers.get("origin", f"http://{given[0]}").lower() != f"http://{given[0]}":
            return PlainTextResponse("this is only for the page of this server\n", 403)
        return None


async def events(monitor: Monitor, cursor: str | None) -> AsyncIterator[str]:
    """Give what changed since a cursor as Server-Sent Events, until the monitor is closed."""
    yield f"retry: {RETRY_MS}\n\n"
    with contextlib.suppress(ClosedError):
        while True:
            batch = await monitor.wait_async(cursor, timeout=PING_SECONDS)
            if batch is None:
                # Finds out whether anybody is there, and keeps proxies from giving up.
                yield ": ping\n\n"
            else:
                cursor = batch.cursor
                yield f"id: {cursor}\nevent: state\ndata: {batch.to_json()}\n\n"


def create_app(monitor: Monitor) -> ASGIApp:
    """Make the application; every client reads from the one monitor, each with its own cursor."""

    async def state(_: Request) -> Response:
        snapshot = await monitor.snapshot_async()
        return Response(snapshot.to_json(), media_type="application/json")

    async def stream(request: Request) -> Response:
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        # The browser's own header is the newer one; a page can only set the query.
        cursor = request.headers.get("last-event-id") or request.query_params.get("last_event_id")
        return StreamingResponse(events(monitor, cursor), media_type="text/event-stream")

    async def closed(_request: Request, _error: Exception) -> Response:
        return PlainTextResponse("this server is closing\n", 503)

    routes = [Route("/api/state", state), Route("/api/stream", stream)]
    for file in sorted(PAGE.iterdir()):
        path = "/" if file.name == "index.html" else f"/{file.name}"
        routes.append(Route(path, _static(file)))
    return Guard(Starlette(routes=routes, exception_handlers={ClosedError: closed}))


def _static(file: Path) -> Callable[[Request], Awaitable[Response]]:
    # Read once: what a request says never becomes a path.
    content, media_type = file.read_bytes(), TYPES[file.suffix]

    async def answer(_: Request) -> Response:
        return Response(content, media_type=media_type)

    return answer


class Server(uvicorn.Server):
    """A server that ends its streams when it is told to end: it would wait for them otherwise."""

    def __init__(self, config: uvicorn.Config, monitor: Monitor) -> None:
        super().__init__(config)
        self._monitor = monitor

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then all that uvicorn ends."""
        self._monitor.close()
        await super().shutdown(sockets)


def listen(port: int) -> socket.socket:
    """Listen where only this machine can connect."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        sys.exit(f"failed to listen on port {port}: {error}")


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(description="Shows the agent sessions of this machine.")
    parser.add_argument("--port", type=int, default=8420, help="0 takes any (default: 8420)")
    parser.add_argument(
        "--registry",
        action="append",
        type=Path,
        metavar="FOLDER",
        help="look only into this registry, or these, and not for any other program's sessions",
    )
    parser.add_argument(
        "--multiplexers", action="store_true", help="ask tmux and zellij for their panes"
    )
    options = parser.parse_args()
    if options.registry:
        folders = [folder.absolute() for folder in options.registry]
        sources = Sources.none(registries=folders, multiplexers=options.multiplexers)
    else:
        sources = Sources(multiplexers=options.multiplexers)

    with listen(options.port) as listener, Monitor(sources) as monitor:
        app = create_app(monitor)
        config = uvicorn.Config(
            app, log_level="error", ws="none", proxy_headers=False, server_header=False
        )
        print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            Server(config, monitor).run(sockets=[listener])


if __name__ == "__main__":
    main()
