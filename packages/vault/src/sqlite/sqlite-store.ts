/**
 * The vault's records in one SQLite file. Write-ahead log, `synchronous=FULL` (a commit that was answered survives the
 * loss of power), `secure_delete` (removed messages are overwritten, not only unlinked), mode 0600.
 */
import { whileBusy } from "@strongroom/base/sqlite";
import type { Kysely, Transaction } from "kysely";
import { isVaultError, VaultError } from "../errors.ts";
import type { Address, Collection, Version } from "../records/address.ts";
import type {
  Change,
  ClaimedVersion,
  ClaimRelease,
  ClaimRequest,
  CommitResult,
  DebtPosition,
  FoundCollection,
  FoundDebt,
  ListedRecord,
  RecordRead,
  RecordRows,
  RecordStore,
  RecordVersions,
  RepairChange,
  RepairResult,
  WrapDebt,
} from "../store.ts";
import { openDatabase, storeFailure } from "./database.ts";
import type { OpenDatabaseOptions, OpenVaultFile } from "./database.ts";
import { countCollections, listRecords } from "./list-rows.ts";
import { remove, write } from "./record-changes.ts";
import { readHead, readRecord, readVersions } from "./record-rows.ts";
import type { VaultSchema } from "./schema.ts";
import { claim, countDebt, listDebts, regionsDue, releaseClaim, replaceMessage } from "./wrap-debt.ts";

export type SqliteStoreOptions = Partial<OpenDatabaseOptions>;

export const DEFAULT_SQLITE_STORE_OPTIONS: OpenDatabaseOptions = {
  busyTimeoutMs: 5000,
  maxBytes: Number.MAX_SAFE_INTEGER,
  mark: false,
  reserve: false,
};

/**
 * Opens the store in the file `path`, which is made when absent. Its folder must exist. There is no store in memory:
 * `:memory:`, an empty path and `file:` URIs are refused; in a test, take a file in a temporary folder.
 *
 * @throws VaultError `store-newer`, `store-altered`, `store-set-back`, `store-full`, `store-failed`
 * @example
 * ```ts
 * import { sqliteStore } from "@strongroom/vault/sqlite";
 *
 * const store = await sqliteStore("vault.sqlite", { maxBytes: 10 * 2 ** 30 });
 * console.log(await store.collections()); // prints: []
 * await store.close();
 * ```
 */
export async function sqliteStore(path: string, options: SqliteStoreOptions = {}): Promise<RecordStore> {
  const settled = { ...DEFAULT_SQLITE_STORE_OPTIONS, ...options };
  return new SqliteStore(await openDatabase(path, settled), settled.busyTimeoutMs);
}

class SqliteStore implements RecordStore {
  readonly #file: OpenVaultFile;
  readonly #busyTimeoutMs: number;
  readonly #underWay = new Set<Promise<unknown>>();
  #closing: Promise<void> | null = null;

  constructor(file: OpenVaultFile, busyTimeoutMs: number) {
    this.#file = file;
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  async heads(addresses: readonly Address[]): Promise<readonly RecordRows[]> {
    return this.#read(async (db) => {
      const found: RecordRows[] = [];
      for (const address of addresses) found.push(await readHead(db, address));
      return found;
    });
  }

  async read(address: Address, version: Version | null): Promise<RecordRead> {
    return this.#read((db) => readRecord(db, address, version));
  }

  async versions(address: Address): Promise<RecordVersions> {
    return this.#read((db) => readVersions(db, address));
  }

  async commit(changes: readonly Change[]): Promise<CommitResult> {
    if (changes.length === 0) return this.#read(() => Promise.resolve({ kind: "committed" }));
    let conflicts: number[] = [];
    try {
      const make = async (transaction: Transaction<VaultSchema>): Promise<void> => {
        conflicts = [];
        for (const [index, change] of changes.entries()) {
          const made = change.kind === "write" ? await write(transaction, change) : await remove(transaction, change);
          if (!made) conflicts.push(index);
        }
        if (conflicts.length > 0) throw new RollBack();
      };
      await (changes.every(({ kind }) => kind === "remove") ? this.#reduce(make) : this.#change(make));
    } catch (error) {
      if (isVaultError(error) && error.cause instanceof RollBack) return { kind: "conflict", conflicts };
      throw error;
    }
    return { kind: "committed" };
  }

  async list(
    collection: Collection,
    page: { readonly after: Uint8Array | null; readonly limit: number },
  ): Promise<readonly ListedRecord[] | null> {
    return this.#read((db) => listRecords(db, collection, page));
  }

  async collections(): Promise<readonly FoundCollection[]> {
    return this.#read(countCollections);
  }

  async wrapDebt(): Promise<WrapDebt> {
    return this.#read(countDebt);
  }

  async debts(page: { readonly after: DebtPosition | null; readonly limit: number }): Promise<readonly FoundDebt[]> {
    return this.#read((db) => listDebts(db, page));
  }

  async dueRegions(now: number): Promise<readonly string[]> {
    return this.#read((db) => regionsDue(db, now));
  }

  async claimDebts(request: ClaimRequest): Promise<readonly ClaimedVersion[]> {
    return this.#reduce((transaction) => claim(transaction, request));
  }

  async releaseDebt(given: ClaimRelease): Promise<"released" | "gone"> {
    return this.#reduce((transaction) => releaseClaim(transaction, given));
  }

  async repair(change: RepairChange): Promise<RepairResult> {
    const made = await this.#change((transaction) => replaceMessage(transaction, change));
    return made ? "repaired" : "overtaken";
  }

  async ping(): Promise<void> {
    await this.#read((db) => db.selectFrom("heads").select("state").limit(1).execute());
  }

  /** Lets what is under way end: a write that is stored is answered as one. */
  async close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#underWay).then(() => this.#file.close());
    await this.#closing;
  }

  async #read<Result>(query: (db: Kysely<VaultSchema>) => Promise<Result>): Promise<Result> {
    return this.#run(async () => {
      await this.#file.guard.requireCurrent();
      return query(this.#file.db);
    });
  }

  async requireRoom(): Promise<void> {
    if (this.#file.reserve?.hasRoom() === false)
      throw new VaultError("store-full", "Hardly any room is left on the volume that holds the database");
  }

  /** A change that makes nothing more: on a full disk it has the room that is kept for it. */
  async #reduce<Result>(change: (transaction: Transaction<VaultSchema>) => Promise<Result>): Promise<Result> {
    this.#file.reserve?.releaseWhenScarce();
    try {
      return await this.#change(change);
    } catch (error) {
      const isFull = isVaultError(error) && error.code === "store-full";
      if (!isFull || this.#file.reserve?.release() !== true) throw error;
      return this.#change(change);
    }
  }

  /** One transaction. What is acknowledged lies in the file that bears the vault's name, also afterwards. */
  async #change<Result>(change: (transaction: Transaction<VaultSchema>) => Promise<Result>): Promise<Result> {
    const { db, guard } = this.#file;
    return this.#run(async () => {
      await guard.requireFiles();
      const { result, commits } = await db.transaction().execute(async (transaction) => {
        const counted = await guard.count(transaction);
        return { result: await change(transaction), commits: counted };
      });
      await guard.requireFiles();
      guard.committed(commits);
      return result;
    });
  }

  async #run<Result>(work: () => Promise<Result>): Promise<Result> {
    const running = whileBusy(this.#busyTimeoutMs, async () => {
      if (this.#closing !== null) throw new VaultError("store-closed", "The store is closed");
      return work();
    });
    this.#underWay.add(running);
    try {
      return await running;
    } catch (error) {
      throw storeFailure(error);
    } finally {
      this.#underWay.delete(running);
    }
  }
}

/** Ends a transaction whose changes met a conflict. */
class RollBack extends Error {}
