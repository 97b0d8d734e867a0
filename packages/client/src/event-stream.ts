/**
 * Server-sent events out of the bytes of an answer (text/event-stream): each as it comes, of a bounded length, and an
 * end where nothing comes any more, not even a heartbeat.
 */
import { type Bytes, unintelligible } from "./call.ts";
import { ClientError } from "./errors.ts";

/** One event. */
export interface ServerEvent {
  readonly name: string;
  readonly data: string;
}

/** What bounds a stream. */
export interface StreamLimits {
  /** UTF-16 units of one event. */
  readonly eventLength: number;
  /** Longest silence, in milliseconds. */
  readonly silenceMs: number;
}

/** The service says something every 15 s. */
export const STREAM_LIMITS: StreamLimits = { eventLength: 4 * 1024 * 1024, silenceMs: 45_000 };

/**
 * The events. Ends when the service ends the stream; throws ClientError `unreachable` where it breaks or falls silent,
 * `answer-too-large`, `unintelligible`, `aborted`.
 */
export async function* serverEvents(
  bytes: Bytes,
  callers: readonly AbortSignal[],
  { eventLength, silenceMs }: StreamLimits = STREAM_LIMITS,
): AsyncGenerator<ServerEvent, void, undefined> {
  const reader = bytes.getReader();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  try {
    for (;;) {
      const part = await partOf(reader, callers, silenceMs);
      if (part === null) return;
      text += decoded(decoder, part);
      const events = text.split(/\r?\n\r?\n/);
      text = events.pop() ?? "";
      if ([text, ...events].some(({ length }) => length > eventLength))
        throw new ClientError("answer-too-large", { detail: "An event of it is longer than any of a service." });
      for (const event of events) {
        const parsed = parsedEvent(event);
        if (parsed !== null) yield parsed;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** The next bytes; null at the end. */
async function partOf(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  callers: readonly AbortSignal[],
  silenceMs: number,
): Promise<Uint8Array | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new ClientError("unreachable", { detail: `Nothing was heard for ${silenceMs / 1000} s.` }));
    }, silenceMs);
  });
  try {
    const { done, value } = await Promise.race([reader.read(), silence]);
    return done ? null : value;
  } catch (cause) {
    const gaveUp = callers.find((signal) => signal.aborted);
    if (gaveUp !== undefined) throw new ClientError("aborted", { cause: gaveUp.reason });
    if (cause instanceof ClientError) throw cause;
    throw new ClientError("unreachable", { detail: "The connection was closed.", cause });
  } finally {
    clearTimeout(timer);
  }
}

function decoded(decoder: InstanceType<typeof TextDecoder>, part: Uint8Array): string {
  try {
    return decoder.decode(part, { stream: true });
  } catch {
    throw unintelligible("its text");
  }
}

/** Null: nothing but comments, or how long to wait before coming back. */
function parsedEvent(lines: string): ServerEvent | null {
  const fields = lines.split(/\r?\n/).map((line) => /^(event|data): ?(.*)$/.exec(line));
  const of = (field: string): readonly string[] =>
    fields.flatMap((found) => (found?.[1] === field ? [found[2] ?? ""] : []));
  const data = of("data");
  return data.length === 0 ? null : { name: of("event").at(-1) ?? "message", data: data.join("\n") };
}
