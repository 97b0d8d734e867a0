// Retention: the texts of old entries go, their hashes stay, and an entry says what went, so that the log still
// verifies from end to end. Without the log's key nobody can make that entry, and a text that is missing without one is
// a broken log.

import { cutEvent, planCut, removeTexts } from "../audit/cut.ts";
import type { Cut } from "../audit/cut.ts";
import { operator } from "../audit/log-event.ts";
import { writeExtension } from "../audit/tree-rows.ts";
import type { RootKeySource } from "../crypto/root-key.ts";
import { KmsError } from "../errors.ts";
import { checkRows, requireSound } from "../integrity/row-check.ts";
import { rebindDigest } from "../integrity/digest.ts";
import { closeCustody, openCustody } from "../store/custody.ts";
import type { Custody } from "../store/custody.ts";
import { requireDatabase } from "../store/database.ts";
import { openWitness } from "../witnesses/open-witness.ts";
import type { WitnessSource } from "../witnesses/witness.ts";

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
    const cut = await planCut(custody.database.db, before.getTime());
    if (cut.removed > 0) await make(custody, cut, before.getTime());
    return { removed: cut.removed, through: cut.through };
  } finally {
    await closeCustody(custody);
  }
}

async function make({ database, sealer, log, rowKeys }: Custody, cut: Cut, before: number): Promise<void> {
  const extension = log.extend([cutEvent(cut, { before, by: operator(), at: Date.now() })]);
  await database.db.transaction().execute(async (trx) => {
    // The digest over the rows is bound to the new end of the audit: it must have fitted the old one.
    requireSound(await checkRows(trx, rowKeys), log.head);
    await removeTexts(trx, cut, { after: 0, through: cut.through });
    await writeExtension(trx, extension);
    await rebindDigest(trx, sealer, extension);
  });
  log.accept(extension);
  await database.syncLog();
  // Threat: the texts live on in SQLite's log.
  database.truncateLog();
}
