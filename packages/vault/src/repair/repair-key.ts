/**
 * Repairs one key of the key store: opens it, wraps it anew in the regions of the key set in force, and puts the new
 * wraps beside those that are right, if nothing has happened to the row meanwhile. The key stays, and no message is
 * touched.
 *
 * A key's wraps stand each for itself, other than a message's: a region that is away in its turn keeps the wrap that it
 * has. A keyring wraps in all of its regions or in none, so that a repair costs one call to open the key and one for
 * each region, also where a single one is owed.
 */
import { VaultError } from "../errors.ts";
import { keyCheck, soundRow } from "../keys/key-binding.ts";
import { RegionWraps, wrapName, wrapSetOf } from "../keys/region-wraps.ts";
import type { KeyDependencies } from "../keys/region-wraps.ts";
import { keySetMoved } from "../keys/vault-keys.ts";
import type { Lease } from "../stores/jobs.ts";
import type { KeyPlace, KeyRewrap, KeyRow, KeyWrap } from "../stores/key-store.ts";
import type { MissingWrap } from "../stores/wrap-set.ts";
import { decideRepair } from "./decide-repair.ts";
import type { WrapPlace } from "./decide-repair.ts";
import { REPAIR_KEYS_JOB } from "./partitions.ts";
import type { Repairable, RepairOutcome } from "./repairable.ts";

/** What a repair of keys works with. */
export interface KeyRepairDependencies extends KeyDependencies {
  readonly signal: AbortSignal | undefined;
}

/** Tries of a key whose key set changes while it is wrapped. */
const WRAP_ATTEMPTS = 8;

/** The keys of a key store. */
export function repairableKeys(dependencies: KeyRepairDependencies): Repairable<KeyPlace> {
  const { inventory, jobs } = dependencies.store;
  return {
    job: REPAIR_KEYS_JOB,
    inventory,
    jobs,
    damaged: "subject-key-tampered",
    repair: (place, lease) => repairKey(dependencies, place, lease),
  };
}

/**
 * Repairs one key.
 *
 * @param lease of the job that does it: nothing is changed once it is somebody else's. Null: no job does it.
 * @throws VaultError `subject-key-tampered`, `key-not-configured`, `regions-unavailable`, `wraps-below-minimum`,
 *   `wraps-still-missing`, `deadline-exceeded`, `keyring-overloaded`, `aborted`, `encryption-failed`,
 *   `key-set-unknown`, `key-set-moved`; the store's. The row is as it was then.
 */
export async function repairKey(
  dependencies: KeyRepairDependencies,
  place: KeyPlace,
  lease: Lease | null,
): Promise<RepairOutcome> {
  const { store, keySets, clock } = dependencies;
  for (let attempt = 1; attempt <= WRAP_ATTEMPTS; attempt++) {
    await store.requireRoom();
    const { owner, kind, version } = place;
    const row = soundRow(await store.keys.version(owner, version), { owner, kinds: [kind], version });
    // Erased since it was found.
    if (row === null) return { kind: "overtaken" };
    const { outcome, change } = await wrappedAnew(dependencies, row);
    const at = clock().toISOString();
    const result = await store.inventory.rewrap({ place, seen: row.stamp, ...change, at, lease });
    if (result.kind === "overtaken") return { kind: "overtaken" };
    if (result.kind === "made") return outcome;
    keySets.moved();
  }
  throw keySetMoved();
}

interface Wrapped {
  readonly outcome: RepairOutcome;
  readonly change: Pick<KeyRewrap, "epoch" | "wraps" | "moved" | "wrapSet">;
}

async function wrappedAnew(dependencies: KeyRepairDependencies, row: KeyRow): Promise<Wrapped> {
  const { vault, keySets, generation, signal } = dependencies;
  // Its wrap is one under the tenant's key: whatever its row says, it owes nothing to regions.
  if (row.kind === "tenant-subject") {
    const { epoch } = await keySets.forWriting();
    return { outcome: SETTLED, change: { epoch, wraps: null, moved: null, wrapSet: wrapSetOf(row.wraps) } };
  }
  const regions = new RegionWraps(dependencies);
  const { key, refused = [] } = await regions.open(row);
  try {
    const { epoch, wraps: fresh, wrapSet } = await regions.wrap(key, row, signal);
    const wrong = new Set(refused.map(wrapName));
    const right = row.wraps.filter((wrap) => !wrong.has(wrapName(placeOf(wrap))));
    // Another generation's wraps are left behind whole, or the keys that it is to be shredded with would still open it.
    const isMoved = row.generation !== generation;
    const wraps = isMoved ? fresh : [...fresh, ...without(right, fresh)];
    const missing = stillMissing(wrapSet.missing, wraps);
    const decision = decideRepair(right.map(placeOf), wraps.map(placeOf), missing);
    const account = { ...wrapSetOf(wraps), target: wrapSet.target, missing };
    if (decision.kind === "settled" && wrong.size === 0 && !isMoved)
      return { outcome: decision, change: { epoch, wraps: null, moved: null, wrapSet: { ...account, ...wrapSetOf(row.wraps) } } };
    const moved = isMoved ? { generation, check: keyCheck(key, vault, { ...row, generation }) } : null;
    const gained = decision.kind === "replace" ? decision.gained : [];
    return { outcome: { kind: "repaired", gained }, change: { epoch, wraps, moved, wrapSet: account } };
  } finally {
    key.wipe();
  }
}

const SETTLED: RepairOutcome = { kind: "settled" };

/** The wraps in places where there is none of the others. */
function without(wraps: readonly KeyWrap[], others: readonly KeyWrap[]): readonly KeyWrap[] {
  const taken = new Set(others.map((wrap) => regionOf(placeOf(wrap))));
  return wraps.filter((wrap) => !taken.has(regionOf(placeOf(wrap))));
}
