"""The answers, as dicts with known keys (https://docs.vllm.ai, OpenAI's API reference, docs of the management API).

At run time they are plain dicts. Servers may send more keys than are named here.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict, Union


class Usage(TypedDict):
    """Tokens that were counted."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class FunctionCall(TypedDict):
    name: str
    arguments: str  # JSON, as the model wrote it


class ToolCall(TypedDict):
    id: str
    type: Literal["function"]
    function: FunctionCall


class _Message(TypedDict):
    role: Literal["assistant"]
    content: str | None


class Message(_Message, total=False):
    """What the model said."""

    refusal: str | None
    reasoning: str | None
    tool_calls: list[ToolCall]


class ChatChoice(TypedDict):
    index: int
    message: Message
    finish_reason: str | None  # "stop", "length", "tool_calls", "abort"
    logprobs: Any


class _Answer(TypedDict):
    id: str
    created: int  # Unix seconds
    model: str


class ChatCompletion(_Answer):
    """The answer to chat_completion."""

    object: Literal["chat.completion"]
    choices: list[ChatChoice]
    usage: Usage


class FunctionCallDelta(TypedDict, total=False):
    name: str
    arguments: str


class ToolCallDelta(TypedDict, total=False):
    index: int
    id: str
    type: Literal["function"]
    function: FunctionCallDelta


class Delta(TypedDict, total=False):
    """What a chunk adds to the message."""

    role: Literal["assistant"]
    content: str | None
    reasoning: str | None
    tool_calls: list[ToolCallDelta]


class ChatChunkChoice(TypedDict):
    index: int
    delta: Delta
    finish_reason: str | None
    logprobs: Any


class _ChatChunk(_Answer):
    object: Literal["chat.completion.chunk"]
    choices: list[ChatChunkChoice]  # empty in the chunk that tells the usage


class ChatCompletionChunk(_ChatChunk, total=False):
    """A piece of a streamed chat completion. usage comes with stream_options={"include_usage": True}."""

    usage: Usage | None


class CompletionChoice(TypedDict):
    index: int
    text: str
    finish_reason: str | None
    logprobs: Any


class Completion(_Answer):
    """The answer to completion."""

    object: Literal["text_completion"]
    choices: list[CompletionChoice]
    usage: Usage


class _CompletionChunk(_Answer):
    object: Literal["text_completion"]
    choices: list[CompletionChoice]


class CompletionChunk(_CompletionChunk, total=False):
    """A piece of a streamed completion."""

    usage: Usage | None


Phase = Literal["pending", "starting", "ready", "unhealthy", "draining", "stopping", "stopped", "backoff", "failed"]


class _ModelCard(TypedDict):
    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    root: str
    phase: Phase


class ModelCard(_ModelCard, total=False):
    """A declared model in the list of models."""

    aliases: list[str]


class ModelList(TypedDict):
    """The answer to models."""

    object: Literal["list"]
    data: list[ModelCard]


class ModelCount(TypedDict):
    ready: int
    total: int


class Overview(TypedDict):
    """The answer to status: "degraded" when a model that should run is not ready."""

    status: Literal["ok", "degraded"]
    epoch: str
    revision: int
    models: ModelCount
    gateways: int


class Exit(TypedDict):
    """How a model server ended; signal is "" for an exit of its own."""

    code: int
    signal: str
    at: str  # RFC 3339


class _Instance(TypedDict):
    id: str
    url: str
    phase: Phase
    reason: str
    message: str
    since: str  # RFC 3339
    restarts: int


class Instance(_Instance, total=False):
    """One server of a model."""

    pid: int  # of a process that runs
    last_exit: Exit


class _ModelStatus(TypedDict):
    id: str
    served_name: str
    driver: Literal["process", "external", "docker", "kubernetes"]
    desired: Literal["running", "stopped"]
    phase: Phase
    reason: str
    message: str
    since: str  # RFC 3339
    restarts: int
    instances: list[Instance]


class ModelStatus(_ModelStatus, total=False):
    """The answer to model, start, stop and restart."""

    aliases: list[str]


class InstanceHealth(TypedDict):
    id: str
    url: str
    healthy: bool
    status: int  # of HTTP; 0 without an answer
    latency_ms: float
    error: str


class HealthCheck(TypedDict):
    """The answer to health_check: healthy when all servers of the model are."""

    model: str
    healthy: bool
    instances: list[InstanceHealth]


Prompt = Union[str, "list[str]", "list[int]", "list[list[int]]"]
"""What completion takes: a text, several, or tokens."""
