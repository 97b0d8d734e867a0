/**
 * The log's tree: what the log says of itself, to go on from, and what lies in it, for roots and proofs.
 */
import { isStored, StoredTree } from "@strongroom/tlog/stored-tree";
import { CompactRange } from "@strongroom/tlog/tree";
import type { AuditLog, LogState, NewLogEntry, StoredSubtree } from "../stores/audit-log.ts";

/** The tree as it lies in the log. */
export const storedTree = (log: Pick<AuditLog, "hashes">): StoredTree => new StoredTree((range) => log.hashes(range));

/** The same, where one place is asked for many proofs: what was read once is not read again. */
export function rememberedTree(log: Pick<AuditLog, "hashes">): StoredTree {
  const known = new Map<string, Promise<readonly Uint8Array[]>>();
  return new StoredTree((range) => {
    const key = `${range.height}/${range.start}/${range.end}`;
    const read = known.get(key) ?? log.hashes(range);
    known.set(key, read);
    return read;
  });
}

/** The tree that the log says that it has, without a look at its leaves; null: there is no such tree. */
export function rangeOf({ size, subtrees }: Pick<LogState, "size" | "subtrees">): CompactRange | null {
  const range = new CompactRange();
  try {
    for (const { height, hash } of subtrees) range.append(hash, height);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
  return range.size === size && range.subtrees.length === subtrees.length ? range : null;
}

/** Adds leaves to a range. @returns the subtrees of stored heights that they complete */
export function addLeaves(range: CompactRange, entries: readonly Pick<NewLogEntry, "leaf">[]): StoredSubtree[] {
  const completed: StoredSubtree[] = [];
  for (const { leaf } of entries)
    range.append(leaf, 0, (subtree) => {
      if (isStored(subtree)) completed.push(subtree);
    });
  return completed;
}
