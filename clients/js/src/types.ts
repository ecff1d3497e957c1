// What goes in and what comes out. Answers are the JSON that the gateway sent; servers may send more than is named here.
// Facts are from OpenAI's API reference, vLLM's answers, and the README files of the gateway and the supervisor.

export interface ClientOptions {
  /** Where the gateway is, with or without /v1 at its end; "http://localhost:8099" unless given. */
  baseUrl?: string | undefined;
  /** Sent as `Authorization: Bearer ...`. */
  apiKey?: string | undefined;
  /** Milliseconds within which an answer has to be complete, and the next piece of a stream has to come; 600,000 unless given. */
  timeout?: number | undefined;
  /** How often a request is sent again where that is safe; 2 unless given. */
  maxRetries?: number | undefined;
  /** Takes the place of the global fetch, for instance to go through a proxy. */
  fetch?: typeof globalThis.fetch | undefined;
}

/** What every method takes. */
export interface RequestOptions {
  /** Ends the call, its retries or its stream; the call throws the signal's reason. */
  signal?: AbortSignal | undefined;
  /** As the client's, for this call. */
  timeout?: number | undefined;
  /** As the client's, for this call. */
  maxRetries?: number | undefined;
}

export interface LogOptions extends RequestOptions {
  /** How many lines, from the end; 100 unless given, 10,000 at most. */
  lines?: number | undefined;
}

export interface RestartOptions extends RequestOptions {
  /** Restart all servers at the same time, also where nothing answers meanwhile. */
  force?: boolean | undefined;
}

/** What both kinds of generation take. All but the options of the request goes to the model server as it is. */
export interface GenerationOptions extends RequestOptions {
  stream?: boolean | null | undefined;
  stream_options?: { include_usage?: boolean; [parameter: string]: unknown } | null | undefined;
  max_tokens?: number | null | undefined;
  temperature?: number | null | undefined;
  top_p?: number | null | undefined;
  n?: number | null | undefined;
  stop?: string | string[] | null | undefined;
  seed?: number | null | undefined;
  /** Any other parameter of the OpenAI API or of vLLM. */
  [parameter: string]: unknown;
}

export interface ChatCompletionOptions extends GenerationOptions {
  max_completion_tokens?: number | null | undefined;
  tools?: unknown[] | null | undefined;
}

export interface CompletionOptions extends GenerationOptions {}

/** A message of a conversation; which keys go with which role is told by OpenAI's API reference. */
export interface ChatMessage {
  role: string;
  content?: string | { type: string; [part: string]: unknown }[] | null;
  [key: string]: unknown;
}

/** A text, several, or token ids. */
export type Prompt = string | string[] | number[] | number[][];

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

export interface ToolCall {
  id: string;
  type: "function";
  /** The arguments are JSON as the model wrote it. */
  function: { name: string; arguments: string };
}

/** The answer to chatCompletion. */
export interface ChatCompletion {
  id: string;
  object: "chat.completion";
  /** Unix seconds. */
  created: number;
  model: string;
  choices: [ChatChoice, ...ChatChoice[]];
  usage: Usage;
}

export interface ChatChoice {
  index: number;
  message: {
    role: "assistant";
    content: string | null;
    reasoning?: string | null;
    refusal?: string | null;
    tool_calls?: ToolCall[];
  };
  /** "stop", "length", "tool_calls", "abort", ... */
  finish_reason: string | null;
  logprobs?: unknown;
}

/** A piece of a streamed chat completion. */
export interface ChatCompletionChunk {
  id: string;
  object: "chat.completion.chunk";
  created: number;
  model: string;
  /** Empty in the chunk that tells the usage. */
  choices: ChatChunkChoice[];
  /** With `stream_options: { include_usage: true }`, in the last chunk. */
  usage?: Usage | null;
}

export interface ChatChunkChoice {
  index: number;
  delta: { role?: "assistant"; content?: string | null; reasoning?: string | null; tool_calls?: ToolCallDelta[] };
  finish_reason: string | null;
  logprobs?: unknown;
}

/** What a chunk adds to the tool call of that index. */
export interface ToolCallDelta {
  index: number;
  id?: string;
  type?: "function";
  function?: { name?: string; arguments?: string };
}

/** The answer to completion. */
export interface Completion {
  id: string;
  object: "text_completion";
  created: number;
  model: string;
  choices: [CompletionChoice, ...CompletionChoice[]];
  usage: Usage;
}

export interface CompletionChoice {
  index: number;
  text: string;
  finish_reason: string | null;
  logprobs?: unknown;
}

/** A piece of a streamed completion. */
export interface CompletionChunk {
  id: string;
  object: "text_completion";
  created: number;
  model: string;
  /** Empty in the chunk that tells the usage. */
  choices: CompletionChoice[];
  usage?: Usage | null;
}

export type Phase = "stopped" | "pending" | "starting" | "ready" | "unhealthy" | "draining" | "stopping" | "backoff" | "failed";

/** The answer to models. */
export interface ModelList {
  object: "list";
  data: ModelCard[];
}

export interface ModelCard {
  id: string;
  object: "model";
  created: number;
  owned_by: string;
  /** The name that the model server uses. */
  root: string;
  aliases?: string[];
  phase: Phase;
}

/** The answer to status. */
export interface Status {
  /** "degraded" when a model that should run is not ready. */
  status: "ok" | "degraded";
  epoch: string;
  revision: number;
  models: { ready: number; total: number };
  /** How many gateways the supervisor knows of. */
  gateways: number;
}

/** The answer to model, start, stop and restart. Times are RFC 3339. */
export interface ModelStatus {
  id: string;
  aliases?: string[];
  served_name: string;
  driver: "process" | "external" | "docker" | "kubernetes";
  desired: "running" | "stopped";
  phase: Phase;
  reason: string;
  message: string;
  since: string;
  restarts: number;
  instances: InstanceStatus[];
}

/** One server of a model. */
export interface InstanceStatus {
  id: string;
  url: string;
  pid?: number;
  phase: Phase;
  reason: string;
  message: string;
  since: string;
  restarts: number;
  /** The signal is "" for an exit of its own. */
  last_exit?: { code: number; signal: string; at: string };
}

/** The answer to healthCheck. */
export interface HealthCheck {
  model: string;
  /** Whether all instances are. */
  healthy: boolean;
  instances: InstanceHealth[];
}

export interface InstanceHealth {
  id: string;
  url: string;
  healthy: boolean;
  /** The HTTP status; 0 without an answer. */
  status: number;
  latency_ms: number;
  error: string;
}
