// What can go wrong, as classes. Messages say what happened, where, and how to mend it; none holds the API key.

/** The root of all errors of this client. Misuse, such as a negative timeout, is a TypeError instead. */
export class FluidMCPError extends Error {}

/**
 * What the gateway says of a failure: the inside of the OpenAI error envelope and the headers that go with it.
 * @typedef {object} Failure
 * @property {string} message
 * @property {string | number | null} [code] a stable word such as "model_not_found"; vLLM itself sends the status
 * @property {string | null} [type] such as "invalid_request_error"
 * @property {string | null} [param] the field of the request that is at fault
 * @property {string | null} [requestId] finds the request in the gateway's log
 * @property {number} [retryAfter] milliseconds after which the server wants to be asked again
 */

/** The gateway or the model server answered with an error. Its subclasses tell the common ones apart. */
export class APIError extends FluidMCPError {
  /**
   * @param {number} status
   * @param {Failure} failure
   */
  constructor(status, failure) {
    super(failure.message);
    /** The HTTP status. */
    this.status = status;
    /** A stable word for programs, such as "model_not_found"; a model server may send a number. */
    this.code = failure.code ?? null;
    /** The kind of error, such as "invalid_request_error". */
    this.type = failure.type ?? null;
    /** The field of the request that is at fault. */
    this.param = failure.param ?? null;
    /** Finds the request in the gateway's log. */
    this.requestId = failure.requestId ?? null;
    /** Milliseconds after which the server wants to be asked again. */
    this.retryAfter = failure.retryAfter;
  }
}

/** 400: the request has to be changed. */
export class BadRequestError extends APIError {}

/** 401: the API key is missing or wrong. */
export class AuthenticationError extends APIError {}

/** 403: the API key or the page's origin does not allow it. */
export class PermissionDeniedError extends APIError {}

/** 404: no such model or path. */
export class NotFoundError extends APIError {}

/** 409: the model's state or kind does not allow it. */
export class ConflictError extends APIError {}

/** 422: the request was understood and makes no sense. */
export class UnprocessableEntityError extends APIError {}

/** 429: too many requests. */
export class RateLimitError extends APIError {}

/** 500 and above: the gateway or the model server failed. */
export class ServerError extends APIError {}

/** 503: nothing can answer now, for instance because the model is loading or stopped; code says which. */
export class ServiceUnavailableError extends ServerError {}

/** The server reported success, but its answer is not what it should be. Something else may listen there. */
export class InvalidResponseError extends APIError {}

/** No whole answer came: the gateway cannot be reached, or the connection broke. */
export class APIConnectionError extends FluidMCPError {
  /**
   * @param {string} message
   * @param {{cause?: unknown, sent?: boolean}} [details]
   */
  constructor(message, { sent = true, ...details } = {}) {
    super(message, details);
    /** False when the request certainly never left, so that sending it again is safe. Browsers do not tell. */
    this.sent = sent;
  }
}

/** No whole answer came within the timeout. The request was cancelled and is not sent again. */
export class APITimeoutError extends APIConnectionError {}

/** A stream broke before it was complete. What came before is only a part of the answer. */
export class StreamInterruptedError extends FluidMCPError {
  /**
   * @param {Failure} failure
   * @param {{cause?: unknown, received: number}} details
   */
  constructor(failure, { received, ...details }) {
    super(failure.message, details);
    /** How many chunks came before. */
    this.received = received;
    /** As in APIError; null when the stream broke without an error event. */
    this.code = failure.code ?? null;
    /** As in APIError. */
    this.type = failure.type ?? null;
    /** As in APIError. */
    this.param = failure.param ?? null;
    /** As in APIError. */
    this.requestId = failure.requestId ?? null;
  }
}

/** A stream fell silent for longer than the timeout. */
export class StreamTimeoutError extends StreamInterruptedError {}

// The names that messages and stacks begin with; what a minifier makes of the classes does not change them.
for (const [name, Class] of Object.entries({
  FluidMCPError,
  APIError,
  BadRequestError,
  AuthenticationError,
  PermissionDeniedError,
  NotFoundError,
  ConflictError,
  UnprocessableEntityError,
  RateLimitError,
  ServerError,
  ServiceUnavailableError,
  InvalidResponseError,
  APIConnectionError,
  APITimeoutError,
  StreamInterruptedError,
  StreamTimeoutError,
})) {
  Object.defineProperty(Class.prototype, "name", { value: name });
}

/** @type {Record<number, typeof APIError>} */
const classes = {
  400: BadRequestError,
  401: AuthenticationError,
  403: PermissionDeniedError,
  404: NotFoundError,
  409: ConflictError,
  422: UnprocessableEntityError,
  429: RateLimitError,
  503: ServiceUnavailableError,
};

/**
 * The error for a status.
 * @param {number} status
 * @param {Failure} failure
 * @returns {APIError}
 */
export function apiError(status, failure) {
  const Class = classes[status] ?? (status >= 500 ? ServerError : APIError);
  return new Class(status, failure);
}
