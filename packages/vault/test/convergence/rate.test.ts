/**
 * How fast a run goes: state machines by a clock of the test's own, and two processes that share one store.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CallsPerItem, EvenPace, TakenPart } from "../../src/convergence/rate.ts";
import { SLOT_LEASE_MS, SLOT_LOOK_MS, SLOTS, SLOTS_JOB } from "../../src/convergence/kms-slots.ts";
import { LiveLatency } from "../../src/convergence/live-latency.ts";
import { RunPace } from "../../src/convergence/run-pace.ts";
import { between, World } from "../support/world.ts";

interface PartCase {
  readonly of: string;
  /** Moments of too much, in milliseconds. */
  readonly tooMuch: readonly number[];
  readonly at: number;
  readonly part: number;
}

const PARTS: readonly PartCase[] = [
  { of: "nothing", tooMuch: [], at: 9_000, part: 1 },
  { of: "once", tooMuch: [0], at: 0, part: 0.5 },
  { of: "once, a second later", tooMuch: [0], at: 1_000, part: 0.6 },
  { of: "once, five seconds later", tooMuch: [0], at: 5_000, part: 1 },
  { of: "a hundred calls that were on their way together", tooMuch: Array(100).fill(0) as number[], at: 0, part: 0.5 },
  { of: "again a second later", tooMuch: [0, 1_000], at: 1_000, part: 0.3 },
  { of: "a clock that stands", tooMuch: [5_000, 5_000], at: 5_000, part: 0.5 },
  { of: "a clock that was set back", tooMuch: [5_000], at: 0, part: 0.5 },
  { of: "for minutes", tooMuch: Array.from({ length: 100 }, (_, second) => 1_000 * second), at: 99_000, part: 0.1 },
];

for (const { of, tooMuch, at, part } of PARTS)
  test(`the part that is taken: ${of}`, () => {
    const taken = new TakenPart();
    for (const moment of tooMuch) taken.tooMuch(moment);
    assert.equal(Number(taken.now(at).toFixed(6)), part);
  });

test("starts are spread evenly, none is saved up, and none is taken far ahead", () => {
  const even = new EvenPace();
  const turns = Array.from({ length: 4 }, () => even.turn(1_000, 100));
  assert.deepEqual(
    turns.map(({ waitMs, isTaken }) => [waitMs, isTaken]),
    [
      [0, true],
      [100, true],
      [200, true],
      [250, false],
    ],
  );
  assert.deepEqual(
    [even.turn(60_000, 100), even.turn(60_000, 100)],
    [
      { waitMs: 0, isTaken: true },
      { waitMs: 100, isTaken: true },
    ],
  );
});

test("calls of an item are those of late, in the region that has the most", () => {
  const calls = new CallsPerItem(2);
  assert.equal(calls.each, 2);
  for (let item = 0; item < 32; item++) {
    calls.called("eu-west-1");
    calls.called("eu-west-1");
    calls.called("eu-west-1");
    calls.called("eu-west-2");
    calls.ended();
  }
  assert.equal(calls.each, 3);
  for (let item = 0; item < 32; item++) calls.ended();
  assert.equal(calls.each, 0, "what takes no call is not held back for the sake of the KMS");
});

/** Durations of `ms`, one each 10 ms from `from` on. */
function feed(latency: LiveLatency, from: number, count: number, ms: number): void {
  for (let index = 0; index < count; index++) latency.ended(from + 10 * index - ms, from + 10 * index);
}

interface LatencyCase {
  readonly of: string;
  readonly before: number | null;
  readonly late: number;
  readonly count?: number;
  readonly suffers: boolean;
}

const LATENCIES: readonly LatencyCase[] = [
  { of: "as it was", before: 10, late: 10, suffers: false },
  { of: "twice as long, and 20 ms more", before: 30, late: 61, suffers: true },
  { of: "twice as long, and less than 20 ms more", before: 10, late: 29, suffers: false },
  { of: "20 ms more, and less than twice as long", before: 100, late: 190, suffers: false },
  { of: "too few to tell", before: 30, late: 500, count: 19, suffers: false },
  { of: "nothing was seen before", before: null, late: 500, suffers: false },
];

for (const { of, before, late, count = 100, suffers } of LATENCIES)
  test(`live traffic: ${of}`, () => {
    const latency = new LiveLatency();
    if (before !== null) feed(latency, 1_000, 100, before);
    latency.works(2_000);
    feed(latency, 10_000, count, late);
    assert.equal(latency.suffers(11_000, 0), suffers);
    assert.equal(latency.suffers(11_000, 11_000), false, "what ended before says nothing of after");
    assert.equal(latency.suffers(30_000, 0), false, "nor does what is long ago");
    latency.rests();
    assert.equal(latency.suffers(11_000, 0), false);
  });

test("live traffic that suffers by something else is as it is from then on", () => {
  const latency = new LiveLatency();
  feed(latency, 1_000, 100, 10);
  latency.works(2_000);
  feed(latency, 10_000, 100, 200);
  assert.equal(latency.suffers(11_000, 0), true);
  latency.accept(11_000);
  assert.equal(latency.suffers(11_000, 0), false);
  feed(latency, 20_000, 100, 450);
  assert.equal(latency.suffers(21_000, 0), true, "and it suffers anew when it gets worse");
});

test("more durations than are remembered: the newest are", () => {
  const latency = new LiveLatency();
  feed(latency, 0, 5_000, 10);
  latency.works(50_000);
  feed(latency, 50_000, 5_000, 100);
  assert.equal(latency.suffers(100_000, 0), true);
  latency.rests();
  feed(latency, 100_000, 100, 12);
  latency.works(102_000);
  feed(latency, 102_000, 100, 12);
  assert.equal(latency.suffers(103_000, 0), false);
});

/** A process that begins items whenever it may, each with one call, until it is killed or stopped. */
class Worker {
  readonly begun: number[] = [];
  readonly pace: RunPace;
  readonly #stop = new AbortController();
  isStopped = false;

  constructor(world: World, name: string, rate: number) {
    world.alive += 1;
    // A process that is stopped, or killed, sleeps on.
    const sleep = async (ms: number, signal: AbortSignal): Promise<void> => {
      await world.sleep(ms, signal);
      while (this.isStopped) await world.sleep(1_000, signal);
    };
    this.pace = new RunPace({
      rate,
      callsPerItem: 1,
      slots: world.slots(name),
      latency: null,
      now: () => world.now,
      sleep,
      onFault: (error) => {
        throw error;
      },
    });
    for (let lane = 0; lane < 4; lane++) void this.#work(world);
  }

  async #work(world: World): Promise<void> {
    while (!this.#stop.signal.aborted) {
      if (!(await this.pace.begin(this.#stop.signal))) continue;
      this.begun.push(world.now);
      this.pace.called("eu-west-1");
      this.pace.ended();
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.pace.close();
  }
}

/** Most that were begun in a second. */
function most(begun: readonly number[]): number {
  const sorted = begun.toSorted((a, b) => a - b);
  let [first, highest] = [0, 0];
  for (const [index, at] of sorted.entries()) {
    while ((sorted[first] ?? 0) <= at - 1_000) first++;
    highest = Math.max(highest, index - first + 1);
  }
  return highest;
}

const RATE = 80;

test("two processes are together never above the rate, share it, and one that dies is taken over within a lease", async () => {
  const world = new World();
  const one = new Worker(world, "one", RATE);
  await world.pass(5_000);
  assert.ok(between(one.begun, 1_000, 5_000) >= 0.95 * 4 * RATE, "one alone has all of it");
  const other = new Worker(world, "other", RATE);
  await world.pass(10_000);
  const shared = [one, other].map(({ begun }) => between(begun, 10_000, 15_000) / 5);
  for (const perSecond of shared) assert.ok(Math.abs(perSecond - RATE / 2) <= 2, `${perSecond} a second`);
  // Killed: it neither renews nor gives back.
  one.isStopped = true;
  world.alive = 1;
  await world.pass(SLOT_LEASE_MS + SLOT_LOOK_MS);
  const from = world.now;
  await world.pass(5_000);
  assert.ok(between(other.begun, from, world.now) >= 0.95 * 5 * RATE, "all of it is the other's");
  assert.ok(most([...one.begun, ...other.begun]) <= RATE + 2, `${most([...one.begun, ...other.begun])} in a second`);
  // It was only stopped: what it held is not its own any more.
  one.isStopped = false;
  world.alive = 2;
  await world.pass(10_000);
  assert.ok(most([...one.begun, ...other.begun]) <= RATE + 2);
  assert.ok(between(one.begun, world.now - 2_000, world.now) >= RATE * 0.9, "and it has its share again");
  await one.close();
  await other.close();
  const held = (await world.jobs.list()).filter(({ job, state }) => job === SLOTS_JOB && state === "running");
  assert.deepEqual(held, []);
});

test("twenty processes: as many work as there are slots", async () => {
  const world = new World();
  const all = Array.from({ length: 20 }, (_, index) => new Worker(world, `p-${index}`, RATE));
  await world.pass(8_000);
  const begun = all.flatMap((worker) => worker.begun);
  assert.ok(most(begun) <= RATE + SLOTS);
  assert.ok(between(begun, 5_000, 8_000) >= 0.95 * 3 * RATE);
  assert.equal(all.filter(({ pace }) => pace.waits === "slots").length, 20 - SLOTS);
  for (const worker of all) await worker.close();
});

test("a throttled process goes at half its pace, says so, and comes back", async () => {
  const world = new World();
  const worker = new Worker(world, "one", RATE);
  await world.pass(3_000);
  const from = world.now;
  worker.pace.throttled();
  assert.equal(worker.pace.waits, "throttled");
  await world.pass(1_000);
  assert.ok(between(worker.begun, from, world.now) <= 0.65 * RATE);
  await world.pass(6_000);
  assert.equal(worker.pace.waits, null);
  assert.ok(between(worker.begun, world.now - 1_000, world.now) >= 0.95 * RATE);
  await worker.close();
});

test("a run that live traffic suffers by goes slower, also where its items take no call", async () => {
  const world = new World();
  world.alive = 1;
  let suffers = false;
  let accepted = 0;
  const latency = {
    suffers: () => suffers,
    accept: () => {
      accepted += 1;
      suffers = false;
    },
  };
  const { sleep } = world;
  const pace = new RunPace({
    rate: RATE,
    callsPerItem: 0,
    slots: world.slots("one"),
    latency,
    now: () => world.now,
    sleep,
    onFault: assert.ifError,
  });
  const begun: number[] = [];
  const stop = new AbortController();
  const working = (async () => {
    while (!stop.signal.aborted) {
      if (await pace.begin(stop.signal)) begun.push(world.now);
      await sleep(10, stop.signal);
    }
  })();
  await world.pass(3_000);
  assert.ok(between(begun, 1_000, 3_000) > 150);
  suffers = true;
  await world.pass(4_000);
  assert.equal(pace.waits, "load");
  assert.ok(between(begun, 6_000, 7_000) < 30, `${between(begun, 6_000, 7_000)} a second`);
  suffers = false;
  await world.pass(12_000);
  assert.equal(pace.waits, null);
  assert.ok(between(begun, 18_000, 19_000) > 70);
  assert.equal(accepted, 0);
  // They suffer by something else: what is of late becomes how it is, and the run does not wait for ever.
  suffers = true;
  await world.pass(40_000);
  assert.equal(accepted, 1);
  assert.ok(between(begun, 24_000, 28_000) < 4 * 30, "an eighth of what it was, and no less");
  assert.ok(between(begun, 24_000, 28_000) >= 4 * 8);
  assert.ok(between(begun, 58_000, 59_000) > 70);
  stop.abort();
  await working;
  await pace.close();
});
