/**
 * Takes the wraps of a key away that are not of the key set in force, once it lacks none that are. That is asked of the
 * row itself at the moment of the change, and not of what found it; and wraps that nobody has opened since the run
 * began are opened first, by the share that the run asks for. Otherwise no KMS is called.
 *
 * Going back is the same: the set before is in force again, and what goes are the new wraps.
 */
import { isVaultError } from "../errors.ts";
import { isUnderRegions, keyTampered } from "../keys/key-binding.ts";
import { RegionWraps, wrappingKeyOf } from "../keys/region-wraps.ts";
import type { Lease } from "../stores/jobs.ts";
import type { KeyPlace, KeyRow, KeyWrap } from "../stores/key-store.ts";
import type { MissingWrap } from "../stores/wrap-set.ts";
import { accountOf, changeKey } from "./add-wraps.ts";
import type { KeyChange, KeyWorkDependencies } from "./add-wraps.ts";
import { stillMissing } from "./decide-repair.ts";
import { targetOf } from "./in-force.ts";
import { regionOfKey, wantOf } from "./target.ts";
import type { Target } from "./target.ts";
import type { WorkOutcome } from "./work.ts";

/** How wraps are taken. */
export interface DropRules {
  /** Of the keys in force; null: any will do. */
  readonly materials: Target["materials"];
  /** Whether the wraps of a key that stay must have been opened. */
  isProven(place: KeyPlace): boolean;
  /** Whether the run has opened a wrap under this key when it made it, of an item that has its wraps since then. */
  wasProven(key: string, since: string | null): boolean;
}

/**
 * Takes what one key has too much.
 *
 * @param lease of the job that does it: nothing is changed once it is somebody else's
 * @param since when the key got the wrap set that it had when it was found
 * @throws VaultError `subject-key-tampered` when its row is not as its account says; `wraps-still-missing` when a wrap
 *   that is to stay does not open (it is noted as owed then); `regions-unavailable`, `deadline-exceeded`,
 *   `keyring-overloaded`, `aborted`, `key-set-unknown`, `key-set-moved`; the store's. No wrap is gone then.
 */
export async function dropWraps(
  dependencies: KeyWorkDependencies,
  place: KeyPlace,
  lease: Lease | null,
  { since, rules }: { readonly since: string | null; readonly rules: DropRules },
): Promise<WorkOutcome> {
  let wrong: readonly MissingWrap[] = [];
  const outcome = await changeKey(dependencies, place, lease, async (row) => {
    const decided = await dropped(dependencies, row, { since, rules });
    wrong = decided?.wrong ?? [];
    return decided;
  });
  if (wrong.length > 0 && outcome.kind !== "overtaken") throw stillMissing(wrong);
  return outcome;
}

/** A change, and wraps that were to stay and do not open. */
interface Dropped extends KeyChange {
  readonly wrong: readonly MissingWrap[];
}

async function dropped(
  dependencies: KeyWorkDependencies,
  row: KeyRow,
  { since, rules }: { readonly since: string | null; readonly rules: DropRules },
): Promise<Dropped | null> {
  const sealing = await dependencies.keySets.forWriting();
  const target = targetOf(sealing, rules.materials);
  if (target === null || !isUnderRegions(row)) return null;
  if (row.wrapSet === null) throw keyTampered("Nobody can tell what the wraps of a key are");
  const set = { ...row.wrapSet, wraps: accountOf(row.wraps, row.wrapSet) };
  const want = wantOf(set, target);
  // It has changed since it was found; what it lacks it gets first.
  if (want.kind !== "wraps" || want.lacks.length > 0 || want.extra.length === 0) return null;
  const staying = right(row.wraps, target);
  const keys = new Set(staying.map(keyOf));
  if (keys.size < target.target) throw keyTampered("The wraps of a key are not those that its account tells");
  const toProve = rules.isProven(row) ? staying.filter((wrap) => !rules.wasProven(keyOf(wrap), since)) : [];
  const wrong = await unopened(dependencies, row, toProve);
  const { epoch } = sealing;
  if (wrong.length > 0) {
    const missing = wrong.map((key) => ({ region: regionOfKey(key), keyArn: key, reason: "wrong-data-key" }));
    const change = { epoch, wraps: null, moved: null, wrapSet: { ...set, target: target.target, missing } };
    return { outcome: { kind: "settled" }, change, wrong: missing };
  }
  const wraps = accountOf(staying, { ...set, wraps: set.wraps.filter((wrap) => !want.extra.includes(wrap)) });
  const wrapSet = { wraps, target: target.target, missing: [] };
  return { outcome: { kind: "settled" }, change: { epoch, wraps: staying, moved: null, wrapSet }, wrong: [] };
}

const keyOf = (wrap: KeyWrap): string => wrappingKeyOf(wrap).key;

/** Wraps under the keys in force; where only current material will do, the newest of each, which lies first. */
function right(wraps: readonly KeyWrap[], { names, materials }: Target): readonly KeyWrap[] {
  const seen = new Set<string>();
  return wraps.filter((wrap) => {
    const key = keyOf(wrap);
    if (!names.has(key) || (materials?.has(key) === true && seen.has(key))) return false;
    seen.add(key);
    return true;
  });
}

/** Wrapping keys of wraps that do not open to the row's key. @throws VaultError where one cannot be asked now */
async function unopened(
  dependencies: KeyWorkDependencies,
  row: KeyRow,
  wraps: readonly KeyWrap[],
): Promise<readonly string[]> {
  const regions = new RegionWraps(dependencies);
  const wrong: string[] = [];
  for (const wrap of wraps)
    try {
      (await regions.open({ ...row, wraps: [wrap] })).key.wipe();
    } catch (error) {
      if (!isVaultError(error) || error.code !== "subject-key-tampered") throw error;
      wrong.push(keyOf(wrap));
    }
  return wrong;
}
