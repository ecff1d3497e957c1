"""What an answer means: its value, or the error to raise. Nothing here does I/O; bodies have been read before."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from fluidmcp import errors

_SHOWN_TEXT = 200  # characters of a body that is not JSON

# Nothing of the request has left, not even its head.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)

_HINTS = {
    401: "Pass the right api_key to the client.",
    429: "Send fewer requests at a time, or raise max_retries.",
}


def where(request: httpx.Request) -> str:
    """Name a request in a message."""
    return f"{request.method} {request.url}"


def without_key(request: httpx.Request, text: str) -> str:
    """Hide the API key in what a server said: some repeat the header that they refuse."""
    key = request.headers.get("Authorization", "").partition(" ")[2]
    return text.replace(key, "***") if key else text


def json_of(response: httpx.Response) -> Any:
    """Return the object that a successful answer holds."""
    try:
        value = json.loads(response.content)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise _invalid(response, "an answer that is not a JSON object")
    return value


def check_stream(response: httpx.Response) -> None:
    """Raise InvalidResponseError unless a successful answer is an event stream."""
    media = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media != "text/event-stream":
        raise _invalid(response, f"{media or 'no media type'} where a stream of events was asked for")


def error_of(response: httpx.Response) -> errors.APIError:
    """Return the error that an answer without success stands for."""
    try:
        body: Any = json.loads(response.content)
    except ValueError:
        body = response.text
    envelope = envelope_of(body)
    status, code = response.status_code, envelope.get("code")
    message = str(envelope.get("message") or response.reason_phrase or "no explanation")
    message = without_key(response.request, message)
    label = f"{status} {code}" if code not in (None, status, str(status)) else str(status)
    text = f"{where(response.request)}: {label}: {message}"
    if 300 <= status < 400:
        text += f" It leads to {response.headers.get('Location')}: is that the base_url to use?"
    elif status in _HINTS:
        text += f" {_HINTS[status]}"
    return errors.class_for(status)(
        text + _request_id_note(response), message=message, body=body, **_facts(response, envelope)
    )


def _invalid(response: httpx.Response, what: str) -> errors.InvalidResponseError:
    text = (
        f"{where(response.request)}: {response.status_code} with {what}. "
        "Does base_url lead to a FluidMCP gateway?" + _request_id_note(response)
    )
    body = response.text if response.is_stream_consumed else None
    return errors.InvalidResponseError(text, message=what, body=body, **_facts(response, {}))


def _facts(response: httpx.Response, envelope: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": response.status_code,
        "type": envelope.get("type"),
        "code": envelope.get("code"),
        "param": envelope.get("param"),
        "request_id": request_id(response),
        "retry_after": retry_after(response.headers.get("Retry-After"), datetime.now(timezone.utc)),
    }


def envelope_of(body: Any) -> dict[str, Any]:
    """Return message, type, code and param of an error's body, of those that it has.

    OpenAI, vLLM and FluidMCP send {"error": {...}}; FastAPI, below vLLM, sends {"detail": ...}; anything else may come
    from a proxy on the way.
    """
    if isinstance(body, dict):
        if isinstance(body.get("error"), dict):
            return dict(body["error"])
        return {
            "message": body.get("message") or body.get("error") or body.get("detail") or json.dumps(body)[:_SHOWN_TEXT]
        }
    return {"message": " ".join(str(body or "").split())[:_SHOWN_TEXT]}


def request_id(response: httpx.Response) -> str | None:
    """Return how the gateway's log names the request."""
    value: str | None = response.headers.get("X-Request-Id")
    return value


def _request_id_note(response: httpx.Response) -> str:
    found = request_id(response)
    return f" (request id {found})" if found else ""


def retry_after(header: str | None, now: datetime) -> float | None:
    """Read a Retry-After header, seconds or a date (RFC 9110, 10.2.3), as seconds from now."""
    if header is None:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", header.strip(), re.ASCII):
        return float(header)
    try:
        date = parsedate_to_datetime(header)
    except (TypeError, ValueError):  # Python 3.9 raises the former for nonsense
        return None
    if date.tzinfo is None:  # "-0000": UTC, of unknown origin
        date = date.replace(tzinfo=timezone.utc)
    return max(0.0, (date - now).total_seconds())


@contextmanager
def connection_errors(request: httpx.Request) -> Iterator[None]:
    """Turn what httpx raises into the errors of this package."""
    try:
        yield
    except httpx.TimeoutException as err:
        raise _timeout(request, err) from err
    except httpx.RequestError as err:
        sent = not isinstance(err, _NEVER_SENT)
        if sent:
            text = f"the connection broke before the answer was complete ({_cause(err)}). The request may have run."
        else:
            text = (
                f"cannot connect ({_cause(err)}). Start FluidMCP with `fluidmcp run FILE --start-server`, "
                "or pass the base_url where it listens."
            )
        raise errors.APIConnectionError(f"{where(request)}: {text}", sent=sent) from err


def _timeout(request: httpx.Request, err: httpx.TimeoutException) -> errors.APITimeoutError:
    limits = request.extensions["timeout"]
    if isinstance(err, _NEVER_SENT):
        text = f"no connection within {limits['connect']:g} s. Is the host of base_url right and reachable?"
        return errors.APITimeoutError(f"{where(request)}: {text}", sent=False)
    if isinstance(err, httpx.WriteTimeout):
        text = f"nothing more of the request was taken for {limits['write']:g} s. Give the client a longer timeout."
        return errors.APITimeoutError(f"{where(request)}: {text}", sent=True)
    text = (
        f"no answer within {limits['read']:g} s. The request may still run. "
        "Stream the answer, or give the client a longer timeout."
    )
    return errors.APITimeoutError(f"{where(request)}: {text}", sent=True)


def _cause(err: Exception) -> str:
    return str(err) or type(err).__name__
