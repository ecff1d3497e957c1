"""A server that sends what a test tells it, byte by byte, however wrong. What FluidMCP and the mock do not do."""

from __future__ import annotations

import contextlib
import json
import socket
import threading

EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nX-Request-Id: raw-1\r\n\r\n"
DONE = b"data: [DONE]\n\n"


def chunk(content: str) -> bytes:
    """Return the event of a chat chunk."""
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": content}}]}).encode() + b"\n\n"


def answer(status: str, body: str, *headers: str) -> bytes:
    """Return a whole answer."""
    head = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body.encode())}", *headers]
    return "\r\n".join([*head, "", body]).encode()


class RawServer:
    """Sends one of the answers for each request in turn, and the last one again and again.

    It closes the connection after each, unless keep_alive, which also frames an answer that has no length; with hold it
    goes silent instead. Before __enter__ connections are refused.
    """

    def __init__(self, *answers: bytes, keep_alive: bool = False, hold: bool = False) -> None:
        self.requests = 0
        self.sent = 0  # answers, as far as there is anything of them to send
        self.connections = 0
        self.heads: list[str] = []
        self._answers = answers
        self._keep_alive = keep_alive
        self._hold = hold
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> RawServer:
        self._listener.listen(128)
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # close alone does not wake accept
        self._listener.close()
        self._threads[0].join()
        for connection in self._open:
            self._shut(connection)
        for thread in self._threads[1:]:
            thread.join()

    def _start(self, run: object, *args: object) -> None:
        thread = threading.Thread(target=run, args=args)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while self._read(stream):
                with self._lock:
                    reply = self._answers[min(self.requests, len(self._answers) - 1)]
                    self.requests += 1
                if self._keep_alive and b"Content-Length" not in reply:
                    head, _, body = reply.partition(b"\r\n\r\n")
                    reply = head + b"\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
                closes = not self._keep_alive and not self._hold
                # Unsaid, a client may send its next request into the connection that closes.
                if closes and b"\r\nContent-Length:" in reply:
                    reply = reply.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
                connection.sendall(reply)
                with self._lock:
                    self.sent += 1
                if closes:
                    return

    def _read(self, stream: object) -> bool:
        """Read one request, head and body; report whether there was one."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            try:
                line: bytes = stream.readline()  # type: ignore[attr-defined]
            except OSError:
                return False
            if not line:
                return False
            head += line
        text = head.decode("latin-1")
        self.heads.append(text)
        for field in text.split("\r\n"):
            name, _, value = field.partition(":")
            if name.lower() == "content-length":
                stream.read(int(value))  # type: ignore[attr-defined]
        return True

    @staticmethod
    def _shut(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # it has ended before
            connection.shutdown(socket.SHUT_RDWR)
