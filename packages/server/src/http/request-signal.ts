/**
 * The AbortSignal of a request: triggered when its client is gone before the answer, or when answering takes too long.
 *
 * Not Fastify's own `request.signal`: that is also triggered when the body has been read to its end.
 */
import type { FastifyReply } from "fastify";
import { ServerError } from "../errors.ts";

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
