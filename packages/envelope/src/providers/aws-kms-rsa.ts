/**
 * @strongroom/envelope/aws-kms-rsa: the AWS KMS RSA keyring (framework/aws-kms/aws-kms-rsa-keyring.md). Data keys are
 * wrapped here, with the public key and without any call, and unwrapped by the KMS. RSA cannot bind an encryption
 * context, so a digest of it is wrapped with the data key.
 */
import { sha384Digest } from "../crypto/key-derivation.ts";
import { rsaKey, rsaSeal } from "../crypto/rsa.ts";
import type { KeyObject, OaepHash, RsaKeyInput } from "../crypto/rsa.ts";
import { equalInConstantTime, SecretBytes, unmovedMemory } from "../crypto/secret.ts";
import { EnvelopeError, requireNotAborted } from "../errors.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import type { AlgorithmSuite } from "../format/suites.ts";
import type { DecryptionMaterials, Keyring } from "../keyrings/keyring.ts";
import type { KeyOutcome } from "../keyrings/data-keys.ts";
import { requireNoDataKey, unwrapDataKey, wrapDataKey } from "../keyrings/data-keys.ts";
import { having, isBytes, needed, objectOf, oneOf, option, readOptions } from "../options.ts";
import type { RowsFor } from "../options.ts";
import type { KmsCallOptions } from "./aws-kms/client.ts";
import { askKms, grantsOf, wipeField, wrong } from "./aws-kms/kms-call.ts";
import { isReplicaOf, keyArn, requireKeyArn } from "./aws-kms/kms-key.ts";
import type { KeyArn } from "./aws-kms/kms-key.ts";
import { SINGLE_CALL_DEFAULTS, SINGLE_CALL_ROWS, SingleCalls } from "./aws-kms/single-calls.ts";
import type { SingleCallOptions } from "./aws-kms/single-calls.ts";

export type { RsaKeyInput } from "../crypto/rsa.ts";

export type KmsRsaAlgorithm = "RSAES_OAEP_SHA_1" | "RSAES_OAEP_SHA_256";

/** The one method of an AWS KMS client that is called, as the class `KMS` of @aws-sdk/client-kms has it. */
export interface KmsRsaClient {
  decrypt(
    input: { KeyId: string; CiphertextBlob: Uint8Array; EncryptionAlgorithm: KmsRsaAlgorithm; GrantTokens?: string[] },
    options?: KmsCallOptions,
  ): Promise<{ Plaintext?: Uint8Array | undefined; KeyId?: string | undefined }>;
}

export interface KmsRsaKeyringOptions extends SingleCallOptions {
  /** The ARN of an RSA key for encryption. An alias cannot be matched with what a message stores. */
  readonly keyArn: string;
  readonly encryptionAlgorithm?: KmsRsaAlgorithm;
  /** PEM, DER or a key object; what GetPublicKey answers for this very key. Needed to encrypt. */
  readonly publicKey?: RsaKeyInput;
  /** Needed to decrypt. Must not retry (`maxAttempts: 1`). */
  readonly client?: KmsRsaClient;
}

export const KMS_RSA_DEFAULTS: Required<SingleCallOptions> & { readonly encryptionAlgorithm: KmsRsaAlgorithm } = {
  ...SINGLE_CALL_DEFAULTS,
  encryptionAlgorithm: "RSAES_OAEP_SHA_256",
};

const PROVIDER_ID = "aws-kms-rsa";
const HASHES: Readonly<Record<KmsRsaAlgorithm, OaepHash>> = {
  RSAES_OAEP_SHA_1: "sha1",
  RSAES_OAEP_SHA_256: "sha256",
};
/** "Encryption Context Digest" */
const DIGEST_LENGTH = 48;

/**
 * @throws EnvelopeError `option-invalid`, with every problem listed
 *
 * @example
 * ```ts
 * import { generateKeyPairSync } from "node:crypto";
 * import { encrypt, inspect } from "@strongroom/envelope";
 * import { kmsRsaKeyring } from "@strongroom/envelope/aws-kms-rsa";
 *
 * // In earnest: what GetPublicKey answers for this very key.
 * const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
 * const keyring = kmsRsaKeyring({
 *   keyArn: "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
 *   publicKey,
 * });
 * const { message } = await encrypt(Buffer.from("Ada"), {
 *   keyring,
 *   encryptionContext: { id: "42" },
 *   suite: "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
 * });
 * console.log(inspect(message).encryptedDataKeys[0]?.providerId); // prints: aws-kms-rsa
 * ```
 */
export function kmsRsaKeyring(options: KmsRsaKeyringOptions): Keyring {
  const { key, encryptionAlgorithm, hash, publicKey, client, bounds } = resolveOptions(options);
  const providerInfo = Buffer.from(key.arn, "utf8");

  return {
    async onEncrypt(materials, { signal }) {
      if (publicKey === null)
        throw new EnvelopeError("keyring-unsuitable", "The AWS KMS RSA keyring needs publicKey to encrypt");
      requireUnsigned(materials.suite);
      requireNotAborted(signal);
      return wrapDataKey(materials, (dataKey) => {
        using digestAndKey = new SecretBytes(unmovedMemory(DIGEST_LENGTH + dataKey.length));
        digestAndKey.bytes.set(sha384Digest(materials.encryptionContext.bytes));
        digestAndKey.bytes.set(dataKey.bytes, DIGEST_LENGTH);
        return { providerId: PROVIDER_ID, providerInfo, ciphertext: rsaSeal(publicKey, hash, digestAndKey.bytes) };
      });
    },

    async onDecrypt(materials, encryptedDataKeys, call) {
      if (client === null)
        throw new EnvelopeError("keyring-unsuitable", "The AWS KMS RSA keyring needs a client to decrypt");
      requireUnsigned(materials.suite);
      requireNoDataKey(materials);
      const ours = new Set(
        encryptedDataKeys.filter((each) => each.providerId === PROVIDER_ID && isSameKey(key, requireKeyArn(each))),
      );
      using calls = new SingleCalls(bounds, call);
      return await unwrapDataKey(materials, encryptedDataKeys, call, {
        isOurs: (each) => ours.has(each),
        unwrap: (each) => unwrap(each, client, materials, calls),
        notAccepted: "wrong-data-key",
        isUnderPublicKey: true,
        attempts: calls.attempts,
      });
    },
  };

  async function unwrap(
    { ciphertext }: EncryptedDataKey,
    asked: KmsRsaClient,
    materials: DecryptionMaterials,
    calls: SingleCalls,
  ): Promise<SecretBytes | KeyOutcome> {
    const digest = sha384Digest(materials.encryptionContext.bytes);
    const input = {
      KeyId: key.arn,
      CiphertextBlob: ciphertext,
      EncryptionAlgorithm: encryptionAlgorithm,
      ...grantsOf(bounds.grantTokens),
    };
    const outcome = await calls.call<SecretBytes>({
      key,
      operation: "Decrypt",
      send: (abortSignal) =>
        askKms(
          () => asked.decrypt(input, { abortSignal }),
          ({ KeyId, Plaintext }) => {
            if (KeyId !== key.arn) return wrong("wrong-key-id");
            return isBytes(Plaintext) ? { value: new SecretBytes(Plaintext) } : wrong("server-error");
          },
          ({ Plaintext }) => {
            wipeField(Plaintext);
          },
        ),
      discard: (late) => {
        late.wipe();
      },
    });
    if (!(outcome instanceof SecretBytes)) return outcome;
    using digestAndKey = outcome;
    // Everyone can wrap anything with a public key: this says nothing against the KMS.
    if (digestAndKey.length !== DIGEST_LENGTH + materials.suite.keyLength) return "does-not-open";
    if (!equalInConstantTime(digestAndKey.bytes.subarray(0, DIGEST_LENGTH), digest)) return "does-not-open";
    return SecretBytes.copyOf(digestAndKey.bytes.subarray(DIGEST_LENGTH));
  }
}

function isSameKey(configured: KeyArn, named: KeyArn): boolean {
  return configured.arn === named.arn || isReplicaOf(configured, named);
}

/**
 * "Security Considerations": everyone can wrap with a public key, so a signature would prove nothing that readers may
 * think it does.
 */
function requireUnsigned(suite: AlgorithmSuite): void {
  if (suite.signature === null) return;
  throw new EnvelopeError(
    "keyring-unsuitable",
    `The AWS KMS RSA keyring does not work with signed suites such as ${suite.name}: use an unsigned one`,
  );
}

interface Resolved {
  readonly key: KeyArn;
  readonly encryptionAlgorithm: KmsRsaAlgorithm;
  readonly hash: OaepHash;
  readonly publicKey: KeyObject | null;
  readonly client: KmsRsaClient | null;
  readonly bounds: Required<SingleCallOptions>;
}

const readKmsRsa = objectOf({
  ...SINGLE_CALL_ROWS,
  keyArn: needed(keyArn),
  encryptionAlgorithm: option(oneOf(Object.keys(HASHES) as KmsRsaAlgorithm[]), KMS_RSA_DEFAULTS.encryptionAlgorithm),
  publicKey: option(rsaKey("public")),
  client: option(having<KmsRsaClient>("a client of AWS KMS", "decrypt")),
} satisfies RowsFor<KmsRsaKeyringOptions>);

function resolveOptions(options: KmsRsaKeyringOptions): Resolved {
  const {
    keyArn: key,
    encryptionAlgorithm,
    publicKey = null,
    client = null,
    ...bounds
  } = readOptions(readKmsRsa, options);
  if (publicKey === null && client === null)
    throw new EnvelopeError("option-invalid", "publicKey, client or both are needed");
  return { key, encryptionAlgorithm, hash: HASHES[encryptionAlgorithm], publicKey, client, bounds };
}
