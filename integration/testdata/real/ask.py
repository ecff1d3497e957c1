"""Asks a chat and a streamed chat with OpenAI's SDK, which vLLM brings along, and prints how both ended."""

import sys

import openai

client = openai.OpenAI(base_url=sys.argv[1], api_key="unused", max_retries=0)
messages = [{"role": "user", "content": "Say something."}]

whole = client.chat.completions.create(model="tiny", messages=messages, max_tokens=8, extra_body={"ignore_eos": True})
print("chat:", whole.choices[0].finish_reason, whole.usage.completion_tokens)

stream = client.chat.completions.create(
    model="tiny", messages=messages, max_tokens=8, stream=True, stream_options={"include_usage": True}, extra_body={"ignore_eos": True}
)
chunks = list(stream)
print("stream:", [c.choices[0].finish_reason for c in chunks if c.choices][-1], chunks[-1].usage.completion_tokens)
