/**
 * Wraps in several regions of a key that is kept wrapped elsewhere: by one ReEncrypt in each region where a source has
 * a key beside the one that is to wrap, so that the key does not leave the KMS; otherwise it is opened once for all the
 * rest (opened-once.ts), and wrapped. What fails in a preferred region is made up for by a substitute of its group, as
 * in a write; what cannot be made is reported.
 *
 * Threats answered: a message that names a key of somebody else's (only keys that a source keyring names are asked); a
 * region that answers a re-encryption with bytes that nothing opens, or that open to another key.
 */
import { sharedBytes } from "../crypto/secret.ts";
import type { SecretBytes } from "../crypto/secret.ts";
import { EnvelopeError } from "../errors.ts";
import type { OnCall, RegionAttempt, RegionFailureKind } from "../errors.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import type { MadeWrap, Rewrapped, Rewrapping } from "../keyrings/keyring.ts";
import { KEY_LENGTH, reasonOf } from "../keyrings/kept-keys.ts";
import { overloadedError } from "../resilience/admission.ts";
import type { CallInProgress, CallResult } from "../resilience/calls.ts";
import type { CutShort, Deadline } from "../resilience/time.ts";
import { OpenedOnce } from "./opened-once.ts";
import type { Binding, CallTerms, NewWrap, Region, StoredWrap } from "./region.ts";
import { OF_EITHER_KEY } from "./refused-pairs.ts";
import type { RefusedPairs } from "./refused-pairs.ts";
import type { CallPurpose, Counters } from "./telemetry.ts";
import { WritePlan } from "./write-plan.ts";

/** What a rewrapping is asked for, and what it works with. */
export interface RewrapWork extends Binding, Pick<Rewrapping, "have" | "proof" | "wraps"> {
  /** Of the keyring that wraps, in the order of preference. */
  readonly regions: readonly Region[];
  readonly target: number;
  /** Of the keyrings that the wraps were made by. */
  readonly sources: readonly Region[];
  readonly accepts: (candidate: Uint8Array) => boolean;
  /** Opens the key by any of its sources; by these regions alone: by wraps that were made meanwhile. */
  readonly open: (wraps: readonly EncryptedDataKey[], by: "sources" | "new") => Promise<SecretBytes>;
  readonly refusedPairs: RefusedPairs;
  readonly deadline: Deadline;
  readonly counters: Counters;
  readonly attemptTimeoutMs: number;
  readonly onCall: OnCall | undefined;
}

/** A wrap, and a key beside the one that is to wrap, which opens it. */
interface Origin {
  readonly source: Region;
  readonly stored: EncryptedDataKey;
  readonly madeBy: string;
}

/** What a region came to. */
type Made = MadeWrap | { readonly failed: RegionAttempt };

/**
 * What a re-encryption came to. `unmade`: nothing, and perhaps the region can wrap the key itself; what it made of a
 * wrap and opened to another key, where it has.
 */
type ReEncryption = Made | { readonly unmade: Origin | null };

export class Rewrapper {
  readonly result: Promise<void>;
  readonly #work: RewrapWork;
  readonly #plan: WritePlan;
  readonly #made = new Map<Region, MadeWrap>();
  readonly #calls = new Set<Pick<CallInProgress<unknown>, "stop">>();
  readonly #reEncrypting = new Set<Promise<unknown>>();
  readonly #key: OpenedOnce;
  /** Settles when nothing is waited for any more. */
  readonly #ended = Promise.withResolvers<null>();
  #pending = 0;
  #over = false;
  #resolve: () => void = () => undefined;

  constructor(work: RewrapWork) {
    this.#work = work;
    const { regions, have, proof, wraps, open } = work;
    this.#over = work.deadline.cutShort() !== null;
    this.#plan = new WritePlan(regions);
    const there = new Set(have);
    for (const region of regions) if (there.has(region.key.keyId)) this.#plan.wrapped(region, new Uint8Array(0));
    this.#key = new OpenedOnce({
      mayWaitForProofs: proof === "opened",
      proofs: () => Promise.all(this.#reEncrypting).then(() => undefined),
      open: () => open(wraps, "sources"),
      openNew: () => {
        const fresh = [...this.#made.values()].map(({ wrap }) => wrap);
        return fresh.length === 0 ? null : open(fresh, "new");
      },
    });
    this.result = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#ask();
  }

  /** Ends the calls that are still waited for, each of which then says what it was kept by. */
  stop(why: CutShort): void {
    this.#over = true;
    this.#key.wipe();
    this.#ended.resolve(null);
    for (const call of this.#calls) call.stop(why);
  }

  /**
   * What it came to.
   *
   * @throws EnvelopeError as Keyring.onRewrap does
   */
  outcome(): Rewrapped {
    const { deadline, target, regions } = this.#work;
    const { attempts } = this.#plan;
    const cutShort = deadline.cutShort();
    if (cutShort === "aborted") throw new EnvelopeError("aborted", "The operation was aborted", { attempts });
    const made = regions.flatMap((region) => this.#made.get(region) ?? []);
    const missing = this.#plan.missing(target);
    if (made.length > 0 || missing.length === 0) return { made, target, missing };
    if (missing.some(({ reason }) => reason === "busy")) throw overloadedError(NO_TURN, attempts);
    if (cutShort === "deadline")
      throw new EnvelopeError("deadline-exceeded", `The deadline passed before a region wrapped the key`, { attempts });
    if (this.#key.error !== null) throw this.#key.error as Error;
    return { made, target, missing };
  }

  /** Asks whoever should be asked now, then sees whether all is done. */
  #ask(): void {
    const { target } = this.#work;
    for (let region; !this.#over && this.#count < target && (region = this.#next()) !== null;) {
      this.#plan.asked(region);
      this.#pending += 1;
      void this.#rewrap(region);
    }
    if (this.#pending > 0) return;
    this.#key.wipe();
    this.#resolve();
  }

  get #count(): number {
    return this.#plan.wraps.size + this.#pending;
  }

  /** A preferred region that is due to be tried goes before those that would stand in for it. */
  #next(): Region | null {
    const next = this.#plan.nextWrap();
    return next?.role === "preferred" ? next : (this.#plan.dueProbes()[0] ?? next);
  }

  async #rewrap(region: Region): Promise<void> {
    const reEncrypting = this.#reEncrypt(region);
    this.#reEncrypting.add(reEncrypting);
    const turn = await reEncrypting;
    const made = "unmade" in turn ? await this.#wrap(region, turn.unmade) : turn;
    this.#pending -= 1;
    if ("failed" in made) this.#plan.refused(region, made.failed);
    else {
      this.#plan.wrapped(region, made.wrap.ciphertext);
      this.#made.set(region, made);
    }
    this.#ask();
  }

  /** One ReEncrypt, as long as it may have failed by the key that the wrap is under. */
  async #reEncrypt(region: Region): Promise<ReEncryption> {
    const { refusedPairs, deadline } = this.#work;
    for (const origin of this.#originsFor(region)) {
      if (this.#over) break;
      const wrap = this.#storedWrap(origin);
      const result = await this.#call(region.reEncrypt(wrap, origin.source, this.#terms(region)));
      if (result.kind === "done") return await this.#provenReEncrypted(region, result.value, origin);
      if (result.kind !== "failed") break;
      if (!OF_EITHER_KEY.has(result.attempt.reason)) return { failed: result.attempt };
      refusedPairs.refused(origin.source, region, result.attempt.reason, deadline.time.now());
    }
    return { unmade: null };
  }

  async #provenReEncrypted(region: Region, { ciphertext, material }: NewWrap, origin: Origin): Promise<ReEncryption> {
    if (!this.#isProofDue(region)) return madeWrap(region, ciphertext, { material, isProven: false });
    const { accepts, counters } = this.#work;
    const proof = { ...this.#binding, keyLength: KEY_LENGTH, accepts: (key: SecretBytes) => accepts(sharedBytes(key)) };
    counters.add("proofs");
    const result = await this.#call(region.proveReEncrypted(ciphertext, proof, this.#terms(region, "proof")));
    if (result.kind === "done") {
      this.#key.give(result.value.secret);
      region.state.proven();
      return madeWrap(region, ciphertext, { material: result.value.material ?? material, isProven: true });
    }
    // Which of the two is wrong, the new wrap or the one that it was made of, shows when the key is known.
    if (result.kind === "failed" && result.attempt.reason === "wrong-data-key") return { unmade: origin };
    return this.#notDone(region, result);
  }

  /** Wraps the key itself. @param suspect what its re-encryption was made of, which opened to another key */
  async #wrap(region: Region, suspect: Origin | null): Promise<Made> {
    using key = await Promise.race([this.#key.get(), this.#ended.promise]);
    if (this.#over) return failed(region, "timeout");
    if (key === null) return failed(region, reasonOf(this.#key.error, "unknown"));
    if (suspect !== null && (await this.#hasLied(region, suspect))) return failed(region, "wrap-does-not-open");
    const purpose = region.role === "substitute" ? "substitute" : "wrap";
    const result = await this.#call(region.wrap(key, this.#binding, this.#terms(region, purpose)));
    if (result.kind !== "done") return this.#notDone(region, result);
    const ciphertext = result.value;
    if (!this.#isProofDue(region)) return madeWrap(region, ciphertext, { material: null, isProven: false });
    this.#work.counters.add("proofs");
    const proof = await this.#call(region.prove(ciphertext, key, this.#binding, this.#terms(region, "proof")));
    if (proof.kind !== "done") return this.#notDone(region, proof);
    region.state.proven();
    return madeWrap(region, ciphertext, { material: proof.value.material, isProven: true });
  }

  /** Whether the wrap that a region re-encrypted was right, so that what it made of it is a lie. */
  async #hasLied(region: Region, origin: Origin): Promise<boolean> {
    const { accepts, counters } = this.#work;
    const wrap = this.#storedWrap(origin);
    const isRight = (key: SecretBytes): boolean => accepts(sharedBytes(key));
    const result = await this.#call(origin.source.unwrap(wrap, isRight, this.#terms(region, "proof")));
    if (result.kind !== "done") return false;
    result.value.wipe();
    counters.add("proofsFailed");
    region.state.accuse();
    return true;
  }

  #notDone(region: Region, result: Exclude<CallResult<unknown>, { readonly kind: "done" }>): Made {
    if (result.kind === "overtaken") return failed(region, "timeout");
    if (result.attempt.reason === "wrap-does-not-open") this.#work.counters.add("proofsFailed");
    return { failed: result.attempt };
  }

  #isProofDue({ state }: Region): boolean {
    const { proof } = this.#work;
    return proof === "opened" || state.isQuarantined || (proof === "policy" && state.wantsProof());
  }

  /**
   * The wraps that a region can re-encrypt, by keys of its own client that a source keyring names. What a wrap names is
   * matched, never obeyed. The key's own wraps go before those of its replicas.
   */
  #originsFor(region: Region): readonly Origin[] {
    const { sources, wraps, refusedPairs, deadline } = this.#work;
    const now = deadline.time.now();
    const beside = sources.filter(
      (source) =>
        region.key.canReEncrypt(source.key) &&
        (source === region || source.state.readiness() !== "resting") &&
        !refusedPairs.rests(source, region, now),
    );
    const own: Origin[] = [];
    const replicas: Origin[] = [];
    for (const source of beside)
      for (const stored of wraps) {
        const match = source.key.matches(stored);
        if (match === "own") own.push({ source, stored, madeBy: source.key.keyId });
        if (match === "replica")
          replicas.push({ source, stored, madeBy: Buffer.from(stored.providerInfo).toString("utf8") });
      }
    return [...own, ...replicas];
  }

  #storedWrap({ stored: { ciphertext }, madeBy }: Origin): StoredWrap {
    return { ...this.#binding, ciphertext, keyLength: KEY_LENGTH, madeBy };
  }

  get #binding(): Binding {
    const { context, keyArnEntry } = this.#work;
    return { context, keyArnEntry };
  }

  #terms({ role }: Region, purpose: CallPurpose = role === "substitute" ? role : "wrap"): CallTerms {
    const { deadline, attemptTimeoutMs, onCall } = this.#work;
    return { purpose, timeoutMs: deadline.shareMs(1, attemptTimeoutMs), onCall };
  }

  async #call<T>(call: CallInProgress<T>): Promise<CallResult<T>> {
    this.#calls.add(call);
    try {
      return await call.result;
    } finally {
      this.#calls.delete(call);
    }
  }
}

const NO_TURN = "the deadline passed before a region could be asked";

function madeWrap(
  { key }: Region,
  ciphertext: Uint8Array,
  { material, isProven }: Pick<MadeWrap, "material" | "isProven">,
): MadeWrap {
  return { wrap: key.stored(ciphertext), key: key.keyId, material, isProven };
}

function failed({ id, key }: Region, reason: RegionFailureKind): { readonly failed: RegionAttempt } {
  return { failed: { ...id, operation: key.operations.wrap, reason, errorName: null, elapsedMs: 0 } };
}
