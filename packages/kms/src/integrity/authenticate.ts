// Giving all rows their MACs at once: when a database is made, when one of an earlier version is first opened, when the
// root key is changed, and when a person takes the rows over as they are. Each time under a new key.
//
// An earlier version's rows are taken over once. That it was done is in the identity under which the root check is
// sealed, and on record in the audit: whoever deletes the MACs, their key and their digest cannot make the database
// look as if it never had them.

import { randomBytes } from "node:crypto";
import { CompiledQuery, sql } from "kysely";
import type { Kysely, Transaction } from "kysely";
import { logEvent } from "../audit/log-event.ts";
import type { AuditLog, Head } from "../audit/log.ts";
import { writeExtension } from "../audit/tree-rows.ts";
import type { Sealer } from "../crypto/sealing.ts";
import { KmsError } from "../errors.ts";
import { META, ROOT_CHECK, ROW_KEY, readMeta, writeMeta } from "../store/meta.ts";
import type { Schema } from "../store/schema.ts";
import { ROWS_REMEDY, metaPrints, readRows } from "./row-check.ts";
import { ROW_TABLES, ROW_TABLE_NAMES, RowKeys, rowIdentity, rowName } from "./row-mac.ts";
import type { RowTable } from "./row-mac.ts";
import { RowSet, sealDigest } from "./row-set.ts";

/** MACs all rows as they are, under a new key, and writes the digest of a commit at which the audit ends at `audit`. */
export async function authenticateRows(
  trx: Transaction<Schema>,
  sealer: Sealer,
  { size, root }: Head,
): Promise<number> {
  const secret = randomBytes(32);
  const rowKey = sealer.seal(secret, ROW_KEY);
  const keys = new RowKeys(secret);
  try {
    const set = new RowSet(keys);
    const stored = await readRows(trx);
    let count = 0;
    for (const table of ROW_TABLE_NAMES) {
      const update = updateMac(table);
      for (const row of stored[table]) {
        const { numAffectedRows } = await trx.executeQuery(
          CompiledQuery.raw(update, [set.put(table, row), ...rowIdentity(table, row)]),
        );
        if (numAffectedRows !== 1n)
          throw new KmsError("store-corrupt", `${rowName(table, rowIdentity(table, row))} is not one row.`);
        count += 1;
      }
    }
    await writeMeta(trx, { [META.check]: sealer.seal(Buffer.from(ROOT_CHECK), ROOT_CHECK), [META.rowKey]: rowKey });
    const meta = metaPrints(await readMeta(trx));
    await writeMeta(trx, { [META.rowDigest]: sealDigest(keys, { audit: { size, root }, meta, groups: set.groups }) });
    return count;
  } finally {
    keys.close();
  }
}

/** One fixed text a table: building one anew for each row would cost more than running it. */
function updateMac(table: RowTable): string {
  const where = ROW_TABLES[table].identity.map((column) => `"${column}" = ?`);
  return `update "${table}" set "mac" = ? where ${where.join(" and ")}`;
}

/**
 * Gives the rows of a database that an earlier version made their first MACs.
 * @param log has been verified.
 * @throws KmsError `store-corrupt` if they had them before.
 */
export async function adoptRows(db: Kysely<Schema>, sealer: Sealer, log: AuditLog): Promise<void> {
  const extension = log.extend([logEvent("AuthenticateRows", null, Date.now())]);
  await db.transaction().execute(async (trx) => {
    await requireNeverAdopted(trx);
    await writeExtension(trx, extension);
    await authenticateRows(trx, sealer, extension);
  });
  log.accept(extension);
}

/**
 * Whether nothing says that the rows had MACs before. The audit must have been verified: an entry that says so could
 * have been edited or cut off. One that was accepted as it was found may have lost it; and one with entries whose texts
 * are gone was cut for retention, which gives the rows their MACs first.
 * @throws KmsError `store-corrupt`.
 */
export async function requireNeverAdopted(db: Kysely<Schema>): Promise<void> {
  const meta = await readMeta(db);
  const { rows } = await sql<{ seq: number }>`
    select seq from audit where event is null or case when json_valid(event)
      then json_extract(event, '$.eventName') in ('AuthenticateRows', 'AcceptRows', 'AcceptAudit') end
    limit 1`.execute(db);
  const [before] = rows;
  if (before !== undefined || meta.has(META.rowKey) || meta.has(META.rowDigest)) {
    const evidence =
      before === undefined
        ? "their key is still there"
        : `audit entry ${before.seq} says so, or that it cannot be known`;
    throw new KmsError(
      "store-corrupt",
      `its rows had MACs before (${evidence}), and meta ${META.check} was set back.`,
      { remedy: ROWS_REMEDY },
    );
  }
}
