"""What each method of the clients asks, without sending it."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from fluidmcp.types import Prompt


class Effect(enum.Enum):
    """What a request does at the server, which decides whether it may be sent again."""

    READ = enum.auto()  # nothing: it can be repeated at will
    INFERENCE = enum.auto()  # costs the time of a model; a 429 or 503 says that it did not
    COMMAND = enum.auto()  # changes a model's state


@dataclass(frozen=True)
class Request:
    """A request, relative to the base URL."""

    method: str
    path: str
    effect: Effect
    json: Mapping[str, Any] | None = None
    params: Mapping[str, int | str] | None = None
    stream: bool = False
    timeout: float | httpx.Timeout | None = None  # None for the client's


def chat_completion(
    model_id: str, messages: Sequence[Mapping[str, Any]], stream: bool, options: Mapping[str, Any]
) -> Request:
    return _inference(model_id, "chat/completions", {"messages": messages, **options}, stream)


def completion(model_id: str, prompt: Prompt, stream: bool, options: Mapping[str, Any]) -> Request:
    return _inference(model_id, "completions", {"prompt": prompt, **options}, stream)


def _inference(model_id: str, endpoint: str, body: dict[str, Any], stream: bool) -> Request:
    timeout = body.pop("timeout", None)
    if stream:
        body["stream"] = True
    path = f"/llm/{_quoted(model_id)}/{endpoint}"
    return Request("POST", path, Effect.INFERENCE, json=body, stream=stream, timeout=timeout)


def status() -> Request:
    return Request("GET", "/api/llm/status", Effect.READ)


def models() -> Request:
    return Request("GET", "/v1/models", Effect.READ)


def model(model_id: str) -> Request:
    return Request("GET", f"/api/llm/models/{_quoted(model_id)}", Effect.READ)


def logs(model_id: str, lines: int) -> Request:
    return Request("GET", f"/api/llm/models/{_quoted(model_id)}/logs", Effect.READ, params={"lines": lines})


def health_check(model_id: str) -> Request:
    return Request("POST", f"/api/llm/models/{_quoted(model_id)}/health-check", Effect.READ)


def command(model_id: str, verb: str, *, force: bool = False) -> Request:
    params = {"force": "true"} if force else None
    return Request("POST", f"/api/llm/models/{_quoted(model_id)}/{verb}", Effect.COMMAND, params=params)


def _quoted(model_id: str) -> str:
    """Return the id as one segment of a path: "acme/mock-7b" becomes "acme%2Fmock-7b"."""
    if model_id in ("", ".", ".."):  # these would lead to another path
        raise ValueError(f"model_id has to name a model, not {model_id!r}; models() lists them")
    return quote(model_id, safe="")
