/**
 * Puts the message that is kept of a version back in the place of the one that replaced it. It is opened first, by the
 * keys that are in force again, and must be one that the log of the audit knows: whoever can write the database could
 * have put another one there.
 */
import { isVaultError } from "../errors.ts";
import { keySetMoved, openBytes, storedAddress } from "../records/version.ts";
import type { Lease } from "../stores/jobs.ts";
import type { VersionPlace } from "../stores/rows.ts";
import { concernedBy, newestOf } from "./seal-anew.ts";
import type { SealDependencies } from "./seal-anew.ts";
import { wantOf } from "./target.ts";
import type { Target } from "./target.ts";
import type { WorkOutcome } from "./work.ts";

/** Tries of a version whose key set changes meanwhile. */
const RESTORE_ATTEMPTS = 8;

/**
 * Restores one version.
 *
 * @param target in force: a message that is not under it is not put back
 * @returns null: none is kept, or none that will do
 * @throws VaultError the `record-…` codes of the version itself, `audit-unavailable`, `regions-unavailable`,
 *   `deadline-exceeded`, `keyring-overloaded`, `aborted`, `key-set-unknown`, `key-set-moved`; the store's
 */
export async function restoreKept(
  dependencies: SealDependencies,
  place: VersionPlace,
  { lease, target }: { readonly lease: Lease | null; readonly target: Target },
): Promise<WorkOutcome | null> {
  const { store, keys, subjectKeys, audit, clock, signal } = dependencies;
  for (let attempt = 1; attempt <= RESTORE_ATTEMPTS; attempt++) {
    const kept = await store.kept.read(place);
    if (kept === null) return null;
    const known = (await store.inventory.sets()).find(({ id }) => id === kept.wrapSet);
    const want = wantOf(known?.set ?? null, target);
    if (want.kind === "unknown" || (want.kind === "wraps" && want.lacks.length > 0)) return null;
    const { epoch } = await keys.forWriting();
    const found = await newestOf(dependencies, place);
    if (typeof found === "string") return { kind: "overtaken" };
    const { stored, rows } = found;
    try {
      const address = storedAddress(place, stored, subjectKeys);
      (await openBytes(kept.message, address, { keys, subjectKeys, signal })).fill(0);
      const asked = { row: place, rows, version: stored.version, message: kept.message };
      if ((await audit?.requireNewest([asked])) === "overtaken") return { kind: "overtaken" };
    } catch (error) {
      // What lies there is not the version's: it is sealed anew from what is, and this goes.
      if (isVaultError(error) && error.code.startsWith("record-")) return null;
      throw error;
    }
    await audit?.rewrap({ ...concernedBy(place, stored), message: kept.message });
    const at = clock().toISOString();
    const { kind } = await store.kept.restore({ place, seen: stored.stamp, epoch, at, lease });
    if (kind === "made") return { kind: "settled" };
    if (kind === "overtaken") return { kind: "overtaken" };
    keys.moved();
  }
  throw keySetMoved();
}
