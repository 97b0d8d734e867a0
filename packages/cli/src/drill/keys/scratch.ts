// What a drill of keys plays on: a data folder of its own in a scratch folder, empty, or restored from a backup, with a
// configuration that names nothing of the vault that it was copied from.
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { systemReason } from "@strongroom/base/files";
import { withoutStore } from "../../backup/facts.ts";
import { restoreBackup } from "../../backup/restore-backup.ts";
import { takeBackup } from "../../backup/take-backup.ts";
import { storeDumps } from "../../backup/with-postgres.ts";
import type { CommandContext } from "../../command.ts";
import type { Config, RootKeySetting } from "../../config/config.ts";
import { dataFolder } from "../../data-folder.ts";
import { CliError } from "../../errors.ts";
import { readInstallationKeys } from "../../installation/installed-keys.ts";
import { rootKeyArguments } from "../../installation/kms-child.ts";

/** What is copied: `made`: nothing, records are made. `copy`: the vault of the data folder. Else a backup's folder. */
export type DrillSource = { readonly kind: "made" | "copy" } | { readonly kind: "backup"; readonly path: string };

/** A scratch folder, which is removed at the end. */
export interface Scratch {
  readonly folder: string;
  readonly dataDir: string;
  readonly configFile: string;
  /** As `up` and the others take it. */
  readonly rootKey: readonly string[];
}

/** Collections of the drill, one of each way in which records hang on the keys that are rotated. */
export const DRILL_COLLECTIONS = {
  "strongroom-drill": { scope: "subject" },
  "strongroom-drill-record": { scope: "record" },
} as const;

const REASON = "a drill of keys, which ends with it";
const REGIONS = ["eu-west-1", "eu-west-2", "eu-central-1"] as const;
/** So soon what a process had claimed that was killed is taken by another, in milliseconds. */
const LEASE_MS = 5000;

/**
 * Makes it. Throws `usage` where the vault cannot be copied, and what taking a backup and restoring it does.
 */
export async function openScratch(context: CommandContext, config: Config, source: DrillSource): Promise<Scratch> {
  if (source.kind !== "made") requireOwnKms(config);
  const folder = await scratchFolder(source.kind === "made" ? tmpdir() : dirname(config.dataDir));
  try {
    const dataDir = join(folder, "data");
    const rootKey = source.kind === "made" ? null : rootKeyOf(config);
    if (rootKey !== null) await copyInto(context, config, { folder, dataDir, source, rootKey });
    const remembered = rootKey === null ? REGIONS : regionsOf(await readInstallationKeys(dataFolder(dataDir).keys));
    const configFile = join(folder, "strongroom.config.json");
    const text = JSON.stringify(await scratchConfig(config, dataDir, remembered, source));
    await writeFile(configFile, text, { mode: 0o600 });
    return { folder, dataDir, configFile, rootKey: rootKey === null ? [] : rootKeyArguments(rootKey) };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Its keys are made by the drill: those of another KMS are not the drill's to rotate, and its bill is not either. */
function requireOwnKms(config: Config): void {
  const why =
    config.keys.regions !== undefined
      ? "The keys of this vault lie in a KMS that is configured (keys.regions): a drill would make keys there."
      : storeDumps(config).length > 0
        ? "The stores lie in PostgreSQL: a drill would write into a database."
        : null;
  if (why === null) return;
  throw new CliError("usage", {
    detail: why,
    remedy: "Run it without --copy and --backup: it makes records and keys of its own.",
  });
}

interface Copying {
  readonly folder: string;
  readonly dataDir: string;
  readonly source: DrillSource;
  readonly rootKey: RootKeySetting;
}

async function copyInto(context: CommandContext, config: Config, copying: Copying): Promise<void> {
  const { folder, dataDir, source, rootKey } = copying;
  const from = source.kind === "backup" ? source.path : join(folder, "backup");
  if (!existsSync(from)) await takeBackup(context, config, from);
  const kms = { ...config.kms, rootKey, witness: undefined };
  const there: Config = { ...config, dataDir, audit: withoutStore(config.audit), kms };
  await restoreBackup(context, there, {
    ...{ from, reason: REASON, key: null, erasures: null, witnesses: "untold", indexes: "left" },
    whileOpen: () => Promise.resolve(),
  });
}

function rootKeyOf({ dataDir, kms: { rootKey } }: Config): RootKeySetting {
  const isInFolder = rootKey.kind === "file" && rootKey.path === undefined;
  return isInFolder ? { kind: "file", path: dataFolder(dataDir).kmsRootKey } : rootKey;
}

function regionsOf({ records }: { readonly records: Readonly<Record<string, string>> }): readonly string[] {
  return Object.keys(records);
}

/** As a file has it: what decides how records are stored, and nothing of where the copied vault lies. */
async function scratchConfig(
  { collections, keys }: Config,
  dataDir: string,
  regions: readonly string[],
  source: DrillSource,
): Promise<object> {
  const { scope, minimum, target, proveWraps } = keys;
  return {
    dataDir,
    service: { port: await freePort() },
    kms: { regions: regions.map((name) => ({ name, port: 0 })) },
    ...(source.kind === "made" ? {} : { keys: { scope, minimum, target, proveWraps } }),
    collections: { ...(source.kind === "made" ? {} : collections), ...DRILL_COLLECTIONS },
    repair: { leaseMs: LEASE_MS },
  };
}

/** The same after a restart, so that whoever reads and writes finds it again. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new TypeError("a TCP server has a port");
  return address.port;
}

async function scratchFolder(beside: string): Promise<string> {
  try {
    return await mkdtemp(join(beside, ".strongroom-drill-"));
  } catch (cause) {
    throw new CliError("folder-unusable", { detail: `${beside}: ${systemReason(cause)}.`, cause });
  }
}
