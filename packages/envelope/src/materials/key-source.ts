/**
 * Where keys come from: a keyring, or a materials manager such as a cache around one. Exactly one of the two.
 */
import { EnvelopeError } from "../errors/envelope-error.ts";
import type { Keyring } from "../keyrings/keyring.ts";
import { defaultMaterials } from "./default-materials.ts";
import type { MaterialsManager } from "./materials-manager.ts";

export type KeySource =
  | { readonly keyring: Keyring; readonly materials?: never }
  | { readonly materials: MaterialsManager; readonly keyring?: never };

/** One default manager per keyring is enough: it holds nothing else. */
const managers = new WeakMap<Keyring, MaterialsManager>();

/** @throws EnvelopeError `option-invalid` unless exactly one is given */
export function materialsManager(source: KeySource): MaterialsManager {
  const { keyring, materials } = source as { readonly keyring?: Keyring; readonly materials?: MaterialsManager };
  if (keyring === undefined && materials !== undefined) return materials;
  if (keyring === undefined || materials !== undefined) {
    throw new EnvelopeError("option-invalid", "Give exactly one of keyring and materials");
  }
  let manager = managers.get(keyring);
  if (manager === undefined) {
    manager = defaultMaterials(keyring);
    managers.set(keyring, manager);
  }
  return manager;
}
