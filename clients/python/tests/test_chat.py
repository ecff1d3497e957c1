from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from stack import LLM, SLASHED, Stack

from fluidmcp import FluidMCPClient

HELLO = [{"role": "user", "content": "Hello"}]
ANSWER = "Mock response to: Hello..."


def test_the_guides_usage(stack: Stack) -> None:
    client = FluidMCPClient(stack.gateway)
    result = client.chat_completion("mock-llm", [{"role": "user", "content": "Hello"}])
    client.close()
    assert type(result) is dict
    assert result["choices"][0]["message"]["content"] == ANSWER
    assert FluidMCPClient().base_url == "http://localhost:8099"


@pytest.mark.parametrize("model", [LLM, SLASHED])
def test_chat(client: FluidMCPClient, model: str) -> None:
    answer = client.chat_completion(model, HELLO, max_tokens=3, temperature=0)
    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["finish_reason"] == "length"  # so the fields have been sent
    assert answer["usage"]["completion_tokens"] == 3


@pytest.mark.parametrize("model", [LLM, SLASHED])
def test_chat_stream(client: FluidMCPClient, model: str) -> None:
    with client.chat_completion(model, HELLO, stream=True, stream_options={"include_usage": True}) as stream:
        assert stream.request_id
        chunks = list(stream)
    assert "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c["choices"]) == ANSWER
    usage = chunks[-1]["usage"]
    assert usage is not None
    assert usage["completion_tokens"] > 1
    assert list(stream) == []


def test_completion(client: FluidMCPClient) -> None:
    whole = client.completion(LLM, "Hello", max_tokens=100)
    assert whole["object"] == "text_completion"
    with client.completion(LLM, "Hello", max_tokens=100, stream=True) as stream:
        assert "".join(chunk["choices"][0]["text"] for chunk in stream) == whole["choices"][0]["text"] == ANSWER


def test_unicode(client: FluidMCPClient) -> None:
    text = "Zürich \u2028 \u0085 日本語 🙂"  # str.splitlines would split at the second and third
    messages = [{"role": "user", "content": text}]
    assert client.chat_completion(LLM, messages)["choices"][0]["message"]["content"] == f"Mock response to: {text}..."
    chunks = list(client.chat_completion(LLM, messages, stream=True))
    assert "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks) == f"Mock response to: {text}..."


def test_many_at_once(client: FluidMCPClient, faults: Any) -> None:
    faults({"do": {"delay": "300ms"}})  # so that they meet

    def ask(n: int) -> bool:
        messages = [{"role": "user", "content": f"Request {n}"}]
        if n % 2:
            answer = client.chat_completion(LLM, messages)["choices"][0]["message"]["content"]
        else:
            with client.chat_completion(LLM, messages, stream=True) as stream:
                answer = "".join(c["choices"][0]["delta"].get("content") or "" for c in stream)
        return answer == f"Mock response to: Request {n}..."

    with ThreadPoolExecutor(120) as pool:
        assert all(pool.map(ask, range(120)))


@pytest.mark.parametrize("model", ["", ".", ".."])
def test_ids_that_would_lead_elsewhere(client: FluidMCPClient, model: str) -> None:
    with pytest.raises(ValueError, match="model_id"):
        client.chat_completion(model, HELLO)
