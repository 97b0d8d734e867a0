// The whole drill of keys: an installation on a scratch folder, records in it, requests at a steady rate; then all keys
// are rotated, the process is killed once in the middle, and when the run has ended the keys of before are retired and
// everything is opened. However it ends, its processes have ended and the scratch folder is gone.
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { mapBounded } from "@strongroom/base/work";
import type { Client, ConvergenceRun } from "@strongroom/client";
import { isClientError } from "@strongroom/client";
import type { VerifyReport } from "@strongroom/vault";
import type { CommandContext } from "../../command.ts";
import type { Config } from "../../config/config.ts";
import { dataFolder } from "../../data-folder.ts";
import { CliError } from "../../errors.ts";
import { type InstallationKeys, KEY_PURPOSES, readInstallationKeys } from "../../installation/installed-keys.ts";
import { openReport } from "../../retire/report.ts";
import { type Call, type Clock, endOf, type PhaseFigures, phaseFigures, type Span } from "../figures.ts";
import { type Load, startLoad } from "../load.ts";
import type { PromiseResult } from "../promises.ts";
import { DrillRecords, type ReadBack } from "../records.ts";
import { WARM_UP_MS, WRITE_SHARE } from "../settings.ts";
import { type DrilledKey, judgeKeys, type KeyPromiseName } from "./key-promises.ts";
import { DRILL_COLLECTIONS, type DrillSource, openScratch, type Scratch } from "./scratch.ts";
import { ScratchInstallation } from "./scratch-installation.ts";

/** How a drill of keys is run. */
export interface KeyDrillSettings {
  readonly source: DrillSource;
  /** Records that are made, half of them about somebody each, half under the regions' keys. */
  readonly records: number;
  /** Requests a second. */
  readonly rate: number;
  /** Calls of the KMS a second and region for the run. */
  readonly kmsRate: number;
  readonly seed: number;
  /** Between the two looks of each retirement, in seconds. */
  readonly wait: number;
}

/** What it works with. */
export interface KeyDrillParts {
  readonly context: CommandContext;
  readonly config: Config;
  readonly settings: KeyDrillSettings;
  readonly onProgress: (text: string) => void;
}

/** What a drill saw and what follows from it. */
export interface KeyDrillReport {
  readonly settings: KeyDrillSettings;
  readonly run: Pick<ConvergenceRun, "id" | "state" | "forecast" | "progress">;
  /** How long there was no process; null: it was not killed. */
  readonly downSeconds: number | null;
  readonly phases: Readonly<Record<"before" | "rotation", PhaseFigures>>;
  readonly readBack: ReadBack;
  /** Versions that were stored and not acknowledged: of writes that the kill met. */
  readonly unacknowledged: number;
  readonly keys: readonly DrilledKey[];
  readonly verification: VerifyReport | null;
  readonly promises: readonly PromiseResult<KeyPromiseName>[];
  readonly kept: boolean;
  readonly seconds: number;
}

/** Each is a process of its own. */
const RETIRED_AT_ONCE = 3;
/** Between two looks at the run, in milliseconds. */
const LOOK_MS = 250;
/** So long a run may stand still before it is said to be stuck: leases of who died end sooner. */
const STUCK_MS = 180_000;

/**
 * Runs it. Throws `drill-unfinished`, `usage`, or what taking a backup and restoring it does; a broken promise is no
 * error but part of the report.
 */
export async function runKeyDrill(parts: KeyDrillParts): Promise<KeyDrillReport> {
  const { context, config, settings, onProgress } = parts;
  const begun = performance.now();
  onProgress(WHAT_IS_MADE[settings.source.kind]);
  const scratch = await openScratch(context, config, settings.source);
  const installation = new ScratchInstallation(scratch, context.env);
  try {
    await installation.start();
    const seen = await drilled(parts, scratch, installation);
    return { ...seen, settings, seconds: Math.round(performance.now() - begun) / 1000 };
  } finally {
    await installation.stop();
    await rm(scratch.folder, { recursive: true, force: true });
    onProgress("The scratch folder is gone.");
  }
}

const WHAT_IS_MADE: Readonly<Record<DrillSource["kind"], string>> = {
  made: "An installation is made in a scratch folder",
  copy: "The vault is backed up, and restored into a scratch folder",
  backup: "The backup is restored into a scratch folder",
};

async function drilled(
  { context, settings, onProgress }: KeyDrillParts,
  { dataDir }: Scratch,
  installation: ScratchInstallation,
): Promise<Omit<KeyDrillReport, "settings" | "seconds">> {
  const { signal } = context;
  const { rate, seed } = settings;
  const client = await installation.client(signal);
  const beganAt = performance.now();
  const clock: Clock = () => performance.now() - beganAt;
  const keysFile = dataFolder(dataDir).keys;
  const before = await readInstallationKeys(keysFile);
  const records = drillRecords(client, settings, clock);
  onProgress(`${settings.records} records are written, and read and written on, ${settings.rate} requests a second`);
  for (const one of records) await one.create();
  const load = startLoad({ records: inTurn(records), rate, seed, writeShare: WRITE_SHARE, clock });
  let down: Span | null = null;
  try {
    await sleep(WARM_UP_MS, undefined, { signal });
    const from = clock();
    onProgress("All keys are rotated");
    await installation.done([
      ...["keys", "rotate", "--rate", String(settings.kmsRate), "--detach", "--yes"],
      ...installation.rootKey,
    ]);
    if (await isUnderWay(client, signal)) {
      onProgress("Its process is killed, and started again");
      down = await killedAndStarted(installation, clock);
    }
    onProgress("The run goes on by itself, to its end");
    const run = await ended(client, signal);
    await promoted(keysFile, run, signal);
    const to = clock();
    await load.stop();
    const phases = {
      before: phaseFigures(within(load, { from: 0, to: from }, null), { from: 0, to: from }),
      rotation: phaseFigures(within(load, { from, to }, down), { from, to }),
    };
    const failures = (await client.convergence.failures().all()).length;
    onProgress("Every acknowledged version is read back");
    const readBack = await allRead(records);
    const unacknowledged = await Promise.all(records.map((one) => one.unacknowledged()));
    const keys = await retired(installation, client, { before, dataDir, wait: settings.wait, onProgress });
    onProgress("Every version of every record and every key is opened");
    const verification = await verified(installation);
    const promises = judgeKeys({
      ...{ phases, failures, readBack, keys, wasKilled: down !== null, state: run.state },
      verdict: verification?.verdict ?? null,
    });
    return {
      run: { id: run.id, state: run.state, forecast: run.forecast, progress: run.progress },
      downSeconds: down === null ? null : (down.to - down.from) / 1000,
      ...{ phases, readBack, keys, verification, promises },
      unacknowledged: unacknowledged.reduce((sum, count) => sum + count, 0),
      kept: promises.every(({ outcome }) => outcome !== "broken"),
    };
  } finally {
    await load.stop();
  }
}

function drillRecords(client: Client, { records, seed }: KeyDrillSettings, clock: Clock): readonly DrillRecords[] {
  const collections = Object.keys(DRILL_COLLECTIONS);
  const ids = Math.max(1, Math.ceil(records / collections.length));
  return collections.map((collection) => new DrillRecords({ service: client, collection, seed, ids, clock }));
}

/** Requests of several collections, one after the other. */
function inTurn(records: readonly DrillRecords[]): Parameters<typeof startLoad>[0]["records"] {
  let turn = 0;
  const next = (): DrillRecords => {
    const one = records[turn++ % records.length];
    if (one === undefined) throw new TypeError("a drill has a collection");
    return one;
  };
  return { read: () => next().read(), write: () => next().write() };
}

/** Until something is done, and not all; false: the run was over before. */
async function isUnderWay({ convergence }: Client, signal: AbortSignal): Promise<boolean> {
  for (;;) {
    const { run } = await convergence.status();
    if (run?.state !== "running" || run.phase === "end") return false;
    if (run.phase === "add" && run.progress.done > 0) return true;
    await sleep(LOOK_MS, undefined, { signal });
  }
}

async function killedAndStarted(installation: ScratchInstallation, clock: Clock): Promise<Span> {
  const from = clock();
  await installation.kill();
  await installation.start();
  return { from, to: clock() };
}

/** The run when it has ended; as it is, where it does not come any further. */
async function ended({ convergence }: Client, signal: AbortSignal): Promise<ConvergenceRun> {
  let [last, since] = ["", performance.now()];
  for (;;) {
    const { run } = await convergence.status();
    if (run === null) throw new CliError("drill-unfinished", { detail: "There is no run." });
    if (run.state !== "running") return run;
    const step = JSON.stringify([run.phase, run.progress.done, run.progress.calls]);
    if (step !== last) [last, since] = [step, performance.now()];
    else if (performance.now() - since > STUCK_MS) return run;
    await sleep(LOOK_MS, undefined, { signal });
  }
}

/** Until the new keys are those of the installation. */
async function promoted(path: string, { state }: ConvergenceRun, signal: AbortSignal): Promise<void> {
  const endsAt = performance.now() + STUCK_MS;
  while (state === "done" && (await readInstallationKeys(path)).next !== null && performance.now() < endsAt)
    await sleep(LOOK_MS, undefined, { signal });
}

/** The calls that began in a span, without those that met no process. */
function within({ calls }: Load, { from, to }: Span, down: Span | null): readonly Call[] {
  const inTime = calls.filter(({ startedAt }) => startedAt >= from && startedAt < to);
  return down === null ? inTime : inTime.filter((call) => endOf(call) < down.from || call.startedAt > down.to);
}

async function allRead(records: readonly DrillRecords[]): Promise<ReadBack> {
  const all = await Promise.all(records.map((one) => one.readBack()));
  const problems: Record<string, number> = {};
  for (const { problems: some } of all)
    for (const [code, count] of Object.entries(some)) problems[code] = (problems[code] ?? 0) + count;
  return { versions: all.reduce((sum, { versions }) => sum + versions, 0), problems };
}

interface Retiring extends Pick<KeyDrillSettings, "wait">, Pick<KeyDrillParts, "onProgress"> {
  readonly before: InstallationKeys;
  readonly dataDir: string;
}

async function retired(
  installation: ScratchInstallation,
  { convergence }: Client,
  { before, dataDir, wait, onProgress }: Retiring,
): Promise<readonly DrilledKey[]> {
  const lines = await convergence.inventory();
  const left = KEY_PURPOSES.flatMap((purpose) => Object.entries(before[purpose]));
  onProgress(`${left.length} keys are retired`);
  return mapBounded(left, RETIRED_AT_ONCE, async ([region, key]) => {
    const items = lines.filter((line) => line.key === key).reduce((sum, line) => sum + line.items, 0);
    return { key, region, items, problem: await problemOf(installation, { key, dataDir, wait }) };
  });
}

async function problemOf(
  installation: ScratchInstallation,
  { key, dataDir, wait }: { readonly key: string; readonly dataDir: string; readonly wait: number },
): Promise<string | null> {
  const file = join(dataDir, "..", `${key.slice(key.lastIndexOf("/") + 1)}.note`);
  const { code, stdout, stderr } = await installation.run([
    ...["keys", "retire", key, "--wait", String(wait), "--report", file, "--yes", "--json"],
    ...installation.rootKey,
  ]);
  if (code !== 0) return stderr.trim();
  const { verifierKey, state } = JSON.parse(stdout) as {
    readonly verifierKey: string;
    readonly state: { readonly state: string };
  };
  try {
    const { facts } = openReport(await readFile(file, "utf8"), verifierKey);
    return facts.key === key && state.state === "Disabled" ? null : `its report says ${facts.key}, ${state.state}`;
  } catch (error) {
    if (error instanceof CliError || isClientError(error)) return error.message;
    throw error;
  }
}

/** The last line of what `strongroom verify --json` says. */
async function verified(installation: ScratchInstallation): Promise<VerifyReport | null> {
  const { stdout } = await installation.run(["verify", "--json", ...installation.rootKey]);
  for (const line of stdout.trim().split("\n").reverse()) {
    const found = parsed(line);
    if (found !== null && "verdict" in found) return found as unknown as VerifyReport;
  }
  return null;
}

function parsed(line: string): object | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}
