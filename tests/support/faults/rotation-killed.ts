/**
 * Processes that bring everything from one wrapping key to another while they write and read, and are killed, again and
 * again. Each rotation ends by itself once somebody is left alone; nothing is lost, doubled, mixed up or unreadable, and
 * nothing is left under the key that was left.
 */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { KMS } from "@aws-sdk/client-kms";
import type { Vault } from "@strongroom/vault";
import { regionalKeys } from "../../../packages/vault/test/support/regional-vault.ts";
import type { AuditedPlace } from "./audited-place.ts";
import { temporaryFolder } from "./folder.ts";
import { COLLECTIONS, openRotated } from "./rotated-place.ts";
import type { Rotation } from "./rotated-place.ts";
import { RotationLedger } from "./rotation-ledger.ts";
import type { Counted, TrafficLine } from "./rotation-ledger.ts";
import { oldId, write } from "./rotation-traffic.ts";
import type { RotationLine, RotationTask } from "./rotation-worker.ts";
import { ToldProcess } from "./told-process.ts";

const WORKER = fileURLToPath(new URL("rotation-worker.ts", import.meta.url));
/** Changes of items after which one of the processes that make them is killed, at most. */
const MOST_STEPS = 25;
/** Nothing is changed for so long while those that live wait for what the dead hold: then one is killed as it waits. */
const MOST_MS = 8_000;
/** Longest time from the last of them, so that it dies anywhere in what it does. */
const LONGEST_MS = 20;
/** Some die while they open the vault, or begin the run. */
const EARLY = 0.15;
const EARLY_MS = 1_500;
const WORKERS = 2;
/** Of as many kills, some fall between two changes of a run. */
const MANY_KILLS = 20;

export interface RotationKilled {
  /** Stores that are empty, and have their tables. */
  readonly place: AuditedPlace;
  readonly kills: number;
  readonly killsEach: number;
  /** Calls of the KMS a second: so slow that a run is killed often, before it has ended. */
  readonly rate: number;
  /** Of each collection, from the beginning. */
  readonly records: number;
  /** Each process pauses so long between two writes, at most. */
  readonly pauseMs: number;
  /** Whether each rotation takes the collections to other scopes as well, every second one back. */
  readonly movesScopes?: boolean;
}

/** What was seen, of all rotations. */
interface Seen {
  kills: number;
  early: number;
  readonly steps: Map<string, number>;
  rotations: number;
  secondsAlone: number;
}

type Worker = ToldProcess<RotationTask, RotationLine>;

/** Runs it, and fails the test for whatever is wrong. */
export async function rotationKilled(t: TestContext, asked: RotationKilled): Promise<void> {
  const folder = join(await temporaryFolder(t), "said");
  await mkdir(folder);
  const { kms, keys } = await regionalKeys(t);
  const { region, keyArn: first, client } = keys[0]!;
  const second = (await client.createKey({})).KeyMetadata!.Arn!;
  const { endpoint, credentials } = kms.clientConfig(region);
  const at = { region, endpoint, credentials };
  const ledger = new RotationLedger();
  const seen: Seen = { kills: 0, early: 0, steps: new Map(), rotations: 0, secondsAlone: 0 };
  await fill(asked, { kms: at, from: null, to: first }, ledger);
  let [from, to] = [first, second];
  const scopesOf = (key: string): Pick<Rotation, "scopes"> =>
    asked.movesScopes === true && key === second ? { scopes: "moved" } : {};
  for (; seen.kills < asked.kills; [from, to] = [to, from]) {
    const trial = new Trial(t, { asked, folder, rotation: { kms: at, from, to, ...scopesOf(to) } }, seen);
    for (const lines of await trial.run()) ledger.add(lines);
  }
  // The last one went from what is `to` now.
  const rotation = { kms: at, from: null, to: from, ...scopesOf(from) };
  const counted = await checked(asked.place, { client, left: to, rotation }, ledger);
  const steps = [...seen.steps].map(([step, count]) => `${count} ${step}s`).join(", ");
  const reads = [...ledger.reads].map(([read, count]) => `${read}: ${count}`).join(", ");
  t.diagnostic(
    `${seen.kills} processes killed in ${seen.rotations} rotations (${seen.early} of them before they had changed ` +
      `anything; changes begun: ${steps}), each of which ended by itself, on average ` +
      `${(seen.secondsAlone / seen.rotations).toFixed(1)} s after the last kill; reads: ${reads}; refused writes: ` +
      `${JSON.stringify(Object.fromEntries(ledger.refused))}; versions: ${JSON.stringify(counted)}`,
  );
  const { lost, doubled, mixed, unreadable, acknowledged } = counted;
  assert.deepEqual({ lost, doubled, mixed, unreadable }, { lost: 0, doubled: 0, mixed: 0, unreadable: 0 });
  assert.ok(acknowledged > COLLECTIONS.length * asked.records, "they wrote");
  assert.deepEqual([...ledger.reads.keys()], ["right"], "every read was right");
  assert.deepEqual([...ledger.refused], [], "no write was refused");
  if (seen.kills >= MANY_KILLS) assert.ok(seen.early < seen.kills / 2, "most had changed something");
}

/** What is there before. */
async function fill({ place, records }: RotationKilled, rotation: Rotation, ledger: RotationLedger): Promise<void> {
  await using vault = await openRotated(place, rotation);
  const lines: TrafficLine[] = [];
  for (const collection of COLLECTIONS)
    for (let n = 0; n < records; n++)
      await write(vault, { collection, id: oldId(n) }, (line) => {
        lines.push(line);
      });
  ledger.add(lines);
}

const AS_DECLARED: ReadonlySet<string> = new Set(["none", "inner"]);

interface Rotated {
  readonly client: KMS;
  readonly left: string;
  /** As whoever comes afterwards opens it. */
  readonly rotation: Rotation;
}

/** Everything that must hold in the end, with the key that was left shut down. */
async function checked(
  place: AuditedPlace,
  { client, left, rotation }: Rotated,
  ledger: RotationLedger,
): Promise<Counted> {
  await client.disableKey({ KeyId: left });
  const alarms: string[] = [];
  await using vault = await openRotated(place, rotation, {
    audit: { onAlarm: ({ code, message }) => alarms.push(`${code}: ${message}`) },
  });
  await requireNothingUnder(vault, left);
  const { stores, scopes } = await vault.convergence.plan();
  const changed = stores.flatMap(({ lines }) => lines).filter(({ change }) => !AS_DECLARED.has(change));
  assert.deepEqual([scopes, changed], [[], []], "everything is as declared");
  const counted = await ledger.check(vault);
  const { verdict, problems, findings } = await vault.verify({ regions: "each" });
  assert.deepEqual([verdict, problems], ["whole", {}], JSON.stringify(findings));
  await vault.audit?.sequence();
  assert.deepEqual((await vault.audit?.verify())?.problems, []);
  assert.deepEqual((await vault.convergence.failures()).failures, []);
  assert.deepEqual(alarms, [], "nobody is told that anything is wrong");
  return counted;
}

async function requireNothingUnder(vault: Vault, key: string): Promise<void> {
  const { items, kept, unknown, inForce } = await vault.convergence.probe(key);
  assert.deepEqual({ items, kept, unknown, inForce }, { items: [], kept: false, unknown: [], inForce: [] });
}

/** One rotation. */
class Trial {
  readonly #t: TestContext;
  readonly #asked: RotationKilled;
  readonly #folder: string;
  readonly #rotation: Rotation;
  readonly #seen: Seen;
  readonly #begun: Worker[] = [];

  constructor(
    t: TestContext,
    {
      asked,
      folder,
      rotation,
    }: { readonly asked: RotationKilled; readonly folder: string; readonly rotation: Rotation },
    seen: Seen,
  ) {
    [this.#t, this.#asked, this.#folder, this.#rotation, this.#seen] = [t, asked, folder, rotation, seen];
  }

  /** What its processes said of what they wrote and read, each. */
  async run(): Promise<readonly (readonly TrafficLine[])[]> {
    const { place, killsEach, kills } = this.#asked;
    // It does nothing itself, and is not one of the fleet.
    await using vault = await openRotated(place, this.#rotation);
    const before = (await vault.convergence.status()).run?.id;
    const isOver = async (): Promise<boolean> => {
      const { run } = await vault.convergence.status();
      return run !== null && run.id !== before && run.state !== "running";
    };
    const waiting: Worker[] = [this.#load(), this.#load()];
    let working = Array.from({ length: WORKERS }, () => this.#begin(waiting.shift()!));
    for (let kill = 0; kill < killsEach && this.#seen.kills < kills; kill++) {
      waiting.push(this.#load());
      const victim = await this.#victim(working);
      await this.#kill(victim);
      if (await isOver()) break;
      working = [...working.filter((one) => one !== victim), this.#begin(waiting.shift() ?? this.#load())];
    }
    const alone = performance.now();
    while (!(await isOver())) {
      for (const one of working) one.requireRunning();
      await sleep(50);
    }
    this.#seen.secondsAlone += (performance.now() - alone) / 1000;
    this.#seen.rotations++;
    for (const one of [...working, ...waiting]) await one.kill();
    const { run } = await vault.convergence.status();
    assert.deepEqual([run?.state, run?.phase], ["done", "end"]);
    await requireNothingUnder(vault, this.#rotation.from!);
    return this.#begun.map((one) => this.#said(one));
  }

  /** One that waits: what it takes to load the program is no time of the trial. */
  #load(): Worker {
    return new ToldProcess(this.#t, WORKER);
  }

  #begin(one: Worker): Worker {
    const { place, rate, records, pauseMs } = this.#asked;
    const log = join(this.#folder, `${this.#seen.rotations}-${this.#begun.length}.log`);
    one.begin({ place, rotation: this.#rotation, begins: rate, records, pauseMs, log });
    this.#begun.push(one);
    return one;
  }

  /** Waits until one of them is in the middle of something. */
  async #victim(working: readonly Worker[]): Promise<Worker> {
    const newest = working.at(-1)!;
    if (Math.random() < EARLY) {
      await sleep(Math.random() * EARLY_MS);
      return newest;
    }
    const counts = new Map(working.map((one) => [one, stepsOf(one)]));
    const enough = 1 + Math.floor(Math.random() * MOST_STEPS);
    const latest = performance.now() + MOST_MS;
    for (let [steps, victim] = [0, newest]; ;) {
      for (const one of working) {
        const more = stepsOf(one) - counts.get(one)!;
        if (more === 0) continue;
        [steps, victim] = [steps + more, one];
        counts.set(one, stepsOf(one));
      }
      if (steps >= enough || performance.now() > latest) return victim;
      for (const one of working) one.requireRunning();
      await sleep(5);
    }
  }

  async #kill(one: Worker): Promise<void> {
    await sleep(Math.random() * LONGEST_MS);
    await one.kill();
    this.#seen.kills++;
    if (stepsOf(one) === 0) this.#seen.early++;
  }

  #said(one: Worker): readonly TrafficLine[] {
    const alarms = one.lines().filter((line) => "alarm" in line);
    assert.deepEqual(alarms, [], "nobody is told that anything is wrong");
    for (const line of one.lines())
      if ("step" in line) this.#seen.steps.set(line.step, (this.#seen.steps.get(line.step) ?? 0) + 1);
    return one.lines().filter((line): line is TrafficLine => "call" in line || "read" in line);
  }
}

const stepsOf = (one: Worker): number => one.lines().filter((line) => "step" in line).length;
