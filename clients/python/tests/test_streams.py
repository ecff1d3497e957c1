"""Streams that do not come to their end, because of the server or of the client."""

from __future__ import annotations

import os
import signal
from typing import Any, Callable

import httpx
import pytest
from rawserver import DONE, EVENTS, RawServer, chunk
from stack import LLM, SLOW, Stack, wait_until
from test_chat import HELLO
from twin import MakeClient

from fluidmcp import (
    APITimeoutError,
    FluidMCPClient,
    InvalidResponseError,
    StreamInterruptedError,
    StreamTimeoutError,
)

ENDLESS: Any = {"stream": True, "max_tokens": 1000, "ignore_eos": True}  # minutes, at the pace of SLOW
IMPATIENT = httpx.Timeout(60, read=0.2)


def test_a_killed_server(stack: Stack, client: FluidMCPClient) -> None:
    stream = client.chat_completion(SLOW, HELLO, **ENDLESS)
    chunks = [next(stream), next(stream)]
    before = stack.model(SLOW)
    os.kill(before["instances"][0]["pid"], signal.SIGKILL)
    with pytest.raises(StreamInterruptedError) as raised:
        chunks.extend(stream)
    error = raised.value
    assert error.received == len(chunks)
    assert error.code == "stream_interrupted"
    assert error.type == "upstream_error"
    assert error.body["error"]["code"] == "stream_interrupted"
    assert error.request_id == stream.request_id
    assert f"/llm/{SLOW}/chat/completions" in str(error)
    assert "ask again" in str(error)
    stack.wait_restarts(SLOW, before["restarts"] + 1)  # until then it may be told to be ready
    stack.wait_phase(SLOW, "ready")
    assert client.chat_completion(SLOW, HELLO, max_tokens=1)


def test_leaving_early_frees_the_slot(stack: Stack, client: FluidMCPClient) -> None:
    left = stack.metric("fluidmcp_streams_total", model=SLOW, outcome="client_closed")
    with client.chat_completion(SLOW, HELLO, **ENDLESS) as stream:
        next(stream)
        wait_until(lambda: stack.metric("fluidmcp_inflight_requests", model=SLOW) == 1, "it alone is in flight")
    wait_until(lambda: stack.metric("fluidmcp_inflight_requests", model=SLOW) == 0, "the slot is free")
    wait_until(
        lambda: stack.metric("fluidmcp_streams_total", model=SLOW, outcome="client_closed") == left + 1,
        "the gateway counts a client that left",
    )
    assert list(stream) == []  # closed, not broken
    stream.close()


def test_a_stream_that_nobody_holds_is_closed(stack: Stack, client: FluidMCPClient) -> None:
    for _ in client.chat_completion(SLOW, HELLO, **ENDLESS):
        break
    wait_until(lambda: stack.metric("fluidmcp_inflight_requests", model=SLOW) == 0, "the slot is free")


def test_a_stream_that_nobody_read_is_closed(stack: Stack, client: FluidMCPClient) -> None:
    stream = client.chat_completion(SLOW, HELLO, **ENDLESS)
    wait_until(lambda: stack.metric("fluidmcp_inflight_requests", model=SLOW) == 1, "it alone is in flight")
    del stream
    wait_until(lambda: stack.metric("fluidmcp_inflight_requests", model=SLOW) == 0, "the slot is free")


def test_connections_are_used_again(make_client: MakeClient) -> None:
    with RawServer(*[EVENTS + chunk("a") + DONE] * 3, keep_alive=True) as server:
        client = make_client(server.url)
        for _ in range(3):
            assert len(list(client.chat_completion("m", HELLO, stream=True))) == 1
    assert server.requests == 3
    assert server.connections == 1


@pytest.mark.parametrize(
    ("answer", "received", "says"),
    [
        pytest.param(chunk("a") + chunk("b"), 2, "without [DONE]", id="no done"),
        pytest.param(b"", 0, "without [DONE]", id="empty"),
        pytest.param(chunk("a") + b"data: {torn\n\n" + DONE, 1, "not JSON", id="no json"),
        pytest.param(chunk("a") + b"data: [1]\n\n" + DONE, 1, "[1]", id="no object"),
        pytest.param(chunk("a") + b'data: {"error": {"message": "Engine died.", "code": 500}}\n\n' + DONE, 1,
                     "500: Engine died", id="vLLM's own error"),
        pytest.param(b'event: error\ndata: {"message": "No room"}\n\n' + DONE, 0, "No room", id="error event"),
        pytest.param(b'data: {"error": "Plain words"}\n\n' + DONE, 0, "Plain words", id="error without envelope"),
    ],
)  # fmt: skip
def test_streams_that_are_not_whole(make_client: MakeClient, answer: bytes, received: int, says: str) -> None:
    with RawServer(EVENTS + answer) as server:
        stream = make_client(server.url).chat_completion("m", HELLO, stream=True)
        for _ in range(received):
            next(stream)
        with pytest.raises(StreamInterruptedError) as raised:
            next(stream)
    assert raised.value.received == received
    assert says in str(raised.value)
    assert server.requests == 1


def test_a_broken_transfer(make_client: MakeClient) -> None:
    head = EVENTS.replace(b"\r\n\r\n", b"\r\nContent-Length: 10000\r\n\r\n")
    with RawServer(head + chunk("a")) as server:
        stream = make_client(server.url).chat_completion("m", HELLO, stream=True)
        assert next(stream)
        with pytest.raises(StreamInterruptedError, match="connection broke") as raised:
            next(stream)
    assert raised.value.received == 1
    assert server.requests == 1


def test_a_transfer_that_breaks_after_done_is_whole(make_client: MakeClient) -> None:
    head = EVENTS.replace(b"\r\n\r\n", b"\r\nContent-Length: 10000\r\n\r\n")
    with RawServer(head + chunk("a") + DONE) as server:
        assert len(list(make_client(server.url).chat_completion("m", HELLO, stream=True))) == 1


def test_done_without_an_empty_line(make_client: MakeClient) -> None:
    with RawServer(EVENTS + chunk("a") + b"data: [DONE]") as server:
        assert len(list(make_client(server.url).chat_completion("m", HELLO, stream=True))) == 1


def test_silence_in_a_stream(make_client: MakeClient, read_when_answered: Callable[[RawServer], None]) -> None:
    with RawServer(EVENTS + chunk("a"), hold=True) as server:
        read_when_answered(server)
        client = make_client(server.url, timeout=IMPATIENT)
        stream = client.chat_completion("m", HELLO, stream=True)
        assert next(stream)
        with pytest.raises(StreamTimeoutError, match=r"nothing came for 0\.2 s") as raised:
            next(stream)
    assert isinstance(raised.value, TimeoutError)
    assert raised.value.received == 1


def test_silence_before_a_stream(make_client: MakeClient, read_when_answered: Callable[[RawServer], None]) -> None:
    with RawServer(b"", hold=True) as server:
        read_when_answered(server)
        with pytest.raises(APITimeoutError):
            make_client(server.url, timeout=IMPATIENT).chat_completion("m", HELLO, stream=True)
    assert server.requests == 1


def test_an_answer_that_is_no_stream(make_client: MakeClient) -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"
    with RawServer(page) as server, pytest.raises(InvalidResponseError, match="text/html"):
        make_client(server.url).chat_completion("m", HELLO, stream=True)


def test_a_refused_stream(client: FluidMCPClient, faults: Any) -> None:
    faults({"do": {"status": 500, "message": "Model error"}})
    with pytest.raises(Exception, match="Model error"):
        client.chat_completion(LLM, HELLO, stream=True)
