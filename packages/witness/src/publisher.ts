// Tells a witness of new states of the log, one at a time and the newest only: the first at once, the next after a
// pause, so that a busy log does not wait for the witness's disk with every commit.

import type { Seen, SignedHead, Witness } from "./witness.ts";

/** Between two states that a witness is told, at least; and before it is tried again after a failure. */
const PAUSE_MS = 250;
const RETRY_MS = 10_000;

/** Whether the witness knows everything: `behind` while it is being told. */
export type PublisherState = "current" | "behind" | "away";

/** How a publisher begins, and who is told of it. */
export interface PublisherOptions {
  /** What the witness said of the log when that was opened; null: it was not asked. */
  readonly seen: Seen | null;
  /** It does not remember the log: once, until it is back. */
  onAway(name: string, error: unknown): void;
  onBack(name: string): void;
}

/** Keeps a witness up to date. */
export class WitnessPublisher {
  readonly #witness: Witness;
  readonly #options: PublisherOptions;
  #newest: SignedHead;
  /** The size that the witness has, as far as it was told. */
  #told: number;
  /** Also as it was looked at: until it has taken something, it is not known to be back. */
  #away: boolean;
  #isAwayTold = false;
  #telling: Promise<void> | null = null;
  #pause: NodeJS.Timeout | null = null;
  #closed = false;

  /** `newest` is on the disk. */
  constructor(witness: Witness, newest: SignedHead, options: PublisherOptions) {
    this.#witness = witness;
    this.#newest = newest;
    this.#options = options;
    const { seen } = options;
    this.#told = seen?.kind === "seen" ? seen.size : -1;
    this.#away = seen?.kind === "away";
  }

  /** For health. */
  get state(): PublisherState {
    if (this.#away) return "away";
    return this.#isCurrent() ? "current" : "behind";
  }

  /** The size that the witness has, as far as it was told; -1 for nothing. */
  get told(): number {
    return this.#told;
  }

  /**
   * Something was committed, and is on the disk.
   * Threat: a power cut after the witness was told what the disk did not have yet would look like a log set back.
   */
  publish(newest: SignedHead): void {
    this.#newest = newest;
    this.#tellSoon();
  }

  #isCurrent(): boolean {
    return this.#told === this.#newest.checkpoint.size;
  }

  #tellSoon(): void {
    if (this.#telling !== null || this.#pause !== null || this.#closed) return;
    if (this.#isCurrent()) return;
    this.#telling = this.#tell().finally(() => {
      this.#telling = null;
      if (this.#closed) return;
      this.#pause = setTimeout(
        () => {
          this.#pause = null;
          this.#tellSoon();
        },
        this.#away ? RETRY_MS : (this.#witness.pauseMs ?? PAUSE_MS),
      ).unref();
    });
  }

  /** Tells what is left to tell. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#pause !== null) clearTimeout(this.#pause);
    await this.#telling;
    if (!this.#isCurrent()) await this.#tell();
  }

  async #tell(): Promise<void> {
    const head = this.#newest;
    try {
      await this.#witness.record(head);
      this.#told = head.checkpoint.size;
      if (this.#isAwayTold) this.#options.onBack(this.#witness.name);
      this.#away = this.#isAwayTold = false;
    } catch (error) {
      if (!this.#isAwayTold) this.#options.onAway(this.#witness.name, error);
      this.#away = this.#isAwayTold = true;
    }
  }
}
