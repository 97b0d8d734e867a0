// `strongroom backup DIR`: a backup of a whole vault while it runs. First the audit is told of the cut, and it has
// reached the log; then the stores are copied in the order in which what refers comes before what it refers to: the
// records, the keys that they hang on, the audit that tells of both; then the KMS of this folder, which has the keys
// of the keys. Whatever was acknowledged before the cut is in it. At the end the audit is told of what was made.
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createFileSync } from "@strongroom/base/files";
import { liesIn } from "@strongroom/base/paths";
import { backup as backupKms } from "@strongroom/kms";
import type { CommandContext } from "../command.ts";
import type { Config } from "../config/config.ts";
import { type DataFolder, prepareDataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import type { CommandVault } from "../installation/command-vault.ts";
import type { InstalledKeySets } from "../installation/key-sets.ts";
import { approversOf } from "../installation/tokens.ts";
import { withVault } from "../installation/with-vault.ts";
import { sqliteFiles } from "../store/sqlite-state.ts";
import { ALL_ROLES, STORE_ROLES, type StoreRole } from "../store/which.ts";
import { APPROVERS_FILE, approversText, TOO_FEW_APPROVERS } from "./approvers.ts";
import { copyDatabase, copyWhole, measureFile, removeTags, settleDatabase } from "./copy-files.ts";
import { makeDraftFolder } from "./draft-folder.ts";
import { LEDGER_FILE, ledgerOf } from "./erasures-export.ts";
import { type CopiedFacts, factsOf } from "./facts.ts";
import { fileText } from "./file-text.ts";
import {
  type BackupFile,
  type Content,
  digestOf,
  entryOf,
  FORMAT,
  MANIFEST,
  type Manifest,
  manifestText,
  proofText,
} from "./manifest.ts";
import packageJson from "../../package.json" with { type: "json" };

/** What was made. */
export interface BackupReport {
  readonly path: string;
  readonly manifest: Manifest;
  /** The verifier key by which it is checked. */
  readonly key: string;
  readonly bytes: number;
  readonly seconds: number;
  /** What a restore needs beside it. */
  readonly keepElsewhere: readonly string[];
}

/** What is at work. */
export interface BackupWork {
  readonly context: Pick<CommandContext, "terminal" | "signal">;
  readonly config: Config;
  readonly folder: DataFolder;
  readonly opened: Pick<CommandVault, "vault" | "stores">;
  readonly wrappingKeys: Manifest["wrappingKeys"];
  /** What is being filled. */
  readonly path: string;
}

/**
 * Makes a backup in a folder that is not there yet, or is empty. Nothing of it stays when it fails.
 *
 * @throws CliError `folder-not-empty`, `folder-in-use`, `folder-unusable`, `copy-failed`, `backup-incomplete`, and what
 *   opening the vault throws
 */
export async function takeBackup(context: CommandContext, config: Config, target: string): Promise<BackupReport> {
  const began = performance.now();
  const { folder } = await prepareDataFolder(config.dataDir);
  requireApart(target, folder);
  const draft = makeDraftFolder(target);
  try {
    return await withVault(context, { config, folder }, async (opened, { keySets }) => {
      const wrappingKeys = wrappingKeysOf(keySets);
      const sealed = await fillBackup({ context, config, folder, opened, wrappingKeys, path: draft.path });
      context.signal.throwIfAborted();
      draft.publish();
      return reportOf(sealed, { path: target, config, folder, began });
    });
  } finally {
    draft.discard();
  }
}

/** A backup in the folder that it is of is lost with it. @throws CliError `usage` */
export function requireApart(target: string, { path }: DataFolder): void {
  if (!liesIn(target, path)) return;
  throw new CliError("usage", {
    detail: `${target} lies in the data folder: what takes the one takes the other.`,
    remedy: "Name a folder elsewhere, best on another disk.",
  });
}

/** ARNs of the keys without which nothing of a backup opens. */
export function wrappingKeysOf({ records: { current }, keys }: InstalledKeySets): Manifest["wrappingKeys"] {
  return { records: [...current.keys], keys: [...(keys?.current ?? current).keys] };
}

/** What is told of a backup that is whole. */
export function reportOf(
  { manifest, key }: SealedBackup,
  { path, config, folder, began }: Pick<BackupWork, "path" | "config" | "folder"> & { readonly began: number },
): BackupReport {
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  const seconds = Math.round(performance.now() - began) / 1000;
  return { path, manifest, key, bytes, seconds, keepElsewhere: keepElsewhere(config, folder) };
}

/**
 * Fills a folder with a backup, which is whole when it resolves. When it fails, the audit is told of that as well, as
 * far as it takes it.
 *
 * @throws CliError `copy-failed`, `backup-incomplete`; what the audit throws
 */
export async function fillBackup(work: BackupWork): Promise<SealedBackup> {
  const id = randomUUID();
  try {
    const from = new Date().toISOString();
    const cut = await takeCut(work.opened, id);
    const files: BackupFile[] = [];
    for (const role of ALL_ROLES) files.push(await copyStore(work, role));
    for (const file of await copyKmsFiles(work)) files.push(file);
    const facts = await factsOf({ config: work.config, path: work.path, signal: work.context.signal }, files);
    return await seal(work, { id, from, cut, files, facts });
  } catch (cause) {
    const code = cause instanceof CliError ? cause.code : "failed";
    await auditOf(work.opened.vault)
      .tell("backup", code, { details: { backup: id } })
      .catch(() => undefined);
    throw cause;
  }
}

/** A manifest that is in the audit, and the verifier key by which that is checked. */
export interface SealedBackup {
  readonly manifest: Manifest;
  readonly key: string;
}

/** An entry that has reached the log before anything is copied. */
export async function takeCut({ vault, stores }: BackupWork["opened"], backup: string): Promise<Manifest["cut"]> {
  const audit = auditOf(vault);
  await audit.tell("backup", "begun", { details: { backup } });
  await audit.tell("cut", "done", { details: { backup } });
  await audit.sequence();
  const { id, position, at } = await entryOf(stores.audit, "cut", { backup });
  const checkpoint = (await audit.checkpoint()) ?? "";
  return { entry: id, position, at, checkpoint };
}

function auditOf({ audit }: CommandVault["vault"]): NonNullable<CommandVault["vault"]["audit"]> {
  if (audit === null) throw new TypeError("a vault of an installation has an audit");
  return audit;
}

/** A copy of a store that is a file. */
export async function copyStore(work: BackupWork, role: StoreRole): Promise<BackupFile> {
  const { path: from } = sqliteFiles(work.config, role);
  return copied(work, { content: role, form: "sqlite", name: STORE_ROLES[role].file }, async (to) => {
    await copyDatabase(from, to);
    if (role === "records") removeTags(to);
  });
}

/**
 * The KMS of this folder, where there is one, which keys of it are the vault's, by whom a restore is approved where two
 * must, and the ledger of erasures.
 */
export async function copyKmsFiles(work: BackupWork): Promise<readonly BackupFile[]> {
  const { folder } = work;
  const files: BackupFile[] = [];
  if (work.config.keys.regions === undefined)
    files.push(
      await copied(work, { content: "kms", form: "sqlite", name: "kms.sqlite" }, async (to) => {
        await backupKms({ dataDir: folder.kms, to });
      }),
    );
  if (existsSync(folder.keys))
    files.push(
      await copied(work, { content: "region-keys", form: "json", name: "keys.json" }, (to) =>
        copyWhole(folder.keys, to),
      ),
    );
  if (work.config.keys.fourEyes === true)
    files.push(
      await copied(work, { content: "approvers", form: "json", name: APPROVERS_FILE }, async (to) => {
        const approvers = await approversOf(folder);
        createFileSync(to, approversText(approvers));
        if (new Set(approvers.map(({ holder }) => holder)).size < 2) work.context.terminal.say(TOO_FEW_APPROVERS);
      }),
    );
  files.push(
    await copied(work, { content: "erasures", form: "ndjson", name: LEDGER_FILE }, async (to) => {
      let text = "";
      for await (const line of ledgerOf(work.opened.vault)) text += `${line}\n`;
      createFileSync(to, text);
    }),
  );
  return files;
}

async function copied(
  { path, context }: Pick<BackupWork, "path" | "context">,
  file: { readonly content: Content; readonly form: BackupFile["form"]; readonly name: string },
  copy: (to: string) => Promise<void>,
): Promise<BackupFile> {
  context.signal.throwIfAborted();
  const to = join(path, file.name);
  const from = new Date().toISOString();
  await copy(to);
  const copiedIn = { from, to: new Date().toISOString() };
  if (file.form === "sqlite") settleDatabase(to);
  const measured = await measureFile(to, context.signal);
  const one = { ...file, ...measured, copied: copiedIn };
  context.terminal.say(`Copied ${fileText(one)}`);
  return one;
}

/** Tells the audit what was made, and writes that down beside it. */
export async function seal(
  { opened: { vault, stores }, wrappingKeys, path }: BackupWork,
  made: {
    readonly id: string;
    readonly from: string;
    readonly cut: Manifest["cut"];
    readonly files: readonly BackupFile[];
    readonly facts: CopiedFacts;
  },
  last: () => void = () => undefined,
): Promise<SealedBackup> {
  const { id, from, cut, files, facts } = made;
  const audit = auditOf(vault);
  const manifest: Manifest = {
    format: FORMAT,
    id,
    by: packageJson.version,
    made: { from, to: new Date().toISOString() },
    vault: facts.vault,
    cut,
    log: facts.log,
    streams: facts.streams,
    wrappingKeys,
    files: [...files],
  };
  const text = manifestText(manifest);
  const details = { backup: id, manifest: digestOf(text) };
  await audit.tell("backup", "done", { details });
  await audit.sequence();
  const { key } = await audit.status();
  const entry = await entryOf(stores.audit, "backup", details);
  createFileSync(join(path, MANIFEST.proof), await proofText(stores.audit, entry, key));
  last();
  createFileSync(join(path, MANIFEST.file), text);
  return { manifest, key };
}

/** What no backup has, because it would open it. */
function keepElsewhere({ keys, kms: { rootKey } }: Config, folder: DataFolder): readonly string[] {
  const rootKeys = {
    file: `the root key of the KMS, ${rootKey.kind === "file" ? (rootKey.path ?? folder.kmsRootKey) : ""}`,
    passphrase: "the passphrase of the KMS",
    command: "what the command of kms.rootKey prints: the root key of the KMS",
  };
  return [
    ...(keys.regions === undefined ? [rootKeys[rootKey.kind]] : ["the wrapping keys: they stay in their KMS"]),
    ...(existsSync(folder.idKey) ? [`the key of ids of imports, ${folder.idKey}`] : []),
    `the verifier key of the audit, ${folder.auditKey}: by it a backup is known to be this vault's`,
  ];
}
