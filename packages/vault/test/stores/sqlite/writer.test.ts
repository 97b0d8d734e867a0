/**
 * The thread that writes: what goes into one transaction, what a death of it leaves behind, and that it keeps nobody
 * waiting.
 */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createInterface } from "node:readline";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { isVaultError } from "@strongroom/vault";
import type { Epoch, Store, Unit } from "@strongroom/vault";
import { inspectDatabase, sqliteStore } from "@strongroom/vault/sqlite";
import { defer } from "../../../../../tests/support/defer.ts";
import { drained, lastOf, newEntries } from "../../../src/store-contract/entries.ts";
import { rejectsWith } from "../../support/errors.ts";
import { at, live, make, remove, write } from "../../support/records.ts";
import { temporaryFolder } from "../../support/storage.ts";

async function opened(t: TestContext): Promise<{ readonly path: string; readonly store: Store }> {
  const path = join(await temporaryFolder(t), "records.sqlite");
  const store = await sqliteStore(path, { mark: true });
  defer(t, () => store.close());
  await make(store, write("first", null, 1));
  return { path, store };
}

const commitsOf = async (path: string): Promise<number> => (await inspectDatabase(path)).commits ?? -1;

test("what waits together is committed together, and each is answered for itself", async (t) => {
  const { path, store } = await opened(t);
  const before = await commitsOf(path);
  const units = Array.from({ length: 300 }, (_, n) => write(n % 10 === 0 ? "first" : `r${n}`, null, 1));
  const results = await Promise.all(units.map((unit) => store.records.apply([unit], { atomic: true })));
  assert.deepEqual(
    results.map(([result]) => result?.kind),
    units.map((_, n) => (n % 10 === 0 ? "conflict" : "made")),
  );
  const commits = (await commitsOf(path)) - before;
  assert.ok(commits >= 1 && commits < 100, `${commits} commits`);
  const heads = await store.records.heads(units.map(({ address }) => address));
  assert.ok(heads.every(({ head }) => head?.version === 1));
});

test("of units that are not made together nothing stays, also when others in the transaction are made", async (t) => {
  const { store } = await opened(t);
  const results = await Promise.all(
    Array.from({ length: 40 }, (_, n) =>
      store.records.apply(
        n % 2 === 0 ? [write(`a${n}`, null, 1)] : [write(`a${n}`, null, 1), write("first", null, 1)],
        {
          atomic: true,
        },
      ),
    ),
  );
  for (const [n, units] of results.entries()) {
    const kinds = units.map(({ kind }) => kind);
    assert.deepEqual(kinds, n % 2 === 0 ? ["made"] : ["not-made", "conflict"]);
    assert.equal((await store.records.heads([at(`a${n}`)]))[0]?.head?.version, n % 2 === 0 ? 1 : undefined);
  }
});

test("a request that fails in a transaction takes nobody else with it", async (t) => {
  const { path, store } = await opened(t);
  using database = new DatabaseSync(path);
  database.exec("pragma ignore_check_constraints = on; insert into past_writes values ('odd', 'gone', 0)");
  const odd = { address: at("x"), writeId: "odd" as Unit["writeId"] };
  const [made, failed, also] = await Promise.allSettled([
    store.records.apply([write("a", null, 1)], { atomic: true }),
    store.records.outcome([odd]),
    store.records.apply([write("b", null, 1)], { atomic: true }),
  ]);
  assert.deepEqual([made.status, failed.status, also.status], ["fulfilled", "rejected", "fulfilled"]);
  assert.equal((await store.records.heads([at("a"), at("b")])).filter(({ head }) => head !== null).length, 2);
});

test("what makes a transaction too large for the disk fails alone: the others are made", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
  const store = await sqliteStore(path, { maxBytes: 101 * 4096 });
  defer(t, () => store.close());
  const large = Buffer.alloc(60 * 4096, 1);
  await make(store, write("first", null, 1));
  const results = await Promise.allSettled(
    [
      write("a", null, 1),
      write("large-1", null, 1, large),
      write("large-2", null, 1, large),
      write("b", null, 1),
      remove("first", live(1), 1),
    ].map((unit) => store.records.apply([unit], { atomic: true })),
  );
  const codes = results.map((one) =>
    one.status === "fulfilled" ? one.value[0]?.kind : isVaultError(one.reason) ? one.reason.code : "?",
  );
  assert.deepEqual(codes, ["made", "made", "store-full", "made", "made"]);
});

test("what cannot be sent to the thread is refused as everything else is, and keeps nobody waiting", async (t) => {
  const { store } = await opened(t);
  const odd = write("odd", null, 1);
  const change = { ...odd.change, epoch: (() => 0) as unknown as Epoch };
  await rejectsWith("store-failed", () => store.records.apply([{ ...odd, change }], { atomic: true }));
  await make(store, odd);
});

test("buffers are taken at the call, and nothing beside them in their memory is", async (t) => {
  const { store } = await opened(t);
  const shared = Buffer.alloc(100, 7);
  const message = shared.subarray(10, 30);
  const writing = store.records.apply([write("a", null, 1, message)], { atomic: true });
  shared.fill(9);
  await writing;
  assert.equal(shared.length, 100, "the caller's memory stays his");
  const { stored } = await store.records.read(at("a"), null);
  assert.deepEqual(Buffer.from(stored!.message), Buffer.alloc(20, 7));
});

/** Ends every thread of this process that writes, as a failure of it would. */
async function endThreads(work: () => Promise<unknown>): Promise<void> {
  const found = new Set<Worker>();
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called as the worker's below
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (this: Worker, ...given) {
    found.add(this);
    postMessage.apply(this, given);
  };
  try {
    await work();
  } finally {
    Worker.prototype.postMessage = postMessage;
  }
  await Promise.all([...found].map((worker) => worker.terminate()));
}

test("a thread that dies: what was under way is said to be unknown or not made, and the next call starts a new one", async (t) => {
  const { store } = await opened(t);
  const seen = new Set<string>();
  for (let round = 0; round < 6; round++) {
    const units = Array.from({ length: 30 }, (_, n) => write(`r${round}-${n}`, null, 1, Buffer.alloc(50_000, n)));
    let writing: Promise<PromiseSettledResult<unknown>[]> = Promise.resolve([]);
    await endThreads(async () => {
      writing = Promise.allSettled(units.map((unit) => store.records.apply([unit], { atomic: true })));
      await delay(round);
    });
    const results = await writing;
    for (const [index, result] of results.entries()) {
      const unit = units[index]!;
      const code = result.status === "fulfilled" ? "made" : isVaultError(result.reason) ? result.reason.code : "?";
      seen.add(code);
      const [outcome] = await store.records.outcome([unit]);
      if (code === "made") assert.equal(outcome, "made");
      else if (code === "store-failed") assert.equal(outcome, "void");
      else assert.equal(code, "outcome-unknown");
      const [head] = await store.records.heads([unit.address]);
      assert.equal(head?.head !== null, outcome === "made");
      const again = await store.records.apply([unit], { atomic: true });
      assert.deepEqual(again, [{ kind: "conflict" }], "whatever became of it, it is settled");
    }
  }
  assert.ok(seen.has("store-failed"), [...seen].join());
});

test("a thread that dies while entries are written: the streams tell what became of those that are unknown", async (t) => {
  const { store } = await opened(t);
  for (let round = 0; round < 4; round++) {
    const lanes = Array.from({ length: 30 }, () => newEntries(20));
    let writing: Promise<PromiseSettledResult<unknown>[]> = Promise.resolve([]);
    await endThreads(async () => {
      writing = Promise.allSettled(lanes.map((entries) => store.outbox.append(entries, [])));
      await delay(round);
    });
    const results = await writing;
    const last = await lastOf(store, ...lanes.map(([entry]) => entry!.stream));
    for (const [index, result] of results.entries()) {
      const code = result.status === "fulfilled" ? "made" : isVaultError(result.reason) ? result.reason.code : "?";
      if (code === "made") assert.equal(last[index], 20);
      else if (code === "store-failed") assert.equal(last[index], null);
      else assert.equal(code, "outcome-unknown");
      assert.ok([20, null].includes(last[index]!), "all of an append, or nothing");
    }
    const written = last.filter((one) => one !== null).length;
    assert.equal((await drained(store)).length, written * 20);
  }
});

test("while another process holds the lock, the process goes on, and so do reads and other files", async (t) => {
  const { path, store } = await opened(t);
  const other = await sqliteStore(join(await temporaryFolder(t), "other.sqlite"));
  defer(t, () => other.close());
  using holder = new DatabaseSync(path);
  holder.exec("begin immediate");
  const writing = store.records.apply([write("a", null, 1)], { atomic: true });
  await make(other, write("b", null, 1));
  assert.equal((await store.records.heads([at("first")]))[0]?.head?.version, 1);
  assert.equal((await store.records.heads([at("a")]))[0]?.head, null);
  holder.exec("rollback");
  assert.deepEqual(await writing, [{ kind: "made" }]);
});

const PROGRAM = join(import.meta.dirname, "../../support/writer-process.ts");
const ARGUMENTS = ["--conditions=@strongroom/source", PROGRAM];

for (const mode of ["idle", "close"]) {
  test(`a process ends by itself with a store that is ${mode === "idle" ? "open and idle" : "closed"}`, async (t) => {
    const path = join(await temporaryFolder(t), "records.sqlite");
    await promisify(execFile)(process.execPath, [...ARGUMENTS, path, mode], { timeout: 60_000 });
    const store = await sqliteStore(path);
    defer(t, () => store.close());
    assert.deepEqual((await store.records.heads([at("first")]))[0]?.head, live(1));
  });
}

test("a process that may start no thread writes in its own, and outlives the moment in which its mark is flushed", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
  const allowed = ["--permission", "--allow-fs-read=*", "--allow-fs-write=*"];
  await promisify(execFile)(process.execPath, [...allowed, ...ARGUMENTS, path, "linger"], { timeout: 60_000 });
  const store = await sqliteStore(path, { mark: true });
  defer(t, () => store.close());
  assert.deepEqual((await store.records.heads([at("first")]))[0]?.head, live(1));
});

test("of what a killed process was told that it is stored, nothing is lost", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
  const child = spawn(process.execPath, [...ARGUMENTS, path, "write"], { stdio: ["ignore", "pipe", "inherit"] });
  const ids: string[] = [];
  for await (const id of createInterface(child.stdout)) {
    ids.push(id);
    if (ids.length === 200) child.kill("SIGKILL");
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  const store = await sqliteStore(path);
  defer(t, () => store.close());
  const heads = await store.records.heads(ids.map((id) => at(id)));
  assert.ok(heads.length >= 200 && heads.every(({ head }) => head?.version === 1));
});
