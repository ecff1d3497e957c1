// What the published package does in whatever runs this: Node, Deno, a browser. No part of it is a runtime's own.

import { FluidMCPClient } from "fluidmcp";

/** @type {(content: string) => {role: string, content: string}[]} */
const user = (content) => [{ role: "user", content }];

/**
 * @param {string} baseUrl of the gateway
 * @param {string} killUrl ends the server of slow-llm, at once, when it is fetched
 */
export async function smoke(baseUrl, killUrl) {
  const client = new FluidMCPClient({ baseUrl });
  const chat = await client.chatCompletion("mock-llm", user("Hello"));

  let streamed = "";
  for await (const chunk of await client.chatCompletion("mock-llm", user("Grüße 🌍"), { stream: true })) {
    streamed += chunk.choices[0]?.delta.content ?? "";
  }

  const endless = { stream: /** @type {const} */ (true), max_tokens: 30_000, ignore_eos: true };
  for await (const _ of await client.chatCompletion("slow-llm", user("x"), endless)) break;

  const controller = new AbortController();
  const aborted = await failure(async () => {
    for await (const _ of await client.chatCompletion("slow-llm", user("x"), { ...endless, signal: controller.signal }))
      controller.abort();
  });
  const missing = await failure(() => client.chatCompletion("nope", user("x")));
  const late = await failure(() => client.chatCompletion("slow-llm", user("x"), { ...endless, stream: false, timeout: 200 }));
  const cut = await failure(async () => {
    let chunks = 0;
    for await (const _ of await client.chatCompletion("slow-llm", user("x"), endless)) if (++chunks === 3) await fetch(killUrl);
  });
  return { chat: chat.choices[0].message.content, streamed, aborted, missing, late, cut };
}

/** @param {() => Promise<unknown>} call */
async function failure(call) {
  try {
    await call();
  } catch (error) {
    const { name, code } = /** @type {{name: string, code?: unknown}} */ (error);
    return typeof code === "string" ? `${name} ${code}` : name;
  }
  return "none";
}
