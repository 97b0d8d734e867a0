/**
 * What the key set in force asks of every item.
 */
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

/** Wrapping key -> the material that it has now, asked of the keyring; keys that did not tell are left out. */
export async function currentMaterials(
  { keyring }: Pick<KeySet, "keyring">,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  const told = (await keyring.currentMaterials?.({ signal })) ?? [];
  return new Map(told.flatMap(({ key, material }) => (material === null ? [] : [[key, material] as const])));
}
