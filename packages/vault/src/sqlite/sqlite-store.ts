/**
 * The vault's records in one SQLite file. Write-ahead log, `synchronous=FULL` (a commit that was answered survives the
 * loss of power), `secure_delete` (removed messages are overwritten, not only unlinked), mode 0600.
 */
import { whileBusy } from "@strongroom/base/sqlite";
import { sql } from "kysely";
import type { Kysely, Transaction } from "kysely";
import type { Address, Collection, RecordId, Subject, Version } from "../records/address.ts";
import { isVaultError, VaultError } from "../errors.ts";
import type {
  Change,
  ClaimedVersion,
  ClaimRelease,
  ClaimRequest,
  CollectionCount,
  CommitResult,
  ListedRecord,
  OwedVersion,
  RecordHead,
  RecordRead,
  RecordRows,
  RecordStore,
  RecordVersions,
  RemoveChange,
  RepairChange,
  RepairResult,
  VersionPlace,
  WrapDebt,
  WriteChange,
} from "../store.ts";

import { openDatabase, storeFailure } from "./database.ts";
import type { OpenDatabaseOptions } from "./database.ts";
import type { VaultSchema } from "./schema.ts";
import { claim, countDebt, listDebts, regionsDue, releaseClaim, replaceMessage } from "./wrap-debt.ts";

export type SqliteStoreOptions = Partial<OpenDatabaseOptions>;

export const DEFAULT_SQLITE_STORE_OPTIONS: OpenDatabaseOptions = {
  busyTimeoutMs: 5000,
  maxBytes: Number.MAX_SAFE_INTEGER,
};

/**
 * Opens the store in the file `path`, which is made when absent. Its folder must exist. There is no store in memory:
 * `:memory:`, an empty path and `file:` URIs are refused; in a test, take a file in a temporary folder.
 *
 * @throws VaultError `store-newer`, `store-full`, `store-failed`
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
  readonly #db: Kysely<VaultSchema>;
  readonly #busyTimeoutMs: number;
  #closed = false;

  constructor(db: Kysely<VaultSchema>, busyTimeoutMs: number) {
    this.#db = db;
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  async heads(addresses: readonly Address[]): Promise<readonly RecordHead[]> {
    return this.#run(async (db) => {
      const found: RecordHead[] = [];
      for (const address of addresses) found.push(await readHead(db, address));
      return found;
    });
  }

  async read(address: Address, version: Version | null): Promise<RecordRead> {
    return this.#run((db) => readRecord(db, address, version));
  }

  async versions(address: Address): Promise<RecordVersions> {
    return this.#run((db) => readVersions(db, address));
  }

  async commit(changes: readonly Change[]): Promise<CommitResult> {
    let conflicts: number[] = [];
    try {
      await this.#run((db) =>
        db.transaction().execute(async (transaction) => {
          conflicts = [];
          for (const [index, change] of changes.entries()) {
            const made = change.kind === "write" ? await write(transaction, change) : await remove(transaction, change);
            if (!made) conflicts.push(index);
          }
          if (conflicts.length > 0) throw new RollBack();
        }),
      );
    } catch (error) {
      if (isVaultError(error) && error.cause instanceof RollBack) return { kind: "conflict", conflicts };
      throw error;
    }
    return { kind: "committed" };
  }

  async list(
    collection: Collection,
    page: { readonly after: RecordId | null; readonly limit: number },
  ): Promise<readonly ListedRecord[] | null> {
    return this.#run(async (db) => {
      const items = await db
        .selectFrom("heads")
        .select(["id", "version", "updated_at"])
        .where("collection", "=", collection)
        .where("state", "=", "live")
        .$if(page.after !== null, (query) => query.where("id", ">", page.after ?? ""))
        .orderBy("id")
        .limit(page.limit)
        .execute();
      if (items.length === 0) {
        const any = await db
          .selectFrom("heads")
          .select("id")
          .where("collection", "=", collection)
          .limit(1)
          .executeTakeFirst();
        if (any === undefined) return null;
      }
      return items.map((row) => ({
        id: row.id as RecordId,
        version: row.version as Version,
        updatedAt: row.updated_at,
      }));
    });
  }

  async collections(): Promise<readonly CollectionCount[]> {
    return this.#run(async (db) => {
      const rows = await db
        .selectFrom("heads")
        .select(["collection", sql<number>`count(*) filter (where state = 'live')`.as("records")])
        .groupBy("collection")
        .orderBy("collection")
        .execute();
      return rows.map((row) => ({ collection: row.collection as Collection, records: row.records }));
    });
  }

  async wrapDebt(): Promise<WrapDebt> {
    return this.#run(countDebt);
  }

  async debts(page: { readonly after: VersionPlace | null; readonly limit: number }): Promise<readonly OwedVersion[]> {
    return this.#run((db) => listDebts(db, page));
  }

  async dueRegions(now: number): Promise<readonly string[]> {
    return this.#run((db) => regionsDue(db, now));
  }

  async claimDebts(request: ClaimRequest): Promise<readonly ClaimedVersion[]> {
    return this.#run((db) => db.transaction().execute((transaction) => claim(transaction, request)));
  }

  async releaseDebt(given: ClaimRelease): Promise<"released" | "gone"> {
    return this.#run((db) => releaseClaim(db, given));
  }

  async repair(change: RepairChange): Promise<RepairResult> {
    const made = await this.#run((db) =>
      db.transaction().execute((transaction) => replaceMessage(transaction, change)),
    );
    return made ? "repaired" : "overtaken";
  }

  async ping(): Promise<void> {
    await this.#run((db) => db.selectFrom("heads").select("version").limit(1).execute());
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#db.destroy();
  }

  async #run<Result>(query: (db: Kysely<VaultSchema>) => Promise<Result>): Promise<Result> {
    try {
      return await whileBusy(this.#busyTimeoutMs, async () => {
        if (this.#closed) throw new VaultError("store-closed", "The store is closed");
        return query(this.#db);
      });
    } catch (error) {
      throw storeFailure(error);
    }
  }
}

/** Ends a transaction whose changes met a conflict. */
class RollBack extends Error {}

interface RowsColumns {
  readonly head_version: number | null;
  readonly head_state: "live" | "removed" | null;
  readonly newest_row: number | null;
}

/**
 * One statement per read, so that head and versions are of one snapshot: joined to the address itself, there is always
 * a row even when nothing is stored.
 */
function recordQuery(db: Kysely<VaultSchema>, { collection, id }: Address) {
  return db
    .selectFrom(
      sql<{ collection: string; id: string }>`(select ${collection} as collection, ${id} as id)`.as("address"),
    )
    .leftJoin("heads", (join) =>
      join.onRef("heads.collection", "=", "address.collection").onRef("heads.id", "=", "address.id"),
    )
    .select((query) => [
      "heads.version as head_version",
      "heads.state as head_state",
      query
        .selectFrom("versions as all_versions")
        .select(({ fn }) => fn.max("all_versions.version").as("newest"))
        .whereRef("all_versions.collection", "=", "address.collection")
        .whereRef("all_versions.id", "=", "address.id")
        .as("newest_row"),
    ]);
}

function rowsOf(row: RowsColumns): RecordRows {
  const head =
    row.head_version === null || row.head_state === null
      ? null
      : { version: row.head_version as Version, state: row.head_state };
  return { head, newestRow: row.newest_row as Version | null };
}

async function readHead(db: Kysely<VaultSchema>, address: Address): Promise<RecordHead> {
  const row = await recordQuery(db, address)
    .leftJoin("versions", (join) =>
      join
        .onRef("versions.collection", "=", "address.collection")
        .onRef("versions.id", "=", "address.id")
        .onRef("versions.version", "=", "heads.version"),
    )
    .select("versions.subject")
    .executeTakeFirstOrThrow();
  return { ...rowsOf(row), subject: row.subject as Subject | null };
}

/** What is read of a version but its message. */
const VERSION_COLUMNS = [
  "versions.version",
  "versions.subject",
  "versions.created_at",
  "versions.wraps_stored",
  "versions.wraps_target",
] as const;

async function readRecord(db: Kysely<VaultSchema>, address: Address, version: Version | null): Promise<RecordRead> {
  const row = await recordQuery(db, address)
    .leftJoin("versions", (join) =>
      join
        .onRef("versions.collection", "=", "address.collection")
        .onRef("versions.id", "=", "address.id")
        .on("versions.version", "=", version === null ? sql.ref("heads.version") : sql.val(version)),
    )
    .select([...VERSION_COLUMNS, "versions.message"])
    .executeTakeFirstOrThrow();
  if (row.version === null || row.subject === null || row.created_at === null || row.message === null)
    return { ...rowsOf(row), stored: null };
  return {
    ...rowsOf(row),
    stored: {
      version: row.version as Version,
      subject: row.subject as Subject,
      createdAt: row.created_at,
      wraps: { stored: row.wraps_stored ?? 0, target: row.wraps_target ?? 0 },
      message: row.message,
    },
  };
}

async function readVersions(db: Kysely<VaultSchema>, address: Address): Promise<RecordVersions> {
  const rows = await recordQuery(db, address)
    .leftJoin("versions", (join) =>
      join.onRef("versions.collection", "=", "address.collection").onRef("versions.id", "=", "address.id"),
    )
    .select(VERSION_COLUMNS)
    .select(sql<number | null>`length(versions.message)`.as("message_bytes"))
    .orderBy("versions.version", "desc")
    .execute();
  const [first] = rows;
  if (first === undefined) throw new VaultError("store-failed", "The database gave no row where one must be");
  return {
    ...rowsOf(first),
    versions: rows.flatMap((row) =>
      row.version === null || row.subject === null || row.created_at === null
        ? []
        : [
            {
              version: row.version as Version,
              subject: row.subject as Subject,
              createdAt: row.created_at,
              wraps: { stored: row.wraps_stored ?? 0, target: row.wraps_target ?? 0 },
              messageBytes: row.message_bytes ?? 0,
            },
          ],
    ),
  };
}

/** True when the head was the change's base and the version's number was free. */
async function write(
  transaction: Transaction<VaultSchema>,
  { address, base, next, missing }: WriteChange,
): Promise<boolean> {
  const { collection, id } = address;
  const moved = await moveHead(transaction, address, base, {
    version: next.version,
    state: "live",
    updated_at: next.createdAt,
  });
  if (!moved) return false;
  const inserted = await transaction
    .insertInto("versions")
    .values({
      collection,
      id,
      version: next.version,
      subject: next.subject,
      created_at: next.createdAt,
      wraps_stored: next.wraps.stored,
      wraps_target: next.wraps.target,
      message: next.message,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (inserted.numInsertedOrUpdatedRows !== 1n) return false;
  for (const { region, keyArn, reason } of missing) {
    await transaction
      .insertInto("wrap_debt")
      .values({ collection, id, version: next.version, region, key_arn: keyArn, reason, since: next.createdAt })
      .execute();
  }
  return true;
}

async function remove(
  transaction: Transaction<VaultSchema>,
  { address, base, tombstone, removedAt }: RemoveChange,
): Promise<boolean> {
  const moved = await moveHead(transaction, address, base, {
    version: tombstone,
    state: "removed",
    updated_at: removedAt,
  });
  if (!moved) return false;
  for (const table of ["versions", "wrap_debt"] as const) {
    await transaction
      .deleteFrom(table)
      .where("collection", "=", address.collection)
      .where("id", "=", address.id)
      .execute();
  }
  return true;
}

/** Compare-and-swap: the row changes only if it still is what the change was prepared against. */
async function moveHead(
  transaction: Transaction<VaultSchema>,
  { collection, id }: Address,
  base: RecordRows["head"],
  next: Pick<VaultSchema["heads"], "version" | "state" | "updated_at">,
): Promise<boolean> {
  if (base === null) {
    const result = await transaction
      .insertInto("heads")
      .values({ collection, id, ...next })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    return result.numInsertedOrUpdatedRows === 1n;
  }
  const result = await transaction
    .updateTable("heads")
    .set(next)
    .where("collection", "=", collection)
    .where("id", "=", id)
    .where("version", "=", base.version)
    .where("state", "=", base.state)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}
