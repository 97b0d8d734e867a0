/**
 * What keyrings do when the caller gives up.
 */
import { EnvelopeError } from "../errors/envelope-error.ts";

/** @throws EnvelopeError `aborted` */
export function requireNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortedError(signal);
}

export function abortedError(signal: AbortSignal): EnvelopeError {
  return new EnvelopeError("aborted", "The operation was aborted", { cause: signal.reason });
}
