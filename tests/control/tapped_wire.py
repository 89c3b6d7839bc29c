"""A wire between a real agent and a real server, that a test can tamper with."""

import contextlib
import json
import threading

import websockets.sync.client
import websockets.sync.server
from websockets.exceptions import ConnectionClosed

from sonde.wire.control import PATH


class TappedWire:
    """`tamper` gets each job on its way to the agent, and gives what goes on in its place; `jobs` are as they came."""

    def __init__(self, server_url):
        self._upstream = server_url.replace("http", "ws", 1) + PATH
        self._agent = None
        self.jobs = []
        self.tamper = lambda job: [job]

    @property
    def url(self):
        return f"http://127.0.0.1:{self._listener.socket.getsockname()[1]}"

    def __enter__(self):
        self._listener = websockets.sync.server.serve(
            self._serve, "127.0.0.1", 0, compression=None, max_size=None, ping_interval=None, process_request=_only_ours
        )
        self._thread = threading.Thread(target=self._listener.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown()
        self._thread.join(30)

    def say(self, message):
        """To the agent, as if it were the server's."""
        self._agent.send(json.dumps(message))

    def _serve(self, agent):
        token = {"Authorization": agent.request.headers["Authorization"]}
        with websockets.sync.client.connect(
            self._upstream, additional_headers=token, compression=None, max_size=None, proxy=None, ping_interval=None
        ) as server:
            self._agent = agent
            back = threading.Thread(target=self._back, args=(server, agent), daemon=True)
            back.start()
            with contextlib.suppress(ConnectionClosed):
                for data in agent:
                    server.send(data)
        back.join(30)

    def _back(self, server, agent):
        with contextlib.suppress(ConnectionClosed):
            for data in server:
                message = json.loads(data)
                if message["type"] != "job":
                    agent.send(data)
                    continue
                self.jobs.append(message)
                for job in self.tamper(message):
                    self.say(job)
        agent.close()


def _only_ours(connection, request):
    return None if request.path == PATH else connection.respond(404, "nothing")
