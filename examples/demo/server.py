"""A server that tells over HTTP which sessions of a project run: GET / on loopback, as JSON."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import sessionreg

CHATS = Path(sys.argv[1]) / "chats"


def sessions() -> list[dict[str, object]]:
    records = [record for path in sorted(CHATS.iterdir()) if (record := sessionreg.read(path))]
    return [
        {
            "session": record.session_id,
            "pid": record.pid,
            "state": verdict.state,
            "reason": verdict.reason,
        }
        for record, verdict in zip(records, sessionreg.liveness_all(records))
    ]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps(sessions()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keeps the demo's output to its tables."""


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
