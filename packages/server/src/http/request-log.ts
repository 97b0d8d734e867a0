/**
 * One log line for each request: who, which route (the pattern, not the URL with its id), how it ended, how long it
 * took. No body, no header, no query, so not a byte of anyone's data.
 */
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from "fastify";
import { STATUS } from "../problems.ts";

export interface EndedRequest {
  readonly method: string;
  /** The route's pattern, null when no route has the path. */
  readonly route: string | null;
  readonly status: number;
  readonly durationMs: number;
  /** Of the problem that it ended with, null when there was none. */
  readonly code: string | null;
}

/** How a request ended, once the answer is out or its connection is closed. */
export function endedRequest(request: FastifyRequest, reply: FastifyReply): EndedRequest {
  const gone = !reply.raw.writableFinished;
  return {
    method: request.method,
    route: request.routeOptions.url ?? null,
    status: gone ? STATUS.aborted : reply.statusCode,
    durationMs: Math.round(reply.elapsedTime * 100) / 100,
    code: gone ? "aborted" : request.problemCode,
  };
}

export function logRequest(request: FastifyRequest, { method, route, status, durationMs, code }: EndedRequest): void {
  // The request's logger adds `requestId`.
  const line = {
    method,
    route,
    status,
    durationMs,
    tokenId: request.token?.id ?? null,
    ...(code === null ? {} : { code }),
  };
  if (status >= 500) request.log.error(line, "request");
  else request.log.info(line, "request");
}

/**
 * An error that nobody expected: its class, its code and where it happened. Not its message, which may quote what was
 * being handled.
 */
export function logFault(log: FastifyBaseLogger, fault: unknown): void {
  const chain = [];
  for (let error = fault; error instanceof Error && chain.length < 5; error = error.cause) {
    const code = "code" in error && typeof error.code === "string" ? error.code : null;
    const frames = (error.stack ?? "")
      .split("\n")
      .filter((line) => /^\s+at /.test(line))
      .map((line) => line.trim());
    chain.push({ name: error.name, code, frames });
  }
  log.error({ fault: chain.length > 0 ? chain : [{ name: typeof fault, code: null, frames: [] }] }, "unexpected error");
}
