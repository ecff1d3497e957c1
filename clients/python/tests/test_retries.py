"""How often a request is sent, as those who get it count."""

from __future__ import annotations

import contextlib
import logging
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any, Callable

import httpx
import pytest
from rawserver import DONE, EVENTS, RawServer, answer, chunk
from stack import LLM, Stack, refusing, wait_until
from test_chat import ANSWER, HELLO
from twin import MakeClient

from fluidmcp import APIConnectionError, APIError, FluidMCPClient, FluidMCPError, RateLimitError

OK = answer("200 OK", "{}")
DROPPED = b""  # the connection ends without an answer

Use = Callable[[FluidMCPClient], Any]


def chat(client: FluidMCPClient) -> Any:
    return client.chat_completion("m", HELLO)


def stream(client: FluidMCPClient) -> Any:
    return list(client.chat_completion("m", HELLO, stream=True))


def status(client: FluidMCPClient) -> Any:
    return client.status()


def stop(client: FluidMCPClient) -> Any:
    return client.stop("m")


def refusal(status: str, *headers: str) -> bytes:
    return answer(status, '{"error": {"message": "Not now."}}', *headers)


BUSY, LOADING = refusal("429 Busy", "Retry-After: 0"), refusal("503 Loading", "Retry-After: 0")


@pytest.mark.parametrize("refused", [BUSY, LOADING])
@pytest.mark.parametrize(("use", "success"), [(chat, OK), (status, OK), (stream, EVENTS + chunk("a") + DONE)])
def test_refused_requests_are_sent_again(make_client: MakeClient, refused: bytes, use: Use, success: bytes) -> None:
    with RawServer(refused, refused, success) as server:
        assert use(make_client(server.url)) is not None
    assert server.requests == 3


@pytest.mark.parametrize("max_retries", [0, 1, 2])
def test_the_limit(make_client: MakeClient, max_retries: int) -> None:
    with RawServer(BUSY) as server, pytest.raises(RateLimitError, match="Not now"):
        chat(make_client(server.url, max_retries=max_retries))
    assert server.requests == 1 + max_retries


def in_seconds(seconds: int) -> str:
    return format_datetime(datetime.now(timezone.utc) + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("use", "reply"),
    [
        pytest.param(chat, DROPPED, id="a chat may have run"),
        pytest.param(stream, DROPPED, id="a stream may have run"),
        pytest.param(stop, DROPPED, id="a command may have run"),
        pytest.param(stop, LOADING, id="a command may have run before its 503"),
        pytest.param(chat, refusal("429 Busy"), id="no Retry-After"),
        pytest.param(chat, refusal("429 Busy", "Retry-After: soon"), id="unknown Retry-After"),
        pytest.param(chat, refusal("429 Busy", "Retry-After: 61"), id="too long"),
        pytest.param(chat, refusal("503 No", f"Retry-After: {in_seconds(3600)}"), id="a date too far"),
        pytest.param(chat, refusal("500 No", "Retry-After: 0"), id="500"),
        pytest.param(chat, refusal("502 No", "Retry-After: 0"), id="502"),
        pytest.param(chat, refusal("504 No", "Retry-After: 0"), id="504"),
        pytest.param(stream, EVENTS + chunk("a"), id="a stream has begun"),
        pytest.param(status, refusal("500 No"), id="a failed read"),
    ],
)
def test_what_is_sent_once(make_client: MakeClient, use: Use, reply: bytes) -> None:
    with RawServer(reply) as server, pytest.raises(FluidMCPError):
        use(make_client(server.url))
    assert server.requests == 1


def test_a_date_in_the_past_means_now(make_client: MakeClient) -> None:
    with RawServer(refusal("503 No", f"Retry-After: {in_seconds(-5)}"), OK) as server:
        chat(make_client(server.url))
    assert server.requests == 2


def test_reads_survive_a_broken_connection(make_client: MakeClient) -> None:
    with RawServer(DROPPED, OK) as server:
        status(make_client(server.url))
    assert server.requests == 2


@pytest.mark.parametrize("use", [chat, status, stop])
def test_timeouts_are_not_repeated(
    make_client: MakeClient, read_when_answered: Callable[[RawServer], None], use: Use
) -> None:
    with RawServer(b"", hold=True) as server:
        read_when_answered(server)
        with pytest.raises(TimeoutError):
            use(make_client(server.url, timeout=httpx.Timeout(60, read=0.2)))
    assert server.requests == 1


class Watch(logging.Handler):
    """Counts the attempts that the client announces, and does something at the first."""

    def __init__(self, at_first: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self.count = 0
        self._at_first = at_first

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1
        if self.count == 1:
            self._at_first()


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Callable[[Watch], Watch]:
    def install(handler: Watch) -> Watch:
        log = logging.getLogger("fluidmcp")
        monkeypatch.setattr(log, "level", logging.DEBUG)
        monkeypatch.setattr(log, "handlers", [handler])
        log.manager._clear_cache()  # type: ignore[attr-defined]
        return handler

    return install


@pytest.mark.parametrize("use", [chat, stop])
def test_nobody_listens_yet(make_client: MakeClient, watch: Callable[[Watch], Watch], use: Use) -> None:
    server = RawServer(OK)
    with contextlib.ExitStack() as opened:
        attempts = watch(Watch(lambda: opened.enter_context(server)))
        use(make_client(server.url))
    assert server.requests == 1
    assert attempts.count == 1


@pytest.mark.parametrize("max_retries", [0, 2])
def test_nobody_ever_listens(make_client: MakeClient, watch: Callable[[Watch], Watch], max_retries: int) -> None:
    attempts = watch(Watch())
    with refusing() as url, pytest.raises(APIConnectionError):
        chat(make_client(url, max_retries=max_retries))
    assert attempts.count == max_retries


def test_against_the_mocks_rate_limit(make_client: MakeClient, stack: Stack, faults: Any) -> None:
    def refused() -> float:
        return stack.metric("fluidmcp_requests_total", model=LLM, code="429")

    client, before = make_client(stack.gateway), refused()

    def refused_and_answered() -> bool:
        answered = client.chat_completion(LLM, HELLO)["choices"][0]["message"]["content"] == ANSWER
        return answered and refused() > before

    faults({"do": {"rate_limit": {"requests": 1, "window": "1s"}}})
    wait_until(refused_and_answered, "a request is refused first, and answered all the same")
    faults({"do": {"rate_limit": {"requests": 1, "window": "60s"}}})
    before = refused()
    impatient = make_client(stack.gateway, max_retries=0)
    impatient.chat_completion(LLM, HELLO)
    with pytest.raises(APIError):
        impatient.chat_completion(LLM, HELLO)
    wait_until(lambda: refused() == before + 1, "the gateway counts one refusal")
