/**
 * Time bounds that hold whatever the client does: one deadline over a whole operation, one timeout per attempt. A
 * client that ignores its AbortSignal is left behind, not waited for.
 */

export type CutShort = "timeout" | "deadline" | "aborted";

/** Thrown into an attempt that is cut short, so that it can be told from what the client itself throws. */
export class CutShortError extends Error {
  readonly reason: CutShort;

  constructor(reason: CutShort) {
    super(`cut short: ${reason}`);
    this.reason = reason;
  }
}

/** One deadline, joined with the caller's signal. Dispose of it, or its timer keeps running. */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #caller: AbortSignal | undefined;
  readonly #onCallerAbort = (): void => {
    this.#controller.abort(new CutShortError("aborted"));
  };

  constructor(deadlineMs: number, caller: AbortSignal | undefined) {
    this.#timer = setTimeout(() => {
      this.#controller.abort(new CutShortError("deadline"));
    }, deadlineMs);
    this.#caller = caller;
    if (caller?.aborted === true) this.#onCallerAbort();
    else caller?.addEventListener("abort", this.#onCallerAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** null while time is left. */
  get cutShort(): CutShort | null {
    const { signal } = this.#controller;
    return signal.aborted ? (signal.reason as CutShortError).reason : null;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener("abort", this.#onCallerAbort);
  }
}

/**
 * Runs one attempt for at most `timeoutMs` and never past `deadline`.
 *
 * @param discard gets an answer that comes too late: it may hold a data key that must be wiped.
 * @throws CutShortError, or what the attempt throws.
 */
export async function withinTime<T>(
  timeoutMs: number,
  deadline: Deadline,
  attempt: (signal: AbortSignal) => Promise<T>,
  discard: (late: T) => void,
): Promise<T> {
  const controller = new AbortController();
  const onDeadline = (): void => {
    controller.abort(deadline.signal.reason);
  };
  if (deadline.signal.aborted) onDeadline();
  controller.signal.throwIfAborted();
  deadline.signal.addEventListener("abort", onDeadline, { once: true });
  const timer = setTimeout(() => {
    controller.abort(new CutShortError("timeout"));
  }, timeoutMs);
  try {
    const running = attempt(controller.signal);
    const cut = new Promise<never>((_resolve, reject) => {
      controller.signal.addEventListener(
        "abort",
        () => {
          running.then(discard, () => undefined);
          reject(controller.signal.reason as CutShortError);
        },
        { once: true },
      );
    });
    return await Promise.race([running, cut]).catch((error: unknown) => {
      // A client that honours its signal throws its own abort error first; what matters is who aborted.
      throw controller.signal.aborted ? controller.signal.reason : error;
    });
  } finally {
    clearTimeout(timer);
    deadline.signal.removeEventListener("abort", onDeadline);
  }
}
