/**
 * Builds indexes beside live traffic: every record that was there before is opened, and its tags are written, as long
 * as it is still at the version that was opened. What is written meanwhile has its tags already: all writers agree on
 * the indexes (index-book.ts). A build that was ended goes on where it was saved, in whichever process.
 */
import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { shown } from "@strongroom/base/shown";
import { holderName } from "../convergence/partitions.ts";
import { isVaultError, VaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import type { Dependencies } from "../limits.ts";
import { parseId } from "../records/address.ts";
import type { Collection } from "../records/address.ts";
import { requireNotAborted } from "../records/write.ts";
import type { Filling, IndexId } from "../stores/indexes.ts";
import type { JobStore, Leased, Progress } from "../stores/jobs.ts";
import { tagForms } from "./forms.ts";
import type { IndexBook } from "./index-book.ts";
import { openedPage } from "./opened-records.ts";
import type { OpenedPage, OpenedRecord } from "./opened-records.ts";
import type { OpenIndex, Tagger } from "./tagger.ts";

/** Records that have one value of a unique index. */
export interface Duplicate {
  readonly collection: string;
  /** The index's name. */
  readonly index: string;
  /** The records' ids. */
  readonly ids: readonly string[];
}

/** A record whose tags cannot be made: it does not open, or has more values than a record is found by. */
export interface Unopened {
  readonly collection: string;
  readonly id: string;
  readonly code: VaultErrorCode;
}

/** What a build has found; each list has the first of them. */
export interface BuildFindings {
  readonly duplicates: Duplicate[];
  readonly unopened: Unopened[];
}

/** Most that is told of each. */
export const MOST_TOLD = 1_000;

/** How long a lease is held without being saved, and how often it is asked whether another process has ended. */
export const LEASE_MS = 60_000;
const LOOK_MS = 200;

/** Fillings that a store takes at once. */
const FILLED_AT_ONCE = 1_000;

/** What a build is done with. */
export interface BuildOptions {
  readonly signal: AbortSignal | undefined;
  readonly onRecords: (records: number) => void;
}

type Building = Pick<Dependencies, "store" | "keys" | "subjectKeys" | "declarations" | "rowAddresses" | "limits">;

/**
 * Builds these indexes of one collection, in one pass over its records.
 *
 * @param ready puts them in use; called once all records have their tags
 * @returns null: another process has built them
 */
export async function build(
  dependencies: Building & { readonly indexes: IndexBook },
  collection: Collection,
  ids: readonly IndexId[],
  ready: (ids: readonly IndexId[]) => Promise<void>,
  options: BuildOptions,
): Promise<BuildFindings | null> {
  const { jobs } = dependencies.store;
  const lease = await leased(jobs, nameOf(ids), collection, options.signal);
  if (lease === null) return null;
  return new Build(dependencies, collection, new Set(ids), options).run(lease, ready);
}

/** What the names of builds begin with. */
export const BUILDS = "index/";

/** Of the same indexes the same one. */
const nameOf = (ids: readonly IndexId[]): string =>
  `${BUILDS}${createHash("sha256").update(ids.toSorted().join()).digest("hex").slice(0, 32)}`;

/** Waits while another process builds. Null: it is built. */
async function leased(
  jobs: JobStore,
  name: string,
  partition: string,
  signal: AbortSignal | undefined,
): Promise<Leased | null> {
  const all = await jobs.list();
  // One that has finished was of the same indexes before they were dropped.
  let number = 1;
  const isFinished = (job: string): boolean =>
    all.some((one) => one.job === job && one.partition === partition && one.state === "finished");
  while (isFinished(`${name}/${number}`)) number++;
  const job = `${name}/${number}`;
  await jobs.add(job, [partition]);
  const holder = holderName();
  for (;;) {
    requireNotAborted(signal);
    const lease = await jobs.lease({ job, holder, ms: LEASE_MS });
    if (lease !== null) return lease;
    const state = (await jobs.list()).find((one) => one.job === job && one.partition === partition)?.state;
    if (state === "finished") return null;
    await delay(LOOK_MS, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}

type Opened = Extract<OpenedRecord, { readonly kind: "opened" }>;

/** A filling, and what it is of. */
interface Filled {
  readonly filling: Filling;
  readonly record: Opened;
  readonly index: OpenIndex;
  /** Whether it has more values than a record is found by: the document may be older than the declaration. */
  readonly isUnfit: boolean;
}

class Build {
  readonly #d: Building & { readonly indexes: IndexBook };
  readonly #collection: Collection;
  readonly #ids: ReadonlySet<IndexId>;
  readonly #options: BuildOptions;
  readonly #found: BuildFindings = { duplicates: [], unopened: [] };
  #taken = 0;

  constructor(
    dependencies: Building & { readonly indexes: IndexBook },
    collection: Collection,
    ids: ReadonlySet<IndexId>,
    options: BuildOptions,
  ) {
    this.#d = dependencies;
    this.#collection = collection;
    this.#ids = ids;
    this.#options = options;
  }

  async run(lease: Leased, ready: (ids: readonly IndexId[]) => Promise<void>): Promise<BuildFindings> {
    let after = lease.cursor === null || (await this.#hadFailed(lease)) ? null : lease.cursor;
    const taken = new Set<IndexId>();
    const { jobs } = this.#d.store;
    try {
      for (;;) {
        requireNotAborted(this.#options.signal);
        const { next, records } = await this.#page(after, lease, taken);
        if (next === null) break;
        after = Buffer.from(next).toString("base64url");
        const saved = await jobs.save(lease, this.#progress(after, records.length), LEASE_MS);
        if (saved === "overtaken") throw overtaken();
      }
      // Before the job is finished: a job that is, with an index that is not ready, is of another time.
      if (taken.size < this.#ids.size) await ready([...this.#ids].filter((id) => !taken.has(id)));
    } catch (error) {
      // Given back, so that whoever goes on need not wait for the lease to run out.
      await jobs.finish(lease, this.#progress(after, 0), 0).catch(() => undefined);
      throw error;
    }
    await jobs.finish(lease, this.#progress(null, 0), taken.size === 0 ? null : 0);
    return this.#found;
  }

  async #page(after: string | null, lease: Leased, taken: Set<IndexId>): Promise<OpenedPage> {
    const { signal, onRecords } = this.#options;
    const position = after === null ? null : Buffer.from(after, "base64url");
    const page = await openedPage(this.#d, this.#collection, position, signal);
    await this.#fill(lease, page, taken);
    onRecords(page.records.length);
    return page;
  }

  /** Which records have one value only the process knew that found them: all are looked at again. */
  async #hadFailed({ job, partition }: Leased): Promise<boolean> {
    const all = await this.#d.store.jobs.list();
    return all.some((one) => one.job === job && one.partition === partition && one.failed > 0);
  }

  #progress(cursor: string | null, records: number): Progress {
    const failed = this.#taken;
    this.#taken = 0;
    const problem = failed === 0 ? null : { code: "value-taken", at: new Date().toISOString() };
    return { cursor, done: records, failed, problem };
  }

  /** Until no change of the indexes or of the key set comes in between. */
  async #fill(lease: Leased, page: OpenedPage, taken: Set<IndexId>): Promise<void> {
    const unfit = new Set<Opened>();
    let left: readonly Opened[] = page.records.filter((record) => record.kind === "opened");
    while (left.length > 0) {
      const list = await this.#d.indexes.list();
      const { open } = await this.#d.indexes.openOf(this.#collection, list);
      const building = open.filter(({ row }) => this.#ids.has(row.id));
      using tagger = await this.#d.indexes.tagger(building, this.#options.signal);
      const all: Filled[] = [];
      for (const record of left)
        for (const index of building) {
          const tags = tagsUnder(index, record, tagger);
          const { row: address, version: seen } = record;
          const filling = { address, index: index.row.id, tags: tags ?? [], seen, epoch: list.epoch };
          all.push({ filling, record, index, isUnfit: tags === null });
        }
      const again = new Set<Opened>();
      for (let start = 0; start < all.length; start += FILLED_AT_ONCE) {
        const some = all.slice(start, start + FILLED_AT_ONCE);
        const results = await this.#d.store.indexes.fill(
          some.map(({ filling }) => filling),
          lease,
        );
        for (const [n, one] of some.entries()) {
          if (results[n] === "filled" && one.isUnfit) unfit.add(one.record);
          if (results[n] === "gate-moved") again.add(one.record);
          if (results[n] === "taken") await this.#tellTaken(one, taken);
        }
      }
      left = left.filter((record) => again.has(record));
      if (left.length > 0) this.#d.keys.moved();
    }
    for (const record of page.records)
      if (record.kind === "unopened") this.#tellUnopened(shown(record.id), record.code);
    for (const { row, sealedId } of unfit)
      this.#tellUnopened(await this.#d.rowAddresses.ownId(row, sealedId, this.#options.signal), "document-unfit");
  }

  #tellUnopened(id: string, code: VaultErrorCode): void {
    if (this.#found.unopened.length < MOST_TOLD) this.#found.unopened.push({ collection: this.#collection, id, code });
  }

  /** Tells which records have a value of it, by their ids. */
  async #tellTaken({ filling, record, index }: Filled, taken: Set<IndexId>): Promise<void> {
    taken.add(filling.index);
    this.#taken++;
    if (this.#found.duplicates.length >= MOST_TOLD) return;
    const { signal } = this.#options;
    const { rowAddresses, store } = this.#d;
    const ids = new Set([await rowAddresses.ownId(record.row, record.sealedId, signal)]);
    const collection = this.#collection;
    for (const tag of filling.tags) {
      const terms = [[{ index: filling.index, tag }]];
      for (const { id, sealedId } of await store.indexes.find({ collection, terms, after: null, limit: 1 }))
        ids.add(await rowAddresses.ownId({ collection, id: parseId(id) }, sealedId, signal));
    }
    this.#found.duplicates.push({ collection, index: index.definition.name, ids: [...ids].sort() });
  }
}

/** Null: the document has more values than a record is found by. */
function tagsUnder(index: OpenIndex, { document, tenant }: Opened, tagger: Tagger): Filling["tags"] | null {
  try {
    return tagForms(document, index.definition).map((forms) => tagger.tag(index, tenant, forms));
  } catch (error) {
    if (isVaultError(error) && error.code === "document-unfit") return null;
    throw error;
  }
}

const overtaken = (): VaultError =>
  new VaultError("record-contended", "Another process went on with the build: it was held up for too long here");
