// What callers give beside a request. Misuse is a TypeError that says what was meant to be there, and never shows a key.

/** @import { RequestOptions } from "./types.js" */

const CLIENT = ["baseUrl", "apiKey", "timeout", "maxRetries", "fetch"];
const REQUEST = ["signal", "timeout", "maxRetries"];

/**
 * Checks the names of a client's options. An unknown one would be ignored, and the client would talk to another gateway.
 * @param {unknown} options
 */
export function checkClient(options) {
  checkNames("FluidMCPClient", options, CLIENT);
}

/**
 * Checks the options of a call.
 * @param {RequestOptions} options
 * @param {string[]} own what this call takes besides
 */
export function checkRequest(options, own = []) {
  checkNames("this method", options, [...own, ...REQUEST]);
  checkValues(options);
}

/** @param {RequestOptions} options */
export function checkValues({ timeout, maxRetries }) {
  if (timeout !== undefined && !(timeout > 0)) {
    throw new TypeError(`timeout is ${timeout}; it has to be a positive number of milliseconds, or Infinity.`);
  }
  if (maxRetries !== undefined && !(Number.isInteger(maxRetries) && maxRetries >= 0)) {
    throw new TypeError(`maxRetries is ${maxRetries}; it has to be a whole number that is not negative.`);
  }
}

/** @param {string} baseUrl */
export function checkBase(baseUrl) {
  let url;
  try {
    url = new URL(baseUrl);
  } catch {
    throw new TypeError('baseUrl is not a URL; it should look like "http://localhost:8099".');
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new TypeError(`baseUrl begins with ${url.protocol} instead of http: or https:.`);
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new TypeError("baseUrl may hold no user name, password, query or fragment; the option apiKey holds the secret.");
  }
  return url.href.replace(/\/+$/, "").replace(/\/v1$/, ""); // OpenAI's packages want /v1 there
}

/** @param {string | undefined} apiKey */
export function checkKey(apiKey) {
  if (apiKey !== undefined && !(typeof apiKey === "string" && /^[\x21-\x7e]+$/.test(apiKey))) {
    throw new TypeError(
      "apiKey is no text, is empty or has characters that a header cannot carry, such as a space or a line end.",
    );
  }
}

/**
 * @param {string} taker
 * @param {unknown} options
 * @param {string[]} known
 */
function checkNames(taker, options, known) {
  const takes = `${taker} takes an object with the options ${known.join(", ")}`;
  if (typeof options !== "object" || options === null || options instanceof URL) {
    throw new TypeError(`${takes}, such as { ${known[0]}: ... }; it was given something else.`);
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const meant = nearest(name, known);
    throw new TypeError(`There is no option ${JSON.stringify(name)}${meant ? `; did you mean ${meant}?` : "."} ${takes}.`);
  }
}

/**
 * Finds the name that a person most likely meant: its letters are all in the other's in the same order, or the reverse, as
 * those of baseURL, base_url, url and timout are.
 * @param {string} name
 * @param {string[]} known
 */
function nearest(name, known) {
  const plain = (/** @type {string} */ text) => text.toLowerCase().replace(/[^a-z]/g, "");
  return known.find((k) => within(plain(name), plain(k)) || within(plain(k), plain(name)));
}

/**
 * Tells whether the letters of a short text are in a long one, in the same order.
 * @param {string} short
 * @param {string} long
 */
function within(short, long) {
  let at = 0;
  for (const letter of long) if (letter === short[at]) at++;
  return short !== "" && at === short.length;
}
