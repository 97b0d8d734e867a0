/**
 * What the key set in force asks of every item.
 */
import { VaultError } from "../errors.ts";
import { wrapsOf } from "../keys/wraps.ts";
import type { KeySet } from "../keys/key-set.ts";
import type { Target } from "./target.ts";

/**
 * The target of a key set; null: its keyring was given without names, so that nobody can tell what is under it.
 *
 * @param materials of its keys; null: any will do
 */
export function targetOf(
  { keyring, names }: Pick<KeySet, "keyring" | "names">,
  materials: Target["materials"] = null,
): Target | null {
  return names === null ? null : { names: new Set(names), target: keyring.target ?? names.length, materials };
}

/**
 * Wrapping key -> the material that it has now, of keys whose provider tells.
 *
 * @throws VaultError `regions-unavailable` when one did not answer: what is older cannot be told then
 */
export async function currentMaterials(
  { keyring }: Pick<KeySet, "keyring">,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  const told = (await keyring.currentMaterials?.({ signal })) ?? [];
  const found = new Map<string, string>();
  for (const { key, material } of told) {
    if (material === null) throw new VaultError("regions-unavailable", "A key did not tell which material it has now");
    found.set(key, material);
  }
  return found;
}

/** Whether all wraps that a message says it has are under these keys; of keys that nobody names, true. */
export function underNames(message: Uint8Array, names: readonly string[] | null): boolean {
  return names === null || wrapsOf(message).every(({ key }) => names.includes(key));
}
