/**
 * Unwraps a data key in the nearest region that can: every failure, wrong answers included, goes on to the next region
 * at once; a region that keeps us waiting gets company within the hedge budget; a region that may be back is probed on
 * the side.
 */
import { SecretBytes } from "../crypto/secret.ts";
import { equalInConstantTime } from "../crypto/key-derivation.ts";
import type { RegionAttempt, RegionFailureKind } from "../errors.ts";
import { EnvelopeError } from "../errors.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import { unopenedError } from "../keyrings/data-keys.ts";
import { staggeredRace } from "../resilience/calls.ts";
import type { Runner, StartReason } from "../resilience/calls.ts";
import type { CallPurpose } from "../providers/aws-kms/events.ts";
import type { HedgeDesk } from "../providers/aws-kms/hedge-desk.ts";
import type { Operation } from "../providers/aws-kms/operation.ts";
import type { RegionCaller } from "./region.ts";
import { mayAskAgain, nextInOrder } from "../providers/aws-kms/region-order.ts";

/** An encrypted data key that a configured key may open. */
export interface Lane {
  readonly caller: RegionCaller;
  readonly key: EncryptedDataKey;
}

export interface UnwrapRequest {
  /** In the order to try them. */
  readonly lanes: readonly Lane[];
  /** All of the message's, for the error. */
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  readonly keyLength: number;
  readonly context: Record<string, string>;
  readonly accepts: (candidate: Uint8Array) => boolean;
  readonly operation: Operation;
  readonly desk: HedgeDesk;
  readonly attemptTimeoutMs: number;
}

/**
 * @throws EnvelopeError `no-matching-key`, `regions-unavailable`, `decryption-failed`, `deadline-exceeded`, `aborted`
 */
export async function unwrapInRegions(request: UnwrapRequest): Promise<SecretBytes> {
  return new Unwrapping(request).run();
}

class Unwrapping {
  readonly #request: UnwrapRequest;
  readonly #untried: Set<Lane>;
  readonly #inFlight = new Set<RegionCaller>();
  readonly #attempts: RegionAttempt[] = [];
  readonly #outcomes = new Map<EncryptedDataKey, RegionFailureKind>();
  readonly #suspects: RegionCaller[] = [];
  /** A copy of the right data key, kept while a probe is still on its way: its answer is held against it. */
  #reference: SecretBytes | null = null;
  #decided: "yes" | "no" = "no";

  constructor(request: UnwrapRequest) {
    this.#request = request;
    this.#untried = new Set(request.lanes);
  }

  async run(): Promise<SecretBytes> {
    const { operation } = this.#request;
    if (operation.cutShort() !== null) throw this.#failure();
    const probes = this.#startProbes();
    const race = staggeredRace<SecretBytes>(
      {
        start: (reason) => this.#start(reason),
        discard: (late) => {
          late.wipe();
        },
      },
      operation.time,
      probes,
    );
    const dataKey = await operation.guard(race);
    if (dataKey === null) throw this.#failure();
    if (operation.cutShort() === "aborted") {
      dataKey.wipe();
      throw this.#failure();
    }
    // Another region gave the right key for the same message: those that gave a wrong one lied.
    for (const suspect of this.#suspects) suspect.watch.accuse();
    return dataKey;
  }

  /** Probes ride along only where a healthy region answers the reader meanwhile. */
  #startProbes(): readonly Runner<SecretBytes>[] {
    const lanes = [...this.#untried];
    if (!lanes.some(({ caller }) => caller.watch.outlook() === "ordinary")) return [];
    const due = lanes.filter(
      ({ caller }, index) =>
        caller.watch.outlook() === "probe" && lanes.findIndex((lane) => lane.caller === caller) === index,
    );
    return due.map((lane) => this.#call(lane, "probe"));
  }

  #start(reason: StartReason): Runner<SecretBytes> | null {
    const { desk } = this.#request;
    const candidates = [...this.#untried].filter(({ caller }) => !this.#inFlight.has(caller));
    const lane = nextInOrder(candidates);
    if (lane === null) return null;
    if (reason === "hedge" && !desk.mayHedge(lane.caller, "Decrypt", this.#attempts)) return null;
    desk.started(reason);
    return this.#call(lane, reason);
  }

  #call(lane: Lane, purpose: CallPurpose): Runner<SecretBytes> {
    const { caller, key } = lane;
    const { keyLength, context, operation, attemptTimeoutMs, desk } = this.#request;
    const callersLeft = [...new Set([...this.#untried].map((each) => each.caller))];
    this.#untried.delete(lane);
    this.#inFlight.add(caller);
    const terms = { purpose, timeoutMs: operation.shareMs(callersLeft.length, attemptTimeoutMs) };
    const patienceMs = desk.patienceMs(
      caller,
      callersLeft.filter((other) => !this.#inFlight.has(other)),
    );
    const call = caller.decrypt(
      key.ciphertext,
      { keyLength, context, accepts: (candidate) => this.#accepts(candidate, caller) },
      terms,
    );
    return {
      patienceMs,
      onHopeless: (callback) => caller.watch.onOpened(callback),
      stop: () => {
        call.stop(operation.cutShort() ?? "overtaken");
      },
      outcome: call.result.then((result) => {
        this.#inFlight.delete(caller);
        this.#forgetReference();
        if (result.kind === "done") {
          if (purpose === "hedge") desk.won();
          return result.value;
        }
        if (result.kind === "failed") this.#failed(lane, result.attempt);
        return null;
      }),
    };
  }

  /**
   * Asks the message, until a key was accepted: its state belongs to that key. What comes later (a probe's answer) is
   * compared with it, so that a region which lies is found out even then.
   */
  #accepts(candidate: Uint8Array, caller: RegionCaller): boolean {
    if (this.#decided === "yes") {
      if (this.#reference === null || equalInConstantTime(this.#reference.bytes, candidate)) return true;
      caller.watch.accuse();
      return false;
    }
    if (!this.#request.accepts(candidate)) {
      this.#suspects.push(caller);
      return false;
    }
    this.#decided = "yes";
    // The answer that decides is still in flight itself.
    if (this.#inFlight.size > 1) this.#reference = SecretBytes.copyOf(candidate);
    return true;
  }

  #forgetReference(): void {
    if (this.#inFlight.size > 0) return;
    this.#reference?.wipe();
    this.#reference = null;
  }

  #failed({ caller, key }: Lane, attempt: RegionAttempt): void {
    this.#attempts.push(attempt);
    const known = this.#outcomes.get(key);
    // With several regions for one key, what kept us from asking weighs more than what one of them said of the bytes.
    if (known === undefined || mayAskAgain(known)) this.#outcomes.set(key, attempt.reason);
    if (mayAskAgain(attempt.reason)) return;
    for (const lane of this.#untried) if (lane.caller === caller) this.#untried.delete(lane);
  }

  #failure(): EnvelopeError {
    const { operation, encryptedDataKeys } = this.#request;
    const attempts = this.#attempts;
    if (operation.cutShort() === "aborted")
      return new EnvelopeError("aborted", "The operation was aborted", { attempts });
    const unopened = unopenedError(encryptedDataKeys, this.#outcomes, attempts);
    if (operation.cutShort() === null) return unopened;
    return new EnvelopeError(
      "deadline-exceeded",
      `The deadline passed before a region unwrapped the data key. ${unopened.message}`,
      {
        attempts,
        ...(unopened.encryptedDataKeys === undefined ? {} : { encryptedDataKeys: unopened.encryptedDataKeys }),
      },
    );
  }
}
