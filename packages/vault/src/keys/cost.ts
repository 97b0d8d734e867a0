/**
 * What keys cost: the calls of a KMS that the vault's real traffic makes in the scopes that it has, and those that the
 * same traffic would make in each scope. Counts and hashed ids alone; no name, no key, and memory bounded by the
 * cache's own capacity.
 *
 * Exact: writes, reads, and people and tenants whose key was made. Estimated: what a cache of opened keys would have
 * spared, by a shadow of one that has the bounds of `keys.cache` and holds ids only. It opens each key once where two
 * processes open it twice, and knows one version of a key where a renewed one has two. Proofs of wraps, hedges, probes
 * and repairs are in none of it, nor are the vault's own two keys (one call each in an age); they are in what the
 * keyrings themselves have counted.
 */
import { hasMethods } from "@strongroom/base/options";
import type { Keyring } from "@strongroom/envelope";
import { isSubjectId } from "../stores/subjects.ts";
import type { Scope } from "../stores/subjects.ts";
import { BoundedMap, hashedId, Shadow } from "./cost-shadow.ts";
import type { CacheBounds, ShadowUse } from "./cost-shadow.ts";
import { DEFAULT_TENANT } from "./key-binding.ts";

/** Whose key an operation used, or would have. */
export interface KeyUse {
  /** The scope that it really was in. */
  readonly scope: Scope;
  /** A person's opaque id, or `collection:NAME`; of scheme 1, what the caller calls them. Only a hash of it is kept. */
  readonly owner: string;
  /** Null: that of the owner's last write that was seen, or the one of those who have none. */
  readonly tenant: string | null;
}

/** One version that was written. */
export interface KeyUseOfWrite extends KeyUse {
  /** Whether the owner was not known before: in `record` scope, whether they would have needed a key. */
  readonly isNew: boolean;
  /** Wraps wanted, of the message in `record` scope and of the person's key in `subject` scope; left out: as before. */
  readonly target?: number;
}

/** Calls of a KMS. */
export interface ScopeCalls {
  /** As many as regions for each version that is written, one for each that is read. */
  readonly record: number;
  /** As many as regions for each new person, and one each time that a person's key is opened. */
  readonly subject: number;
  /** As many as regions for each new tenant, and one each time that a tenant's key is opened. */
  readonly tenant: number;
}

/** What keys cost in a window of time. */
export interface KeyCost {
  /** ISO 8601, UTC. */
  readonly from: string;
  readonly to: string;
  /** Wraps wanted of each message in `record` scope, and of each key in the key store. */
  readonly regions: { readonly records: number; readonly keys: number };
  readonly traffic: {
    /** Versions. */
    readonly writes: number;
    readonly reads: number;
    /** Owners whose first key was made, or would have been. */
    readonly newOwners: number;
    /** Tenants that were not seen before: an estimate, as one whose key was there already is among them. */
    readonly newTenants: number;
  };
  /** Of the present scopes: what the traffic in each has come to. */
  readonly present: ScopeCalls;
  /** Had everything been in one scope. */
  readonly inScope: ScopeCalls;
  /**
   * Calls that the keyrings have made in this process, for whatever reason, and why: proofs of wraps, hedges and
   * repairs included. Counted and not estimated; null when none of them counts.
   */
  readonly counted: { readonly calls: number; readonly byPurpose: Readonly<Record<string, number>> } | null;
}

/** What the meter is made of. */
export interface KeyCostOptions {
  readonly cache: CacheBounds;
  /** Wraps wanted, as far as is known before anything was written. */
  readonly regions: number;
  /** Those of the records and of the keys. One that tells its `health()`, as the multi-region ones do, is counted. */
  readonly keyrings: readonly Keyring[];
  readonly clock: () => Date;
}

type UseKind = Partial<Pick<ShadowUse, "isNew" | "isUncounted">>;

/** Of those whose tenant is not known. */
const NO_TENANT: string = hashedId(DEFAULT_TENANT);

/** Tenants whose hash is remembered. */
const MOST_TENANTS = 1_000;

/** Counts what a vault does. Every call is cheap: a hash, and an entry of a map. */
export class KeyCostMeter {
  readonly #clock: () => Date;
  readonly #keyrings: readonly CountingKeyring[];
  /** What they had counted before. */
  readonly #before: ReadonlyMap<string, number>;
  readonly #from: string;
  readonly #all: Shadow;
  /** Only the traffic that really is in each of these scopes. */
  readonly #present: Readonly<Record<"subject" | "tenant", Shadow>>;
  readonly #inRecordScope = { writes: 0, reads: 0 };
  readonly #counts = { writes: 0, reads: 0, newOwners: 0 };
  readonly #tenantOf: BoundedMap;
  readonly #tenantIds: BoundedMap = new BoundedMap(MOST_TENANTS);
  #regions: { records: number; keys: number };

  constructor({ cache, regions, keyrings, clock }: KeyCostOptions) {
    this.#clock = clock;
    this.#from = clock().toISOString();
    this.#keyrings = [...new Set(keyrings)].filter(counts);
    this.#before = callsByPurpose(this.#keyrings);
    this.#all = new Shadow(cache);
    this.#tenantOf = new BoundedMap(cache.capacity);
    this.#present = { subject: new Shadow(cache), tenant: new Shadow(cache) };
    this.#regions = { records: regions, keys: regions };
  }

  /** A version was written, durably. */
  wrote({ isNew, target, ...use }: KeyUseOfWrite): void {
    this.#counts.writes++;
    if (isNew) this.#counts.newOwners++;
    if (use.scope === "record") this.#inRecordScope.writes++;
    if (target !== undefined && use.scope === "record") this.#regions.records = target;
    // The key of a person in `tenant` scope has one wrap, whatever the regions are.
    if (target !== undefined && use.scope === "subject") this.#regions.keys = target;
    this.#use(use, { isNew });
  }

  /** A version was opened. */
  read(use: KeyUse): void {
    this.#counts.reads++;
    if (use.scope === "record") this.#inRecordScope.reads++;
    this.#use(use, {});
  }

  /** A sealed id was opened, and no message: under the owner's key, of which it is no use. */
  openedKey(use: KeyUse): void {
    if (use.scope !== "record") this.#use(use, { isUncounted: true });
  }

  /** Everything since the meter was made. For another window, ask twice: {@link keyCostBetween}. */
  report(): KeyCost {
    const { writes, reads } = this.#counts;
    const { records, keys } = this.#regions;
    const { subject, tenant } = this.#present;
    const inRecordScope = (calls: { readonly writes: number; readonly reads: number }): number =>
      records * calls.writes + calls.reads;
    return {
      from: this.#from,
      to: this.#clock().toISOString(),
      regions: { ...this.#regions },
      traffic: { ...this.#counts, newTenants: this.#all.newTenants },
      present: {
        record: inRecordScope(this.#inRecordScope),
        subject: keys * subject.newOwners + subject.openedOwners,
        tenant: keys * tenant.newTenants + tenant.openedTenants,
      },
      inScope: {
        record: inRecordScope({ writes, reads }),
        subject: keys * this.#all.newOwners + this.#all.openedOwners,
        tenant: keys * this.#all.newTenants + this.#all.openedTenants,
      },
      counted: this.#counted(),
    };
  }

  #use({ scope, owner, tenant }: KeyUse, { isNew = false, isUncounted = false }: UseKind): void {
    // An opaque id says nothing of anybody; what is hashed costs as much as all the rest.
    const id = isSubjectId(owner) ? owner : hashedId(owner);
    const own = tenant === null ? (this.#tenantOf.get(id) ?? NO_TENANT) : this.#tenantId(tenant);
    if (tenant !== null) this.#tenantOf.set(id, own);
    const use = { owner: id, tenant: own, isNew, isUncounted, now: performance.now() };
    this.#all.use(use);
    if (scope !== "record") this.#present[scope].use(use);
  }

  /** Of a handful of tenants: each is hashed once. */
  #tenantId(tenant: string): string {
    const known = this.#tenantIds.get(tenant);
    if (known !== undefined) return known;
    const id = hashedId(tenant);
    this.#tenantIds.set(tenant, id);
    return id;
  }

  #counted(): KeyCost["counted"] {
    if (this.#keyrings.length === 0) return null;
    const byPurpose: Record<string, number> = {};
    let calls = 0;
    for (const [purpose, number] of callsByPurpose(this.#keyrings)) {
      const made = number - (this.#before.get(purpose) ?? 0);
      if (made > 0) byPurpose[purpose] = made;
      calls += made;
    }
    return { calls, byPurpose };
  }
}

/**
 * What keys cost between two reports of one meter.
 *
 * @example
 * ```ts
 * import { keyCostBetween } from "@strongroom/vault";
 * import type { KeyCost } from "@strongroom/vault";
 *
 * const none = { record: 0, subject: 0, tenant: 0 };
 * const at = (to: string, writes: number): KeyCost => ({
 *   from: "2027-01-01T00:00:00.000Z",
 *   to,
 *   regions: { records: 3, keys: 3 },
 *   traffic: { writes, reads: 0, newOwners: 0, newTenants: 0 },
 *   present: none,
 *   inScope: { ...none, record: 3 * writes },
 *   counted: null,
 * });
 * const hour = keyCostBetween(at("2027-01-01T08:00:00.000Z", 100), at("2027-01-01T09:00:00.000Z", 150));
 * console.log(hour.from, hour.inScope.record); // prints: 2027-01-01T08:00:00.000Z 150
 * ```
 */
export function keyCostBetween(earlier: KeyCost, later: KeyCost): KeyCost {
  return {
    ...later,
    from: earlier.to,
    traffic: difference(earlier.traffic, later.traffic),
    present: difference(earlier.present, later.present),
    inScope: difference(earlier.inScope, later.inScope),
    counted:
      earlier.counted === null || later.counted === null
        ? null
        : {
            calls: Math.max(0, later.counted.calls - earlier.counted.calls),
            byPurpose: difference(earlier.counted.byPurpose, later.counted.byPurpose),
          },
  };
}

/** Of counters that only grow, but for a target that was lowered between the two. */
function difference<Numbers extends object>(earlier: Numbers, later: Numbers): Numbers {
  const before = new Map<string, number>(Object.entries(earlier));
  return Object.fromEntries(
    Object.entries(later).map(([name, number]) => [name, Math.max(0, (number as number) - (before.get(name) ?? 0))]),
  ) as Numbers;
}

/** What the meter asks of a keyring that counts. */
interface CountingKeyring extends Keyring {
  health(): readonly { readonly callsByPurpose: Readonly<Partial<Record<string, number>>> }[];
}

function counts(keyring: Keyring): keyring is CountingKeyring {
  return hasMethods(keyring, "health");
}

function callsByPurpose(keyrings: readonly CountingKeyring[]): ReadonlyMap<string, number> {
  const calls = new Map<string, number>();
  for (const keyring of keyrings)
    for (const region of keyring.health())
      for (const [purpose, number = 0] of Object.entries(region.callsByPurpose))
        calls.set(purpose, (calls.get(purpose) ?? 0) + number);
  return calls;
}
