// The page docs/scale.md, made from the model: every figure on it is computed here.
import { ASSUMPTIONS, type Assumption, type Numbers } from "./assumptions.ts";
import {
  busiest,
  callsOf,
  DAY_SECONDS,
  dollarsOf,
  importing,
  MONTH_DAYS,
  outage,
  populationOf,
  repairSeconds,
  rotating,
  SCOPES,
  secondsAt,
  steady,
  STORES,
  trafficOf,
  type Routing,
  type Scope,
} from "./model.ts";
import type { MeasuredSizes } from "./row-sizes.ts";
import { auditPerDay, rotationBytes, storageOf } from "./storage.ts";
import { bytes, count, dollars, percent, time } from "./words.ts";

export const PEOPLE: readonly number[] = [1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
/** Shares of the quota that an import or a rotation may take. */
const SHARES = [0.1, 0.5] as const;
/** A peak that leaves the other half for everything else. */
const COMFORTABLE = 0.5;

/** How traffic may run: in which scope, and what of somebody comes where. */
export interface Way {
  readonly name: string;
  readonly scope: Scope;
  readonly routing: Routing;
}

export const WAYS: readonly Way[] = [
  { name: "`record`", scope: "record", routing: "anywhere" },
  { name: "`subject`, requests to any process", scope: "subject", routing: "anywhere" },
  { name: "`subject`, a person's requests to one process", scope: "subject", routing: "together" },
  { name: "`tenant`", scope: "tenant", routing: "anywhere" },
];

/** The whole page, as Markdown. */
export function scalePage(numbers: Numbers, sizes: MeasuredSizes): string {
  return [
    "# Scale",
    "",
    "Which scope of keys suits how many people, and what another key takes then. Everything here is arithmetic from the " +
      "[assumptions](#assumptions) at the end: a test holds its small cases against what the project's own KMS has " +
      "counted, and no AWS account was asked. `npm run scale` prints this page, and with your own numbers another one: " +
      "`npm run scale -- --set quotaPerSecond=100000 --set regions=2`.",
    "",
    ...answers(numbers, sizes),
    ...imports(numbers),
    ...traffics(numbers),
    ...rotations(numbers, sizes),
    ...outages(numbers),
    ...storage(numbers, sizes),
    ...assumptions(numbers),
  ].join("\n");
}

function answers(numbers: Numbers, sizes: MeasuredSizes): readonly string[] {
  const wide = { ...numbers, cacheKeys: 10 * numbers.cacheKeys };
  const month = (way: Way, people: number): number => monthly(way, people, numbers);
  return [
    "## Which scope for how many people",
    "",
    `How many people there may be while the peak takes no more than ${percent(COMFORTABLE)} of the quota of the region ` +
      `that is asked first (${count(numbers.quotaPerSecond)} calls a second, unless AWS raises it):`,
    "",
    ...table(
      ["scope", "people", "1 million people: calls a month", "a month", "100 million people: a month"],
      WAYS.map((way) => [
        way.name,
        count(mostPeople(way, numbers)),
        count(month(way, 1e6)),
        dollars(dollarsOf(month(way, 1e6), numbers)),
        dollars(dollarsOf(month(way, 1e8), numbers)),
      ]),
    ),
    "",
    `With \`keys.cacheKeys\` at ${wide.cacheKeys.toLocaleString("en")} the second row bears ` +
      `${count(mostPeople(WAYS[1]!, wide))}: there the caches are what is full first.`,
    "",
    "`subject` is the default because each person's key can be erased and is opened apart. Beyond what it bears, in this " +
      "order: more keys in each cache; what is about one person sent to one process, so that the key is opened once a " +
      "visit; a quota that AWS has raised; `tenant` scope, whose price is that a thief of a process's memory has the people of each tenant " +
      "whose key is held. `record` scope is for messages that must open without a key store, not for many people.",
    "",
    "![KMS calls a second at the peak, and hours of a rotation, for 10,000 to a billion people](pictures/scale.svg)",
    "",
    "## What another key takes",
    "",
    `Every wrap under another key set, in ${numbers.regions} regions, with ${percent(SHARES[0])} and with ` +
      `${percent(SHARES[1])} of the quota of each:`,
    "",
    ...table(
      ["people", "scope", "verified", "calls", "price", ...SHARES.map(percent), "kept meanwhile"],
      [1e6, 1e8].flatMap((people) =>
        SCOPES.flatMap((scope) =>
          [true, false].map((verify) => {
            const population = populationOf(people, numbers);
            const lines = rotating(scope, population, { ...numbers, verify });
            const { kept } = rotationBytes(sizes, "postgres", scope, population, numbers);
            return [count(people), `\`${scope}\``, verify ? "all" : "none", ...callCells(lines, numbers), bytes(kept)];
          }),
        ),
      ),
    ),
    "",
    `A run that was given no \`rate\` makes ${count(numbers.runRate)} calls a second and region: a million people in ` +
      `\`subject\` scope take it ${time(secondsAt(numbers.runRate, rotating("subject", populationOf(1e6, numbers), { ...numbers, verify: true })))}, verified. ` +
      `A process makes about ${count(numbers.callsPerProcess)} calls a second beside its other work, so ` +
      `${percent(SHARES[0])} of the quota of ${numbers.regions} regions is ` +
      `${count(processesFor(SHARES[0], numbers))} processes' work, and ${percent(SHARES[1])} is ${count(processesFor(SHARES[1], numbers))}'s.`,
    "",
  ];
}

/** Calls, their price, and the time at each share. */
function callCells(lines: Parameters<typeof callsOf>[0], numbers: Numbers): readonly string[] {
  const calls = Math.round(callsOf(lines, numbers));
  const at = SHARES.map((share) => time(secondsAt(numbers.quotaPerSecond * share, lines)));
  return [count(calls), dollars(dollarsOf(calls, numbers)), ...at];
}

function processesFor(share: number, { quotaPerSecond, regions, callsPerProcess }: Numbers): number {
  return Math.ceil((quotaPerSecond * share * regions) / callsPerProcess);
}

/** Of a peak, in the region that is asked first. */
export function peakCalls({ scope, routing }: Way, people: number, numbers: Numbers): number {
  const { tenants } = populationOf(people, numbers);
  return busiest(steady(scope, trafficOf(people, numbers), tenants, routing, numbers).lines);
}

/** By halving: more people, more calls. */
function mostPeople(way: Way, numbers: Numbers): number {
  const bears = (people: number): boolean => peakCalls(way, people, numbers) <= numbers.quotaPerSecond * COMFORTABLE;
  let [low, high] = [0, 13];
  for (let round = 0; round < 50; round++) {
    const middle = (low + high) / 2;
    if (bears(10 ** middle)) low = middle;
    else high = middle;
  }
  return Number((10 ** low).toPrecision(2));
}

/** Calls in a month, of traffic without a peak. */
function monthly({ scope, routing }: Way, people: number, numbers: Numbers): number {
  const even = { ...numbers, peakFactor: 1 };
  const { tenants } = populationOf(people, even);
  const { lines } = steady(scope, trafficOf(people, even), tenants, routing, even);
  return callsOf(lines, even) * DAY_SECONDS * MONTH_DAYS;
}

function imports(numbers: Numbers): readonly string[] {
  return [
    "## The first import",
    "",
    `${numbers.recordsPerPerson} records about each person, one version of each, all people new. Time is what the ` +
      "quota asks for; the stores have theirs beside it ([Performance](performance.md)).",
    "",
    ...table(
      ["people", "scope", "calls", "price", ...SHARES.map((share) => `at ${percent(share)}`)],
      PEOPLE.flatMap((people) =>
        SCOPES.map((scope) => [
          count(people),
          `\`${scope}\``,
          ...callCells(importing(scope, populationOf(people, numbers), numbers), numbers),
        ]),
      ),
    ),
    "",
  ];
}

function traffics(numbers: Numbers): readonly string[] {
  const { visitsPerDay, readsPerVisit, writesPerVisit, visitSeconds } = numbers;
  return [
    "## Steady traffic",
    "",
    `Each person has ${visitsPerDay} visits a day, of ${readsPerVisit} reads and ${writesPerVisit} write within ` +
      `${visitSeconds} s, and the busiest hour has ${numbers.peakFactor} times the mean. An opened key stays for ` +
      `${numbers.cacheSeconds} s, among ${count(numbers.cacheKeys)} in each process. Requests come at random to any ` +
      "process, so that each process that meets somebody opens their key for itself; or, about one person, all to one. " +
      "The model takes the most that may come of it: where the cache is full a key leaves it sooner.",
    "",
    ...table(
      ["people", "requests/s", "processes", "scope", "keys in memory", "calls/s", "of the quota", "a month"],
      PEOPLE.flatMap((people) => {
        const traffic = trafficOf(people, numbers);
        return WAYS.map((way) => {
          const { tenants } = populationOf(people, numbers);
          const { hitShare } = steady(way.scope, traffic, tenants, way.routing, numbers);
          const calls = peakCalls(way, people, numbers);
          return [
            count(people),
            count(traffic.requests),
            count(traffic.processes),
            way.name,
            way.scope === "record" ? "" : percent(hitShare),
            count(calls),
            percent(calls / numbers.quotaPerSecond),
            dollars(dollarsOf(monthly(way, people, numbers), numbers)),
          ];
        });
      }),
    ),
    "",
    "Calls are those of the region that is asked first, at the peak; the price is of all regions. Many small tenants are many " +
      "keys of tenants: `--set peoplePerTenant=1000` says how many calls. Keys themselves cost $1 a " +
      "month and region each, whatever the people.",
    "",
  ];
}

function rotations(numbers: Numbers, sizes: MeasuredSizes): readonly string[] {
  return [
    "## Rotating everything",
    "",
    `A key has one ReEncrypt in each region, from the old wrap to the new one, and one Decrypt more where new wraps are ` +
      "verified. Of messages in `record` scope none gets a second header: each is opened, sealed anew under a data key of its " +
      `own, and opened once more where it is verified; ${numbers.recordsPerPerson} records of ${numbers.versionsPerRecord} ` +
      "versions each are there. In `tenant` scope the keys of people lie under their tenant's, and only that is wrapped anew. " +
      "Old wraps and messages go without a call. Written is what wraps, messages and the audit's entries come to; the " +
      "database's own log and indexes are not in it.",
    "",
    ...table(
      [
        "people",
        "scope",
        "verified",
        "calls",
        "price",
        ...SHARES.map((share) => `at ${percent(share)}`),
        "kept",
        "written",
      ],
      PEOPLE.flatMap((people) =>
        SCOPES.flatMap((scope) =>
          [true, false].map((verify) => {
            const population = populationOf(people, numbers);
            const lines = rotating(scope, population, { ...numbers, verify });
            const { kept, written, entries } = rotationBytes(sizes, "postgres", scope, population, numbers);
            return [
              count(people),
              `\`${scope}\``,
              verify ? "all" : "none",
              ...callCells(lines, numbers),
              bytes(kept),
              bytes(written + entries),
            ];
          }),
        ),
      ),
    ),
    "",
  ];
}

function outages(numbers: Numbers): readonly string[] {
  const rows = WAYS.map((way) => ({ way, lost: outage(way.scope, way.routing, numbers) }));
  const [{ lost } = { lost: null }] = rows;
  if (lost === null) return [];
  const quota = (calls: number): string => `${count(calls)} (${percent(calls / numbers.quotaPerSecond)})`;
  return [
    `## A region is lost at ${count(numbers.outageRequests)} requests a second`,
    "",
    `${count(lost.traffic.processes)} processes, of the traffic above; the region that is asked first is away for ` +
      `${time(numbers.outageSeconds)}. What it was asked, the next one is. In brackets: of a quota of ` +
      `${count(numbers.quotaPerSecond)} a second.`,
    "",
    ...table(
      ["scope", "before: first region", "meanwhile: next region", "last region", "quota that the next one needs"],
      rows.map(({ way, lost: { before, next, last } }) => [
        way.name,
        quota(before),
        quota(next),
        quota(last),
        count(next / COMFORTABLE),
      ]),
    ),
    "",
    `The last column leaves half of it free. What is beyond its quota is throttled there and goes to the last region, and ` +
      "what is beyond that one's is refused: the quotas to look at are those of the regions that are *not* asked today.",
    "",
    `- **Noticing** costs at most ${count(lost.noticing)} calls, once: ${numbers.breakerStrikes} that fail in each process, and ` +
      `${numbers.hedgeReserve} beside silent ones. Calls beside slow ones are ${percent(numbers.hedgeRatio)} more, at most, at all times. After that ${count(lost.trials)} calls a second ask whether the region is back.`,
    "- **Cold caches.** Where the processes are lost with the region and others begin with nothing in memory, the keys of all " +
      "who are being served are opened once more:",
    "",
    ...table(
      ["scope", "keys to open", ...[1, 10].map((times) => `with a quota of ${count(numbers.quotaPerSecond * times)}`)],
      rows
        .filter(({ way }) => way.scope !== "record")
        .map(({ way, lost: { cold, next } }) => [
          way.name,
          count(cold),
          ...[1, 10].map((times) => {
            const spare = numbers.quotaPerSecond * times - next;
            return spare <= 0 ? "never: it is spent" : time(cold / spare);
          }),
        ]),
    ),
    "",
    "- **Wraps that are owed**, one for each key or message that was made meanwhile, and what paying them takes when the region is " +
      `back, with ${SHARES.map(percent).join(" and ")} of its quota, ${count(numbers.repairPerProcess)} items a second ` +
      "and process at most:",
    "",
    ...table(
      ["scope", "owed a second", "owed in the end", "calls", ...SHARES.map((share) => `at ${percent(share)}`)],
      rows
        .filter(({ way }) => way.routing === "anywhere")
        .map(({ way: { scope }, lost: one }) => [
          `\`${scope}\``,
          count(one.owedPerSecond),
          count(one.owed),
          count(callsOf(one.repair, numbers)),
          ...SHARES.map((share) => (one.owed === 0 ? "" : time(repairSeconds(one, share, numbers)))),
        ]),
    ),
    "",
    "A new tenant is so rare that the model has none.",
    "",
  ];
}

function storage(numbers: Numbers, sizes: MeasuredSizes): readonly string[] {
  const { documentBytes, items, versions } = sizes;
  const rowsOf = (store: (typeof STORES)[number]): readonly (readonly string[])[] =>
    SCOPES.flatMap((scope) =>
      (
        [
          ["person", "somebody new, with a record of one version"],
          ["record", "a further record about them"],
          ["version", "a further version"],
          ["read", "a read"],
        ] as const
      ).map(([row, what]) => {
        const { records, keys, audit } = sizes.rows[store][scope][row];
        return [
          store === "sqlite" ? "SQLite" : "PostgreSQL",
          `\`${scope}\``,
          what,
          ...[records, keys, audit].map(bytes),
        ];
      }),
    );
  return [
    "## Storage",
    "",
    `Measured: documents of ${documentBytes.toLocaleString("en")} bytes, ${items.toLocaleString("en")} of each, in ${sizes.regions} regions, with an ` +
      `audit, on SQLite ${versions.sqlite} and PostgreSQL ${versions.postgres}; indexes are in it, room that the database ` +
      "has left free is not. " +
      "`npm run scale -- --measure` measures again.",
    "",
    ...table(["", "scope", "one more", "records", "keys", "audit"], STORES.flatMap(rowsOf)),
    "",
    `With ${numbers.recordsPerPerson} records about each person and ${numbers.versionsPerRecord} versions of each, on PostgreSQL:`,
    "",
    ...table(
      ["people", "scope", "records", "keys", "audit of the writes", "audit of a day's traffic"],
      PEOPLE.flatMap((people) =>
        SCOPES.map((scope) => {
          const { records, keys, audit } = storageOf(sizes, "postgres", scope, populationOf(people, numbers));
          const day = auditPerDay(sizes, "postgres", scope, { ...numbers, people });
          return [count(people), `\`${scope}\``, ...[records, keys, audit, day].map(bytes)];
        }),
      ),
    ),
    "",
    `While old wraps are kept a key takes ${bytes(rotationBytes(sizes, "postgres", "subject", populationOf(1, numbers), numbers).item)} ` +
      `more, and a version in \`record\` scope its message once more, ${bytes(sizes.messageBytes.record)} of such a document: ` +
      "nearly twice as much.",
    "",
  ];
}

function assumptions(numbers: Numbers): readonly string[] {
  return [
    "## Assumptions",
    "",
    ...table(
      ["name", "value", "what", "from"],
      Object.entries(ASSUMPTIONS as Readonly<Record<string, Assumption>>).map(([name, { unit, what, source }]) => [
        `\`${name}\``,
        `${numbers[name as keyof Numbers].toLocaleString("en")} ${unit}`,
        what,
        source,
      ]),
    ),
    "",
    "Left out: a free tier of 20,000 calls a month, what a cloud asks for traffic between regions, and calls that are repeated " +
      "after an error. Requests are spread over people evenly; people who are looked at more often than others are held in memory " +
      "more often than here.",
    "",
  ];
}

/** Numbers on the right. */
function table(headings: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const isNumber = headings.map((_, at) => rows.every((cells) => /^(?:[$\d-]|less|never|$)/.test(cells[at] ?? "")));
  return [
    `| ${headings.join(" | ")} |`,
    `| ${isNumber.map((right) => (right ? "---:" : "---")).join(" | ")} |`,
    ...rows.map((cells) => `| ${cells.join(" | ")} |`),
  ];
}
