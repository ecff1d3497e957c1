// OpenAI's package for JavaScript, pointed at FluidMCP: chat, stream, tools and errors.
//
// usage: node openai_js.mjs [BASE_URL]

import OpenAI from "openai";

const baseURL = process.argv[2] ?? "http://localhost:8099";
const [model, slow, limited] = ["mock-llm", "mock-gpt", "mock-llama"]; // see models.json

// The package wants some key. Retries are its own business; without them the errors below show at once.
const client = new OpenAI({ baseURL: `${baseURL}/v1`, apiKey: "unused", maxRetries: 0 });

const ask = (content) => [{ role: "user", content }];

async function chat() {
  const answer = await client.chat.completions.create({ model, messages: ask("Hello, how are you?") });
  console.log("chat:", answer.choices[0].message.content);
  console.log("tokens:", answer.usage.prompt_tokens, "read,", answer.usage.completion_tokens, "written");
}

async function stream() {
  const chunks = await client.chat.completions.create({ model, messages: ask("Hello, how are you?"), stream: true });
  process.stdout.write("stream: ");
  for await (const chunk of chunks) process.stdout.write(chunk.choices[0].delta.content ?? "");
  console.log();
}

const getWeather = ({ city }) => ({ city, sky: "clear" });

async function tools() {
  const weather = {
    type: "function",
    function: {
      name: "get_weather",
      description: "The weather in a city",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  };
  const messages = ask("What is the weather in Paris?");
  for (;;) {
    const { message } = (await client.chat.completions.create({ model, messages, tools: [weather] })).choices[0];
    if (!message.tool_calls) {
      console.log("answer:", message.content);
      return;
    }
    messages.push(message);
    for (const call of message.tool_calls) {
      console.log(`call: ${call.function.name}(${call.function.arguments})`);
      const result = getWeather(JSON.parse(call.function.arguments));
      messages.push({ role: "tool", tool_call_id: call.id, content: JSON.stringify(result) });
    }
  }
}

async function errors() {
  try {
    await client.chat.completions.create({ model: "nobody", messages: ask("Hello") });
  } catch (error) {
    if (!(error instanceof OpenAI.NotFoundError)) throw error;
    console.log("unknown model:", error.code);
  }
  try {
    await client.chat.completions.create({ model, messages: ask("Hello"), temperature: 9 });
  } catch (error) {
    if (!(error instanceof OpenAI.BadRequestError)) throw error;
    console.log("bad request:", error.error.message);
  }
  try {
    for (let i = 0; i < 3; i++) await client.chat.completions.create({ model: limited, messages: ask("Hello") });
  } catch (error) {
    if (!(error instanceof OpenAI.RateLimitError)) throw error;
    console.log("rate limit: wait", error.headers.get("retry-after"), "s");
  }
}

// A stream whose server dies throws. It never looks like a short answer.
async function interruption() {
  const chunks = await client.chat.completions.create({ model: slow, messages: ask("Hello, how are you?"), stream: true });
  try {
    let n = 0;
    for await (const _ of chunks) {
      if (n++ === 1) console.log("slow stream: it runs, kill the server of", slow, "to see it break");
    }
    console.log("slow stream: complete");
  } catch (error) {
    if (!(error instanceof OpenAI.APIError)) throw error;
    console.log("slow stream:", error.code);
  }
}

for (const step of [chat, stream, tools, errors, interruption]) await step();
