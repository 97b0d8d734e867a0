/**
 * Notes: small texts that all processes of a store share, each under a name, changed by compare-and-swap. What is in
 * one is its writer's; a store keeps it and knows nothing of it. Like all that is stored it is not trusted: whoever
 * reads a note parses it, and decides nothing by it that a database's owner must not decide.
 */

/** A note as it lies there. */
export interface Note {
  /** 1 to 128 characters of `a-z0-9/._-`. */
  readonly name: string;
  /** 1 byte to 16 KiB of UTF-8, without NUL. */
  readonly text: string;
}

/** Most of a note's name, in characters, and of its text, in bytes. */
export const MAX_NOTE_NAME = 128;
export const MAX_NOTE_BYTES = 16_384;

/** The notes of a store. */
export interface Notes {
  /**
   * Those whose names begin so, in the order of names, the first 1,000. What holds what nobody writes is left out, as
   * if it were not there.
   */
  list(prefix: string): Promise<readonly Note[]>;
  /**
   * Puts a text in the place of the one that was seen. Durable when it resolves.
   *
   * @param text null: the note goes
   * @param seen null: there was none
   * @returns `overtaken`: it is another one by now, nothing was changed
   * @throws VaultError `store-failed` for what is beyond these limits; the store's
   */
  replace(name: string, text: string | null, seen: string | null): Promise<"replaced" | "overtaken">;
}
