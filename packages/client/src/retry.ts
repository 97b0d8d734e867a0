/**
 * Calls that the service refused for its load are sent again: after as long as it asks for, and a little chance, so
 * that those who were refused together do not come back together.
 */
import { type ClientError, isClientError } from "./errors.ts";

/** Sent again so often, unless told otherwise. */
export const DEFAULT_RETRIES = 3;

/** Shortest pause before the first repetition, in milliseconds; it doubles from one to the next. */
const FIRST_PAUSE_MS = 250;

/** How a call may be repeated. */
export interface RetryOptions {
  /** Repetitions at most. */
  readonly retries: number;
  /** Whether it changes nothing: then it is repeated also where it is not known that nothing was begun. */
  readonly isRead: boolean;
  readonly timeoutMs: number;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

/** What `send` gives, or what it throws when it may not be repeated or there is no time left. */
export async function withRetries<Result>(send: () => Promise<Result>, options: RetryOptions): Promise<Result> {
  const giveUpAt = performance.now() + options.timeoutMs;
  for (let repetition = 0; ; repetition++) {
    try {
      return await send();
    } catch (error) {
      if (repetition >= options.retries || !isClientError(error) || !mayPass(error, options)) throw error;
      const leastMs = Math.max((error.retryAfterSeconds ?? 0) * 1000, FIRST_PAUSE_MS * 2 ** repetition);
      const pauseMs = leastMs * (1 + Math.random() / 2);
      if (performance.now() + pauseMs >= giveUpAt) throw error;
      await pause(pauseMs, options.signal);
    }
  }
}

/**
 * Refused before anything was begun; or a read, by something between here and the service. Not what the regions were
 * asked for already: the service has tried them all.
 */
function mayPass({ code, status, retryAfterSeconds }: ClientError, { isRead }: RetryOptions): boolean {
  if (status === 429 || code === "overloaded") return true;
  const isForeign = code === "unintelligible" || code === "unknown-code";
  return isRead && isForeign && status === 503 && retryAfterSeconds !== null;
}

/** Ends early when the signal is aborted: the next call says so. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}

/** The seconds of a header Retry-After: a number, or a date (RFC 9110, section 10.2.3); null when there is none. */
export function retryAfter(header: string | null): number | null {
  if (header === null) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  const seconds = (Date.parse(header) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? null : Math.max(0, seconds);
}
