/**
 * The part of onEncrypt that keyrings with one wrap have in common (framework/keyring-interface.md, "OnEncrypt"): a
 * data key is generated when there is none, wrapped, and wiped again if that failed.
 */
import { randomSecret } from "../crypto/random.ts";
import type { SecretBytes } from "../crypto/secret.ts";
import type { EncryptedDataKey } from "../format/encrypted-data-key.ts";
import type { EncryptionMaterials } from "./materials.ts";

export async function wrapDataKey(
  materials: EncryptionMaterials,
  wrap: (dataKey: SecretBytes) => EncryptedDataKey | Promise<EncryptedDataKey>,
): Promise<EncryptionMaterials> {
  const dataKey = materials.dataKey ?? randomSecret(materials.suite.keyLength);
  try {
    const wrapped = await wrap(dataKey);
    return { ...materials, dataKey, encryptedDataKeys: [...materials.encryptedDataKeys, wrapped] };
  } catch (error) {
    if (materials.dataKey === null) dataKey.wipe();
    throw error;
  }
}
