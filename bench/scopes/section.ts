// The scopes' part of the page for the documentation.

import { machineText } from "../harness/machine.ts";
import type { StoresReport } from "../stores/report.ts";
import { ratesLines, verdictLines, versionsText, weatherText } from "../stores/section.ts";
import { countStoreOutcomes, countText, groupsOf, storeTitle, workText } from "../stores/words.ts";
import { FEW_KEYS, PEOPLE, ROUND_TRIP_MS } from "./rows.ts";

/** Markdown, with a heading of the second level. `json`: a path as seen from the page. */
export function scopesSectionOf(report: StoresReport, { json }: { readonly json: string }): string {
  const { met, missed, "not-measured": notMeasured } = countStoreOutcomes(report);
  const { effort } = report;
  return `## Scopes

A vault with a key store, in each of the three scopes, beside the same rows in clear: the same documents of 1 KB with the same rows of people and links, written and read
through the same store's own interface, unencrypted. There is no audit log in these figures. The same figures for machines are in [${json}](${json}).

${met} targets met, ${missed} missed, ${notMeasured} not measured. Measured ${report.measuredAt.slice(0, 10)} on ${machineText(report.machine)}${versionsText(report)}.
${weatherText(report)}

### What is asked of the scopes

| work | processes | target | measured | by CPU time | |
| --- | ---: | --- | ---: | ---: | --- |
${report.rows.flatMap(verdictLines).join("\n")}

### Rates by scope

Records per second, medians of ${effort.rounds} rounds with the slowest and fastest round beside them; the columns are those of the stores' tables.

${groupsOf(report).map(groupSection).join("\n\n")}

### How the scopes are measured

- As the stores are: interleaved rounds, a new process for each turn, every document compared on the clock and everything that was written read back. The records
  that are there are ${countText(effort.records)}, about ${countText(PEOPLE)} people.
- A raw AES keyring stands for the KMS: in its own time a call costs nothing, so that the vault is measured and no network. Where keys are not in memory, each of its
  calls takes ${ROUND_TRIP_MS} ms, and only ${FEW_KEYS} keys are kept. In \`record\` scope a get always asks the KMS; nothing of it can be kept.
- A batch is about people who are known, none twice; or each of its records is about somebody new, for whom a person and a key are made in the key store first.
- The key store lies beside the records: a second file, or a second schema of the same database.

\`\`\`sh
npm run bench:scopes -- --rounds 3             # everything, six minutes; writes this section
npm run bench:scopes -- --quick                # briefly: does everything work?
npm run bench:scopes -- --rows sqlite-get-64x1 --rounds 5
\`\`\`
${report.absent.map(({ store, reason }) => `\nNot measurable here: ${storeTitle(store)} (${reason}).\n`).join("")}`;
}

const groupSection = (rows: StoresReport["rows"]): string => `#### ${rows.slice(0, 1).map(workText).join("")}

${ratesLines(rows, "people").join("\n")}`;
