"""The client that blocks."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, TypeVar, cast, overload

import httpx

from fluidmcp import _answers, _requests, _retry
from fluidmcp._options import DEFAULT_TIMEOUT, ClientBase
from fluidmcp._requests import Request
from fluidmcp._stream import Stream
from fluidmcp.errors import FluidMCPError
from fluidmcp.types import (
    ChatCompletion,
    ChatCompletionChunk,
    Completion,
    CompletionChunk,
    HealthCheck,
    ModelList,
    ModelStatus,
    Overview,
    Prompt,
)

Self = TypeVar("Self", bound="FluidMCPClient")


class FluidMCPClient(ClientBase):
    """A client of a FluidMCP gateway. Threads may share it. Close it, or use it in a with statement.

    base_url is the address of the gateway, with or without /v1 at its end. api_key is sent as
    "Authorization: Bearer ...". timeout is an httpx.Timeout, or how many seconds of silence are too many (a connection
    is waited for 5 s at most). max_retries is how often a request is sent again where that is safe; 0 for never.

    Every method raises a FluidMCPError (see fluidmcp.errors) when there is no whole answer.
    """

    def __init__(
        self,
        base_url: str = "http://localhost:8099",
        api_key: str | None = None,
        *,
        timeout: float | httpx.Timeout = DEFAULT_TIMEOUT,
        max_retries: int = 2,
    ) -> None:
        super().__init__(base_url, api_key, timeout, max_retries)
        self._http = httpx.Client(**self._http_options)

    @overload
    def chat_completion(
        self, model_id: str, messages: Sequence[Mapping[str, Any]], *, stream: Literal[False] = False, **kwargs: Any
    ) -> ChatCompletion: ...
    @overload
    def chat_completion(
        self, model_id: str, messages: Sequence[Mapping[str, Any]], *, stream: Literal[True], **kwargs: Any
    ) -> Stream[ChatCompletionChunk]: ...
    @overload
    def chat_completion(
        self, model_id: str, messages: Sequence[Mapping[str, Any]], *, stream: bool, **kwargs: Any
    ) -> ChatCompletion | Stream[ChatCompletionChunk]: ...
    def chat_completion(
        self, model_id: str, messages: Sequence[Mapping[str, Any]], *, stream: bool = False, **kwargs: Any
    ) -> ChatCompletion | Stream[ChatCompletionChunk]:
        """Let a model answer messages. kwargs are further fields of the request, such as max_tokens. timeout alone is
        not sent: it takes the place of the client's for this call.

        With stream=True the chunks of the answer come as the model makes them.
        """
        request = _requests.chat_completion(model_id, messages, stream, kwargs)
        if stream:
            return cast("Stream[ChatCompletionChunk]", self._stream(request))
        return cast(ChatCompletion, self._json(request))

    @overload
    def completion(
        self, model_id: str, prompt: Prompt, *, stream: Literal[False] = False, **kwargs: Any
    ) -> Completion: ...
    @overload
    def completion(
        self, model_id: str, prompt: Prompt, *, stream: Literal[True], **kwargs: Any
    ) -> Stream[CompletionChunk]: ...
    @overload
    def completion(
        self, model_id: str, prompt: Prompt, *, stream: bool, **kwargs: Any
    ) -> Completion | Stream[CompletionChunk]: ...
    def completion(
        self, model_id: str, prompt: Prompt, *, stream: bool = False, **kwargs: Any
    ) -> Completion | Stream[CompletionChunk]:
        """Let a model go on with a text. kwargs and stream are as in chat_completion."""
        request = _requests.completion(model_id, prompt, stream, kwargs)
        if stream:
            return cast("Stream[CompletionChunk]", self._stream(request))
        return cast(Completion, self._json(request))

    def models(self) -> ModelList:
        """List the declared models, each with its phase."""
        return cast(ModelList, self._json(_requests.models()))

    def status(self) -> Overview:
        """Tell how many models are ready."""
        return cast(Overview, self._json(_requests.status()))

    def model(self, model_id: str) -> ModelStatus:
        """Tell all about a model: its phase, why it is in it, its servers."""
        return cast(ModelStatus, self._json(_requests.model(model_id)))

    def start(self, model_id: str) -> ModelStatus:
        """Start a model that is stopped or has failed. Returns at once; model() shows how it goes on."""
        return cast(ModelStatus, self._json(_requests.command(model_id, "start")))

    def stop(self, model_id: str) -> ModelStatus:
        """Stop a model once its requests are done. Returns at once; model() shows how it goes on."""
        return cast(ModelStatus, self._json(_requests.command(model_id, "stop")))

    def restart(self, model_id: str, *, force: bool = False) -> ModelStatus:
        """Start the servers of a model anew, one after the other, each once its requests are done.

        Returns at once; model() shows how it goes on. Where nothing would answer meanwhile it raises a ConflictError,
        unless force says to restart all servers at the same time.
        """
        return cast(ModelStatus, self._json(_requests.command(model_id, "restart", force=force)))

    def health_check(self, model_id: str) -> HealthCheck:
        """Ask the servers of a model now whether they are well."""
        return cast(HealthCheck, self._json(_requests.health_check(model_id)))

    def logs(self, model_id: str, lines: int = 100) -> str:
        """Return the last lines that the servers of a model have printed."""
        return self._read(_requests.logs(model_id, lines)).text

    def close(self) -> None:
        """Close the connections. Streams that are open break."""
        self._http.close()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _json(self, request: Request) -> Any:
        return _answers.json_of(self._read(request))

    def _read(self, request: Request) -> httpx.Response:
        """Return a successful answer with its body."""
        return self._body(self._send(request))

    def _stream(self, request: Request) -> Stream[Any]:
        response = self._send(request)
        try:
            _answers.check_stream(response)
        except FluidMCPError:
            response.close()
            raise
        return Stream(response)

    def _send(self, request: Request) -> httpx.Response:
        """Return a successful answer whose body has not been read. Sends the request again where that is safe."""
        for attempt in itertools.count():
            try:
                return self._send_once(request)
            except FluidMCPError as error:
                wait = _retry.delay(request, error, attempt, self.max_retries)
                if wait is None:
                    raise
            time.sleep(wait)
        raise AssertionError("unreachable")

    def _send_once(self, request: Request) -> httpx.Response:
        built = self._http.build_request(**self._arguments(request))
        with _answers.connection_errors(built):
            response = self._http.send(built, stream=True)
        if response.is_success:
            return response
        raise _answers.error_of(self._body(response))

    def _body(self, response: httpx.Response) -> httpx.Response:
        """Read the body of an answer, then let go of the connection."""
        try:
            with _answers.connection_errors(response.request):
                response.read()
        finally:
            response.close()
        return response
