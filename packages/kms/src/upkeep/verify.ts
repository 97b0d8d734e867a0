// Whether a database is whole and its own: SQLite finds no damage, its schema and rows are as they were committed last,
// the root key opens everything that is sealed, the audit log is as its checkpoint says, and goes on from the
// checkpoints that were kept elsewhere.

import type { KeyObject } from "node:crypto";
import { shown } from "@strongroom/base/shown";
import type { Kysely } from "kysely";
import { signingKeyOf } from "@strongroom/tlog/keys";
import type { Seen } from "@strongroom/witness/witness";
import { checkLog } from "../audit/check.ts";
import type { CheckedLog } from "../audit/check.ts";
import { compareWith } from "../audit/comparison.ts";
import { LEGACY_KEY, verifyChain } from "../audit/legacy-chain.ts";
import type { RootKeySource } from "../crypto/root-key.ts";
import type { Sealer } from "../crypto/sealing.ts";
import { KmsError } from "../errors.ts";
import { requireNeverAdopted } from "../integrity/authenticate.ts";
import { ROWS_REMEDY, checkRows, requireSound } from "../integrity/row-check.ts";
import type { RowKeys } from "../integrity/row-mac.ts";
import { requireSchema } from "../integrity/schema-check.ts";
import { openRowKeys } from "../integrity/digest.ts";
import { rowsUnder } from "../store/custody.ts";
import { requireDatabase } from "../store/database.ts";
import { META, readMeta } from "../store/meta.ts";
import type { Schema } from "../store/schema.ts";
import { openWitness } from "../witnesses/open-witness.ts";
import { witnessedLog } from "../witnesses/witness.ts";
import type { WitnessSource } from "../witnesses/witness.ts";
import { contentsOf, readingFile, sealerOf } from "./database-file.ts";
import type { Contents } from "./database-file.ts";
import { auditKey, sealedValues } from "./sealed-values.ts";

/** What is verified, and against what. */
export interface VerifyOptions {
  readonly dataDir: string;
  readonly rootKey: RootKeySource;
  /** The witness that the server has. */
  readonly witness?: WitnessSource;
  /** A checkpoint that was kept elsewhere, as `audit checkpoint` printed it. */
  readonly checkpoint?: string;
}

/** A database that is whole. */
export interface VerifyReport extends Contents {
  /** Entries of the audit whose text was pruned: only their hashes are kept. */
  readonly hashesOnly: number;
  /** The last cut: when, by whom, and up to which entry; null if there was none. */
  readonly lastCut: { readonly at: string; readonly by: string; readonly through: number } | null;
  /** Histories that were given up, by `acceptRestore`. */
  readonly restoresAccepted: number;
  /** The newest checkpoint; null for a database that no start has brought to this version. */
  readonly checkpoint: string | null;
  /** What the witness has seen of it; null without one. */
  readonly witness: Seen | null;
}

/** How often a witness is asked again that saw more than was read: a server may be at work. */
const WITNESS_TRIES = 3;

/**
 * Verifies a data directory's rows, keys and audit log. A server may be at work on it.
 * @throws KmsError `store-absent`, `root-key-missing`, `root-key-wrong`, `store-corrupt`, `audit-broken`,
 *   `audit-set-back`.
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
export async function verifyAudit({ dataDir, rootKey, witness, checkpoint }: VerifyOptions): Promise<VerifyReport> {
  const path = requireDatabase(dataDir);
  const opened = witness === undefined ? null : openWitness(witness, dataDir);
  for (let tries = 1; ; tries++) {
    try {
      return await readingFile(path, async (db) => {
        const { contents, log } = await verifyDatabase(db, rootKey);
        if (log === null)
          return { ...contents, hashesOnly: 0, lastCut: null, restoresAccepted: 0, checkpoint: null, witness: null };
        if (checkpoint !== undefined) await requireContinued(log, checkpoint);
        const { hashesOnly, accepted, note } = log;
        const counts = { hashesOnly, lastCut: cutOf(log.lastCut), restoresAccepted: accepted.length, checkpoint: note };
        return { ...contents, ...counts, witness: (await opened?.examine(witnessedLog(log.db, log.key, log))) ?? null };
      });
    } catch (error) {
      if (opened === null || tries === WITNESS_TRIES || !isSetBack(error)) throw error;
    }
  }
}

function cutOf(event: CheckedLog["lastCut"]): VerifyReport["lastCut"] {
  if (event === null) return null;
  // A history that was accepted as it was found may hold any text.
  const { by }: { readonly by: unknown } = event.requestParameters;
  const { through } = event.requestParameters;
  return { at: shown(event.eventTime), by: typeof by === "string" ? shown(by) : "somebody", through };
}

const isSetBack = (error: unknown): boolean => error instanceof KmsError && error.code === "audit-set-back";

async function requireContinued(log: ReadLog, note: string): Promise<void> {
  const from = "the checkpoint";
  const compared = await compareWith(log.db, log, { note, key: log.key, from });
  if (compared.kind === "continued") return;
  const { eventTime, requestParameters } = compared.event;
  throw new KmsError(
    "audit-set-back",
    `${from} is of a history that was given up on ${eventTime}: ${requestParameters.reason}.`,
  );
}

/** Verifies a database file by itself. @throws KmsError as `verifyAudit`. */
export function verifyFile(path: string, source: RootKeySource): Promise<Contents> {
  return readingFile(path, async (db) => (await verifyDatabase(db, source)).contents);
}

/** A log, and how it is read. */
interface ReadLog extends CheckedLog {
  readonly db: Kysely<Schema>;
  readonly key: KeyObject;
}

async function verifyDatabase(
  db: Kysely<Schema>,
  source: RootKeySource,
): Promise<{ readonly contents: Contents; readonly log: ReadLog | null }> {
  const contents = await contentsOf(db);
  await requireSchema(db);
  const sealer = await sealerOf(db, source);
  try {
    const meta = await readMeta(db);
    const rows = rowsUnder(meta.get(META.check) ?? Buffer.alloc(0), sealer);
    const log = await verifyLog(db, sealer);
    // Before anything is believed of what is in them.
    if (rows === "without-macs") await requireNeverAdopted(db);
    else await verifyRows(db, openRowKeys(meta, sealer), log);
    await requireSealed(db, sealer);
    return { contents, log };
  } finally {
    sealer.close();
  }
}

/** The audit, verified with its key; null for the chain of an earlier version. */
async function verifyLog(db: Kysely<Schema>, sealer: Sealer): Promise<ReadLog | null> {
  const { identity, sealed } = await auditKey(db);
  const secret = sealer.open(sealed, identity);
  if (secret === null) throw new KmsError("store-corrupt", `${identity} does not open.`);
  if (identity === LEGACY_KEY) {
    await verifyChain(db, secret);
    secret.fill(0);
    return null;
  }
  const key = signingKeyOf(secret);
  return { db, key, ...(await checkLog(db, key)) };
}

async function verifyRows(db: Kysely<Schema>, keys: RowKeys | null, log: ReadLog | null): Promise<void> {
  if (keys === null || log === null)
    throw new KmsError("store-corrupt", `meta ${META.rowKey} is missing or does not open.`, { remedy: ROWS_REMEDY });
  try {
    requireSound(await checkRows(db, keys), log.checkpoint);
  } finally {
    keys.close();
  }
}

/** Opens everything with the root key, as a check. */
async function requireSealed(db: Kysely<Schema>, sealer: Sealer): Promise<void> {
  for (const { identity, sealed } of await sealedValues(db)) {
    const secret = sealer.open(sealed, identity);
    if (secret === null) throw new KmsError("store-corrupt", `${identity} does not open.`);
    secret.fill(0);
  }
}
