/**
 * The key of a rewrapping, for those of its wraps that must be made from the key itself: opened by one call for all of
 * them, and not at all where a proof has it to show.
 */
import type { SecretBytes } from "../crypto/secret.ts";

/** Where the key may come from. */
export interface KeyOrigins {
  /** Settles when no wrap is under way any more whose proof would show the key; null: none is. */
  proofs(): Promise<void> | null;
  /** Whether a proof is worth waiting for, before a wrap is opened for nothing else. */
  readonly mayWaitForProofs: boolean;
  /** Opens one of the wraps that there were. */
  open(): Promise<SecretBytes>;
  /** Opens one of those that were made meanwhile; null: there are none. */
  openNew(): Promise<SecretBytes> | null;
}

export class OpenedOnce {
  readonly #origins: KeyOrigins;
  readonly #given = Promise.withResolvers<undefined>();
  #key: SecretBytes | null = null;
  #opening: Promise<void> | null = null;
  #over = false;
  /** Why there is none. */
  error: unknown = null;

  constructor(origins: KeyOrigins) {
    this.#origins = origins;
  }

  /** A key that was opened for another purpose, and accepted. It is handed over. */
  give(key: SecretBytes): void {
    if (this.#key !== null || this.#over) {
      key.wipe();
      return;
    }
    this.#key = key;
    this.#given.resolve(undefined);
  }

  /** A handle on the key; null: nothing opened it. */
  async get(): Promise<SecretBytes | null> {
    if (this.#key === null) await (this.#opening ??= this.#open());
    return this.#key?.share() ?? null;
  }

  /** What comes later is wiped when it comes. */
  wipe(): void {
    this.#over = true;
    this.#key?.wipe();
    this.#key = null;
  }

  async #open(): Promise<void> {
    const { mayWaitForProofs } = this.#origins;
    // Whoever asks is among those that were started just now: the others may follow.
    await Promise.resolve();
    if (mayWaitForProofs) await this.#proofs();
    await this.#take(() => this.#origins.open());
    await this.#proofs();
    await this.#take(() => this.#origins.openNew());
  }

  async #proofs(): Promise<void> {
    if (this.#key === null) await Promise.race([this.#given.promise, this.#origins.proofs()]);
  }

  async #take(open: () => Promise<SecretBytes> | null): Promise<void> {
    if (this.#key !== null || this.#over) return;
    try {
      const key = await open();
      if (key !== null) this.give(key);
    } catch (error) {
      this.error ??= error;
    }
  }
}
