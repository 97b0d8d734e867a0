// `strongroom backup --drill`: a backup is restored into a scratch folder, every record is opened against the audit,
// and the folder is removed. The vault goes on meanwhile; no witness is told of a history that ends with the drill.
import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemReason } from "@strongroom/base/files";
import { startProgress } from "@strongroom/base/terminal/progress";
import { isVaultError, type Vault } from "@strongroom/vault";
import type { CommandContext } from "../command.ts";
import type { Config } from "../config/config.ts";
import { dataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import { withoutStore } from "./facts.ts";
import { restoreBackup } from "./restore-backup.ts";
import { takeBackup } from "./take-backup.ts";
import { storeDumps } from "./with-postgres.ts";

/** What is drilled. */
export interface DrillRequest {
  /** The folder of a backup; where there is none, one is made there and stays. Null: one is made, and removed. */
  readonly backup: string | null;
  /** So many records, drawn; null: all. */
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
  readonly records: number;
  readonly opened: number;
  /** Of people who are restricted or erased: nobody reads them. */
  readonly closed: number;
  /** Code of the refusal -> how many records. Empty: everything opens. */
  readonly refused: Readonly<Record<string, number>>;
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
    let counts: Counts = { records: 0, opened: 0, closed: 0, refused: {} };
    const report = await restoreBackup(context, there, {
      ...{ from, reason: REASON, key, erasures: null, witnesses: "untold" },
      whileOpen: async ({ vault }) => {
        counts = await openAll(vault, sample, context);
      },
    });
    const seconds = Math.round(performance.now() - began) / 1000;
    return { backup: report.backup, vault: report.vault, cut: report.cut, path: backup, ...counts, seconds };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** @throws CliError `drill-failed` */
export function requireAllOpened({ refused }: DrillReport): void {
  const codes = Object.entries(refused);
  if (codes.length === 0) return;
  const problems = codes.map(([code, count]) => `${count.toLocaleString("en")} records: ${code}`);
  throw new CliError("drill-failed", { detail: "Records of the backup do not open:", problems });
}

/** Beside the data folder: as much is written there, and it is as private. */
async function scratchFolder(dataDir: string): Promise<string> {
  try {
    return await mkdtemp(join(dirname(dataDir), ".strongroom-drill-"));
  } catch (cause) {
    throw new CliError("folder-unusable", { detail: `${dirname(dataDir)}: ${systemReason(cause)}.`, cause });
  }
}

type Counts = Pick<DrillReport, "records" | "opened" | "closed" | "refused">;
type RecordAddress = Parameters<Vault["get"]>[0];

/** Opened at once: readers' entries are committed in groups. */
const AT_ONCE = 64;
const PAGE = 1000;
const CLOSED: ReadonlySet<string> = new Set(["subject-restricted", "subject-erased"]);

async function openAll(vault: Vault, sample: number | null, { terminal, signal }: CommandContext): Promise<Counts> {
  const counts = { records: 0, opened: 0, closed: 0, refused: {} as Record<string, number> };
  const bar = startProgress(terminal, { label: "opening records", total: null });
  const openGroup = async (group: readonly RecordAddress[]): Promise<void> => {
    signal.throwIfAborted();
    for (const code of await Promise.all(group.map((address) => codeOf(vault, address)))) {
      if (code === null) counts.opened++;
      else if (CLOSED.has(code)) counts.closed++;
      else counts.refused[code] = (counts.refused[code] ?? 0) + 1;
    }
    bar.update(counts.opened, counts.opened);
  };
  try {
    const drawn: RecordAddress[] = [];
    let group: RecordAddress[] = [];
    for await (const address of addresses(vault, counts.refused)) {
      counts.records++;
      if (sample !== null) draw(drawn, { address, size: sample, seen: counts.records });
      else if (group.push(address) === AT_ONCE) {
        await openGroup(group);
        group = [];
      }
    }
    await openGroup(group);
    for (let start = 0; start < drawn.length; start += AT_ONCE) await openGroup(drawn.slice(start, start + AT_ONCE));
    return counts;
  } finally {
    bar.stop();
  }
}

/** Every record is among those that are drawn as probably as any other. */
function draw(
  drawn: RecordAddress[],
  { address, size, seen }: { readonly address: RecordAddress; readonly size: number; readonly seen: number },
): void {
  if (drawn.length < size) drawn.push(address);
  else {
    const place = randomInt(seen);
    if (place < size) drawn[place] = address;
  }
}

async function* addresses(vault: Vault, refused: Record<string, number>): AsyncGenerator<RecordAddress> {
  for (const { collection } of await vault.collections()) {
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<Vault["list"]>> = await vault.list(collection, {
        limit: PAGE,
        ...(cursor === null ? {} : { cursor }),
      });
      for (const { id } of page.items) yield { collection, id };
      for (const { code } of page.damaged ?? []) refused[code] = (refused[code] ?? 0) + 1;
      cursor = page.next;
    } while (cursor !== null);
  }
}

/** Null: it opens, and is the newest that the audit knows. */
async function codeOf(vault: Vault, address: RecordAddress): Promise<string | null> {
  try {
    await vault.get(address);
    return null;
  } catch (error) {
    if (!isVaultError(error) || error.code === "audit-unavailable") throw error;
    return error.code;
  }
}
