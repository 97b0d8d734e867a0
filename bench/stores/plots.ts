// The stores' figures as pictures: rates by the number of processes, and what changes as a store grows.

import { drawPanels, type Bar, type Panel } from "../harness/bars.ts";
import { numberText } from "../harness/words.ts";

import type { Size } from "./growth.ts";
import type { StoreRowReport, StoresReport } from "./report.ts";
import { resultIn } from "./report.ts";
import type { ContenderId } from "./rows.ts";
import { CONTENDER_TITLES, countText, groupsOf, processesText, storeTitle, workText } from "./words.ts";

const ORDER: readonly ContenderId[] = ["vault", "clear"];

/** An SVG document: a panel for each kind of work on each store. */
export function ratesPlotOf(report: StoresReport): string {
  return drawPanels(
    groupsOf(report).map((rows) => panelOf(report, rows)),
    {
      label: "Records per second of the vault and of the same rows in clear, by the number of processes",
      note: "Red marks: the rate that a target asks for. Longer is faster.",
    },
  );
}

function panelOf(report: StoresReport, rows: readonly StoreRowReport[]): Panel {
  const [first] = rows;
  const bars = ORDER.flatMap((contender) =>
    rows.flatMap(({ processes, results, verdicts }): Bar[] => {
      const result = resultIn(results, contender);
      if (result === undefined) return [];
      const marks = verdicts.flatMap(({ target }) => {
        if (contender !== "vault" || target.kind !== "ratio") return [];
        const other = resultIn(report.rows.find(({ id }) => id === target.row)?.results, target.contender);
        return other === undefined ? [] : [other.rate.median * target.atLeast];
      });
      return [
        {
          label: `${CONTENDER_TITLES[contender]}, ${processesText(processes)}`,
          value: result.rate.median,
          text: numberText(result.rate.median),
          own: contender === "vault",
          marks,
        },
      ];
    }),
  );
  return { title: first === undefined ? "" : workText(first), unit: "records/s", bars };
}

/** What is drawn of each size. */
const GROWTH: readonly {
  readonly title: string;
  readonly unit: string;
  readonly value: (size: Size) => number;
}[] = [
  { title: "Writing, in batches", unit: "records/s", value: ({ written, growth }) => written / (growth.ms / 1_000) },
  { title: "Size on disk", unit: "bytes a record", value: ({ bytesPerRecord }) => bytesPerRecord },
  { title: "Memory of the process that writes", unit: "MiB", value: ({ growth }) => growth.peakRssMiB },
  { title: "Start, to the first document", unit: "ms", value: ({ started }) => started.startMs },
  { title: "Read of one row", unit: "ms", value: ({ started }) => started.readMs },
  { title: "Proof that no version has a wrap set", unit: "ms", value: ({ inventory }) => inventory.absentMs },
  { title: "Count of every version by its wrap set", unit: "ms", value: ({ inventory }) => inventory.countMs },
];

/** An SVG document: a panel for each figure, with every store at every size. */
export function growthPlotOf({ sizes }: StoresReport): string {
  return drawPanels(
    GROWTH.map(({ title, unit, value }) => ({
      title,
      unit,
      bars: sizes.map((size) => ({
        label: `${storeTitle(size.store)}, ${countText(size.records)} records`,
        value: value(size),
        text: numberText(value(size)),
        own: true,
        marks: [],
      })),
    })),
    {
      label: "What changes as a store grows",
      note: "Bars of the same length for all sizes: it does not depend on the size.",
    },
  );
}
