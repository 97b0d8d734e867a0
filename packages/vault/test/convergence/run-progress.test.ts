/**
 * How far a run is, as every process tells it, and what becomes of slots and notes of those that work on it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SLOTS_JOB } from "../../src/convergence/kms-slots.ts";
import { convergingVault, putPeople, untilRun } from "../support/converging.ts";
import { until } from "../support/regional-vault.ts";

test("what is done is counted over both processes, and a third one that only looks tells the same", async (t) => {
  const converging = await convergingVault(t);
  const { vault, store } = converging;
  await putPeople(vault, 60);
  const other = await converging.another();
  await until(async () => (await vault.convergence.status()).fleet.length === 2);
  const begun = await vault.convergence.apply({ rate: 10_000, keepOld: true });
  assert.ok((begun.run?.progress.of ?? 0) >= 60);
  await untilRun(vault, "hold");
  const looking = await converging.another({ repair: undefined } as object);
  // A process that rests gives its slots back and writes down what is left.
  await until(async () =>
    (await store.jobs.list()).every(({ job, state }) => job !== SLOTS_JOB || state !== "running"),
  );
  const notes = await store.notes.list("convergence/");
  assert.ok(notes.length >= 2, "the run's own note, and one for each that worked");
  await looking.convergence.apply();
  await untilRun(looking, "done");
  await until(async () => ((await looking.convergence.status()).run?.progress.done ?? 0) >= 60);
  for (const process of [vault, other, looking]) {
    const { run } = await process.convergence.status();
    assert.deepEqual([run?.state, run?.progress.failed, run?.progress.waits, run?.progress.rate], ["done", 0, null, 0]);
    assert.ok(run!.progress.bytes > 60 * 32 && run!.progress.seconds > 0);
  }
});

test("a process that does not know the declared set holds apply back, and is named", async (t) => {
  const converging = await convergingVault(t);
  const { vault, a } = converging;
  await putPeople(vault, 2);
  const ignorant = await converging.another({ next: undefined } as object);
  await until(async () => (await vault.convergence.status()).fleet.length === 2);
  const { problems } = await vault.convergence.plan();
  assert.deepEqual(
    problems.map(({ code, blocks }) => [code, blocks]),
    [["fleet-differs", true]],
  );
  await assert.rejects(vault.convergence.apply(), { code: "run-refused" });
  assert.equal((await vault.keySet()).inForce, a.digest);
  await ignorant.close();
  await until(async () => (await vault.convergence.status()).fleet.length === 1);
  await vault.convergence.apply({ rate: 10_000 });
  await untilRun(vault, "done");
});
