/**
 * A region's KMS key in memory behind the structural client: real AES-GCM, answers like AWS KMS's, and faults that a
 * real service cannot be asked to make at will (a lying region, one that never answers).
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { KmsCallOptions, KmsClient } from "@strongroom/envelope/aws-kms";

export type Fault =
  | { readonly kind: "none" }
  | { readonly kind: "throws"; readonly error: Error }
  | { readonly kind: "never-answers"; readonly honoursAbort: boolean }
  | { readonly kind: "delay"; readonly ms: number }
  | { readonly kind: "wrong-key-id" }
  | { readonly kind: "wrong-key-length" }
  | { readonly kind: "wrong-data-key" };

/** What a region that lies to a write may answer with. */
export interface Wrapping {
  readonly plaintext: Uint8Array;
  /** The true wrap. */
  readonly sealed: Buffer;
  readonly seal: (plaintext: Uint8Array, context?: Record<string, string>) => Buffer;
  readonly sealElsewhere: (plaintext: Uint8Array) => Buffer;
}

export class InMemoryKms implements KmsClient {
  readonly region: string;
  readonly keyArn: string;
  readonly calls: string[] = [];
  readonly plaintexts: Uint8Array[] = [];
  fault: Fault = { kind: "none" };
  /** Makes the wraps in place of the key. */
  wrapping: ((wrapping: Wrapping) => Buffer) | null = null;
  /** Makes something else of what was opened. */
  opening: ((plaintext: Buffer) => Buffer) | null = null;
  readonly #keyId: string;
  readonly #key: Buffer;

  constructor(region: string, keyId = `${region}-0000`, key: Buffer = randomBytes(32)) {
    this.#keyId = keyId;
    this.#key = key;
    this.region = region;
    this.keyArn = `arn:aws:kms:${region}:000000000000:key/${keyId}`;
  }

  /** The same multi-Region key in another region. */
  replicaIn(region: string): InMemoryKms {
    return new InMemoryKms(region, this.#keyId, this.#key);
  }

  get asRegion(): { region: string; keyArn: string; client: KmsClient } {
    return { region: this.region, keyArn: this.keyArn, client: this };
  }

  async generateDataKey(
    input: { KeyId: string; NumberOfBytes: number; EncryptionContext?: Record<string, string> },
    options?: KmsCallOptions,
  ): Promise<{ Plaintext: Uint8Array; CiphertextBlob: Uint8Array; KeyId: string }> {
    await this.#begin("GenerateDataKey", input.KeyId, options);
    const plaintext = randomBytes(input.NumberOfBytes);
    const sealed = this.#wrap(plaintext, input.EncryptionContext);
    return { ...this.#answer(plaintext), CiphertextBlob: sealed };
  }

  async encrypt(
    input: { KeyId: string; Plaintext: Uint8Array; EncryptionContext?: Record<string, string> },
    options?: KmsCallOptions,
  ): Promise<{ CiphertextBlob: Uint8Array; KeyId: string }> {
    const sealed = this.#wrap(input.Plaintext, input.EncryptionContext);
    await this.#begin("Encrypt", input.KeyId, options);
    return { CiphertextBlob: sealed, KeyId: this.#answeredKeyId };
  }

  async decrypt(
    input: { KeyId: string; CiphertextBlob: Uint8Array; EncryptionContext?: Record<string, string> },
    options?: KmsCallOptions,
  ): Promise<{ Plaintext: Uint8Array; KeyId: string }> {
    await this.#begin("Decrypt", input.KeyId, options);
    const opened = this.#open(input.CiphertextBlob, input.EncryptionContext);
    return this.#answer(this.opening?.(opened) ?? opened);
  }

  async describeKey(
    input: { KeyId: string },
    options?: KmsCallOptions,
  ): Promise<{ KeyMetadata: { Arn: string; KeyState: string } }> {
    await this.#begin("DescribeKey", input.KeyId, options);
    return { KeyMetadata: { Arn: this.#answeredKeyId, KeyState: "Enabled" } };
  }

  /** A wrap, as if somebody else had asked for it. */
  sealed(plaintext: Uint8Array, context: Record<string, string>): Buffer {
    return this.#seal(plaintext, context);
  }

  async #begin(operation: string, keyId: string, options?: KmsCallOptions): Promise<void> {
    this.calls.push(operation);
    if (keyId !== this.keyArn) throw named("NotFoundException");
    const { fault } = this;
    if (fault.kind === "throws") throw fault.error;
    if (fault.kind === "delay") await new Promise((resolve) => setTimeout(resolve, fault.ms));
    if (fault.kind === "never-answers") {
      await new Promise((_resolve, reject) => {
        if (fault.honoursAbort) {
          options?.abortSignal?.addEventListener("abort", () => {
            reject(named("AbortError"));
          });
        }
      });
    }
  }

  #answer(plaintext: Buffer): { Plaintext: Uint8Array; KeyId: string } {
    const { fault } = this;
    const given =
      fault.kind === "wrong-key-length"
        ? randomBytes(16)
        : fault.kind === "wrong-data-key"
          ? randomBytes(plaintext.length)
          : plaintext;
    this.plaintexts.push(given);
    return { Plaintext: given, KeyId: this.#answeredKeyId };
  }

  get #answeredKeyId(): string {
    return this.fault.kind === "wrong-key-id" ? `${this.keyArn}0` : this.keyArn;
  }

  #wrap(plaintext: Uint8Array, context: Record<string, string> | undefined): Buffer {
    const sealed = this.#seal(plaintext, context);
    if (this.wrapping === null) return sealed;
    return this.wrapping({
      plaintext,
      sealed,
      seal: (other, otherContext = context) => this.#seal(other, otherContext),
      sealElsewhere: (other) => this.#seal(other, context, randomBytes(32)),
    });
  }

  #seal(plaintext: Uint8Array, context: Record<string, string> | undefined, key: Buffer = this.#key): Buffer {
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", key, iv, { authTagLength: 16 }).setAAD(contextBytes(context));
    return Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }

  #open(blob: Uint8Array, context: Record<string, string> | undefined): Buffer {
    const decipher = createDecipheriv("aes-256-gcm", this.#key, blob.subarray(0, 12), { authTagLength: 16 }).setAAD(
      contextBytes(context),
    );
    decipher.setAuthTag(blob.subarray(-16));
    try {
      return Buffer.concat([decipher.update(blob.subarray(12, -16)), decipher.final()]);
    } catch {
      throw named("InvalidCiphertextException");
    }
  }
}

export function named(name: string, properties: Record<string, unknown> = {}): Error {
  return Object.assign(new Error(name), { name, ...properties });
}

function contextBytes(context: Record<string, string> | undefined): Buffer {
  return Buffer.from(JSON.stringify(Object.entries(context ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))));
}
