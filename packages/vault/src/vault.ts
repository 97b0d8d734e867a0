/**
 * The vault: documents in, documents out, and between them nothing but messages. Each operation reads from top to
 * bottom: parse the address, look at the record's rows, seal or open, commit.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Turns } from "@strongroom/base/work";
import type { Keyring } from "@strongroom/envelope";
import { parseAddress, parseCollection, parseSubject, parseVersion } from "./address.ts";
import type { Address, AddressInput, Version } from "./address.ts";
import type { JsonObject } from "./document.ts";
import { VaultError } from "./errors.ts";
import { decodeDebtCursor, encodeDebtCursor } from "./debt-cursor.ts";
import { ANY, requireExpected } from "./expectation.ts";
import type { Expectation } from "./expectation.ts";
import { parseLimits } from "./limits.ts";
import type { VaultLimits } from "./limits.ts";
import { decodeListCursor, encodeListCursor } from "./list-cursor.ts";
import { newVersion, wrapSummary } from "./new-version.ts";
import type { Workings } from "./new-version.ts";
import { putMany } from "./put-many.ts";
import type { PutManyItem, PutManyOptions } from "./put-many.ts";
import { recordState } from "./record-state.ts";
import { RepairWorker } from "./repair/repair-worker.ts";
import type { RepairOptions } from "./repair/repair-worker.ts";
import { RepairTally } from "./repair/status.ts";
import type { RepairStatus } from "./repair/status.ts";
import type {
  DebtPage,
  ListResult,
  PutManyResult,
  PutResult,
  RemoveResult,
  VaultRecord,
  VersionInfo,
} from "./results.ts";
import { openVersion } from "./sealed-version.ts";
import type { CollectionCount, RecordHead, RecordStore, RemoveChange, WrapDebt } from "./store.ts";

export interface VaultOptions {
  readonly store: RecordStore;
  /** Wraps the data key of every version; the regions and their minimum are its affair. */
  readonly keyring: Keyring;
  /** Now. For tests that need another. */
  readonly clock?: () => Date;
  readonly limits?: Partial<VaultLimits>;
  /** Pays owed wraps in the background while the vault is open. Left out: what is owed stays owed. */
  readonly repair?: RepairOptions;
}

export interface PutOptions {
  /** Whom the record is about. Left out: as it is; of a new record, its id. */
  readonly subject?: string;
  readonly expect?: Expectation;
  readonly signal?: AbortSignal;
}

export interface GetOptions {
  /** Left out: the newest. */
  readonly version?: number;
  readonly signal?: AbortSignal;
}

export interface RemoveOptions {
  readonly expect?: Expectation;
}

export interface ListOptions {
  readonly cursor?: string;
  /** Items of a page; 100 when left out. */
  readonly limit?: number;
}

export interface Vault {
  /**
   * Writes a new version of a record.
   *
   * @throws VaultError `id-invalid`, `collection-invalid`, `subject-invalid`, `document-invalid`, `document-too-large`,
   *   `version-conflict`, `record-contended`, `wraps-below-minimum`, `deadline-exceeded`, `aborted`, `store-full`,
   *   `store-failed`; the `record-…` codes when the rows it would build on are not as they were written. Nothing is
   *   stored then.
   */
  put(address: AddressInput, document: JsonObject, options?: PutOptions): Promise<PutResult>;
  /** Writes many records in one transaction; see PutManyOptions. @throws VaultError what is not about one item */
  putMany(
    collection: string,
    items: readonly PutManyItem[],
    options: PutManyOptions,
  ): Promise<readonly PutManyResult[]>;
  /**
   * Reads one version of a record. Nothing is given back that is not authentic, of this address and of this version.
   *
   * @throws VaultError `record-absent`, `version-absent`, `record-moved`, `record-moved-collection`,
   *   `record-moved-subject`, `record-rolled-back`, `record-tampered`, `key-not-configured`, `regions-unavailable`,
   *   `deadline-exceeded`, `aborted`
   */
  get(address: AddressInput, options?: GetOptions): Promise<VaultRecord>;
  /** All versions of a record, newest first, unopened. @throws VaultError `record-absent` */
  history(address: AddressInput): Promise<readonly VersionInfo[]>;
  /**
   * Removes a record: the messages of all versions go, the number of the last one stays so that none is used twice.
   * Without an expectation it also removes a record whose rows no longer fit together.
   *
   * @throws VaultError `record-absent`, `version-conflict`, `record-contended`
   */
  remove(address: AddressInput, options?: RemoveOptions): Promise<RemoveResult>;
  /**
   * Ids of a collection in the order of their UTF-8 bytes. @throws VaultError `collection-absent`, `cursor-invalid`,
   * `limit-invalid`
   */
  list(collection: string, options?: ListOptions): Promise<ListResult>;
  collections(): Promise<readonly CollectionCount[]>;
  /** Versions that have fewer wraps than they should. */
  wrapDebt(): Promise<WrapDebt>;
  /**
   * Which versions those are, in the order of collection, id and version. @throws VaultError `cursor-invalid`,
   * `limit-invalid`
   */
  debts(options?: ListOptions): Promise<DebtPage>;
  /** What the repair of owed wraps has done in this process. */
  repairStatus(): RepairStatus;
  /** Resolves when the store answers. */
  ping(): Promise<void>;
  /** Lets a repair under way end, then closes the store. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export const DEFAULT_LIST_LIMIT = 100;

/** Longest random pause of a writer that lost against another process, in milliseconds. */
const RETRY_PAUSE_MS = 10;

/** @throws VaultError `limit-invalid` */
export async function openVault({
  store,
  keyring,
  clock = () => new Date(),
  limits,
  repair,
}: VaultOptions): Promise<Vault> {
  const workings = { keyring, clock, limits: parseLimits(limits) };
  return new RecordVault(
    store,
    workings,
    repair === undefined ? null : new RepairWorker({ store, keyring, clock }, repair),
  );
}

class RecordVault implements Vault {
  readonly #store: RecordStore;
  readonly #workings: Workings;
  readonly #turns = new Turns();
  readonly #repair: RepairWorker | null;

  constructor(store: RecordStore, workings: Workings, repair: RepairWorker | null) {
    this.#store = store;
    this.#workings = workings;
    this.#repair = repair;
  }

  async put(
    input: AddressInput,
    document: JsonObject,
    { subject, expect = ANY, signal }: PutOptions = {},
  ): Promise<PutResult> {
    const address = parseAddress(input);
    const newSubject = subject === undefined ? null : parseSubject(subject);
    const put = await this.#untilCommitted<PutResult>(address, async () => {
      requireNotAborted(signal);
      const rows = await this.#head(address);
      const state = recordState(rows);
      requireExpected(expect, state);
      const change = await newVersion(
        this.#workings,
        address,
        { head: rows.head, state, subject: rows.subject },
        { document, subject: newSubject, signal },
      );
      requireNotAborted(signal);
      const { version, createdAt } = change.next;
      const outcome = state.kind === "live" ? "replaced" : "created";
      return {
        change,
        result: { ...address, subject: change.next.subject, version, createdAt, outcome, wraps: wrapSummary(change) },
      };
    });
    if (put.wraps.missing.length > 0) this.#repair?.wake();
    return put;
  }

  async putMany(
    collection: string,
    items: readonly PutManyItem[],
    options: PutManyOptions,
  ): Promise<readonly PutManyResult[]> {
    const results = await putMany(this.#workings, this.#store, parseCollection(collection), items, options);
    if (results.some((result) => "wraps" in result && result.wraps.missing.length > 0)) this.#repair?.wake();
    return results;
  }

  async get(input: AddressInput, { version, signal }: GetOptions = {}): Promise<VaultRecord> {
    const address = parseAddress(input);
    const read = await this.#store.read(address, version === undefined ? null : parseVersion(version));
    if (recordState(read).kind === "absent") throw recordAbsent();
    if (read.stored === null) throw new VaultError("version-absent", "The record has no such version");
    const { subject, createdAt, message, version: found } = read.stored;
    const document = await openVersion(
      message,
      { ...address, subject, version: found },
      { keyring: this.#workings.keyring, signal },
    );
    return { ...address, subject, version: found, createdAt, document };
  }

  async history(input: AddressInput): Promise<readonly VersionInfo[]> {
    const rows = await this.#store.versions(parseAddress(input));
    if (recordState(rows).kind === "absent") throw recordAbsent();
    return rows.versions;
  }

  async remove(input: AddressInput, { expect = ANY }: RemoveOptions = {}): Promise<RemoveResult> {
    const address = parseAddress(input);
    return this.#untilCommitted(address, async () => {
      const { head, newestRow } = await this.#head(address);
      if (newestRow === null && head?.state !== "live" && expect.kind === "any") throw recordAbsent();
      if (expect.kind !== "any") requireExpected(expect, recordState({ head, newestRow }));
      const tombstone = Math.max(head?.version ?? 0, newestRow ?? 0) as Version;
      const removedAt = this.#workings.clock().toISOString();
      const change: RemoveChange = { kind: "remove", address, base: head, tombstone, removedAt };
      return { change, result: { ...address, lastVersion: tombstone, removedAt } };
    });
  }

  async list(name: string, { cursor, limit = DEFAULT_LIST_LIMIT }: ListOptions = {}): Promise<ListResult> {
    const collection = parseCollection(name);
    this.#requirePageLimit(limit);
    // One more than asked for: whether there is a next page is then known.
    const found = await this.#store.list(collection, {
      after: cursor === undefined ? null : decodeListCursor(collection, cursor),
      limit: limit + 1,
    });
    if (found === null) throw new VaultError("collection-absent", "There is no such collection");
    const items = found.slice(0, limit);
    const last = items.at(-1);
    return { items, next: found.length > limit && last !== undefined ? encodeListCursor(collection, last.id) : null };
  }

  async collections(): Promise<readonly CollectionCount[]> {
    return this.#store.collections();
  }

  async wrapDebt(): Promise<WrapDebt> {
    return this.#store.wrapDebt();
  }

  async debts({ cursor, limit = DEFAULT_LIST_LIMIT }: ListOptions = {}): Promise<DebtPage> {
    this.#requirePageLimit(limit);
    const found = await this.#store.debts({
      after: cursor === undefined ? null : decodeDebtCursor(cursor),
      limit: limit + 1,
    });
    const items = found.slice(0, limit);
    const last = items.at(-1);
    return { items, next: found.length > limit && last !== undefined ? encodeDebtCursor(last) : null };
  }

  repairStatus(): RepairStatus {
    return this.#repair?.status() ?? new RepairTally().status("off");
  }

  async ping(): Promise<void> {
    await this.#store.ping();
  }

  async close(): Promise<void> {
    await this.#repair?.stop();
    await this.#store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #requirePageLimit(limit: number): void {
    const most = this.#workings.limits.listItems;
    if (!Number.isSafeInteger(limit) || limit < 1 || limit > most)
      throw new VaultError("limit-invalid", `A page has 1 to ${most} items`);
  }

  async #head(address: Address): Promise<RecordHead> {
    const [head] = await this.#store.heads([address]);
    if (head === undefined) throw new VaultError("store-failed", "The store gave no answer for a record");
    return head;
  }

  /** Prepares a change and commits it, again and again until no other writer came in between. */
  async #untilCommitted<Result>(
    address: Address,
    prepare: () => Promise<{ readonly change: Parameters<RecordStore["commit"]>[0][number]; readonly result: Result }>,
  ): Promise<Result> {
    return this.#turns.take(`${address.collection}/${address.id}`, async () => {
      for (let attempt = 1; attempt <= this.#workings.limits.writeAttempts; attempt++) {
        const { change, result } = await prepare();
        if ((await this.#store.commit([change])).kind === "committed") return result;
        await delay(Math.random() * RETRY_PAUSE_MS);
      }
      throw new VaultError("record-contended", "Other writers kept changing the record; nothing was stored");
    });
  }
}

function recordAbsent(): VaultError {
  return new VaultError("record-absent", "There is no such record");
}

function requireNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new VaultError("aborted", "The caller gave up; nothing was stored");
}
