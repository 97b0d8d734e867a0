/**
 * The calls of a store that are under way: none begins once it is being closed, and closing waits for those that have.
 */
import { VaultError } from "../errors.ts";

/** Of one store. */
export class UnderWay {
  readonly #calls = new Set<Promise<unknown>>();
  #closing: Promise<void> | null = null;

  /** @throws VaultError `store-closed` */
  requireOpen(): void {
    if (this.#closing !== null) throw new VaultError("store-closed", "The store is closed");
  }

  /** @throws VaultError `store-closed`; what `failed` makes of what `call` throws */
  async run<Result>(call: () => Promise<Result>, failed: (error: unknown) => Error): Promise<Result> {
    this.requireOpen();
    const running = call();
    this.#calls.add(running);
    try {
      return await running;
    } catch (error) {
      throw failed(error);
    } finally {
      this.#calls.delete(running);
    }
  }

  /** Lets what is under way end: a write that is stored is answered as one. Closing twice is closing once. */
  close(then: () => Promise<void>): Promise<void> {
    return (this.#closing ??= Promise.allSettled(this.#calls).then(then));
  }
}
