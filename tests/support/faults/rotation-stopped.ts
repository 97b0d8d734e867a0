/**
 * Processes that stand still between a wrap and its commit while everything is brought to another key set, and go on
 * when the one that they wrapped under is retired: nothing is stored under it any more.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isVaultError, openVault } from "@strongroom/vault";
import type { Vault } from "@strongroom/vault";
import { defer } from "../defer.ts";
import { temporaryFolder } from "./folder.ts";
import { openStores } from "./keyed-place.ts";
import type { KeyedPlace } from "./keyed-place.ts";
import { keySetOf, newTestKey } from "./keys.ts";
import type { TestKey } from "./keys.ts";
import { COLLECTIONS, SCOPED } from "./rotated-place.ts";
import type { StopLine, StopOrder, StopTask } from "./stopping-rotator.ts";
import { ToldProcess } from "./told-process.ts";

const PROGRAM = fileURLToPath(new URL("stopping-rotator.ts", import.meta.url));
const LEASE_MS = 400;
const RATE = 10_000;
/** Records of each collection. */
const RECORDS = 5;
/** It stops before one of so many of its changes. */
const MOST_CHANGES = 6;

/** A vault on its way from the first key to the second, in this process. */
async function opened(
  place: KeyedPlace,
  [current, next]: readonly [TestKey, TestKey],
  works: "works" | "asks",
): Promise<Vault> {
  const { store, keyStore } = await openStores(place);
  return openVault({
    ...{ store, ...keySetOf(current), next: keySetOf(next), keys: { store: keyStore }, collections: SCOPED },
    ...(works === "asks" ? {} : { repair: { leaseMs: LEASE_MS, intervalMs: 100, lookMs: 20 } }),
  });
}

/** A writer of new people, and of messages with wraps of their own, stopped so many times while a run goes by. */
export async function writerStopped(t: TestContext, place: KeyedPlace, times: number): Promise<void> {
  const trial = await Trial.begin(t, place, null);
  const worker = await opened(place, trial.keys, "works");
  defer(t, () => worker.close());
  for (let time = 0; time < times; time++) {
    const collection = time % 4 < 2 ? "people" : "records";
    const { heir, left } = trial.turn(time);
    // The set of before is in force when it wraps, and retired when it goes on.
    await trial.stopped({ collection, id: `new-${time}` });
    await rotated(heir);
    await trial.goesOn();
    await requireNothingUnder(heir, left);
  }
  await trial.end(`${times} writes were stopped over a run`);
  assert.deepEqual([...trial.results.keys()], ["write: made 1"], "each is sealed anew and made");
  for (let time = 0; time < times; time++) {
    const collection = time % 4 < 2 ? "people" : "records";
    const { document } = await worker.get({ collection, id: `new-${time}` });
    assert.equal(document["of"], `${collection}/new-${time}`);
  }
}

/** A process that works on runs, stopped so many times until another has ended this run, and one back. */
export async function workerStopped(t: TestContext, place: KeyedPlace, times: number): Promise<void> {
  const trial = await Trial.begin(t, place, LEASE_MS);
  let lockHeld = 0;
  let idle = 0;
  for (let time = 0; time < times;) {
    const { heir: asking, back, left, to } = trial.turn(2 * time);
    const isStopped = trial.stopped({ stopAt: 1 + Math.floor(Math.random() * MOST_CHANGES) });
    await asking.convergence.apply({ rate: RATE });
    const what = await Promise.race([isStopped.then(() => "stopped"), ended(asking).then(() => "ended")]);
    if (what === "ended" && !trial.stands()) {
      // Its turn did not come; it is back where it was before it is told again.
      trial.forget();
      await rotated(back);
      idle++;
      continue;
    }
    await isStopped;
    // A process of SQLite that stands in the middle of a commit of something else keeps all others from it.
    if (!(await trial.takesWrites())) {
      await trial.goesOn("is not counted");
      await ended(asking);
      await rotated(back);
      lockHeld++;
      continue;
    }
    const worker = await opened(place, trial.keys, "works");
    try {
      await ended(asking);
      await requireNothingUnder(asking, left);
      // Every other time another process' lease is all that is in its way.
      if (time % 2 === 0) await trial.goesOn();
      await rotated(back);
      await requireNothingUnder(back, to);
      if (time % 2 === 1) await trial.goesOn();
      await requireNothingUnder(back, to);
      await trial.requireAll(worker);
    } finally {
      await worker.close();
    }
    time++;
  }
  await trial.end(
    `a worker was stopped ${times} times over two runs (not counted: ${idle} runs ended before its turn came, ` +
      `${lockHeld} times it stood in a commit of something else)`,
  );
  for (const result of trial.results.keys())
    assert.ok(!result.endsWith(" made"), `whoever was taken over changes nothing: ${result}`);
}

/** Brings everything to what this process declares. */
async function rotated(vault: Vault): Promise<void> {
  await vault.convergence.apply({ rate: RATE });
  await ended(vault);
}

async function ended(vault: Vault): Promise<void> {
  for (;;) {
    const { run } = await vault.convergence.status();
    if (run?.state === "done") return;
    assert.equal(run?.state, "running");
    await sleep(10);
  }
}

async function requireNothingUnder(vault: Vault, key: TestKey): Promise<void> {
  const { items, kept, unknown } = await vault.convergence.probe(key.name);
  assert.deepEqual({ items, kept, unknown }, { items: [], kept: false, unknown: [] }, `under ${key.name}`);
}

/** A place, a process that is stopped, and what came of what it had in hand. */
class Trial {
  readonly keys: readonly [TestKey, TestKey];
  readonly results = new Map<string, number>();
  readonly #process: ToldProcess<StopTask, StopLine>;
  /** From the first key to the second, and back. */
  readonly #asking: readonly [Vault, Vault];
  #stops = "";
  #seen = 0;
  readonly #t: TestContext;

  private constructor(
    t: TestContext,
    keys: readonly [TestKey, TestKey],
    child: ToldProcess<StopTask, StopLine>,
    asking: readonly [Vault, Vault],
  ) {
    [this.#t, this.keys, this.#process, this.#asking] = [t, keys, child, asking];
  }

  static async begin(t: TestContext, place: KeyedPlace, works: number | null): Promise<Trial> {
    const keys = [newTestKey("one"), newTestKey("other")] as const;
    const log = join(await temporaryFolder(t), "said.log");
    const there = await opened(place, keys, "asks");
    defer(t, () => there.close());
    for (const collection of COLLECTIONS)
      for (let n = 0; n < RECORDS; n++) await there.put({ collection, id: `r${n}` }, { of: `${collection}/r${n}` });
    const back = await opened(place, [keys[1], keys[0]], "asks");
    defer(t, () => back.close());
    const child = new ToldProcess<StopTask, StopLine>(t, PROGRAM);
    child.begin({ place, keys, works, log });
    await child.until((lines) => lines.length > 0);
    const trial = new Trial(t, keys, child, [there, back]);
    trial.#seen = 1;
    return trial;
  }

  /** Who asks for the turn's run and for the one back, and between which keys. */
  turn(time: number): { heir: Vault; back: Vault; left: TestKey; to: TestKey } {
    const [there, back] = this.#asking;
    const [one, other] = this.keys;
    return time % 2 === 0
      ? { heir: there, back, left: one, to: other }
      : { heir: back, back: there, left: other, to: one };
  }

  /** Tells it what to do, and waits until it stands still over it. */
  async stopped(order: StopOrder): Promise<void> {
    this.#process.tell(order);
    await this.#process.until((lines) => lines.length > this.#seen);
    const line = this.#process.lines()[this.#seen]!;
    assert.ok("stops" in line, JSON.stringify(line));
    this.#seen++;
    this.#stops = line.stops;
    while (!this.#isStill()) await sleep(5);
  }

  stands(): boolean {
    return this.#process.lines().length > this.#seen || this.#isStill();
  }

  /** Its turn is no more to be waited for. */
  forget(): void {
    this.#process.tell({ stopAt: 0 });
  }

  /** Lets it go on, and notes what came of what it had in hand. */
  async goesOn(counts: "counts" | "is not counted" = "counts"): Promise<void> {
    this.#process.signal("SIGCONT");
    await this.#process.until((lines) => lines.length > this.#seen);
    const line = this.#process.lines()[this.#seen++]!;
    assert.ok("result" in line, JSON.stringify(line));
    const result = `${this.#stops}: ${line.result}`;
    if (counts === "counts") this.results.set(result, (this.results.get(result) ?? 0) + 1);
  }

  /** Whether others may write while it stands still. */
  async takesWrites(): Promise<boolean> {
    try {
      await this.#asking[0].put({ collection: "records", id: "r0" }, { of: "records/r0" });
      // Of somebody new, so that it takes the key store too.
      await this.#asking[0].put({ collection: "people", id: `n${this.#seen}` }, { of: "nobody" });
      return true;
    } catch (error) {
      if (isVaultError(error) && error.code === "store-failed") return false;
      throw error;
    }
  }

  /** Everything is there, and reads. */
  async requireAll(vault: Vault): Promise<void> {
    for (const collection of COLLECTIONS)
      for (let n = 0; n < RECORDS; n++) {
        const { document } = await vault.get({ collection, id: `r${n}` });
        assert.equal(document["of"], `${collection}/r${n}`);
      }
  }

  async end(what: string): Promise<void> {
    await this.#process.kill();
    const results = [...this.results].map(([result, count]) => `${result}: ${count}`).join(", ");
    this.#t.diagnostic(`${what}; what it had in hand: ${results}; 0 rows under the retired key`);
  }

  #isStill(): boolean {
    return execFileSync("ps", ["-o", "state=", "-p", String(this.#process.pid)])
      .toString()
      .includes("T");
  }
}
