// The whole drill: what a drill before left is cleared, records are written, regions are lost and come back under load,
// and what was felt is held against what is promised. However it ends, the regions are back and the drill's records are
// gone.
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@strongroom/client";
import { CliError } from "../errors.ts";
import { type ControlPort, DRILL_FAULTS } from "./control-port.ts";
import { type DebtSample, type DebtSampler, SAMPLE_EVERY_MS, sampleDebt } from "./debt.ts";
import type { Call } from "./figures.ts";
import { startLoad } from "./load.ts";
import { type AloneReport, type OutageReport, type PhaseName, readFromEachAlone, runOutage } from "./outage.ts";
import { judge, type PromiseResult } from "./promises.ts";
import { DrillRecords, type ReadBack, removeDrillRecords } from "./records.ts";
import { type DrillSettings, PROMISED, WARM_UP_MS, WRITE_SHARE } from "./settings.ts";

/** What a drill works with. */
export interface DrillParts {
  readonly service: Client;
  /** The same service, for tidying up: Ctrl-C does not end its calls. */
  readonly tidying: Client;
  readonly control: ControlPort;
  readonly settings: DrillSettings;
  readonly signal: AbortSignal;
  /** Told what the drill does now. */
  readonly onProgress: (text: string) => void;
}

/** What a drill saw and what follows from it. */
export interface DrillReport {
  readonly settings: DrillSettings;
  /** Nearest first. */
  readonly regions: readonly string[];
  readonly minimum: number;
  readonly outages: readonly OutageReport[];
  readonly readBack: ReadBack;
  readonly alone: readonly AloneReport[] | null;
  readonly promises: readonly PromiseResult[];
  readonly kept: boolean;
}

/** The report, and each call and look behind it. */
export interface DrillRun {
  readonly report: DrillReport;
  readonly calls: readonly Call[];
  readonly debt: readonly DebtSample[];
}

/**
 * Runs it. Throws `faults-not-allowed`, `drill-collection-in-use`, `drill-without-effect`, `drill-not-cleared`,
 * `usage`, or what the service says; a broken promise is no error but part of the report.
 */
export async function runDrill(parts: DrillParts): Promise<DrillRun> {
  const { service, control, settings, onProgress } = parts;
  const { minimum, regions: seen } = await service.regions();
  const regions = seen.map(({ region }) => region);
  await requireControlOf(control, regions);
  const plan = planOutages(settings, regions);
  await removeDrillRecords(service, settings.collection);
  try {
    for (const { region, state, faults } of await control.regions()) {
      if (state === "running" && faults.length === 0) continue;
      const reasons = [...(state === "stopped" ? [state] : []), ...faults.map(({ fault }) => fault.kind)];
      onProgress(`${region} was still away (${reasons.join(", ")}): it is brought back.`);
      await control.clear(region);
    }
    for (const [index, delayMs] of settings.roundTripsMs.entries()) {
      const region = regions[index];
      if (region !== undefined && delayMs > 0)
        await control.apply(region, { kind: "inject", faults: [{ kind: "delay", delayMs }] });
    }
    return await drillUnderLoad(parts, { regions, plan, minimum: settings.minimum ?? minimum });
  } finally {
    await clearUp(parts, regions);
  }
}

type Plan = readonly { readonly fault: DrillSettings["faults"][number]; readonly regions: readonly string[] }[];

interface PreparedDrill {
  readonly regions: readonly string[];
  readonly plan: Plan;
  readonly minimum: number;
}

async function drillUnderLoad(parts: DrillParts, { regions, plan, minimum }: PreparedDrill): Promise<DrillRun> {
  const { service, control, settings, signal, onProgress } = parts;
  const { rate, seed, seconds, deadlineMs, collection } = settings;
  const beganAt = performance.now();
  const clock = (): number => performance.now() - beganAt;
  const records = new DrillRecords({ service, collection, seed, ids: Math.max(100, rate), clock });
  const debt = sampleDebt({ service, clock, signal });
  try {
    const debtBefore = await settled(debt, clock);
    if (debtBefore > 0) onProgress(`${debtBefore} wraps are owed already; the drill counts what it adds.`);
    await records.create();
    const load = startLoad({ records, rate, writeShare: WRITE_SHARE, seed, clock });
    const outages: OutageReport[] = [];
    try {
      await warmUp(parts, clock);
      for (const { fault, regions: lost } of plan) {
        const onPhase = (phase: PhaseName): void => {
          const cause = phase === "lost" ? ` to ${fault}, ${DRILL_FAULTS[fault].meaning}` : "";
          onProgress(`${lost.join(" and ")}: ${phase}${cause}`);
        };
        const outage = await runOutage(
          { control, load, debt, clock, signal, seconds, debtBefore, onPhase },
          fault,
          lost,
        );
        outages.push(outage);
        // With wraps still owed the next outage would be one of more regions than it takes away.
        if (outage.debt.paidMs === null) break;
      }
    } finally {
      await load.stop();
    }
    requireEffect(outages);
    onProgress(`Reading back ${records.acknowledged.toLocaleString("en")} acknowledged writes`);
    const readBack = await records.readBack();
    const isPaid = outages.every(({ debt: { paidMs } }) => paidMs !== null);
    if (isPaid) onProgress("Reading them from each region alone");
    // How far away a region is says nothing about its wraps.
    for (const region of regions) await control.clear(region);
    const alone = isPaid ? await readFromEachAlone({ service, control, records, regions, signal }) : null;
    signal.throwIfAborted();
    const promises = judge({
      regions: regions.length,
      minimum,
      deadlineMs,
      outages,
      fewestWraps: fewestWraps(load.calls, outages[0]?.at.began ?? 0),
      readBack,
      alone,
    });
    const kept = promises.every(({ outcome }) => outcome !== "broken");
    return {
      report: { settings, regions, minimum, outages, readBack, alone, promises, kept },
      calls: load.calls,
      debt: debt.samples,
    };
  } finally {
    await debt.stop();
  }
}

/**
 * Load before the first phase, until the service uses every region: what it still holds against one that was away is
 * not this drill's doing. That is given the time in which a return is promised to be noticed.
 */
async function warmUp({ service, signal }: DrillParts, clock: () => number): Promise<void> {
  await sleep(WARM_UP_MS, undefined, { signal });
  const endsAt = clock() + PROMISED.noticedMs;
  const allInUse = async (): Promise<boolean> =>
    (await service.regions()).regions.every(({ state, callsPerSecond }) => state === "up" && callsPerSecond === null);
  while (!(await allInUse()) && clock() < endsAt) await sleep(SAMPLE_EVERY_MS, undefined, { signal });
}

/** What is owed before the drill: it is given the time that is promised to be paid. */
async function settled(debt: DebtSampler, clock: () => number): Promise<number> {
  await debt.untilPaid({ items: 0, endsAt: clock() + PROMISED.debtMs });
  return debt.sample();
}

/** Each fault in each region in turn, with those after it where several are lost together. */
function planOutages({ faults, regions: chosen, lost }: DrillSettings, regions: readonly string[]): Plan {
  const unknown = (chosen ?? []).filter((name) => !regions.includes(name));
  if (unknown.length > 0)
    throw new CliError("usage", {
      detail: `--regions: the service has no ${unknown.join(", ")}; it has ${regions.join(", ")}.`,
    });
  if (lost >= regions.length)
    throw new CliError("usage", {
      detail: `--lost ${lost}: the service has ${regions.length} regions, and one must be left to read from.`,
    });
  return faults.flatMap((fault) =>
    (chosen ?? regions).map((first) => {
      const start = regions.indexOf(first);
      return {
        fault,
        regions: Array.from({ length: lost }, (_, offset) => regions[(start + offset) % regions.length] ?? first),
      };
    }),
  );
}

async function requireControlOf(control: ControlPort, regions: readonly string[]): Promise<void> {
  const controlled = (await control.regions()).map(({ region }) => region);
  const foreign = regions.filter((region) => !controlled.includes(region));
  if (foreign.length === 0) return;
  throw new CliError("faults-not-allowed", {
    detail:
      `The KMS at ${control.endpoint} does not have ${foreign.join(", ")}, which the service uses: it is another ` +
      "installation's.",
  });
}

/** A drill whose faults met no call says nothing: the service uses another KMS. */
function requireEffect(outages: readonly OutageReport[]): void {
  const felt = outages.some(
    ({ hits, phases }) => (hits ?? 0) > 0 || phases.lost.missingWraps > 0 || phases.lost.refusedWrites > 0,
  );
  if (!felt) throw new CliError("drill-without-effect");
}

/** Of the writes since the first phase began: before it a region may still be out that was away before the drill. */
function fewestWraps(calls: readonly Call[], began: number): number | null {
  const wraps = calls.flatMap((call) =>
    call.kind === "write" && call.outcome === "ok" && call.startedAt >= began ? [call.stored] : [],
  );
  return wraps.length === 0 ? null : wraps.reduce((fewest, one) => Math.min(fewest, one));
}

/** Regions first: they matter more than records that are left, which the next drill removes. */
async function clearUp(
  { tidying, control, settings, onProgress }: DrillParts,
  regions: readonly string[],
): Promise<void> {
  const cleared = await Promise.allSettled(regions.map((region) => control.clear(region)));
  const left = regions.filter((_, index) => cleared[index]?.status === "rejected");
  if (left.length > 0) throw new CliError("drill-not-cleared", { detail: `Not brought back: ${left.join(", ")}.` });
  const records = await removeDrillRecords(tidying, settings.collection).catch(() => null);
  onProgress(
    records === null
      ? `The regions are back; records are left in the collection ${settings.collection}, for the next drill to remove.`
      : "The regions are back, and the drill's records are removed.",
  );
}
