// The opening of a data directory: the database, the root key that seals it, the audit chain's key and end.
// A database knows its root key by a sealed constant: with another key the server refuses to start.

import { createSecretKey, randomBytes } from "node:crypto";
import { AuditChain, GENESIS, headOf } from "../audit/chain.ts";
import { SALT_LENGTH, readRootKey, settleRootKeyFile } from "../crypto/root-key.ts";
import type { RootKeySource } from "../crypto/root-key.ts";
import { Sealer } from "../crypto/sealing.ts";
import { KmsError } from "../errors.ts";
import { openDatabase } from "./database.ts";
import type { OpenDatabase } from "./database.ts";

/** Identities of what the database seals beside keys. */
export const ROOT_CHECK = "strongroom-kms/root-check";
export const AUDIT_KEY = "strongroom-kms/audit-key";

/** Rows of the table `meta`. */
export const META = { salt: "root-salt", check: "root-check", auditKey: "audit-key", auditHead: "audit-head" } as const;

/** A data directory in use. */
export interface Custody {
  readonly database: OpenDatabase;
  readonly sealer: Sealer;
  readonly chain: AuditChain;
}

/**
 * Opens a data directory, or makes it if it is new.
 * @throws KmsError `root-key-missing`, `root-key-wrong`, and those of `openDatabase`.
 */
export async function openCustody(dataDir: string, source: RootKeySource): Promise<Custody> {
  const database = await openDatabase(dataDir);
  try {
    const meta = await readMeta(database);
    const check = meta.get(META.check);
    const first = check === undefined;
    if (check !== undefined && source.kind === "file")
      settleRootKeyFile(source.path, (rootKey) => opensCheck(rootKey, check));
    const salt = meta.get(META.salt) ?? randomBytes(SALT_LENGTH);
    const sealer = new Sealer(await readRootKey(source, salt, first ? "first-start" : "restart"));
    if (first) await found(database, sealer, salt);
    return { database, sealer, chain: await openChain(database, sealer) };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Whether a root key is the one that sealed `check`. */
function opensCheck(rootKey: Buffer, check: Uint8Array): boolean {
  const sealer = new Sealer(Buffer.from(rootKey));
  const opened = sealer.open(check, ROOT_CHECK);
  sealer.close();
  return opened !== null;
}

async function readMeta(database: OpenDatabase): Promise<Map<string, Uint8Array>> {
  const rows = await database.db.selectFrom("meta").selectAll().execute();
  return new Map(rows.map((row) => [row.name, row.value]));
}

/** Writes what a new database starts with, all at once. */
async function found({ db }: OpenDatabase, sealer: Sealer, salt: Uint8Array): Promise<void> {
  const auditKey = randomBytes(32);
  const rows = [
    { name: META.salt, value: salt },
    { name: META.check, value: sealer.seal(Buffer.from(ROOT_CHECK), ROOT_CHECK) },
    { name: META.auditKey, value: sealer.seal(auditKey, AUDIT_KEY) },
    { name: META.auditHead, value: headOf(createSecretKey(auditKey), 0, GENESIS) },
  ];
  auditKey.fill(0);
  await db.transaction().execute((trx) => trx.insertInto("meta").values(rows).execute());
}

async function openChain(database: OpenDatabase, sealer: Sealer): Promise<AuditChain> {
  const meta = await readMeta(database);
  if (sealer.open(meta.get(META.check) ?? GENESIS, ROOT_CHECK) === null) {
    throw new KmsError("root-key-wrong", "the database was sealed under another root key.");
  }
  const key = sealer.open(meta.get(META.auditKey) ?? GENESIS, AUDIT_KEY);
  if (key === null) throw new KmsError("store-corrupt", "the key of the audit chain does not open.");
  const last = await database.db.selectFrom("audit").selectAll().orderBy("seq", "desc").limit(1).executeTakeFirst();
  return new AuditChain(key, last?.seq ?? 0, last?.mac ?? GENESIS);
}
