import { checkBase, checkClient, checkKey, checkRequest, checkValues } from "./options.js";
import { ChunkStream } from "./stream.js";
import { Transport } from "./transport.js";

/** @import * as t from "./types.js" */

const MINUTE = 60_000;

/**
 * Talks to a FluidMCP gateway.
 *
 * @example
 * const client = new FluidMCPClient();
 * const result = await client.chatCompletion("mock-llm", [{ role: "user", content: "Hello" }]);
 * console.log(result.choices[0].message.content);
 */
export class FluidMCPClient {
  #transport;

  /** @param {t.ClientOptions} [options] */
  constructor(options = {}) {
    checkClient(options);
    const {
      baseUrl = "http://localhost:8099",
      apiKey,
      timeout = 10 * MINUTE,
      maxRetries = 2,
      fetch = globalThis.fetch,
    } = options;
    checkKey(apiKey);
    checkValues({ timeout, maxRetries });
    if (typeof fetch !== "function") {
      throw new TypeError("There is no fetch here (Node has it from version 18 on); pass one as the option fetch.");
    }
    this.#transport = new Transport({ baseUrl: checkBase(baseUrl), apiKey, timeout, maxRetries, fetch });
  }

  /**
   * Asks a model to go on with a conversation. With `stream: true` the promise gives the chunks of the answer as they come.
   * @overload
   * @param {string} modelId
   * @param {t.ChatMessage[]} messages
   * @param {t.ChatCompletionOptions & {stream: true}} options
   * @returns {Promise<ChunkStream<t.ChatCompletionChunk>>}
   */
  /**
   * @overload
   * @param {string} modelId
   * @param {t.ChatMessage[]} messages
   * @param {t.ChatCompletionOptions & {stream?: false | null}} [options]
   * @returns {Promise<t.ChatCompletion>}
   */
  /**
   * @overload
   * @param {string} modelId
   * @param {t.ChatMessage[]} messages
   * @param {t.ChatCompletionOptions} options
   * @returns {Promise<t.ChatCompletion | ChunkStream<t.ChatCompletionChunk>>}
   */
  /**
   * @param {string} modelId
   * @param {t.ChatMessage[]} messages
   * @param {t.ChatCompletionOptions} options
   */
  async chatCompletion(modelId, messages, options = {}) {
    return this.#generate(modelId, "chat/completions", { messages }, options);
  }

  /**
   * Asks a model to go on with a text. With `stream: true` the promise gives the chunks of the answer as they come.
   * @overload
   * @param {string} modelId
   * @param {t.Prompt} prompt
   * @param {t.CompletionOptions & {stream: true}} options
   * @returns {Promise<ChunkStream<t.CompletionChunk>>}
   */
  /**
   * @overload
   * @param {string} modelId
   * @param {t.Prompt} prompt
   * @param {t.CompletionOptions & {stream?: false | null}} [options]
   * @returns {Promise<t.Completion>}
   */
  /**
   * @overload
   * @param {string} modelId
   * @param {t.Prompt} prompt
   * @param {t.CompletionOptions} options
   * @returns {Promise<t.Completion | ChunkStream<t.CompletionChunk>>}
   */
  /**
   * @param {string} modelId
   * @param {t.Prompt} prompt
   * @param {t.CompletionOptions} options
   */
  async completion(modelId, prompt, options = {}) {
    return this.#generate(modelId, "completions", { prompt }, options);
  }

  /**
   * Lists the models that the gateway knows, each with its phase.
   * @param {t.RequestOptions} [options]
   * @returns {Promise<t.ModelList>}
   */
  async models(options = {}) {
    return this.#json("GET", "/v1/models", options);
  }

  /**
   * Tells how many models are ready.
   * @param {t.RequestOptions} [options]
   * @returns {Promise<t.Status>}
   */
  async status(options = {}) {
    return this.#json("GET", "/api/llm/status", options);
  }

  /**
   * Tells everything about one model: phase, why, processes, the last exit.
   * @param {string} modelId
   * @param {t.RequestOptions} [options]
   * @returns {Promise<t.ModelStatus>}
   */
  async model(modelId, options = {}) {
    return this.#json("GET", `/api/llm/models/${encode(modelId)}`, options);
  }

  /**
   * Starts a model that was stopped or has failed. Resolves at once; `model` shows how it goes on.
   * @param {string} modelId
   * @param {t.RequestOptions} [options]
   * @returns {Promise<t.ModelStatus>}
   */
  async start(modelId, options = {}) {
    return this.#json("POST", `/api/llm/models/${encode(modelId)}/start`, options, true);
  }

  /**
   * Lets a model's requests finish, stops it, and keeps it stopped. Resolves at once.
   * @param {string} modelId
   * @param {t.RequestOptions} [options]
   * @returns {Promise<t.ModelStatus>}
   */
  async stop(modelId, options = {}) {
    return this.#json("POST", `/api/llm/models/${encode(modelId)}/stop`, options, true);
  }

  /**
   * Starts the servers of a model anew, one after the other, each once its requests are done. Resolves at once. Where nothing would answer
   * meanwhile it throws a ConflictError, unless `force` says to restart all servers at the same time.
   * @param {string} modelId
   * @param {t.RestartOptions} [options]
   * @returns {Promise<t.ModelStatus>}
   */
  async restart(modelId, options = {}) {
    checkRequest(options, ["force"]);
    const path = `/api/llm/models/${encode(modelId)}/restart${options.force ? "?force=true" : ""}`;
    return this.#transport.json({ method: "POST", path, once: true }, options);
  }

  /**
   * Asks a model's servers now whether they are healthy.
   * @param {string} modelId
   * @param {t.RequestOptions} [options]
   * @returns {Promise<t.HealthCheck>}
   */
  async healthCheck(modelId, options = {}) {
    return this.#json("POST", `/api/llm/models/${encode(modelId)}/health-check`, options);
  }

  /**
   * Gives the last lines that a model's servers printed: 100 of them, or as many as `lines` says, up to 10,000.
   * @param {string} modelId
   * @param {t.LogOptions} [options]
   * @returns {Promise<string>}
   */
  async logs(modelId, options = {}) {
    checkRequest(options, ["lines"]);
    const query = options.lines === undefined ? "" : `?lines=${encodeURIComponent(options.lines)}`;
    return this.#transport.text({ method: "GET", path: `/api/llm/models/${encode(modelId)}/logs${query}` }, options);
  }

  /**
   * @param {"GET" | "POST"} method
   * @param {string} path
   * @param {t.RequestOptions} options
   * @param {boolean} once for commands: their 503 may mean that the gateway lost the supervisor after it had sent them
   */
  #json(method, path, options, once = false) {
    checkRequest(options);
    return this.#transport.json({ method, path, once }, options);
  }

  /**
   * @param {string} modelId
   * @param {string} endpoint
   * @param {object} body
   * @param {t.GenerationOptions} options
   */
  async #generate(modelId, endpoint, body, { signal, timeout, maxRetries, ...parameters }) {
    const options = { signal, timeout, maxRetries };
    checkValues(options);
    /** @type {import("./exchange.js").Call} */
    const call = { method: "POST", path: `/llm/${encode(modelId)}/${endpoint}`, body: { ...parameters, ...body } };
    if (!parameters.stream) return this.#transport.json(call, options);
    return new ChunkStream(await this.#transport.events(call, options));
  }
}

/**
 * Makes a model's id one segment of a path: "acme/mock-7b" becomes "acme%2Fmock-7b".
 * @param {string} modelId
 */
function encode(modelId) {
  if (typeof modelId !== "string" || ["", ".", ".."].includes(modelId)) {
    throw new TypeError(`${JSON.stringify(modelId)} is no id of a model; models() lists them.`);
  }
  return encodeURIComponent(modelId);
}
