// Sends again what the service could not take for the moment: it is away, too many regions are, or it has more to do
// than it can (429, 503). How long to wait is the service's to say; where it does not, longer each time.
import { setTimeout as sleep } from "node:timers/promises";
import { isClientError } from "@strongroom/client";
import { CliError } from "../errors.ts";

/** First and longest pause between two tries where the service does not say how long, in milliseconds. */
const PAUSE = { firstMs: 250, longestMs: 4000 } as const;

/** How long and what is tried again. */
export interface RetryOptions {
  readonly retryForMs: number;
  /**
   * `known-unstored`: only what the service answered, which says that nothing was stored. A write that got no answer
   * may have been, and sending it again would make one more version.
   */
  readonly repeat: "any" | "known-unstored";
  readonly signal: AbortSignal;
  /** Told before each pause. */
  readonly onPause?: () => void;
}

/** Sends until it succeeds, fails for good, or the time is over. Throws `interrupted` and what `send` throws. */
export async function withRetries<Result>(
  send: () => Promise<Result>,
  { retryForMs, repeat, signal, onPause }: RetryOptions,
): Promise<Result> {
  const giveUpAt = performance.now() + retryForMs;
  for (let delay: number = PAUSE.firstMs; ; delay = Math.min(delay * 2, PAUSE.longestMs)) {
    try {
      return await send();
    } catch (error) {
      if (!mayRepeat(error, repeat)) throw error;
      const pause = Math.max(delay, retryAfterMs(error));
      if (performance.now() + pause > giveUpAt) throw error;
      onPause?.();
      // Not all at the same moment: those who were refused together would come back together.
      await sleep(pause * (1 + Math.random() / 4), undefined, { signal }).catch(() => {
        throw new CliError("interrupted");
      });
    }
  }
}

function mayRepeat(error: unknown, repeat: RetryOptions["repeat"]): boolean {
  if (!isClientError(error)) return false;
  // Whoever said 429 or 503, also a proxy without a problem description, did not pass the request on.
  const tooBusy = error.status === 429 || error.status === 503;
  return tooBusy || (error.outcome === "unavailable" && (repeat === "any" || error.status !== null));
}

function retryAfterMs(error: unknown): number {
  return ((isClientError(error) ? error.retryAfterSeconds : null) ?? 0) * 1000;
}
