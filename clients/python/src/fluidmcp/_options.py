"""The arguments of a client, checked, and what httpx is told."""

from __future__ import annotations

import functools
import ssl
from typing import Any

import httpx

from fluidmcp._requests import Request
from fluidmcp._version import __version__

DEFAULT_TIMEOUT = httpx.Timeout(connect=5, read=600, write=60, pool=None)
"""How long a client waits, in seconds: for a connection, for the next piece of an answer, for a piece to be taken.

A long generation is silent until it is done, unless it is streamed. The gateway gives up on a silent model server after
five minutes (a model's first_byte timeout), so the client is more patient and hears its explanation.
"""

# A client may have as many requests under way as its user starts: the queue is in the gateway and the model servers.
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=100)


class ClientBase:
    """What both clients know of the gateway: where it is and how to deal with it."""

    def __init__(self, base_url: str, api_key: str | None, timeout: float | httpx.Timeout, max_retries: int) -> None:
        if max_retries < 0:
            raise ValueError(f"max_retries has to be 0 or more, not {max_retries}")
        self.base_url = _base_url(base_url)
        self.max_retries = max_retries
        self._http_options: dict[str, Any] = {
            "headers": _headers(api_key),
            "timeout": _timeout(timeout),
            "limits": _LIMITS,
            "verify": _tls(),
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    def _arguments(self, request: Request) -> dict[str, Any]:
        """Return the arguments of httpx's build_request."""
        return {
            "method": request.method,
            "url": self.base_url + request.path,
            "json": request.json,
            "params": request.params,
            "timeout": httpx.USE_CLIENT_DEFAULT if request.timeout is None else _timeout(request.timeout),
            "headers": {"Accept": "text/event-stream" if request.stream else "*/*"},
        }


def _base_url(text: str) -> str:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as err:
        raise ValueError(f"base_url is not a URL: {err}") from None
    if url.userinfo:  # would be part of every message and log line
        raise ValueError("base_url must not hold a user name or password: pass api_key instead")
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
        raise ValueError(f'base_url has to be like "http://localhost:8099", not {text!r}')
    return str(url).rstrip("/").removesuffix("/v1")  # which OpenAI's packages want there


@functools.cache
def _tls() -> ssl.SSLContext:
    """Return what all clients of the process share, because loading the certificates takes a tenth of a second."""
    return httpx.create_ssl_context()


def _headers(api_key: str | None) -> dict[str, str]:
    headers = {"User-Agent": f"fluidmcp-python/{__version__}"}
    if api_key:
        # Otherwise the HTTP library would refuse the header with a message that shows it.
        if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
            raise ValueError(
                "api_key holds characters that cannot be sent: blanks, line ends or non-ASCII. "
                "A key that was read from a file needs .strip()"
            )
        headers["Authorization"] = f"Bearer {api_key}"
    return headers


def _timeout(timeout: float | httpx.Timeout) -> httpx.Timeout:
    if isinstance(timeout, httpx.Timeout):
        return timeout
    if not timeout > 0:
        raise ValueError(f"timeout has to be more than 0 seconds, not {timeout}")
    return httpx.Timeout(connect=min(timeout, 5), read=timeout, write=timeout, pool=None)
