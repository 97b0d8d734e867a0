/**
 * What is owed, from the store's inventory: exact figures and lists for those who ask for them, and figures last seen
 * for those who must not wait. Only wrap sets that miss a wrap are counted, so that it costs what is owed and not what
 * is stored.
 */
import { shown } from "@strongroom/base/shown";
import type { Dependencies } from "../limits.ts";
import type { Inventory, WrapSetCount } from "../stores/inventory.ts";
import type { Store } from "../stores/store.ts";
import type { WrapSet, WrapSetId } from "../stores/wrap-set.ts";

/** Versions that have fewer wraps than they should. */
export interface WrapDebt {
  readonly items: number;
  /** `oldest`: since when, ISO 8601, UTC; null when no date is told. */
  readonly regions: readonly { readonly region: string; readonly items: number; readonly oldest: string | null }[];
}

/** What was owed at a moment. */
export interface DebtSeen extends WrapDebt {
  /** When it was looked at: ISO 8601, UTC. */
  readonly at: string;
  /** Whether there are more: no more than {@link MOST_SEEN} versions of one wrap set are counted. */
  readonly capped: boolean;
}

/** Versions of one wrap set that a look counts at most. */
export const MOST_SEEN = 100_000;

/** Time between two looks for those who only ask, in milliseconds. */
const LOOK_EVERY_MS = 30_000;

/** A look may take this part of the time at most. */
const LOOK_SHARE = 1 / 20;

/** The wrap sets that miss a wrap. */
export type OwedSets = ReadonlyMap<WrapSetId, WrapSet>;

/** Those of a store. A set whose row is damaged is none of them: what it misses is not known. */
export async function owedSets({ sets }: Pick<Inventory, "sets">): Promise<OwedSets> {
  const owed = new Map<WrapSetId, WrapSet>();
  for (const { id, set } of await sets()) if (set !== null && set.missing.length > 0) owed.set(id, set);
  return owed;
}

/** `vault.wrapDebt`. */
export async function wrapDebt({ store }: { readonly store: Pick<Store, "inventory"> }): Promise<WrapDebt> {
  return (await countDebt(store.inventory, Number.MAX_SAFE_INTEGER)).debt;
}

async function countDebt(
  inventory: Inventory,
  atMost: number,
): Promise<{ readonly debt: WrapDebt; readonly capped: boolean }> {
  const owed = await owedSets({ sets: () => inventory.sets() });
  const counts = owed.size === 0 ? [] : await inventory.counts([...owed.keys()], atMost);
  return { debt: debtOf(counts, owed), capped: counts.some(({ items }) => items >= atMost) };
}

function debtOf(counts: readonly WrapSetCount[], owed: OwedSets): WrapDebt {
  const regions = new Map<string, { items: number; oldest: string | null }>();
  for (const { id, items, oldest } of counts) {
    if (items === 0) continue;
    // A region may miss two keys of one version: it is one version all the same.
    for (const region of new Set(owed.get(id)?.missing.map((missing) => shown(missing.region)))) {
      const known = regions.get(region);
      if (known === undefined) regions.set(region, { items, oldest });
      else regions.set(region, { items: known.items + items, oldest: earlier(known.oldest, oldest) });
    }
  }
  return {
    items: counts.reduce((sum, { items }) => sum + items, 0),
    regions: [...regions]
      .map(([region, known]) => ({ region, ...known }))
      .toSorted((a, b) => (a.region < b.region ? -1 : 1)),
  };
}

function earlier(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}

/** The figures that a look last saw. */
export class DebtView {
  readonly #inventory: Inventory;
  readonly #clock: () => Date;
  #seen: DebtSeen | null = null;
  #looking: Promise<void> | null = null;
  /** When the next look may begin, by a clock that nobody sets. */
  #restUntil = Number.NEGATIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor({ store, clock }: Pick<Dependencies, "store" | "clock">) {
    this.#inventory = store.inventory;
    this.#clock = clock;
  }

  /** What was seen last; null: nothing yet. Waits for nothing. */
  get seen(): DebtSeen | null {
    return this.#seen;
  }

  /** The same, and looks again in the background when the last look was long ago. */
  seenOrSoon(): DebtSeen | null {
    if (performance.now() - this.#lookedAt >= LOOK_EVERY_MS) void this.look().catch(() => undefined);
    return this.#seen;
  }

  /** Looks now, unless that would take too much of the time. @throws VaultError of the store */
  async look(): Promise<void> {
    if (this.#looking !== null) return this.#looking;
    if (performance.now() < this.#restUntil) return;
    this.#looking = this.#lookNow().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  /** Resolves when no look is under way. */
  async ended(): Promise<void> {
    await this.#looking?.catch(() => undefined);
  }

  async #lookNow(): Promise<void> {
    const began = performance.now();
    this.#lookedAt = began;
    try {
      const at = this.#clock().toISOString();
      const { debt, capped } = await countDebt(this.#inventory, MOST_SEEN);
      this.#seen = { ...debt, at, capped };
    } finally {
      const now = performance.now();
      this.#restUntil = now + (now - began) / LOOK_SHARE;
    }
  }
}
