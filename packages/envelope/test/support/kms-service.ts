/**
 * A region's KMS in memory with several keys behind one client, which re-encrypts between them, tells the material of
 * its keys, and lies where a test wants it to.
 */
import type {
  DecryptInput,
  EncryptInput,
  GenerateDataKeyInput,
  KmsCallOptions,
  KmsClient,
  ReEncryptInput,
} from "@strongroom/envelope/aws-kms";
import { InMemoryKms, named } from "./in-memory-kms.ts";
import type { Fault } from "./in-memory-kms.ts";

/** A call, and the keys that it names. */
export interface ServiceCall {
  readonly operation: string;
  readonly keys: readonly string[];
}

interface Told {
  readonly KeyMaterialId?: string;
}

export class KmsService implements KmsClient {
  readonly region: string;
  readonly calls: ServiceCall[] = [];
  /** What it does of each operation in place of answering. */
  readonly faults: Map<string, Fault> = new Map<string, Fault>();
  /** Makes something else of each re-encrypted wrap. */
  reEncrypted: ((ciphertext: Buffer, to: InMemoryKms) => Promise<Buffer> | Buffer) | null = null;
  /** Which material its keys have. */
  material: string | null = null;
  readonly #undecryptable = new Set<string>();
  readonly #keys = new Map<string, InMemoryKms>();

  constructor(region: string) {
    this.region = region;
  }

  key(name: string): InMemoryKms {
    const key = new InMemoryKms(this.region, `${this.region}-${name}`);
    this.#keys.set(key.keyArn, key);
    return key;
  }

  /** A multi-Region key. */
  multiRegionKey(name: string): InMemoryKms {
    const key = new InMemoryKms(this.region, `mrk-${name}`);
    this.#keys.set(key.keyArn, key);
    return key;
  }

  /** The same key here. */
  replica(key: InMemoryKms): InMemoryKms {
    const replica = key.replicaIn(this.region);
    this.#keys.set(replica.keyArn, replica);
    return replica;
  }

  /** Of these keys Decrypt alone is denied. */
  denyDecryptOf(arns: readonly string[]): void {
    for (const arn of arns) this.#undecryptable.add(arn);
  }

  async generateDataKey(
    input: GenerateDataKeyInput,
    options?: KmsCallOptions,
  ): ReturnType<KmsClient["generateDataKey"]> {
    const key = await this.#begin("GenerateDataKey", [input.KeyId], options);
    return { ...(await key.generateDataKey(input, options)), ...this.#told };
  }

  async encrypt(input: EncryptInput, options?: KmsCallOptions): ReturnType<KmsClient["encrypt"]> {
    const key = await this.#begin("Encrypt", [input.KeyId], options);
    return key.encrypt(input, options);
  }

  async decrypt(input: DecryptInput, options?: KmsCallOptions): ReturnType<KmsClient["decrypt"]> {
    const key = await this.#begin("Decrypt", [input.KeyId], options);
    if (this.#undecryptable.has(input.KeyId)) throw named("AccessDeniedException");
    return { ...(await key.decrypt(input, options)), ...this.#told };
  }

  async describeKey(input: { KeyId: string }, options?: KmsCallOptions): ReturnType<KmsClient["describeKey"]> {
    const key = await this.#begin("DescribeKey", [input.KeyId], options);
    const { KeyMetadata } = await key.describeKey(input, options);
    const { material } = this;
    return { KeyMetadata: { ...KeyMetadata, ...(material !== null && { CurrentKeyMaterialId: material }) } };
  }

  async reEncrypt(input: ReEncryptInput, options?: KmsCallOptions): ReturnType<NonNullable<KmsClient["reEncrypt"]>> {
    const { SourceKeyId, DestinationKeyId, CiphertextBlob, SourceEncryptionContext, DestinationEncryptionContext } =
      input;
    const to = await this.#begin("ReEncrypt", [SourceKeyId, DestinationKeyId], options);
    const from = this.#known(SourceKeyId);
    const opened = await from.decrypt(
      { KeyId: SourceKeyId, CiphertextBlob, ...contextOf(SourceEncryptionContext) },
      options,
    );
    const made = await to
      .encrypt(
        { KeyId: DestinationKeyId, Plaintext: opened.Plaintext, ...contextOf(DestinationEncryptionContext) },
        options,
      )
      .finally(() => opened.Plaintext.fill(0));
    const ciphertext = Buffer.from(made.CiphertextBlob);
    const given = (await this.reEncrypted?.(ciphertext, to)) ?? ciphertext;
    const { material } = this;
    const told = material === null ? {} : { DestinationKeyMaterialId: material };
    return { CiphertextBlob: given, SourceKeyId: opened.KeyId, KeyId: made.KeyId, ...told };
  }

  get #told(): Told {
    return this.material === null ? {} : { KeyMaterialId: this.material };
  }

  #known(arn: string): InMemoryKms {
    const key = this.#keys.get(arn);
    if (key === undefined) throw named("NotFoundException");
    return key;
  }

  async #begin(operation: string, arns: readonly string[], options?: KmsCallOptions): Promise<InMemoryKms> {
    this.calls.push({ operation, keys: arns });
    const fault = this.faults.get(operation) ?? this.faults.get("*");
    if (fault?.kind === "throws") throw fault.error;
    if (fault?.kind === "never-answers")
      await new Promise((_resolve, reject) => {
        options?.abortSignal?.addEventListener("abort", () => {
          if (fault.honoursAbort) reject(named("AbortError"));
        });
      });
    return this.#known(arns.at(-1) ?? "");
  }
}

function contextOf(context: Record<string, string> | undefined): { EncryptionContext?: Record<string, string> } {
  return context === undefined ? {} : { EncryptionContext: context };
}
