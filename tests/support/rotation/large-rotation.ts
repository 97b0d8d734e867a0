/**
 * A large rotation, measured: people are written, live traffic goes on at a stated rate, and everything is brought to
 * other keys by one process or by two. What the KMS was asked is what it has written down itself.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { KMS } from "@aws-sdk/client-kms";
import type { ConvergenceRun, Scope, Vault } from "@strongroom/vault";
import { defer } from "../defer.ts";
import type { KeyedPlace } from "../faults/keyed-place.ts";
import type { LargeTask, RegionClientConfig } from "./large-vault.ts";
import { openLarge } from "./large-vault.ts";

const PROGRAM = (name: string): string => fileURLToPath(new URL(`${name}.ts`, import.meta.url));
const REGIONS = ["eu-west-1", "eu-west-2"];
const BATCH = 500;
/** Of reads and writes together, a second. */
const LIVE_RATE = 200;

/** What is rotated, and where. */
export interface LargeTrial {
  readonly place: KeyedPlace;
  readonly folder: string;
  readonly scope: Scope;
  readonly people: number;
}

/** Figures of one rotation. */
export interface RotationFigures {
  readonly workers: number;
  readonly items: number;
  readonly seconds: number;
  readonly calls: number;
  readonly forecast: number;
  readonly bytesAnItem: number;
  readonly residentMiB: readonly [first: number, most: number];
  readonly live: { readonly done: number; readonly failed: number; readonly p99Ms: number };
}

/** Fills the stores, and brings them to a second key set by one process, and to a third one by two. */
export async function largeRotation(t: TestContext, trial: LargeTrial): Promise<readonly RotationFigures[]> {
  const kms = await startKms(t, join(trial.folder, "kms"));
  const sets = [await keySet(kms), await keySet(kms), await keySet(kms)] as const;
  const task = { place: trial.place, scope: trial.scope, kms };
  const began = performance.now();
  const filling = await openLarge({ ...task, current: sets[0], next: null }, null);
  await fill(filling, trial.people);
  await filling.close();
  t.diagnostic(`${trial.people} people written in ${seconds(began)} s`);
  const calls = new CallCount(join(trial.folder, "kms", "kms.sqlite"));
  const figures: RotationFigures[] = [];
  for (const workers of [1, 2])
    figures.push(
      await rotated(
        t,
        { ...task, current: sets[workers - 1] ?? [], next: sets[workers] ?? [] },
        { ...trial, workers, calls },
      ),
    );
  return figures;
}

async function rotated(
  t: TestContext,
  task: LargeTask,
  { workers, people, calls }: LargeTrial & { readonly workers: number; readonly calls: CallCount },
): Promise<RotationFigures> {
  const others = await Promise.all(Array.from({ length: workers - 1 }, () => startWorker(t, task)));
  const vault = await openLarge(task, {});
  const ends = new AbortController();
  const traffic = live(vault, people, ends.signal);
  try {
    await delay(1_000);
    calls.since();
    const first = resident();
    let most = first;
    const began = performance.now();
    const { run: begun } = await vault.convergence.apply({ rate: 1_000_000 });
    let run: ConvergenceRun | null = begun;
    while (run?.state === "running") {
      await delay(500);
      most = Math.max(most, resident());
      ({ run } = await vault.convergence.status());
    }
    const took = (performance.now() - began) / 1000;
    assert.equal(run?.state, "done", JSON.stringify(run));
    const counted = calls.since();
    for (const key of task.current) {
      const { items, kept, unknown } = await vault.convergence.probe(key);
      assert.deepEqual([items, kept, unknown], [[], false, []], key);
    }
    ends.abort();
    const { progress, forecast } = run;
    return {
      ...{ workers, items: progress.done, seconds: took, calls: counted, forecast: forecast.total },
      bytesAnItem: progress.bytes / Math.max(progress.done, 1),
      residentMiB: [first, most],
      live: await traffic,
    };
  } finally {
    ends.abort();
    await traffic;
    await vault.close();
    for (const other of others) await ended(other);
  }
}

async function fill(vault: Vault, people: number): Promise<void> {
  for (let from = 0; from < people; from += BATCH) {
    const items = Array.from({ length: Math.min(BATCH, people - from) }, (_, n) => ({
      id: idOf(from + n),
      document: { nonce: randomUUID() },
    }));
    await vault.putMany("people", items, { onExisting: "replace" });
  }
}

/** Reads and writes of people who are there, in turn, evenly spread; none may fail. */
async function live(vault: Vault, people: number, ends: AbortSignal): Promise<RotationFigures["live"]> {
  const durations: number[] = [];
  const under = new Set<Promise<void>>();
  let failed = 0;
  const began = performance.now();
  for (let n = 0; !ends.aborted; n++) {
    const wait = began + (n * 1000) / LIVE_RATE - performance.now();
    if (wait > 0) await delay(wait);
    const address = { collection: "people", id: idOf(Math.floor(Math.random() * people)) };
    const from = performance.now();
    const call: Promise<void> = (n % 2 === 0 ? vault.get(address) : vault.put(address, { nonce: randomUUID() }))
      .then(() => undefined)
      .catch(() => {
        failed += 1;
      })
      .finally(() => {
        durations.push(performance.now() - from);
        under.delete(call);
      });
    under.add(call);
    // Beyond what a second has, the machine cannot keep up: what waits is not piled up.
    if (under.size > LIVE_RATE) await Promise.race(under);
  }
  await Promise.all(under);
  durations.sort((a, b) => a - b);
  return { done: durations.length - failed, failed, p99Ms: durations[Math.floor(durations.length * 0.99)] ?? 0 };
}

/** Calls that use a key, as the KMS's audit has them. */
class CallCount {
  readonly #path: string;
  #last = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** How many since it was asked last. */
  since(): number {
    using database = new DatabaseSync(this.#path, { readOnly: true });
    const used = "json_extract(event, '$.eventName') in ('Encrypt', 'Decrypt', 'ReEncrypt', 'GenerateDataKey')";
    const row = database
      .prepare(`select max(seq) as last, sum(${used}) as calls from audit where seq > ?`)
      .get(this.#last);
    this.#last = Number(row?.["last"] ?? this.#last);
    return Number(row?.["calls"] ?? 0);
  }
}

async function startKms(t: TestContext, folder: string): Promise<readonly RegionClientConfig[]> {
  const child = started(t, "kms-process", [folder, ...REGIONS]);
  return JSON.parse(await firstLine(child)) as readonly RegionClientConfig[];
}

async function startWorker(t: TestContext, task: LargeTask): Promise<ChildProcess> {
  const child = started(t, "worker", [JSON.stringify(task)]);
  await firstLine(child);
  return child;
}

function started(t: TestContext, name: string, args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, ["--conditions=@strongroom/source", PROGRAM(name), ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  defer(t, () => ended(child));
  return child;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.stdin?.end();
  await exit;
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    if (text.includes("\n")) return text.slice(0, text.indexOf("\n"));
  }
  throw new Error("the process has ended before it said anything");
}

async function keySet(kms: readonly RegionClientConfig[]): Promise<readonly string[]> {
  return Promise.all(
    kms.map(async (config) => {
      const client = new KMS({ ...config, maxAttempts: 1 });
      const { KeyMetadata } = await client.createKey({});
      client.destroy();
      return KeyMetadata?.Arn ?? "";
    }),
  );
}

const idOf = (n: number): string => `C${String(n).padStart(7, "0")}`;
const resident = (): number => Math.round(process.memoryUsage().rss / 2 ** 20);
const seconds = (began: number): string => ((performance.now() - began) / 1000).toFixed(1);
