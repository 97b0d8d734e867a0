// The report as a page for the documentation.

import { machineText } from "./machine.ts";
import type { Report, RowReport } from "./report.ts";
import {
  byCpuText,
  measuredText,
  numberText,
  OUTCOME_TEXT,
  rateText,
  rateUnit,
  countOutcomes,
  targetText,
  titleOf,
} from "./words.ts";

/**
 * Markdown. The links are the paths of the plot and of the machine-readable report as seen from the page; `sections`
 * are what other runs measured, each with its own heading.
 */
export function pageOf(
  report: Report,
  links: { readonly picture: string; readonly json: string },
  sections: readonly string[] = [],
): string {
  const { met, missed, "not-measured": notMeasured } = countOutcomes(report);
  return `# Performance

What counts is ratios: the same work by several libraries, in one run, on one machine. This page is written by \`npm run bench\`, and its part on the stores by
\`npm run bench:stores\`; the same figures for machines are in [${links.json}](${links.json}).

${met} targets met, ${missed} missed, ${notMeasured} not measured. Measured ${report.measuredAt.slice(0, 10)} on ${machineText(report.machine)}. ${weather(report)}

![Rates of all contenders in all rows](${links.picture})

## Targets

| work | target | measured | by CPU time | |
| --- | --- | --- | --- | --- |
${report.rows.flatMap((row) => row.verdicts.map((verdict) => `| ${row.title} | ${targetText(report, verdict)} | ${measuredText(verdict)} | ${byCpuText(verdict)} | ${OUTCOME_TEXT[verdict.outcome]} |`)).join("\n")}

## All figures

Rates are medians of ${report.rounds} rounds, with the slowest and fastest round beside them. CPU is the time of all threads of the process for each unit.
Memory is the highest resident size of the process, Node itself (about 45 MiB) included.

${report.rows.map((row) => rowSection(report, row)).join("\n\n")}

## How it is measured

- Every contender does every row in a fresh process, one after the other, ${report.rounds} rounds; each round begins with another contender, so a slow spell of the
  machine meets all of them.
- Every contender is run as it is published: the library is built first, its peers come from the registry.
- A run warms up first, then goes on in batches. The clock stops after each batch and *every* result is verified: what was encrypted is decrypted by the same
  library and compared, what was decrypted is compared. Streams are checked as their row says. A wrong result fails the run.
- A target is judged by the medians. A peer that cannot be measured leaves its target "not measured", never met.
- Ratios by CPU time stand beside those by the clock: they leave out what other programs on the machine took, and count all threads of a process.
- All contenders get the same bytes and, where they take one, the same encryption context of three entries.

\`\`\`sh
npm run bench                                  # everything, about half an hour; writes this page
npm run bench -- --quick                       # one short round to see that all of it works; writes nothing
npm run bench -- --rows encrypt-1k,decrypt-1k --rounds 5
npm run bench -- --json                        # the report as JSON on standard output
\`\`\`

| contender | version |
| --- | --- |
${report.contenders.map(({ title, version }) => `| ${title} | ${version ?? `Node ${report.machine.node}`} |`).join("\n")}
${absentSection(report)}${sections.map((section) => `\n${section}`).join("")}`;
}

/** A machine that was busy with other things makes ratios by the clock doubtful, and the page has to say so. */
function weather({ load, machine }: Report): string {
  const busy = load.during > machine.cores;
  const figures = `load average ${load.before.toFixed(1)} before the run and ${load.during.toFixed(1)} at its end`;
  return busy
    ? `The machine was busy with other work (${figures}): ratios by CPU time are the better guide in this run.`
    : `The machine was quiet (${figures}).`;
}

function rowSection(report: Report, row: RowReport): string {
  const own = row.results.find(({ contender }) => contender === row.subject);
  const lines = row.results.map((result) => {
    const ratio = own === undefined ? "" : `${numberText(own.rate.median / result.rate.median)}x`;
    const cells = [
      result.contender === row.subject ? `**${titleOf(report, result.contender)}**` : titleOf(report, result.contender),
      rateText(row, result.rate.median),
      `${rateText(row, result.rate.lowest)} to ${rateText(row, result.rate.highest)}`,
      ratio,
      row.unit === "bytes" ? "" : `${numberText(result.cpuMicrosPerUnit)} us`,
      `${numberText(result.peakRssMiB)} MiB`,
      result.latencyMs === null ? "" : `${numberText(result.latencyMs.p50)} / ${numberText(result.latencyMs.p99)} ms`,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return `### ${row.title}

${row.description}

| contender | ${rateUnit(row)} | slowest to fastest round | ours is | CPU each | memory | p50 / p99 |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
${lines.join("\n")}`;
}

function absentSection(report: Report): string {
  if (report.absent.length === 0) return "";
  return `
## Not measurable here

${report.absent.map(({ id, reason }) => `- ${id}: ${reason}`).join("\n")}
`;
}
