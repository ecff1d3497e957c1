// The package as npm publishes it, installed in an empty project: its types, and a smoke test in Node, Deno and a browser.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { eventually, startStack } from "./stack.js";

const HERE = fileURLToPath(new URL("../", import.meta.url));
const run = promisify(execFile);

/** What consumer/smoke.js has to say, wherever it runs. */
const SMOKE = {
  chat: "Mock response to: Hello...",
  streamed: "Mock response to: Grüße 🌍...",
  aborted: "AbortError",
  missing: "NotFoundError model_not_found",
  late: "APITimeoutError",
  cut: "StreamInterruptedError stream_interrupted",
};

/** @type {Awaited<ReturnType<typeof startStack>>} */
let stack;
/** @type {Awaited<ReturnType<typeof startSite>>} */
let site;
const project = mkdtempSync(join(tmpdir(), "fluidmcp-js-consumer-"));

before(async () => {
  const starting = startStack();
  await install().finally(async () => {
    stack = await starting;
  });
  site = await startSite();
});

async function install() {
  const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", project], { cwd: HERE });
  cpSync(join(HERE, "test", "consumer"), project, { recursive: true });
  writeFileSync(join(project, "package.json"), '{"type": "module", "private": true}');
  const tarball = stdout.trim().split("\n").at(-1) ?? "";
  await run("npm", ["install", "--silent", "--offline", "--no-package-lock", join(project, tarball)], { cwd: project });
}

after(async () => {
  await site?.stop();
  await stack?.stop();
  rmSync(project, { recursive: true });
});

test("its files", () => {
  const files = readdirSync(join(project, "node_modules", "fluidmcp"), { recursive: true, encoding: "utf8" });
  const sources = readdirSync(join(HERE, "src"));
  assert.deepEqual(
    files.sort(),
    [
      ...["LICENSE", "README.md", "package.json", "src", "types"],
      ...sources.filter((name) => name.endsWith(".js")).map((name) => join("src", name)),
      ...sources.map((name) => join("types", name.replace(/\.[jt]s$/, ".d.ts"))),
    ].sort(),
  );
});

/** What the compiler knows of where a program will run. */
const GLOBALS = {
  "a browser": ["--lib", "es2022,dom,dom.iterable,dom.asynciterable"],
  Node: ["--lib", "es2022", "--types", "node", "--typeRoots", join(HERE, "node_modules", "@types")],
};

for (const [module, resolution, where] of /** @type {const} */ ([
  ["nodenext", "nodenext", "a browser"],
  ["nodenext", "nodenext", "Node"],
  ["esnext", "bundler", "a browser"],
])) {
  test(`its types, with moduleResolution ${resolution} for ${where}`, async () => {
    const options = ["--noEmit", "--strict", "--target", "es2022", ...GLOBALS[where]];
    const tsc = join(HERE, "node_modules", ".bin", "tsc");
    const args = [...options, "--module", module, "--moduleResolution", resolution, "types.ts"];
    await run(tsc, args, { cwd: project }).catch((error) => assert.fail(error.stdout));
  });
}

test("the examples of its README", async () => {
  const readme = readFileSync(join(project, "node_modules", "fluidmcp", "README.md"), "utf8");
  const examples = [...readme.matchAll(/^```js\n(.*?)^```/gms)].map(([, code]) => `${code}`);
  const port = new URL(stack.url).port;
  const outputs = examples.map(async (code, i) => {
    const file = join(project, `example${i}.js`);
    writeFileSync(file, code.replaceAll("FluidMCPClient()", `FluidMCPClient({ baseUrl: "http://localhost:${port}" })`));
    return (await run(process.execPath, [file])).stdout.trim();
  });
  assert.deepEqual(await Promise.all(outputs), [
    "Mock response to: Hello...",
    "Mock response to: Tell me more...",
    "AbortError",
    "404 model_not_found",
  ]);
});

test("Node", () => smoke(process.execPath, "main.js"));

// Deno comes from npm too, without an entry in the lock file: its packages for other systems are not on every mirror.
test("Deno", () => smoke("npx", "--yes", "deno@2.9.6", "run", "--quiet", "--allow-net=127.0.0.1", "main.js"));

const chromium = find("chromium", "chromium-browser", "google-chrome");
const demanded = process.env.FLUIDMCP_REQUIRE_BROWSER === "1";
const skip = !chromium && !demanded && "SKIPPED: no Chromium is installed; FLUIDMCP_REQUIRE_BROWSER=1 makes that a failure";

test("a browser", { skip }, async () => {
  assert(chromium, "no Chromium is installed (and FLUIDMCP_REQUIRE_BROWSER=1 asks for it)");
  await revived();
  const args = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    `--user-data-dir=${join(project, "profile")}`,
  ];
  const browser = spawn(chromium, [...args, site.url], { stdio: "ignore" });
  const exited = once(browser, "exit");
  try {
    const result = await Promise.race([site.result, exited.then(([code]) => assert.fail(`${chromium} ended with ${code}`))]);
    assert.deepEqual(result, SMOKE);
  } finally {
    browser.kill();
    await exited;
  }
});

/**
 * Runs the smoke test as a program.
 * @param {string} command
 * @param {...string} args
 */
async function smoke(command, ...args) {
  await revived();
  const env = { ...process.env, DENO_DIR: join(project, "deno"), DENO_NO_UPDATE_CHECK: "1" };
  const { stdout } = await run(command, [...args, stack.url, `${site.url}/kill`], { cwd: project, env });
  assert.deepEqual(JSON.parse(stdout), SMOKE);
}

/** The process that the last smoke test killed. @type {number | undefined} */
let killed;

/** Waits until another server is there in its place. */
async function revived() {
  await eventually(async () => {
    const { phase, instances } = await stack.client.model("slow-llm");
    assert.equal(phase, "ready");
    assert.notEqual(instances[0]?.pid, killed ?? 0);
  });
}

/** Serves the page and, as the gateway does not let other origins in, forwards what is for the gateway. */
async function startSite() {
  /** @type {(result: unknown) => void} */
  let tell;
  /** @type {Promise<unknown>} */
  const result = new Promise((resolve) => {
    tell = resolve;
  });
  const server = createServer(async (req, res) => {
    const path = req.url ?? "/";
    if (path === "/result") {
      tell(JSON.parse(await text(req)));
      res.end();
    } else if (path === "/kill") {
      const { instances } = await stack.client.model("slow-llm");
      killed = /** @type {number} */ (instances[0]?.pid);
      process.kill(killed, "SIGKILL");
      res.end();
    } else if (path === "/" || path.endsWith(".js")) {
      res.setHeader("Content-Type", path === "/" ? "text/html" : "text/javascript");
      createReadStream(join(project, path === "/" ? "index.html" : path)).pipe(res);
    } else forward(req, res);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const stop = async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
  return { url: `http://127.0.0.1:${port}`, result, stop };
}

/**
 * @param {import("node:http").IncomingMessage} req
 * @param {import("node:http").ServerResponse} res
 */
function forward(req, res) {
  const { method, headers } = req;
  const upstream = request(stack.url + req.url, { method, headers }, (answer) => {
    res.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(res);
  });
  upstream.on("error", () => res.destroy());
  res.on("close", () => upstream.destroy());
  req.pipe(upstream);
}

/** @param {...string} names */
function find(...names) {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
      if (readdirSafely(folder).includes(name)) return join(folder, name);
    }
  }
}

/** @param {string} folder */
function readdirSafely(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
