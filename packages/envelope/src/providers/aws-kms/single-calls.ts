/**
 * Calls to AWS KMS, one after the other, for keyrings that have no other region to go to: each call and all of them
 * together are bounded in time whatever the client does, answers that come too late are wiped, and what failed is kept
 * as an attempt. A client's error object is not: it may carry the raw answer, and that holds a key.
 */
import type { RegionAttempt, RegionFailureKind, RegionOperation } from "../../errors.ts";
import { EnvelopeError } from "../../errors.ts";
import { systemTime } from "../../resilience/time.ts";
import type { Time } from "../../resilience/time.ts";
import { errorName, failureKind } from "./kms-call.ts";
import type { KeyArn } from "./kms-key.ts";
import { Operation } from "./operation.ts";

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

const MOST_GRANT_TOKENS = 10;
const LONGEST_TIMER = 2 ** 31 - 1;

export function singleCallProblems({
  attemptTimeoutMs,
  deadlineMs,
  grantTokens,
}: Required<SingleCallOptions>): readonly string[] {
  const problems: string[] = [];
  for (const [name, value] of Object.entries({ attemptTimeoutMs, deadlineMs })) {
    if (!(Number.isFinite(value) && value > 0 && value <= LONGEST_TIMER))
      problems.push(`${name} must be a positive number of milliseconds`);
  }
  const tokens: readonly unknown[] = Array.isArray(grantTokens) ? grantTokens : [null];
  if (tokens.length > MOST_GRANT_TOKENS || tokens.some((token) => typeof token !== "string" || token === "")) {
    problems.push(`grantTokens must be a list of at most ${MOST_GRANT_TOKENS} strings`);
  }
  return problems;
}

/** As a request has them: absent when there are none. */
export function grantsOf(grantTokens: readonly string[]): { readonly GrantTokens?: string[] } {
  return grantTokens.length === 0 ? {} : { GrantTokens: [...grantTokens] };
}

/** Either good, or wrong in a way that has a name. */
export type Checked<T> = { readonly value: T } | { readonly wrong: RegionFailureKind };

export interface SingleCall<A, T> {
  readonly key: KeyArn;
  readonly operation: RegionOperation;
  readonly send: (abortSignal: AbortSignal) => Promise<A>;
  /** Holds the answer against what was asked for, and takes out of it what is needed. */
  readonly check: (answer: A) => Checked<T>;
  /** Wipes an answer that is not used: too late, or wrong. */
  readonly discard: (answer: A) => void;
}

export type CallOutcome<T> =
  { readonly kind: "done"; readonly value: T } | { readonly kind: "failed"; readonly attempt: RegionAttempt };

/** The calls of one onEncrypt or onDecrypt. Dispose of it, or its timer keeps running. */
export class SingleCalls implements Disposable {
  /** What failed so far, in the order of the calls. */
  readonly attempts: RegionAttempt[] = [];
  readonly #operation: Operation;
  readonly #time: Time = systemTime;
  readonly #attemptTimeoutMs: number;

  constructor({ attemptTimeoutMs, deadlineMs }: Required<SingleCallOptions>, signal: AbortSignal | undefined) {
    this.#attemptTimeoutMs = attemptTimeoutMs;
    this.#operation = new Operation({ time: this.#time, deadlineMs, signal });
  }

  /** @throws EnvelopeError `aborted`, `deadline-exceeded` */
  async call<A, T>(call: SingleCall<A, T>): Promise<CallOutcome<T>> {
    this.#requireTimeLeft();
    const outcome = await this.#operation.guard(this.#begin(call));
    if (outcome.kind === "done") return outcome;
    this.attempts.push(outcome.attempt);
    this.#requireTimeLeft();
    return outcome;
  }

  #begin<A, T>({
    key,
    operation,
    send,
    check,
    discard,
  }: SingleCall<A, T>): { readonly result: Promise<CallOutcome<T>>; stop(): void } {
    const { promise, resolve } = Promise.withResolvers<CallOutcome<T>>();
    const startedAt = this.#time.now();
    const controller = new AbortController();
    let settled = false;

    const settle = (outcome: CallOutcome<T>): void => {
      settled = true;
      cancelTimeout();
      resolve(outcome);
    };
    const fail = (reason: RegionFailureKind, name: string | null): void => {
      const elapsedMs = Math.round(this.#time.now() - startedAt);
      settle({
        kind: "failed",
        attempt: { region: key.region, keyArn: key.arn, operation, reason, errorName: name, elapsedMs },
      });
    };
    const cutOff = (reason: "timeout" | "aborted"): void => {
      if (settled) return;
      fail(reason, null);
      controller.abort();
    };
    const discardIfAny = (answer: A): void => {
      if (typeof answer === "object" && answer !== null) discard(answer);
    };
    const cancelTimeout = this.#time.after(this.#attemptTimeoutMs, () => {
      cutOff("timeout");
    });

    // A client may throw before it returns its promise.
    new Promise<A>((answer) => {
      answer(send(controller.signal));
    }).then(
      (answer) => {
        if (settled) {
          discardIfAny(answer);
          return;
        }
        const checked = checkedOrMalformed(check, answer);
        if ("value" in checked) {
          settle({ kind: "done", value: checked.value });
        } else {
          discardIfAny(answer);
          fail(checked.wrong, null);
        }
      },
      (error: unknown) => {
        if (!settled) fail(failureKind(error), errorName(error));
      },
    );
    return {
      result: promise,
      stop: () => {
        cutOff(this.#operation.cutShort() === "deadline" ? "timeout" : "aborted");
      },
    };
  }

  #requireTimeLeft(): void {
    const { attempts } = this;
    switch (this.#operation.cutShort()) {
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
    this.#operation[Symbol.dispose]();
  }
}

/** What the attempts came to, for a message. */
export function inWords(attempts: readonly RegionAttempt[]): string {
  return attempts.map(({ keyArn, operation, reason }) => `${operation} with ${keyArn}: ${reason}`).join(", ");
}

/** An answer that is not what its type says is the service's failure, never an exception that nobody waits for. */
function checkedOrMalformed<A, T>(check: (answer: A) => Checked<T>, answer: A): Checked<T> {
  if (typeof answer !== "object" || answer === null) return { wrong: "server-error" };
  try {
    return check(answer);
  } catch {
    return { wrong: "unknown" };
  }
}

/** For `discard`: every answer with a secret has it in a field of its own. */
export function wipeField(bytes: Uint8Array | undefined): void {
  if (bytes instanceof Uint8Array) bytes.fill(0);
}
