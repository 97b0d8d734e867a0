/**
 * One region's key and client: makes single calls to it, bounds and checks each answer, and tells its watch what came
 * of it.
 */
import { SecretBytes } from "../crypto/secret.ts";
import type { RegionAttempt, RegionFailureKind, RegionOperation } from "../errors.ts";
import type { Time } from "../resilience/time.ts";
import type { KmsClient } from "../providers/aws-kms/client.ts";
import type { CallPurpose } from "../providers/aws-kms/events.ts";
import { errorName, failureKind } from "../providers/aws-kms/kms-call.ts";
import type { KeyArn } from "../providers/aws-kms/kms-key.ts";
import type { CallPass, RegionWatch, StopReason } from "./region-state.ts";

export type CallResult<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "failed"; readonly attempt: RegionAttempt }
  /** Stopped because another region was faster. `elapsedMs` says how long this one had been silent. */
  | { readonly kind: "overtaken"; readonly elapsedMs: number };

/** A call on its way. `result` never rejects, and settles by the time-out or at `stop`, whatever the client does. */
export interface CallInProgress<T> {
  readonly result: Promise<CallResult<T>>;
  stop(why: StopReason): void;
}

/** How a call is made: why, and how long it may take. */
export interface CallTerms {
  readonly purpose: CallPurpose;
  readonly timeoutMs: number;
}

export interface GeneratedKey {
  readonly dataKey: SecretBytes;
  readonly ciphertext: Uint8Array;
}

/** An answer is either good or wrong in a way that has a name. */
type Checked<T> = { readonly value: T } | { readonly wrong: RegionFailureKind };

interface Call<A, T> {
  readonly operation: RegionOperation;
  readonly send: (abortSignal: AbortSignal) => Promise<A>;
  /** Gets every answer that is not used: too late, or wrong. */
  readonly discard: (answer: A) => void;
  /** The answer must be of the very key that was asked (aws-kms-keyring.md, "OnEncrypt", "OnDecrypt"). */
  readonly check: (answer: A) => Checked<T>;
}

export interface RegionCallerOptions {
  readonly key: KeyArn;
  readonly group: string | null;
  readonly role: "preferred" | "substitute";
  readonly client: KmsClient;
  readonly grantTokens: readonly string[];
  readonly watch: RegionWatch;
  readonly time: Time;
}

/** Longest ciphertext an encrypted data key can hold. */
const MAX_CIPHERTEXT = 0xffff;

export class RegionCaller {
  readonly key: KeyArn;
  readonly group: string | null;
  readonly role: "preferred" | "substitute";
  readonly watch: RegionWatch;
  readonly #client: KmsClient;
  readonly #time: Time;
  readonly #grants: { readonly GrantTokens?: string[] };

  constructor({ key, group, role, client, grantTokens, watch, time }: RegionCallerOptions) {
    this.key = key;
    this.group = group;
    this.role = role;
    this.watch = watch;
    this.#client = client;
    this.#time = time;
    this.#grants = grantTokens.length === 0 ? {} : { GrantTokens: [...grantTokens] };
  }

  get region(): string {
    return this.key.region;
  }

  get keyArn(): string {
    return this.key.arn;
  }

  generateDataKey(length: number, context: Record<string, string>, terms: CallTerms): CallInProgress<GeneratedKey> {
    const input = { KeyId: this.keyArn, NumberOfBytes: length, EncryptionContext: context, ...this.#grants };
    return this.#begin(terms, {
      operation: "GenerateDataKey",
      send: (abortSignal) => this.#client.generateDataKey(input, { abortSignal }),
      discard: wipePlaintext,
      check: ({ KeyId, CiphertextBlob, Plaintext }) => {
        if (KeyId !== this.keyArn) return { wrong: "wrong-key-id" };
        if (!isStorable(CiphertextBlob)) return { wrong: "server-error" };
        if (!isBytes(Plaintext, length)) return { wrong: "wrong-key-length" };
        return { value: { dataKey: new SecretBytes(Plaintext), ciphertext: CiphertextBlob } };
      },
    });
  }

  encrypt(dataKey: SecretBytes, context: Record<string, string>, terms: CallTerms): CallInProgress<Uint8Array> {
    const input = { KeyId: this.keyArn, Plaintext: dataKey.bytes, EncryptionContext: context, ...this.#grants };
    return this.#begin(terms, {
      operation: "Encrypt",
      send: (abortSignal) => this.#client.encrypt(input, { abortSignal }),
      discard: () => undefined,
      check: ({ KeyId, CiphertextBlob }) => {
        if (KeyId !== this.keyArn) return { wrong: "wrong-key-id" };
        return isStorable(CiphertextBlob) ? { value: CiphertextBlob } : { wrong: "server-error" };
      },
    });
  }

  /**
   * @param accepts whether a data key is the message's own. Asked inside the attempt: a lie is this attempt's failure.
   */
  decrypt(
    ciphertext: Uint8Array,
    request: {
      readonly keyLength: number;
      readonly context: Record<string, string>;
      readonly accepts: (candidate: Uint8Array) => boolean;
    },
    terms: CallTerms,
  ): CallInProgress<SecretBytes> {
    const input = {
      KeyId: this.keyArn,
      CiphertextBlob: ciphertext,
      EncryptionContext: request.context,
      ...this.#grants,
    };
    return this.#begin(terms, {
      operation: "Decrypt",
      send: (abortSignal) => this.#client.decrypt(input, { abortSignal }),
      discard: wipePlaintext,
      check: ({ KeyId, Plaintext }) => {
        if (KeyId !== this.keyArn) return { wrong: "wrong-key-id" };
        if (!isBytes(Plaintext, request.keyLength)) return { wrong: "wrong-key-length" };
        return request.accepts(Plaintext) ? { value: new SecretBytes(Plaintext) } : { wrong: "wrong-data-key" };
      },
    });
  }

  /** Whether the key is there and enabled. */
  describe(terms: CallTerms): CallInProgress<true> {
    return this.#begin(terms, {
      operation: "DescribeKey",
      send: (abortSignal) => this.#client.describeKey({ KeyId: this.keyArn, ...this.#grants }, { abortSignal }),
      discard: () => undefined,
      check: ({ KeyMetadata }) => {
        if (KeyMetadata?.Arn !== this.keyArn) return { wrong: "wrong-key-id" };
        if (KeyMetadata.KeyState === "Enabled") return { value: true };
        return { wrong: KeyMetadata.KeyState === "PendingDeletion" ? "key-pending-deletion" : "key-disabled" };
      },
    });
  }

  #begin<A, T>({ purpose, timeoutMs }: CallTerms, { operation, send, discard, check }: Call<A, T>): CallInProgress<T> {
    const { promise, resolve } = Promise.withResolvers<CallResult<T>>();
    const startedAt = this.#time.now();
    const controller = new AbortController();
    let pass: CallPass | null = null;
    let settled = false;

    const settle = (result: CallResult<T>): void => {
      settled = true;
      cancelTimeout();
      cancelWait();
      resolve(result);
    };
    const elapsedMs = (): number => Math.round(this.#time.now() - startedAt);
    const failed = (reason: RegionFailureKind, name: string | null): CallResult<T> => {
      const { region, keyArn } = this;
      return {
        kind: "failed",
        attempt: { region, keyArn, operation, reason, errorName: name, elapsedMs: elapsedMs() },
      };
    };
    const fail = (reason: RegionFailureKind, name: string | null): void => {
      // A call that never went out failed by what keeps the region out.
      settle(failed(pass === null ? this.watch.standingReason : reason, name));
      if (pass !== null) this.watch.failed(pass, reason);
    };
    const receive = (answer: A): void => {
      if (settled || pass === null) {
        discard(answer);
        return;
      }
      const checked = checkedOrMalformed(check, answer);
      if ("wrong" in checked) {
        discard(answer);
        fail(checked.wrong, null);
      } else {
        settle({ kind: "done", value: checked.value });
        this.watch.answered(pass);
      }
    };

    let cancelWait = (): void => undefined;
    const cancelTimeout = this.#time.after(timeoutMs, () => {
      fail("timeout", null);
      controller.abort();
    });
    cancelWait = this.watch.whenFree(() => {
      pass = this.watch.begin(operation, purpose);
      // A client may throw before it returns its promise.
      new Promise<A>((answer) => {
        answer(send(controller.signal));
      }).then(receive, (error: unknown) => {
        if (!settled) fail(failureKind(error), errorName(error));
      });
    });

    return {
      result: promise,
      stop: (why) => {
        if (settled) return;
        settle(
          why === "overtaken"
            ? { kind: "overtaken", elapsedMs: elapsedMs() }
            : failed(why === "aborted" ? "aborted" : "timeout", null),
        );
        if (pass !== null) this.watch.stopped(pass, why);
        controller.abort();
      },
    };
  }
}

/** An answer that is not what its type says is the region's failure, never an exception that nobody waits for. */
function checkedOrMalformed<A, T>(check: (answer: A) => Checked<T>, answer: A): Checked<T> {
  if (typeof answer !== "object" || answer === null) return { wrong: "server-error" };
  try {
    return check(answer);
  } catch {
    return { wrong: "unknown" };
  }
}

function isStorable(ciphertext: Uint8Array | undefined): ciphertext is Uint8Array {
  return ciphertext instanceof Uint8Array && ciphertext.length > 0 && ciphertext.length <= MAX_CIPHERTEXT;
}

function isBytes(value: Uint8Array | undefined, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length;
}

function wipePlaintext(answer: { readonly Plaintext?: Uint8Array | undefined } | null | undefined): void {
  const plaintext = answer?.Plaintext;
  if (plaintext instanceof Uint8Array) plaintext.fill(0);
}
