"""Takes spans and forgets them: an agent's unix socket and an OTLP/HTTP collector, whose URL is printed."""

from __future__ import annotations

import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Agent(socketserver.BaseRequestHandler):
    """Reads to the end."""

    def handle(self) -> None:
        """Serve one probe."""
        while self.request.recv(1 << 20):
            pass


class Collector(BaseHTTPRequestHandler):
    """Answers 200 to everything."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Serve one export."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:  # type: ignore[override]
        """Say nothing."""


def main(path: str) -> None:
    """Serve until killed."""
    agent = socketserver.ThreadingUnixStreamServer(path, Agent)
    agent.daemon_threads = True
    threading.Thread(target=agent.serve_forever, daemon=True).start()
    collector = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    print(f"http://127.0.0.1:{collector.server_port}", flush=True)
    collector.serve_forever()


main(sys.argv[1])
