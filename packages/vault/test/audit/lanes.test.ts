/**
 * Lanes: which numbers are given out, and which never again.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { VaultError } from "@strongroom/vault";
import type { NumberedOutcome } from "../../src/audit/auditor.ts";
import { Lanes } from "../../src/audit/lanes.ts";
import type { LanePlace } from "../../src/audit/lanes.ts";
import { deferred } from "../support/audited.ts";

const answers =
  (outcome: NumberedOutcome, places: LanePlace[] = []) =>
  (place: LanePlace): Promise<{ readonly outcome: NumberedOutcome; readonly result: LanePlace }> => {
    places.push(place);
    return Promise.resolve({ outcome, result: place });
  };

test("what was made counts; what was not made has its numbers used again, in the same stream", async () => {
  const lanes = new Lanes();
  const places: LanePlace[] = [];
  for (const outcome of ["made", "not-made", "made", "not-made", "made"] as const)
    await lanes.numbered(3, answers(outcome, places));
  assert.deepEqual(
    places.map(({ first }) => first),
    [1, 4, 4, 7, 7],
  );
  assert.equal(new Set(places.map(({ stream }) => stream)).size, 1);
  const used = lanes.takeUsed().map(({ stream, last }) => ({ stream, last }));
  assert.deepEqual(used, [{ stream: places[0]!.stream, last: 9 }]);
});

test("an error that says that nothing was made costs no number; one that says nothing costs the lane", async () => {
  const lanes = new Lanes();
  const { stream } = await lanes.numbered(1, answers("made"));
  const failing = (error: Error) => (): Promise<never> => Promise.reject(error);
  const full = new VaultError("store-full", "full");
  await assert.rejects(lanes.numbered(1, failing(full)), full);
  assert.deepEqual(await lanes.numbered(1, answers("made")), { stream, first: 2 });
  for (const lost of [new VaultError("outcome-unknown", "lost"), new TypeError("anything")]) {
    const before = await lanes.numbered(1, answers("made"));
    await assert.rejects(lanes.numbered(1, failing(lost)), lost);
    const after = await lanes.numbered(1, answers("made"));
    assert.notEqual(after.stream, before.stream);
    assert.equal(after.first, 1);
  }
  assert.equal(lanes.takeUsed().length, 1, "what was left is ended by nobody here");
  assert.deepEqual(
    lanes.takeAbandoned().map(({ last }) => last),
    [3, 2],
  );
});

test("a stream that has moved is left", async () => {
  const lanes = new Lanes();
  const before = await lanes.numbered(1, answers("moved"));
  const after = await lanes.numbered(1, answers("made"));
  assert.notEqual(after.stream, before.stream);
});

test("one transaction at a time writes to a lane, and no more lanes are taken than are needed", async () => {
  const lanes = new Lanes();
  const gates = Array.from({ length: 400 }, deferred);
  const streams: string[] = [];
  const busy = new Set<string>();
  const all = gates.map(({ promise }) =>
    lanes.numbered(1, async ({ stream }) => {
      assert.ok(!busy.has(stream));
      busy.add(stream);
      streams.push(stream);
      await promise;
      busy.delete(stream);
      return { outcome: "made", result: null };
    }),
  );
  await Promise.resolve();
  assert.equal(streams.length, 256, "the others wait");
  let isIdle = false;
  const idle = lanes.idle().then(() => (isIdle = true));
  for (const { resolve } of gates.slice(0, 399)) resolve();
  await Promise.all(all.slice(0, 399));
  assert.equal(isIdle, false);
  gates[399]!.resolve();
  await Promise.all([...all, idle]);
  assert.equal(new Set(streams).size, 256);
  for (let n = 0; n < 20; n++) streams.push((await lanes.numbered(1, answers("made"))).stream);
  assert.equal(new Set(streams.slice(-20)).size, 1);
  await lanes.idle();
});
