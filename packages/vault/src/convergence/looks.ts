/**
 * What is asked of the convergence without changing anything: the plan, the inventory, the proof that a key is needed
 * no more, and what failed.
 */
import type { Declarations } from "../collections/declaration.ts";
import { VaultError } from "../errors.ts";
import type { KeySets } from "../keys/key-sets.ts";
import type { Collection, Version } from "../records/address.ts";
import type { ListOptions } from "../records/pages.ts";
import type { KeyStore } from "../stores/key-store.ts";
import type { Store } from "../stores/store.ts";
import type { ConvergedStore, SetCount } from "./converged-store.ts";
import { convergenceFailures } from "./failures.ts";
import { planOf } from "./plan.ts";
import { presentGeneration, shredProof, shredState } from "./shred-state.ts";
import type { PlanSources } from "./plan.ts";
import { keyInventory, probeKey } from "./under-keys.ts";
import type { Convergence } from "./view.ts";

/** The key sets of a store. */
export interface StoreKeySets {
  readonly keySets: KeySets;
}

/** What is looked at. */
export interface LookDependencies extends Pick<PlanSources, "fleet" | "isUnderWay" | "clock" | "signal"> {
  readonly records: StoreKeySets & { readonly store: Store };
  /** Null: the vault has no key store. */
  readonly keys: (StoreKeySets & { readonly store: KeyStore }) | null;
  readonly declarations: Pick<Declarations, "of">;
  /** Most items of a page. */
  readonly listItems: number;
}

/** Those of `vault.convergence` that change nothing. */
export type ConvergenceLooks = Pick<
  Convergence,
  "plan" | "inventory" | "failures" | "probe" | "generation" | "shredProof" | "shredState"
>;

export function convergenceLooks(dependencies: LookDependencies): ConvergenceLooks {
  const { records, keys, declarations, fleet, isUnderWay, clock, signal, listItems } = dependencies;
  // The order in which they are put in force.
  const stores: readonly ConvergedStore[] = [
    ...(keys === null ? [] : [{ store: "keys" as const, ...lookedAt(keys), kept: null }]),
    { store: "records", ...lookedAt(records), kept: records.store.kept },
  ];
  const sources: PlanSources = {
    stores,
    scopes:
      keys === null
        ? null
        : {
            records: records.store.records,
            inventory: records.store.inventory,
            keys: keys.store.keys,
            scopeOf: (collection: Collection) => declarations.of(collection).scope,
          },
    messageBytes: (sets) => lengthOfMessages(records.store, sets),
    fleet,
    isUnderWay,
    clock,
    signal,
  };
  return {
    plan: (options) => planOf(sources, options),
    inventory: () => keyInventory(stores),
    probe: (key) => probeKey(stores, key, clock),
    generation: async () => (keys === null ? 0 : presentGeneration(keys)),
    shredProof: async () => shredProof(withKeyStore(keys), clock),
    shredState: async (generation, describe) => shredState(withKeyStore(keys), generation, describe, clock),
    failures: (options: ListOptions = {}) =>
      convergenceFailures(
        { keys: keys?.store.inventory ?? null, records: records.store.inventory },
        { ...options, listItems },
      ),
  };
}

/** @throws VaultError `run-refused` */
function withKeyStore(keys: LookDependencies["keys"]): NonNullable<LookDependencies["keys"]> {
  if (keys !== null) return keys;
  throw new VaultError("run-refused", "The vault has no key store: there are no generations to shred");
}

function lookedAt({
  store,
  keySets,
}: StoreKeySets & { readonly store: Store | KeyStore }): Omit<ConvergedStore, "store" | "kept"> {
  return { inventory: store.inventory, gate: store.gate, keySets };
}

/** So many messages of a set are looked at for their length. */
const SAMPLED = 8;

/** The mean of a few messages of each set, by how many items it has. Their rows tell it; no message is read. */
async function lengthOfMessages(
  { inventory, records }: Pick<Store, "inventory" | "records">,
  sets: readonly SetCount[],
): Promise<number> {
  let [bytes, items] = [0, 0];
  for (const { id, items: all } of sets) {
    const places = await inventory.list({ sets: [id], after: null, limit: SAMPLED });
    const lengths: number[] = [];
    for (const { place } of places) {
      if (place === null) continue;
      const { versions } = await records.versions(place, { before: (place.version + 1) as Version, limit: 1 });
      if (versions[0]?.version === place.version) lengths.push(versions[0].messageBytes);
    }
    if (lengths.length === 0) continue;
    bytes += (all * lengths.reduce((sum, length) => sum + length, 0)) / lengths.length;
    items += all;
  }
  return items === 0 ? 0 : Math.round(bytes / items);
}
