/**
 * What is made in a key store, where an answer may be lost, and whether anything was made there before.
 */
import { isVaultError } from "../errors.ts";
import type { Creation, CreationResult, KeyName, KeyRows } from "../stores/key-store.ts";

/**
 * What became of creations; nothing where the answer was lost: what was made is found by whoever asks again.
 *
 * @throws VaultError as creating does, but for `outcome-unknown`
 */
export async function createdOrLost(
  keys: Pick<KeyRows, "create">,
  creations: readonly Creation[],
): Promise<readonly CreationResult[]> {
  try {
    return await keys.create(creations);
  } catch (error) {
    if (isVaultError(error) && error.code === "outcome-unknown") return [];
    throw error;
  }
}

/** Whether a key store has people, or keys besides those that are given: the vault's own. */
export async function hasOthers(keys: KeyRows, except: readonly KeyName[]): Promise<boolean> {
  if ((await keys.people({ after: null, limit: 1 })).length > 0) return true;
  const counts = Object.entries(await keys.counts());
  return counts.some(([kind, count]) => count > 0 && !except.some((own) => own.kind === kind));
}
