// The server's state: in memory to decide on, in SQLite to last. An operation changes memory at once and answers
// only when its changes and its audit entry are committed together; many requests share one commit.
//
// Why this is safe: commits happen in the order of the calls, so an answer that saw an earlier change is released
// after that change is durable. If a commit fails, everyone who may have seen what it held fails too, and memory is
// read anew from the disk; the epoch tells who that is.

import { CompiledQuery } from "kysely";
import type { AuditChain } from "../audit/chain.ts";
import type { AuditEvent } from "../audit/event.ts";
import { KmsError } from "../errors.ts";
import { META } from "./custody.ts";
import type { OpenDatabase } from "./database.ts";
import { applyChange, emptyRegion } from "./region-data.ts";
import type { Change, RegionData } from "./region-data.ts";
import { loadRegions, writeChange } from "./rows.ts";

/** At most so many waiting requests share one commit. */
const MAX_BATCH = 256;
/** How much older than the truth a key's last use on the disk may be. */
const LAST_USE_INTERVAL_MS = 60_000;

interface Waiting {
  readonly epoch: number;
  readonly changes: readonly Change[];
  readonly events: readonly AuditEvent[];
  readonly committed: () => void;
  readonly failed: (error: unknown) => void;
}

/** All regions of one data directory. */
export class Store {
  #regions: ReadonlyMap<string, RegionData>;
  readonly #database: OpenDatabase;
  readonly #chain: AuditChain;
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
  readonly #writtenUses = new Map<string, number>();
  #queue: Waiting[] = [];
  #draining: Promise<void> | null = null;

  private constructor(database: OpenDatabase, chain: AuditChain, regions: ReadonlyMap<string, RegionData>) {
    this.#database = database;
    this.#chain = chain;
    this.#regions = regions;
  }

  /** Every region by its name. */
  get regions(): ReadonlyMap<string, RegionData> {
    return this.#regions;
  }

  /** Reads the state of `regionNames` (and of any other region the database knows) into memory. */
  static async open(database: OpenDatabase, chain: AuditChain, regionNames: readonly string[]): Promise<Store> {
    const regions = new Map(regionNames.map((name) => [name, emptyRegion(name)]));
    await loadRegions(database.db, regions);
    return new Store(database, chain, regions);
  }

  /** The region's state. @throws RangeError for a region that the server does not have. */
  region(name: string): RegionData {
    const region = this.regions.get(name);
    if (region === undefined) throw new RangeError(`no region ${name}`);
    return region;
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
  commit(epoch: number, changes: readonly Change[], events: readonly AuditEvent[]): Promise<void> {
    return new Promise((committed, failed) => {
      this.#queue.push({ epoch, changes, events, committed, failed });
      // The next turn of the event loop: requests that have arrived together share the commit.
      this.#draining ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#drain());
    });
  }

  /** Waits for what is under way, writes the last uses that were not worth a row yet, and closes the database. */
  async close(): Promise<void> {
    while (this.#draining !== null) await this.#draining;
    const writeUses = this.#database.db.transaction().execute(async (trx) => {
      for (const region of this.#regions.values()) {
        for (const [keyId, use] of region.lastUses)
          await writeChange(trx, { kind: "put-last-use", region: region.name, keyId, use });
      }
    });
    // Nobody was promised them: a full disk does not keep the server from ending well.
    await writeUses.catch(() => undefined);
    await this.#database.close();
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
      try {
        if (this.#unsynced !== null) throw this.#unsynced;
        if (this.#stale) await this.#reload();
        const batch = taken.filter((one) => one.epoch === this.epoch);
        if (batch.length > 0) await this.#write(batch);
        if (batch.length > 0) await this.#sync();
        for (const one of batch) one.committed();
        fail(taken, "what it saw was taken back");
      } catch (cause) {
        fail(taken, cause);
        this.#stale = true;
        // Reading anew may fail as well; the next commit then tries again before it does anything else.
        await this.#reload().catch(() => undefined);
      }
    }
    this.#draining = null;
  }

  /** Takes memory back to what is on the disk. Calls that began before it is done are not committed. */
  async #reload(): Promise<void> {
    const regions = new Map([...this.#regions.keys()].map((name) => [name, emptyRegion(name)]));
    this.epoch += 1;
    await loadRegions(this.#database.db, regions);
    this.#regions = regions;
    this.epoch += 1;
    this.keysVersion += 1;
    this.#stale = false;
  }

  async #sync(): Promise<void> {
    try {
      await this.#database.syncLog();
    } catch (cause) {
      this.#unsynced = new KmsError("store-failed", "the disk did not take what was committed.", { cause });
      throw this.#unsynced;
    }
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const events = batch.flatMap((one) => one.events);
    const changes = batch.flatMap((one) => one.changes);
    const lastUses = changes.filter((change) => change.kind === "put-last-use" && this.#isWorthWriting(change));
    const entries = this.#chain.extend(events);
    await this.#database.db.transaction().execute(async (trx) => {
      for (const change of changes) {
        if (change.kind !== "put-last-use") await writeChange(trx, change);
      }
      for (const change of lastUses) await writeChange(trx, change);
      if (entries.length === 0) return;
      // One fixed text: building it anew for every entry would cost more than running it.
      for (const { seq, event, mac } of entries)
        await trx.executeQuery(CompiledQuery.raw(INSERT_ENTRY, [seq, event, mac]));
      await trx.executeQuery(CompiledQuery.raw(UPDATE_HEAD, [this.#chain.head(entries), META.auditHead]));
    });
    this.#chain.accept(entries);
    if (changes.some(destroysMaterial)) this.#database.truncateLog();
  }
}

const UPDATE_HEAD = 'update "meta" set "value" = ? where "name" = ?';
const INSERT_ENTRY = 'insert into "audit" ("seq", "event", "mac") values (?, ?, ?)';

/** Fails those who are still waiting; who was told of the commit before hears nothing more. */
function fail(waiting: readonly Waiting[], cause: unknown): void {
  const error = new KmsError("store-failed", "a change could not be committed.", { cause });
  for (const one of waiting) one.failed(error);
}

const destroysMaterial = (change: Change): boolean =>
  change.kind === "delete-key" ||
  (change.kind === "put-key" && change.key.backingKeys.some((backing) => backing.sealed === null));
