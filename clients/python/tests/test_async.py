"""What only the asynchronous client has: tasks and their cancellation."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from stack import LLM, SLOW, Stack, wait_until
from test_chat import ANSWER, HELLO

from fluidmcp import AsyncFluidMCPClient, FluidMCPError


def inflight(stack: Stack) -> float:
    return stack.metric("fluidmcp_inflight_requests", model=SLOW)


def test_as_it_is_written(stack: Stack) -> None:
    async def main() -> str:
        async with AsyncFluidMCPClient(stack.gateway) as client:
            answer = await client.chat_completion(LLM, HELLO)
            text = ""
            async with await client.chat_completion(LLM, HELLO, stream=True) as stream:
                async for chunk in stream:
                    text += chunk["choices"][0]["delta"].get("content") or ""
            assert text == answer["choices"][0]["message"]["content"]
            return text

    assert asyncio.run(main()) == ANSWER


@pytest.mark.parametrize("streamed", [False, True])
def test_a_cancelled_task_frees_the_slot(stack: Stack, streamed: bool) -> None:
    async def ask(client: AsyncFluidMCPClient) -> None:
        options: Any = {"max_tokens": 1000, "ignore_eos": True}
        if not streamed:
            await client.chat_completion(SLOW, HELLO, **options)
            return
        async with await client.chat_completion(SLOW, HELLO, stream=True, **options) as stream:
            async for _ in stream:
                pass

    async def main() -> None:
        async with AsyncFluidMCPClient(stack.gateway) as client:
            task = asyncio.create_task(ask(client))
            await asyncio.to_thread(wait_until, lambda: inflight(stack) == 1, "the request runs")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.to_thread(wait_until, lambda: inflight(stack) == 0, "the slot is free")

    asyncio.run(main())


def test_a_stream_that_nobody_holds_is_closed(stack: Stack) -> None:
    async def main() -> None:
        async with AsyncFluidMCPClient(stack.gateway) as client:
            async for _ in await client.chat_completion(SLOW, HELLO, stream=True, max_tokens=1000, ignore_eos=True):
                break
            gc.collect()
            await asyncio.to_thread(wait_until, lambda: inflight(stack) == 0, "the slot is free")

    asyncio.run(main())


def test_gather(stack: Stack) -> None:
    async def main() -> None:
        async with AsyncFluidMCPClient(stack.gateway) as client:
            models = [LLM, "nobody"] * 20
            asked = [client.chat_completion(model, HELLO) for model in models]
            for model, result in zip(models, await asyncio.gather(*asked, return_exceptions=True)):
                assert isinstance(result, FluidMCPError) == (model == "nobody")

    asyncio.run(main())
