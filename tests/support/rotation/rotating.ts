/**
 * The process of a large rotation: people are written, and everything is brought to other keys, by this process alone
 * or by it and another one, beside the reads and writes of one more. It prints a line of JSON for each of these. It is
 * no test's own process, whose runner looks at each promise and takes a third of its time.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import type { ConvergenceRun, Vault } from "@strongroom/vault";
import { Child } from "./children.ts";
import type { LargeTrial, RotationFigures, RotationLine } from "./large-rotation.ts";
import type { LargeTask } from "./large-vault.ts";
import { idOf, openLarge } from "./large-vault.ts";

const BATCH = 500;

const told = (line: RotationLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

async function rotated(task: LargeTask, workers: number): Promise<RotationFigures> {
  const others = await Promise.all(Array.from({ length: workers - 1 }, () => startWorker(task)));
  const vault = await openLarge(task, {});
  const traffic = new Child("live", [JSON.stringify({ task, people })]);
  await traffic.line();
  try {
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
    const { progress, forecast } = run;
    return {
      ...{ workers, items: progress.done, seconds: took, allCalls: counted, forecast: forecast.total },
      calls: progress.calls.reduce((sum, { calls }) => sum + calls, 0),
      bytesAnItem: progress.bytes / Math.max(progress.done, 1),
      residentMiB: [first, most],
      live: JSON.parse(await traffic.lastLine()) as RotationFigures["live"],
    };
  } finally {
    await vault.close();
    for (const other of [traffic, ...others]) await other.end();
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

async function startWorker(task: LargeTask): Promise<Child> {
  const child = new Child("worker", [JSON.stringify(task)]);
  await child.line();
  return child;
}

const resident = (): number => Math.round(process.memoryUsage().rss / 2 ** 20);

const trial = JSON.parse(process.argv[2] ?? "") as LargeTrial;
const { people, sets } = trial;
const began = performance.now();
const filling = await openLarge({ ...trial, current: sets[0] ?? [], next: null }, null);
await fill(filling, people);
await filling.close();
told({ kind: "filled", seconds: (performance.now() - began) / 1000 });
const calls = new CallCount(join(trial.folder, "kms", "kms.sqlite"));
for (const [n, workers] of trial.workers.entries()) {
  const figures = await rotated({ ...trial, current: sets[n] ?? [], next: sets[n + 1] ?? [] }, workers);
  told({ kind: "rotated", figures });
}
