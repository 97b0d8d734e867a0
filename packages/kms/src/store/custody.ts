// The opening of a data directory: the database, the root key that seals it, the audit log, whole and as its witness
// saw it, the keys that its rows are authenticated with. A database knows its root key by a sealed constant: with
// another key the server refuses to start.

import { secretConcat } from "@strongroom/base/secret-memory";
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import type { Kysely } from "kysely";
import { signingKeyOf } from "@strongroom/tlog/keys";
import type { Seen, Witness } from "@strongroom/witness/witness";
import type { AuditLog } from "../audit/log.ts";
import { emptyLog } from "../audit/new-history.ts";
import { openLog } from "../audit/open-log.ts";
import { systemClock } from "../clock.ts";
import { SALT_LENGTH, readRootKey, settleRootKeyFile } from "../crypto/root-key.ts";
import type { RootKeySource } from "../crypto/root-key.ts";
import { Sealer } from "../crypto/sealing.ts";
import { KmsError } from "../errors.ts";
import { adoptRows, authenticateRows } from "../integrity/authenticate.ts";
import { openRowKeys } from "../integrity/digest.ts";
import { ROWS_REMEDY } from "../integrity/row-check.ts";
import { ROW_TABLE_NAMES } from "../integrity/row-mac.ts";
import type { RowKeys } from "../integrity/row-mac.ts";
import { requireOwnDataDir } from "../secret-file.ts";
import { DATABASE_FILE, openDatabase } from "./database.ts";
import type { OpenDatabase } from "./database.ts";
import { META, ROOT_CHECK, ROOT_CHECK_WITHOUT_MACS, SIGNING_KEY, readMeta, writeMeta } from "./meta.ts";
import type { Schema } from "./schema.ts";

/** Who uses a data directory. What was made for the one is never opened by the other. */
export type Keeper = "server" | "emulator";

/** A data directory in use. */
export interface Custody {
  readonly database: OpenDatabase;
  readonly sealer: Sealer;
  readonly log: AuditLog;
  /** What the witness says; null without one. */
  readonly seen: Seen | null;
  readonly rowKeys: RowKeys;
}

/** What can be had of a data directory before it is known whether its rows hold. */
export interface Unlocked extends Omit<Custody, "rowKeys"> {
  /** Without: an earlier version made the database, and no later one has opened it. */
  readonly rows: "with-macs" | "without-macs";
}

/** How a data directory is opened. */
export interface CustodyOptions {
  readonly keeper?: Keeper;
  /** What the audit log must go on from. */
  readonly witness?: Witness | null;
  /** An operator's reason for going on with an audit log that does not fit. */
  readonly acceptRestore?: string | null;
  /** Milliseconds. */
  readonly now?: number;
}

/**
 * Opens a data directory, or makes it if it is new. The rows of one that an earlier version made get their MACs.
 * @throws KmsError `file-permissions`, `root-key-missing`, `root-key-wrong`, `data-dir-of-emulator`,
 *   `data-dir-not-of-emulator`, `store-corrupt`, `audit-broken`, `audit-set-back`, and those of `openDatabase`.
 */
export async function openCustody(
  dataDir: string,
  source: RootKeySource,
  options: CustodyOptions = {},
): Promise<Custody> {
  const unlocked = await unlock(dataDir, source, options);
  const { database, sealer, log, seen } = unlocked;
  try {
    if (unlocked.rows === "without-macs") await adoptRows(database.db, sealer, log);
    const rowKeys = openRowKeys(await readMeta(database.db), sealer);
    if (rowKeys === null)
      throw new KmsError("store-corrupt", `meta ${META.rowKey} is missing or does not open.`, { remedy: ROWS_REMEDY });
    return { database, sealer, log, seen, rowKeys };
  } catch (error) {
    await closeCustody(unlocked);
    throw error;
  }
}

/**
 * Opens a data directory, or makes it if it is new, and believes nothing of its rows yet.
 * @throws KmsError as `openCustody`.
 */
export async function unlock(
  dataDir: string,
  source: RootKeySource,
  { keeper = "server", witness = null, acceptRestore = null, now = systemClock.now() }: CustodyOptions = {},
): Promise<Unlocked> {
  requireOwnDataDir(dataDir);
  if (keeper === "emulator") requireNoOtherFiles(dataDir);
  const database = await openDatabase(dataDir);
  let sealer: Sealer | null = null;
  try {
    const meta = await readMeta(database.db);
    const check = meta.get(META.check) ?? null;
    if (check === null) await requireEmpty(database.db);
    else requireKeeper(keeper, meta, dataDir);
    if (check !== null && source.kind === "file")
      settleRootKeyFile(source.path, (rootKey) => opensCheck(rootKey, check));
    const salt = meta.get(META.salt) ?? randomBytes(SALT_LENGTH);
    sealer = new Sealer(await readRootKey(source, salt, check === null ? "first-start" : "restart"));
    if (check === null) await found(database, sealer, { salt, keeper });
    const rows = check === null ? "with-macs" : rowsUnder(check, sealer);
    // A witness that is a service remembers what it is asked about: the disk has it first.
    await database.syncLog();
    return { database, sealer, rows, ...(await openLog(database.db, sealer, { witness, acceptRestore, now })) };
  } catch (error) {
    sealer?.close();
    await database.close();
    throw error;
  }
}

/** Lets go of a data directory. */
export async function closeCustody(custody: Unlocked | Custody): Promise<void> {
  custody.sealer.close();
  custody.log.close();
  if ("rowKeys" in custody) custody.rowKeys.close();
  await custody.database.close();
}

/** What a database's root check, opened with its root key, says of its rows. @throws KmsError `root-key-wrong`. */
export function rowsUnder(check: Uint8Array, sealer: Sealer): Unlocked["rows"] {
  if (sealer.open(check, ROOT_CHECK) !== null) return "with-macs";
  if (sealer.open(check, ROOT_CHECK_WITHOUT_MACS) !== null) return "without-macs";
  throw new KmsError("root-key-wrong", "the database was sealed under another root key.");
}

/** Threat: real keys in the hands of a server that lets everyone in, or keys that were in everyone's hands in use. */
function requireKeeper(keeper: Keeper, meta: ReadonlyMap<string, Uint8Array>, dataDir: string): void {
  const madeBy: Keeper = meta.has(META.emulator) ? "emulator" : "server";
  if (madeBy === keeper) return;
  throw new KmsError(keeper === "server" ? "data-dir-of-emulator" : "data-dir-not-of-emulator", `${dataDir}.`);
}

/** A folder with other files but no database may be a server's whose database is away: its root key may lie there. */
function requireNoOtherFiles(dataDir: string): void {
  const names = readdirSync(dataDir);
  if (names.length > 0 && !names.includes(DATABASE_FILE))
    throw new KmsError("data-dir-not-of-emulator", `${dataDir} is not empty.`);
}

/** Whether a root key is the one that sealed `check`. */
function opensCheck(rootKey: Buffer, check: Uint8Array): boolean {
  const sealer = new Sealer(secretConcat([rootKey]));
  try {
    rowsUnder(check, sealer);
    return true;
  } catch {
    return false;
  } finally {
    sealer.close();
  }
}

/**
 * A database without a root check is a new one: it has no rows at all.
 * Threat: someone who deletes the rows of `meta` would have everything else taken over by a new beginning.
 */
async function requireEmpty(db: Kysely<Schema>): Promise<void> {
  for (const table of ["meta", "audit", "audit_nodes", ...ROW_TABLE_NAMES] as const) {
    const row = await db
      .selectFrom(table)
      .select((of) => of.lit(1).as("one"))
      .limit(1)
      .executeTakeFirst();
    if (row !== undefined)
      throw new KmsError("store-corrupt", `meta ${META.check} is missing, and ${table} is not empty.`);
  }
}

/** Writes what a new database starts with, all at once. */
async function found(
  { db }: OpenDatabase,
  sealer: Sealer,
  { salt, keeper }: { readonly salt: Uint8Array; readonly keeper: Keeper },
): Promise<void> {
  const seed = randomBytes(32);
  const sealed = sealer.seal(seed, SIGNING_KEY);
  const { checkpoint, size, root } = emptyLog(signingKeyOf(seed));
  const values = {
    [META.salt]: salt,
    [META.signingKey]: sealed,
    [META.checkpoint]: Buffer.from(checkpoint),
    ...(keeper === "emulator" && { [META.emulator]: Buffer.from("1") }),
  };
  await db.transaction().execute(async (trx) => {
    await trx.schema.dropTable("audit_0001").ifExists().execute();
    await writeMeta(trx, values);
    await authenticateRows(trx, sealer, { size, root });
  });
}
