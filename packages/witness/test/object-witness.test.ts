import assert from "node:assert/strict";
import { test } from "node:test";
import { ObjectWitness } from "../src/object-witness.ts";
import type { ObjectWitnessOptions } from "../src/object-witness.ts";
import { failures, GrownLog } from "./grown-log.ts";
import { LockedStore } from "./locked-store.ts";

const witnessOf = (client: LockedStore, more: Partial<ObjectWitnessOptions> = {}): ObjectWitness =>
  new ObjectWitness({ client, bucket: "checkpoints", prefix: "vaults/", days: 30, ...more }, failures);

test("each checkpoint is a locked object of its own, and the newest is what a log is held against", async () => {
  const store = new LockedStore();
  const log = new GrownLog().grow(3);
  assert.deepEqual(await witnessOf(store).examine(log.head()), { kind: "nothing" });
  await witnessOf(store).record(log.head());
  const early = log.copy();
  await witnessOf(store).record(log.grow(8).head());
  await witnessOf(store).record(log.grow(100).head());
  assert.deepEqual(store.keys, [
    `vaults/${log.origin}/9007199254740988-3`,
    `vaults/${log.origin}/9007199254740980-11`,
    `vaults/${log.origin}/9007199254740880-111`,
  ]);
  const witness = witnessOf(store);
  assert.deepEqual(await witness.examine(log.grow(5).head()), { kind: "seen", size: 111 });
  assert.match((await witness.read()) ?? "", /\n111\n/);
  await assert.rejects(witness.examine(early.head()), { code: "set-back", message: /9007199254740880-111/ });
  await assert.rejects(witness.examine(early.grow(500, "other").head()), { code: "set-back" }, "a longer fork");
});

test("what whoever has the credentials deletes or writes over stays, and is found", async () => {
  const store = new LockedStore();
  const log = new GrownLog().grow(4);
  const early = log.copy();
  await witnessOf(store).record(early.head());
  await witnessOf(store).record(log.grow(6).head());
  const [first = "", newest = ""] = store.keys;
  const setBack = async (what: string): Promise<void> => {
    await assert.rejects(witnessOf(store).examine(early.head()), { code: "set-back" }, what);
    assert.deepEqual(await witnessOf(store).examine(log.head()), { kind: "seen", size: 10 }, what);
  };
  await setBack("untouched");
  store.write(newest, Buffer.from(early.head().note));
  await setBack("the older one in its place");
  store.write(newest, Buffer.from("junk"));
  store.write(newest, Buffer.alloc(1_000_000));
  await setBack("junk in its place");
  store.deleteAll();
  await setBack("marked as deleted");
  store.write(`vaults/${log.origin}/0000000000000001-9007199254740990`, Buffer.from(early.head().note));
  store.write(`vaults/${log.origin}/0`, Buffer.from(early.head().note));
  await setBack("an older one as if it were a newer one");
  store.write(first.replace("-4", "-5"), Buffer.from(log.head().note));
  store.pageSize = 2;
  await setBack("in pages");
  const stranger = new GrownLog({ origin: log.origin }).grow(50);
  await witnessOf(store).record(stranger.head());
  await setBack("of another key");
});

test("so much junk that nothing is found in time is a witness that is away, not one that has seen nothing", async () => {
  const store = new LockedStore();
  const log = new GrownLog().grow(4);
  await witnessOf(store).record(log.head());
  for (let index = 0; index < 300; index++)
    store.write(`vaults/${log.origin}/${String(index).padStart(16, "0")}-1`, Buffer.from("junk"));
  const seen = await witnessOf(store).examine(log.head());
  assert.deepEqual([seen.kind, store.gets <= 201], ["away", true]);
});

test("a log set back to before a restore that was accepted is told by the history that began then", async () => {
  const store = new LockedStore();
  const before = new GrownLog().grow(20);
  await witnessOf(store).record(before.head());
  const lost = before.copy(12);
  const after = lost.accept(before.origin.replace("/one", "/two")).grow(1);
  assert.deepEqual(await witnessOf(store).examine(after.head()), { kind: "seen", size: 0 }, "given up, on record");
  await witnessOf(store).record(after.head());
  assert.deepEqual(await witnessOf(store).examine(after.grow(3).head()), { kind: "seen", size: 13 });
  await assert.rejects(witnessOf(store).examine(before.head()), { code: "set-back" });
  const [first = "", second = ""] = store.keys;
  store.write(second.replace(/[^/]+$/, first.replace(/^.*\//, "")), Buffer.from(before.head().note));
  const earlier = lost.accept(after.origin);
  await assert.rejects(
    witnessOf(store).examine(earlier.head()),
    { code: "set-back" },
    "hidden by one that was given up",
  );
  const other = new GrownLog({ origin: "strongroom/00000000-0000-4000-8000-00000000000b/one" }).grow(2);
  assert.deepEqual(await witnessOf(store).examine(other.head()), { kind: "nothing" }, "another vault in one bucket");
});

test("of two processes that tell the same, one has told it; of two copies that differ, one is refused", async () => {
  const store = new LockedStore();
  const log = new GrownLog().grow(7);
  await witnessOf(store).record(log.head());
  await witnessOf(store).record(log.copy().head());
  assert.equal(store.keys.length, 1);
  const [key = ""] = store.keys;
  await assert.rejects(witnessOf(store).record(log.copy(3).grow(4, "other").head()), { code: "set-back" });
  store.write(key, Buffer.from("junk"));
  await witnessOf(store).record(log.head());
  const ahead = log.copy().grow(1);
  store.write(key.replace(/0984-7$/, "0983-8"), Buffer.from("junk, where the next one will lie"));
  await witnessOf(store).record(ahead.head());
  await assert.rejects(witnessOf(store).examine(log.head()), { code: "set-back" });
});

test("a store that does not lock is no witness", async () => {
  const log = new GrownLog().grow(1);
  const forgetful = new LockedStore("takes-and-forgets");
  await assert.rejects(witnessOf(forgetful).record(log.head()), /does not lock objects/);
  await assert.rejects(witnessOf(new LockedStore("refuses")).record(log.head()), /the store says InvalidRequest/);
  const short = new LockedStore();
  const put = short.putObject.bind(short);
  short.putObject = (input) => put({ ...input, ObjectLockRetainUntilDate: new Date(Date.now() + 3_600_000) });
  await assert.rejects(witnessOf(short).record(log.head()), /does not lock objects for as long/);
});

test("a store that cannot be asked is away, and its own words are not repeated", async () => {
  const store = new LockedStore();
  const reasons: readonly (readonly [Error, string])[] = [
    [Object.assign(new Error("key AKIA… is not allowed"), { name: "AccessDenied" }), "the store says AccessDenied"],
    [Object.assign(new Error("connect"), { code: "ECONNREFUSED" }), "no connection (ECONNREFUSED)"],
    [Object.assign(new Error("aborted"), { name: "AbortError" }), "no answer in time"],
  ];
  for (const [error, reason] of reasons) {
    store.fails = error;
    assert.deepEqual(await witnessOf(store).examine(new GrownLog().grow(1).head()), { kind: "away", reason });
    await assert.rejects(witnessOf(store).record(new GrownLog().grow(1).head()), { message: reason });
  }
});

test("what cannot be right is refused", () => {
  const store = new LockedStore();
  for (const wrong of [
    { bucket: "A" },
    { bucket: "a/b" },
    { prefix: "a" },
    { prefix: "é/" },
    { days: 0 },
    { days: 1.5 },
    { days: Number.NaN },
    { days: 36_501 },
    { pauseMs: -1 },
  ])
    assert.throws(() => witnessOf(store, wrong), { code: "invalid" }, JSON.stringify(wrong));
});
