/**
 * Server-sent events (text/event-stream): an answer that goes on until somebody ends it. It is written past the
 * framework, whose answers have a length and a time in which they must be read whole.
 */
import type { FastifyReply } from "fastify";

export const EVENT_STREAM_TYPE = "text/event-stream";

/** After so long, in milliseconds, a client whose stream broke comes back. */
const RETRY_MS = 2000;

/** One stream. Whoever writes asks first whether what was written before is on its way. */
export class EventStream {
  readonly #answer: FastifyReply["raw"];
  readonly #stallMs: number;
  #stalled: NodeJS.Timeout | null = null;
  #wroteAt = performance.now();

  /** Takes the answer over, and sends its head. */
  constructor(reply: FastifyReply, stallMs: number) {
    this.#stallMs = stallMs;
    this.#answer = reply.raw;
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) this.#answer.setHeader(name, value);
    // Proxies of the nginx kind would collect it.
    this.#answer.writeHead(200, { "content-type": `${EVENT_STREAM_TYPE}; charset=utf-8`, "x-accel-buffering": "no" });
    this.#answer.once("close", () => {
      if (this.#stalled !== null) clearTimeout(this.#stalled);
    });
    this.#write(`retry: ${RETRY_MS}\n\n`);
  }

  /** Whether there is nothing that the client has to read first. */
  get isReady(): boolean {
    return this.#stalled === null && !this.#answer.writableEnded && !this.#answer.destroyed;
  }

  /** Milliseconds since something was written. */
  get silentMs(): number {
    return performance.now() - this.#wroteAt;
  }

  /** @param data JSON: one line */
  event(name: string, data: string): void {
    this.#write(`event: ${name}\ndata: ${data}\n\n`);
  }

  /** A comment: whoever waits sees that the service is there. */
  heartbeat(): void {
    this.#write(": still here\n\n");
  }

  end(): void {
    this.#answer.end();
  }

  /** Threat: a client that reads nothing holds what was written for it. Its connection is reset. */
  #write(text: string): void {
    if (this.#answer.writableEnded || this.#answer.destroyed) return;
    this.#wroteAt = performance.now();
    if (this.#answer.write(text) || this.#stalled !== null) return;
    this.#stalled = setTimeout(() => this.#answer.socket?.resetAndDestroy(), this.#stallMs);
    this.#answer.once("drain", () => {
      if (this.#stalled !== null) clearTimeout(this.#stalled);
      this.#stalled = null;
    });
  }
}
