/**
 * Repairs versions that owe wraps, by sealing them anew: wraps only ever grow by it.
 */
import type { Lease } from "../stores/jobs.ts";
import type { VersionPlace } from "../stores/rows.ts";
import type { WrapSetId } from "../stores/wrap-set.ts";
import { owedRegions } from "./debt.ts";
import { decideRepair } from "./decide-repair.ts";
import { REPAIR_JOB } from "./partitions.ts";
import { sealAnew } from "./seal-anew.ts";
import type { FoundVersion, SealDependencies, SealRules } from "./seal-anew.ts";
import { targetOf, underNames } from "./in-force.ts";
import { wantOf } from "./target.ts";
import type { WantedSets, Work, WorkOutcome } from "./work.ts";

/** What a repair works with. */
export interface RepairDependencies extends SealDependencies {
  /** Whether a run is under way that keeps what it replaces; left out: none ever is. */
  readonly isKeeping?: () => Promise<boolean>;
}

/** The versions of a record store. */
export function owedVersions(dependencies: RepairDependencies): Work {
  const { inventory, jobs } = dependencies.store;
  return {
    job: REPAIR_JOB,
    inventory,
    jobs,
    damaged: "record-tampered",
    wanted: () => wanted(dependencies),
    converge: (place, lease) => repairVersion(dependencies, place, lease),
  };
}

/** While a run is under way, what lies under keys that are not in force is the run's. */
async function wanted({ store: { inventory }, keys, isKeeping }: RepairDependencies): Promise<WantedSets> {
  const owed = await owedRegions({ sets: () => inventory.sets() });
  if (owed.size === 0 || isKeeping === undefined || !(await isKeeping())) return owed;
  const target = targetOf(await keys.forWriting());
  if (target === null) return owed;
  const foreign = new Set<WrapSetId>();
  for (const { id, set } of await inventory.sets()) {
    const want = wantOf(set, target);
    if (want.kind === "wraps" && want.extra.length > 0) foreign.add(id);
  }
  return new Map([...owed].filter(([id]) => !foreign.has(id)));
}

/**
 * Repairs one version.
 *
 * @param lease of the job that does it: nothing is changed once it is somebody else's. Null: no job does it.
 * @throws VaultError as {@link sealAnew} does
 */
export async function repairVersion(
  dependencies: RepairDependencies,
  place: VersionPlace,
  lease: Lease | null,
): Promise<WorkOutcome> {
  return sealAnew(dependencies, place, lease, rulesOf(dependencies));
}

function rulesOf({ isKeeping }: RepairDependencies): SealRules {
  // What is under the set in force already is nothing that a run would go back to.
  const isForeign = ({ stored, sealing }: FoundVersion): boolean => !underNames(stored.message, sealing.names);
  const keeps = async (found: FoundVersion): Promise<boolean> => isForeign(found) && ((await isKeeping?.()) ?? false);
  return {
    decide: (before, after, { missing }) => decideRepair(before, after, missing),
    keeps,
    isProven: () => false,
    choose: null,
    account: (set) => set,
  };
}
