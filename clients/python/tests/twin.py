"""The asynchronous client behind the face of the other one, so that one test serves both."""

from __future__ import annotations

import inspect
from typing import Any, Callable, cast

from anyio.from_thread import BlockingPortal

from fluidmcp import AsyncFluidMCPClient, AsyncStream, FluidMCPClient, Stream

MakeClient = Callable[..., FluidMCPClient]


class _Blocking:
    """An object whose coroutines are run to their end in the portal's event loop."""

    def __init__(self, portal: BlockingPortal, inner: AsyncFluidMCPClient | AsyncStream[Any]) -> None:
        self._portal = portal
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._inner, name)
        return self._run(attribute) if inspect.iscoroutinefunction(attribute) else attribute

    def __repr__(self) -> str:
        return repr(self._inner)

    def _run(self, method: Callable[..., Any]) -> Callable[..., Any]:
        async def call(args: Any, kwargs: Any) -> Any:
            return await method(*args, **kwargs)

        def blocking(*args: Any, **kwargs: Any) -> Any:
            result = self._portal.call(call, args, kwargs)
            return _Blocking(self._portal, result) if isinstance(result, AsyncStream) else result

        return blocking

    def __iter__(self) -> _Blocking:
        return self

    def __next__(self) -> Any:
        try:
            return self._run(self._inner.__anext__)()  # type: ignore[union-attr]
        except StopAsyncIteration:
            raise StopIteration from None

    def __enter__(self) -> _Blocking:
        self._run(self._inner.__aenter__)()
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self._run(self._inner.__aexit__)(*exc_info)


def blocking(portal: BlockingPortal, *args: Any, **kwargs: Any) -> FluidMCPClient:
    """Return an AsyncFluidMCPClient that looks like a FluidMCPClient."""
    return cast(FluidMCPClient, _Blocking(portal, AsyncFluidMCPClient(*args, **kwargs)))


__all__ = ["MakeClient", "Stream", "blocking"]
