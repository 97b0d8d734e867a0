/**
 * Where branch keys come from (framework/branch-key-store.md, "GetActiveBranchKey" and "GetBranchKeyVersion"): keys
 * that wrap the data keys of one tenant or one person, themselves wrapped by a KMS and kept in a store.
 */
import type { SecretBytes } from "../../crypto/secret.ts";

export interface BranchKey {
  /** A version 4 UUID in lower case. Messages name the version of the branch key that opens them. */
  readonly version: string;
  /** 32 bytes. Handed over: the keyring wipes it. */
  readonly key: SecretBytes;
}

/**
 * A key store. Both calls are made for all who wait for the same key at that moment, so they get no signal of a single
 * caller: the store bounds its own time. What they throw reaches the caller; an EnvelopeError keeps its code.
 */
export interface BranchKeyStore<Key extends BranchKey = BranchKey> {
  /** The version that new data keys are wrapped with; null when there is no such branch key. */
  getActiveBranchKey(branchKeyId: string): Promise<Key | null>;
  /** One version, active or not; null when there is none, or none any more. */
  getBranchKeyVersion(branchKeyId: string, version: string): Promise<Key | null>;
}
