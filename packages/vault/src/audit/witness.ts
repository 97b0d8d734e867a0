/**
 * A witness: something apart from the stores that remembers how far the log was, so that all three of them set back
 * together are noticed. The log and the key store are written first and a witness is told after, so that it may be
 * behind, and is never ahead, whenever the process dies.
 */
import type { Checkpoint } from "@strongroom/tlog/checkpoint";
import type { StoredTree } from "@strongroom/tlog/stored-tree";

/** A log that is whole in itself, at its newest checkpoint. */
export interface WitnessedLog {
  /** The newest checkpoint as it is signed (c2sp.org/signed-note), and what it says. */
  readonly note: string;
  readonly checkpoint: Checkpoint;
  /** Proves that the log goes on from an older size. */
  readonly tree: Pick<StoredTree, "proveConsistency">;
  /**
   * Holds a checkpoint that was kept elsewhere against the log. Answers the size that it names if the log goes on from
   * it; 0: it is of a history that was given up since, on record (a restore that was accepted).
   *
   * @param from names it in errors: "the witness PATH"
   * @throws VaultError `store-rolled-back`: the log does not go on from it, or its key did not sign it
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
  /**
   * Holds a log against what was seen. Changes nothing that was seen, but that a service may cosign what it is shown.
   *
   * @throws VaultError `store-rolled-back`: the log does not go on from it
   */
  examine(log: WitnessedLog): Promise<Seen>;
  /**
   * Remembers a newer state. Another process may have told it a newer one of the same log meanwhile: then nothing is
   * done, and it is well.
   *
   * @throws Error if it is not remembered; VaultError `store-rolled-back` as above
   */
  record(log: WitnessedLog): Promise<void>;
  /** The note that it has, where it gives that out; null where there is none. */
  read(): Promise<string | null>;
}
