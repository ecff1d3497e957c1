// When a request may be sent again: only if the server has certainly not begun to answer it.

import { APIConnectionError, APIError } from "./errors.js";

const FIRST_DELAY = 500; // milliseconds; doubles with each attempt
const LONGEST_DELAY = 8_000;
const LONGEST_RETRY_AFTER = 30_000; // whoever asks for more gets no second attempt, and the caller the error

/**
 * How long to wait before the next attempt.
 * @param {unknown} error of the last attempt
 * @param {number} attempt how many were made before it
 * @param {boolean} repeatable whether a server that turned it away may be asked again
 * @returns {number | undefined} milliseconds, or undefined when there must be no other attempt
 */
export function retryDelay(error, attempt, repeatable) {
  const backoff = Math.min(FIRST_DELAY * 2 ** attempt, LONGEST_DELAY) * (0.5 + Math.random() / 2);
  if (error instanceof APIConnectionError && !error.sent) return backoff;
  if (!repeatable || !(error instanceof APIError) || (error.status !== 429 && error.status !== 503)) return undefined;
  if (error.retryAfter === undefined || error.retryAfter > LONGEST_RETRY_AFTER) return undefined;
  return error.retryAfter + backoff * 0.2; // so that those who were turned away together do not come back together
}

/**
 * Reads a Retry-After header, which holds seconds (some send fractions) or a date (RFC 9110, 10.2.3).
 * @param {string | null} header
 * @returns {number | undefined} milliseconds from now, never negative
 */
export function parseRetryAfter(header) {
  if (header === null) return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(header)) return Number(header) * 1000;
  const date = /[a-z]/i.test(header) ? Date.parse(header) : Number.NaN; // V8 takes "-1" for a day in 2001
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/**
 * Waits, unless the signal aborts; then it throws the signal's reason.
 * @param {number} ms
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
export function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const aborted = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", aborted);
      resolve();
    }, ms);
    signal?.addEventListener("abort", aborted, { once: true });
  });
}

/**
 * Tells whether fetch failed before any of the request was sent. Node gives the system's error as cause; several, when the
 * host has several addresses. Browsers and Deno tell nothing that could be relied on.
 * @param {unknown} error
 * @returns {boolean}
 */
export function neverSent(error) {
  const cause = /** @type {{cause?: any} | undefined} */ (error)?.cause;
  const causes = Array.isArray(cause?.errors) && cause.errors.length > 0 ? cause.errors : [cause];
  return causes.every(
    (/** @type {any} */ c) => c?.syscall === "connect" || c?.syscall === "getaddrinfo" || c?.code === "UND_ERR_CONNECT_TIMEOUT",
  );
}
