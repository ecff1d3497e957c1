import { APITimeoutError, FluidMCPError, StreamInterruptedError, StreamTimeoutError } from "./errors.js";
import { EventParser } from "./sse.js";

/** @import { Failure } from "./errors.js" */
/** @import { Exchange } from "./exchange.js" */

/** How long the end of the transfer may take after the last event, in milliseconds. */
const CLOSING = 1000;

/**
 * The chunks of an answer, as they come. Leaving the loop early cancels the request. The loop ends quietly only when the
 * answer is complete: a stream that broke throws StreamInterruptedError.
 * @template Chunk
 * @implements {AsyncIterable<Chunk>}
 */
export class ChunkStream {
  #exchange;
  #used = false;

  /** @param {Exchange} exchange */
  constructor(exchange) {
    this.#exchange = exchange;
    /** Finds the request in the gateway's log. */
    this.requestId = exchange.requestId;
  }

  /** Ends the request, also before its chunks were read. A loop that still reads them throws an AbortError. */
  cancel() {
    this.#exchange.end();
  }

  /** @returns {AsyncGenerator<Chunk, void, undefined>} */
  [Symbol.asyncIterator]() {
    if (this.#used) throw new FluidMCPError("The chunks of a stream can be read only once; collect them to use them again.");
    this.#used = true;
    const exchange = this.#exchange;
    const reading = chunks(exchange);
    const leave = reading.return.bind(reading);
    reading.return = (value) => {
      exchange.end(); // chunks would not: before it has begun, its finally does not run
      return leave(value);
    };
    return reading;
  }
}

/**
 * @template Chunk
 * @param {Exchange} exchange
 * @returns {AsyncGenerator<Chunk, void, undefined>}
 */
async function* chunks(exchange) {
  let received = 0;
  try {
    const parser = new EventParser();
    for (;;) {
      for (const data of parser.push(await next(exchange, received))) {
        exchange.signal.throwIfAborted(); // what came before an abort is not shown after it
        if (data === "[DONE]") return await close(exchange);
        yield parse(data, exchange, received);
        received++;
      }
    }
  } finally {
    exchange.end();
  }
}

/**
 * Waits for the next bytes.
 * @param {Exchange} exchange
 * @param {number} received
 */
async function next(exchange, received) {
  let bytes;
  try {
    bytes = await exchange.read();
  } catch (cause) {
    const { aborted, reason } = exchange.signal;
    if (!aborted) throw interrupted(exchange, received, "the connection broke", { cause });
    if (!(reason instanceof APITimeoutError)) throw reason;
    throw interrupted(exchange, received, "nothing came within the timeout", { Class: StreamTimeoutError, cause: reason });
  }
  if (!bytes) throw interrupted(exchange, received, "the stream ended without [DONE]");
  return bytes;
}

/**
 * Reads to the end of the transfer, so that the connection can be used again. The answer is complete whatever comes.
 * @param {Exchange} exchange
 */
async function close(exchange) {
  const timer = setTimeout(() => exchange.end(), CLOSING);
  try {
    while (await exchange.read());
  } catch {
    // The connection is lost, the answer is not.
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {string} data of an event
 * @param {Exchange} exchange
 * @param {number} received
 */
function parse(data, exchange, received) {
  let chunk;
  try {
    chunk = JSON.parse(data);
  } catch (cause) {
    throw interrupted(exchange, received, "an event is not JSON", { cause });
  }
  if (!chunk?.error) return chunk;
  const failure = exchange.failure(chunk);
  throw interrupted(exchange, received, failure.message, { failure });
}

/**
 * @param {Exchange} exchange
 * @param {number} received
 * @param {string} why
 * @param {{Class?: typeof StreamInterruptedError, failure?: Failure, cause?: unknown}} [details]
 */
function interrupted(exchange, received, why, { Class = StreamInterruptedError, failure, ...cause } = {}) {
  const text = `was interrupted after ${received} chunks: ${why.replace(/\.$/, "")}. The answer is incomplete; ask again.`;
  return new Class({ ...failure, message: exchange.describe(text), requestId: exchange.requestId }, { received, ...cause });
}
