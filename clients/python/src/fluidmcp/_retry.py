"""Whether and when a failed request is sent again."""

from __future__ import annotations

import logging
import random

from fluidmcp._requests import Effect, Request
from fluidmcp.errors import APIConnectionError, APIError, APITimeoutError, FluidMCPError

LONGEST_WAIT = 60.0
"""A server that wants more patience than this many seconds is not waited for: the caller decides."""

_log = logging.getLogger("fluidmcp")

_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.5, 8.0  # seconds


def delay(request: Request, error: FluidMCPError, attempt: int, max_retries: int) -> float | None:
    """Return the seconds to wait before the next attempt, or None when there must be none.

    attempt counts from 0. It is called only while nothing of an answer has been handed on.
    """
    wait = _decide(request, error, attempt) if attempt < max_retries else None
    if wait is not None:
        _log.info("sending again in %.1f s, attempt %d of %d: %s", wait, attempt + 2, max_retries + 1, error)
    return wait


def _decide(request: Request, error: FluidMCPError, attempt: int) -> float | None:
    backoff = min(_FIRST_BACKOFF * 2**attempt, _LONGEST_BACKOFF)
    backoff = random.uniform(backoff / 2, backoff)  # so that many clients do not come back at once
    if isinstance(error, APIConnectionError):
        return backoff if not error.sent or _repeatable(request, error) else None
    if isinstance(error, APIError) and _refused(request, error):
        asked = error.retry_after
        return None if asked is None or asked > LONGEST_WAIT else asked + backoff * 0.2
    return None


def _repeatable(request: Request, error: APIConnectionError) -> bool:
    """Report whether a request may run twice. One that took too long would only take too long again."""
    return request.effect is Effect.READ and not isinstance(error, APITimeoutError)


def _refused(request: Request, error: APIError) -> bool:
    """Report whether the server turned the request away without acting on it.

    Not so for commands: their 503 can mean that the gateway lost the supervisor after it had sent the command.
    """
    return error.status in (429, 503) and request.effect is not Effect.COMMAND
