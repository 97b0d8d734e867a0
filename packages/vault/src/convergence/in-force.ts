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

/** Wrapping key -> the material that it has now, of keys whose provider tells and which answered. */
export async function currentMaterials(
  set: Pick<KeySet, "keyring">,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  return new Map(
    (await toldMaterials(set, signal)).flatMap(({ key, material }) => (material === null ? [] : [[key, material]])),
  );
}

/**
 * The same of keys that all answered: what is older cannot be told of one that did not.
 *
 * @throws VaultError `regions-unavailable`
 */
export async function requireMaterials(
  set: Pick<KeySet, "keyring">,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  const told = await toldMaterials(set, signal);
  if (told.every(({ material }) => material !== null))
    return new Map(told.map(({ key, material }) => [key, material ?? ""]));
  throw new VaultError("regions-unavailable", "A key did not tell which material it has now");
}

async function toldMaterials(
  { keyring }: Pick<KeySet, "keyring">,
  signal: AbortSignal | undefined,
): Promise<readonly { readonly key: string; readonly material: string | null }[]> {
  return (await keyring.currentMaterials?.({ signal })) ?? [];
}

/** Whether all wraps that a message says it has are under these keys; of keys that nobody names, true. */
export function underNames(message: Uint8Array, names: readonly string[] | null): boolean {
  return names === null || wrapsOf(message).every(({ key }) => names.includes(key));
}
