"""The chunks of a streamed answer, and whether they are all there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from fluidmcp import _answers, _sse, errors

_DONE = "[DONE]"


class ChunkReader:
    """Reads the chunks out of a stream's bytes and insists on the [DONE] at its end."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._events = _sse.Decoder()
        self._received = 0
        self._done = False

    def feed(self, piece: bytes) -> Iterator[dict[str, Any]]:
        """Yield the chunks that end in piece."""
        for event in self._events.feed(piece):
            yield from self._take(event)

    def end(self) -> None:
        """Take note that the transfer has ended in good order."""
        for event in self._events.end():  # a server may leave out the empty line after [DONE]
            self._done = self._done or event.data == _DONE
        if not self._done:
            raise self._interrupted("the stream ended without [DONE]")

    @contextmanager
    def broken_transfers(self) -> Iterator[None]:
        """Turn what httpx raises while it reads into StreamInterruptedError. After [DONE] nothing of that matters."""
        try:
            yield
        except httpx.TimeoutException as err:
            if not self._done:
                patience = self._response.request.extensions["timeout"]["read"]
                raise self._interrupted(f"nothing came for {patience:g} s", errors.StreamTimeoutError) from err
        except httpx.RequestError as err:
            if not self._done:
                raise self._interrupted(f"the connection broke ({err or type(err).__name__})") from err

    def _take(self, event: _sse.Event) -> Iterator[dict[str, Any]]:
        # What follows [DONE] is read, so that the connection can be used again, and ignored.
        if self._done or event.data == _DONE:
            self._done = True
            return
        try:
            chunk = json.loads(event.data)
        except ValueError:
            raise self._interrupted("an event is not JSON", body=event.data) from None
        if not isinstance(chunk, dict) or event.name == "error" or chunk.get("error"):
            raise self._reported(chunk)
        self._received += 1
        yield chunk

    def _reported(self, body: Any) -> errors.StreamInterruptedError:
        """Return the error that an event reports."""
        envelope = _answers.envelope_of(body)
        code = envelope.get("code")
        reason = f"{envelope.get('message')}" if code is None else f"{code}: {envelope.get('message')}"
        return self._interrupted(reason, code=code, type=envelope.get("type"), body=body)

    def _interrupted(
        self, reason: str, kind: type[errors.StreamInterruptedError] = errors.StreamInterruptedError, **facts: Any
    ) -> errors.StreamInterruptedError:
        where, found = _answers.where(self._response.request), _answers.request_id(self._response)
        reason = _answers.without_key(self._response.request, reason).rstrip(".")
        text = f"{where}: the stream was interrupted after {self._received} chunks: {reason}. "
        text += "What came is incomplete; ask again." + (f" (request id {found})" if found else "")
        return kind(text, received=self._received, request_id=found, **facts)
