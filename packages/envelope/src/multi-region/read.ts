/**
 * A read: unwraps a data key in the nearest region that can. Every failure, wrong answers included, goes on to the next
 * region at once; a region that keeps us waiting gets company within the hedge budget; a region that may be back is
 * probed on the side.
 */
import { equalInConstantTime, SecretBytes } from "../crypto/secret.ts";
import type { OnCall, RegionAttempt, RegionFailureKind } from "../errors.ts";
import { EnvelopeError, FAILURE_RULES } from "../errors.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import { refusedOf, unopenedError } from "../keyrings/data-keys.ts";
import type { DecryptionMaterials, OpeningKey } from "../keyrings/keyring.ts";
import { overloadedError } from "../resilience/admission.ts";
import { staggeredRace } from "../resilience/calls.ts";
import type { Contestant, StartReason } from "../resilience/calls.ts";
import type { Deadline } from "../resilience/time.ts";
import type { Hedging } from "./hedging.ts";
import { contestant, mostReady } from "./region.ts";
import type { Binding, Region } from "./region.ts";
import type { CallPurpose } from "./telemetry.ts";

export interface ReadRequest extends Binding {
  /** In the order of preference. */
  readonly regions: readonly Region[];
  /** All of the message's. */
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  readonly keyLength: number;
  readonly accepts: (candidate: Uint8Array) => boolean;
  readonly deadline: Deadline;
  readonly hedging: Hedging;
  readonly attemptTimeoutMs: number;
  readonly onCall: OnCall | undefined;
}

/** A data key, and the key of the region that opened it. */
export interface OpenedKey extends Pick<DecryptionMaterials, "refused"> {
  readonly dataKey: SecretBytes;
  readonly openedBy: OpeningKey;
}

/**
 * @throws EnvelopeError `no-matching-key`, `regions-unavailable`, `decryption-failed`, `keyring-overloaded`,
 *   `deadline-exceeded`, `aborted`
 */
export async function readDataKey(request: ReadRequest): Promise<OpenedKey> {
  return new Read(request).run();
}

/** An encrypted data key, and a region whose key may open it. */
interface Candidate {
  readonly region: Region;
  readonly stored: EncryptedDataKey;
  /** The key that the wrap names. */
  readonly madeBy: string;
}

/**
 * The ways to open a message, in the order to try them: each region once, in its order, then the regions that have more
 * than one encrypted data key. A region's own comes before those of its key's replicas.
 */
function candidatesOf({ regions, encryptedDataKeys }: ReadRequest): readonly Candidate[] {
  const byRegion = regions.map((region) => {
    const own: Candidate[] = [];
    const replicas: Candidate[] = [];
    for (const stored of encryptedDataKeys) {
      const match = region.key.matches(stored);
      if (match === null) continue;
      const madeBy = match === "own" ? region.key.keyId : Buffer.from(stored.providerInfo).toString("utf8");
      (match === "own" ? own : replicas).push({ region, stored, madeBy });
    }
    return replicas.length === 0 ? own : [...own, ...replicas];
  });
  const rounds = byRegion.reduce((most, candidates) => Math.max(most, candidates.length), 0);
  return Array.from({ length: rounds }, (_, round) => byRegion.flatMap((candidates) => candidates[round] ?? [])).flat();
}

class Read {
  readonly #request: ReadRequest;
  readonly #untried: Set<Candidate>;
  readonly #inFlight = new Set<Region>();
  readonly #attempts: RegionAttempt[] = [];
  readonly #outcomes = new Map<EncryptedDataKey, RegionFailureKind>();
  readonly #suspects: Region[] = [];
  /** A copy of the right data key, kept while a probe is still on its way: its answer is held against it. */
  #reference: SecretBytes | null = null;
  #decided = false;

  constructor(request: ReadRequest) {
    this.#request = request;
    this.#untried = new Set(candidatesOf(request));
  }

  async run(): Promise<OpenedKey> {
    const { deadline } = this.#request;
    if (deadline.cutShort() !== null) throw this.#failure();
    const probes = this.#startProbes();
    const race = staggeredRace<OpenedKey>(
      {
        start: (reason) => this.#start(reason),
        discard: (late) => {
          late.dataKey.wipe();
        },
      },
      deadline.time,
      probes,
    );
    const opened = await deadline.guard(race);
    if (opened === null) throw this.#failure();
    if (deadline.cutShort() === "aborted") {
      opened.dataKey.wipe();
      throw this.#failure();
    }
    // Another region gave the right key for the same message: those that gave a wrong one lied.
    for (const suspect of this.#suspects) suspect.state.accuse();
    return { ...opened, ...refusedOf(this.#outcomes) };
  }

  /** Probes ride along only where a healthy region answers the reader meanwhile. */
  #startProbes(): readonly Contestant<OpenedKey>[] {
    const candidates = [...this.#untried];
    if (!candidates.some(({ region }) => region.state.isReady)) return [];
    const due = candidates.filter(
      ({ region }, index) =>
        region.state.readiness() === "probe-due" && candidates.findIndex((each) => each.region === region) === index,
    );
    return due.map((candidate) => this.#call(candidate, "probe"));
  }

  #start(reason: StartReason): Contestant<OpenedKey> | null {
    const { hedging } = this.#request;
    const candidates = [...this.#untried].filter(({ region }) => !this.#inFlight.has(region));
    const next = mostReady(candidates);
    if (next === null) return null;
    const { region } = next;
    if (reason === "hedge" && !hedging.mayHedge(region, region.key.operations.unwrap, this.#attempts)) return null;
    hedging.started(reason);
    return this.#call(next, reason);
  }

  #call(candidate: Candidate, purpose: CallPurpose): Contestant<OpenedKey> {
    const { region, stored, madeBy } = candidate;
    const { keyLength, context, keyArnEntry, deadline, attemptTimeoutMs, hedging, onCall } = this.#request;
    const regionsLeft = [...new Set([...this.#untried].map((each) => each.region))];
    this.#untried.delete(candidate);
    this.#inFlight.add(region);
    const terms = { purpose, timeoutMs: deadline.shareMs(regionsLeft.length, attemptTimeoutMs), onCall };
    const patienceMs = hedging.patienceMs(
      region,
      regionsLeft.filter((other) => !this.#inFlight.has(other)),
    );
    const call = region.unwrap(
      { ciphertext: stored.ciphertext, keyLength, context, keyArnEntry, madeBy },
      (dataKey) => this.#accepts(dataKey.bytes, region),
      terms,
    );
    return contestant(region, call, {
      deadline,
      patienceMs,
      outcome: (result) => {
        this.#inFlight.delete(region);
        this.#forgetReference();
        if (result.kind === "done") {
          if (purpose === "hedge") hedging.won();
          // Whatever another region has said of the same wrap, it is a right one.
          this.#outcomes.delete(stored);
          const { providerId, keyId, region: at } = region.key;
          return { dataKey: result.value, openedBy: { providerId, key: keyId, region: at } };
        }
        if (result.kind === "failed") this.#failed(candidate, result.attempt);
        return null;
      },
    });
  }

  /**
   * Asks the message, until a key was accepted: its state belongs to that key. What comes later (a probe's answer) is
   * compared with it, so that a region which lies is found out even then.
   */
  #accepts(dataKey: Uint8Array, region: Region): boolean {
    if (this.#decided) {
      if (this.#reference === null || equalInConstantTime(this.#reference.bytes, dataKey)) return true;
      region.state.accuse();
      return false;
    }
    if (!this.#request.accepts(dataKey)) {
      this.#suspects.push(region);
      return false;
    }
    this.#decided = true;
    // The answer that decides is still in flight itself.
    if (this.#inFlight.size > 1) this.#reference = SecretBytes.copyOf(dataKey);
    return true;
  }

  #forgetReference(): void {
    if (this.#inFlight.size > 0) return;
    this.#reference?.wipe();
    this.#reference = null;
  }

  #failed({ region, stored }: Candidate, attempt: RegionAttempt): void {
    this.#attempts.push(attempt);
    const known = this.#outcomes.get(stored);
    // With several regions for one key, what kept us from asking weighs more than what one of them said of the bytes.
    if (known === undefined || FAILURE_RULES[known].mayAskAgain) this.#outcomes.set(stored, attempt.reason);
    if (FAILURE_RULES[attempt.reason].mayAskAgain) return;
    for (const candidate of this.#untried) if (candidate.region === region) this.#untried.delete(candidate);
  }

  #failure(): EnvelopeError {
    const { deadline, encryptedDataKeys } = this.#request;
    const attempts = this.#attempts;
    if (deadline.cutShort() === "aborted")
      return new EnvelopeError("aborted", "The operation was aborted", { attempts });
    const unopened = unopenedError(encryptedDataKeys, this.#outcomes, attempts);
    if (deadline.cutShort() === null) return unopened;
    if (attempts.some(({ reason }) => reason === "busy"))
      return overloadedError("the deadline passed before a region could be asked", attempts);
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
