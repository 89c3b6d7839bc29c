"""An HTTP client that is not asynchronous."""

import asyncio
import http.server
import threading
import time
import urllib.request

CAUSES = {"system_call"}


class Slow(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(0.08)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
threading.Thread(target=server.serve_forever, daemon=True).start()
ADDRESS = f"http://127.0.0.1:{server.server_port}/"


async def main():
    await asyncio.sleep(0.005)
    with urllib.request.urlopen(ADDRESS) as answer:  # noqa: ASYNC210 # stalls
        answer.read()
    await asyncio.sleep(0.005)
