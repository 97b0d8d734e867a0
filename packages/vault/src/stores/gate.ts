/**
 * The gate: which key set is in force, so that no process goes on writing under one that was left. The database holds
 * only a digest of the set; what is in it is each process' own configuration, or whoever writes to the database could
 * add a key of his own.
 */
declare const brand: unique symbol;

/**
 * Counts the changes of the key set, and of which indexes are written (indexes.ts). 0: no vault has written yet.
 */
export type Epoch = number & { readonly [brand]: "epoch" };

/**
 * Of the rules by which a program reads and writes a store. Raised when an older program must not go on. One that
 * writes as 3 removes records and leaves behind what is kept of them; as 4, what they are found by.
 */
export const STORE_READER = 3;
export const STORE_WRITER = 5;

/** The gate's row. */
export interface GateState {
  /** Which store it is: random, 36 characters. Of the record store it is the vault's id, which every message names. */
  readonly vault: string;
  /**
   * The id of the store that it belongs together with: of a record store its key store's, and the other way round.
   * Null: none yet.
   */
  readonly peer: string | null;
  readonly epoch: Epoch;
  /** Of the key set that is in force; null at epoch 0. */
  readonly digest: string | null;
  /** The lowest {@link STORE_READER} and {@link STORE_WRITER} that may use the store. */
  readonly minReader: number;
  readonly minWriter: number;
}

/** The gate of a store. */
export interface Gate {
  current(): Promise<GateState>;
  /**
   * Puts another key set in force: the epoch becomes `from + 1`. `moved`: it was not `from` any more, and nothing was
   * changed. Once it resolves with `flipped`, no unit and no rewrap of an earlier epoch is made any more: those under
   * way have ended.
   */
  flip(change: { readonly from: Epoch; readonly digest: string }): Promise<"flipped" | "moved">;
  /**
   * Resolves when no unit and no rewrap of an epoch before the one in force can be made any more. A flip does this
   * itself; asked for where one was interrupted after the epoch had moved, so that trying it again does not look done.
   */
  drained(): Promise<void>;
  /** Notes the peer, where none is noted yet. Answers what is noted then: whoever was first decides, and for good. */
  bind(peer: string): Promise<string>;
}
