// Tells the witness of new states of the log, one at a time and the newest only: the first at once, the next after a
// pause, so that a busy server does not wait for the witness's disk with every call.

import type { Logger } from "pino";
import type { Custody } from "../store/custody.ts";
import type { NewHead, Witness } from "./witness.ts";

/** Between two states that a witness is told, at least; and before it is tried again after a failure. */
const PAUSE_MS = 250;
const RETRY_MS = 10_000;

/** Whether the witness knows everything: `behind` while it is being told. */
export type WitnessState = "none" | "current" | "behind" | "away";

/** Keeps a witness up to date. */
export class WitnessPublisher {
  readonly #witness: Witness;
  #newest: NewHead;
  readonly #logger: Logger;
  /** The size that the witness has, as far as it was told. */
  #told: number;
  #away = false;
  #telling: Promise<void> | null = null;
  #pause: NodeJS.Timeout | null = null;
  #closed = false;

  /** `newest` is on the disk; `told` is how much of it the witness has seen, -1 for nothing. */
  constructor(witness: Witness, newest: NewHead, { told, logger }: { readonly told: number; readonly logger: Logger }) {
    this.#witness = witness;
    this.#newest = newest;
    this.#logger = logger;
    this.#told = told;
  }

  /** For health. */
  get state(): WitnessState {
    if (this.#away) return "away";
    return this.#told === this.#newest.size ? "current" : "behind";
  }

  /**
   * Something was committed, and is on the disk.
   * Threat: a power cut after the witness was told what the disk did not have yet would look like a log set back.
   */
  publish(newest: NewHead): void {
    this.#newest = newest;
    this.#tellSoon();
  }

  #tellSoon(): void {
    if (this.#telling !== null || this.#pause !== null || this.#closed) return;
    if (this.#told === this.#newest.size) return;
    this.#telling = this.#tell().finally(() => {
      this.#telling = null;
      if (this.#closed) return;
      this.#pause = setTimeout(
        () => {
          this.#pause = null;
          this.#tellSoon();
        },
        this.#away ? RETRY_MS : PAUSE_MS,
      ).unref();
    });
  }

  /** Tells what is left to tell. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#pause !== null) clearTimeout(this.#pause);
    await this.#telling;
    if (this.#told !== this.#newest.size) await this.#tell();
  }

  async #tell(): Promise<void> {
    const head = this.#newest;
    try {
      await this.#witness.record(head);
      this.#told = head.size;
      if (this.#away) this.#logger.warn(`${this.#witness.name} is back`);
      this.#away = false;
    } catch (error) {
      if (!this.#away) this.#logger.error({ err: error }, `${this.#witness.name} does not remember the audit`);
      this.#away = true;
    }
  }
}

/** What is committed. */
export const headOf = ({ database: { db }, log }: Pick<Custody, "database" | "log">): NewHead => ({
  db,
  note: log.checkpoint,
  size: log.head.size,
});

/** What keeps `witness` up to date about an opened log; an operator is told if it has nothing to hold against it. */
export function publisherFor(
  witness: Witness,
  custody: Pick<Custody, "database" | "log" | "seen">,
  logger: Logger,
): WitnessPublisher {
  const { seen } = custody;
  if (seen?.kind === "nothing") logger.warn(`${witness.name} has seen nothing yet: the audit is believed as it is`);
  if (seen?.kind === "away")
    logger.error(`${witness.name} cannot be asked (${seen.reason}): whether the audit was set back is not known`);
  return new WitnessPublisher(witness, headOf(custody), { told: seen?.kind === "seen" ? seen.size : -1, logger });
}
