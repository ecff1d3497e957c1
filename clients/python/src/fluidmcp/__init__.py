"""Client of FluidMCP: talk to vLLM models behind one address and manage them.

    from fluidmcp import FluidMCPClient

    with FluidMCPClient() as client:
        answer = client.chat_completion("mock-llm", [{"role": "user", "content": "Hello"}])
        print(answer["choices"][0]["message"]["content"])

AsyncFluidMCPClient has the same methods, to be awaited. Everything that goes wrong is a FluidMCPError.
"""

from fluidmcp._async_client import AsyncFluidMCPClient
from fluidmcp._client import FluidMCPClient
from fluidmcp._options import DEFAULT_TIMEOUT
from fluidmcp._stream import AsyncStream, Stream
from fluidmcp._version import __version__
from fluidmcp.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    FluidMCPError,
    InternalServerError,
    InvalidResponseError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    StreamInterruptedError,
    StreamTimeoutError,
)

__all__ = [
    "DEFAULT_TIMEOUT",
    "APIConnectionError",
    "APIError",
    "APITimeoutError",
    "AsyncFluidMCPClient",
    "AsyncStream",
    "AuthenticationError",
    "BadRequestError",
    "ConflictError",
    "FluidMCPClient",
    "FluidMCPError",
    "InternalServerError",
    "InvalidResponseError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "Stream",
    "StreamInterruptedError",
    "StreamTimeoutError",
    "__version__",
]
