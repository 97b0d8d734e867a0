// For tests: a vault on files without a KMS, its backups, and what is restored of them.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { createTerminal, type Terminal } from "@strongroom/base/terminal";
import { rawAesKeyring } from "@strongroom/envelope";
import { type AuditLog, fileWitness, openVault, type RestoredBackup, type Vault } from "@strongroom/vault";
import { sqliteAuditLog, sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import { checkBackup } from "../../src/backup/check-backup.ts";
import type { SealedBackup } from "../../src/backup/take-backup.ts";
import { fillBackup } from "../../src/backup/take-backup.ts";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { dataFolder } from "../../src/data-folder.ts";

const keyring = (seed: string): ReturnType<typeof rawAesKeyring> =>
  rawAesKeyring({
    keyNamespace: "test",
    keyName: seed,
    wrappingKey: createHash("sha256").update(seed).digest(),
  });

/** How a vault is opened. */
export interface FilesVaultOptions {
  readonly witness?: string;
  readonly acceptRestore?: RestoredBackup | string;
  readonly seed?: string;
}

/** A vault whose stores are the files of a data folder. */
export interface FilesVault {
  readonly vault: Vault;
  readonly stores: {
    readonly records: Awaited<ReturnType<typeof sqliteStore>>;
    readonly keys: Awaited<ReturnType<typeof sqliteKeyStore>>;
    readonly audit: AuditLog;
  };
  /** Codes of alarms so far. */
  readonly alarms: readonly string[];
  close(): Promise<void>;
}

/** Opens it; what is not there is made. */
export async function filesVault(
  path: string,
  { witness, acceptRestore, seed = "one" }: FilesVaultOptions = {},
): Promise<FilesVault> {
  mkdirSync(path, { recursive: true });
  const folder = dataFolder(path);
  const alarms: string[] = [];
  const stores = {
    records: await sqliteStore(folder.records),
    keys: await sqliteKeyStore(folder.keyStore),
    audit: await sqliteAuditLog(folder.auditLog),
  };
  const close = async (): Promise<void> => {
    for (const store of Object.values(stores)) await store.close();
  };
  try {
    const vault = await openVault({
      store: stores.records,
      keyring: keyring(seed),
      keys: { store: stores.keys },
      audit: {
        log: stores.audit,
        witnesses: witness === undefined ? [] : [fileWitness({ path: witness, apartFrom: [path], folder: "is-made" })],
        ...(acceptRestore === undefined ? {} : { acceptRestore }),
        onAlarm: ({ code }) => alarms.push(code),
      },
    });
    return { vault, stores, alarms, close: () => vault.close() };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A terminal that nobody looks at. */
function silentTerminal(): Terminal {
  const stream = (): NodeJS.WriteStream => new PassThrough().resume() as unknown as NodeJS.WriteStream;
  const stdin = new PassThrough() as unknown as NodeJS.ReadStream;
  return createTerminal({ stdin, stdout: stream(), stderr: stream() }, "json");
}

export const CONTEXT = { terminal: silentTerminal(), signal: new AbortController().signal, env: {}, cwd: "/" };

/** A configuration whose keys are in a KMS elsewhere. */
export async function filesConfig(path: string): Promise<Config> {
  const { config } = await loadConfig({ cwd: path, env: {} });
  return { ...config, dataDir: path, keys: { ...config.keys, regions: [] } };
}

/** Makes a backup of a vault that is open. */
export async function backUp(vault: FilesVault, path: string, to: string): Promise<SealedBackup> {
  mkdirSync(to);
  const work = { context: CONTEXT, config: await filesConfig(path), folder: dataFolder(path), path: to };
  return fillBackup({ ...work, opened: vault, wrappingKeys: { records: [], keys: [] } });
}

/** Copies its files to where a vault looks for them. */
export async function copyBackup(from: string, to: string): Promise<RestoredBackup> {
  const { manifest, key } = await checkBackup(from, null, CONTEXT);
  mkdirSync(to, { recursive: true });
  for (const { name } of manifest.files) cpSync(join(from, name), join(to, name));
  const { entry, checkpoint } = manifest.cut;
  return { reason: "a test", backup: manifest.id, cut: entry, checkpoint, key };
}

/** SHA-256 of a file, in hex. */
export const hashOf = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");
