// Taking rows over as they are, whatever their MACs and their digest say: when a person has looked at each row that the
// KMS refuses, and would rather go on than restore a backup. It takes the root key, and it is on record.

import type { Transaction } from "kysely";
import { logEvent, operator } from "../audit/log-event.ts";
import { writeExtension } from "../audit/tree-rows.ts";
import type { RootKeySource } from "../crypto/root-key.ts";
import { authenticateRows } from "../integrity/authenticate.ts";
import { openRowKeys } from "../integrity/digest.ts";
import { auditFault, checkRows, readRows } from "../integrity/row-check.ts";
import { closeCustody, unlock } from "../store/custody.ts";
import type { Unlocked } from "../store/custody.ts";
import { requireDatabase } from "../store/database.ts";
import { META, readMeta } from "../store/meta.ts";
import { loadRegions } from "../store/rows.ts";
import type { Schema } from "../store/schema.ts";

/** What `acceptRows` is asked to do. */
export interface AcceptRowsOptions {
  readonly dataDir: string;
  readonly rootKey: RootKeySource;
  /** `look` changes nothing. */
  readonly mode: "look" | "accept";
}

/** What `acceptRows` found, and did. */
export interface AcceptRowsReport {
  /** One line for each row, or group of rows, that is not as the KMS left it. */
  readonly findings: readonly string[];
  /** How many rows now carry a new MAC; 0 if nothing was changed. */
  readonly rows: number;
}

/** Most findings that the audit entry lists. */
const LISTED = 100;

/**
 * Takes over the rows of a data directory that no server uses, as they are.
 * @throws KmsError `store-absent`, `data-dir-in-use`, `root-key-missing`, `root-key-wrong`, `store-corrupt` if the
 *   schema was changed or a record is not JSON.
 * @example
 * ```ts
 * import { mkdtemp } from "node:fs/promises";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { DatabaseSync } from "node:sqlite";
 * import { acceptRows, seedDataDir } from "@strongroom/kms";
 *
 * const dataDir = await mkdtemp(join(tmpdir(), "kms-"));
 * const key = { id: "11111111-2222-4333-8444-555555555555", aliases: ["alias/orders"] };
 * await seedDataDir({ dataDir, seed: { keys: [key] } });
 * const database = new DatabaseSync(join(dataDir, "kms.sqlite"));
 * database.exec("delete from aliases");
 * database.close();
 * const rootKey = { kind: "file", path: join(dataDir, "root.key") } as const;
 * const { findings } = await acceptRows({ dataDir, rootKey, mode: "accept" });
 * console.log(findings); // prints: [ 'aliases of eu-west-1: one row of 1 is missing' ]
 * ```
 */
export async function acceptRows({ dataDir, rootKey, mode }: AcceptRowsOptions): Promise<AcceptRowsReport> {
  requireDatabase(dataDir);
  const unlocked = await unlock(dataDir, rootKey);
  const { database, sealer, log } = unlocked;
  try {
    const report = await database.db.transaction().execute(async (trx) => {
      const findings = await findingsOf(trx, unlocked);
      if (mode === "look" || findings.length === 0) return { findings, rows: 0 };
      // A row that cannot be read would keep the server from starting all the same.
      loadRegions(await readRows(trx), new Map());
      const more = Math.max(0, findings.length - LISTED);
      const details = { findings: findings.slice(0, LISTED), more, by: operator() };
      const extension = log.extend([logEvent("AcceptRows", details, Date.now())]);
      await writeExtension(trx, extension);
      return { findings, rows: await authenticateRows(trx, sealer, extension) };
    });
    await database.syncLog();
    return report;
  } finally {
    await closeCustody(unlocked);
  }
}

async function findingsOf(trx: Transaction<Schema>, { sealer, log, rows }: Unlocked): Promise<readonly string[]> {
  // Of an earlier version, or made to look like it.
  if (rows === "without-macs") return [`meta ${META.check} is of a time when rows had no MACs: no row can be checked`];
  const keys = openRowKeys(await readMeta(trx), sealer);
  if (keys === null) return [`meta ${META.rowKey} is missing or does not open: no row can be checked`];
  try {
    const { findings, audit } = await checkRows(trx, keys);
    const fault = auditFault(audit, log.head);
    return fault === null ? findings : [...findings, fault];
  } finally {
    keys.close();
  }
}
