// One outage: a healthy phase, regions lost by one fault, the regions back, until they are used again and nothing is
// owed. And what the wraps are worth: with all other regions away, each region alone must open every record.
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@strongroom/client";
import { type ControlPort, DRILL_FAULTS, type FaultName, type AppliedFault } from "./control-port.ts";
import type { DebtSample, DebtSampler } from "./debt.ts";
import { type Call, type Clock, endOf, failoverMs, type PhaseFigures, phaseFigures } from "./figures.ts";
import type { Load } from "./load.ts";
import type { DrillRecords, ReadBack } from "./records.ts";
import { PROMISED } from "./settings.ts";

/** What an outage needs. */
export interface OutageParts {
  readonly control: ControlPort;
  readonly load: Load;
  readonly debt: DebtSampler;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly seconds: number;
  /** What may be owed when the outage is over: what was owed before the drill. */
  readonly debtBefore: number;
  /** Told when a phase begins. */
  readonly onPhase: (phase: PhaseName) => void;
}

/** A phase of an outage. */
export type PhaseName = "healthy" | "lost" | "back";

/** What one outage came to. Times are milliseconds. */
export interface OutageReport {
  readonly fault: FaultName;
  readonly regions: readonly string[];
  readonly phases: Readonly<Record<PhaseName, PhaseFigures>>;
  /** Calls that met the fault at the KMS; null where its port was closed. */
  readonly hits: number | null;
  /** Until latency was back in its normal band; null if it was not while the regions were lost. */
  readonly failoverMs: number | null;
  /** From the regions' return until a write had their wraps again; null if none had. */
  readonly noticedMs: number | null;
  readonly debt: {
    /** Most that was seen to be owed beyond what was owed before. */
    readonly most: number;
    /** From the regions' return until it was paid; null if it was not. */
    readonly paidMs: number | null;
  };
  /** Since the drill began. */
  readonly at: { readonly began: number; readonly lost: number; readonly back: number; readonly ended: number };
}

/** Runs it. The regions are back when it returns or throws. */
export async function runOutage(
  parts: OutageParts,
  fault: FaultName,
  regions: readonly string[],
): Promise<OutageReport> {
  const { control, load, debt, clock, signal, debtBefore } = parts;
  const pause = (): Promise<void> => sleep(parts.seconds * 1000, undefined, { signal });
  const began = clock();
  parts.onPhase("healthy");
  await pause();

  parts.onPhase("lost");
  const lost = clock();
  const applied: AppliedFault[] = [];
  let hits: number | null = null;
  try {
    for (const region of regions) applied.push(await control.apply(region, DRILL_FAULTS[fault].order));
    await pause();
    hits = await hitsOf(control, applied);
  } finally {
    for (const one of applied) await control.revert(one);
  }
  const back = clock();

  parts.onPhase("back");
  const endsAt = back + PROMISED.debtMs;
  const usedAt = await usedAgain(parts, regions, { back, endsAt });
  await debt.untilPaid({ items: debtBefore, endsAt });
  const ended = clock();
  const paidAt = whenPaid(debt.samples, { items: debtBefore, back });

  const of = (phase: PhaseName): readonly Call[] =>
    load.calls.filter((call) => endOf(call) >= began && phaseOf(call, { lost, back }) === phase);
  const healthy = phaseFigures(of("healthy"), { from: began, to: lost });
  return {
    fault,
    regions,
    phases: {
      healthy,
      lost: phaseFigures(of("lost"), { from: lost, to: back }),
      back: phaseFigures(of("back"), { from: back, to: ended }),
    },
    hits,
    failoverMs: failoverMs(of("lost"), healthy, { from: lost, to: back }),
    noticedMs: usedAt === null ? null : usedAt - back,
    debt: {
      most: debt.samples
        .filter(({ at }) => at >= lost)
        .reduce((most, { items }) => Math.max(most, items - debtBefore), 0),
      paidMs: paidAt === null ? null : paidAt - back,
    },
    at: { began, lost, back, ended },
  };
}

/**
 * When the debt was seen to be paid for good: at the first look after the last one that saw more; null if there is
 * none.
 */
function whenPaid(
  samples: readonly DebtSample[],
  { items, back }: { readonly items: number; readonly back: number },
): number | null {
  const after = samples.filter(({ at }) => at >= back);
  const lastUnpaid = after.findLastIndex((sample) => sample.items > items);
  return lastUnpaid === -1 ? back : (after[lastUnpaid + 1]?.at ?? null);
}

/** A call that was under way at any time while the regions were lost belongs to the loss: that is where it was felt. */
function phaseOf(call: Call, { lost, back }: { readonly lost: number; readonly back: number }): PhaseName {
  if (endOf(call) < lost) return "healthy";
  return call.startedAt < back ? "lost" : "back";
}

async function hitsOf(control: ControlPort, applied: readonly AppliedFault[]): Promise<number | null> {
  const ids = new Set(applied.flatMap(({ faultIds }) => faultIds));
  if (ids.size === 0) return null;
  const faults = (await control.regions()).flatMap((region) => region.faults);
  return faults.filter(({ id }) => ids.has(id)).reduce((sum, { hits }) => sum + hits, 0);
}

/** Between two looks at the writes that have ended, in milliseconds. */
const POLL_EVERY_MS = 50;

/**
 * When the first write about somebody new that began after the regions' return, and that has their wraps, was
 * acknowledged; null if there is none until `endsAt`.
 */
async function usedAgain(
  { load, clock, signal }: OutageParts,
  regions: readonly string[],
  { back, endsAt }: { readonly back: number; readonly endsAt: number },
): Promise<number | null> {
  for (;;) {
    const first = load.calls.find(
      (call) =>
        call.kind === "write" &&
        call.isNew &&
        call.outcome === "ok" &&
        call.startedAt >= back &&
        !regions.some((region) => call.missing.includes(region)),
    );
    if (first !== undefined) return endOf(first);
    if (clock() >= endsAt) return null;
    await sleep(POLL_EVERY_MS, undefined, { signal });
  }
}

/** What one region opened by itself. */
export interface AloneReport extends ReadBack {
  readonly region: string;
  /** Whether it was asked for the key of everybody; false: keys that were in memory opened records without it. */
  readonly wasAsked: boolean;
}

/** Tries each of `regions`. The others are back when it returns or throws. */
export async function readFromEachAlone({
  service,
  control,
  records,
  regions,
  signal,
}: {
  readonly service: Pick<Client, "keyCost">;
  readonly control: ControlPort;
  readonly records: DrillRecords;
  readonly regions: readonly string[];
  readonly signal: AbortSignal;
}): Promise<readonly AloneReport[]> {
  const reports: AloneReport[] = [];
  for (const region of regions) {
    signal.throwIfAborted();
    const applied: AppliedFault[] = [];
    try {
      for (const other of regions.filter((name) => name !== region))
        applied.push(await control.apply(other, DRILL_FAULTS.refused.order));
      const before = await readCalls(service);
      const readBack = await records.readBack();
      const after = await readCalls(service);
      const wasAsked = before === null || after === null || after - before >= records.people;
      reports.push({ region, ...readBack, wasAsked });
    } finally {
      for (const one of applied) await control.revert(one);
    }
  }
  return reports;
}

/** Calls of the service to a KMS in order to read; null: it has no key store, so that every read is one. */
async function readCalls(service: Pick<Client, "keyCost">): Promise<number | null> {
  const counted = (await service.keyCost())?.counted;
  return counted === undefined || counted === null ? null : (counted.byPurpose["first"] ?? 0);
}
