/**
 * What a log of the audit keeps in memory, besides what every store does; and the memory itself, apart from the logs
 * over it, so that several of them share it as processes share a database.
 */
import type { AddressHead, LogState, LogStream, NewLogEntry, OutboxName } from "../audit-log.ts";
import type { AddressTag, EntryId, StreamId } from "../outbox.ts";
import { CommonTables } from "./common-tables.ts";

/** An entry as it is kept. */
export interface KeptLogEntry extends Omit<NewLogEntry, "text"> {
  readonly position: number;
  /** Null: its time was over. */
  readonly text: Uint8Array | null;
}

/** What is known of an address. */
export interface KnownAddress extends AddressHead {
  readonly tag: AddressTag;
}

const NEW: LogState = {
  history: null,
  size: 0,
  subtrees: [],
  checkpoint: null,
  published: 0,
  adopted: false,
  forgotten: 0,
};

/** Everything that logs share. */
export class LogTables extends CommonTables {
  state: LogState = NEW;
  /** By their positions. */
  readonly entries: KeptLogEntry[] = [];
  readonly positions: Map<EntryId, number> = new Map<EntryId, number>();
  readonly subtrees: Map<string, Uint8Array> = new Map<string, Uint8Array>();
  readonly heads: Map<AddressTag, KnownAddress> = new Map<AddressTag, KnownAddress>();
  /** Of each address, its versions' messages. */
  readonly messages: Map<AddressTag, ReadonlySet<string>> = new Map<AddressTag, ReadonlySet<string>>();
  readonly known: Readonly<Record<OutboxName, Map<StreamId, LogStream>>> = {
    records: new Map<StreamId, LogStream>(),
    keys: new Map<StreamId, LogStream>(),
  };
}

/** By which a subtree is found. */
export const subtreeKey = (height: number, index: number): string => `${height}/${index}`;

/** By which an address's message is found. */
export const messageKey = (version: number, sha256: Uint8Array): string =>
  `${version}/${Buffer.from(sha256).toString("hex")}`;

/** The version that such a key is of. */
export const versionOf = (key: string): number => Number.parseInt(key, 10);

/** What logs of this folder work on; nobody else gets at it. */
export let logTablesOf: (storage: MemoryAuditStorage) => LogTables;

/**
 * The memory that logs of the audit share. It holds what they wrote for as long as it lives itself, also when all are
 * closed.
 *
 * @example
 * ```ts
 * import { memoryAuditLog, MemoryAuditStorage } from "@strongroom/vault/memory";
 *
 * const storage = new MemoryAuditStorage();
 * const [one, other] = [memoryAuditLog({ storage }), memoryAuditLog({ storage })];
 * await one.gate.bind("the vault");
 * console.log((await other.gate.current()).peer); // prints: the vault
 * ```
 */
export class MemoryAuditStorage {
  readonly #tables: LogTables = new LogTables();

  static {
    logTablesOf = (storage) => storage.#tables;
  }
}
