/**
 * What is owed, from the inventories of the vault's stores: exact figures for those who ask for them, and figures last
 * seen for those who must not wait. Only wrap sets that miss a wrap are counted, so that it costs what is owed and not
 * what is stored.
 */
import { shown } from "@strongroom/base/shown";
import type { Inventory, WrapSetCount } from "../stores/inventory.ts";
import type { WrapSet, WrapSetId } from "../stores/wrap-set.ts";
import type { WantedSets } from "./work.ts";

/** What counts: the inventory of a store, whatever it is an inventory of. */
export type CountingInventory = Pick<Inventory, "sets" | "counts">;

/** Versions, and keys of the key store, that have fewer wraps than they should. */
export interface WrapDebt {
  readonly items: number;
  /** `oldest`: since when, ISO 8601, UTC; null when no date is told. */
  readonly regions: readonly { readonly region: string; readonly items: number; readonly oldest: string | null }[];
}

/** What was owed at a moment. */
export interface DebtSeen extends WrapDebt {
  /** When it was looked at: ISO 8601, UTC. */
  readonly at: string;
  /** Whether there are more: no more than {@link MOST_SEEN} items of one wrap set are counted. */
  readonly capped: boolean;
}

/** Items of one wrap set that a look counts at most. */
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

/** The same with the regions that each owes a wrap in. */
export async function owedRegions(inventory: Pick<Inventory, "sets">): Promise<WantedSets> {
  const owed = await owedSets(inventory);
  return new Map([...owed].map(([id, { missing }]) => [id, [...new Set(missing.map(({ region }) => region))]]));
}

/** `vault.wrapDebt`: of all inventories together. */
export async function wrapDebt(inventories: readonly CountingInventory[]): Promise<WrapDebt> {
  const counted = await Promise.all(inventories.map((inventory) => countDebt(inventory, Number.MAX_SAFE_INTEGER)));
  return sumOf(counted.map(({ debt }) => debt));
}

async function countDebt(
  inventory: CountingInventory,
  atMost: number,
): Promise<{ readonly debt: WrapDebt; readonly capped: boolean }> {
  const owed = await owedSets({ sets: () => inventory.sets() });
  const counts = owed.size === 0 ? [] : await inventory.counts([...owed.keys()], atMost);
  return { debt: debtOf(counts, owed), capped: counts.some(({ items }) => items >= atMost) };
}

function debtOf(counts: readonly WrapSetCount[], owed: OwedSets): WrapDebt {
  return sumOf(
    counts
      .filter(({ items }) => items > 0)
      .map(({ id, items, oldest }) => {
        // A region may miss two keys of one item: it is one item all the same.
        const regions = new Set(owed.get(id)?.missing.map((missing) => shown(missing.region)));
        return { items, regions: [...regions].map((region) => ({ region, items, oldest })) };
      }),
  );
}

/** The sum, by regions in the order of their names. */
function sumOf(debts: readonly WrapDebt[]): WrapDebt {
  const regions = new Map<string, WrapDebt["regions"][number]>();
  for (const { region, items, oldest } of debts.flatMap((debt) => debt.regions)) {
    const known = regions.get(region) ?? { items: 0, oldest: null };
    regions.set(region, { region, items: known.items + items, oldest: earlier(known.oldest, oldest) });
  }
  return {
    items: debts.reduce((sum, { items }) => sum + items, 0),
    regions: [...regions.values()].toSorted((a, b) => (a.region < b.region ? -1 : 1)),
  };
}

function earlier(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}

/** The figures that looks last saw, of all inventories together. */
export class DebtView {
  readonly #looks: readonly DebtLook[];

  /** @param looks one for each inventory */
  constructor(looks: readonly DebtLook[]) {
    this.#looks = looks;
  }

  /** What was seen last, as old as the oldest look; null: not everything was looked at yet. Waits for nothing. */
  get seen(): DebtSeen | null {
    const all = this.#looks.flatMap(({ seen }) => (seen === null ? [] : [seen]));
    const [first, ...others] = all;
    if (first === undefined || all.length < this.#looks.length) return null;
    if (others.length === 0) return first;
    const at = all.map((seen) => seen.at).reduce((a, b) => (a < b ? a : b));
    return { ...sumOf(all), at, capped: all.some(({ capped }) => capped) };
  }

  /** The same, and looks again in the background where the last look was long ago. */
  seenOrSoon(): DebtSeen | null {
    for (const look of this.#looks) look.soon();
    return this.seen;
  }

  /** Resolves when no look is under way. */
  async ended(): Promise<void> {
    for (const look of this.#looks) await look.ended();
  }
}

/** The figures that a look at one inventory last saw. */
export class DebtLook {
  readonly #inventory: CountingInventory;
  readonly #clock: () => Date;
  #seen: DebtSeen | null = null;
  #looking: Promise<void> | null = null;
  /** When the next look may begin, by a clock that nobody sets. */
  #restUntil = Number.NEGATIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(inventory: CountingInventory, clock: () => Date) {
    this.#inventory = inventory;
    this.#clock = clock;
  }

  /** What was seen last; null: nothing yet. Waits for nothing. */
  get seen(): DebtSeen | null {
    return this.#seen;
  }

  /** Looks in the background when the last look was long ago. */
  soon(): void {
    if (performance.now() - this.#lookedAt >= LOOK_EVERY_MS) void this.look().catch(() => undefined);
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
