// Whether a database is whole and its own: SQLite finds no damage, its rows are those that were committed last, the
// root key opens everything that is sealed, the audit chain runs unbroken from its first entry to the end that the
// database remembers.

import { readSqliteFile, sqliteFailure } from "@strongroom/base/sqlite";
import type { Kysely } from "kysely";
import { GENESIS } from "../audit/chain.ts";
import { verifyChain } from "../audit/verify-chain.ts";
import { readRootKey } from "../crypto/root-key.ts";
import type { RootKeySource } from "../crypto/root-key.ts";
import { Sealer } from "../crypto/sealing.ts";
import { KmsError } from "../errors.ts";
import { requireNeverAdopted } from "../integrity/authenticate.ts";
import { ROWS_REMEDY, checkRows, requireSound } from "../integrity/row-check.ts";
import { requireSchema } from "../integrity/schema-check.ts";
import { openRowKeys, rowsUnder } from "../store/custody.ts";
import { requireDatabase } from "../store/database.ts";
import { AUDIT_KEY, META, readMeta } from "../store/meta.ts";
import type { Schema } from "../store/schema.ts";
import { sealedValues } from "./sealed-values.ts";

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

/** Counts what a database holds. @throws KmsError `store-corrupt` if it is not a KMS's. */
export async function contentsOf(db: Kysely<Schema>): Promise<Contents> {
  try {
    const { count: keys } = await db
      .selectFrom("keys")
      .select((of) => of.fn.countAll<number>().as("count"))
      .executeTakeFirstOrThrow();
    const last = await db.selectFrom("audit").selectAll().orderBy("seq", "desc").limit(1).executeTakeFirst();
    const event = last === undefined ? null : (JSON.parse(last.event) as { eventTime: string });
    return { keys, auditEntries: last?.seq ?? 0, lastEventAt: event?.eventTime ?? null };
  } catch (cause) {
    throw new KmsError("store-corrupt", "it does not have the tables of a KMS.", { cause });
  }
}

/**
 * Checks that the rows are those that were committed last, opens everything with the root key, as a check, and follows
 * the audit chain.
 * @throws KmsError `root-key-wrong`, `store-corrupt`, `audit-broken`.
 */
async function verifyWith(db: Kysely<Schema>, sealer: Sealer, meta: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const rows = rowsUnder(meta.get(META.check) ?? GENESIS, sealer);
  // First of all: what follows believes what is in them.
  if (rows === "with-macs") await verifyRows(db, sealer, meta);
  else await requireNeverAdopted(db, sealer);
  for (const { identity, sealed } of await sealedValues(db)) {
    const secret = sealer.open(sealed, identity);
    if (secret === null) throw new KmsError("store-corrupt", `${identity} does not open.`);
    if (identity === AUDIT_KEY) await verifyChain(db, secret);
    secret.fill(0);
  }
}

async function verifyRows(db: Kysely<Schema>, sealer: Sealer, meta: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const keys = openRowKeys(meta, sealer);
  if (keys === null)
    throw new KmsError("store-corrupt", `meta ${META.rowKey} is missing or does not open.`, { remedy: ROWS_REMEDY });
  try {
    const last = await db.selectFrom("audit").selectAll().orderBy("seq", "desc").limit(1).executeTakeFirst();
    requireSound(await checkRows(db, keys), { size: last?.seq ?? 0, head: last?.mac ?? GENESIS });
  } finally {
    keys.close();
  }
}

/**
 * Verifies a data directory's rows, keys and audit chain. A server may be at work on it.
 * @throws KmsError `store-absent`, `root-key-missing`, `root-key-wrong`, `store-corrupt`, `audit-broken`.
 * @example
 * ```ts
 * import { join } from "node:path";
 * import { createKms, verifyAudit } from "@strongroom/kms";
 *
 * await using kms = await createKms();
 * const rootKey = { kind: "file", path: join(kms.dataDir, "root.key") } as const;
 * const { auditEntries, lastEventAt } = await verifyAudit({ dataDir: kms.dataDir, rootKey });
 * console.log(auditEntries, lastEventAt); // prints: 0 null
 * ```
 */
export async function verifyAudit({
  dataDir,
  rootKey,
}: {
  readonly dataDir: string;
  readonly rootKey: RootKeySource;
}): Promise<Contents> {
  return verifyFile(requireDatabase(dataDir), rootKey);
}

/** Verifies a database file. @throws KmsError as `verifyAudit`. */
export async function verifyFile(path: string, source: RootKeySource): Promise<Contents> {
  const db = openToRead(path);
  try {
    // One transaction: entries that a server adds meanwhile are not seen, and neither is its newer end of the chain.
    return await db.transaction().execute(async (trx) => {
      const contents = await contentsOf(trx);
      await requireSchema(trx);
      const meta = await readMeta(trx);
      const salt = meta.get(META.salt);
      if (salt === undefined) throw new KmsError("store-corrupt", "it has no salt.");
      const sealer = new Sealer(await readRootKey(source, salt, "restart"));
      try {
        await verifyWith(trx, sealer, meta);
      } finally {
        sealer.close();
      }
      return contents;
    });
  } finally {
    await db.destroy();
  }
}
