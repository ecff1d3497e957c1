"""Streams of chunks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Any, Generic, TypeVar

import httpx

from fluidmcp import _answers
from fluidmcp._chunks import ChunkReader

Chunk = TypeVar("Chunk")


class Stream(Generic[Chunk]):
    """The chunks of an answer as they come, to be iterated once.

    It ends when the answer is complete; otherwise it raises StreamInterruptedError after the last chunk that came. Who
    leaves early closes it, or uses it in a with statement: then the server stops to generate.
    """

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._chunks = _read(response)
        next(self._chunks)

    @property
    def request_id(self) -> str | None:
        """How logs of the gateway and of the model server name the request."""
        return _answers.request_id(self._response)

    def __iter__(self) -> Iterator[Chunk]:
        return self

    def __next__(self) -> Chunk:
        chunk: Chunk = next(self._chunks)
        return chunk

    def close(self) -> None:
        """Close the connection. The iteration is over, without an error."""
        self._chunks = iter(())
        self._response.close()

    def __enter__(self) -> Stream[Chunk]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncStream(Generic[Chunk]):
    """The chunks of an answer as they come, to be iterated once; see Stream."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._chunks = _read_async(response)  # to be begun by begin_async

    @property
    def request_id(self) -> str | None:
        """How logs of the gateway and of the model server name the request."""
        return _answers.request_id(self._response)

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    async def __anext__(self) -> Chunk:
        chunk: Chunk = await self._chunks.__anext__()
        return chunk

    async def close(self) -> None:
        """Close the connection. The iteration is over, without an error."""
        self._chunks = _nothing()
        await self._response.aclose()

    async def __aenter__(self) -> AsyncStream[Chunk]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


# These are functions, not methods: a stream that nobody holds any more must be freed at once, not when the garbage
# collector finds a cycle, because freeing it closes the connection. What runs on freeing is the finally of a generator
# that has begun, so each yields nothing first, and is begun when the stream is made.


async def begin_async(response: httpx.Response) -> AsyncStream[Any]:
    """Return the stream of an answer; a constructor could not await its beginning."""
    stream: AsyncStream[Any] = AsyncStream(response)
    await stream.__anext__()
    return stream


def _read(response: httpx.Response) -> Iterator[Any]:
    reader = ChunkReader(response)
    try:
        yield None
        with reader.broken_transfers():
            for piece in response.iter_bytes():
                yield from reader.feed(piece)
        reader.end()
    finally:
        response.close()


async def _read_async(response: httpx.Response) -> AsyncIterator[Any]:
    reader = ChunkReader(response)
    try:
        yield None
        with reader.broken_transfers():
            async for piece in response.aiter_bytes():
                for chunk in reader.feed(piece):
                    yield chunk
        reader.end()
    finally:
        await response.aclose()


async def _nothing() -> AsyncIterator[Any]:
    return
    yield
