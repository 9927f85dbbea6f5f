"""The web server: one process, one short-lived thread per client connection, asleep when nobody asks."""

from __future__ import annotations

import socketserver
from contextlib import suppress
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

HOST = "127.0.0.1"


class Handler(WSGIRequestHandler):
    disable_nagle_algorithm = True  # else every reply on a kept connection waits 40 ms for an acknowledgement
    wbufsize = 64 * 1024

    def get_environ(self) -> dict[str, Any]:
        return super().get_environ() | {"emulator.handler": self}

    def handle_one_request(self) -> None:
        """The head of a reply to HEAD stays in the buffer otherwise; one that was cut on order has none left."""
        super().handle_one_request()
        with suppress(OSError, ValueError):
            self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the journal has it."""


class Server(ThreadedWSGIServer):
    """Django's development server: enough for the few clients of a local stand-in, without a dependency.

    Listens from its construction on (OSError if the port is taken), so early clients wait instead of failing.
    """

    request_queue_size = 128

    def __init__(self, port: int) -> None:
        super().__init__((HOST, port), Handler)
        self.set_app(WSGIHandler())

    def server_bind(self) -> None:
        """As in the parent, but without asking the name service who we are."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]
        self.setup_environ()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}"

    def run(self) -> None:
        """Until a signal raises; no timer wakes it up meanwhile."""
        try:
            self.serve_forever(poll_interval=3600)
        finally:
            self.server_close()
