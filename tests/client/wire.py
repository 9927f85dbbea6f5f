"""A server made of bare sockets, for replies that no well-behaved HTTP server would give."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

RESET_AT_CLOSE = struct.pack("ii", 1, 0)

Answer = Callable[[socket.socket, int], None]


class WireServer:
    """Reads each request whole, keeps it in `received`, and has `answer(connection, number)` reply as it likes.

    A `greeting` is sent before anything is read, as a mail server does; with `tls` it speaks https.
    """

    def __init__(self, answer: Answer, *, greeting: bytes = b"", tls: ssl.SSLContext | None = None) -> None:
        self.received: list[bytes] = []
        self._greeting = greeting
        self._tls = tls
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _spoken(self, connection: socket.socket) -> socket.socket:
        return self._tls.wrap_socket(connection, server_side=True) if self._tls else connection

    def _handle(self, connection: socket.socket) -> None:
        with connection:
            try:
                connection = self._spoken(connection)
                connection.sendall(self._greeting)
                while request := _request(connection):
                    self.received.append(request)
                    self._answer(connection, len(self.received))
            except OSError:
                return


def _request(connection: socket.socket) -> bytes:
    """One request with its body; empty at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65_536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0
    )
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def reply(body: bytes, *, status: str = "200 OK", headers: str = "", length: int | None = None) -> bytes:
    """A reply with a Content-Length, that of the body unless another is given."""
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n{headers}\r\n".encode() + body


def keeps(*pieces: bytes) -> Answer:
    """Sends the pieces and waits for the next request on the same connection."""

    def answer(connection: socket.socket, number: int) -> None:
        for piece in pieces:
            connection.sendall(piece)

    return answer


def sends(*pieces: bytes) -> Answer:
    """Sends the pieces and closes the connection."""

    def answer(connection: socket.socket, number: int) -> None:
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_RDWR)

    return answer


def resets(connection: socket.socket, number: int) -> None:
    """Cuts the connection without a word."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
    connection.close()


def in_turn(*answers: Answer) -> Answer:
    """The first answer for the first request, and so on; the last one for all that follow."""

    def answer(connection: socket.socket, number: int) -> None:
        answers[min(number, len(answers)) - 1](connection, number)

    return answer
