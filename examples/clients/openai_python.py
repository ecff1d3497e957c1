"""OpenAI's package for Python, pointed at FluidMCP: chat, stream, tools and errors.

usage: python openai_python.py [BASE_URL]
"""

import json
import sys

import openai

BASE_URL = sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8099"
MODEL, SLOW, LIMITED = "mock-llm", "mock-gpt", "mock-llama"  # see models.json

# The package wants some key. Retries are its own business; without them the errors below show at once.
client = openai.OpenAI(base_url=f"{BASE_URL}/v1", api_key="unused", max_retries=0)


def ask(text):
    return [{"role": "user", "content": text}]


def chat():
    answer = client.chat.completions.create(model=MODEL, messages=ask("Hello, how are you?"))
    print("chat:", answer.choices[0].message.content)
    print("tokens:", answer.usage.prompt_tokens, "read,", answer.usage.completion_tokens, "written")


def stream():
    chunks = client.chat.completions.create(model=MODEL, messages=ask("Hello, how are you?"), stream=True)
    print("stream: ", end="")
    for chunk in chunks:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
    print()


def get_weather(city):
    return {"city": city, "sky": "clear"}


def tools():
    weather = {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather in a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
    messages = ask("What is the weather in Paris?")
    while True:
        message = client.chat.completions.create(model=MODEL, messages=messages, tools=[weather]).choices[0].message
        if not message.tool_calls:
            print("answer:", message.content)
            return
        messages.append(message)
        for call in message.tool_calls:
            print(f"call: {call.function.name}({call.function.arguments})")
            result = get_weather(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": json.dumps(result)})


def errors():
    try:
        client.chat.completions.create(model="nobody", messages=ask("Hello"))
    except openai.NotFoundError as error:
        print("unknown model:", error.code)
    try:
        client.chat.completions.create(model=MODEL, messages=ask("Hello"), temperature=9)
    except openai.BadRequestError as error:
        print("bad request:", error.body["message"])
    try:
        for _ in range(3):
            client.chat.completions.create(model=LIMITED, messages=ask("Hello"))
    except openai.RateLimitError as error:
        print("rate limit: wait", error.response.headers["retry-after"], "s")


def interruption():
    """A stream whose server dies raises. It never looks like a short answer."""
    chunks = client.chat.completions.create(model=SLOW, messages=ask("Hello, how are you?"), stream=True)
    try:
        for n, chunk in enumerate(chunks):
            if n == 1:
                print("slow stream: it runs, kill the server of", SLOW, "to see it break", flush=True)
        print("slow stream: complete")
    except openai.APIError as error:
        print("slow stream:", error.code)


for step in chat, stream, tools, errors, interruption:
    step()
