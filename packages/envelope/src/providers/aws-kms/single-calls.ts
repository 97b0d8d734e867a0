/**
 * Calls to AWS KMS, one after the other, for keyrings that have no other region to go to: each call and all of them
 * together are bounded in time whatever the client does, answers that come too late are wiped, and what failed is kept
 * as an attempt.
 */
import type { OnCall, RegionAttempt, RegionFailureKind, RegionOperation } from "../../errors.ts";
import { EnvelopeError } from "../../errors.ts";
import type { KeyringCall } from "../../keyrings/keyring.ts";
import { milliseconds, option } from "../../options.ts";
import type { Rows } from "../../options.ts";
import { startCall, UNOBSERVED } from "../../resilience/calls.ts";
import type { CallAnswer } from "../../resilience/calls.ts";
import { Deadline, systemTime } from "../../resilience/time.ts";
import { grantTokenList } from "./kms-call.ts";
import type { KeyArn } from "./kms-key.ts";

/** Options that all single-call keyrings have. */
export interface SingleCallOptions {
  /** Milliseconds for each single call. */
  readonly attemptTimeoutMs?: number;
  /** Milliseconds for the whole of one onEncrypt or onDecrypt. */
  readonly deadlineMs?: number;
  /** AWS KMS takes at most ten. */
  readonly grantTokens?: readonly string[];
}

export const SINGLE_CALL_DEFAULTS: Required<SingleCallOptions> = {
  attemptTimeoutMs: 2_000,
  deadlineMs: 5_000,
  grantTokens: [],
};

/** Those options, for the tables of the keyrings. */
export const SINGLE_CALL_ROWS: Rows<Required<SingleCallOptions>> = {
  attemptTimeoutMs: option(milliseconds(), SINGLE_CALL_DEFAULTS.attemptTimeoutMs),
  deadlineMs: option(milliseconds(), SINGLE_CALL_DEFAULTS.deadlineMs),
  grantTokens: option(grantTokenList, SINGLE_CALL_DEFAULTS.grantTokens),
};

/** One call, and the key it is made to. */
export interface SingleCall<T> {
  readonly key: KeyArn;
  readonly operation: RegionOperation;
  readonly send: (abortSignal: AbortSignal) => Promise<CallAnswer<T>>;
  /** Wipes an answer that came too late. */
  readonly discard: (value: T) => void;
}

/** The calls of one onEncrypt or onDecrypt. Dispose of it, or its timer keeps running. */
export class SingleCalls implements Disposable {
  /** What failed so far, in the order of the calls. */
  readonly attempts: RegionAttempt[] = [];
  readonly #deadline: Deadline;
  readonly #attemptTimeoutMs: number;

  readonly #onCall: OnCall | undefined;

  constructor(
    { attemptTimeoutMs, deadlineMs }: Required<SingleCallOptions>,
    { signal, onCall }: Pick<KeyringCall, "signal" | "onCall">,
  ) {
    this.#attemptTimeoutMs = attemptTimeoutMs;
    this.#onCall = onCall;
    this.#deadline = new Deadline({ time: systemTime, deadlineMs, signal });
  }

  /**
   * The answer's value, or why there is none.
   *
   * @throws EnvelopeError `aborted`, `deadline-exceeded`
   */
  async call<T extends object>({ key, operation, send, discard }: SingleCall<T>): Promise<T | RegionFailureKind> {
    this.#requireTimeLeft();
    const result = await this.#deadline.guard(
      startCall<T>(
        { region: key.region, keyArn: key.arn, operation, send, discard, onCall: this.#onCall },
        { time: systemTime, timeoutMs: this.#attemptTimeoutMs, observer: UNOBSERVED },
      ),
    );
    if (result.kind === "done") return result.value;
    if (result.kind === "failed") this.attempts.push(result.attempt);
    this.#requireTimeLeft();
    return result.kind === "failed" ? result.attempt.reason : "timeout";
  }

  #requireTimeLeft(): void {
    const { attempts } = this;
    switch (this.#deadline.cutShort()) {
      case "aborted":
        throw new EnvelopeError("aborted", "The operation was aborted", { attempts });
      case "deadline":
        throw new EnvelopeError(
          "deadline-exceeded",
          `The deadline passed before AWS KMS answered (${inWords(attempts)})`,
          { attempts },
        );
      case null:
    }
  }

  [Symbol.dispose](): void {
    this.#deadline[Symbol.dispose]();
  }
}

/** What the attempts came to, for a message. */
export function inWords(attempts: readonly RegionAttempt[]): string {
  return attempts.map(({ keyArn, operation, reason }) => `${operation} with ${keyArn}: ${reason}`).join(", ");
}
