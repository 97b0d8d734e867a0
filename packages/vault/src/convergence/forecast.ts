/**
 * What a run will take, by arithmetic: nothing is asked, neither of a store nor of a KMS. What each figure assumes
 * stands beside it; what none of them has are tries that fail, hedges, probes, and what live traffic costs.
 */
import type { WrapSet } from "../stores/wrap-set.ts";
import type { DeclaredKeys } from "./declared.ts";
import { changeOf, comingKeys, KMS_PROVIDER } from "./plan-lines.ts";
import type { CountedSet, LineRules } from "./plan-lines.ts";
import { regionOfKey } from "./target.ts";
import type { ConvergeOptions, Forecast } from "./view.ts";

/** Dollars that AWS lists for {@link PRICED_CALLS} calls of a symmetric key. Its free tier is left out. */
export const LIST_PRICE_CALLS = 0.03;
export const PRICED_CALLS = 10_000;

/** Calls a second and region, where nobody says another number. */
export const DEFAULT_RATE = 100;

/** A wrap of a key of 32 bytes as a row keeps it: the KMS's ciphertext, the key's name, and what is around them. */
export const WRAP_BYTES = 280;
/** The rest of a row that is written anew, with its entry in the index. */
export const ROW_BYTES = 200;

/** A store, as it is counted. */
export interface ForecastStore extends LineRules {
  readonly sets: readonly CountedSet[];
  /** The key sets that the process knows, the likeliest to open before the others. */
  readonly sources: readonly DeclaredKeys[];
  /** Whether the KMS turns a wrap under one key into one under another itself. */
  readonly reEncrypts: (from: string, to: string) => boolean;
  /** Whether keys go to another shredding generation: then no KMS turns a wrap into another, and names are opened. */
  readonly isShred?: boolean;
  /** Bytes of a message, of those that are sealed anew; of keys, 0. */
  readonly messageBytes: number;
}

/** Records that go into another scope, and keys that become keys of another kind. */
export interface ForecastMoves {
  /** Versions whose messages leave `record` scope: one Decrypt each. */
  readonly outOfRecord: number;
  /** Versions whose messages come into it: one GenerateDataKey, and an Encrypt for each further wrap. */
  readonly intoRecord: number;
  /** Keys of people that go from the regions under a tenant's key: one Decrypt each. */
  readonly keysUnderTenants: number;
  /** Keys of people that go from a tenant's key under the regions: an Encrypt for each wrap. */
  readonly keysUnderRegions: number;
}

export const NO_MOVES: ForecastMoves = { outOfRecord: 0, intoRecord: 0, keysUnderTenants: 0, keysUnderRegions: 0 };

/** Calls by region and operation. A key that lives in no region takes none. */
class Calls {
  readonly #counts = new Map<string, { readonly region: string; readonly operation: string; calls: number }>();

  add(region: string, operation: string, calls: number): void {
    if (region === "" || calls === 0) return;
    const name = `${region} ${operation}`;
    const known = this.#counts.get(name) ?? { region, operation, calls: 0 };
    known.calls += calls;
    this.#counts.set(name, known);
  }

  /** In the order of region and operation. */
  get rows(): Forecast["calls"] {
    return [...this.#counts.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  }
}

/** What it comes to. */
export function forecast(
  stores: readonly ForecastStore[],
  options: Pick<ConvergeOptions, "verify" | "rate">,
  moves: ForecastMoves = NO_MOVES,
): Forecast {
  const { verify = 1, rate = DEFAULT_RATE } = options;
  const calls = new Calls();
  let [bytes, keptBytes] = [0, 0];
  for (const store of stores) {
    for (const counted of store.sets) {
      const cost = costOf(counted, { store, verify, calls });
      bytes += cost.bytes;
      keptBytes += cost.keptBytes;
    }
    bytes += addMoves(store, moves, { verify, calls });
  }
  const rows = calls.rows;
  const byRegion = new Map<string, number>();
  for (const row of rows) byRegion.set(row.region, (byRegion.get(row.region) ?? 0) + row.calls);
  const total = rows.reduce((sum, row) => sum + row.calls, 0);
  return {
    calls: rows,
    total,
    dollars: (total / PRICED_CALLS) * LIST_PRICE_CALLS,
    price: LIST_PRICE_CALLS,
    // Regions are asked side by side: the one with the most calls is the last to be done.
    seconds: [...byRegion.values()].reduce((a, b) => Math.max(a, b), 0) / rate,
    rate,
    bytes,
    keptBytes,
  };
}

/** What items of a set are charged to. */
interface Charged {
  readonly store: ForecastStore;
  readonly verify: number;
  readonly calls: Calls;
}

interface Cost {
  readonly bytes: number;
  readonly keptBytes: number;
}

const NOTHING: Cost = { bytes: 0, keptBytes: 0 };

/** Charges the items of a set. Bytes are about: of rows that a vault writes, under keys of AWS KMS. */
function costOf(counted: CountedSet, charged: Charged): Cost {
  const { store } = charged;
  const { items, set, want } = counted;
  if (items === 0 || set === null) return NOTHING;
  const change = changeOf(counted, store);
  const gained = comingKeys(want, store.declared).length;
  const extra = want.kind === "wraps" ? want.extra.length : 0;
  const rowWith = (wraps: number): number => items * (ROW_BYTES + wraps * WRAP_BYTES);
  switch (change) {
    case "seal-anew":
      chargeSealing(counted, set, charged);
      return { bytes: items * (ROW_BYTES + 2 * store.messageBytes), keptBytes: items * store.messageBytes };
    case "add":
      chargeAdding(counted, set, charged);
      return { bytes: rowWith(set.wraps.length + gained), keptBytes: 0 };
    case "add-and-drop": {
      chargeAdding(counted, set, charged);
      chargeDropping(counted, set, charged);
      const both = rowWith(set.wraps.length + gained);
      return { bytes: both + rowWith(set.wraps.length + gained - extra), keptBytes: 0 };
    }
    case "drop":
      chargeDropping(counted, set, charged);
      return { bytes: rowWith(set.wraps.length - extra), keptBytes: 0 };
    default:
      return NOTHING;
  }
}

/**
 * A key gets wraps. Where the KMS has one already that it can turn into the new one, it does (one ReEncrypt). For all
 * others together the key is opened once (one Decrypt, in the first region that the likeliest keyring prefers), and
 * wrapped in each (one Encrypt). Each wrap that is proven is opened once more, in its own region: all of them where
 * only current material will do, as nothing else tells it. Such an opening of what was re-encrypted also has the key to
 * show for those others. Assumes that every region answers, that the wraps there are right, and that the key is of this
 * vault's shredding generation.
 */
function chargeAdding({ items, want }: CountedSet, set: WrapSet, { store, verify, calls }: Charged): void {
  const had = set.wraps.filter(isOfKms);
  const coming = comingKeys(want, store.declared);
  // The generation is in the key's check: who writes that has opened the key.
  const isTurned = (to: string): boolean => store.isShred !== true && had.some(({ key }) => store.reEncrypts(key, to));
  const turned = new Set(coming.filter(isTurned));
  const proven = shareOf(items, store.target.materials === null ? verify : 1);
  for (const key of coming) {
    const region = regionOfKey(key);
    calls.add(region, turned.has(key) ? "ReEncrypt" : "Encrypt", items);
    calls.add(region, "Decrypt", proven);
  }
  const shown = turned.size > 0 ? proven : 0;
  const opening = openingRegion(set, store.sources);
  if (turned.size < coming.length) calls.add(opening, "Decrypt", items - shown);
  // At most: once more where a name is opened under the key, to get another hash.
  if (store.isShred === true) calls.add(opening, "Decrypt", items);
}

/**
 * Wraps go: no call. Those that stay and that the run did not make itself are opened once before, by the share that is
 * proven.
 */
function chargeDropping({ items, want }: CountedSet, set: WrapSet, { store, verify, calls }: Charged): void {
  if (want.kind !== "wraps") return;
  const made = new Set(comingKeys(want, store.declared));
  const extra = new Set(want.extra);
  const staying = set.wraps.filter((wrap) => !extra.has(wrap) && isOfKms(wrap) && !made.has(wrap.key));
  for (const key of new Set(staying.map((wrap) => wrap.key)))
    calls.add(regionOfKey(key), "Decrypt", shareOf(items, verify));
}

/**
 * A version is sealed anew. In `record` scope: one Decrypt to open it, one GenerateDataKey in the nearest region, one
 * Encrypt in each other one, and of each message that is proven one Decrypt of each wrap. Under a key of the key store:
 * none, as people's keys are opened once in an age of the cache, for live traffic too. What a keyring proves of its own
 * accord (`proveWraps`) is in none of it.
 */
function chargeSealing({ items, want }: CountedSet, set: WrapSet, { store, verify, calls }: Charged): void {
  if (want.kind === "inner") return;
  calls.add(openingRegion(set, store.sources), "Decrypt", items);
  chargeMessages(items, store, { verify, calls });
}

function chargeMessages(items: number, { declared }: ForecastStore, { verify, calls }: Omit<Charged, "store">): void {
  for (const [index, key] of wrappingKeys(declared).entries()) {
    calls.add(regionOfKey(key), index === 0 ? "GenerateDataKey" : "Encrypt", items);
    calls.add(regionOfKey(key), "Decrypt", shareOf(items, verify));
  }
}

/** Keys and messages that change their scope, as far as they were counted. Tells how many bytes that writes. */
function addMoves(
  store: ForecastStore,
  { outOfRecord, intoRecord, keysUnderTenants, keysUnderRegions }: ForecastMoves,
  charged: Omit<Charged, "store">,
): number {
  const { calls } = charged;
  const [nearest = ""] = wrappingKeys(store.declared);
  if (store.store === "records") {
    calls.add(regionOfKey(nearest), "Decrypt", outOfRecord);
    if (intoRecord > 0) chargeMessages(intoRecord, store, charged);
    return (outOfRecord + intoRecord) * (ROW_BYTES + 2 * store.messageBytes);
  }
  calls.add(regionOfKey(nearest), "Decrypt", keysUnderTenants);
  for (const key of wrappingKeys(store.declared)) calls.add(regionOfKey(key), "Encrypt", keysUnderRegions);
  return (
    keysUnderTenants * (ROW_BYTES + WRAP_BYTES) + keysUnderRegions * (ROW_BYTES + store.declared.target * WRAP_BYTES)
  );
}

/** The keys that a write wraps under when all regions answer. */
const wrappingKeys = ({ keys, target }: DeclaredKeys): readonly string[] => (keys ?? []).slice(0, target);

const isOfKms = ({ provider }: WrapSet["wraps"][number]): boolean => provider === KMS_PROVIDER;

/** Exact at 0 and 1: in between items are drawn by chance. */
const shareOf = (items: number, verify: number): number => Math.round(items * verify);

/** Where the nearest of the keyrings that has a key of these wraps opens one; "" where that takes no call. */
function openingRegion({ wraps }: WrapSet, sources: readonly DeclaredKeys[]): string {
  for (const { keys } of sources) {
    const found = keys?.find((key) => wraps.some((wrap) => wrap.key === key));
    if (found !== undefined) return regionOfKey(found);
  }
  // Nobody here has a key of it: the first one, for want of a better guess.
  return wraps.filter(isOfKms).map(({ key }) => regionOfKey(key))[0] ?? "";
}
