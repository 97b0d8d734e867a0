/**
 * A key of a KMS that signs checkpoints of the audit's log besides the vault's own: its secret is in no process of the
 * vault, so that whoever has all of its memory and keys signs no checkpoint of another history without a call of which
 * the KMS keeps a record. Ed25519 (a note's signature) or ML-DSA-44 (a cosignature, c2sp.org/tlog-cosignature).
 */
import { hash } from "node:crypto";
import { shown } from "@strongroom/base/shown";
import { readPublicKey, signatureRequest, verifierOf } from "@strongroom/tlog/keys";
import type { KeyKind } from "@strongroom/tlog/keys";
import { VaultError } from "../errors.ts";
import type { CheckpointSigner } from "./signer.ts";

/** How each call is told to stop. */
export interface SigningCallOptions {
  readonly abortSignal?: AbortSignal;
}

/** The part of a KMS client that is called, as the aggregated class `KMS` of @aws-sdk/client-kms has it. */
export interface SigningKmsClient {
  getPublicKey(
    input: { KeyId: string },
    options?: SigningCallOptions,
  ): Promise<{
    KeyId?: string | undefined;
    PublicKey?: Uint8Array | undefined;
    KeyUsage?: string | undefined;
  }>;
  sign(
    input: {
      KeyId: string;
      Message: Uint8Array;
      MessageType: "RAW";
      SigningAlgorithm: "ED25519_SHA_512" | "ML_DSA_SHAKE_256";
    },
    options?: SigningCallOptions,
  ): Promise<{ KeyId?: string | undefined; Signature?: Uint8Array | undefined }>;
}

/** Which key. */
export interface KmsSignerOptions {
  readonly client: SigningKmsClient;
  /** Its ARN. It needs `kms:GetPublicKey` and `kms:Sign`. */
  readonly keyId: string;
  /**
   * SHA-256 of its public key (`PublicKey` of `GetPublicKey`), in hex. Left out: what the KMS answers first is taken,
   * and held on to as long as the process lives.
   */
  readonly publicKeySha256?: string;
  /** Milliseconds that a call may take: 5,000 when left out. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 5_000;

const ALGORITHMS = {
  ed25519: "ED25519_SHA_512",
  "ml-dsa-44-cosignature": "ML_DSA_SHAKE_256",
} as const satisfies Partial<Record<KeyKind, string>>;

/**
 * The signer that a key of a KMS is: of key spec `ECC_NIST_EDWARDS25519` or `ML_DSA_44`, for signing. Its public key is
 * asked for here, once, and every signature is verified with it before it is used.
 *
 * @throws VaultError `vault-option-invalid`: it is another kind of key, another key than `publicKeySha256` says, or one
 *   that this version of Node does not know; `audit-unavailable`: the KMS cannot be asked
 * @example
 * ```ts
 * import { KMS } from "@aws-sdk/client-kms";
 * import { createKms } from "@strongroom/kms";
 * import { kmsCheckpointSigner } from "@strongroom/vault";
 *
 * await using kms = await createKms();
 * const client = new KMS(kms.clientConfig());
 * const { KeyMetadata } = await client.createKey({ KeySpec: "ECC_NIST_EDWARDS25519", KeyUsage: "SIGN_VERIFY" });
 * const signer = await kmsCheckpointSigner({ client, keyId: KeyMetadata!.Arn! });
 * console.log(signer.verifierOf("strongroom/vault/history").vkey.split("+")[0]); // prints: strongroom/vault/history
 * ```
 */
export async function kmsCheckpointSigner(
  options: KmsSignerOptions,
  now: () => number = Date.now,
): Promise<CheckpointSigner> {
  const { client, keyId, timeoutMs = TIMEOUT_MS } = options;
  const { arn, kind, raw } = await publicKeyOf(options);
  const name = `the KMS key ${shown(keyId)}`;
  return {
    name,
    verifierOf: (origin) => verifierOf(origin, kind, raw),
    async sign(origin, text) {
      const request = signatureRequest(origin, kind, text, Math.floor(now() / 1000));
      const answer = await client.sign(
        { KeyId: arn, Message: request.message, MessageType: "RAW", SigningAlgorithm: ALGORITHMS[kind] },
        { abortSignal: AbortSignal.timeout(timeoutMs) },
      );
      const signature = request.complete(answer.Signature ?? new Uint8Array());
      if (answer.KeyId !== arn || !verifierOf(origin, kind, raw).verifies(text, signature))
        throw new Error(`${name} gave a signature that is not by the key that it was`);
      return signature;
    },
  };
}

async function publicKeyOf({ client, keyId, publicKeySha256, timeoutMs = TIMEOUT_MS }: KmsSignerOptions): Promise<{
  readonly arn: string;
  readonly kind: keyof typeof ALGORITHMS;
  readonly raw: Uint8Array;
}> {
  const found = await client
    .getPublicKey({ KeyId: keyId }, { abortSignal: AbortSignal.timeout(timeoutMs) })
    .catch((cause: unknown) => {
      throw new VaultError("audit-unavailable", `The key ${shown(keyId)} that signs checkpoints cannot be asked for`, {
        cause,
      });
    });
  const { KeyId: arn, PublicKey: der = new Uint8Array(), KeyUsage: usage } = found;
  if (arn === undefined || (keyId.startsWith("arn:") && arn !== keyId) || usage !== "SIGN_VERIFY")
    throw invalid(keyId, "the KMS answers with another key, or with one that does not sign");
  if (publicKeySha256 !== undefined && hash("sha256", der) !== publicKeySha256.toLowerCase())
    throw invalid(keyId, "its public key is not the one that is configured");
  try {
    const { kind, raw } = readPublicKey(der);
    verifierOf("a", kind, raw);
    return { arn, kind, raw };
  } catch (cause) {
    throw invalid(keyId, "checkpoints are signed by keys ECC_NIST_EDWARDS25519 and, from Node 24 on, ML_DSA_44", cause);
  }
}

const invalid = (keyId: string, why: string, cause?: unknown): VaultError =>
  new VaultError("vault-option-invalid", `The key ${shown(keyId)} does not sign checkpoints: ${why}`, { cause });
