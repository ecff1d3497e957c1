// What the client refuses to its caller, before anything is sent.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { FluidMCPClient } from "../src/index.js";

test("values that make no sense", async () => {
  for (const baseUrl of ["localhost:8099", "//x", "ftp://x", "http://user:s3cret@x", "http://x/?a=1"]) {
    assert.throws(
      () => new FluidMCPClient({ baseUrl }),
      (error) => error instanceof TypeError && /baseUrl/.test(error.message) && !/s3cret/.test(error.message),
    );
  }
  for (const options of [{ timeout: 0 }, { timeout: Number.NaN }, { maxRetries: -1 }, { maxRetries: 1.5 }]) {
    assert.throws(() => new FluidMCPClient(options), TypeError);
    await assert.rejects(new FluidMCPClient().models(options), TypeError);
  }
  new FluidMCPClient({ timeout: Number.POSITIVE_INFINITY });
  // What a program without types may pass; it would be sent as "Bearer null".
  assert.throws(() => new FluidMCPClient({ apiKey: /** @type {any} */ (null) }), { name: "TypeError", message: /apiKey/ });
  for (const id of ["", ".", ".."])
    await assert.rejects(new FluidMCPClient().stop(id), { name: "TypeError", message: /models\(\)/ });
});

/** @type {[options: unknown, want: RegExp][]} */
const misunderstood = [
  [{ baseURL: "http://x" }, /no option "baseURL"; did you mean baseUrl\? .*baseUrl, apiKey, timeout, maxRetries, fetch\.$/],
  [{ base_url: "http://x" }, /did you mean baseUrl\?/],
  [{ url: "http://x" }, /did you mean baseUrl\?/],
  [{ api_key: "s3cret" }, /did you mean apiKey\?/],
  [{ timout: 1 }, /did you mean timeout\?/],
  [{ retries: 1 }, /did you mean maxRetries\?/],
  [{ host: "x" }, /no option "host"\. FluidMCPClient takes .*baseUrl/],
  ["http://user:s3cret@x", /FluidMCPClient takes an object .*baseUrl/],
  [new URL("http://user:s3cret@x"), /FluidMCPClient takes an object .*baseUrl/],
  [null, /FluidMCPClient takes an object .*baseUrl/],
];

test("options that do not exist", async () => {
  const told = (/** @type {RegExp} */ want) => (/** @type {unknown} */ error) =>
    error instanceof TypeError && want.test(error.message) && !error.message.includes("s3cret");
  for (const [options, want] of misunderstood) {
    assert.throws(() => new FluidMCPClient(/** @type {any} */ (options)), told(want), inspect(options));
  }
  const client = new FluidMCPClient();
  const [retries, lines] = /** @type {any[]} */ ([{ max_retries: 0 }, 50]);
  await assert.rejects(client.stop("m", retries), told(/did you mean maxRetries\? .*signal, timeout, maxRetries\.$/));
  await assert.rejects(client.logs("m", lines), told(/takes an object .*lines, signal/));
});
