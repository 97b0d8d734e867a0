/**
 * A key of AWS KMS: its ARN (framework/aws-kms/aws-kms-key-arn.md), and the wrapping key that it is to the multi-region
 * policy. Its wraps are those of the AWS KMS keyring (framework/aws-kms/aws-kms-keyring.md), so every AWS Encryption
 * SDK reads them.
 */
import { SecretBytes } from "../../crypto/secret.ts";
import { EnvelopeError, shown } from "../../errors.ts";
import type { EncryptedDataKey } from "../../format/header.ts";
import { provesToOpen } from "../../multi-region/wrap-proofs.ts";
import type {
  GeneratedKey,
  RewrapRequest,
  UnwrapRequest,
  WrapContext,
  WrappingKey,
} from "../../multi-region/wrapping-key.ts";
import { isBytes } from "../../options.ts";
import type { Reader } from "../../options.ts";
import type { CallAnswer } from "../../resilience/calls.ts";
import type { KmsClient } from "./client.ts";
import { askKms, grantsOf, grantsOfBoth, ofMaterial, wipeField, wrong } from "./kms-call.ts";
import type { Grants } from "./kms-call.ts";

/** framework/aws-kms/aws-kms-keyring.md, "OnEncrypt" */
export const PROVIDER_ID = "aws-kms";

export interface KeyArn {
  readonly arn: string;
  readonly partition: string;
  readonly region: string;
  readonly account: string;
  readonly keyId: string;
  /** Whether the id is one of a multi-Region key: the same id names its replicas in other regions. */
  readonly multiRegion: boolean;
}

const KEY_ARN = /^arn:([a-z0-9-]+):kms:([a-z0-9-]+):([0-9]+):key\/([A-Za-z0-9-]+)$/;

/** AWS KMS API Reference, "KeyId" of each operation. */
const LONGEST_ARN = 2_048;

/** null for anything that is not the ARN of a *key*: aliases too. */
export function parseKeyArn(arn: string): KeyArn | null {
  const match = arn.length > LONGEST_ARN ? null : KEY_ARN.exec(arn);
  if (match === null) return null;
  const [, partition = "", region = "", account = "", keyId = ""] = match;
  return { arn, partition, region, account, keyId, multiRegion: keyId.startsWith("mrk-") };
}

/** An option that names a key. */
export const keyArn: Reader<KeyArn> = (value, name, problems) => {
  const key = typeof value === "string" ? parseKeyArn(value) : null;
  if (key !== null) return key;
  problems.push(`${name} must be the ARN of a key (an alias cannot be used)`);
  return undefined as never;
};

/**
 * Whether both are the same multi-Region key in two regions (framework/aws-kms/aws-kms-mrk-match-for-decrypt.md):
 * everything but the region is equal.
 */
export function isReplicaOf(key: KeyArn, other: KeyArn): boolean {
  return (
    key.multiRegion && key.keyId === other.keyId && key.account === other.account && key.partition === other.partition
  );
}

/**
 * The replica of a multi-Region key in another region (framework/aws-kms/aws-kms-mrk-discovery-keyring.md,
 * "OnDecrypt").
 */
export function inRegion(key: KeyArn, region: string): KeyArn {
  return { ...key, region, arn: `arn:${key.partition}:kms:${region}:${key.account}:key/${key.keyId}` };
}

/**
 * The key that an encrypted data key of an AWS KMS keyring names.
 *
 * @throws EnvelopeError `message-malformed` when it names anything else: no writer may do that.
 */
export function requireKeyArn({ providerId, providerInfo }: EncryptedDataKey): KeyArn {
  const arn = parseKeyArn(Buffer.from(providerInfo).toString("utf8"));
  if (arn === null)
    throw new EnvelopeError(
      "message-malformed",
      `An encrypted data key of provider ${shown(providerId)} does not name the ARN of a key`,
    );
  return arn;
}

export interface KmsKeyOptions {
  readonly key: KeyArn;
  /** Of the key's region. Must not retry (`maxAttempts: 1`). */
  readonly client: KmsClient;
  readonly grantTokens: readonly string[];
}

/** Longest ciphertext an encrypted data key can hold. */
const MAX_CIPHERTEXT = 0xffff;

export class KmsKey implements WrappingKey {
  readonly providerId: string = PROVIDER_ID;
  readonly operations: WrappingKey["operations"] = {
    generate: "GenerateDataKey",
    wrap: "Encrypt",
    unwrap: "Decrypt",
    rewrap: "ReEncrypt",
    describe: "DescribeKey",
  };
  readonly #key: KeyArn;
  readonly #client: KmsClient;
  readonly #grants: Grants;
  readonly #asked: KmsDecrypter;
  readonly #storedName: Buffer;

  constructor({ key, client, grantTokens }: KmsKeyOptions) {
    this.#key = key;
    this.#client = client;
    this.#grants = grantsOf(grantTokens);
    this.#asked = { client, arn: key.arn, grants: this.#grants };
    this.#storedName = Buffer.from(key.arn, "utf8");
  }

  get region(): string {
    return this.#key.region;
  }

  get keyId(): string {
    return this.#key.arn;
  }

  generate(keyLength: number, context: WrapContext, abortSignal: AbortSignal): Promise<CallAnswer<GeneratedKey>> {
    const { arn } = this.#key;
    const input = { KeyId: arn, NumberOfBytes: keyLength, EncryptionContext: context, ...this.#grants };
    return askKms(
      () => this.#client.generateDataKey(input, { abortSignal }),
      ({ KeyId, CiphertextBlob, Plaintext, KeyMaterialId }) => {
        if (KeyId !== arn) return wrong("wrong-key-id");
        if (!isStorable(CiphertextBlob)) return wrong("server-error");
        if (!isKey(Plaintext, keyLength)) return wrong("wrong-key-length");
        return ofMaterial({ dataKey: new SecretBytes(Plaintext), ciphertext: CiphertextBlob }, KeyMaterialId);
      },
      wipePlaintext,
    );
  }

  wrap(secret: Uint8Array, context: WrapContext, abortSignal: AbortSignal): Promise<CallAnswer<Uint8Array>> {
    const { arn } = this.#key;
    const input = { KeyId: arn, Plaintext: secret, EncryptionContext: context, ...this.#grants };
    return askKms(
      () => this.#client.encrypt(input, { abortSignal }),
      ({ KeyId, CiphertextBlob }) => (KeyId === arn ? ciphertextOf(CiphertextBlob) : wrong("wrong-key-id")),
      nothing,
    );
  }

  unwrap(request: UnwrapRequest, abortSignal: AbortSignal): Promise<CallAnswer<SecretBytes>> {
    return kmsDecrypt(this.#asked, request, abortSignal);
  }

  /**
   * Where one client speaks for both keys: only then is it known that both are keys of one service in one region.
   */
  canReEncrypt(source: WrappingKey): source is KmsKey {
    return this.#client.reEncrypt !== undefined && source instanceof KmsKey && source.#client === this.#client;
  }

  /** ReEncrypt, or Decrypt there and Encrypt here. */
  async rewrap(request: RewrapRequest, abortSignal: AbortSignal): Promise<CallAnswer<Uint8Array>> {
    const { source, ciphertext, context, newContext } = request;
    const client = this.#client;
    if (client.reEncrypt === undefined || !this.canReEncrypt(source)) return unwrapAndWrap(this, request, abortSignal);
    const reEncrypt = client.reEncrypt.bind(client);
    const [from, to] = [source.keyId, this.keyId];
    const input = {
      CiphertextBlob: ciphertext,
      SourceKeyId: from,
      SourceEncryptionContext: context,
      DestinationKeyId: to,
      DestinationEncryptionContext: newContext,
      ...grantsOfBoth(this.#grants, source.#grants),
    };
    const made = await askKms(
      () => reEncrypt(input, { abortSignal }),
      ({ SourceKeyId, KeyId, CiphertextBlob, DestinationKeyMaterialId }) =>
        SourceKeyId === from && KeyId === to
          ? ciphertextOf(CiphertextBlob, DestinationKeyMaterialId)
          : wrong("wrong-key-id"),
      nothing,
    );
    if ("failed" in made || request.proof !== "opened") return made;
    const opened = await source.unwrap(request, abortSignal);
    if ("failed" in opened) return opened;
    using secret = opened.value;
    return await provenWrap(this, made.value, secret.bytes, request, abortSignal);
  }

  describe(abortSignal: AbortSignal): Promise<CallAnswer<true>> {
    const { arn } = this.#key;
    return askKms(
      () => this.#client.describeKey({ KeyId: arn, ...this.#grants }, { abortSignal }),
      ({ KeyMetadata }) => {
        if (KeyMetadata?.Arn !== arn) return wrong("wrong-key-id");
        if (KeyMetadata.KeyState === "Enabled") return ofMaterial(true, KeyMetadata.CurrentKeyMaterialId);
        return wrong(KeyMetadata.KeyState === "PendingDeletion" ? "key-pending-deletion" : "key-disabled");
      },
      nothing,
    );
  }

  stored(ciphertext: Uint8Array): EncryptedDataKey {
    return { providerId: PROVIDER_ID, providerInfo: Buffer.from(this.#storedName), ciphertext };
  }

  /** A multi-Region key opens what its replicas wrapped (framework/aws-kms/aws-kms-mrk-keyring.md, "OnDecrypt"). */
  matches({ providerId, providerInfo }: EncryptedDataKey): "own" | "replica" | null {
    if (providerId !== PROVIDER_ID) return null;
    if (this.#storedName.equals(providerInfo)) return "own";
    if (!this.#key.multiRegion) return null;
    const named = parseKeyArn(Buffer.from(providerInfo).toString("utf8"));
    return named !== null && isReplicaOf(this.#key, named) ? "replica" : null;
  }
}

/** Who is asked to decrypt, and with which key. */
export interface KmsDecrypter {
  readonly client: Pick<KmsClient, "decrypt">;
  readonly arn: string;
  readonly grants: Grants;
}

/** The answer must be of the very key that was asked (framework/aws-kms/aws-kms-keyring.md, "OnDecrypt"). */
export function kmsDecrypt(
  { client, arn, grants }: KmsDecrypter,
  { ciphertext, keyLength, context }: UnwrapRequest,
  abortSignal: AbortSignal,
): Promise<CallAnswer<SecretBytes>> {
  const input = { KeyId: arn, CiphertextBlob: ciphertext, EncryptionContext: context, ...grants };
  return askKms(
    () => client.decrypt(input, { abortSignal }),
    ({ KeyId, Plaintext, KeyMaterialId }) => {
      if (KeyId !== arn) return wrong("wrong-key-id");
      if (!isKey(Plaintext, keyLength)) return wrong("wrong-key-length");
      return ofMaterial(new SecretBytes(Plaintext), KeyMaterialId);
    },
    wipePlaintext,
  );
}

function ciphertextOf(ciphertext: Uint8Array | undefined, material?: string): CallAnswer<Uint8Array> {
  return isStorable(ciphertext) ? ofMaterial(ciphertext, material) : wrong("server-error");
}

function isStorable(ciphertext: Uint8Array | undefined): ciphertext is Uint8Array {
  return isBytes(ciphertext) && ciphertext.length > 0 && ciphertext.length <= MAX_CIPHERTEXT;
}

function isKey(value: Uint8Array | undefined, length: number): value is Uint8Array {
  return isBytes(value) && value.length === length;
}

function wipePlaintext({ Plaintext }: { readonly Plaintext?: Uint8Array | undefined }): void {
  wipeField(Plaintext);
}

function nothing(): void {
  // Neither a ciphertext nor a description is a secret.
}

/** A rewrap for keys whose provider has none, or that two providers have: the secret is here for a moment. */
async function unwrapAndWrap(
  target: WrappingKey,
  request: RewrapRequest,
  signal: AbortSignal,
): Promise<CallAnswer<Uint8Array>> {
  const { source, newContext, proof } = request;
  const opened = await source.unwrap(request, signal);
  if ("failed" in opened) return opened;
  using secret = opened.value;
  const made = await target.wrap(secret.bytes, newContext, signal);
  if ("failed" in made || proof !== "opened") return made;
  return await provenWrap(target, made.value, secret.bytes, request, signal);
}

/** The wrap, when it opens to the secret. */
async function provenWrap(
  target: WrappingKey,
  ciphertext: Uint8Array,
  secret: Uint8Array,
  { keyLength, newContext: context }: RewrapRequest,
  signal: AbortSignal,
): Promise<CallAnswer<Uint8Array>> {
  const proof = await provesToOpen(target, { ciphertext, keyLength, context }, () => secret, signal);
  return "failed" in proof ? proof : ofMaterial(ciphertext, proof.material);
}
