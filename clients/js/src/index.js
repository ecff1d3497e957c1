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
