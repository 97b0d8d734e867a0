/**
 * The keyring interface (framework/keyring-interface.md): wraps and unwraps data keys.
 */
import type { EncryptedDataKey } from "../format/encrypted-data-key.ts";
import type { DecryptionMaterials, EncryptionMaterials } from "./materials.ts";

export interface KeyringCall {
  /** Aborted when the caller gives up. A keyring that waits for anything honours it. */
  readonly signal: AbortSignal | undefined;
}

export interface Keyring {
  /**
   * Generates a data key if there is none, wraps it, and returns materials with both.
   *
   * @throws EnvelopeError when it could not; the data key it made is then wiped.
   */
  onEncrypt(materials: EncryptionMaterials, call: KeyringCall): Promise<EncryptionMaterials>;
  /**
   * Returns materials with the data key of the first encrypted data key it can unwrap *and* that
   * `materials.accepts`. Never returns materials without one.
   *
   * @throws EnvelopeError `no-matching-key` when none is for this keyring's keys, `decryption-failed` when its keys
   *   refused, or a provider's own code. `encryptedDataKeys` on the error tells what came of each.
   */
  onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
    call: KeyringCall,
  ): Promise<DecryptionMaterials>;
}
