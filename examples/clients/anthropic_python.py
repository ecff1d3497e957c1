"""Anthropic's package for Python, pointed at FluidMCP: messages, stream, tools and errors.

usage: python anthropic_python.py [BASE_URL]
"""

import json
import sys

import anthropic

BASE_URL = sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8099"
MODEL, SLOW, LIMITED = "mock-llm", "mock-gpt", "mock-llama"  # see models.json

# The package wants some key. Retries are its own business; without them the errors below show at once.
client = anthropic.Anthropic(base_url=BASE_URL, api_key="unused", max_retries=0)


def ask(text):
    return [{"role": "user", "content": text}]


def chat():
    message = client.messages.create(
        model=MODEL, max_tokens=100, system="Be brief.", messages=ask("Hello, how are you?")
    )
    print("chat:", message.content[0].text)
    print("tokens:", message.usage.input_tokens, "read,", message.usage.output_tokens, "written")


def stream():
    print("stream: ", end="")
    with client.messages.stream(model=MODEL, max_tokens=100, messages=ask("Hello, how are you?")) as events:
        for text in events.text_stream:
            print(text, end="", flush=True)
    print()


def get_weather(city):
    return {"city": city, "sky": "clear"}


def tools():
    weather = {
        "name": "get_weather",
        "description": "The weather in a city",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
    messages = ask("What is the weather in Paris?")
    while True:
        message = client.messages.create(model=MODEL, max_tokens=100, messages=messages, tools=[weather])
        if message.stop_reason != "tool_use":
            print("answer:", message.content[0].text)
            return
        messages.append({"role": "assistant", "content": message.content})
        results = []
        for block in message.content:
            if block.type == "tool_use":
                print(f"call: {block.name}({json.dumps(block.input)})")
                result = json.dumps(get_weather(**block.input))
                results.append({"type": "tool_result", "tool_use_id": block.id, "content": result})
        messages.append({"role": "user", "content": results})


def errors():
    try:
        client.messages.create(model="nobody", max_tokens=100, messages=ask("Hello"))
    except anthropic.NotFoundError as error:
        print("unknown model:", error.error_code)
    try:
        client.messages.create(model=MODEL, max_tokens=100, messages=[])
    except anthropic.BadRequestError as error:
        print("bad request:", error.api_message)
    try:
        for _ in range(3):
            client.messages.create(model=LIMITED, max_tokens=100, messages=ask("Hello"))
    except anthropic.RateLimitError as error:
        print("rate limit: wait", error.response.headers["retry-after"], "s")


def interruption():
    """A stream whose server dies raises. It never looks like a short answer."""
    try:
        with client.messages.stream(model=SLOW, max_tokens=100, messages=ask("Hello, how are you?")) as events:
            for n, _ in enumerate(events.text_stream):
                if n == 0:
                    print("slow stream: it runs, kill the server of", SLOW, "to see it break", flush=True)
        print("slow stream: complete")
    except anthropic.APIStatusError as error:
        print("slow stream:", error.error_code)


for step in chat, stream, tools, errors, interruption:
    step()
