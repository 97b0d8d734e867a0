// The data folder: where everything lies in it (docs/architecture.md has the same list), how it is made and checked at
// each start, its locks, its log, and the file that tells where a running installation listens.
import { constants, lstatSync } from "node:fs";
import { access, chmod, rm, stat } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join, relative } from "node:path";
import { requireOwnFolder } from "@strongroom/base/authority";
import { folderReason, makeFolderSync, systemErrorCode, systemReason, writeFileAtomic } from "@strongroom/base/files";
import { STRONGROOM_USERS } from "@strongroom/kms/command";
import { isLockHeld, type Lock, takeLock } from "@strongroom/base/locks";
import { openRotatingLog, type RotatingLog } from "@strongroom/base/rotating-log";
import { z } from "zod";
import { readAuthorityIfPresent, withRemedy } from "./authority.ts";
import { CliError } from "./errors.ts";

/** Absolute paths of the files in one data folder. */
export interface DataFolder {
  readonly path: string;
  /** Records: heads, messages, wrap sets, jobs; unless they lie in PostgreSQL. */
  readonly records: string;
  /** How many changes the vault had, beside its database. */
  readonly recordsMark: string;
  /** Keys of people, their wraps and names; unless they lie in PostgreSQL. And its mark. */
  readonly keyStore: string;
  readonly keyStoreMark: string;
  /** The log of the audit; unless it lies elsewhere. And its mark. */
  readonly auditLog: string;
  readonly auditLogMark: string;
  /** The verifier key of the audit's checkpoints. Public: whoever verifies the log without a KMS takes it from here. */
  readonly auditKey: string;
  /** The database of versions before this one, whose content moves into `records` at the next start; and its mark. */
  readonly oldVault: string;
  readonly oldVaultMark: string;
  /** Hashes and scopes of the API tokens. */
  readonly tokens: string;
  /** The first administrator's token, which the client commands on this machine pick up. */
  readonly token: string;
  /** The same token as an HTTP header, for `curl -H @FILE`. */
  readonly tokenHeader: string;
  /** Which keys wrap in each region: those of records, and those of the key store. */
  readonly keys: string;
  /** Where the service and the KMS of a running `strongroom up` listen. */
  readonly running: string;
  readonly log: string;
  /** How much room was free at each hour: from it the day is foretold on which there is none. */
  readonly disk: string;
  /** Held while `strongroom up` runs. */
  readonly lock: string;
  /** Held while `strongroom drill` runs. */
  readonly drillLock: string;
  /** The key under which an import makes ids of fields; made when it is first needed. */
  readonly idKey: string;
  readonly kms: string;
  readonly kmsDatabase: string;
  readonly kmsRootKey: string;
  /** The access key of the account's root: used by nothing here, and kept for what only the root may do. */
  readonly kmsCredentials: string;
  /** The access key that the service signs with: least privilege. */
  readonly kmsServiceCredentials: string;
  /** The access key with which keys are made and looked after. */
  readonly kmsOperatorCredentials: string;
  /** The folder of the sockets over which the service talks to the KMS. */
  readonly kmsSockets: string;
  /** The header that the KMS's control port wants; there while faults are allowed. */
  readonly kmsControlHeader: string;
}

/** The layout under `path`, which must be absolute. */
export function dataFolder(path: string): DataFolder {
  const kms = join(path, "kms");
  return {
    path,
    records: join(path, "records.sqlite"),
    recordsMark: join(path, "records.sqlite.mark"),
    keyStore: join(path, "keys.sqlite"),
    keyStoreMark: join(path, "keys.sqlite.mark"),
    auditLog: join(path, "audit.sqlite"),
    auditLogMark: join(path, "audit.sqlite.mark"),
    auditKey: join(path, "audit.key"),
    oldVault: join(path, "vault.sqlite"),
    oldVaultMark: join(path, "vault.sqlite.mark"),
    tokens: join(path, "tokens.json"),
    token: join(path, "token"),
    tokenHeader: join(path, "token.header"),
    keys: join(path, "keys.json"),
    running: join(path, "running.json"),
    log: join(path, "strongroom.log"),
    disk: join(path, "disk.json"),
    lock: join(path, "up.lock"),
    drillLock: join(path, "drill.lock"),
    idKey: join(path, "ids.key"),
    kms,
    kmsDatabase: join(kms, "kms.sqlite"),
    kmsRootKey: join(kms, "root.key"),
    kmsCredentials: join(kms, "credentials.json"),
    kmsServiceCredentials: join(kms, STRONGROOM_USERS.service),
    kmsOperatorCredentials: join(kms, STRONGROOM_USERS.operator),
    kmsSockets: join(kms, "sockets"),
    kmsControlHeader: join(kms, "control.header"),
  };
}

/** What is written in the folder, by its name there. */
function writtenNames({ path, kms: _, ...files }: DataFolder): ReadonlySet<string> {
  const names = Object.values(files).map((file) => relative(path, file));
  const logs = [".new", ".1", ".2", ".3", ".4", ".5"].map((end) => `strongroom.log${end}`);
  const databases = ["records.sqlite", "keys.sqlite", "audit.sqlite", "vault.sqlite"].flatMap((name) =>
    ["-wal", "-shm", ".reserve", ".move"].map((end) => `${name}${end}`),
  );
  const kms = [
    "kms.sqlite-wal",
    "kms.sqlite-shm",
    "kms.sqlite.reserve",
    "kms.lock",
    "tls-certificate.pem",
    "tls-key.pem",
  ];
  return new Set([
    ...names,
    ...logs,
    ...databases,
    ...["tokens.json.lock", "kms"],
    ...kms.map((name) => join("kms", name)),
  ]);
}

/** What `prepareDataFolder` found. */
export interface PreparedFolder {
  readonly folder: DataFolder;
  /** Whether the folder was open to others and is now closed (0700). */
  readonly tightened: boolean;
}

/**
 * Makes or checks the data folder, and everything in it: nobody else may change a file that holds authority, and no
 * name that is written to is a link. Throws `data-dir-unusable` or `file-permissions` with the reason.
 */
export async function prepareDataFolder(path: string): Promise<PreparedFolder> {
  const folder = dataFolder(path);
  try {
    makeFolderSync(folder.path);
    const found = await stat(folder.path);
    const open = (found.mode & 0o077) !== 0;
    if (open) await chmod(folder.path, 0o700);
    await access(folder.path, constants.R_OK | constants.W_OK | constants.X_OK);
    withRemedy(() => {
      requireOwnFolder(folder.path, writtenNames(folder));
    });
    return { folder, tightened: open };
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError("data-dir-unusable", { detail: `${path}: ${reason(cause)}.`, cause });
  }
}

/** Only closing a folder that is open to others is refused with EPERM. */
function reason(cause: unknown): string {
  return systemErrorCode(cause) === "EPERM" ? "it belongs to another user and is open to others" : folderReason(cause);
}

/** How long to wait for a holder that is just ending, in milliseconds. */
const LOCK_PATIENCE_MS = 300;

/**
 * Takes a lock of the folder: one `strongroom up`, and one `strongroom drill`, at a time. Throws `data-dir-in-use` or
 * `data-dir-unusable`.
 */
export function lockDataFolder(path: string, folder: string): Lock {
  try {
    return takeLock(path, { blockMs: LOCK_PATIENCE_MS });
  } catch (cause) {
    if (isLockHeld(cause)) throw new CliError("data-dir-in-use", { detail: folder, cause });
    throw new CliError("data-dir-unusable", { detail: `${folder}: the lock file cannot be locked.`, cause });
  }
}

/**
 * Opens the log of `strongroom up` (JSON lines), to which the KMS's process writes as well. Throws `data-dir-unusable`,
 * also for a log that is no file, or has a second name elsewhere.
 */
export function openLogFile(path: string): RotatingLog {
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found !== undefined && !found.isSymbolicLink() && (!found.isFile() || found.nlink > 1))
      throw new CliError("data-dir-unusable", {
        detail: `The log ${path} ${found.isFile() ? "has a second name elsewhere (a hard link)" : "is no file"}.`,
        remedy: "Move it away: the next start makes a log of its own.",
      });
    return openRotatingLog(path);
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError("data-dir-unusable", {
      detail: `The log ${path} cannot be opened: ${systemReason(cause, { ELOOP: "it is a link, and is not followed" })}.`,
      cause,
    });
  }
}

/** Where a running `strongroom up` listens: it spares the client commands a --url when other ports were chosen. */
export interface RunningInstallation {
  /** The service. */
  readonly url: string;
  /** Region -> the local KMS's endpoint. */
  readonly kms: Readonly<Record<string, string>>;
  /** Region -> path of the socket over which the service reaches the KMS; empty: it is reached over TLS. */
  readonly kmsSockets: Readonly<Record<string, string>>;
  /** Of the endpoints' certificate; null: they speak plain HTTP. */
  readonly kmsTlsFingerprint: string | null;
  /** The port that takes regions of the local KMS away; null where that is not allowed. */
  readonly faultsEndpoint: string | null;
}

/** `up` runs on this machine: a file that names another one is not of `up`, and no token goes there. */
const here = z
  .url({ protocol: /^https?$/ })
  .refine((url) => isThisMachine(new URL(url).hostname.replace(/^\[|\]$/g, "")));

const runningSchema: z.ZodType<RunningInstallation> = z.object({
  url: here,
  kms: z.record(z.string(), here),
  kmsSockets: z.record(z.string(), z.string()).default({}),
  kmsTlsFingerprint: z.string().nullable().default(null),
  faultsEndpoint: here.nullable().default(null),
});

function isThisMachine(host: string): boolean {
  if (host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host)) return true;
  return Object.values(networkInterfaces()).some((found) => found?.some(({ address }) => address === host));
}

/** Reads the file; null where there is none or it is damaged. Throws `file-permissions`; the system's error. */
export function readRunning(path: string): RunningInstallation | null {
  const text = readAuthorityIfPresent(path, "public");
  if (text === null) return null;
  try {
    return runningSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** Writes the file, once everything serves. */
export async function writeRunning(path: string, running: RunningInstallation): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(running, null, 2)}\n`);
}

/** Removes the file, when the installation ends. After a kill it is left behind; then nothing listens there. */
export async function removeRunning(path: string): Promise<void> {
  await rm(path, { force: true });
}
