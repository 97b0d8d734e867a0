/**
 * One call for many who want the same thing at the same moment. The call belongs to no single caller: one who gives up
 * leaves, and the others still get the answer.
 */
import { EnvelopeError } from "../errors/envelope-error.ts";

/** `leader`: the call was made for this caller, and only this caller gets its value. */
export type Joined<T> = { readonly leader: true; readonly value: T } | { readonly leader: false };

export class SingleFlight {
  readonly #flights = new Map<string, Promise<unknown>>();

  /**
   * Makes the call for `id`, or waits for the one that is under way.
   *
   * @throws what the call throws, or EnvelopeError `aborted`. Who waited is not told of `decryption-failed`: it may be
   *   the fault of the leader's message alone, and must not fail the others'.
   */
  async join<T>(id: string, signal: AbortSignal | undefined, call: () => Promise<T>): Promise<Joined<T>> {
    const flight = this.#flights.get(id);
    if (flight !== undefined) {
      await unlessAborted(flight, signal).catch(rethrowUnlessOfOneMessage);
      return { leader: false };
    }
    const own = call().finally(() => this.#flights.delete(id));
    this.#flights.set(id, own);
    return { leader: true, value: await unlessAborted(own, signal) };
  }
}

function rethrowUnlessOfOneMessage(error: unknown): void {
  if (!(error instanceof EnvelopeError) || error.code !== "decryption-failed") throw error;
}

async function unlessAborted<T>(flight: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return flight;
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    reject(new EnvelopeError("aborted", "The operation was aborted", { cause: signal.reason }));
  };
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([flight, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    // Nobody may be left to hear it fail.
    flight.catch(() => undefined);
  }
}
