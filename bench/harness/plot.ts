// The report as a picture: a panel of bars for each row, and on the subject's bar a mark for every rate that a target
// asks of it.

import { drawPanels, type Panel } from "./bars.ts";
import type { Report, RowReport } from "./report.ts";
import { rateText, rateUnit, titleOf } from "./words.ts";

/** An SVG document; readable in light and dark surroundings. */
export function plotOf(report: Report): string {
  return drawPanels(
    report.rows.map((row) => panelOf(report, row)),
    {
      label: "Rates of all contenders in all rows",
      note: "Red marks: the rate a target asks for, the other contender's rate times its factor. Longer is faster.",
    },
  );
}

function panelOf(report: Report, row: RowReport): Panel {
  const marks = row.verdicts.flatMap(({ target }) => {
    if (target.kind !== "ratio") return [];
    const other = row.results.find(({ contender }) => contender === target.against);
    return other === undefined ? [] : [other.rate.median * target.atLeast];
  });
  return {
    title: row.title,
    unit: rateUnit(row),
    bars: row.results.map(({ contender, rate }) => ({
      label: titleOf(report, contender),
      value: rate.median,
      text: rateText(row, rate.median),
      own: contender === row.subject,
      marks: contender === row.subject ? marks : [],
    })),
  };
}
