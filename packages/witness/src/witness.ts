/**
 * A witness: something apart from a log's own store that remembers how far the log was, so that a store that is set
 * back as a whole is noticed. The log is written first and a witness is told after, so that it may be behind, and is
 * never ahead, whenever the process dies.
 */
import type { Checkpoint } from "@strongroom/tlog/checkpoint";
import type { StoredTree } from "@strongroom/tlog/stored-tree";

/** A newest state of a log, to be remembered. */
export interface SignedHead {
  /** The newest checkpoint as it is signed (c2sp.org/signed-note). */
  readonly note: string;
  /** What it says. */
  readonly checkpoint: Pick<Checkpoint, "size">;
  /** Proves that the log goes on from an older size. */
  readonly tree: Pick<StoredTree, "proveConsistency">;
  /**
   * What a note says if the log's key signed it, of whichever history of this log; null: it is anything else. It is not
   * held against the log.
   */
  own(note: string): Checkpoint | null;
}

/** A log that is whole in itself, at its newest checkpoint. */
export interface WitnessedLog extends SignedHead {
  readonly checkpoint: Checkpoint;
  /**
   * Holds a checkpoint that was kept elsewhere against the log. Answers the size that it names if the log goes on from
   * it; 0: it is of a history that was given up since, on record (a restore that was accepted).
   *
   * @param from names it in errors: "the witness PATH"
   * @throws what `WitnessFailures.setBack` makes: the log does not go on from it, or its key did not sign it
   */
  compare(note: string, from: string): Promise<number>;
}

/** What a witness says of a log. */
export type Seen =
  /** The log goes on from the `size` entries that it has seen. */
  | { readonly kind: "seen"; readonly size: number }
  /** It has seen nothing yet, or nothing of this history. */
  | { readonly kind: "nothing" }
  /** It cannot be asked. `reason` is for an operator, and holds no secret. */
  | { readonly kind: "away"; readonly reason: string };

/** One witness. */
export interface Witness {
  /** As errors and reports name it: "the witness PATH". */
  readonly name: string;
  /** Between two states that it is told, at least, in milliseconds. Left out: a quarter of a second. */
  readonly pauseMs?: number;
  /**
   * Holds a log against what was seen. Changes nothing that was seen, but that a service may cosign what it is shown.
   *
   * @throws what `WitnessFailures.setBack` makes: the log does not go on from it
   */
  examine(log: WitnessedLog): Promise<Seen>;
  /**
   * Remembers a newer state. Another process may have told it a newer one of the same log meanwhile: then nothing is
   * done, and it is well.
   *
   * @throws Error if it is not remembered; what `WitnessFailures.setBack` makes, as above
   */
  record(head: SignedHead): Promise<void>;
  /** The note that it has, where it gives that out; null where there is none. */
  read(): Promise<string | null>;
}

/** Makes the errors of the package that has the witness: this code is in each of them, and has no class of its own. */
export interface WitnessFailures {
  /** It is configured in a way that cannot be right. */
  invalid(detail: string, cause?: unknown): Error;
  /** The log does not go on from what the witness has. */
  setBack(detail: string, cause?: unknown): Error;
}
