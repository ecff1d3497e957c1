// What the client makes of servers that break off, fall silent or answer nonsense.

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { inspect } from "node:util";
import { FluidMCPClient, StreamInterruptedError } from "../src/index.js";
import { collect, holdTimers, startServer, user } from "./stack.js";

/** @typedef {import("node:http").ServerResponse} Response */

const event = 'data: {"n":1}\n\n';

/**
 * Asks a server for a stream; its parts are sent as they are, and the last one decides how it ends.
 * @param {string} body
 * @param {(res: Response) => unknown} end
 * @param {object} [options]
 * @param {() => unknown} [each] is called for each chunk
 */
async function streamOf(body, end, options, each) {
  const server = await startServer((res) => {
    res.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8", "X-Request-Id": "r1" });
    res.write(body, () => end(res));
  });
  const client = new FluidMCPClient({ baseUrl: server.url });
  /** @type {unknown[]} */
  const chunks = [];
  let error;
  try {
    for await (const chunk of await client.chatCompletion("m", user("x"), { ...options, stream: true })) {
      chunks.push(chunk);
      each?.();
    }
  } catch (thrown) {
    error = thrown;
  }
  const requests = server.requests.length;
  await server.stop();
  assert.equal(requests, 1, "a stream that began is never asked for again");
  return { chunks, error };
}

/** @type {[name: string, body: string, end: (res: Response) => unknown, want: object][]} */
const cuts = [
  ["an end without [DONE]", event, (res) => res.end(), { code: null, message: /ended without \[DONE\]/ }],
  ["a connection that breaks", event, (res) => res.destroy(), { code: null, message: /connection broke/ }],
  ["an event that breaks off", `${event}data: {"n"`, (res) => res.end(), { message: /ended without \[DONE\]/ }],
  ["an event that is not JSON", `${event}data: {"n"\n\n`, () => {}, { message: /not JSON/ }],
  [
    "an error event",
    `${event}data: {"error":{"message":"Gone.","type":"upstream_error","code":"stream_interrupted","param":null}}\n\n`,
    (res) => res.end(),
    {
      code: "stream_interrupted",
      type: "upstream_error",
      message: /: Gone\. The answer is incomplete; ask again\. \[request r1\]$/,
    },
  ],
  ["an error event before [DONE]", `${event}data: {"error":"no"}\n\ndata: [DONE]\n\n`, (res) => res.end(), { message: /: no\./ }],
];

for (const [name, body, end, want] of cuts) {
  test(`a stream with ${name}`, async () => {
    const { chunks, error } = await streamOf(body, end);
    assert.deepEqual(chunks, [{ n: 1 }]);
    assert(error instanceof StreamInterruptedError, inspect(error));
    assert.throws(
      () => {
        throw error;
      },
      { name: "StreamInterruptedError", received: 1, requestId: "r1", ...want },
    );
  });
}

test("a stream that breaks after [DONE] is complete", async () => {
  for (const end of [(/** @type {Response} */ res) => res.destroy(), () => {}]) {
    // the latter stays open
    assert.deepEqual(await streamOf(`${event}data: [DONE]\n\n`, end), { chunks: [{ n: 1 }], error: undefined });
  }
});

test("a stream that falls silent", async (t) => {
  const clock = holdTimers(t, 200);
  const { chunks, error } = await streamOf(event, () => {}, { timeout: 200 }, clock.pass);
  assert.equal(chunks.length, 1);
  assert.throws(
    () => {
      throw error;
    },
    { name: "StreamTimeoutError", received: 1, message: /nothing came within the timeout/ },
  );
  assert(error instanceof StreamInterruptedError);
});

test("the reader of a stream may take its time", async (t) => {
  const clock = holdTimers(t, 200);
  const server = await startServer(
    async (res) => {
      res.writeHead(200, { "Content-Type": "text/event-stream" });
      res.write(event);
      await once(res.req, "close").catch(() => {});
    },
    (res) => res.writeHead(200, { "Content-Type": "text/event-stream" }).end(`${event}${event}data: [DONE]\n\n`),
  );
  const client = new FluidMCPClient({ baseUrl: server.url, timeout: 200 });
  const left = await client.chatCompletion("m", user("x"), { stream: true });
  assert.equal(await clock.pass(), 0); // the timeout only counts while something is waited for
  for await (const _ of left) {
    assert.equal(await clock.pass(), 0);
    break;
  }
  assert.equal((await collect(await client.chatCompletion("m", user("x"), { stream: true }))).length, 2);
  await server.stop();
});

test("silence", async (t) => {
  const clock = holdTimers(t, 200);
  /** @type {typeof fetch} */
  const fetchHead = async (...request) => {
    const response = await fetch(...request);
    clock.pass();
    return response;
  };
  /** @type {[missing: string, handler: (res: Response) => unknown, fetch?: typeof globalThis.fetch][]} */
  const silent = [
    ["answer", clock.pass],
    ["more of its answer", (res) => res.writeHead(200, { "Content-Length": "100" }).write("{"), fetchHead],
  ];
  for (const [missing, handler, fetch] of silent) {
    const server = await startServer(handler);
    const client = new FluidMCPClient({ baseUrl: server.url, timeout: 200, ...(fetch && { fetch }) });
    await assert.rejects(client.models(), (/** @type {any} */ error) => {
      assert.deepEqual([error.name, error.sent], ["APITimeoutError", true]);
      assert.match(error.message, new RegExp(`GET http.*/v1/models got no ${missing} within 200 ms .*timeout`));
      return true;
    });
    assert.equal(server.requests.length, 1);
    await server.stop();
  }
});

test("a timeout for one call, and the end of its connection", async (t) => {
  const clock = holdTimers(t, 200);
  const server = await startServer(clock.pass);
  await assert.rejects(new FluidMCPClient({ baseUrl: server.url }).models({ timeout: 200 }), { name: "APITimeoutError" });
  await server.stop(); // waits until no connection is left
});

test("the patience of Node's own fetch", async () => {
  const fetch = async () => {
    throw new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "UND_ERR_HEADERS_TIMEOUT" }) });
  };
  await assert.rejects(new FluidMCPClient({ fetch }).models(), { name: "APITimeoutError", message: /5 minutes/ });
});

test("an answer that breaks off", async () => {
  const server = await startServer((res) => {
    res.writeHead(200, { "Content-Length": "100" });
    res.write("{", () => res.destroy());
  });
  const call = new FluidMCPClient({ baseUrl: server.url }).models();
  await assert.rejects(call, { name: "APIConnectionError", sent: true, message: /middle of the answer/ });
  assert.equal(server.requests.length, 1);
  await server.stop();
});

test("errors by status", async () => {
  const names = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    405: "APIError",
    409: "ConflictError",
    413: "APIError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
    500: "ServerError",
    502: "ServerError",
    503: "ServiceUnavailableError",
    504: "ServerError",
  };
  let status = 0;
  const server = await startServer((res) =>
    res.writeHead(status).end('{"error":{"message":"m","type":"t","param":"p","code":"c"}}'),
  );
  for (const [number, name] of Object.entries(names)) {
    status = Number(number);
    const call = new FluidMCPClient({ baseUrl: server.url }).models();
    await assert.rejects(call, {
      name,
      status,
      type: "t",
      param: "p",
      code: "c",
      message: new RegExp(`answered ${status} \\(c\\): m`),
    });
  }
  await server.stop();
});

test("errors that are not of FluidMCP", async () => {
  const bodies = [
    "",
    "<html>Bad Gateway</html>",
    "[]",
    "null",
    '"x"',
    '{"error":null}',
    '{"error":{"message":5}}',
    '{"detail":"Bad Gateway"}',
  ];
  for (const body of bodies) {
    const server = await startServer((res) => res.writeHead(502).end(body));
    await assert.rejects(new FluidMCPClient({ baseUrl: server.url }).models(), {
      name: "ServerError",
      status: 502,
      message: /502: .*(Bad Gateway|no message)/,
    });
    await server.stop();
  }
});

test("a success that is none", async () => {
  const server = await startServer((res) => res.writeHead(200, { "Content-Type": "text/html" }).end("<html>"));
  const client = new FluidMCPClient({ baseUrl: server.url });
  const want = { name: "InvalidResponseError", status: 200, message: /text\/html instead of .*baseUrl/ };
  await assert.rejects(client.models(), want);
  await assert.rejects(client.chatCompletion("m", user("x"), { stream: true }), want);
  await server.stop();
});

test("the API key is sent and never shown", async () => {
  const apiKey = "sk-secret";
  const server = await startServer(
    (res, req) => res.writeHead(401).end(`{"error":{"message":"no: ${req.headers.authorization}"}}`),
    (res) => res.destroy(),
  );
  const client = new FluidMCPClient({ baseUrl: server.url, apiKey });
  /** @type {unknown[]} */
  const shown = [client];
  for (let i = 0; i < 2; i++)
    await client.models().catch((error) => shown.push(error, error.message, error.stack, JSON.stringify(error)));
  assert.equal(shown.length, 9);
  assert.equal(server.requests[0]?.headers.authorization, `Bearer ${apiKey}`);
  assert(!inspect(shown, { depth: null, showHidden: true }).includes(apiKey));
  for (const bad of ["sk-secret\n", "sk secret", "sk-sécret", ""]) {
    assert.throws(
      () => new FluidMCPClient({ apiKey: bad }),
      (error) => error instanceof TypeError && !error.message.includes("secret"),
    );
  }
  await server.stop();
});

test("a base URL with a path and slashes at its end", async () => {
  const server = await startServer((res) => res.end("{}"));
  for (const path of ["/prefix", "/prefix//", "/prefix/v1", "/prefix/v1/"]) {
    await new FluidMCPClient({ baseUrl: server.url + path }).model("acme/mock 7b?");
    assert.equal(server.requests.at(-1)?.url, "/prefix/api/llm/models/acme%2Fmock%207b%3F", path);
  }
  await server.stop();
});
