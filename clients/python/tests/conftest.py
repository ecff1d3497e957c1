from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any, Callable

import httpx
import pytest
import stack as fluidmcp_stack
import twin
from anyio.from_thread import start_blocking_portal
from rawserver import RawServer
from stack import Stack, wait_until

from fluidmcp import FluidMCPClient


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A FluidMCP that all tests share."""
    with fluidmcp_stack.running(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(params=["sync", "async"])
def make_client(request: pytest.FixtureRequest) -> Iterator[twin.MakeClient]:
    """Both kinds of client; what it makes is closed after the test."""
    with contextlib.ExitStack() as opened:
        portal = opened.enter_context(start_blocking_portal()) if request.param == "async" else None

        def make(*args: Any, **kwargs: Any) -> FluidMCPClient:
            client = FluidMCPClient(*args, **kwargs) if portal is None else twin.blocking(portal, *args, **kwargs)
            return opened.enter_context(client)

        yield make


@pytest.fixture
def client(stack: Stack, make_client: twin.MakeClient) -> FluidMCPClient:
    """A client of the shared FluidMCP that shows the first failure."""
    timeout = httpx.Timeout(600, connect=60)  # a machine with much to do is slow to connect many at once
    return make_client(stack.gateway, max_retries=0, timeout=timeout)


@pytest.fixture
def faults(stack: Stack) -> Iterator[Any]:
    """Set faults of the mock; they are gone after the test."""
    yield stack.faults
    stack.faults()


class _Answered(logging.Handler):
    """Holds up who begins to read an answer until the server has sent it."""

    def __init__(self, server: RawServer) -> None:
        super().__init__(logging.DEBUG)
        self._server = server
        self._count = 0

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("receive_response_headers.started"):
            self._count += 1
            wait_until(lambda: self._server.sent == self._count, "the answer has been sent")


@pytest.fixture
def read_when_answered(monkeypatch: pytest.MonkeyPatch) -> Callable[[RawServer], None]:
    """Let clients begin to read only when there is an answer, or the silence that a server was told.

    Their read timeout begins there, so a machine that is too busy to run the server in time cannot use it up. httpcore
    logs what it is about to do.
    """

    def install(server: RawServer) -> None:
        log = logging.getLogger("httpcore.http11")
        monkeypatch.setattr(log, "level", logging.DEBUG)
        monkeypatch.setattr(log, "handlers", [_Answered(server)])
        monkeypatch.setattr(log, "propagate", False)
        log.manager._clear_cache()  # type: ignore[attr-defined]

    return install
