"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), from bytes as they come."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Only these end a line. str.splitlines knows more, such as U+2028, which JSON may hold as it is.
_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True)
class Event:
    name: str  # "" for an event without a name
    data: str


class Decoder:
    """Turns bytes into events. Pieces may end anywhere, also inside of a character or between CR and LF."""

    def __init__(self) -> None:
        self._line: list[bytes] = []  # pieces of a line whose end has not come
        self._first = True
        self._after_cr = False
        self._name = ""
        self._data: list[str] = []

    def feed(self, piece: bytes) -> Iterator[Event]:
        """Yield the events that end in piece."""
        if self._after_cr and piece:
            piece = piece[1:] if piece.startswith(b"\n") else piece
            self._after_cr = False
        if not piece:
            return
        self._after_cr = piece.endswith(b"\r")
        head, *tails = _LINE_END.split(piece)
        self._line.append(head)
        for tail in tails:
            line = b"".join(self._line)
            self._line = [tail]
            yield from self._end_line(line)

    def end(self) -> Iterator[Event]:
        """Yield the event that the end of the stream has cut, if its data looks whole."""
        yield from self._end_line(b"".join(self._line))
        yield from self._end_line(b"")

    def _end_line(self, line: bytes) -> Iterator[Event]:
        if self._first:
            self._first = False
            line = line[3:] if line.startswith(b"\xef\xbb\xbf") else line
        if not line:
            if self._data:
                yield Event(self._name, "\n".join(self._data))
            self._name, self._data = "", []
            return
        field, _, value = line.decode("utf-8", "replace").partition(":")
        value = value[1:] if value.startswith(" ") else value
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
        # The rest is comments (an empty field name), and id and retry, which are for streams that can be resumed.
