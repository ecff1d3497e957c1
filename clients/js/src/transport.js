// Requests over fetch: attempts, and what their answers are told as.

import { apiError, InvalidResponseError } from "./errors.js";
import { Exchange } from "./exchange.js";
import { retryDelay, sleep } from "./retry.js";

/** @import { Call } from "./exchange.js" */
/** @import { RequestOptions } from "./types.js" */

/** Sends calls to one gateway. */
export class Transport {
  #fetch;
  #baseUrl;
  #apiKey;
  #timeout;
  #maxRetries;

  /** @param {{baseUrl: string, apiKey: string | undefined, timeout: number, maxRetries: number, fetch: typeof globalThis.fetch}} settings */
  constructor({ baseUrl, apiKey, timeout, maxRetries, fetch }) {
    this.#baseUrl = baseUrl;
    this.#apiKey = apiKey;
    this.#timeout = timeout;
    this.#maxRetries = maxRetries;
    this.#fetch = fetch;
  }

  /**
   * Sends a call, again if need be, until an answer begins that is not a failure.
   * @param {Call} call
   * @param {RequestOptions} options
   * @returns {Promise<{exchange: Exchange, response: Response}>}
   */
  async open(call, { signal, timeout = this.#timeout, maxRetries = this.#maxRetries }) {
    const url = this.#baseUrl + call.path;
    for (let attempt = 0; ; attempt++) {
      const exchange = new Exchange(call, { url, timeout, signal, secret: this.#apiKey });
      try {
        const response = await exchange.open(this.#fetch, this.#headers(call));
        if (response.ok) return { exchange, response };
        throw await refused(exchange, response);
      } catch (error) {
        exchange.end();
        const delay = attempt < maxRetries ? retryDelay(error, attempt, !call.once) : undefined;
        if (delay === undefined) throw error;
        await sleep(delay, signal);
      }
    }
  }

  /**
   * Sends a call and reads its answer as text.
   * @param {Call} call
   * @param {RequestOptions} options
   */
  async text(call, options) {
    const { exchange } = await this.open(call, options);
    return exchange.text();
  }

  /**
   * Sends a call and reads its answer as JSON.
   * @param {Call} call
   * @param {RequestOptions} options
   * @returns {Promise<any>}
   */
  async json(call, options) {
    const { exchange, response } = await this.open(call, options);
    const text = await exchange.text();
    try {
      return JSON.parse(text);
    } catch {
      throw unexpected(exchange, response, "JSON");
    }
  }

  /**
   * Sends a call whose answer comes as server-sent events.
   * @param {Call} call
   * @param {RequestOptions} options
   * @returns {Promise<Exchange>}
   */
  async events(call, options) {
    const { exchange, response } = await this.open(call, options);
    exchange.pause();
    if (response.body && response.headers.get("content-type")?.startsWith("text/event-stream")) return exchange;
    exchange.end();
    throw unexpected(exchange, response, "an event stream");
  }

  /** @param {Call} call */
  #headers(call) {
    return {
      ...(call.body !== undefined && { "Content-Type": "application/json" }),
      ...(this.#apiKey !== undefined && { Authorization: `Bearer ${this.#apiKey}` }),
    };
  }
}

/**
 * The error for an answer without success.
 * @param {Exchange} exchange
 * @param {Response} response
 */
async function refused(exchange, response) {
  const text = await exchange.text();
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    body = { error: text.slice(0, 200) }; // of a proxy in between, most likely
  }
  const failure = exchange.failure(body);
  const code = failure.code ? ` (${failure.code})` : "";
  failure.message = exchange.describe(`was answered ${response.status}${code}: ${failure.message}`);
  return apiError(response.status, failure);
}

/**
 * The error for a success that is none.
 * @param {Exchange} exchange
 * @param {Response} response
 * @param {string} wanted
 */
function unexpected(exchange, response, wanted) {
  const got = response.headers.get("content-type") ?? "something without a type";
  const why = `was answered ${response.status} with ${got} instead of ${wanted}. Does baseUrl lead to a FluidMCP gateway?`;
  return new InvalidResponseError(response.status, { message: exchange.describe(why), requestId: exchange.requestId });
}
