// Retention: the texts of old entries go, their hashes stay, and an entry says what went, so that the log still
// verifies from end to end. Without the log's key nobody can make that entry, and a text that is missing without one is
// a broken log.

import { sql } from "kysely";
import { asLogEvent, logEvent, operator, timeOf } from "../audit/log-event.ts";
import { writeExtension } from "../audit/tree-rows.ts";
import type { RootKeySource } from "../crypto/root-key.ts";
import { KmsError } from "../errors.ts";
import { checkRows, requireSound } from "../integrity/row-check.ts";
import { rebindDigest } from "../integrity/digest.ts";
import { closeCustody, openCustody } from "../store/custody.ts";
import type { Custody } from "../store/custody.ts";
import { requireDatabase } from "../store/database.ts";
import { openWitness } from "../witness/open-witness.ts";
import type { WitnessSource } from "../witness/witness.ts";

/** What is pruned. */
export interface PruneOptions {
  readonly dataDir: string;
  readonly rootKey: RootKeySource;
  /** Texts of entries before this time go, up to the first entry that is not. */
  readonly before: Date;
  /** The witness that the server has: a log that it does not know is not pruned. */
  readonly witness?: WitnessSource;
}

/** What was pruned. */
export interface PruneReport {
  /** How many texts are gone. */
  readonly removed: number;
  /** The last entry that was looked at; 0 if there is none so old. */
  readonly through: number;
}

const PAGE = 2000;

/**
 * Removes the texts of old audit entries of a data directory that no server uses; their hashes stay.
 * @throws KmsError `store-absent`, `data-dir-in-use`, `option-invalid`, `audit-broken`, `audit-set-back`, and those of
 *   the root key.
 * @example
 * ```ts
 * import { mkdtemp } from "node:fs/promises";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { pruneAudit, seedDataDir } from "@strongroom/kms";
 *
 * const dataDir = await mkdtemp(join(tmpdir(), "kms-"));
 * await seedDataDir({ dataDir, seed: { keys: [{ id: "11111111-2222-4333-8444-555555555555" }] } });
 * const rootKey = { kind: "file", path: join(dataDir, "root.key") } as const;
 * const { removed } = await pruneAudit({ dataDir, rootKey, before: new Date("2020-01-01") });
 * console.log(removed); // prints: 0
 * ```
 */
export async function pruneAudit({ dataDir, rootKey, before, witness }: PruneOptions): Promise<PruneReport> {
  if (Number.isNaN(before.getTime())) throw new KmsError("option-invalid", "this is no time.");
  requireDatabase(dataDir);
  const opened = witness === undefined ? null : openWitness(witness, dataDir);
  const custody = await openCustody(dataDir, rootKey, { witness: opened });
  try {
    const through = await lastBefore(custody, before);
    return { removed: through === 0 ? 0 : await removeTexts(custody, through, before), through };
  } finally {
    await closeCustody(custody);
  }
}

/** The last of the first entries that are all older, 0 if there is none. */
async function lastBefore({ database: { db } }: Custody, before: Date): Promise<number> {
  let through = 0;
  for (;;) {
    const rows = await entriesAfter(db, through, Number.MAX_SAFE_INTEGER);
    if (rows.length === 0) return through;
    for (const { seq, event } of rows) {
      if (event !== null && (timeOf(event) ?? 0) >= before.getTime()) return through;
      through = seq;
    }
  }
}

const entriesAfter = (
  db: Custody["database"]["db"],
  after: number,
  through: number,
): Promise<{ seq: number; event: string | null }[]> =>
  db
    .selectFrom("audit")
    .select(["seq", "event"])
    .where("seq", ">", after)
    .where("seq", "<=", through)
    .orderBy("seq")
    .limit(PAGE)
    .execute();

async function removeTexts(
  { database, sealer, log, rowKeys }: Custody,
  through: number,
  before: Date,
): Promise<number> {
  const kept: number[] = [];
  let [last, texts] = [0, 0];
  for (let rows = await entriesAfter(database.db, last, through); rows.length > 0;) {
    texts += rows.filter(({ event }) => event !== null).length;
    // What happened to the log itself stays readable: it explains what is missing.
    for (const { seq, event } of rows) if (event !== null && asLogEvent(event) !== null) kept.push(seq);
    last = rows.at(-1)?.seq ?? through;
    rows = await entriesAfter(database.db, last, through);
  }
  const removed = texts - kept.length;
  if (removed === 0) return 0;
  const details = { through, before: before.toISOString(), removed, kept, by: operator() };
  const extension = log.extend([logEvent("PruneAudit", details, Date.now())]);
  await database.db.transaction().execute(async (trx) => {
    // The digest over the rows is bound to the new end of the audit: it must have fitted the old one.
    requireSound(await checkRows(trx, rowKeys), log.head);
    await sql`
      update audit set event = null
      where seq <= ${through} and seq not in (select value from json_each(${JSON.stringify(kept)}))`.execute(trx);
    await writeExtension(trx, extension);
    await rebindDigest(trx, sealer, extension);
  });
  log.accept(extension);
  await database.syncLog();
  // Threat: the texts live on in SQLite's log.
  database.truncateLog();
  return removed;
}
