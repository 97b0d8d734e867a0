/**
 * Part of the contract of every store: a partition is one holder's at a time, and who was taken over changes nothing
 * more.
 */
import assert from "node:assert/strict";
import type { Leased, Progress } from "../stores/jobs.ts";
import { day } from "./changes.ts";
import type { AnyStore, Contract } from "./contract.ts";

const JOB = "repair";
const lease = (store: Pick<AnyStore, "jobs">, holder = "h", ms = 60_000, job = JOB): Promise<Leased | null> =>
  store.jobs.lease({ job, holder, ms });
const progress = (more: Partial<Progress> = {}): Progress => ({
  cursor: null,
  done: 0,
  failed: 0,
  problem: null,
  ...more,
});
const problem = { code: "record-tampered", at: day(3) };

export function jobsContract(contract: Contract<AnyStore>): void {
  contract("partitions are added once, due at once, and listed in their order", async ({ store, another }) => {
    const other = await another();
    await store.jobs.add("b-job", ["2", "10", "\u{1f511}", "'; --"]);
    await store.jobs.add("a-job", ["x"]);
    const held = await lease(store, "h", 60_000, "a-job");
    await other.jobs.add("a-job", ["x", "y"]);
    const found = await other.jobs.list();
    assert.deepEqual(
      found.map(({ job, partition, state }) => [job, partition, state]),
      [
        ["a-job", "x", "running"],
        ["a-job", "y", "due"],
        ["b-job", "'; --", "due"],
        ["b-job", "10", "due"],
        ["b-job", "2", "due"],
        ["b-job", "\u{1f511}", "due"],
      ],
    );
    const { takenAt, fence, ...rest } = found[0]!;
    assert.equal(fence, held?.fence);
    assert.equal(new Date(takenAt ?? "").toISOString(), takenAt);
    assert.deepEqual(rest, {
      ...{ job: "a-job", partition: "x", state: "running", cursor: null, done: 0, failed: 0, problem: null },
      ...{ holder: "h", savedAt: null },
    });
    assert.deepEqual([found[1]?.holder, found[1]?.takenAt, found[1]?.savedAt], [null, null, null]);
  });

  contract("a partition is leased to one at a time, each to somebody, also between stores", async (given) => {
    const { store, another, rounds } = given;
    const stores = [store, await another(), await another()];
    for (let round = 0; round < 3 * rounds; round++) {
      const job = `job-${round}`;
      const partitions = Array.from({ length: 12 }, (_, index) => `p-${index}`);
      await store.jobs.add(job, partitions);
      const leases = await Promise.all(
        Array.from({ length: 18 }, (_, index) => lease(stores[index % 3]!, `h-${index}`, 60_000, job)),
      );
      const taken = leases.filter((one) => one !== null);
      assert.deepEqual(taken.map(({ partition }) => partition).sort(), partitions.toSorted());
    }
    assert.equal(await lease(store, "h", 1000, "no-such-job"), null);
  });

  contract("what was due first is taken first", async ({ store, storage }) => {
    await store.jobs.add(JOB, ["late"]);
    const late = await lease(store);
    await store.jobs.finish(late!, progress(), 5000);
    await storage.passTime(1000);
    await store.jobs.add(JOB, ["a-soon"]);
    const soon = await lease(store);
    assert.equal(soon?.partition, "a-soon");
    await store.jobs.finish(soon, progress(), 8000);
    await storage.passTime(10_000);
    assert.equal((await lease(store))?.partition, "late");
    assert.equal((await lease(store))?.partition, "a-soon");
  });

  contract("a lease that ran out is another's, at the cursor, and the old fence changes nothing", async (given) => {
    const { store, storage, another } = given;
    const other = await another();
    await store.jobs.add(JOB, ["all"]);
    const stale = await lease(store, "slow", 1000);
    assert.ok(stale !== null && stale.cursor === null);
    assert.equal(await store.jobs.save(stale, progress({ cursor: "place 1", done: 3 }), 1000), "saved");
    assert.equal(await lease(other), null);
    await storage.passTime(1500);
    const [waiting] = await store.jobs.list();
    assert.equal(waiting?.state, "due");
    const taken = await lease(other, "quick");
    assert.ok(taken !== null && taken.fence > stale.fence);
    assert.equal(taken.cursor, "place 1");
    const before = await store.jobs.list();
    assert.equal(await store.jobs.save(stale, progress({ cursor: "place 2", done: 7 }), 60_000), "overtaken");
    assert.equal(await store.jobs.finish(stale, progress({ cursor: "place 2", done: 7 }), null), "overtaken");
    assert.equal(await store.jobs.finish(stale, progress(), 0), "overtaken");
    assert.deepEqual(await store.jobs.list(), before);
    assert.equal(before[0]?.holder, "quick");
    assert.equal(await other.jobs.save(taken, progress({ cursor: "place 2" }), 1000), "saved");
  });

  contract("saving holds it longer and adds to its counters; it stays at the cursor", async ({ store, storage }) => {
    await store.jobs.add(JOB, ["all"]);
    const held = (await lease(store, "h", 10_000))!;
    const cursor = `${"x".repeat(2000)} \u{1f511}'`;
    for (let round = 1; round <= 3; round++) {
      await storage.passTime(8000);
      assert.equal(await store.jobs.save(held, progress({ cursor, done: 5, failed: 1 }), 10_000), "saved");
      assert.equal(await lease(store), null, "it is held");
    }
    assert.equal(await store.jobs.save(held, progress({ cursor, problem }), 10_000), "saved");
    assert.equal(await store.jobs.save(held, progress({ cursor }), 10_000), "saved");
    const [found] = await store.jobs.list();
    assert.deepEqual(
      [found?.state, found?.cursor, found?.done, found?.failed, found?.problem],
      ["running", cursor, 15, 3, problem],
      "a problem is kept until there is another",
    );
    assert.equal(new Date(found?.savedAt ?? "").toISOString(), found?.savedAt);
  });

  contract("what is given back waits as long as it is told, or for ever", async ({ store, storage }) => {
    await store.jobs.add(JOB, ["again", "done"]);
    const [first, second] = [(await lease(store))!, (await lease(store))!];
    const [again, done] = first.partition === "again" ? [first, second] : [second, first];
    assert.equal(await store.jobs.finish(again, progress({ cursor: "c", done: 1 }), 5000), "saved");
    assert.equal(await store.jobs.finish(done, progress({ done: 2, failed: 1, problem }), null), "saved");
    assert.deepEqual(
      (await store.jobs.list()).map(({ state, cursor, done: count }) => [state, cursor, count]),
      [
        ["waiting", "c", 1],
        ["finished", null, 2],
      ],
    );
    assert.equal(await lease(store), null);
    await storage.passTime(6000);
    const next = await lease(store);
    assert.deepEqual([next?.partition, next?.cursor], ["again", "c"]);
    assert.ok(next!.fence > again.fence);
    await store.jobs.add(JOB, ["done"]);
    await storage.passTime(1_000_000_000);
    assert.equal((await lease(store))?.partition, "again");
    assert.equal(await lease(store), null, "what is finished stays so");
  });

  contract("what was given back is nobody's: its lease changes nothing more", async ({ store }) => {
    await store.jobs.add(JOB, ["a", "b"]);
    for (const dueInMs of [0, null]) {
      const held = (await lease(store))!;
      await store.jobs.finish(held, progress({ cursor: "end", done: 1 }), dueInMs);
      const before = await store.jobs.list();
      assert.equal(await store.jobs.save(held, progress({ done: 1 }), 60_000), "overtaken");
      assert.equal(await store.jobs.finish(held, progress({ done: 1 }), 0), "overtaken");
      assert.deepEqual(await store.jobs.list(), before);
    }
  });

  contract("waking makes due what waits, and leaves what is held and what is finished", async ({ store, another }) => {
    const other = await another();
    await store.jobs.add(JOB, ["a", "b", "c"]);
    await store.jobs.add("other", ["x"]);
    const held = (await lease(store))!;
    await store.jobs.finish((await lease(store))!, progress(), null);
    await store.jobs.finish((await lease(store))!, progress(), 1_000_000);
    await store.jobs.finish((await lease(store, "h", 1000, "other"))!, progress(), 1_000_000);
    const states = async (): Promise<readonly string[]> =>
      (await store.jobs.list()).map(({ state }) => state).toSorted();
    assert.deepEqual(await states(), ["finished", "running", "waiting", "waiting"]);
    await other.jobs.wake(JOB);
    assert.deepEqual(await states(), ["due", "finished", "running", "waiting"]);
    assert.notEqual((await lease(other))?.partition, held.partition);
    assert.equal(await lease(store), null);
    assert.equal(await store.jobs.save(held, progress(), 1000), "saved");
  });

  contract("a clock that is set back does not hold a partition for longer", async ({ store, storage, another }) => {
    const other = await another();
    await store.jobs.add(JOB, ["taken", "saved"]);
    const [one, two] = [(await lease(store, "h", 10_000))!, (await lease(store, "h", 10_000))!];
    assert.equal(await lease(other), null);
    await storage.passTime(5000);
    assert.equal(await store.jobs.save(two, progress(), 10_000), "saved");
    await storage.passTime(-3_600_000);
    const taken = [await lease(other, "o", 10_000), await lease(other, "o", 10_000)];
    assert.deepEqual(taken.map((found) => found?.partition).toSorted(), ["saved", "taken"]);
    assert.equal(await lease(store), null, "the new ones are held");
    for (const stale of [one, two]) assert.equal(await store.jobs.save(stale, progress(), 1000), "overtaken");
    for (const held of taken) assert.equal(await other.jobs.save(held!, progress(), 1000), "saved");
  });

  contract("fences of a partition only grow, whoever takes it", async ({ store, storage, another }) => {
    const stores = [store, await another()];
    await store.jobs.add(JOB, ["all"]);
    let last = -1;
    for (let round = 0; round < 12; round++) {
      const held = await lease(stores[round % 2]!, `h-${round}`, 1000);
      assert.ok(held !== null && held.fence > last, `round ${round}`);
      last = held.fence;
      if (round % 3 === 0) await store.jobs.finish(held, progress(), 0);
      else await storage.passTime(1001);
    }
  });

  contract("of what is not there nothing is saved", async ({ store }) => {
    await store.jobs.add(JOB, ["all"]);
    const held = (await lease(store))!;
    for (const wrong of [
      { ...held, job: "none" },
      { ...held, partition: "none" },
      { ...held, fence: held.fence - 1 },
      { ...held, fence: held.fence + 1 },
      { ...held, fence: Number.MAX_SAFE_INTEGER },
    ]) {
      assert.equal(await store.jobs.save(wrong, progress({ done: 1 }), 1000), "overtaken");
      assert.equal(await store.jobs.finish(wrong, progress({ done: 1 }), null), "overtaken");
    }
    await store.jobs.wake("none");
    assert.deepEqual(
      (await store.jobs.list()).map(({ state, done }) => [state, done]),
      [["running", 0]],
    );
  });
}
