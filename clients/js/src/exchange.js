// One attempt at a request: its timeout, its abort, and what its failures are told as.

import { APIConnectionError, APITimeoutError } from "./errors.js";
import { neverSent, parseRetryAfter } from "./retry.js";

/** @import { Failure } from "./errors.js" */

/** How Node's fetch names its own limits, which nothing but a fetch of the user's can change. */
const FETCH_TIMEOUTS = new Set(["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"]);

/**
 * A request as the methods of the client describe it.
 * @typedef {object} Call
 * @property {"GET" | "POST"} method
 * @property {string} path with its query
 * @property {object} [body] sent as JSON
 * @property {boolean} [once] true when a request that was answered with an error must not be sent again
 */

const LONGEST_TIMER = 2 ** 31 - 1; // milliseconds; setTimeout takes more for 0

/** One attempt at a request, and its answer as far as it has come. */
export class Exchange {
  #abort = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {() => void} */
  #unlink = () => {};
  /** @type {ReadableStreamDefaultReader<Uint8Array> | undefined} */
  #reader;
  /** @type {Response | undefined} */
  #response;
  #call;
  #url;
  #timeout;
  #secret;

  /**
   * @param {Call} call
   * @param {{url: string, timeout: number, signal?: AbortSignal | undefined, secret: string | undefined}} how
   */
  constructor(call, { url, timeout, signal, secret }) {
    this.#call = call;
    this.#url = url;
    this.#timeout = timeout;
    this.#secret = secret;
    if (!signal) return;
    const follow = () => this.#abort.abort(signal.reason);
    if (signal.aborted) follow();
    signal.addEventListener("abort", follow, { once: true });
    this.#unlink = () => signal.removeEventListener("abort", follow);
  }

  /** Aborts with what the caller is to be told: the reason of its own signal or an APITimeoutError. */
  get signal() {
    return this.#abort.signal;
  }

  /** Finds the request in the gateway's log; null when the answer has none, or a browser hides it from other origins. */
  get requestId() {
    return this.#response?.headers.get("x-request-id") ?? null;
  }

  /**
   * Sends the request and waits for the head of the answer.
   * @param {typeof globalThis.fetch} fetch
   * @param {Record<string, string>} headers
   * @returns {Promise<Response>}
   */
  async open(fetch, headers) {
    const { method, body } = this.#call;
    const payload = body === undefined ? null : JSON.stringify(body);
    this.#startTimer();
    try {
      this.#response = await fetch(this.#url, { method, headers, body: payload, signal: this.signal });
      return this.#response;
    } catch (cause) {
      throw this.#broken(cause);
    }
  }

  /**
   * Reads the whole body within the time that is left, and ends the exchange.
   * @returns {Promise<string>}
   */
  async text() {
    try {
      const text = await this.#response?.text();
      this.signal.throwIfAborted(); // Node 18 may take an abort for the end of the body
      return text ?? "";
    } catch (cause) {
      throw this.#broken(cause);
    } finally {
      this.end();
    }
  }

  /**
   * Reads the next piece of the body; the timeout begins anew. Undefined is the end.
   * @returns {Promise<Uint8Array | undefined>}
   */
  async read() {
    this.#reader ??= this.#response?.body?.getReader();
    this.#startTimer();
    try {
      const piece = await this.#reader?.read();
      this.signal.throwIfAborted(); // as in text
      return piece?.value;
    } finally {
      this.#stopTimer();
    }
  }

  /** Stops the clock while the caller works on what came. */
  pause() {
    this.#stopTimer();
  }

  /** Frees everything. A transfer that still runs is cut. */
  end() {
    this.#stopTimer();
    this.#unlink();
    this.#abort.abort();
  }

  /**
   * What the answer's body tells about its failure.
   * @param {any} body
   * @returns {Failure}
   */
  failure(body) {
    const error = body?.error ?? body?.detail; // FastAPI, below vLLM, sends a detail
    const { message, code, type, param } = typeof error === "object" && error ? error : { message: error };
    const retryAfter = parseRetryAfter(this.#response?.headers.get("retry-after") ?? null);
    const text = typeof message === "string" && message !== "" ? message : "(no message)";
    return { message: text, code, type, param, requestId: this.requestId, ...(retryAfter !== undefined && { retryAfter }) };
  }

  /**
   * A message that begins with the request and never holds the API key, whatever the server said.
   * @param {string} what
   */
  describe(what) {
    const request = this.requestId ? ` [request ${this.requestId}]` : "";
    const text = `${this.#call.method} ${this.#url} ${what}${request}`;
    return this.#secret ? text.replaceAll(this.#secret, "***") : text;
  }

  #startTimer() {
    this.#stopTimer();
    if (this.#timeout > LONGEST_TIMER) return;
    this.#timer = setTimeout(() => {
      const why = `got ${this.#response ? "no more of its answer" : "no answer"} within ${this.#timeout} ms and was cancelled. `;
      this.#abort.abort(new APITimeoutError(this.describe(`${why}The option timeout, in milliseconds, allows more.`)));
    }, this.#timeout);
  }

  #stopTimer() {
    clearTimeout(this.#timer);
  }

  /** @param {any} error what fetch threw */
  #broken(error) {
    if (this.signal.aborted) return this.signal.reason;
    const detail = error?.cause?.code ?? error?.cause?.message ?? error?.message ?? error;
    if (FETCH_TIMEOUTS.has(detail)) {
      const what = `was given up by Node's fetch after 5 minutes of silence (${detail}). Stream the answer, or pass another fetch.`;
      return new APITimeoutError(this.describe(what), { cause: error });
    }
    if (this.#response) {
      const what = `lost its connection in the middle of the answer (${detail}). Send the request again.`;
      return new APIConnectionError(this.describe(what), { cause: error });
    }
    const what =
      `got no answer (${detail}). Is FluidMCP running there? \`fluidmcp run FILE --start-server\` starts it; ` +
      "the option baseUrl names another address.";
    return new APIConnectionError(this.describe(what), { cause: error, sent: !neverSent(error) });
  }
}
