/**
 * Repairs one key of the key store: opens it, wraps it anew in the regions of the key set in force, and puts the new
 * wraps beside those that are right, if nothing has happened to the row meanwhile. The key stays, and no message is
 * touched.
 *
 * A key's wraps stand each for itself, other than a message's: a region that is away in its turn keeps the wrap that it
 * has. A keyring wraps in all of its regions, so that a repair costs one call to open the key and one for each region,
 * also where a single one is owed.
 */
import { isUnderRegions, keyCheck, soundRow } from "../keys/key-binding.ts";
import { RegionWraps, withoutRefused, wrappingKeyOf, wrapSetOf } from "../keys/region-wraps.ts";
import type { KeyDependencies } from "../keys/region-wraps.ts";
import { keySetMoved } from "../keys/vault-keys.ts";
import type { Auditor } from "../audit/auditor.ts";
import type { Lease } from "../stores/jobs.ts";
import { isSubjectId } from "../stores/subjects.ts";
import type { KeyPlace, KeyRewrap, KeyRow, KeyWrap } from "../stores/key-store.ts";
import type { MissingWrap } from "../stores/wrap-set.ts";
import { owedRegions } from "./debt.ts";
import { decideRepair, placeName } from "./decide-repair.ts";
import type { WrapPlace } from "./decide-repair.ts";
import { REPAIR_KEYS_JOB } from "./partitions.ts";
import type { Work, WorkOutcome } from "./work.ts";

/** What a repair of keys works with. */
export interface KeyRepairDependencies extends KeyDependencies {
  /** Left out: the vault has none. */
  readonly audit?: Auditor | null;
  readonly signal: AbortSignal | undefined;
}

/** Tries of a key whose key set changes while it is wrapped. */
const WRAP_ATTEMPTS = 8;

/** The keys of a key store. */
export function owedKeys(dependencies: KeyRepairDependencies): Work<KeyPlace> {
  const { inventory, jobs } = dependencies.store;
  return {
    job: REPAIR_KEYS_JOB,
    inventory,
    jobs,
    damaged: "subject-key-tampered",
    wanted: () => owedRegions({ sets: () => inventory.sets() }),
    converge: (place, lease) => repairKey(dependencies, place, lease),
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
): Promise<WorkOutcome> {
  const { store, keySets, clock } = dependencies;
  for (let attempt = 1; attempt <= WRAP_ATTEMPTS; attempt++) {
    await store.requireRoom();
    const { owner, kind, version } = place;
    const row = soundRow(await store.keys.version(owner, version), { owner, kinds: [kind], version });
    // Erased since it was found.
    if (row === null) return { kind: "overtaken" };
    const { outcome, change } = await wrapAnew(dependencies, row);
    if (change.wraps !== null) await tell(dependencies.audit, row);
    const at = clock().toISOString();
    const result = await store.inventory.rewrap({ place, seen: row.stamp, ...change, at, lease });
    if (result.kind === "overtaken") return { kind: "overtaken" };
    if (result.kind === "made") return outcome;
    keySets.moved();
  }
  throw keySetMoved();
}

/** Before the new wraps are stored. */
async function tell(audit: KeyRepairDependencies["audit"], { kind, owner, version }: KeyRow): Promise<void> {
  await audit?.tell("rewrap", "done", {
    people: isSubjectId(owner) ? [owner] : [],
    details: { key: kind, version },
  });
}

/** What is to be done to a row, and what it comes to. */
interface Change {
  readonly outcome: WorkOutcome;
  readonly change: Pick<KeyRewrap, "epoch" | "wraps" | "moved" | "wrapSet">;
}

async function wrapAnew(dependencies: KeyRepairDependencies, row: KeyRow): Promise<Change> {
  const { vault, keySets, generation, signal } = dependencies;
  // Wrapped under another key of this store: whatever its row says, it owes nothing to regions.
  if (!isUnderRegions(row)) return settled(row, { epoch: (await keySets.forWriting()).epoch, target: 1 });
  const regions = new RegionWraps(dependencies);
  const { key, refused = [] } = await regions.open(row);
  try {
    const { epoch, wraps: fresh, wrapSet } = await regions.wrap(key, row, signal);
    const right = withoutRefused(row.wraps, refused);
    // The wraps of another generation are left whole, or the row would say that they are of this one.
    const isMoved = row.generation !== generation;
    const wraps = isMoved ? fresh : [...fresh, ...staying(right, fresh, wrapSet.missing)];
    const names = new Set(wraps.map((wrap) => wrappingKeyOf(wrap).key));
    const missing = wrapSet.missing.filter(({ keyArn }) => !names.has(keyArn));
    const decision = decideRepair(right.map(placeOf), wraps.map(placeOf), missing);
    const { target } = wrapSet;
    if (decision.kind === "settled" && !isMoved && right.length === row.wraps.length)
      return settled(row, { epoch, target });
    const moved = isMoved ? { generation, check: keyCheck(key, vault, { ...row, generation }) } : null;
    const account = { ...wrapSetOf(wraps), target, missing };
    const outcome = decision.kind === "settled" ? decision : { kind: "repaired" as const, gained: decision.gained };
    return { outcome, change: { epoch, wraps, moved, wrapSet: account } };
  } finally {
    key.wipe();
  }
}

/** The wraps stay, and their account is set right. */
function settled(
  { wraps }: KeyRow,
  { epoch, target }: { readonly epoch: KeyRewrap["epoch"]; readonly target: number },
): Change {
  const wrapSet = { ...wrapSetOf(wraps), target };
  return { outcome: { kind: "settled" }, change: { epoch, wraps: null, moved: null, wrapSet } };
}

/**
 * The wraps that the new ones do not replace: of a wrapping key that gave none this time, and in places where none of
 * the new ones is.
 */
function staying(
  wraps: readonly KeyWrap[],
  fresh: readonly KeyWrap[],
  missing: readonly MissingWrap[],
): readonly KeyWrap[] {
  const failed = new Set(missing.map(({ keyArn }) => keyArn));
  const taken = new Set(fresh.map((wrap) => placeName(placeOf(wrap))));
  return wraps.filter((wrap) => failed.has(wrappingKeyOf(wrap).key) || !taken.has(placeName(placeOf(wrap))));
}

function placeOf(wrap: KeyWrap): WrapPlace {
  const { providerId, key, region } = wrappingKeyOf(wrap);
  return { providerId, keyInfo: key, region };
}
