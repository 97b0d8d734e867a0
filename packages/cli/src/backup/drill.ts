// `strongroom backup --drill`: a backup is restored into a scratch folder, every version of every record is opened and
// held against the audit, and the folder is removed. The vault goes on meanwhile; no witness is told of a history that
// ends with the drill.
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemReason } from "@strongroom/base/files";
import type { Vault, VerifyReport } from "@strongroom/vault";
import type { CommandContext } from "../command.ts";
import type { Config } from "../config/config.ts";
import { dataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import { startPartsBar } from "../verify/parts-bar.ts";
import { withoutStore } from "./facts.ts";
import { restoreBackup } from "./restore-backup.ts";
import { takeBackup } from "./take-backup.ts";
import { storeDumps } from "./with-postgres.ts";

/** What is drilled. */
export interface DrillRequest {
  /** The folder of a backup; where there is none, one is made there and stays. Null: one is made, and removed. */
  readonly backup: string | null;
  /** So many records, people and keys, drawn; null: all. */
  readonly sample: number | null;
  readonly key: string | null;
}

/** What came of it. */
export interface DrillReport {
  readonly backup: string;
  readonly vault: string;
  readonly cut: { readonly entry: string; readonly at: string };
  /** Where it lies; null: it was made for the drill, and removed. */
  readonly path: string | null;
  /** Of everything that was restored, or of a sample of it. */
  readonly verification: VerifyReport;
  /** Of the whole drill. */
  readonly seconds: number;
}

const REASON = "a drill of a restore, which ends with it";

/** Runs it. Throws what {@link takeBackup} and {@link restoreBackup} do. */
export async function drillBackup(
  context: CommandContext,
  config: Config,
  { backup, sample, key }: DrillRequest,
): Promise<DrillReport> {
  const began = performance.now();
  if (storeDumps(config).length > 0)
    throw new CliError("usage", {
      detail: "The stores lie in PostgreSQL: a drill would write into a database.",
      remedy:
        "Restore the dumps into a database of their own, with a configuration that names it: strongroom restore DIR.",
    });
  const scratch = await scratchFolder(config.dataDir);
  try {
    const from = backup ?? join(scratch, "backup");
    if (!existsSync(from)) await takeBackup(context, config, from);
    const { rootKey } = config.kms;
    const isInFolder = rootKey.kind === "file" && rootKey.path === undefined;
    const there: Config = {
      ...config,
      dataDir: join(scratch, "restored"),
      audit: withoutStore(config.audit),
      kms: {
        ...config.kms,
        rootKey: isInFolder ? { kind: "file", path: dataFolder(config.dataDir).kmsRootKey } : rootKey,
        witness: undefined,
      },
    };
    const verified: VerifyReport[] = [];
    const report = await restoreBackup(context, there, {
      ...{ from, reason: REASON, key, erasures: null, witnesses: "untold" },
      // They are built from every record: of a sample that would open what is not in it.
      indexes: sample === null ? "built" : "left",
      whileOpen: async ({ vault }) => {
        verified.push(await openAll(vault, sample, context));
      },
    });
    const [verification] = verified;
    if (verification === undefined) throw new TypeError("a restore that is drilled is verified while it is open");
    const seconds = Math.round(performance.now() - began) / 1000;
    const { vault, cut } = report;
    return { backup: report.backup, vault, cut, path: backup, verification, seconds };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** @throws CliError `drill-failed` */
export function requireNoProblems({ verification: { problems } }: DrillReport): void {
  const codes = Object.entries(problems);
  if (codes.length === 0) return;
  const told = codes.map(([code, count]) => `${count.toLocaleString("en")} × ${code}`);
  throw new CliError("drill-failed", { detail: "Not everything of the backup is as it was written:", problems: told });
}

/** Beside the data folder: as much is written there, and it is as private. */
async function scratchFolder(dataDir: string): Promise<string> {
  try {
    return await mkdtemp(join(dirname(dataDir), ".strongroom-drill-"));
  } catch (cause) {
    throw new CliError("folder-unusable", { detail: `${dirname(dataDir)}: ${systemReason(cause)}.`, cause });
  }
}

/** Every version and every key, as `strongroom verify` does it. */
async function openAll(
  vault: Vault,
  sample: number | null,
  { terminal, signal }: CommandContext,
): Promise<VerifyReport> {
  const bar = startPartsBar(terminal);
  try {
    return await vault.verify({ ...(sample === null ? {} : { sample }), signal, onProgress: bar.update });
  } finally {
    bar.end();
  }
}
