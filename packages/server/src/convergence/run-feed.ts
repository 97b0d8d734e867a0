/**
 * How a run is, for everybody who follows it: the vault is asked once a second for all of them, and not at all while
 * nobody does. What was last seen is what the metrics show.
 */
import type { ConvergenceStatus, Vault } from "@strongroom/vault";
import { convergenceOf } from "./asked.ts";

/** Between two looks, in milliseconds, while somebody follows. */
export const LOOK_EVERY_MS = 1000;
/** For the metrics alone a look is good for so long, in milliseconds. */
const GOOD_FOR_MS = 10_000;

/** What came of a look: how it is, with its text, or why it could not be told. */
export type RunLook =
  | { readonly status: ConvergenceStatus; readonly text: string; readonly error: null }
  | { readonly status: null; readonly error: unknown };

/** Is told each second of the newest look. */
export type Follower = (look: RunLook) => void;

export class RunFeed {
  readonly #vault: Vault;
  readonly #followers = new Set<Follower>();
  #seen: RunLook | null = null;
  #seenAt = -Infinity;
  #looking: Promise<RunLook> | null = null;
  #ticking: NodeJS.Timeout | null = null;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  /** What was last seen; a newer look is taken beside it. Null: none was taken, or it failed. */
  seenOrSoon(): ConvergenceStatus | null {
    if (performance.now() - this.#seenAt > GOOD_FOR_MS) void this.look();
    return this.#seen?.status ?? null;
  }

  /** A look that begins no earlier than now, or is under way; it does not reject. */
  look(): Promise<RunLook> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  /** Tells `follower` each second, until the returned function is called. */
  follow(follower: Follower): () => void {
    this.#followers.add(follower);
    this.#ticking ??= setInterval(() => {
      this.#tick();
    }, LOOK_EVERY_MS);
    return () => {
      this.#followers.delete(follower);
      if (this.#followers.size > 0 || this.#ticking === null) return;
      clearInterval(this.#ticking);
      this.#ticking = null;
    };
  }

  /** Followers hear each second also while the store lets a look wait: they have their own to look after. */
  #tick(): void {
    const tell = (seen: RunLook): void => {
      for (const follower of this.#followers) follower(seen);
    };
    if (this.#looking === null) void this.look().then(tell);
    else if (this.#seen !== null) tell(this.#seen);
  }

  async #look(): Promise<RunLook> {
    let seen: RunLook;
    try {
      const status = await convergenceOf(this.#vault).status();
      seen = { status, text: JSON.stringify(status), error: null };
    } catch (error) {
      seen = { status: null, error };
    }
    this.#seen = seen;
    this.#seenAt = performance.now();
    return seen;
  }
}
