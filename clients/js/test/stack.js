// A real gateway, supervisor and mock models for the tests, and servers that misbehave as told.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect, createServer as createSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay, setImmediate as immediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { FluidMCPClient } from "../src/index.js";

const REPOSITORY = fileURLToPath(new URL("../../../", import.meta.url));
const PATIENCE = 120_000; // milliseconds for a state to come about; only a test that fails waits so long

/** An answer that goes on until somebody ends it. */
export const ENDLESS = { stream: /** @type {const} */ (true), max_tokens: 30_000, ignore_eos: true };

/** @param {string} content */
export const user = (content) => [{ role: "user", content }];

/**
 * Runs `fluidmcp run` with mock-llm, slow-llm (a token every 20 ms) and acme/mock-7b, which is mock-llm's server.
 */
export async function startStack() {
  const dir = mkdtempSync(join(tmpdir(), "fluidmcp-js-"));
  const [mock, slow] = await freePorts(2);
  const mocks = { "mock-llm": `http://127.0.0.1:${mock}`, "slow-llm": `http://127.0.0.1:${slow}` };
  const file = join(dir, "models.json");
  const llmModels = {
    "mock-llm": { command: "mockvllm", args: ["serve", "mock-model", "--port", `${mock}`] },
    "slow-llm": { command: "mockvllm", args: ["serve", "slow-model", "--port", `${slow}`], env: { MOCKVLLM_ITL: "20ms" } },
    "acme/mock-7b": { endpoints: { base_url: `${mocks["mock-llm"]}/v1` }, served_name: "mock-model" },
  };
  writeFileSync(file, JSON.stringify({ llmModels }));
  const args = ["run", file, "--file", "--start-server", "--port", "0", "--supervisor-port", "0"];
  const child = spawn(binary(dir), args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  const exited = once(child, "exit");

  let url = "";
  try {
    await eventually(() => {
      assert.equal(child.exitCode, null, `fluidmcp ended:\n${output}`);
      const told = output.match(/http:\/\/localhost:(\d+)\/metrics/); // which it says once every model is ready
      assert(told, output);
      url = `http://127.0.0.1:${told[1]}`;
    });
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  const client = new FluidMCPClient({ baseUrl: url });
  return {
    url,
    client,
    mocks,
    /** Sets the faults of mock-llm's server: rules as in services/mockvllm/README.md. */
    faults: async (/** @type {object[]} */ ...rules) => {
      const response = await fetch(`${mocks["mock-llm"]}/mock/faults`, { method: "PUT", body: JSON.stringify({ rules }) });
      assert.equal(response.status, 200, await response.text());
    },
    /** Waits until a model is in a phase and the gateway knows it. */
    phase: (/** @type {string} */ id, /** @type {string} */ want) =>
      eventually(async () => {
        assert.equal((await client.model(id)).phase, want);
        assert.equal((await client.models()).data.find((card) => card.id === id)?.phase, want);
      }),
    /** Waits until neither the model's server nor the gateway is at work on a request. */
    idle: (/** @type {keyof typeof mocks} */ model) =>
      eventually(async () => {
        assert.equal(await metric(mocks[model], "vllm:num_requests_running"), 0);
        assert.equal(await metric(url, "fluidmcp_inflight_requests"), 0);
      }),
    /** Ends it as Ctrl-C does. */
    stop: async () => {
      child.kill("SIGINT");
      const [code] = await exited;
      rmSync(dir, { recursive: true });
      assert.equal(code, 0, output);
    },
  };
}

/** @param {string} dir */
function binary(dir) {
  if (process.env.FLUIDMCP_BIN) return process.env.FLUIDMCP_BIN;
  const path = join(dir, "fluidmcp");
  execFileSync("go", ["build", "-o", path, "./cmd/fluidmcp"], { cwd: REPOSITORY, stdio: "inherit" });
  return path;
}

/**
 * Reserves ports of the loopback for a moment.
 * @param {number} n
 * @returns {Promise<number[]>}
 */
async function freePorts(n) {
  const servers = await Promise.all(
    Array.from({ length: n }, async () => {
      const server = createSocket().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  return servers.map((server) => {
    const address = /** @type {import("node:net").AddressInfo} */ (server.address());
    server.close();
    return address.port;
  });
}

/**
 * Finds a port that refuses connections. It is the near end of a connection, so no program can listen there meanwhile.
 * @param {import("node:test").TestContext} t gives it back when it ends
 */
export async function refusingPort(t) {
  const server = createSocket().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const held = connect(port, "127.0.0.1");
  await once(held, "connect");
  t.after(() => {
    held.destroy();
    server.close();
  });
  return /** @type {number} */ (held.localPort);
}

/**
 * Tries until nothing is thrown.
 * @param {() => unknown} attempt
 */
export async function eventually(attempt) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(25);
    }
  }
}

/**
 * The sum of a metric over all its labels, of those samples that hold the text.
 * @param {string} url
 * @param {string} name
 * @param {string} [text]
 */
export async function metric(url, name, text = "") {
  const lines = (await (await fetch(`${url}/metrics`)).text()).split("\n");
  const samples = lines.filter((line) => line.startsWith(name) && /^[{ ]/.test(line.slice(name.length)) && line.includes(text));
  return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

/**
 * Serves what a real gateway never would. Each request takes the next handler; the last one takes the rest.
 * @param {...((res: import("node:http").ServerResponse, req: import("node:http").IncomingMessage) => unknown)} handlers
 */
export async function startServer(...handlers) {
  /** @type {import("node:http").IncomingMessage[]} */
  const requests = [];
  const server = createServer((req, res) => {
    requests.push(req);
    req.resume();
    handlers[Math.min(requests.length, handlers.length) - 1]?.(res, req);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  server.unref().on("connection", (socket) => socket.unref()); // a test that fails does not stop it, and has to end
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/**
 * Holds the timers that last so many milliseconds, until the test says that their time has passed. A client's own timeout then
 * comes after what the test waits for, however slow the machine is; all other timers go on.
 * @param {import("node:test").TestContext} t puts the timers of the runtime back when it ends
 * @param {number} ms
 */
export function holdTimers(t, ms) {
  /** @type {Map<unknown, () => void>} */
  const held = new Map();
  const { setTimeout, clearTimeout } = globalThis;
  t.mock.method(globalThis, "setTimeout", (/** @type {Parameters<typeof setTimeout>} */ ...timer) => {
    if (timer[1] !== ms) return setTimeout(...timer);
    const id = {};
    held.set(id, () => timer[0]());
    return id;
  });
  t.mock.method(globalThis, "clearTimeout", (/** @type {any} */ id) => {
    if (!held.delete(id)) clearTimeout(id);
  });
  return {
    /** Lets the time pass, once all that came has been worked on. Tells how many timers ran out. */
    pass: async () => {
      await immediate();
      const due = [...held.values()];
      held.clear();
      for (const callback of due) callback();
      return due.length;
    },
  };
}

/**
 * Takes all chunks of a stream.
 * @template T
 * @param {AsyncIterable<T>} stream
 */
export async function collect(stream) {
  /** @type {T[]} */
  const all = [];
  for await (const chunk of stream) all.push(chunk);
  return all;
}

/**
 * The text of streamed chat chunks.
 * @param {import("../src/types.js").ChatCompletionChunk[]} chunks
 */
export const textOf = (chunks) => chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
