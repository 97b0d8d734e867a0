// Whether a database is whole and its own: SQLite finds no damage, the root key opens everything that is sealed, the
// audit chain runs unbroken from its first entry to the end that the database remembers.

import { readSqliteFile, sqliteFailure } from "@strongroom/base/sqlite";
import type { Kysely } from "kysely";
import { ChainVerifier } from "../audit/chain.ts";
import { readRootKey } from "../crypto/root-key.ts";
import type { RootKeySource } from "../crypto/root-key.ts";
import { Sealer } from "../crypto/sealing.ts";
import { KmsError } from "../errors.ts";
import { AUDIT_KEY, META, ROOT_CHECK } from "../store/custody.ts";
import { requireDatabase } from "../store/database.ts";
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
 * Opens everything with the root key, as a check, and follows the audit chain.
 * @throws KmsError `root-key-wrong`, `store-corrupt`, `audit-broken`.
 */
async function verifyWith(db: Kysely<Schema>, sealer: Sealer): Promise<void> {
  for (const { identity, sealed } of await sealedValues(db)) {
    const secret = sealer.open(sealed, identity);
    // The first value is the constant that every database seals: if even that does not open, the key is another one.
    if (secret === null)
      throw new KmsError(identity === ROOT_CHECK ? "root-key-wrong" : "store-corrupt", `${identity} does not open.`);
    if (identity === AUDIT_KEY) await verifyChain(db, secret);
    secret.fill(0);
  }
}

async function verifyChain(db: Kysely<Schema>, key: Buffer): Promise<void> {
  const verifier = new ChainVerifier(key);
  for await (const entry of db.selectFrom("audit").selectAll().orderBy("seq").stream()) {
    if (!verifier.accepts(entry))
      throw new KmsError("audit-broken", `entry ${verifier.count} was changed, or one before it is missing.`);
  }
  const head = await db.selectFrom("meta").selectAll().where("name", "=", META.auditHead).executeTakeFirst();
  if (head === undefined || !verifier.endsAt(head.value))
    throw new KmsError("audit-broken", `it does not end at entry ${verifier.count}: the last ones are missing.`);
}

/**
 * Verifies a data directory's keys and audit chain. A server may be at work on it.
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
      const sealer = new Sealer(await readRootKey(source, await saltOf(trx), "restart"));
      try {
        await verifyWith(trx, sealer);
      } finally {
        sealer.close();
      }
      return contents;
    });
  } finally {
    await db.destroy();
  }
}

async function saltOf(db: Kysely<Schema>): Promise<Uint8Array> {
  const row = await db.selectFrom("meta").selectAll().where("name", "=", META.salt).executeTakeFirst();
  if (row === undefined) throw new KmsError("store-corrupt", "it has no salt.");
  return row.value;
}
