// Streams through a real gateway from a real mock, whole, left, aborted and cut.

import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { after, before, test } from "node:test";
import { FluidMCPClient, FluidMCPError, StreamInterruptedError } from "../src/index.js";
import { collect, ENDLESS, eventually, metric, startServer, startStack, textOf, user } from "./stack.js";

/** @type {Awaited<ReturnType<typeof startStack>>} */
let stack;
before(async () => {
  stack = await startStack();
});
after(() => stack?.stop());

const running = () => metric(stack.mocks["slow-llm"], "vllm:num_requests_running");
const runs = () => eventually(async () => assert.equal(await running(), 1));

test("a chat", async () => {
  const stream = await stack.client.chatCompletion("mock-llm", user("Grüße 🌍"), { stream: true });
  assert.match(stream.requestId ?? "", /\S/);
  const chunks = await collect(stream);
  assert.equal(textOf(chunks), "Mock response to: Grüße 🌍...");
  assert.equal(chunks.at(-1)?.choices[0]?.finish_reason, "stop");
});

test("token counts, when asked for", async () => {
  const options = { stream: /** @type {const} */ (true), stream_options: { include_usage: true } };
  const chunks = await collect(await stack.client.chatCompletion("mock-llm", user("x"), options));
  assert((chunks.at(-1)?.usage?.completion_tokens ?? 0) > 0);
});

test("a completion", async () => {
  const chunks = await collect(await stack.client.completion("mock-llm", "Hello", { stream: true }));
  assert.equal(chunks.map((chunk) => chunk.choices[0]?.text).join(""), "Mock response to: Hello...");
});

test("a stream is read once", async () => {
  const stream = await stack.client.chatCompletion("mock-llm", user("x"), { stream: true });
  await collect(stream);
  await assert.rejects(collect(stream), FluidMCPError);
});

test("leaving the loop frees the model", async () => {
  let chunks = 0;
  for await (const _ of await stack.client.chatCompletion("slow-llm", user("x"), ENDLESS)) {
    if (++chunks < 3) continue;
    await runs();
    break;
  }
  await stack.idle("slow-llm");
});

test("an error in the loop frees the model", async () => {
  const stream = await stack.client.chatCompletion("slow-llm", user("x"), ENDLESS);
  const reading = (async () => {
    for await (const _ of stream) throw new Error("mine");
  })();
  await assert.rejects(reading, { message: "mine" });
  await stack.idle("slow-llm");
});

test("a stream that nobody reads is cancelled by hand", async () => {
  const stream = await stack.client.chatCompletion("slow-llm", user("x"), ENDLESS);
  await runs();
  stream.cancel();
  await stack.idle("slow-llm");
  await assert.rejects(collect(stream), { name: "AbortError" });
});

test("a stream that is left before its first chunk", async () => {
  const stream = await stack.client.chatCompletion("slow-llm", user("x"), ENDLESS);
  await runs();
  Readable.from(stream).destroy();
  await stack.idle("slow-llm");
});

test("a signal that was aborted before sends nothing", async () => {
  const server = await startServer((res) => res.end());
  const reason = new Error("mine");
  const call = new FluidMCPClient({ baseUrl: server.url }).chatCompletion("m", user("x"), { signal: AbortSignal.abort(reason) });
  await assert.rejects(call, (error) => error === reason);
  await fetch(server.url);
  assert.equal(server.requests.length, 1, "only that of the test");
  await server.stop();
});

test("a signal ends a call that waits", async () => {
  const controller = new AbortController();
  const call = stack.client.chatCompletion("slow-llm", user("x"), { ...ENDLESS, stream: false, signal: controller.signal });
  const failed = assert.rejects(call, { name: "AbortError" });
  await runs();
  controller.abort();
  await failed;
  await stack.idle("slow-llm");
});

test("a signal ends a stream, and nothing comes after it", async () => {
  const controller = new AbortController();
  const reason = new Error("mine");
  const stream = await stack.client.chatCompletion("slow-llm", user("x"), { ...ENDLESS, signal: controller.signal });
  const reading = (async () => {
    for await (const _ of stream) {
      assert(!controller.signal.aborted, "a chunk after the abort");
      controller.abort(reason);
    }
  })();
  await assert.rejects(reading, (error) => error === reason);
  await stack.idle("slow-llm");
});

test("a model that dies cuts the stream", async () => {
  const { client } = stack;
  const stream = await client.chatCompletion("slow-llm", user("x"), ENDLESS);
  /** @type {string[]} */
  const pieces = [];
  const reading = (async () => {
    for await (const chunk of stream) {
      pieces.push(chunk.choices[0]?.delta.content ?? "");
      if (pieces.length !== 3) continue;
      const pid = (await client.model("slow-llm")).instances[0]?.pid;
      assert(pid);
      process.kill(pid, "SIGKILL");
    }
  })();
  await assert.rejects(reading, (error) => {
    assert(error instanceof StreamInterruptedError);
    assert.deepEqual([error.code, error.type, error.received], ["stream_interrupted", "upstream_error", pieces.length]);
    assert.match(error.message, /interrupted after \d+ chunks: .*incomplete; ask again/);
    assert.equal(error.requestId, stream.requestId);
    return true;
  });
  assert(pieces.length >= 3);
  await stack.phase("slow-llm", "ready"); // the supervisor's work
});
