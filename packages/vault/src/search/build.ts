/**
 * Builds indexes beside live traffic: every record that was there before is opened, and its tags are written, as long
 * as it is still at the version that was opened. What is written meanwhile has its tags already: all writers agree on
 * the indexes (index-book.ts). A build that was ended goes on where it was saved, in whichever process.
 */
import { createHash, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { shown } from "@strongroom/base/shown";
import { VaultError } from "../errors.ts";
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

/** A record whose tags cannot be made. */
export interface Unopened {
  readonly collection: string;
  readonly id: string;
  readonly code: VaultErrorCode;
}

/** What a build has found; each list has the first of them. */
export interface BuildFindings {
  records: number;
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
  const holder = randomUUID();
  for (;;) {
    requireNotAborted(signal);
    const lease = await jobs.lease({ job, holder, ms: LEASE_MS });
    if (lease !== null) return lease;
    const state = (await jobs.list()).find((one) => one.job === job && one.partition === partition)?.state;
    if (state === "finished") return null;
    await delay(LOOK_MS, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}

/** What a filling is of. */
interface Filled {
  readonly record: OpenedRecord;
  readonly index: OpenIndex;
}

class Build {
  readonly #d: Building & { readonly indexes: IndexBook };
  readonly #collection: Collection;
  readonly #ids: ReadonlySet<IndexId>;
  readonly #options: BuildOptions;
  readonly #found: BuildFindings = { records: 0, duplicates: [], unopened: [] };
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
        const page = await this.#page(after, lease, taken);
        after = page.next === null ? null : Buffer.from(page.next).toString("base64url");
        if (after === null) break;
        const saved = await jobs.save(lease, this.#progress(after, page.records.length), LEASE_MS);
        if (saved === "overtaken") throw overtaken();
      }
    } catch (error) {
      // Given back, so that whoever goes on need not wait for the lease to run out.
      await jobs.finish(lease, this.#progress(after, 0), 0).catch(() => undefined);
      throw error;
    }
    const whole = [...this.#ids].filter((id) => !taken.has(id));
    // Before the job is finished: a job that is, with an index that is not ready, is of another time.
    if (whole.length > 0) await ready(whole);
    const isDone = whole.length === this.#ids.size;
    await jobs.finish(lease, this.#progress(null, 0), isDone ? null : 0);
    return this.#found;
  }

  async #page(after: string | null, lease: Leased, taken: Set<IndexId>): Promise<OpenedPage> {
    const { signal, onRecords } = this.#options;
    const position = after === null ? null : Buffer.from(after, "base64url");
    const page = await openedPage(this.#d, this.#collection, position, signal);
    await this.#fill(lease, page, taken);
    this.#found.records += page.records.length;
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
    let left: readonly OpenedRecord[] = page.records;
    while (left.length > 0) {
      const list = await this.#d.indexes.list();
      const { open } = await this.#d.indexes.openOf(this.#collection, list);
      const building = open.filter(({ row }) => this.#ids.has(row.id));
      using tagger = await this.#d.indexes.tagger(building, this.#options.signal);
      const fillings: Filling[] = [];
      const again = new Set<OpenedRecord>();
      const of = new Map<Filling, Filled>();
      for (const record of left)
        for (const index of building) {
          const filling = this.#filling(record, index, tagger, list.epoch);
          if (filling === null) continue;
          fillings.push(filling);
          of.set(filling, { record, index });
        }
      for (let start = 0; start < fillings.length; start += FILLED_AT_ONCE) {
        const some = fillings.slice(start, start + FILLED_AT_ONCE);
        const results = await this.#d.store.indexes.fill(some, lease);
        for (const [n, filling] of some.entries()) {
          const own = of.get(filling);
          if (own === undefined) continue;
          if (results[n] === "gate-moved") again.add(own.record);
          if (results[n] === "taken") await this.#tellTaken(filling, own, taken);
        }
      }
      left = left.filter((record) => again.has(record));
      if (left.length > 0) this.#d.keys.moved();
    }
    for (const record of page.records)
      if (record.kind === "unopened" && this.#found.unopened.length < MOST_TOLD)
        this.#found.unopened.push({ collection: this.#collection, id: shown(record.id), code: record.code });
  }

  #filling(record: OpenedRecord, index: OpenIndex, tagger: Tagger, epoch: Filling["epoch"]): Filling | null {
    if (record.kind !== "opened") return null;
    const { row, document, tenant, version } = record;
    const tags = tagForms(document, index.definition).map((forms) => tagger.tag(index, tenant, forms));
    return { address: row, index: index.row.id, tags, seen: version, epoch };
  }

  /** Tells which records have a value of it, by their ids. */
  async #tellTaken(filling: Filling, { record, index }: Filled, taken: Set<IndexId>): Promise<void> {
    taken.add(filling.index);
    this.#taken++;
    if (this.#found.duplicates.length >= MOST_TOLD || record.kind !== "opened") return;
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

const overtaken = (): VaultError =>
  new VaultError("record-contended", "Another process went on with the build: it was held up for too long here");
