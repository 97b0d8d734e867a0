/**
 * What is added to the log as the writer is given it: what was checked and copied at the call, the bytes of all of it
 * in one piece.
 */
import type { Addition, LogState, NewLogEntry } from "../audit-log.ts";
import { takeAddition } from "../log-limits.ts";
import { idBytes } from "./ids.ts";
import { packed } from "./packed.ts";
import type { OwnBytes } from "./units-taken.ts";

export interface TakenAddition extends Pick<Addition, "removed" | "streams" | "closed" | "begins"> {
  readonly entries: readonly (Omit<NewLogEntry, "id" | "text" | "leaf" | "at"> & {
    /** Milliseconds since the epoch. */
    readonly at: number;
  })[];
  readonly subtrees: readonly Omit<Addition["subtrees"][number], "hash">[];
  readonly state: Omit<LogState, "subtrees">;
  readonly heads: readonly Omit<Addition["heads"][number], "entry">[];
  readonly messages: readonly Omit<Addition["messages"][number], "sha256">[];
  /**
   * Of each entry its id, leaf and text; of each subtree its hash; the peaks; of each head its entry; of each message
   * its hash.
   */
  readonly bytes: OwnBytes;
}

/** Of a subtree's hash with its height before it. */
export const PEAK_BYTES: number = 1 + 32;

/** @throws VaultError `store-failed` */
export function takenAddition(base: Pick<LogState, "history" | "size">, given: Addition): TakenAddition {
  const { entries, subtrees, state, heads, messages, ...rest } = takeAddition(base, given);
  const { subtrees: peaks, ...ofState } = state;
  return {
    ...rest,
    entries: entries.map(({ at, principal, action, collection, people }) => ({
      at: Date.parse(at),
      principal,
      action,
      collection,
      people,
    })),
    subtrees: subtrees.map(({ height, index }) => ({ height, index })),
    state: ofState,
    heads: heads.map(({ tag, version, state: is }) => ({ tag, version, state: is })),
    messages: messages.map(({ tag, version }) => ({ tag, version })),
    bytes: packed([
      ...entries.flatMap(({ id, leaf, text }) => [idBytes(id), leaf, text]),
      ...subtrees.map(({ hash }) => hash),
      Buffer.concat(peaks.flatMap(({ height, hash }) => [Buffer.of(height), hash])),
      ...heads.map(({ entry }) => (entry === null ? null : idBytes(entry))),
      ...messages.map(({ sha256 }) => sha256),
    ]),
  };
}
