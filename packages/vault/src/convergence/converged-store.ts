/**
 * A store as plans and probes look at it: its inventory, its gate, and the key sets that this process knows. They read
 * wrap sets and counts; no message, no key.
 */
import type { KeySets } from "../keys/key-sets.ts";
import type { Gate } from "../stores/gate.ts";
import type { Inventory } from "../stores/inventory.ts";
import type { KeptMessages } from "../stores/kept.ts";
import type { WrapSet, WrapSetId } from "../stores/wrap-set.ts";
import type { WrappedStore } from "./view.ts";

/** What is looked at, of records or of keys. */
export interface ConvergedStore {
  readonly store: WrappedStore;
  readonly inventory: Pick<Inventory<unknown, never>, "sets" | "counts" | "any">;
  readonly gate: Pick<Gate, "current" | "drained">;
  readonly keySets: Pick<KeySets, "status" | "known" | "declared" | "digests">;
  /** Null: the store keeps no old messages. */
  readonly kept: Pick<KeptMessages, "counts" | "any"> | null;
}

/** How many items a wrap set has. */
export interface SetCount {
  readonly id: WrapSetId;
  /** Null: its row is damaged, or it has none. */
  readonly set: WrapSet | null;
  readonly items: number;
  /** Since when the oldest of them: ISO 8601, UTC; null: no date is told. */
  readonly oldest: string | null;
}

const EVERYTHING = Number.MAX_SAFE_INTEGER;

/** Looks for sets that came while others were counted. Who writes all the time makes no more than a handful. */
const LOOKS = 4;

/**
 * Every set that has items. It is no snapshot: what moves on meanwhile may be counted twice, but what has moved into a
 * set that was not there before is not missed.
 */
export async function countSets({ inventory }: Pick<ConvergedStore, "inventory">): Promise<readonly SetCount[]> {
  const counted = new Map<WrapSetId, SetCount>();
  for (let look = 1; look <= LOOKS; look++) {
    const fresh = new Map<WrapSetId, WrapSet | null>();
    for (const { id, set } of await inventory.sets()) if (!counted.has(id)) fresh.set(id, set);
    if (fresh.size === 0) break;
    for (const { id, items, oldest } of await inventory.counts([...fresh.keys()], EVERYTHING))
      counted.set(id, { id, set: fresh.get(id) ?? null, items, oldest });
  }
  return [...counted.values()].filter(({ items }) => items > 0);
}

/** The same of the messages that are kept, which have no date. */
export async function countKept({
  inventory,
  kept,
}: Pick<ConvergedStore, "inventory" | "kept">): Promise<readonly SetCount[]> {
  const counts = kept === null ? [] : await kept.counts(EVERYTHING);
  if (counts.length === 0) return [];
  // Asked for behind the counts: a set is there before anything has it.
  const sets = new Map((await inventory.sets()).map(({ id, set }) => [id, set]));
  return counts
    .filter(({ items }) => items > 0)
    .map(({ id, items }) => ({ id, set: sets.get(id) ?? null, items, oldest: null }));
}
