// The server's state: in memory to decide on, in SQLite to last. An operation changes memory at once and answers
// only when its changes and its audit entry are committed together; many requests share one commit.
//
// Why this is safe: commits happen in the order of the calls, so an answer that saw an earlier change is released
// after that change is durable. If a commit fails, everyone who may have seen what it held fails too, and memory is
// read anew from the disk; the epoch tells who that is.

import type { DiskReserve } from "@strongroom/base/disk-reserve";
import { sqliteFailure } from "@strongroom/base/sqlite";
import type { Transaction } from "kysely";
import type { AuditEvent } from "../audit/event.ts";
import type { Extension } from "../audit/log.ts";
import type { LogEvent } from "../audit/log-event.ts";
import { writeExtension } from "../audit/tree-rows.ts";
import { KmsError } from "../errors.ts";
import { sealDigest } from "../integrity/row-set.ts";
import type { RowDigest, RowSet } from "../integrity/row-set.ts";
import { isRegionName } from "../keys/region-name.ts";
import { META, writeMeta } from "./meta.ts";
import { readDisk } from "./read-disk.ts";
import type { Disk, Read } from "./read-disk.ts";
import { applyChange, destroysMaterial, emptyRegion } from "./region-data.ts";
import type { Change, RegionData } from "./region-data.ts";
import { writeChange } from "./rows.ts";
import type { Schema } from "./schema.ts";

/** At most so many waiting requests share one commit. */
const MAX_BATCH = 256;
/** At most so many regions are made on demand: AWS has fewer. */
const MAX_REGIONS = 100;
/** How much older than the truth a key's last use on the disk may be. */
const LAST_USE_INTERVAL_MS = 60_000;

interface Waiting {
  readonly epoch: number;
  readonly changes: readonly Change[];
  readonly events: readonly (AuditEvent | LogEvent)[];
  readonly committed: () => void;
  readonly failed: (error: unknown) => void;
}

/** What a store works with. */
export interface StoreParts extends Disk {
  /** Room that is kept for when the disk is full; null: none is. */
  readonly reserve?: DiskReserve | null;
  /** Called when a commit is on the disk, before those who wait for it are told. */
  readonly onDurable?: () => void;
}

/** Whether there are other regions than those that the store was opened with: none, or each that is asked for. */
export type RegionSupply = "fixed" | "on-demand";

/** All regions of one data directory. */
export class Store {
  readonly #custody: Disk;
  readonly #reserve: DiskReserve | null;
  readonly #onDurable: () => void;
  #regions: Map<string, RegionData>;
  readonly #supply: RegionSupply;
  readonly #openedWith: ReadonlySet<string>;
  /** The rows on the disk, with what is being written; read anew when that fails. */
  #rows: RowSet;
  readonly #meta: RowDigest["meta"];
  /** Grows with every change to a key: whoever keeps something derived from keys looks here. */
  keysVersion = 0;
  /** Which reading of the disk the memory goes back to: a call that began in another one cannot be committed. */
  epoch = 0;
  /** Whether memory holds what could not be committed, and reading it anew failed as well. */
  #stale = false;
  /**
   * The failure to get a commit onto the disk. What the system does after one cannot be known: it may report later
   * ones as done that are not. So nothing is acknowledged any more until the server is started anew.
   */
  #unsynced: KmsError | null = null;
  /** When the last use on the disk was, by region and key. */
  #writtenUses: Map<string, number>;
  #queue: Waiting[] = [];
  #draining: Promise<void> | null = null;

  private constructor(
    { onDurable = () => undefined, reserve = null, ...custody }: StoreParts,
    read: Read,
    supply: RegionSupply,
  ) {
    this.#custody = custody;
    this.#onDurable = onDurable;
    this.#reserve = reserve;
    this.#meta = read.meta;
    this.#regions = read.regions;
    this.#rows = read.rows;
    this.#writtenUses = read.writtenUses;
    this.#supply = supply;
    this.#openedWith = new Set(read.regions.keys());
  }

  /** Whether there is room for more than what reads and removes. */
  get hasRoom(): boolean {
    return this.#reserve?.hasRoom() ?? true;
  }

  /** Every region by its name. */
  get regions(): ReadonlyMap<string, RegionData> {
    return this.#regions;
  }

  /**
   * Reads the state of `regionNames` (and of any other region the database knows) into memory.
   * @throws KmsError `store-corrupt` for rows that are not those of the last commit, `audit-broken`.
   */
  static async open(parts: StoreParts, regionNames: readonly string[], supply: RegionSupply = "fixed"): Promise<Store> {
    return new Store(parts, await readDisk(parts, regionNames), supply);
  }

  /** The region's state. @throws RangeError for a region that the server does not have. */
  region(name: string): RegionData {
    const region = this.regions.get(name);
    if (region === undefined) throw new RangeError(`no region ${name}`);
    return region;
  }

  /** The region's state, made now where regions come on demand; null where there is none and none can be made. */
  findRegion(name: string): RegionData | null {
    const known = this.#regions.get(name);
    if (known !== undefined) return known;
    if (this.#supply === "fixed" || !isRegionName(name) || this.#regions.size >= MAX_REGIONS) return null;
    const made = emptyRegion(name);
    this.#regions.set(name, made);
    return made;
  }

  /** Drops the regions that were made on demand and hold nothing. No call may be under way. */
  forgetEmptyRegions(): void {
    for (const { name, keys, aliases } of this.#regions.values())
      if (keys.size + aliases.size === 0 && !this.#openedWith.has(name)) this.#regions.delete(name);
  }

  /** Makes changes in memory, now; `commit` is to follow. */
  apply(changes: readonly Change[]): void {
    for (const change of changes) {
      applyChange(this.regions, change);
      if (change.kind === "put-key" || change.kind === "delete-key") this.keysVersion += 1;
    }
  }

  /**
   * Resolves when the changes (already applied) and the audit events are on the disk.
   * @param epoch the store's epoch when the call began.
   */
  commit(epoch: number, changes: readonly Change[], events: readonly (AuditEvent | LogEvent)[]): Promise<void> {
    return new Promise((committed, failed) => {
      this.#queue.push({ epoch, changes, events, committed, failed });
      // The next turn of the event loop: requests that have arrived together share the commit.
      this.#draining ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#drain());
    });
  }

  /** Waits for the commits that are under way. */
  async settle(): Promise<void> {
    while (this.#draining !== null) await this.#draining;
  }

  /** Waits for what is under way, writes the last uses that were not worth a row yet, and closes the database. */
  async close(): Promise<void> {
    await this.settle();
    // Nobody was promised them: a full disk does not keep the server from ending well.
    await this.#writeUses().catch(() => undefined);
    await this.#custody.database.close();
  }

  async #writeUses(): Promise<void> {
    if (this.#stale) await this.#reload();
    const changes = [...this.#regions.values()].flatMap(({ name: region, lastUses }) =>
      [...lastUses]
        .filter(([keyId, use]) => this.#writtenUses.get(`${region}/${keyId}`) !== use.at)
        .map(([keyId, use]): Change => ({ kind: "put-last-use", region, keyId, use })),
    );
    if (changes.length > 0)
      await this.#custody.database.db
        .transaction()
        .execute((trx) => this.#writeRows(trx, changes, this.#custody.log.extend([])));
  }

  /** A busy key would write its row with every call: on the disk, its last use may be a minute old. */
  #isWorthWriting({ region, keyId, use }: Change & { kind: "put-last-use" }): boolean {
    const name = `${region}/${keyId}`;
    if (use.at - (this.#writtenUses.get(name) ?? Number.NEGATIVE_INFINITY) < LAST_USE_INTERVAL_MS) return false;
    this.#writtenUses.set(name, use.at);
    return true;
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const taken = this.#queue.splice(0, MAX_BATCH);
      this.#reserve?.releaseWhenScarce();
      try {
        if (this.#unsynced !== null) throw this.#unsynced;
        if (this.#stale) await this.#reload();
        const batch = taken.filter((one) => one.epoch === this.epoch);
        if (batch.length > 0) await this.#write(batch);
        if (batch.length > 0) await this.#sync();
        if (batch.length > 0) this.#onDurable();
        for (const one of batch) one.committed();
        fail(taken, "what it saw was taken back");
      } catch (cause) {
        fail(taken, cause);
        // What is asked again has the room that was kept for it.
        if (sqliteFailure(cause) === "full") this.#reserve?.release();
        this.#stale = true;
        // Reading anew may fail as well; the next commit then tries again before it does anything else.
        await this.#reload().catch(() => undefined);
      }
    }
    this.#draining = null;
  }

  /** Takes memory back to what is on the disk. Calls that began before it is done are not committed. */
  async #reload(): Promise<void> {
    this.epoch += 1;
    const read = await readDisk(this.#custody, [...this.#regions.keys()]);
    this.#regions = read.regions;
    this.#rows = read.rows;
    this.#writtenUses = read.writtenUses;
    this.epoch += 1;
    this.keysVersion += 1;
    this.#stale = false;
  }

  async #sync(): Promise<void> {
    try {
      await this.#custody.database.syncLog();
    } catch (cause) {
      this.#unsynced = new KmsError("store-failed", "the disk did not take what was committed.", { cause });
      throw this.#unsynced;
    }
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const { database, log } = this.#custody;
    const events = batch.flatMap((one) => one.events);
    const changes = batch.flatMap((one) => one.changes);
    // Threat: the rows of a commit without an entry could be set back with their digest, and would fit the audit.
    if (batch.some((one) => one.events.length === 0 && one.changes.some((change) => change.kind !== "put-last-use")))
      throw new KmsError("store-failed", "a change has no audit entry.");
    const lasting = changes.filter((change) => change.kind !== "put-last-use");
    const uses = changes.filter((change) => change.kind === "put-last-use" && this.#isWorthWriting(change));
    const extension = log.extend(events);
    await database.db.transaction().execute((trx) => this.#writeRows(trx, [...lasting, ...uses], extension));
    log.accept(extension);
    if (changes.some(destroysMaterial)) database.truncateLog();
  }

  /** Rows, entries and the digest over all of it: on the disk, they are of one moment. */
  async #writeRows(trx: Transaction<Schema>, changes: readonly Change[], extension: Extension): Promise<void> {
    const { rowKeys } = this.#custody;
    for (const change of changes) await writeChange(trx, change, this.#rows);
    await writeExtension(trx, extension);
    const digest = {
      audit: { size: extension.size, root: extension.root },
      meta: this.#meta,
      groups: this.#rows.groups,
    };
    await writeMeta(trx, { [META.rowDigest]: sealDigest(rowKeys, digest) });
  }
}

/** Fails those who are still waiting; who was told of the commit before hears nothing more. */
function fail(waiting: readonly Waiting[], cause: unknown): void {
  const error = new KmsError("store-failed", "a change could not be committed.", { cause });
  for (const one of waiting) one.failed(error);
}
