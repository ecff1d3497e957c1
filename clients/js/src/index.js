export { FluidMCPClient } from "./client.js";
export {
  APIConnectionError,
  APIError,
  APITimeoutError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  FluidMCPError,
  InvalidResponseError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
  ServerError,
  ServiceUnavailableError,
  StreamInterruptedError,
  StreamTimeoutError,
  UnprocessableEntityError,
} from "./errors.js";
export { ChunkStream } from "./stream.js";

/** @typedef {import("./types.js").ClientOptions} ClientOptions */
/** @typedef {import("./types.js").RequestOptions} RequestOptions */
/** @typedef {import("./types.js").LogOptions} LogOptions */
/** @typedef {import("./types.js").RestartOptions} RestartOptions */
/** @typedef {import("./types.js").GenerationOptions} GenerationOptions */
/** @typedef {import("./types.js").ChatCompletionOptions} ChatCompletionOptions */
/** @typedef {import("./types.js").CompletionOptions} CompletionOptions */
/** @typedef {import("./types.js").ChatMessage} ChatMessage */
/** @typedef {import("./types.js").Prompt} Prompt */
/** @typedef {import("./types.js").Usage} Usage */
/** @typedef {import("./types.js").ToolCall} ToolCall */
/** @typedef {import("./types.js").ChatCompletion} ChatCompletion */
/** @typedef {import("./types.js").ChatChoice} ChatChoice */
/** @typedef {import("./types.js").ChatCompletionChunk} ChatCompletionChunk */
/** @typedef {import("./types.js").ChatChunkChoice} ChatChunkChoice */
/** @typedef {import("./types.js").ToolCallDelta} ToolCallDelta */
/** @typedef {import("./types.js").Completion} Completion */
/** @typedef {import("./types.js").CompletionChoice} CompletionChoice */
/** @typedef {import("./types.js").CompletionChunk} CompletionChunk */
/** @typedef {import("./types.js").Phase} Phase */
/** @typedef {import("./types.js").ModelList} ModelList */
/** @typedef {import("./types.js").ModelCard} ModelCard */
/** @typedef {import("./types.js").Status} Status */
/** @typedef {import("./types.js").ModelStatus} ModelStatus */
/** @typedef {import("./types.js").InstanceStatus} InstanceStatus */
/** @typedef {import("./types.js").HealthCheck} HealthCheck */
/** @typedef {import("./types.js").InstanceHealth} InstanceHealth */
