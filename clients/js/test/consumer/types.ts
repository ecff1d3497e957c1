// Checked, never run: what a TypeScript program may and may not write.

import {
  APIError,
  type ChatCompletion,
  type ChatCompletionChunk,
  type ChatMessage,
  ChunkStream,
  type CompletionChunk,
  FluidMCPClient,
  type ModelStatus,
  StreamInterruptedError,
} from "fluidmcp";

const client = new FluidMCPClient({ baseUrl: "http://localhost:8099", apiKey: "k", timeout: 1000, maxRetries: 0, fetch });
const messages: ChatMessage[] = [{ role: "user", content: "Hello" }];

export async function plain(): Promise<string | null> {
  const result: ChatCompletion = await client.chatCompletion("m", messages, { max_tokens: 5, top_k: 1 });
  await client.chatCompletion("m", [{ role: "user", content: [{ type: "text", text: "x" }] }], { stream: false });
  const completion = await client.completion("m", ["a", "b"]);
  const text: string = completion.choices[0].text;
  return result.choices[0].message.content ?? text;
}

export async function streamed(signal: AbortSignal): Promise<void> {
  const stream: ChunkStream<ChatCompletionChunk> = await client.chatCompletion("m", messages, { stream: true, signal });
  for await (const chunk of stream) console.log(chunk.choices[0]?.delta.content, stream.requestId?.length);
  stream.cancel();
  for await (const chunk of await client.completion("m", "x", { stream: true })) {
    const known: CompletionChunk = chunk;
    console.log(known.choices[0]?.text);
  }
}

export async function either(stream: boolean): Promise<void> {
  const result = await client.chatCompletion("m", messages, { stream });
  if (result instanceof ChunkStream) for await (const chunk of result) console.log(chunk.object);
  else console.log(result.usage.total_tokens);
}

export async function managed(): Promise<number | undefined> {
  const status: ModelStatus = await client.restart("m", { timeout: 5000 });
  await client.stop("m");
  await client.start("m");
  const lines: string = await client.logs("m", { lines: 5 });
  const ready: number = (await client.status()).models.ready;
  const healthy: boolean = (await client.healthCheck("m")).healthy;
  const ids: string[] = (await client.models()).data.map((card) => card.id);
  console.log(lines, ready, healthy, ids);
  return status.instances[0]?.pid;
}

export function told(error: unknown): string {
  if (error instanceof StreamInterruptedError) return `${error.received} chunks, then ${error.code}`;
  if (error instanceof APIError)
    return `${error.status} ${error.code} ${error.type} ${error.param} ${error.requestId} ${error.retryAfter}`;
  return String(error);
}

export async function wrong(): Promise<void> {
  // @ts-expect-error a plain answer cannot be read as a stream
  for await (const _ of await client.chatCompletion("m", messages)) return;
  // @ts-expect-error a message has a role
  await client.chatCompletion("m", [{ content: "x" }]);
  // @ts-expect-error such an option does not exist
  new FluidMCPClient({ base_url: "http://localhost:8099" });
  // @ts-expect-error an address alone is no options
  new FluidMCPClient("http://localhost:8099");
  // @ts-expect-error nor is a URL
  new FluidMCPClient(new URL("http://localhost:8099"));
  // @ts-expect-error the stream has no choices, its chunks have
  (await client.chatCompletion("m", messages, { stream: true })).choices;
}
