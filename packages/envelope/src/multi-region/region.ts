/**
 * One region of a keyring: a wrapping key, and what is known of it. Every call to the key goes through here, bounded in
 * time and reported to the region's state.
 */
import { sharedBytes } from "../crypto/secret.ts";
import type { SecretBytes } from "../crypto/secret.ts";
import type { OnCall } from "../errors.ts";
import { startCall } from "../resilience/calls.ts";
import type { CallAnswer, CallInProgress, CallResult, Contestant } from "../resilience/calls.ts";
import type { Deadline, Time } from "../resilience/time.ts";
import { RegionState } from "./region-state.ts";
import type { RegionReadiness, RegionStateOptions } from "./region-state.ts";
import type { CallPurpose, RegionId } from "./telemetry.ts";
import { asWrapOfItsOwn, provesToOpen } from "./wrap-proofs.ts";
import type { GeneratedKey, UnwrapRequest, WrapContext, WrappingKey } from "./wrapping-key.ts";

/** How a call is made: why, and how long it may take. */
export interface CallTerms {
  readonly purpose: CallPurpose;
  readonly timeoutMs: number;
  readonly onCall?: OnCall | undefined;
}

/** What the wraps of one data key are bound to. */
export interface Binding {
  /** The encryption context: the same for every wrap. */
  readonly context: WrapContext;
  /** Name of an entry that names each wrap's own key besides; left out: none does. */
  readonly keyArnEntry?: string | undefined;
}

/** What a wrap under this key is bound to. */
function boundTo({ context, keyArnEntry }: Binding, keyId: string): WrapContext {
  return keyArnEntry === undefined ? context : { ...context, [keyArnEntry]: keyId };
}

/** A wrap that is to be opened. */
export interface StoredWrap extends Omit<UnwrapRequest, "context">, Binding {
  /** The key that made it: the region's own, or its replica. */
  readonly madeBy: string;
}

/** Which material of its key an answer is of; null: its provider does not tell. */
export interface OfMaterial {
  readonly material: string | null;
}

/** A wrap, as it was made. */
export interface NewWrap extends OfMaterial {
  readonly ciphertext: Uint8Array;
}

/** What a wrap opened to. */
export interface OpenedWrap extends OfMaterial {
  readonly secret: SecretBytes;
}

export interface RegionOptions {
  readonly key: WrappingKey;
  /** Geographic group, null when none was given. */
  readonly group: string | null;
  readonly role: "preferred" | "substitute";
}

export class Region {
  readonly key: WrappingKey;
  readonly group: string | null;
  readonly role: "preferred" | "substitute";
  readonly id: RegionId;
  readonly state: RegionState;
  readonly #time: Time;

  constructor(
    { key, group, role }: RegionOptions,
    options: Omit<RegionStateOptions, "id" | "group" | "role" | "operations">,
  ) {
    this.key = key;
    this.group = group;
    this.role = role;
    this.id = { region: key.region, keyArn: key.keyId };
    this.state = new RegionState({ ...options, id: this.id, group, role, operations: key.operations });
    this.#time = options.time;
  }

  generate(keyLength: number, binding: Binding, terms: CallTerms): CallInProgress<GeneratedKey> {
    const context = boundTo(binding, this.key.keyId);
    return this.#start("generate", terms, (signal) => this.key.generate(keyLength, context, signal), wipeDataKey);
  }

  wrap(secret: SecretBytes, binding: Binding, terms: CallTerms): CallInProgress<Uint8Array> {
    const context = boundTo(binding, this.key.keyId);
    // Taken now: a call that has to wait may go out when the write is over and the secret wiped.
    const bytes = sharedBytes(secret);
    return this.#start("wrap", terms, (signal) => this.key.wrap(bytes, context, signal), nothing);
  }

  /**
   * Opens a wrap that this key has just made, and holds it against the data key: `wrap-does-not-open` when it is not
   * that one's. The data key must not be wiped before the call has ended.
   */
  prove(ciphertext: Uint8Array, dataKey: SecretBytes, binding: Binding, terms: CallTerms): CallInProgress<OfMaterial> {
    const request = { ciphertext, keyLength: dataKey.length, context: boundTo(binding, this.key.keyId) };
    const expected = (): Uint8Array | null => (dataKey.wiped ? null : sharedBytes(dataKey));
    return this.#start(
      "unwrap",
      terms,
      async (signal) => told(await provesToOpen(this.key, request, expected, signal), () => ({})),
      nothing,
    );
  }

  /**
   * Makes a wrap of one that a key beside this one has made (`WrappingKey.canReEncrypt`). What it fails by may be the
   * other key's fault.
   */
  reEncrypt(stored: StoredWrap, source: Region, terms: CallTerms): CallInProgress<NewWrap> {
    const { ciphertext, keyLength, madeBy, ...binding } = stored;
    const context = boundTo(binding, madeBy);
    const newContext = boundTo(binding, this.key.keyId);
    const request = { source: source.key, ciphertext, keyLength, context, newContext };
    return this.#start(
      "rewrap",
      terms,
      async (signal) => told(await this.key.rewrap(request, signal), (made) => ({ ciphertext: made })),
      nothing,
    );
  }

  /** Opens a wrap that this key has just made of one that was not opened. */
  proveReEncrypted(
    ciphertext: Uint8Array,
    { keyLength, accepts, ...binding }: ProofOfReEncrypted,
    terms: CallTerms,
  ): CallInProgress<OpenedWrap> {
    const request = { ciphertext, keyLength, context: boundTo(binding, this.key.keyId) };
    return this.#start(
      "unwrap",
      terms,
      async (signal) => told(asWrapOfItsOwn(await this.key.unwrap(request, signal)), (secret) => ({ secret })),
      ({ secret }) => {
        secret.wipe();
      },
      ({ secret }) => accepts(secret),
    );
  }

  /** @param accepts whether a key is the message's own. Asked inside the call: a lie is this call's failure. */
  unwrap(
    { ciphertext, keyLength, madeBy, ...binding }: StoredWrap,
    accepts: (candidate: SecretBytes) => boolean,
    terms: CallTerms,
  ): CallInProgress<SecretBytes> {
    const request = { ciphertext, keyLength, context: boundTo(binding, madeBy) };
    return this.#start("unwrap", terms, (signal) => this.key.unwrap(request, signal), wipe, accepts);
  }

  describe(terms: CallTerms): CallInProgress<OfMaterial> {
    return this.#start("describe", terms, async (signal) => told(await this.key.describe(signal), () => ({})), nothing);
  }

  #start<T>(
    method: keyof WrappingKey["operations"],
    { purpose, timeoutMs, onCall }: CallTerms,
    send: (signal: AbortSignal) => Promise<CallAnswer<T>>,
    discard: (value: T) => void,
    accepts?: (value: T) => boolean,
  ): CallInProgress<T> {
    const { region, keyArn } = this.id;
    const operation = this.key.operations[method];
    return startCall(
      { region, keyArn, operation, send, discard, accepts, onCall },
      { time: this.#time, timeoutMs, observer: this.state.observe(operation, purpose) },
    );
  }
}

/** How a wrap that was made without being opened is proven. */
export interface ProofOfReEncrypted extends Binding {
  readonly keyLength: number;
  /** Whether a key is the one that is kept. */
  readonly accepts: (candidate: SecretBytes) => boolean;
}

/** The answer's value in a form of its own, with the material that it is of. */
function told<T, U extends object>(answer: CallAnswer<T>, form: (value: T) => U): CallAnswer<U & OfMaterial> {
  if ("failed" in answer) return answer;
  const { value, requestId, material = null } = answer;
  return { value: { ...form(value), material }, requestId };
}

function wipe(secret: SecretBytes): void {
  secret.wipe();
}

function wipeDataKey({ dataKey }: GeneratedKey): void {
  dataKey.wipe();
}

function nothing(): void {
  // A ciphertext is no secret.
}

const RANK: Readonly<Record<RegionReadiness, number>> = { ready: 0, "probe-due": 1, busy: 2, throttled: 3, resting: 4 };

/**
 * Which of `candidates` is asked next: the first of the most ready ones; null when there are none. A region that rests
 * is asked only when no other is left, because a read that one region could still answer must not fail.
 */
export function mostReady<C extends { readonly region: Region }>(candidates: Iterable<C>): C | null {
  let best: C | null = null;
  let bestRank = Infinity;
  for (const candidate of candidates) {
    const rank = RANK[candidate.region.state.readiness()];
    if (rank < bestRank) [best, bestRank] = [candidate, rank];
  }
  return best;
}

/** What makes a call to a region a contestant of a race. */
export interface RaceTerms<T, Won> {
  readonly deadline: Deadline;
  readonly patienceMs: number;
  /** The call's value for the race, or null. */
  readonly outcome: (result: CallResult<T>) => Won | null;
}

/** A call to the region in a race of several. Waiting for it is pointless once the region's breaker opens. */
export function contestant<T, Won>(region: Region, call: CallInProgress<T>, terms: RaceTerms<T, Won>): Contestant<Won> {
  return {
    patienceMs: terms.patienceMs,
    onSent: (callback) => {
      call.onSent(callback);
    },
    onHopeless: (callback) => region.state.onOpened(callback),
    stop: () => {
      call.stop(terms.deadline.cutShort() ?? "overtaken");
    },
    outcome: call.result.then(terms.outcome),
  };
}
