from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import stack as fluidmcp_stack
import twin
from anyio.from_thread import start_blocking_portal
from stack import Stack

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
    return make_client(stack.gateway, max_retries=0)


@pytest.fixture
def faults(stack: Stack) -> Iterator[Any]:
    """Set faults of the mock; they are gone after the test."""
    yield stack.faults
    stack.faults()
