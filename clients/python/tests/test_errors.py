from __future__ import annotations

import contextlib
import json
import logging
import pickle
import socket
from typing import Any

import httpx
import pytest
from rawserver import EVENTS, RawServer, answer
from stack import LLM, SPARE, Stack, refusing, wait_until
from test_chat import HELLO
from twin import MakeClient

import fluidmcp
from fluidmcp import FluidMCPClient

KEY = "sk-secret-4711"


def test_an_unknown_model(stack: Stack, client: FluidMCPClient) -> None:
    with pytest.raises(fluidmcp.NotFoundError) as raised:
        client.chat_completion("nobody", HELLO)
    error = raised.value
    assert (error.status, error.code, error.type, error.param) == (404, "model_not_found", "not_found_error", "model")
    assert LLM in error.message  # it names the models that exist
    assert error.request_id
    assert error.body["error"]["message"] == error.message
    assert f"POST {stack.gateway}/llm/nobody/chat/completions: 404 model_not_found" in str(error)
    assert error.request_id in str(error)


def test_a_bad_request(client: FluidMCPClient) -> None:
    with pytest.raises(fluidmcp.BadRequestError) as raised:
        client.chat_completion(LLM, HELLO, max_tokens=-1)
    assert raised.value.status == 400
    assert raised.value.message  # vLLM's own words


def test_a_rate_limit(client: FluidMCPClient, faults: Any) -> None:
    faults({"do": {"rate_limit": {"requests": 1, "window": "60s"}}})
    client.chat_completion(LLM, HELLO)
    with pytest.raises(fluidmcp.RateLimitError) as raised:
        client.chat_completion(LLM, HELLO)
    assert raised.value.retry_after is not None
    assert 0 < raised.value.retry_after <= 60


def test_a_failing_model(client: FluidMCPClient, faults: Any) -> None:
    faults({"do": {"status": 500, "message": "Model error"}})
    with pytest.raises(fluidmcp.InternalServerError, match="Model error") as raised:
        client.chat_completion(LLM, HELLO)
    assert raised.value.status == 500


def test_a_stopped_model(stack: Stack, client: FluidMCPClient) -> None:
    client.stop(SPARE)
    stack.wait_phase(SPARE, "stopped")
    with pytest.raises(fluidmcp.InternalServerError) as raised:
        client.chat_completion(SPARE, HELLO)
    assert (raised.value.status, raised.value.code) == (503, "model_stopped")
    assert raised.value.retry_after is not None
    client.start(SPARE)
    stack.wait_phase(SPARE, "ready")
    assert client.chat_completion(SPARE, HELLO)


def connected(client: FluidMCPClient) -> FluidMCPClient:
    """Return the client once it has a connection, so that it spends its timeout on the answer alone."""

    def asked() -> bool:
        with contextlib.suppress(fluidmcp.APITimeoutError):
            client.status()
            return True
        return False

    wait_until(asked, "a status is read")
    return client


def test_a_slow_answer(make_client: MakeClient, stack: Stack, faults: Any) -> None:
    faults({"do": {"delay": "60s"}})
    client = connected(make_client(stack.gateway, timeout=0.3))
    with pytest.raises(fluidmcp.APITimeoutError, match=r"no answer within 0\.3 s") as raised:
        client.chat_completion(LLM, HELLO)
    assert isinstance(raised.value, TimeoutError)
    assert raised.value.sent


def test_a_timeout_for_one_call(client: FluidMCPClient, faults: Any) -> None:
    faults({"do": {"delay": "60s"}})
    for stream in (False, True):
        with pytest.raises(fluidmcp.APITimeoutError, match=r"no answer within 0\.3 s"):
            connected(client).chat_completion(LLM, HELLO, stream=stream, timeout=0.3)
    with pytest.raises(fluidmcp.APITimeoutError, match=r"no answer within 0\.2 s"):
        connected(client).completion(LLM, "Hello", timeout=httpx.Timeout(0.2))
    with pytest.raises(ValueError, match="timeout"):
        client.completion(LLM, "Hello", timeout=0)


def test_a_timeout_is_not_sent(make_client: MakeClient) -> None:
    with RawServer(answer("200 OK", "{}"), keep_alive=True) as server:
        client = make_client(server.url)
        client.chat_completion("m", HELLO)
        client.chat_completion("m", HELLO, timeout=60)
    lengths = {line for head in server.heads for line in head.splitlines() if line.startswith("Content-Length")}
    assert len(lengths) == 1  # of bodies that are the same


def test_a_server_that_does_not_take_the_request(make_client: MakeClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = make_client(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=httpx.Timeout(None, write=0.3))
        with pytest.raises(fluidmcp.APITimeoutError, match=r"nothing more of the request was taken for 0\.3 s"):
            client.completion("m", "x" * 32_000_000)  # more than the system takes for the server


def test_nobody_listens(make_client: MakeClient) -> None:
    with refusing() as url, pytest.raises(fluidmcp.APIConnectionError, match="fluidmcp run") as raised:
        make_client(url, max_retries=0).status()
    assert isinstance(raised.value, ConnectionError)
    assert not isinstance(raised.value, TimeoutError)
    assert not raised.value.sent
    assert url in str(raised.value)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, fluidmcp.APIError),
        (401, fluidmcp.AuthenticationError),
        (403, fluidmcp.PermissionDeniedError),
        (409, fluidmcp.ConflictError),
        (418, fluidmcp.APIError),
        (502, fluidmcp.InternalServerError),
    ],
)
def test_classes_by_status(make_client: MakeClient, status: int, kind: type[fluidmcp.APIError]) -> None:
    reply = answer(f"{status} Nope", '{"error": {"message": "why"}}', "Location: /elsewhere")
    with RawServer(reply) as server, pytest.raises(kind, match="why") as raised:
        make_client(server.url).status()
    assert type(raised.value) is kind
    assert raised.value.status == status
    assert ("/elsewhere" in str(raised.value)) == (status == 302)
    assert ("api_key" in str(raised.value)) == (status == 401)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"error": {"message": "m", "type": "t", "code": 404, "param": null}}', "m"),
        ('{"error": "plain"}', "plain"),
        ('{"detail": "Not Found"}', "Not Found"),
        ('{"other": 1}', '{"other": 1}'),
        ('{"error": {}}', "Nope"),
        ("[1]", "[1]"),
        ("", "Nope"),
        ("<html>\n <b>Bad\tGateway</b>", "<html> <b>Bad Gateway</b>"),
        ("x" * 5000, "x" * 200),
    ],
)
def test_bodies_of_errors(make_client: MakeClient, body: str, message: str) -> None:
    with RawServer(answer("404 Nope", body)) as server, pytest.raises(fluidmcp.NotFoundError) as raised:
        make_client(server.url).status()
    assert raised.value.message == message
    assert f": 404: {message}" in str(raised.value)


@pytest.mark.parametrize("body", ["", "<html>", "[]", '"text"', '{"torn": '])
def test_a_success_that_cannot_be_read(make_client: MakeClient, body: str) -> None:
    with RawServer(answer("200 OK", body)) as server, pytest.raises(fluidmcp.InvalidResponseError) as raised:
        make_client(server.url).chat_completion("m", HELLO)
    assert "base_url" in str(raised.value)
    assert raised.value.body == body


def test_a_torn_answer(make_client: MakeClient) -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"
    with RawServer(reply) as server, pytest.raises(fluidmcp.APIConnectionError, match="broke before") as raised:
        make_client(server.url).chat_completion("m", HELLO)
    assert raised.value.sent
    assert server.requests == 1


def test_the_key_is_sent_and_never_shown(make_client: MakeClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with RawServer(answer("503 No", "{}", "Retry-After: 0"), answer("401 No", '{"error": {"message": "m"}}')) as server:
        client = make_client(server.url, KEY)
        with pytest.raises(fluidmcp.AuthenticationError) as raised:
            client.chat_completion("m", HELLO)
    assert all(f"Authorization: Bearer {KEY}" in head for head in server.heads)
    assert server.requests == 2
    for shown in (repr(client), str(raised.value), repr(raised.value), repr(vars(raised.value)), caplog.text):
        assert KEY not in shown
    assert "again" in caplog.text


def test_a_key_that_the_server_repeats(make_client: MakeClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = json.dumps({"error": {"message": f"Wrong: Bearer {KEY}."}})
    event = EVENTS + f"data: {said}\n\n".encode()
    with RawServer(answer("503 No", said, "Retry-After: 0"), answer("401 No", said), event) as server:
        client = make_client(server.url, KEY)
        with pytest.raises(fluidmcp.AuthenticationError, match=r"Wrong: Bearer \*\*\*\.") as refused:
            client.chat_completion("m", HELLO)
        with pytest.raises(fluidmcp.StreamInterruptedError, match=r"Wrong: Bearer \*\*\*\.") as broken:
            list(client.chat_completion("m", HELLO, stream=True))
    for shown in (str(refused.value), refused.value.message, str(broken.value), caplog.text):
        assert KEY not in shown


@pytest.mark.parametrize("key", [f"{KEY}\n", f" {KEY}", f"{KEY}é", f"{KEY}\0"])
def test_keys_that_cannot_be_sent(make_client: MakeClient, key: str) -> None:
    with pytest.raises(ValueError, match="api_key") as raised:
        make_client(api_key=key)
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    ["", "localhost:8099", "ftp://localhost", "http://", "http://h?x=1", "http://h/#f", "http://h:port",
     f"http://user:{KEY}@localhost"],
)  # fmt: skip
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ValueError, match="base_url") as raised:
        FluidMCPClient(url)
    assert KEY not in str(raised.value)


def test_arguments() -> None:
    with pytest.raises(ValueError, match="max_retries"):
        FluidMCPClient(max_retries=-1)
    for timeout in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="timeout"):
            FluidMCPClient(timeout=timeout)
    FluidMCPClient(api_key="", timeout=httpx.Timeout(None)).close()
    assert repr(FluidMCPClient("https://h/prefix/", KEY)) == "FluidMCPClient('https://h/prefix')"


@pytest.mark.parametrize("path", ["/prefix", "/prefix/", "/prefix/v1", "/prefix/v1/"])
def test_a_base_url_with_a_path(make_client: MakeClient, path: str) -> None:
    with RawServer(answer("200 OK", "{}")) as server:
        make_client(server.url + path).chat_completion("acme/ä b%?", HELLO)
    assert server.heads[0].startswith("POST /prefix/llm/acme%2F%C3%A4%20b%25%3F/chat/completions HTTP/1.1\r\n")


def test_errors_can_be_pickled(make_client: MakeClient) -> None:
    with (
        RawServer(answer("429 No", json.dumps({"error": {"message": "m", "code": "c"}}), "Retry-After: 100")) as server,
        pytest.raises(fluidmcp.RateLimitError) as raised,
    ):
        make_client(server.url).chat_completion("m", HELLO)
    for error in (
        raised.value,
        fluidmcp.APITimeoutError("t", sent=False),
        fluidmcp.StreamTimeoutError("s", received=3),
    ):
        copy = pickle.loads(pickle.dumps(error))
        assert type(copy) is type(error)
        assert str(copy) == str(error)
        assert vars(copy) == vars(error)
