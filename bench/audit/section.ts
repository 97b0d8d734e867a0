// The audit's part of the page for the documentation.

import { machineText } from "../harness/machine.ts";
import { PEOPLE } from "../scopes/rows.ts";
import type { StoresReport } from "../stores/report.ts";
import { ratesLines, verdictLines, versionsText, weatherText } from "../stores/section.ts";
import { CONTENDER_TITLES, countStoreOutcomes, countText, groupsOf, storeTitle, workText } from "../stores/words.ts";

/** Markdown, with a heading of the second level. `json`: a path as seen from the page. */
export function auditSectionOf(report: StoresReport, { json }: { readonly json: string }): string {
  const { met, missed, "not-measured": notMeasured } = countStoreOutcomes(report);
  const { effort } = report;
  return `## Audit

A vault with an audit beside the same vault without one, both with a key for each person, and beside the same rows in clear. With an audit each read waits until an
entry of it is on the disk, and is compared with the log. The same figures for machines are in [${json}](${json}).

${met} targets met, ${missed} missed, ${notMeasured} not measured. Measured ${report.measuredAt.slice(0, 10)} on ${machineText(report.machine)}${versionsText(report)}.
${weatherText(report)}

### What is asked of the audit

| work | processes | target | measured | by CPU time | |
| --- | ---: | --- | ---: | ---: | --- |
${report.rows.flatMap(verdictLines).join("\n")}

### Rates with an audit and without

Records per second of all processes together, medians of ${effort.rounds} rounds with the slowest and fastest round beside them; the columns are those of the stores' tables.

${groupsOf(report).map(groupSection).join("\n\n")}

### How the audit is measured

- As the scopes are: interleaved rounds, new processes for each turn, every document compared on the clock. The records that are there are ${countText(effort.records)}, about
  ${countText(PEOPLE)} people, whose keys are in memory.
- All three databases lie on the same disk, or in one PostgreSQL server. The log is carried on and signed in the same processes while they are measured; its time is
  part of theirs. An alarm of the audit fails the run, and so does a read without an entry.
- A get waits for one durable commit. "${CONTENDER_TITLES.commit}" is that commit by itself: an entry of the same size, written in the same way, one after the other.
- Over HTTP the vault and the service are in one thread, and the client in another one of the same process: CPU is that of both. The service without an audit is the same
  one over the vault without.

\`\`\`sh
npm run bench:audit                            # everything, a quarter of an hour; writes this section
npm run bench:audit -- --quick                 # briefly: does everything work?
npm run bench:audit -- --rows sqlite-get-64x1 --rounds 5
\`\`\`
${report.absent.map(({ store, reason }) => `\nNot measurable here: ${storeTitle(store)} (${reason}).\n`).join("")}`;
}

const groupSection = (rows: StoresReport["rows"]): string => `#### ${rows.slice(0, 1).map(workText).join("")}

${ratesLines(rows, rows.some(({ work }) => work === "served") ? "unaudited" : "people").join("\n")}`;
