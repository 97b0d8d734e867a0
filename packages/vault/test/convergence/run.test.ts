/**
 * A run from one key set to another, from its beginning to its end: keys of people, and records in record scope.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  convergingVault,
  distinct,
  putPeople,
  requireAll,
  untilRun,
  wrapsOfKeys,
  wrapsOfVersions,
} from "../support/converging.ts";

test("people's keys go from one key set to another, and everything reads", async (t) => {
  const { vault, a, keyStore } = await convergingVault(t);
  await putPeople(vault, 20);
  assert.deepEqual(distinct(await wrapsOfKeys(keyStore)), ["a"]);
  const begun = await vault.convergence.apply({ rate: 10_000 });
  assert.equal(begun.run?.state, "running");
  await untilRun(vault, "done");
  assert.deepEqual(distinct(await wrapsOfKeys(keyStore)), ["b"]);
  a.isAway = true;
  await requireAll(vault, 20);
});

test("records in record scope are sealed anew, old messages are kept until they are dropped", async (t) => {
  const { vault, a, store } = await convergingVault(t, { scope: "record" });
  await putPeople(vault, 20);
  await vault.convergence.apply({ rate: 10_000, keepOld: true });
  await untilRun(vault, "hold");
  const held = await wrapsOfVersions(store);
  assert.deepEqual([distinct(held.present), distinct(held.kept), held.kept.length], [["b"], ["a"], 20]);
  await vault.convergence.apply();
  await untilRun(vault, "done");
  const done = await wrapsOfVersions(store);
  assert.deepEqual([distinct(done.present), done.kept], [["b"], []]);
  a.isAway = true;
  await requireAll(vault, 20);
});

test("undo after all was added brings back what was there before, with the new keys shut down", async (t) => {
  const { vault, b, store, keyStore } = await convergingVault(t, { scope: "record" });
  await putPeople(vault, 20);
  await vault.convergence.apply({ rate: 10_000, keepOld: true });
  await untilRun(vault, "hold");
  b.isAway = true;
  await vault.convergence.undo("the new keys are lost");
  await untilRun(vault, "undone");
  const after = await wrapsOfVersions(store);
  assert.deepEqual([distinct(after.present), after.kept], [["a"], []]);
  assert.deepEqual(distinct(await wrapsOfKeys(keyStore)), ["a"]);
  await requireAll(vault, 20);
});
