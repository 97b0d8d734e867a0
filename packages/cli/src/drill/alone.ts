// What the wraps are worth: with all other regions away, each region alone must open every record.
import type { ControlPort, Struck } from "./control-port.ts";
import { DRILL_FAULTS } from "./faults.ts";
import type { DrillRecords, ReadBack } from "./records.ts";

/** What one region opened by itself. */
export interface AloneReport extends ReadBack {
  readonly region: string;
}

/** Tries each of `regions`. The others are back when it returns or throws. */
export async function readFromEachAlone({
  control,
  records,
  regions,
  signal,
}: {
  readonly control: ControlPort;
  readonly records: DrillRecords;
  readonly regions: readonly string[];
  readonly signal: AbortSignal;
}): Promise<readonly AloneReport[]> {
  const reports: AloneReport[] = [];
  for (const region of regions) {
    signal.throwIfAborted();
    const struck: Struck[] = [];
    try {
      for (const other of regions.filter((name) => name !== region))
        struck.push(await control.strike(other, DRILL_FAULTS.refused.order));
      reports.push({ region, ...(await records.readBack()) });
    } finally {
      for (const one of struck) await control.heal(one);
    }
  }
  return reports;
}
