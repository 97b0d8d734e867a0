/**
 * One region's key and client: makes single calls to it, bounds and checks each, and keeps its health.
 */
import { SecretBytes } from "../../crypto/secret.ts";
import type { RegionAttempt, RegionFailureKind, RegionOperation } from "../../errors/attempts.ts";
import type { KmsClient } from "./client.ts";
import { CutShortError, withinTime } from "./deadline.ts";
import type { Deadline } from "./deadline.ts";
import { errorName, failureKind } from "./failure-kinds.ts";
import { RegionHealthRecord } from "./region-health.ts";

export type CallResult<T> = { readonly kind: "done"; readonly value: T } | { readonly kind: "failed"; readonly attempt: RegionAttempt };

export interface GeneratedKey {
  readonly dataKey: SecretBytes;
  readonly ciphertext: Uint8Array;
}

/** An answer is either good or wrong in a way that has a name. */
type Checked<T> = { readonly value: T } | { readonly wrong: RegionFailureKind };

interface Call<A, T> {
  readonly operation: RegionOperation;
  readonly deadline: Deadline;
  readonly send: (signal: AbortSignal) => Promise<A>;
  /** Gets every answer that is not used: too late, or wrong. */
  readonly discard: (answer: A) => void;
  /** The answer must be of the very key that was asked (aws-kms-keyring.md, "OnEncrypt", "OnDecrypt"). */
  readonly check: (answer: A) => Checked<T>;
}

export interface RegionCallerOptions {
  readonly region: string;
  readonly keyArn: string;
  readonly client: KmsClient;
  readonly attemptTimeoutMs: number;
  readonly grantTokens: readonly string[];
}

/** Longest ciphertext an encrypted data key can hold. */
const MAX_CIPHERTEXT = 0xffff;

export class RegionCaller {
  readonly region: string;
  readonly keyArn: string;
  readonly health: RegionHealthRecord;
  readonly #client: KmsClient;
  readonly #timeoutMs: number;
  readonly #grants: { readonly GrantTokens?: string[] };

  constructor({ region, keyArn, client, attemptTimeoutMs, grantTokens }: RegionCallerOptions) {
    this.region = region;
    this.keyArn = keyArn;
    this.health = new RegionHealthRecord(region, keyArn);
    this.#client = client;
    this.#timeoutMs = attemptTimeoutMs;
    this.#grants = grantTokens.length === 0 ? {} : { GrantTokens: [...grantTokens] };
  }

  generateDataKey(length: number, context: Record<string, string>, deadline: Deadline): Promise<CallResult<GeneratedKey>> {
    const input = { KeyId: this.keyArn, NumberOfBytes: length, EncryptionContext: context, ...this.#grants };
    return this.#call({
      operation: "GenerateDataKey",
      deadline,
      send: (abortSignal) => this.#client.generateDataKey(input, { abortSignal }),
      discard: wipePlaintext,
      check: ({ KeyId, CiphertextBlob, Plaintext }) => {
        if (KeyId !== this.keyArn) return { wrong: "wrong-key-id" };
        if (!isStorable(CiphertextBlob)) return { wrong: "invalid-ciphertext" };
        if (Plaintext?.length !== length) return { wrong: "wrong-key-length" };
        return { value: { dataKey: new SecretBytes(Plaintext), ciphertext: CiphertextBlob } };
      },
    });
  }

  encrypt(dataKey: SecretBytes, context: Record<string, string>, deadline: Deadline): Promise<CallResult<Uint8Array>> {
    const input = { KeyId: this.keyArn, Plaintext: dataKey.bytes, EncryptionContext: context, ...this.#grants };
    return this.#call({
      operation: "Encrypt",
      deadline,
      send: (abortSignal) => this.#client.encrypt(input, { abortSignal }),
      discard: () => undefined,
      check: ({ KeyId, CiphertextBlob }) => {
        if (KeyId !== this.keyArn) return { wrong: "wrong-key-id" };
        return isStorable(CiphertextBlob) ? { value: CiphertextBlob } : { wrong: "invalid-ciphertext" };
      },
    });
  }

  /** @param accepts whether a data key is the message's own. Asked inside the attempt: a lie is this attempt's failure. */
  decrypt(
    ciphertext: Uint8Array,
    length: number,
    context: Record<string, string>,
    accepts: (candidate: Uint8Array) => boolean,
    deadline: Deadline,
  ): Promise<CallResult<SecretBytes>> {
    const input = { KeyId: this.keyArn, CiphertextBlob: ciphertext, EncryptionContext: context, ...this.#grants };
    return this.#call({
      operation: "Decrypt",
      deadline,
      send: (abortSignal) => this.#client.decrypt(input, { abortSignal }),
      discard: wipePlaintext,
      check: ({ KeyId, Plaintext }) => {
        if (KeyId !== this.keyArn) return { wrong: "wrong-key-id" };
        if (Plaintext?.length !== length) return { wrong: "wrong-key-length" };
        return accepts(Plaintext) ? { value: new SecretBytes(Plaintext) } : { wrong: "wrong-data-key" };
      },
    });
  }

  /** Whether the key is there and enabled. */
  describe(deadline: Deadline): Promise<CallResult<true>> {
    return this.#call({
      operation: "DescribeKey",
      deadline,
      send: (abortSignal) => this.#client.describeKey({ KeyId: this.keyArn, ...this.#grants }, { abortSignal }),
      discard: () => undefined,
      check: ({ KeyMetadata }) => {
        if (KeyMetadata?.Arn !== this.keyArn) return { wrong: "wrong-key-id" };
        if (KeyMetadata.KeyState === "Enabled") return { value: true };
        return { wrong: KeyMetadata.KeyState === "PendingDeletion" ? "key-pending-deletion" : "key-disabled" };
      },
    });
  }

  async #call<A, T>({ operation, deadline, send, discard, check }: Call<A, T>): Promise<CallResult<T>> {
    const started = performance.now();
    const failed = (reason: RegionFailureKind, name: string | null): CallResult<T> => {
      this.health.failed(reason, new Date());
      const elapsedMs = Math.round(performance.now() - started);
      return { kind: "failed", attempt: { region: this.region, keyArn: this.keyArn, operation, reason, errorName: name, elapsedMs } };
    };
    try {
      const answer = await withinTime(this.#timeoutMs, deadline, send, discard);
      const checked = check(answer);
      if ("wrong" in checked) {
        discard(answer);
        return failed(checked.wrong, null);
      }
      this.health.succeeded(performance.now() - started, new Date());
      return { kind: "done", value: checked.value };
    } catch (error) {
      if (error instanceof CutShortError) return failed(error.reason === "aborted" ? "aborted" : "timeout", null);
      return failed(failureKind(error), errorName(error));
    }
  }
}

function isStorable(ciphertext: Uint8Array | undefined): ciphertext is Uint8Array {
  return ciphertext !== undefined && ciphertext.length > 0 && ciphertext.length <= MAX_CIPHERTEXT;
}

function wipePlaintext(answer: { readonly Plaintext?: Uint8Array | undefined }): void {
  answer.Plaintext?.fill(0);
}
