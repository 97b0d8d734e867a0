/**
 * The key sets that this process knows, and which of them the store's gate has in force: the one it writes under. What
 * the gate said is kept for a while; a unit that comes too late is told so by the store and sealed anew.
 */
import { shown } from "@strongroom/base/shown";
import type { Keyring } from "@strongroom/envelope";
import { isVaultError, VaultError } from "../errors.ts";
import { STORE_READER, STORE_WRITER } from "../stores/gate.ts";
import type { Epoch, Gate, GateState } from "../stores/gate.ts";
import type { KeySet } from "./key-set.ts";

/** A key set that a vault was opened with. */
export interface KnownKeySet {
  /** SHA-256 in hexadecimal: what the gate keeps of it. */
  readonly digest: string;
  /** Names of its wrapping keys; null when it was given without. */
  readonly keys: readonly string[] | null;
}

/** Which key set is in force, and which this process knows. */
export interface KeySetStatus {
  /** How often the key set has changed; 0: nothing was ever written. */
  readonly epoch: number;
  /** Digest of the set in force, as the store has it; null at epoch 0. */
  readonly inForce: string | null;
  /**
   * `unset`: nothing was written yet. `current`, `next`: that one of the known sets is in force. `unknown`: another
   * one is, and this process does not write.
   */
  readonly state: "unset" | "current" | "next" | "unknown";
  readonly current: KnownKeySet;
  /** Null: the vault was opened with one set. */
  readonly next: KnownKeySet | null;
}

/** What a write is sealed with. */
export interface Sealing {
  /** Of the gate: the store makes nothing that was sealed at another one. */
  readonly epoch: Epoch;
  readonly keyring: Keyring;
  /** Of the set in force. */
  readonly digest: string;
  /** Names of its wrapping keys; null when it was given without. */
  readonly names: readonly string[] | null;
  /** Shredding generation of what is wrapped under it. */
  readonly generation: number;
}

/**
 * How long what the gate said is believed, in milliseconds. Only that a newer program has shut older ones out is
 * noticed as late as this: that the key set has changed the store itself says to every write.
 */
const GATE_AGE_MS = 5_000;

/** Tries of a change of the gate against other processes that change it. */
const FLIP_ATTEMPTS = 8;

/** The known key sets over a store's gate. */
export class KeySets {
  readonly #gate: Gate;
  #current: KeySet;
  #next: KeySet | null;
  /** Sets that were current or next before others were learned: what lies under them is read still. */
  #earlier: readonly KeySet[] = [];
  #seen: { readonly state: GateState; readonly at: number } | null = null;
  #asking: Promise<GateState> | null = null;
  /** What was asked before is not believed any more. */
  #movedAt = Number.NEGATIVE_INFINITY;

  constructor(gate: Gate, current: KeySet, next: KeySet | null) {
    this.#gate = gate;
    this.#current = current;
    this.#next = next;
  }

  /**
   * What to seal a write with: the set in force, at its epoch. The first writer of a store puts its own in force.
   *
   * @throws VaultError `key-set-unknown`, `store-newer`; the store's
   */
  async forWriting(): Promise<Sealing> {
    const seen = await this.#state();
    // What would be refused may have changed since.
    const state = this.#inForce(seen) === null ? await this.#ask() : seen;
    requireWriter(state);
    const { epoch, digest } = state.digest === null ? await this.#begin(state) : state;
    const set = this.known(digest);
    if (set === null) throw keySetUnknown();
    const { keyring, names, generation } = set;
    return { epoch, keyring, digest: set.digest, names, generation };
  }

  /** The same; null where this process may not write: it does not know what is in force, or the store is newer. */
  async whereKnown(): Promise<Sealing | null> {
    try {
      return await this.forWriting();
    } catch (error) {
      if (isVaultError(error) && (error.code === "key-set-unknown" || error.code === "store-newer")) return null;
      throw error;
    }
  }

  /** The set of a digest; null: this process does not know it. */
  known(digest: string | null): KeySet | null {
    return this.#known.find((known) => known.digest === digest) ?? null;
  }

  /** The set that this process declares: the next one, or the only one. */
  get declared(): KeySet {
    return this.#next ?? this.#current;
  }

  /** The set in force, asked anew; the vault's own where none is, or one that is not known. @throws the store's */
  async inForce(): Promise<KeySet> {
    return this.#inForce(await this.#askNow()) ?? this.#current;
  }

  /** Digests of all sets that this process knows. */
  get digests(): readonly string[] {
    return this.#known.map(({ digest }) => digest);
  }

  /**
   * Takes in another set, which is the next one from now on; nothing is put in force. What was known before is known
   * still: a next one that is in force already becomes the current one.
   *
   * @throws VaultError `store-newer`; the store's
   */
  async learn(given: KeySet): Promise<void> {
    const inForce = await this.inForce();
    const known = this.#known;
    this.#current = inForce;
    this.#next = given.digest === inForce.digest ? null : given;
    this.#earlier = known.filter(({ digest }) => digest !== inForce.digest && digest !== given.digest);
  }

  /** That this program may change the store, whatever keys it has. @throws VaultError `store-newer`; the store's */
  async requireWriter(): Promise<void> {
    requireWriter(await this.#state());
  }

  /** That this program may read the store. @throws VaultError `store-newer`; the store's */
  async requireReader(): Promise<void> {
    requireReader(await this.#state());
  }

  /** The store has said that another set is in force than it seemed. */
  moved(): void {
    this.#seen = null;
    this.#asking = null;
    this.#movedAt = performance.now();
  }

  /**
   * The keyrings that may open a message, the likeliest first: that of the set in force before the other one, but one
   * whose set names a wrapping key of the message before one whose set names none.
   *
   * @param wrappingKeys the keys that the message says it has wraps of; asked for only when there is a choice
   */
  forReading(wrappingKeys: () => readonly string[]): readonly [Keyring, ...Keyring[]] {
    const known = this.#known;
    if (known.length === 1) return [this.#current.keyring];
    const keys = wrappingKeys();
    const isLikely = ({ names }: KeySet): boolean => names === null || keys.some((key) => names.includes(key));
    const inForce = this.known(this.#seen?.state.digest ?? null);
    // Sorting keeps the order of those that are alike.
    const [first, ...others] = [...new Set([inForce ?? this.#current, ...known])].sort(
      (a, b) => Number(isLikely(b)) - Number(isLikely(a)),
    );
    return [(first ?? this.#current).keyring, ...others.map(({ keyring }) => keyring)];
  }

  /** What is in force now, asked anew. @throws VaultError `store-newer`; the store's */
  async status(): Promise<KeySetStatus> {
    const state = await this.#askNow();
    requireReader(state);
    return this.#status(state);
  }

  /**
   * Puts the next set in force, or of a vault that has one set only, that one. Done when it is in force already.
   *
   * @throws VaultError `key-set-unknown` when there is a next set and neither is in force; `key-set-moved` when another
   *   process changed it meanwhile; `store-newer`; the store's
   */
  async flip(): Promise<KeySetStatus> {
    const target = this.declared;
    const state = await this.#askNow();
    const isKnown = this.#next === null || this.#status(state).state !== "unknown";
    return this.#flip(state, isKnown || state.digest === target.digest ? target : null);
  }

  /**
   * Puts one of the known sets in force, whatever is in force now. Done when it is already.
   *
   * @throws VaultError `key-set-unknown` when this process does not know it; `key-set-moved` when another process put
   *   another one in force meanwhile; `store-newer`; the store's
   */
  async flipTo(digest: string): Promise<KeySetStatus> {
    return this.#flip(await this.#askNow(), this.known(digest));
  }

  async #flip(state: GateState, target: KeySet | null): Promise<KeySetStatus> {
    requireWriter(state);
    if (target === null) throw keySetUnknown();
    if (state.digest === target.digest) return this.#drained(state);
    const result = await this.#gate.flip({ from: state.epoch, digest: target.digest });
    this.moved();
    const after = await this.#askNow();
    if (result === "moved" && after.digest !== target.digest)
      throw new VaultError("key-set-moved", "Another process changed the key set at the same time");
    return this.#drained(after);
  }

  /** What is in force, once nothing of before can be stored: also where it was another process that flipped. */
  async #drained(state: GateState): Promise<KeySetStatus> {
    await this.#gate.drained();
    return this.#status(state);
  }

  /** Puts this process' own set in force where none ever was. */
  async #begin(found: GateState): Promise<GateState> {
    let state = found;
    for (let attempt = 1; state.digest === null && attempt <= FLIP_ATTEMPTS; attempt++) {
      await this.#gate.flip({ from: state.epoch, digest: this.#current.digest });
      this.moved();
      state = await this.#askNow();
    }
    return state;
  }

  #status({ epoch, digest }: GateState): KeySetStatus {
    const known = ({ digest: own, names }: KeySet): KnownKeySet => ({ digest: own, keys: names });
    const state =
      digest === null
        ? "unset"
        : digest === this.#current.digest
          ? "current"
          : digest === this.#next?.digest
            ? "next"
            : "unknown";
    return {
      epoch,
      inForce: digest === null ? null : shown(digest),
      state,
      current: known(this.#current),
      next: this.#next === null ? null : known(this.#next),
    };
  }

  get #known(): readonly KeySet[] {
    return [this.#current, ...(this.#next === null ? [] : [this.#next]), ...this.#earlier];
  }

  /** The known set that is in force; null: none, or none that is known. */
  #inForce({ digest }: GateState): KeySet | null {
    return this.known(digest);
  }

  async #state(): Promise<GateState> {
    const seen = this.#seen;
    return seen !== null && performance.now() - seen.at < GATE_AGE_MS ? seen.state : this.#ask();
  }

  /** One question at a time, for all who ask. */
  async #ask(): Promise<GateState> {
    if (this.#asking !== null) return this.#asking;
    const asking = this.#askNow().finally(() => {
      if (this.#asking === asking) this.#asking = null;
    });
    this.#asking = asking;
    return asking;
  }

  async #askNow(): Promise<GateState> {
    // Before the answer: it is as old as the question.
    const at = performance.now();
    const state = await this.#gate.current();
    if (at >= Math.max(this.#movedAt, this.#seen?.at ?? 0)) this.#seen = { state, at };
    return state;
  }
}

function requireReader({ minReader }: GateState): void {
  if (minReader > STORE_READER) throw storeNewer();
}

function requireWriter(state: GateState): void {
  requireReader(state);
  if (state.minWriter > STORE_WRITER) throw storeNewer();
}

function storeNewer(): VaultError {
  return new VaultError("store-newer", "The store is for a newer version of Strongroom by now");
}

function keySetUnknown(): VaultError {
  return new VaultError("key-set-unknown", "Another key set is in force than this process is configured with");
}
