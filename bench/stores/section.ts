// The stores' part of the page for the documentation.

import { machineText } from "../harness/machine.ts";
import { numberText, OUTCOME_TEXT } from "../harness/words.ts";

import { COUNT_BOUND, PAGE } from "./growth-tasks.ts";
import { CONNECTIONS } from "./places.ts";
import { resultIn, type StoreRowReport, type StoresReport } from "./report.ts";
import { BATCH, type ContenderId } from "./rows.ts";
import {
  CONTENDER_TITLES,
  countStoreOutcomes,
  countText,
  groupsOf,
  msText,
  processesText,
  ratioText,
  storeMeasuredText,
  storeTargetText,
  storeTitle,
  workText,
} from "./words.ts";

/** Paths as seen from the page. */
export interface StoresLinks {
  readonly json: string;
  readonly rates: string;
  readonly growth: string;
}

/** Markdown, with a heading of the second level. */
export function sectionOf(report: StoresReport, links: StoresLinks): string {
  const { met, missed, "not-measured": notMeasured } = countStoreOutcomes(report);
  const { effort } = report;
  return `## Stores

Puts and gets of a vault beside the same rows in clear: the same documents of 1 KB written and read through the same store's own interface, unencrypted, in
rows of the same shape. A raw AES keyring wraps the data keys, so that no KMS is measured; every version has a data key of its own. There is no audit log and
there are no subject keys in these figures. The same figures for machines are in [${links.json}](${links.json}).

${met} targets met, ${missed} missed, ${notMeasured} not measured. Measured ${report.measuredAt.slice(0, 10)} on ${machineText(report.machine)}${versionsText(report)}.
${weatherText(report)}

![Records per second by the number of processes](${links.rates})

### What is asked of the stores

| work | processes | target | measured | by CPU time | |
| --- | ---: | --- | ---: | ---: | --- |
${report.rows.flatMap(verdictLines).join("\n")}

### Rates by the number of processes

Records per second of all processes together, medians of ${effort.rounds} rounds with the slowest and fastest round beside them. Latency is that of one operation, a batch
being one. CPU is the time of all threads of the vault's processes for each record; a database server has its own. Memory is the highest resident size of the
process that had most.

${groupsOf(report).map(groupSection).join("\n\n")}

### Growth

${growthSection(report, links)}

### How the stores are measured

- Rows are played in ${effort.rounds} rounds, the vault and the rows in clear one after the other, the one first in one round and the other in the next. Every process of a turn is
  new, and opens the store for itself. Gets are of random records among ${countText(effort.records)}; puts and batches are of new records, with ids in no order, beside those, on a copy of its own
  for each turn.
- The processes of a turn begin when the last one is ready, and warm up; what is counted is only what ended while all of them were at work. None stops before.
- Every document that is read is compared on the clock, in both contenders. When all processes have ended, each reads back every record that it was told was
  written, and the store's own count must be the sum of them. A wrong result fails the run.
- A put in clear is one \`apply\`, a get in clear one \`read\`; the vault also reads the head, writes and parses the JSON, and keeps its turns. That is part of its price.
- SQLite is one file on this machine's disk for all processes. PostgreSQL runs on the same machine as they do, with its own settings (\`fsync\` and
  \`synchronous_commit\` on), ${CONNECTIONS} connections for each process; so the server and the processes share the processors.
- Growth: the rows are written through the store's interface in batches of ${BATCH}, all with the bytes of one message that the vault sealed, because it is the store that
  grows. Its time is that of the last stretch. The disk's size is what all its files take, or the database, without what it took when it was empty. A start is from
  opening the store to the first document, without the time that Node takes for itself; files are in the system's cache.

\`\`\`sh
npm run bench:stores                           # everything, half an hour, 5 GB for a while; writes this section
npm run bench:stores -- --quick                # some rows, briefly, and little growth: does everything work?
npm run bench:stores -- --rows sqlite-get-64x1,sqlite-put-64x4 --rounds 5
npm run bench:stores -- --growth               # growth alone
npm run bench:stores -- --json                 # the report as JSON on standard output
\`\`\`
${report.absent.map(({ store, reason }) => `\nNot measurable here: ${storeTitle(store)} (${reason}).\n`).join("")}`;
}

export function versionsText({ versions }: StoresReport): string {
  const named = [
    versions.sqlite === undefined ? [] : [`SQLite ${versions.sqlite}`],
    versions.postgres === undefined ? [] : [`PostgreSQL ${versions.postgres}`],
  ].flat();
  return named.length === 0 ? "" : `, ${named.join(" and ")}`;
}

/** The run keeps every processor busy itself: what was there before it tells whether others did. */
export function weatherText({ load }: StoresReport): string {
  const figure = `load average ${load.before.toFixed(1)} before the run`;
  return load.before > 1
    ? `The machine was busy with other work (${figure}): ratios by CPU time are the better guide in this run, and latencies say little.`
    : `The machine was quiet (${figure}).`;
}

/** A line for each target of a row. */
export function verdictLines(row: StoreRowReport): readonly string[] {
  return row.verdicts.map((verdict) => {
    const byCpu = verdict.byCpu === null ? "" : ratioText(verdict.byCpu);
    const cells = [workText(row), row.processes, storeTargetText(verdict), storeMeasuredText(verdict), byCpu];
    return `| ${cells.join(" | ")} | ${OUTCOME_TEXT[verdict.outcome]} |`;
  });
}

const groupSection = (rows: readonly StoreRowReport[]): string => `#### ${rows.slice(0, 1).map(workText).join("")}

${ratesLines(rows, "clear").join("\n")}`;

/** The lines of a table: every contender of the rows, the vaults beside the one in clear. */
export function ratesLines(rows: readonly StoreRowReport[], inClear: ContenderId): readonly string[] {
  const lines = rows.flatMap(({ processes, results }) =>
    results.map((result) => {
      const clear = resultIn(results, inClear);
      const isVault = result.contender !== inClear;
      const title = CONTENDER_TITLES[result.contender];
      const cells = [
        isVault ? `**${title}**` : title,
        processesText(processes),
        numberText(result.rate.median),
        `${numberText(result.rate.lowest)} to ${numberText(result.rate.highest)}`,
        isVault && clear !== undefined ? ratioText(result.rate.median / clear.rate.median) : "",
        msText(result.latencyMs.p50),
        msText(result.latencyMs.p99),
        `${numberText(result.cpuMicros)} us`,
        `${numberText(result.peakRssMiB)} MiB`,
      ];
      return `| ${cells.join(" | ")} |`;
    }),
  );
  return [
    "| | | records/s | slowest to fastest round | of clear | p50 | p99 | CPU each | memory |",
    "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...lines,
  ];
}

function growthSection({ sizes }: StoresReport, links: StoresLinks): string {
  if (sizes.length === 0) return "Not measured.";
  const growth = sizes.map(({ store, records, written, growth: { ms, slowestMs, peakRssMiB }, ...size }) => [
    storeTitle(store),
    countText(records),
    `${numberText(ms / 1_000)} s for ${countText(written)}`,
    numberText(written / (ms / 1_000)),
    msText(slowestMs),
    numberText(size.bytesPerRecord),
    `${numberText(peakRssMiB)} MiB`,
    `${numberText(size.started.peakRssMiB)} MiB`,
    msText(size.started.startMs),
    msText(size.started.readMs),
  ]);
  const inventory = sizes.map(({ store, records, inventory: times }) => [
    storeTitle(store),
    countText(records),
    msText(times.absentMs),
    msText(times.presentMs),
    msText(times.countMs),
    msText(times.boundedCountMs),
    msText(times.pageMs),
  ]);
  const messageBytes = sizes[0]?.growth.messageBytes ?? 0;
  return `![What changes as a store grows](${links.growth})

A record is one version with a message of ${countText(messageBytes)} bytes.

| store | records | time | records/s | slowest batch | bytes a record | memory, writing | memory, reading | start | read of a row |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${growth.map(lineOf).join("\n")}

The inventory at these sizes: the proof that no version has a wrap set any more, the same question of a set that all have, a count of all versions, a count that
stops at ${countText(COUNT_BOUND)}, and the first ${PAGE} versions of a set.

| store | records | none has it | all have it | count | count to ${countText(COUNT_BOUND)} | page of ${PAGE} |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
${inventory.map(lineOf).join("\n")}`;
}

const lineOf = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
