/**
 * Who signs checkpoints of the log. The vault's own key always does: Ed25519, from the audit's root. A key of a KMS may
 * do so too, whose secret no process has.
 */
import { signerOf, signingKeyOf } from "@strongroom/tlog/keys";
import type { Verifier } from "@strongroom/tlog/keys";

/** Signs checkpoints. */
export interface CheckpointSigner {
  /** As reports name it. */
  readonly name: string;
  /** Verifies its signatures of logs of this origin; a key that is named otherwise says so in the verifier's name. */
  verifierOf(origin: string): Verifier;
  /**
   * The signature of a checkpoint's text (`formatCheckpoint`), without the key id.
   *
   * @throws Error if it cannot sign now: what is signed by others is used without it, and it is asked again
   */
  sign(origin: string, text: string): Promise<Uint8Array>;
}

/** The vault's own signer. @param seed 32 bytes, which are wiped */
export function ownSigner(seed: Buffer): CheckpointSigner {
  const key = signingKeyOf(seed);
  return {
    name: "the vault's own key",
    verifierOf: (origin) => signerOf(origin, "ed25519", key),
    sign: async (origin, text) => signerOf(origin, "ed25519", key).sign(text),
  };
}

/** The name of a log: which vault's, and which history of it. */
export const originOf = (vault: string, history: string): string => `strongroom/${vault}/${history}`;
