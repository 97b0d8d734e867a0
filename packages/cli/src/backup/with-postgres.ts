// Backups of vaults that have stores in PostgreSQL: the copies of these are made by its own program, pg_dump, and this
// says how. `begin` takes the cut and says what to run, in which order; `finish` looks at the dumps that were made,
// adds what lies in files behind them, and makes one backup of all. Until then the folder is no backup.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createFileSync } from "@strongroom/base/files";
import { z } from "zod";
import type { CommandContext } from "../command.ts";
import type { Config } from "../config/config.ts";
import { type PostgresPlace, storePlace } from "../config/store-url.ts";
import { prepareDataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import { withVault } from "../installation/with-vault.ts";
import { ALL_ROLES, placeSettings, type StoreRole } from "../store/which.ts";
import { measureFile } from "./copy-files.ts";
import { makeDraftFolder } from "./draft-folder.ts";
import { readDumpHeader } from "./dump-header.ts";
import { streamsOfFiles } from "./facts.ts";
import { altered, type BackupFile, backupFileSchema, cutSchema, type Manifest } from "./manifest.ts";
import { dumpsTags, TAG_TABLES } from "./without-tags.ts";
import {
  type BackupReport,
  type BackupWork,
  copyKmsFiles,
  copyStore,
  reportOf,
  requireApart,
  seal,
  takeCut,
  wrappingKeysOf,
} from "./take-backup.ts";
import { randomUUID } from "node:crypto";

/** In a folder whose backup is begun. */
const BEGUN = "begun.json";

const begunSchema = z.strictObject({
  id: z.uuid(),
  from: z.iso.datetime(),
  cut: cutSchema,
  files: z.array(backupFileSchema),
});

/** A store in PostgreSQL, and the dump of it. */
export interface StoreDump {
  readonly role: StoreRole;
  readonly name: string;
  readonly place: PostgresPlace;
  readonly schema: string;
}

/** The stores that lie in PostgreSQL, in the order in which they are dumped. */
export function storeDumps(config: Config): readonly StoreDump[] {
  return ALL_ROLES.flatMap((role) => {
    const { settings } = placeSettings(config, role);
    if (settings.url === undefined) return [];
    return [{ role, name: `${role}.dump`, place: storePlace(settings.url), schema: settings.schema }];
  });
}

/** Whether a folder has a backup that is begun. */
export const isBegun = (path: string): boolean => existsSync(join(path, BEGUN));

/** A backup that is begun, and what is to be run for it. */
export interface BegunBackup {
  readonly path: string;
  readonly cut: Manifest["cut"];
  readonly commands: readonly string[];
}

/** Takes the cut, copies what comes first and lies in files, and says what to run. */
export async function beginBackup(context: CommandContext, config: Config, target: string): Promise<BegunBackup> {
  const { folder } = await prepareDataFolder(config.dataDir);
  requireApart(target, folder);
  const draft = makeDraftFolder(target);
  try {
    return await withVault(context, { config, folder }, async (opened, { keySets }) => {
      const work = { context, config, folder, opened, wrappingKeys: wrappingKeysOf(keySets), path: draft.path };
      const [id, from] = [randomUUID(), new Date().toISOString()];
      const cut = await takeCut(opened, id);
      const files = await copyFiles(work, "before");
      createFileSync(join(draft.path, BEGUN), `${JSON.stringify({ id, from, cut, files }, null, 2)}\n`);
      draft.publish();
      return { path: target, cut, commands: storeDumps(config).map((dump) => dumpCommand(dump, target)) };
    });
  } finally {
    draft.discard();
  }
}

/** Copies the stores that lie in files: those before the first that is dumped, or those behind it. */
async function copyFiles(work: BackupWork, which: "before" | "behind"): Promise<BackupFile[]> {
  const dumped = storeDumps(work.config).map(({ role }) => role);
  const first = ALL_ROLES.findIndex((role) => dumped.includes(role));
  const roles = ALL_ROLES.filter((role, index) => !dumped.includes(role) && index < first === (which === "before"));
  const files: BackupFile[] = [];
  for (const role of roles) files.push(await copyStore(work, role));
  return files;
}

/** A command line for a shell. The password is asked for, or taken as pg_dump does. */
function dumpCommand({ role, name, place, schema }: StoreDump, path: string): string {
  const parts = [
    "--format=custom",
    "--no-owner",
    "--no-privileges",
    `--schema=${schema}`,
    ...(role === "records" ? TAG_TABLES.map((table) => `--exclude-table-data=${schema}.${table}`) : []),
    `--file=${join(path, name)}`,
  ];
  return ["pg_dump", ...parts, urlOf(place)].map(shellWord).join(" ");
}

/** As PostgreSQL's programs read it: proven, as this program does, unless it is on this machine. */
export function urlOf({ host, port, user, database, tls }: PostgresPlace): string {
  const query = new URLSearchParams();
  if (host.startsWith("/")) query.set("host", host);
  if (tls === "verified") query.set("sslmode", "verify-full");
  const authority = host.startsWith("/") ? "" : `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const asked = query.toString();
  const where = `${encodeURIComponent(user)}@${authority}/${encodeURIComponent(database)}`;
  return `postgresql://${where}${asked === "" ? "" : `?${asked}`}`;
}

export const shellWord = (text: string): string =>
  /^[\w./:@=+%?&,[\]-]+$/.test(text) && !/[?&[\]]/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

/**
 * Looks at the dumps, adds what lies in files, and makes one backup of all.
 *
 * @throws CliError `backup-incomplete`: a dump is missing, or they were made in another order; `backup-altered`
 */
export async function finishBackup(context: CommandContext, config: Config, path: string): Promise<BackupReport> {
  const began = performance.now();
  const { folder } = await prepareDataFolder(config.dataDir);
  const { id, from, cut, files: copied } = readBegun(path);
  const dumps = await lookAtDumps(config, path, { cut, signal: context.signal });
  return withVault(context, { config, folder }, async (opened, { keySets }) => {
    const work = { context, config, folder, opened, wrappingKeys: wrappingKeysOf(keySets), path };
    const files: BackupFile[] = [
      ...copied,
      ...dumps,
      ...(await copyFiles(work, "behind")),
      ...(await copyKmsFiles(work)),
    ];
    const facts = await streamsOfFiles({ config, path, signal: context.signal }, files);
    const { vault } = await opened.stores.records.gate.current();
    const sealed = await seal(work, { id, from, cut, files, facts: { ...facts, vault } }, () => {
      rmSync(join(path, BEGUN));
    });
    return reportOf(sealed, { path, config, folder, began });
  });
}

/** What is to be run so that the dumps of a backup are where the configuration has the stores. */
export function restoreCommands(config: Config, path: string): readonly string[] {
  return storeDumps(config).map(({ name, place }) => {
    const parts = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"];
    return ["pg_restore", ...parts, `--dbname=${urlOf(place)}`, join(path, name)].map(shellWord).join(" ");
  });
}

function readBegun(path: string): z.infer<typeof begunSchema> {
  const { data } = begunSchema.safeParse(JSON.parse(readFileSync(join(path, BEGUN), "utf8")));
  if (data === undefined) throw altered(`${BEGUN} is not what this version writes`);
  return data;
}

const SECOND = 1000;

/** Each is of one moment; none is older than the one before it, nor than the cut. */
async function lookAtDumps(
  config: Config,
  path: string,
  { cut, signal }: { readonly cut: Manifest["cut"]; readonly signal: AbortSignal },
): Promise<readonly BackupFile[]> {
  const files: BackupFile[] = [];
  let before = { name: "the cut", ms: localMs(new Date(cut.at)) };
  for (const { role, name } of storeDumps(config)) {
    const incomplete = (detail: string, remedy: string): CliError =>
      new CliError("backup-incomplete", { detail: `${join(path, name)} ${detail}.`, remedy });
    if (!existsSync(join(path, name)))
      throw incomplete("is not there", "Run what strongroom backup said, in that order, and this again.");
    const { begunMs } = await readDumpHeader(join(path, name));
    if (begunMs + SECOND <= before.ms)
      throw incomplete(
        `was begun before ${before.name}`,
        "Dump them anew in this order, each after the one before has ended: records, keys, audit. In another order " +
          "the newest people have records and no keys.",
      );
    before = { name, ms: begunMs };
    if (role === "records" && (await dumpsTags(join(path, name))))
      throw incomplete(
        "has the tags by which records are found, which no backup may have",
        "Dump it anew by the command that strongroom backup said: it leaves the rows of tags out.",
      );
    const measured = await measureFile(join(path, name), signal);
    const moment = new Date(begunMs + new Date().getTimezoneOffset() * 60 * SECOND).toISOString();
    files.push({ content: role, form: "pg_dump", name, ...measured, copied: { from: moment, to: moment } });
  }
  return files;
}

/** As a clock on the wall of this machine shows it, which is what a dump has. */
const localMs = (time: Date): number => time.getTime() - time.getTimezoneOffset() * 60 * SECOND;
