/**
 * What every request goes through, whatever its route: its body is parsed, it has a deadline, and it leaves one line in
 * the log.
 */
import { jsonFault } from "@strongroom/base/json";
import { parseJson, VAULT_ERRORS } from "@strongroom/vault";
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { REFUSAL_CODES } from "../admission/refusals.ts";
import { ServerError } from "../errors.ts";

/** Bodies are JSON, parsed by the vault's own strict parser, and their bytes are wiped as soon as they are parsed. */
export function useJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) => {
    try {
      // Fastify's own copy of the body; nothing else holds it.
      done(null, parseBody(body as Buffer));
    } catch (error) {
      done(error as Error);
    } finally {
      (body as Buffer).fill(0);
    }
  });
}

/** @throws VaultError `document-invalid`; ServerError `body-invalid` */
function parseBody(body: Buffer): unknown {
  const parsed = parseJson(body);
  const fault = jsonFault(body);
  if (fault === null) return parsed;
  throw new ServerError("body-invalid", `An object has a key twice, the second time near byte ${fault.offset}`);
}

/**
 * The AbortSignal of a request: triggered when its client is gone before the answer, or when answering takes too long.
 *
 * Not Fastify's own `request.signal`: that is also triggered when the body has been read to its end.
 */
export function requestSignal(reply: FastifyReply, answerMs: number): AbortSignal {
  const controller = new AbortController();
  const deadline = setTimeout(() => {
    controller.abort(new ServerError("request-deadline", `The request was not answered within ${answerMs} ms`));
  }, answerMs);
  reply.raw.once("close", () => {
    clearTimeout(deadline);
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}

/** The reason why the signal was triggered, when that was the deadline. */
export function deadlineError(signal: AbortSignal): ServerError | null {
  return signal.aborted && signal.reason instanceof ServerError ? signal.reason : null;
}

/** A request that has ended, for the log and the metrics. */
export interface EndedRequest {
  readonly method: string;
  /** The route's pattern, null when no route has the path. */
  readonly route: string | null;
  readonly status: number;
  readonly durationMs: number;
  /** Of the problem that it ended with, null when there was none. */
  readonly code: string | null;
  /** Records that it was refused for, or that its answer names as damaged. */
  readonly damaged: number;
  /** Its answer went on until somebody ended it: how long that took says nothing. */
  readonly isStream: boolean;
}

/** How a request ended, once the answer is out or its connection is closed. */
export function endedRequest(request: FastifyRequest, reply: FastifyReply): EndedRequest {
  const isStream = request.routeOptions.config.isStream === true && reply.raw.headersSent;
  const gone = !reply.raw.writableFinished && !isStream;
  return {
    method: request.method,
    route: request.routeOptions.url ?? null,
    status: gone ? VAULT_ERRORS.aborted.status : reply.statusCode,
    durationMs: Math.round(reply.elapsedTime * 100) / 100,
    code: gone ? "aborted" : request.problemCode,
    damaged: request.damaged,
    isStream,
  };
}

/**
 * One log line for each request: who, which route (the pattern, not the URL with its id), how it ended, how long it
 * took. No body, no header, no query, so not a byte of anyone's data.
 */
export function logRequest(
  request: FastifyRequest,
  { method, route, status, durationMs, code, damaged }: EndedRequest,
): void {
  // The request's logger adds `requestId`.
  const line = {
    method,
    route,
    status,
    durationMs,
    tokenId: request.token?.id ?? null,
    ...(code === null ? {} : { code }),
    ...(damaged === 0 ? {} : { damaged }),
  };
  // Under load there are thousands a second: they are told of together.
  if (code !== null && REFUSAL_CODES.has(code)) request.log.debug(line, "request");
  else if (status >= 500) request.log.error(line, "request");
  else if (damaged > 0) request.log.warn(line, "request");
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
