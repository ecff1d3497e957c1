"""Talks to a FluidMCP gateway through the official OpenAI package, as an application would.

usage: sdk.py GATEWAY MODEL LIMITED DOOMED

MODEL answers; LIMITED lets one request through and refuses the next; DOOMED streams slowly, and whoever runs this
script kills its server once the word "kill" appears on the output.
"""

import sys

import openai

gateway, model, limited, doomed = sys.argv[1:]
client = openai.OpenAI(base_url=gateway + "/v1", api_key="unused", max_retries=0)
hello = [{"role": "user", "content": "Hello, how are you?"}]
expected = "Mock response to: Hello, how are you?..."

answer = client.chat.completions.create(model=model, messages=hello)
assert answer.choices[0].message.content == expected, answer
assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens, answer

stream = client.chat.completions.create(model=model, messages=hello, stream=True)
assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == expected

ids = [m.id for m in client.models.list()]
assert model in ids, ids

try:
    client.chat.completions.create(model="nobody", messages=hello)
    sys.exit("an unknown model was accepted")
except openai.NotFoundError as error:
    assert error.code == "model_not_found", error

client.chat.completions.create(model=limited, messages=hello)
try:
    client.chat.completions.create(model=limited, messages=hello)
    sys.exit("the rate limit was not seen")
except openai.RateLimitError:
    pass

try:
    stream = client.chat.completions.create(model=doomed, messages=hello, stream=True)
    told = False
    for chunk in stream:
        if not told and chunk.choices[0].delta.content:
            told = True
            print("kill", flush=True)
    sys.exit("a cut stream looked complete")
except openai.APIError as error:
    assert "stream_interrupted" == error.code, error
