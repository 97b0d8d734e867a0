/**
 * Tells others how far the log is, after it is there: the key store, which keeps the newest checkpoint beside the keys,
 * so that a log that is set back is noticed; and the witnesses.
 */
import { WitnessPublisher } from "@strongroom/witness/publisher";
import type { PublisherState } from "@strongroom/witness/publisher";
import type { CheckpointRow } from "../stores/key-store.ts";
import type { Seen, Witness, WitnessedLog } from "./witness.ts";

/** Another process may publish between a look and a change: so often it is tried. */
const TRIES = 8;

/** A witness, and what it had seen when the log was opened. */
export interface ExaminedWitness {
  readonly witness: Witness;
  readonly seen: Seen;
}

/** How a witness is. */
export interface WitnessStatus {
  readonly name: string;
  readonly state: PublisherState;
  readonly size: number;
}

/**
 * Puts the checkpoint into the key store, where that has none or an older one.
 *
 * @param last what this process put there last: it goes on from that, and need not look
 * @returns whether it, or a newer one of the same log, is there
 * @throws VaultError `store-rolled-back`: what is there is of another log, or the log does not go on from it
 */
export async function publishToKeys(row: CheckpointRow, log: WitnessedLog, last: string | null): Promise<boolean> {
  for (let tries = 0; tries < TRIES; tries++) {
    const seen = await row.read();
    if (seen !== null && seen !== last) {
      const there = log.own(seen);
      // Another process was faster. What it has added, this one has not seen, and is not to judge.
      if (there?.origin === log.checkpoint.origin && there.size >= log.checkpoint.size) return true;
      await log.compare(seen, "the key store");
    }
    if ((await row.replace(log.note, seen)) === "replaced") return true;
  }
  return false;
}

/** The same, whatever is there: of a history that begins, since what was there was accepted as lost. */
export async function publishToKeysAnyway(row: CheckpointRow, note: string | null): Promise<void> {
  for (let tries = 0; tries < TRIES && note !== null; tries++)
    if ((await row.replace(note, await row.read())) === "replaced") return;
}

const nothing = (): void => undefined;

/** Tells witnesses, each at its own pace. */
export class Witnesses {
  readonly #examined: readonly ExaminedWitness[];
  readonly #onFault: (error: unknown) => void;
  #publishers: readonly { readonly name: string; readonly publisher: WitnessPublisher }[] | null = null;

  constructor(examined: readonly ExaminedWitness[], onFault: (error: unknown) => void) {
    this.#examined = examined;
    this.#onFault = onFault;
  }

  /** The log is so far, durably, and the key store knows. */
  publish(log: WitnessedLog): void {
    this.#publishers ??= this.#examined.map((one) => this.#publisherOf(one, log));
    for (const { publisher } of this.#publishers) publisher.publish(log);
  }

  #publisherOf({ witness, seen }: ExaminedWitness, log: WitnessedLog): { name: string; publisher: WitnessPublisher } {
    const onAway = (_name: string, error: unknown): void => {
      this.#onFault(error);
    };
    const publisher = new WitnessPublisher(witness, log, { seen, onAway, onBack: nothing });
    return { name: witness.name, publisher };
  }

  get status(): readonly WitnessStatus[] {
    if (this.#publishers === null)
      return this.#examined.map(({ witness, seen }) => ({
        name: witness.name,
        state: seen.kind === "away" ? "away" : "behind",
        size: seen.kind === "seen" ? seen.size : 0,
      }));
    return this.#publishers.map(({ name, publisher }) => ({
      name,
      state: publisher.state,
      size: Math.max(0, publisher.told),
    }));
  }

  /** Tells what is left to tell. */
  async close(): Promise<void> {
    await Promise.all((this.#publishers ?? []).map(({ publisher }) => publisher.close()));
  }
}
