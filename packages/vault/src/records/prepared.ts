/**
 * Writes that are prepared beforehand and made within a transaction of the caller's own. Preparing does everything that
 * needs keys, the network or a wait; within the transaction there is none of it, so that no caller holds a connection
 * while a KMS is slow.
 */
import { VaultError } from "../errors.ts";
import type { Dependencies } from "../limits.ts";
import type { Unit } from "../stores/units.ts";
import type { Address, Place } from "./address.ts";
import { untilNewest } from "./asked.ts";
import type { Asked } from "./asked.ts";
import type { JsonObject } from "./document.ts";
import { closedError, isClosed } from "./people.ts";
import { withEntries } from "./units.ts";
import type { Drafted } from "./units.ts";
import { keySetMoved } from "./version.ts";
import { preparePut, recordContended, takenError, takenPut } from "./write.ts";
import type { Expectation, PreparedUnit, PutOptions, PutResult } from "./write.ts";

/**
 * A write that only needs to be made: `vault.withTransaction` takes it, once, within a minute. It says what the record
 * will be; until its transaction is committed nothing of it is stored. Only the vault that prepared it takes it: a copy
 * is none.
 */
export type PreparedWrite = Readonly<PutResult>;

/**
 * How long a prepared write may wait for its transaction, in milliseconds. It bounds what a key that is to be retired
 * may still be asked for.
 */
const LIFETIME_MS = 60_000;

/** What is behind a prepared write. */
interface Kept extends Drafted {
  readonly place: Place;
  readonly use: PreparedUnit<PutResult>["use"];
  readonly expect: Expectation;
  /** By the process' own clock, which nobody sets. */
  readonly until: number;
}

/** The prepared writes of one vault. */
export class PreparedWrites {
  readonly #dependencies: Dependencies;
  /** Those that were not used yet. What nobody holds any more goes by itself. */
  readonly #kept = new WeakMap<PreparedWrite, Kept>();

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  /** `vault.prepare`. */
  async prepare(address: Address, document: JsonObject, options: PutOptions, asked: Asked): Promise<PreparedWrite> {
    asked.uses(address.collection);
    const given = takenPut(this.#dependencies, address, document, options);
    try {
      const { result, ...made } = await untilNewest(() => preparePut(this.#dependencies, address, given, asked));
      await this.#dependencies.store.readyFor?.([made.unit]);
      const prepared = Object.freeze(result);
      const place = { address, row: made.unit.address };
      this.#kept.set(prepared, { ...made, place, expect: given.expect, until: performance.now() + LIFETIME_MS });
      return prepared;
    } finally {
      given.plaintext.fill(0);
    }
  }

  /** `vault.withTransaction`. */
  async make(client: unknown, given: readonly PreparedWrite[], asked: Asked): Promise<readonly PutResult[]> {
    const { store, keys, subjectKeys, indexes, cost } = this.#dependencies;
    if (store.transaction === undefined)
      throw new VaultError("transaction-refused", "The vault's store takes part in no transaction of others");
    const prepared = takenList(given);
    const kept = prepared.map((write) => this.#take(write));
    for (const { place } of kept) asked.concerns(place, null);
    const units = withEntries(kept, asked.alone(kept.map(({ draft }) => draft)));
    requireDistinct(units);
    if (units.length > store.capabilities.atomicUnits)
      throw new VaultError(
        "batch-too-large",
        `${units.length} writes are given; the store makes at most ${store.capabilities.atomicUnits} in one transaction`,
      );
    const transaction = await store.transaction(client);
    const results = units.length === 0 ? [] : await transaction.apply(units);
    const lost = results.findIndex(({ kind }) => kind === "gate-moved" || kind === "conflict");
    if (results[lost]?.kind === "gate-moved") {
      keys.moved();
      throw keySetMoved();
    }
    if (lost >= 0) throw overtaken(kept[lost]?.expect.kind);
    const taken = results.findIndex(({ kind }) => kind === "taken");
    const [takenBy, place] = [results[taken], kept[taken]?.place];
    if (takenBy?.kind === "taken" && place !== undefined) throw takenError(indexes, place.address.collection, takenBy);
    const closed = results.find(isClosed);
    if (closed !== undefined) {
      // The caller's transaction cannot wait for keys: what is prepared next asks for them afresh.
      subjectKeys?.forget(closed.id);
      throw closedError(closed);
    }
    if (units.some((_, index) => results[index]?.kind !== "made")) throw overtaken("any");
    for (const { use } of kept) if (use !== null) cost?.wrote(use);
    return prepared;
  }

  /** Used up from here on, whatever becomes of it. @throws VaultError `vault-option-invalid` */
  #take(write: PreparedWrite): Kept {
    const kept = this.#kept.get(write);
    if (kept === undefined) throw refused("this vault has not prepared it, or has made it before");
    this.#kept.delete(write);
    if (performance.now() >= kept.until)
      throw refused(`it was prepared more than ${LIFETIME_MS / 1000} s ago: prepare it again`);
    return kept;
  }
}

/** @throws VaultError `vault-option-invalid` */
function takenList(given: unknown): readonly PreparedWrite[] {
  if (!Array.isArray(given)) throw new VaultError("vault-option-invalid", "What was prepared must be given as a list");
  const prepared = Array.from(given as unknown[]);
  if (prepared.every((write) => typeof write === "object" && write !== null)) return prepared as PreparedWrite[];
  throw refused("it is none");
}

function refused(why: string): VaultError {
  return new VaultError("vault-option-invalid", `A prepared write cannot be made: ${why}`);
}

/** @throws VaultError `vault-option-invalid` */
function requireDistinct(units: readonly Unit[]): void {
  const places = new Set(units.map(({ address: { collection, id } }) => `${collection}/${id}`));
  if (places.size !== units.length) throw refused("another one of the same transaction is for the same record");
}

/**
 * The error for a record that has changed. A writer that expected a version, or none, is told that it is not so any
 * more; one that took whatever was there is told to try again.
 */
function overtaken(expected: Expectation["kind"] | undefined): VaultError {
  return expected === "version" || expected === "absent"
    ? new VaultError("version-conflict", "The record has changed since the write was prepared")
    : recordContended("Another writer changed the record after the write was prepared; nothing was stored");
}
