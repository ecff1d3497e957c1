// Calls through a real gateway to a real mock: answers, errors and management.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  BadRequestError,
  ConflictError,
  FluidMCPClient,
  NotFoundError,
  RateLimitError,
  ServerError,
  ServiceUnavailableError,
} from "../src/index.js";
import { eventually, metric, startServer, startStack, user } from "./stack.js";

/** @type {Awaited<ReturnType<typeof startStack>>} */
let stack;
before(async () => {
  stack = await startStack();
});
after(() => stack?.stop());

test("the guide's call", async () => {
  const result = await stack.client.chatCompletion("mock-llm", [{ role: "user", content: "Hello" }]);
  assert.equal(result.object, "chat.completion");
  assert.equal(result.choices[0].message.content, "Mock response to: Hello...");
  assert.equal(result.usage.prompt_tokens + result.usage.completion_tokens, result.usage.total_tokens);
});

test("parameters reach the model", async () => {
  const result = await stack.client.chatCompletion("mock-llm", user("Hello"), { max_tokens: 2, n: 2 });
  assert.equal(result.choices.length, 2);
  assert.equal(result.choices[0].finish_reason, "length");
});

test("an id with a slash", async () => {
  const result = await stack.client.chatCompletion("acme/mock-7b", user("Hello"));
  assert.equal(result.choices[0].message.content, "Mock response to: Hello...");
  assert.equal((await stack.client.model("acme/mock-7b")).driver, "external");
});

test("a completion", async () => {
  const result = await stack.client.completion("mock-llm", "Once", { max_tokens: 3 });
  assert.equal(result.object, "text_completion");
  assert.equal(result.usage.completion_tokens, 3);
});

test("models and status", async () => {
  const ids = (await stack.client.models()).data.map((card) => card.id);
  assert.deepEqual(ids.sort(), ["acme/mock-7b", "mock-llm", "slow-llm"]);
  const status = await stack.client.status();
  assert.deepEqual([status.status, status.models], ["ok", { ready: 3, total: 3 }]);
});

test("a request that the model refuses", async () => {
  await assert.rejects(stack.client.chatCompletion("mock-llm", user("x"), { max_tokens: -1 }), (error) => {
    assert(error instanceof BadRequestError);
    assert.deepEqual([error.name, error.status, error.code], ["BadRequestError", 400, 400]);
    assert.match(error.message, /POST http:.*\/llm\/mock-llm\/chat\/completions was answered 400.*max_tokens/s);
    assert(error.requestId && error.message.includes(error.requestId));
    return true;
  });
});

test("a model that does not exist", async () => {
  const unknown = { status: 404, code: "model_not_found", message: /mock-llm/ };
  await assert.rejects(stack.client.chatCompletion("nope/x", user("x")), { name: "NotFoundError", param: "model", ...unknown });
  await assert.rejects(stack.client.chatCompletion("nope", user("x"), { stream: true }), NotFoundError);
  await assert.rejects(stack.client.model("nope"), NotFoundError);
});

test("a limit that lets one through each second is waited for", async () => {
  await stack.faults({ do: { rate_limit: { requests: 1, window: "1s" } } });
  const answers = await Promise.all([
    stack.client.chatCompletion("mock-llm", user("x")),
    stack.client.completion("mock-llm", "x"),
  ]);
  assert.equal(answers.length, 2);
  await stack.faults();
});

test("a limit that takes longer is told at once", async () => {
  await stack.faults({ do: { rate_limit: { requests: 1, window: "10m" } } });
  const before = await metric(stack.mocks["mock-llm"], "http_requests_total", 'status="4xx"');
  await stack.client.chatCompletion("mock-llm", user("x"));
  await assert.rejects(stack.client.chatCompletion("mock-llm", user("x")), (error) => {
    assert(error instanceof RateLimitError && error.retryAfter);
    assert(error.retryAfter > 30_000 && error.retryAfter <= 600_000, `${error.retryAfter}`);
    return true;
  });
  assert.equal(
    await metric(stack.mocks["mock-llm"], "http_requests_total", 'status="4xx"'),
    before + 1,
    "requests that were turned away",
  );
  await stack.faults();
});

test("a failure of the model is not tried again", async () => {
  await stack.faults({ do: { status: 500, message: "Model error" } });
  const before = await metric(stack.mocks["mock-llm"], "http_requests_total", 'status="5xx"');
  await assert.rejects(stack.client.chatCompletion("mock-llm", user("x")), (error) => {
    assert(error instanceof ServerError && !(error instanceof ServiceUnavailableError));
    assert.match(error.message, /Model error/);
    return true;
  });
  assert.equal(await metric(stack.mocks["mock-llm"], "http_requests_total", 'status="5xx"'), before + 1);
  await stack.faults();
});

test("stop, start and restart", async () => {
  const { client } = stack;
  const before = await client.model("mock-llm");
  assert.equal((await client.stop("mock-llm")).desired, "stopped");
  await stack.phase("mock-llm", "stopped");
  await assert.rejects(client.chatCompletion("mock-llm", user("x"), { maxRetries: 0 }), (error) => {
    assert(error instanceof ServiceUnavailableError);
    assert.deepEqual([error.code, error.retryAfter], ["model_stopped", 5000]);
    assert.match(error.message, /start/);
    return true;
  });
  assert.equal((await client.healthCheck("mock-llm")).healthy, false);

  assert.equal((await client.start("mock-llm")).desired, "running");
  await eventually(async () => assert.equal((await client.healthCheck("mock-llm")).healthy, true));
  await stack.phase("mock-llm", "ready");
  const started = await client.model("mock-llm");
  assert.notEqual(started.instances[0]?.pid, before.instances[0]?.pid);

  await client.restart("mock-llm");
  await eventually(async () => {
    const now = await client.model("mock-llm");
    assert.equal(now.instances.length, 1); // the extra server of the restart has a log, too
    assert.equal(now.phase, "ready");
    assert.notEqual(now.instances[0]?.pid, started.instances[0]?.pid);
  });
  await eventually(() => client.chatCompletion("mock-llm", user("x"), { maxRetries: 0 }));
  await assert.rejects(client.restart("acme/mock-7b"), ConflictError);
});

test("a restart by force", async () => {
  const server = await startServer((res) => res.writeHead(202).end("{}"));
  const client = new FluidMCPClient({ baseUrl: server.url });
  await client.restart("m");
  await client.restart("m", { force: true });
  assert.deepEqual(
    server.requests.map((request) => request.url),
    ["/api/llm/models/m/restart", "/api/llm/models/m/restart?force=true"],
  );
  await server.stop();
});

test("logs", async () => {
  const all = await stack.client.logs("mock-llm");
  assert.match(all, /Application startup complete/);
  assert.equal((await stack.client.logs("mock-llm", { lines: 1 })).trimEnd().split("\n").length, 1);
  await assert.rejects(stack.client.logs("mock-llm", { lines: 0 }), { name: "BadRequestError", code: "invalid_lines" });
});
