// Plays the rows: in every round each row, by both contenders, in fresh processes on stores that hold the same records.
// What writes gets a copy of its own, so that no turn finds what another one left.

import type { Processes } from "./processes.ts";
import type { Place } from "./places.ts";
import { READS, WORKS, type ContenderId, type Effort, type StoreKind, type StoreRow } from "./rows.ts";
import type { Site } from "./sites.ts";
import { together, type Together } from "./window.ts";

/** What a turn found. */
export interface StoreTurn {
  readonly row: string;
  readonly contender: ContenderId;
  readonly round: number;
  readonly together: Together;
  /** Of the process that had most. */
  readonly peakRssMiB: number;
  /** Results that were checked, what was read back included. */
  readonly verified: number;
}

/** A turn that ended in an error: a wrong result, a crash or the time limit. It makes the run fail. */
export interface StoreFailure {
  readonly row: string;
  readonly contender: ContenderId | null;
  readonly round: number | null;
  readonly message: string;
}

export interface Rounds {
  readonly processes: Processes;
  readonly rows: readonly StoreRow[];
  readonly sites: readonly Site[];
  readonly effort: Effort;
  /** Told before each step, for a line of progress. */
  readonly onStep: (step: string) => void;
}

/** As far apart as the numbers of two processes' records begin. */
const STRETCH = 10_000_000;

export async function playTurns(
  rounds: Rounds,
): Promise<{ readonly turns: readonly StoreTurn[]; readonly failures: readonly StoreFailure[] }> {
  const { rows, effort, onStep } = rounds;
  const turns: StoreTurn[] = [];
  const failures: StoreFailure[] = [];
  const filled = await fillAll(rounds, failures);
  for (let round = 0; round < effort.rounds; round++)
    for (const row of rows)
      for (const contender of round % 2 === 0 ? row.contenders : row.contenders.toReversed()) {
        const source = filled.get(keyOf(row.store, contender));
        if (source === undefined) continue;
        onStep(`round ${round + 1}/${effort.rounds}  ${row.id}  ${contender}`);
        try {
          turns.push(await playOn(source, { ...rounds, row, contender, round }));
        } catch (error) {
          failures.push({ row: row.id, contender, round, message: messageOf(error) });
        }
      }
  for (const { site, place } of filled.values()) await site.remove(place);
  return { turns, failures };
}

interface Filled {
  readonly site: Site;
  readonly place: Place;
}

/** A store for each contender, with the records that are read. */
async function fillAll(
  { rows, sites, effort, processes, onStep }: Rounds,
  failures: StoreFailure[],
): Promise<ReadonlyMap<string, Filled>> {
  const filled = new Map<string, Filled>();
  for (const site of sites.filter(({ kind }) => rows.some(({ store }) => store === kind)))
    for (const contender of new Set(rows.flatMap(({ store, contenders }) => (store === site.kind ? contenders : [])))) {
      onStep(`${effort.records} records  ${site.kind}  ${contender}`);
      try {
        const place = await site.make();
        if (place.kind !== "memory")
          await processes.ask({ kind: "fill", place, contender, records: effort.records }, "filled");
        await site.settle(place);
        filled.set(keyOf(site.kind, contender), { site, place });
      } catch (error) {
        failures.push({ row: `${site.kind}-fill`, contender, round: null, message: messageOf(error) });
      }
    }
  return filled;
}

/** One turn to be played. */
interface Part extends Pick<Rounds, "processes" | "effort"> {
  readonly row: StoreRow;
  readonly contender: ContenderId;
  readonly round: number;
}

async function playOn({ site, place }: Filled, part: Part): Promise<StoreTurn> {
  if (READS.has(part.row.work)) return play(place, part);
  const own = await site.copy(place);
  try {
    return await play(own, part);
  } finally {
    await site.remove(own);
  }
}

/** All processes are ready before any begins, have enough before any stops, and have stopped before any reads back. */
async function play(place: Place, { processes, effort, row, contender, round }: Part): Promise<StoreTurn> {
  const { work, atOnce } = row;
  const { warmupMs, measureMs, records } = effort;
  await using workers = new AsyncDisposableStack();
  const all = Array.from({ length: row.processes }, (_, index) => {
    const first = (index + 1) * STRETCH;
    const order = { kind: "play", place, contender, work, atOnce, warmupMs, measureMs, records, first } as const;
    return workers.use(processes.start(order));
  });
  await Promise.all(all.map((worker) => worker.answer("ready")));
  for (const worker of all) worker.goOn();
  await Promise.all(all.map((worker) => worker.answer("enough")));
  for (const worker of all) worker.goOn();
  const ran = await Promise.all(all.map((worker) => worker.answer("ran")));
  for (const worker of all) worker.goOn();
  const verified = await Promise.all(all.map((worker) => worker.answer("verified")));
  const expected = ran.reduce((sum, { written }) => sum + written, records);
  const wrong = verified.find(({ stored }) => stored !== expected);
  if (wrong !== undefined) throw new Error(`the store has ${wrong.stored} records and not ${expected}`);
  return {
    row: row.id,
    contender,
    round,
    together: together(
      ran.map(({ trace }) => trace),
      WORKS[work].units,
    ),
    peakRssMiB: ran.reduce((most, { peakRssMiB }) => Math.max(most, peakRssMiB), 0),
    verified: verified.reduce((sum, { results }) => sum + results, 0),
  };
}

const keyOf = (store: StoreKind, contender: ContenderId): string => `${store} ${contender}`;

/** An error's own words. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
