/**
 * The audit's log in one SQLite file of its own, beside those of the records and of the keys: as durable, as watched,
 * and written by the same thread. What was forgotten is overwritten.
 */
import type { AuditLog } from "../audit-log.ts";
import { whole, wholeNumber } from "../checked.ts";
import type { Gate } from "../gate.ts";
import type { JobStore } from "../jobs.ts";
import { takeRanges } from "../log-limits.ts";
import { parseMoment } from "../moment.ts";
import { takenAddition } from "./addition-taken.ts";
import { openAudit } from "./database.ts";
import type { OpenFileOptions, OpenVaultFile } from "./database.ts";
import { findEntries } from "./find-entries.ts";
import { readLogState } from "./log-state.ts";
import { DEFAULT_FILE_OPTIONS, FileStore, gateOf, jobsOf, OpenStore } from "./open-store.ts";
import type { LogOperations } from "./operations.ts";
import {
  countRows,
  positionsOf,
  readDelivered,
  readEntries,
  readHashes,
  readFirstVersions,
  readLatest,
  readNamedKeys,
  readForgettable,
  readHeads,
} from "./read-log.ts";

export type SqliteAuditLogOptions = Partial<OpenFileOptions>;

export const DEFAULT_SQLITE_AUDIT_LOG_OPTIONS: OpenFileOptions = DEFAULT_FILE_OPTIONS;

/**
 * Opens the audit's log in the file `path`, which is made when absent. Its folder must exist.
 *
 * @throws VaultError `store-newer`, `store-altered`, `store-set-back`, `store-full`, `store-failed`
 * @example
 * ```ts
 * import { sqliteAuditLog } from "@strongroom/vault/sqlite";
 *
 * const log = await sqliteAuditLog("audit.sqlite", { mark: true });
 * console.log((await log.state()).size); // prints: 0
 * await log.close();
 * ```
 */
export async function sqliteAuditLog(path: string, options: SqliteAuditLogOptions = {}): Promise<AuditLog> {
  const settled = { ...DEFAULT_SQLITE_AUDIT_LOG_OPTIONS, ...options };
  return new SqliteAuditLog(await openAudit(path, settled), settled);
}

class SqliteAuditLog extends FileStore<LogOperations> implements AuditLog {
  readonly gate: Gate;
  readonly jobs: JobStore;
  readonly #store: OpenStore<LogOperations>;

  constructor(file: OpenVaultFile, options: OpenFileOptions) {
    const store = new OpenStore<LogOperations>(file, options);
    super(store);
    this.#store = store;
    this.gate = gateOf(store);
    this.jobs = jobsOf(store);
  }

  readonly state: AuditLog["state"] = () => this.#store.read(readLogState);

  readonly integrate: AuditLog["integrate"] = async ({ history, size }, given, { job, partition, fence }) => {
    const addition = takenAddition({ history, size }, given);
    return this.#store.carry("integrate", [{ history, size }, addition, { job, partition, fence }], [addition.bytes]);
  };

  readonly published: AuditLog["published"] = async (size) => this.#store.reduce("published", [takeSize(size)]);

  readonly latest: AuditLog["latest"] = (queries) => this.#store.read((db) => readLatest(db, queries));

  readonly firstVersions: AuditLog["firstVersions"] = (tags) => this.#store.read((db) => readFirstVersions(db, tags));

  readonly heads: AuditLog["heads"] = (page) => this.#store.read((db) => readHeads(db, page));

  readonly entries: AuditLog["entries"] = (range) => this.#store.read((db) => readEntries(db, range));

  readonly counts: AuditLog["counts"] = () => this.#store.read(countRows);

  readonly positions: AuditLog["positions"] = (ids) => this.#store.read((db) => positionsOf(db, ids));

  readonly namedKeys: AuditLog["namedKeys"] = (page) => this.#store.read((db) => readNamedKeys(db, page));

  readonly find: AuditLog["find"] = (query, page) => this.#store.read((db) => findEntries(db, query, page));

  readonly hashes: AuditLog["hashes"] = (range) => this.#store.read((db) => readHashes(db, range));

  readonly streams: AuditLog["streams"] = (outbox, page) => this.#store.read((db) => readDelivered(db, outbox, page));

  readonly forgettable: AuditLog["forgettable"] = async ({ before, ...request }) => {
    const own = { ...request, before: takeMoment(before) };
    return this.#store.read((db) => readForgettable(db, own));
  };

  readonly forget: AuditLog["forget"] = async (ranges) => this.#store.reduce("forget", [takeRanges(ranges)]);
}

const takeSize = (size: number): number => whole(() => wholeNumber(size, 0));
const takeMoment = (text: string): number => whole(() => Date.parse(parseMoment(text)));
