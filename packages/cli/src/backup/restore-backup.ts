// `strongroom restore DIR`: a backup becomes a vault in a new folder. Each file is held against the manifest, and the
// manifest against the audit's key; the stores are opened where nobody looks for them yet, with the restore accepted on
// record, and only then get their place. What was written after the cut is lost, and the audit says so for ever.
import { copyFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { makeFolderSync, publishSync, systemReason } from "@strongroom/base/files";
import { startProgress } from "@strongroom/base/terminal/progress";
import { FLEET_PREFIX, type LedgerCopy, reopenIndexes, type Witness } from "@strongroom/vault";
import type { CommandContext } from "../command.ts";
import type { Config } from "../config/config.ts";
import { dataFolder, prepareDataFolder } from "../data-folder.ts";
import { comparePeople } from "../doctor/people.ts";
import { CliError } from "../errors.ts";
import { openCommandKeys } from "../installation/command-keys.ts";
import { type CommandStores, type CommandVault, openCommandVault } from "../installation/command-vault.ts";
import { givenLedger, ledgerCopies } from "../installation/ledger-copy.ts";
import { openWitnesses } from "../installation/witnesses.ts";
import { ALL_ROLES, placeSettings, sqlitePath, STORE_ROLES } from "../store/which.ts";
import { APPROVERS_FILE, requireTwo, type TwoTokens } from "./approvers.ts";
import { buildIndexes, type BuiltIndexes } from "./build-indexes.ts";
import { type CheckedBackup, checkBackup } from "./check-backup.ts";
import { copyWhole, measureFile } from "./copy-files.ts";
import { makeDraftFolder } from "./draft-folder.ts";
import { countLedger, type Ledger, type LedgerCounts, readLedger } from "./erasures.ts";
import { LEDGER_FILE } from "./erasures-export.ts";
import { inFolder } from "./facts.ts";
import { altered, type BackupFile, type Content, type Manifest } from "./manifest.ts";
import { type ToldWitness, tellWitnesses } from "./tell-witnesses.ts";

/** What is restored, and why. */
export interface RestoreRequest {
  /** The folder of the backup. */
  readonly from: string;
  /** It becomes an entry of the audit, in clear. */
  readonly reason: string;
  /** The verifier key of the vault's audit, kept elsewhere. */
  readonly key: string | null;
  /** The file of a ledger of erasures. */
  readonly erasures: string | null;
  /** `untold`: of a drill, after which the vault goes on as before. */
  readonly witnesses: "told" | "untold";
  /** Whether indexes are built before the vault gets its place. */
  readonly indexes: "built" | "left";
  /** Of the two who restore it. Left out: it needs no two, or is a drill, of which nothing stays. */
  readonly tokens?: TwoTokens;
  /** What is done with the vault while it is open, before it gets its place. */
  readonly whileOpen?: (opened: CommandVault) => Promise<void>;
}

/** What was restored. */
export interface RestoreReport {
  readonly path: string;
  readonly backup: string;
  readonly vault: string;
  readonly cut: Pick<Manifest["cut"], "entry" | "position" | "at">;
  /** The audit's new history, and how many entries it has. */
  readonly history: string;
  readonly entries: number;
  /** Records that the audit knows as written after they were copied, and that are not in the backup. */
  readonly recordsMissing: number;
  /** Null: no ledger was given. */
  readonly erasures: LedgerCounts | null;
  readonly indexes: BuiltIndexes;
  readonly witnesses: readonly ToldWitness[];
  /** The two principals who restored it; left out: nobody asked for two. */
  readonly approvedBy?: readonly [string, string];
  /** The verifier key of the audit from now on. */
  readonly key: string;
}

/**
 * Restores into the data folder of the configuration, which must not be there yet, or be empty. Nothing of it stays
 * when it fails.
 *
 * @throws CliError `backup-altered`, `folder-not-empty`, `folder-in-use`, `folder-unusable`, `copy-failed`,
 *   `restore-refused`, `input-invalid`, what {@link requireTwo} throws, and what opening the vault throws
 */
export async function restoreBackup(
  context: CommandContext,
  config: Config,
  request: RestoreRequest,
): Promise<RestoreReport> {
  const checked = await checkBackup(request.from, request.key, context);
  const { manifest } = checked;
  requireRestorable(config, checked);
  const approvedBy = request.tokens === undefined ? {} : { approvedBy: requireTwo(checked, request.tokens) };
  const ledger = request.erasures === null ? null : await readLedger(request.erasures);
  const files = manifest.files.filter(({ form, content }) => form !== "pg_dump" && !UNPLACED.includes(content));
  if (manifest.files.some(({ form }) => form === "pg_dump"))
    return restoreDumped({ context, config, request, checked, ledger, approvedBy }, files);
  makeParent(config.dataDir);
  const draft = makeDraftFolder(config.dataDir);
  try {
    for (const file of files) await restoreFile(file, request.from, draft.path, context);
    const told = request.witnesses === "told" ? await openWitnesses(config, manifest.vault, context.env) : [];
    const there = inFolder(config, draft.path);
    const report = await opened({ context, config: there, request, checked, ledger, approvedBy }, told.map(silent));
    context.signal.throwIfAborted();
    await placeLog(config, draft.path);
    draft.publish();
    const logPath = sqlitePath(config, "audit");
    const witnesses = await tellWitnesses(told, logPath, report.key);
    if (request.witnesses === "told") await tellKmsWitness(context, config, { manifest, reason: request.reason });
    return { ...report, path: config.dataDir, witnesses };
  } finally {
    draft.discard();
  }
}

/** Dumps were restored by pg_restore, to where the configuration has the stores; the rest goes into the folder. */
async function restoreDumped(restoring: Restoring, files: readonly BackupFile[]): Promise<RestoreReport> {
  const { context, config, request, checked } = restoring;
  makeParent(config.dataDir);
  // A folder of before has tokens, and nothing of the vault.
  const draft = files.length === 0 ? null : makeDraftFolder(config.dataDir);
  try {
    const path = draft?.path ?? (await prepareDataFolder(config.dataDir)).folder.path;
    for (const file of files) await restoreFile(file, request.from, path, context);
    const told = await openWitnesses(config, checked.manifest.vault, context.env);
    const report = await opened({ ...restoring, config: { ...config, dataDir: path } }, told);
    draft?.publish();
    await tellKmsWitness(context, config, { manifest: checked.manifest, reason: request.reason });
    return { ...report, path: config.dataDir, witnesses: told.map(({ name }) => ({ name, told: true })) };
  } finally {
    draft?.discard();
  }
}

function requireRestorable(config: Config, { manifest }: CheckedBackup): void {
  const refuse = (detail: string, remedy: string): never => {
    throw new CliError("restore-refused", { detail, remedy, outcome: "usage" });
  };
  for (const role of ALL_ROLES) {
    const isDumped = manifest.files.some(({ content, form }) => content === role && form === "pg_dump");
    if (isDumped === (placeSettings(config, role).settings.url !== undefined)) continue;
    refuse(
      `The backup has the ${STORE_ROLES[role].label.toLowerCase()} as ` +
        `${isDumped ? "a dump of PostgreSQL" : "a file"}, and the configuration has it in ${isDumped ? "a file" : "PostgreSQL"}.`,
      "Restore it with a configuration of the same kind: store.url, keyStore.url and audit.store say where each lies.",
    );
  }
  const logPath = sqlitePath(config, "audit");
  if (dirname(logPath) !== config.dataDir && existsSync(logPath))
    refuse(`${logPath} (audit.store) is there already.`, "Move it away, or name another file in audit.store.");
  const hasKms = manifest.files.some(({ content }) => content === "kms");
  const { rootKey } = config.kms;
  if (config.keys.regions === undefined && !hasKms)
    refuse(
      "The keys of the backup's keys are in a KMS elsewhere.",
      "Give the configuration of the service (--config FILE), with keys.regions: " +
        `${manifest.wrappingKeys.records.join(", ")}.`,
    );
  if (config.keys.regions === undefined && rootKey.kind === "file" && rootKey.path === undefined)
    refuse(
      "The root key of the KMS is not in the backup, and without it nothing opens.",
      "Name the one that was kept elsewhere: --root-key-file FILE, or --passphrase-file FILE.",
    );
}

function makeParent(dataDir: string): void {
  try {
    makeFolderSync(dirname(dataDir));
  } catch (cause) {
    throw new CliError("folder-unusable", { detail: `${dirname(dataDir)}: ${systemReason(cause)}.`, cause });
  }
}

/** What only the restore itself looks at. */
const UNPLACED: readonly Content[] = ["erasures", "approvers"];

/** Where each file goes in a data folder. */
function placeOf({ content }: BackupFile, path: string): string {
  const folder = dataFolder(path);
  return {
    records: folder.records,
    keys: folder.keyStore,
    audit: folder.auditLog,
    kms: folder.kmsDatabase,
    "region-keys": folder.keys,
    // The stores of the same backup have all of it.
    erasures: join(path, LEDGER_FILE),
    // Tokens are made anew.
    approvers: join(path, APPROVERS_FILE),
  }[content];
}

/** What is copied is measured where it lies now: the backup may change while it is read. */
async function restoreFile(file: BackupFile, from: string, path: string, { signal }: CommandContext): Promise<void> {
  signal.throwIfAborted();
  const to = placeOf(file, path);
  makeFolderSync(dirname(to));
  await copyWhole(join(from, file.name), to);
  const { bytes, sha256 } = await measureFile(to, signal);
  if (bytes !== file.bytes || sha256 !== file.sha256) throw altered(`${file.name} changed while it was copied`);
}

interface Restoring {
  readonly context: CommandContext;
  readonly config: Config;
  readonly request: RestoreRequest;
  readonly checked: CheckedBackup;
  readonly ledger: Ledger | null;
  readonly approvedBy: Pick<RestoreReport, "approvedBy">;
}

type Opened = Omit<RestoreReport, "path" | "witnesses">;

/** Opens the vault where it was copied to: the restore is accepted, everything is adopted, and the audit verified. */
async function opened(
  { context, config, request, checked, ledger, approvedBy }: Restoring,
  witnesses: readonly Witness[],
): Promise<Opened> {
  const { manifest, key } = checked;
  const folder = dataFolder(config.dataDir);
  const { rootKey } = config.kms;
  // The KMS's own witness is told when it has its place.
  const keyParts = { config, folder, signal: context.signal, rootKey, kmsWitness: undefined };
  const keys = await openCommandKeys(keyParts);
  try {
    let erasures: LedgerCounts | null = null;
    const vault = await openCommandVault({
      ...{ config, folder, env: context.env, keySets: keys.keySets, witnesses },
      ledgers: ledgersOf({ context, config, request }, manifest.vault),
      acceptRestore: {
        reason: request.reason,
        backup: manifest.id,
        cut: manifest.cut.entry,
        checkpoint: manifest.cut.checkpoint,
        key,
        ...approvedBy,
      },
      prepare: async (stores) => {
        await requireKeys(stores, context.signal);
        await forgetProcesses(stores.records);
        if (ledger !== null) erasures = await countLedger(ledger, stores.records);
        await reopenIndexes(stores.records);
      },
    });
    try {
      const accepted = await settled(vault, context);
      // Who was erased after the backup was closed before anybody could ask; their records go now.
      await vault.vault.erasure?.resume();
      const indexes = await buildIndexes(vault.vault, request.indexes, context);
      await request.whileOpen?.(vault);
      return {
        ...{ backup: manifest.id, vault: manifest.vault, erasures, indexes, ...accepted, ...approvedBy },
        cut: { entry: manifest.cut.entry, position: manifest.cut.position, at: manifest.cut.at },
      };
    } finally {
      await vault.close();
    }
  } finally {
    await keys.close();
  }
}

/** What says who was erased since: the copies beside the witnesses, and the file that was given. */
function ledgersOf(
  { context, config, request }: Pick<Restoring, "context" | "config" | "request">,
  vaultId: string,
): readonly LedgerCopy[] {
  const kept = ledgerCopies(config, vaultId, context.env);
  // Of a drill nothing is told anywhere.
  const copies =
    request.witnesses === "told" ? kept : kept.map((copy) => ({ ...copy, append: () => Promise.resolve() }));
  return request.erasures === null ? copies : [...copies, givenLedger(request.erasures)];
}

/** It is asked what it has seen, and is not told of what may come to nothing. */
const silent = (witness: Witness): Witness => ({
  name: witness.name,
  examine: (log) => witness.examine(log),
  read: () => witness.read(),
  record: () => Promise.resolve(),
});

/** Those that used the vault that was backed up: here they are not, and nobody is to wait for them. */
async function forgetProcesses({ notes }: Pick<CommandStores["records"], "notes">): Promise<void> {
  for (const { name, text } of await notes.list(FLEET_PREFIX)) await notes.replace(name, null, text);
}

/** The keys must be newer than the records, or the newest people are lost. */
async function requireKeys({ records, keys }: CommandStores, signal: AbortSignal): Promise<void> {
  const { keyless } = await comparePeople(
    { subjects: records.subjects, keys: keys.keys },
    { signal, longestMs: Number.POSITIVE_INFINITY },
  );
  if (keyless.length === 0) return;
  throw new CliError("restore-refused", {
    detail:
      `${keyless.length.toLocaleString("en")} people have records and no key: the key store is older than the ` +
      "records, and their records would be lost.",
    remedy: "Restore records and keys of one backup, or a key store that was copied after the records.",
  });
}

const LOOK_MS = 100;

/** Waits until all records are adopted, and verifies the audit as a whole. */
async function settled(
  { vault: { audit }, stores }: CommandVault,
  { terminal, signal }: CommandContext,
): Promise<Pick<Opened, "history" | "entries" | "recordsMissing" | "key">> {
  if (audit === null) throw new TypeError("a vault of an installation has an audit");
  const adopting = startProgress(terminal, { label: "adopting records", total: null });
  try {
    for (let status = await audit.status(); !status.adopted; status = await audit.status()) {
      signal.throwIfAborted();
      adopting.update(status.size, status.size);
      await delay(LOOK_MS);
    }
  } finally {
    adopting.stop();
  }
  await audit.sequence();
  const verifying = startProgress(terminal, { label: "verifying the audit", total: null });
  const { problems } = await audit
    .verify({
      signal,
      progress: (done) => {
        verifying.update(done, done);
      },
    })
    .finally(() => {
      verifying.stop();
    });
  if (problems.length > 0)
    throw new CliError("restore-refused", {
      detail: "The audit of the backup does not hold:",
      problems: problems.slice(0, 20).map(({ code, message }) => `${message} [${code}]`),
    });
  const { history, size, key } = await audit.status();
  const [row] = await stores.audit.find({ action: "accept-restore" }, { order: "newest", after: null, limit: 1 });
  const { details } = JSON.parse(Buffer.from(row?.text ?? Buffer.from("{}")).toString("utf8")) as {
    readonly details?: { readonly recordsMissing?: number };
  };
  return { history: history ?? "", entries: size, recordsMissing: details?.recordsMissing ?? 0, key };
}

/** Of a configuration that has the log elsewhere than in the data folder. */
async function placeLog(config: Config, path: string): Promise<void> {
  const [from, to] = [dataFolder(path).auditLog, sqlitePath(config, "audit")];
  if (dirname(to) === config.dataDir) return;
  const draft = `${to}.draft`;
  try {
    await copyFile(from, draft);
    publishSync(draft, to, "create");
  } catch (cause) {
    throw new CliError("copy-failed", { detail: `${to}: ${systemReason(cause)}.`, cause });
  }
}

/** It goes on from what its witness has seen only when somebody says why. */
async function tellKmsWitness(
  { signal }: CommandContext,
  config: Config,
  { manifest, reason }: { readonly manifest: Manifest; readonly reason: string },
): Promise<void> {
  const { rootKey, witness: kmsWitness } = config.kms;
  if (kmsWitness === undefined || !manifest.files.some(({ content }) => content === "kms")) return;
  const folder = dataFolder(config.dataDir);
  const keys = await openCommandKeys({ config, folder, signal, rootKey, kmsWitness, acceptRestore: reason });
  await keys.close();
}
