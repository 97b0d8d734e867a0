/**
 * A run goes slower when reads and writes of any process suffer by it: what each says of its own, and what the others
 * make of it.
 */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Keyring } from "@strongroom/envelope";
import type { Notes } from "@strongroom/vault";
import { FleetLatency, SUFFERING_PREFIX } from "../../src/convergence/fleet-latency.ts";
import { LiveLatency } from "../../src/convergence/live-latency.ts";
import { RunPace } from "../../src/convergence/run-pace.ts";
import { defer } from "../../../../tests/support/defer.ts";
import { convergingVault, putPeople, QUICK_RUN, testKeySet } from "../support/converging.ts";
import { until } from "../support/regional-vault.ts";
import { between, World } from "../support/world.ts";

const RATE = 80;

/** A process that others read and write in, a hundred times a second, as long as it is told. */
class Reader {
  readonly own = new LiveLatency();
  readonly latency: FleetLatency;
  readonly faults: unknown[] = [];
  /** What a read takes now, in milliseconds. */
  takes = 10;

  constructor(world: World, name: string) {
    this.latency = fleetLatency(world, name, this.own, (error) => void this.faults.push(error));
    void this.#read(world);
  }

  async #read(world: World): Promise<void> {
    for (;;) {
      await world.sleep(10, new AbortController().signal);
      this.own.ended(world.now - this.takes, world.now);
    }
  }
}

const fleetLatency = (
  world: World,
  process: string,
  own = new LiveLatency(),
  onFault: (error: unknown) => void = assert.ifError,
): FleetLatency =>
  new FleetLatency({ notes: world.notes, process, own, now: () => world.now, sleep: world.sleep, onFault });

/** A process that works on a run, and in which nobody reads or writes. */
interface Worker {
  /** When it has begun an item. */
  readonly begun: readonly number[];
  readonly pace: RunPace;
}

function worker(t: TestContext, world: World): Worker {
  world.alive = 1;
  const { sleep } = world;
  const now = (): number => world.now;
  const latency = fleetLatency(world, "worker");
  latency.works();
  const slots = world.slots("worker");
  const pace = new RunPace({ rate: RATE, callsPerItem: 1, slots, latency, now, sleep, onFault: assert.ifError });
  const begun: number[] = [];
  const stop = new AbortController();
  void (async () => {
    while (!stop.signal.aborted) {
      if (!(await pace.begin(stop.signal))) continue;
      begun.push(world.now);
      pace.called("eu-west-1");
      pace.ended();
    }
  })();
  defer(t, async () => {
    stop.abort();
    await pace.close();
    await latency.rests();
  });
  return { begun, pace };
}

/** Five seconds without a run, and five with one, in which nobody suffers. */
async function runWithReader(t: TestContext): Promise<Worker & { readonly world: World; readonly reader: Reader }> {
  const world = new World();
  const reader = new Reader(world, "reader");
  await world.pass(5_000);
  reader.latency.works();
  const working = worker(t, world);
  await world.pass(5_000);
  return { world, reader, ...working };
}

const saidBy = async (world: World): Promise<readonly string[]> =>
  (await world.notes.list(SUFFERING_PREFIX)).map(({ name }) => name.slice(SUFFERING_PREFIX.length));

test("a run goes slower while another process' reads suffer, and as it went before when they do not", async (t) => {
  const { world, reader, begun, pace } = await runWithReader(t);
  assert.ok(between(begun, 6_000, 10_000) >= 0.9 * 4 * RATE, "nobody suffers");
  assert.deepEqual(await saidBy(world), []);
  reader.takes = 200;
  await world.pass(10_000);
  assert.equal(pace.waits, "load");
  assert.deepEqual(await saidBy(world), ["reader"]);
  assert.ok(between(begun, 15_000, 20_000) <= 0.4 * 5 * RATE, `${between(begun, 15_000, 20_000)} in five seconds`);
  reader.takes = 10;
  await world.pass(15_000);
  assert.equal(pace.waits, null);
  assert.ok(between(begun, 32_000, 35_000) >= 0.9 * 3 * RATE);
  await reader.latency.rests();
  assert.deepEqual(await saidBy(world), [], "its note is gone with the run");
});

test("what they suffer by for half a minute is not the run, and the run does not wait for its end", async (t) => {
  const { world, reader, begun, pace } = await runWithReader(t);
  reader.takes = 200;
  await world.pass(60_000);
  assert.equal(pace.waits, null);
  assert.ok(between(begun, 65_000, 70_000) >= 0.9 * 5 * RATE);
  reader.takes = 900;
  await world.pass(5_000);
  assert.equal(pace.waits, "load", "and it is heard anew when it gets worse");
});

test("a note that was there before, and one that stays as it is, says nothing, and goes after a minute", async (t) => {
  const world = new World();
  await world.notes.replace(`${SUFFERING_PREFIX}killed`, "left", null);
  const { begun, pace } = worker(t, world);
  await world.pass(10_000);
  assert.equal(pace.waits, null);
  assert.ok(between(begun, 1_000, 10_000) >= 0.9 * 9 * RATE);
  await world.pass(55_000);
  assert.deepEqual(await saidBy(world), []);
});

test("a hand that says all the time that they suffer makes a run slow, and never stops it", async (t) => {
  const world = new World();
  const { begun } = worker(t, world);
  await world.pass(5_000);
  for (let second = 0, text: string | null = null; second < 60; second++) {
    const next = `${"x".repeat(5_000)} ${second}`;
    assert.equal(await world.notes.replace(`${SUFFERING_PREFIX}hand`, next, text), "replaced");
    text = next;
    await world.pass(1_000);
  }
  assert.ok(between(begun, 10_000, 65_000) >= (55 * RATE) / 8);
});

test("a note that a hand takes, writes over, or that cannot be written is said again", async () => {
  const world = new World();
  const reader = new Reader(world, "reader");
  await world.pass(5_000);
  reader.latency.works();
  reader.takes = 200;
  await world.pass(3_000);
  const name = `${SUFFERING_PREFIX}reader`;
  const said = async (): Promise<string | null> => (await world.notes.list(name))[0]?.text ?? null;
  for (const text of [null, "written over"]) {
    assert.equal(await world.notes.replace(name, text, await said()), "replaced");
    await world.pass(3_000);
    assert.match((await said()) ?? "", /^\{"word":\d+\}$/);
  }
  const replace = world.notes.replace.bind(world.notes);
  world.notes.replace = () => Promise.reject(new Error("the store is away"));
  await world.pass(3_000);
  assert.ok(reader.faults.length >= 2);
  world.notes.replace = replace;
  const before = await said();
  await world.pass(3_000);
  assert.notEqual(await said(), before);
  await reader.latency.rests();
  assert.equal(await said(), null);
});

test("a process that works on a run hears of another one that suffers over the store that they share", async (t) => {
  const { keyring, keySet } = testKeySet("slow");
  const onEncrypt: Keyring["onEncrypt"] = async (...call) => {
    await delay(40);
    return keyring.onEncrypt(...call);
  };
  const next = { keyring: { ...keyring, onEncrypt }, keySet };
  const { vault, store } = await convergingVault(t, { next, repair: { ...QUICK_RUN, convergeAtOnce: 1 } });
  await putPeople(vault, 1_000);
  await vault.convergence.apply();
  // How long reads take hangs on the machine; what a process says of its own is tested above.
  const stop = new AbortController();
  const saying = saidAgain(store.notes, stop.signal);
  const seen = { state: "", waits: "" };
  await until(async () => {
    const { run } = await vault.convergence.status();
    seen.state = run?.state ?? "";
    seen.waits = run?.progress.waits ?? "";
    return seen.waits.includes("load") || seen.state !== "running";
  });
  assert.equal(seen.state, "running", "it was slow before its end");
  stop.abort();
  await saying;
  await vault.convergence.cancel("seen");
});

/** As another process that suffers. */
async function saidAgain(notes: Notes, stop: AbortSignal): Promise<void> {
  for (let [word, text]: [number, string | null] = [1, null]; !stop.aborted; word++) {
    const next = JSON.stringify({ word });
    if ((await notes.replace(`${SUFFERING_PREFIX}other`, next, text)) === "replaced") text = next;
    await delay(200);
  }
}
