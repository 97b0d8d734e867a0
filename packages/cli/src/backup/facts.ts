// What the copies of the stores are: read from the copies themselves, which shows that they open.
import type { AuditLog, KeyStore, Store } from "@strongroom/vault";
import { CompactRange } from "@strongroom/tlog/tree";
import type { Config } from "../config/config.ts";
import { dataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import { openToRead, type StoreParts } from "../store/open.ts";
import { STORE_ROLES, type StoreRole } from "../store/which.ts";
import { join } from "node:path";
import { measureFile, settleDatabase } from "./copy-files.ts";
import type { BackupFile, Manifest } from "./manifest.ts";

/** What is told of the copies. */
export type CopiedFacts = Pick<Manifest, "vault" | "log" | "streams">;

/** The log lies in the data folder. */
export function withoutStore({ store: _, ...audit }: Config["audit"]): Config["audit"] {
  return audit;
}

/** The configuration of an installation whose stores are the files of a folder. */
export function inFolder(config: Config, path: string): Config {
  return {
    ...config,
    dataDir: path,
    store: { ...config.store, url: undefined },
    keyStore: { ...config.keyStore, url: undefined },
    audit: withoutStore(config.audit),
  };
}

interface Copies {
  readonly config: Config;
  readonly path: string;
  readonly signal: AbortSignal;
}

/** Opens each copy, and takes its size and hash anew: to open a database is to write to it. */
export async function factsOf(copies: Copies, files: BackupFile[]): Promise<CopiedFacts> {
  const vault = await reading(partsOf(copies), "records", async ({ gate }) => (await gate.current()).vault);
  return { vault, ...(await streamsOfFiles(copies, files)) };
}

/** The same of those that are databases of SQLite; of others nothing is known. */
export async function streamsOfFiles(copies: Copies, files: BackupFile[]): Promise<Omit<CopiedFacts, "vault">> {
  const parts = partsOf(copies);
  const isFile = (role: StoreRole): boolean => files.some(({ content, form }) => content === role && form === "sqlite");
  const records = isFile("records") ? await reading(parts, "records", streamsOf) : null;
  const keys = isFile("keys") ? await reading(parts, "keys", streamsOf) : null;
  const log = isFile("audit") ? await reading(parts, "audit", logOf) : null;
  for (const [index, file] of files.entries()) {
    if (file.form !== "sqlite") continue;
    settleDatabase(join(copies.path, file.name));
    files[index] = { ...file, ...(await measureFile(join(copies.path, file.name), copies.signal)) };
  }
  return { log, streams: { records, keys } };
}

const partsOf = ({ config, path }: Copies): StoreParts => ({
  config: inFolder(config, path),
  folder: dataFolder(path),
  env: {},
});

async function reading<Role extends StoreRole, Result>(
  parts: StoreParts,
  role: Role,
  read: (store: NonNullable<Awaited<ReturnType<typeof openToRead<Role>>>>["store"]) => Promise<Result>,
): Promise<Result> {
  const opened = await openToRead(parts, role);
  if (opened === null)
    throw new CliError("backup-incomplete", {
      detail: `${STORE_ROLES[role].file} is not a database of this version.`,
      remedy: "Start this version of Strongroom on the vault once: it brings its databases to what it needs.",
    });
  try {
    return await read(opened.store);
  } finally {
    await opened.close();
  }
}

const PAGE = 1000;

async function streamsOf({ outbox }: Pick<Store | KeyStore, "outbox">): Promise<[string, number][]> {
  const all: [string, number][] = [];
  let after: Parameters<typeof outbox.listStreams>[0]["after"] = null;
  for (;;) {
    const page: Awaited<ReturnType<typeof outbox.listStreams>> = await outbox.listStreams({ after, limit: PAGE });
    for (const { stream, last } of page) all.push([stream, last]);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return all;
    after = last.stream;
  }
}

async function logOf(log: AuditLog): Promise<Manifest["log"]> {
  const { history, size, subtrees } = await log.state();
  if (history === null)
    throw new CliError("backup-incomplete", { detail: "Nothing is in the copy of the audit's log." });
  const range = new CompactRange();
  for (const { height, hash } of subtrees) range.append(hash, height);
  return { history, size, root: Buffer.from(range.root()).toString("base64") };
}
