// A database as one file that is only read: a data directory's, while a server may be at work on it, or a backup.

import { readSqliteFile, sqliteFailure } from "@strongroom/base/sqlite";
import type { Kysely } from "kysely";
import { eventTime } from "../audit/event.ts";
import { legacyTable } from "../audit/legacy-chain.ts";
import { timeOf } from "../audit/log-event.ts";
import { readRootKey } from "../crypto/root-key.ts";
import type { RootKeySource } from "../crypto/root-key.ts";
import { Sealer } from "../crypto/sealing.ts";
import { KmsError } from "../errors.ts";
import { META, readMeta } from "../store/meta.ts";
import type { LegacySchema, Schema } from "../store/schema.ts";

/** What a database holds. */
export interface Contents {
  readonly keys: number;
  readonly auditEntries: number;
  /** Time of the last audit entry, ISO 8601; null if there is none. */
  readonly lastEventAt: string | null;
}

/** Opens a database file only to read it. The caller destroys what it gets. @throws KmsError `store-corrupt`. */
export function openToRead(path: string): Kysely<Schema> {
  try {
    return readSqliteFile<Schema>(path);
  } catch (cause) {
    if (sqliteFailure(cause) === "corrupt") throw new KmsError("store-corrupt", `${path} is damaged.`, { cause });
    throw new KmsError("store-corrupt", `${path} is not a readable SQLite database.`, { cause });
  }
}

/** Reads a database file in one transaction: what a server adds meanwhile is not seen. */
export async function readingFile<Result>(
  path: string,
  read: (db: Kysely<Schema>) => Promise<Result>,
): Promise<Result> {
  const db = openToRead(path);
  try {
    return await db.transaction().execute(read);
  } finally {
    await db.destroy();
  }
}

/** The root key of a database. The caller closes what it gets. @throws KmsError `store-corrupt`, those of the key. */
export async function sealerOf(db: Kysely<Schema>, source: RootKeySource): Promise<Sealer> {
  const salt = (await readMeta(db)).get(META.salt);
  if (salt === undefined) throw new KmsError("store-corrupt", "it has no salt.");
  return new Sealer(await readRootKey(source, salt, "restart"));
}

/** Counts what a database holds. @throws KmsError `store-corrupt` if it is not a KMS's. */
export async function contentsOf(db: Kysely<Schema>): Promise<Contents> {
  try {
    const { count: keys } = await db
      .selectFrom("keys")
      .select((of) => of.fn.countAll<number>().as("count"))
      .executeTakeFirstOrThrow();
    // A chain beside a log that has begun was put there.
    const begun = await db.selectFrom("meta").select("name").where("name", "=", META.signingKey).executeTakeFirst();
    const table = begun === undefined ? ((await legacyTable(db)) ?? "audit") : "audit";
    const last = await (db as unknown as Kysely<LegacySchema>)
      .selectFrom(table)
      .select(["seq", "event"])
      .orderBy("seq", "desc")
      .limit(1)
      .executeTakeFirst();
    // Whether it is a text, and the log's, is for others to say.
    const at = typeof last?.event === "string" ? timeOf(last.event) : null;
    return { keys, auditEntries: last?.seq ?? 0, lastEventAt: at === null ? null : eventTime(at) };
  } catch (cause) {
    throw new KmsError("store-corrupt", "it does not have the tables of a KMS.", { cause });
  }
}
