// When a request is sent again and when not: counted by servers that turn it away.

import assert from "node:assert/strict";
import { test } from "node:test";
import { APIConnectionError, APIError, FluidMCPClient, ServiceUnavailableError } from "../src/index.js";
import { parseRetryAfter } from "../src/retry.js";
import { collect, refusingPort, startServer, user } from "./stack.js";

/** @type {(status: number, headers?: Record<string, string>) => (res: import("node:http").ServerResponse) => void} */
const refuse = (status, headers) => (res) => res.writeHead(status, headers).end('{"error":{"message":"not now","code":"busy"}}');

const answer = (/** @type {import("node:http").ServerResponse} */ res) => res.end('{"ok":true}');

/** @type {[name: string, handlers: Parameters<typeof startServer>, call: (c: FluidMCPClient) => Promise<unknown>, requests: number, fails: boolean][]} */
const cases = [
  ["503 with Retry-After", [refuse(503, { "Retry-After": "0" }), answer], (c) => c.chatCompletion("m", user("x")), 2, false],
  ["429 with Retry-After", [refuse(429, { "Retry-After": "0" }), answer], (c) => c.completion("m", "x"), 2, false],
  ["429 with a date", [refuse(429, { "Retry-After": new Date(0).toUTCString() }), answer], (c) => c.models(), 2, false],
  ["twice, and no more", [refuse(503, { "Retry-After": "0" })], (c) => c.models(), 3, true],
  ["never, if the client says so", [refuse(503, { "Retry-After": "0" })], (c) => c.models({ maxRetries: 0 }), 1, true],
  ["not without Retry-After", [refuse(503)], (c) => c.models(), 1, true],
  ["not for longer than half a minute", [refuse(503, { "Retry-After": "31" })], (c) => c.models(), 1, true],
  ["not for nonsense", [refuse(503, { "Retry-After": "soon" })], (c) => c.models(), 1, true],
  ["not after other failures", [refuse(500, { "Retry-After": "0" })], (c) => c.models(), 1, true],
  ["not a command", [refuse(503, { "Retry-After": "0" })], (c) => c.restart("m"), 1, true],
];

for (const [name, handlers, call, requests, fails] of cases) {
  test(name, async () => {
    const server = await startServer(...handlers);
    const calling = call(new FluidMCPClient({ baseUrl: server.url }));
    await (fails ? assert.rejects(calling, APIError) : calling);
    assert.equal(server.requests.length, requests);
    await server.stop();
  });
}

test("a stream that has not begun", async () => {
  const server = await startServer(refuse(503, { "Retry-After": "0" }), (res) =>
    res.writeHead(200, { "Content-Type": "text/event-stream" }).end("data: {}\n\ndata: [DONE]\n\n"),
  );
  const stream = await new FluidMCPClient({ baseUrl: server.url }).chatCompletion("m", user("x"), { stream: true });
  assert.equal((await collect(stream)).length, 1);
  assert.equal(server.requests.length, 2);
  await server.stop();
});

test("a signal ends the wait", async () => {
  const controller = new AbortController();
  const server = await startServer(refuse(503, { "Retry-After": "29" }));
  const client = new FluidMCPClient({
    baseUrl: server.url,
    fetch: async (...request) => {
      const response = await fetch(...request);
      queueMicrotask(() => setTimeout(() => controller.abort(), 50)); // most likely in the wait; the outcome is the same before it
      return response;
    },
  });
  await assert.rejects(client.models({ signal: controller.signal }), { name: "AbortError" });
  assert.equal(server.requests.length, 1);
  await server.stop();
});

test("a connection that is refused", async (t) => {
  const port = await refusingPort(t);
  const failing = ["127.0.0.1", "localhost"].map(async (host) => {
    let attempts = 0;
    const counting = (/** @type {Parameters<typeof fetch>} */ ...request) => {
      attempts++;
      return fetch(...request);
    };
    const client = new FluidMCPClient({ baseUrl: `http://${host}:${port}`, fetch: counting });
    await assert.rejects(client.models(), (error) => {
      assert(error instanceof APIConnectionError);
      assert.equal(error.sent, false);
      assert.match(error.message, /ECONNREFUSED.*fluidmcp run FILE --start-server.*baseUrl/);
      return true;
    });
    assert.equal(attempts, 3, host); // localhost has two addresses
  });
  await Promise.all(failing);
});

test("a gateway that comes up meanwhile", async (t) => {
  const server = await startServer(answer);
  const closed = await refusingPort(t);
  let attempts = 0;
  const client = new FluidMCPClient({
    baseUrl: server.url,
    fetch: (url, init) => fetch(attempts++ === 0 ? `http://127.0.0.1:${closed}` : url, init),
  });
  await client.restart("m"); // a command too: it has not been sent
  assert.equal(attempts, 2);
  await server.stop();
});

test("a host that does not exist", async () => {
  const client = new FluidMCPClient({ baseUrl: "http://nowhere.invalid", maxRetries: 0 });
  await assert.rejects(client.models(), { name: "APIConnectionError", sent: false, message: /nowhere\.invalid/ });
});

test("not when the connection broke after the request was sent", async () => {
  const server = await startServer((res) => res.destroy());
  await assert.rejects(new FluidMCPClient({ baseUrl: server.url }).models(), { name: "APIConnectionError", sent: true });
  assert.equal(server.requests.length, 1);
  await server.stop();
});

test("not when a browser tells nothing", async () => {
  let attempts = 0;
  const fetch = async () => {
    attempts++;
    throw new TypeError("Failed to fetch");
  };
  await assert.rejects(new FluidMCPClient({ fetch }).models(), { sent: true, message: /Failed to fetch/ });
  assert.equal(attempts, 1);
});

test("Retry-After", () => {
  assert.equal(parseRetryAfter(null), undefined);
  assert.equal(parseRetryAfter("soon"), undefined);
  assert.equal(parseRetryAfter(" 2 "), 2000);
  assert.equal(parseRetryAfter("1.5"), 1500);
  assert.equal(parseRetryAfter("-1"), undefined);
  assert.equal(parseRetryAfter("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
  const ahead = parseRetryAfter(new Date(Date.now() + 3_600_000).toUTCString());
  assert(ahead !== undefined && ahead > 0 && ahead <= 3_600_000);
});

test("503 has a class of its own", async () => {
  const server = await startServer(refuse(503));
  await assert.rejects(new FluidMCPClient({ baseUrl: server.url }).status(), ServiceUnavailableError);
  await server.stop();
});
