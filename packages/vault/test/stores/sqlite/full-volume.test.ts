/**
 * A volume that is full: several removals that meet it at the same time all have the room that was kept for them, with
 * their entries; entries of what is read have half of it, and half of what the log gives up.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { roomOf } from "@strongroom/base/disk-reserve";
import type { Store } from "@strongroom/vault";
import { sqliteAuditLog, sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import { defer } from "../../../../../tests/support/defer.ts";
import { smallVolume } from "../../../../../tests/support/faults/volume.ts";
import type { Volume } from "../../../../../tests/support/faults/volume.ts";
import { add, newLogEntries } from "../../../src/store-contract/additions.ts";
import { leaseOf } from "../../../src/store-contract/changes.ts";
import { newEntries, newStream, withEntry } from "../../../src/store-contract/entries.ts";
import type { AppendResult, Outbox } from "../../../src/stores/outbox.ts";
import { rejectsWith } from "../../support/errors.ts";
import { live, make, remove, write } from "../../support/records.ts";

interface FullStore {
  readonly volume: Volume;
  readonly store: Store;
  readonly ids: readonly string[];
}

/** A store on a volume of so many megabytes, with records that are to be removed. */
async function fullStore(t: TestContext, megabytes: number): Promise<FullStore | null> {
  const volume = await smallVolume(t, megabytes);
  if (volume === null) return null;
  const store = await sqliteStore(join(volume.folder, "records.sqlite"), { reserve: true });
  defer(t, () => store.close());
  const ids = Array.from({ length: 12 }, (_, n) => `id-${n}`);
  await make(store, ...ids.map((id) => write(id, null, 1, Buffer.alloc(2000, 1))));
  return { volume, store, ids };
}

test("removals that meet a full disk together are all made", async (t) => {
  const given = await fullStore(t, 24);
  if (given === null) return;
  const { volume, store, ids } = given;
  volume.fill(4 * 1024 * 1024);
  // How much is left is asked here, when the last answer is old, and not again at once: that nothing is left any more
  // is found by the removals themselves.
  await delay(250);
  await store.requireRoom();
  assert.throws(() => {
    writeFileSync(join(volume.folder, "more"), Buffer.alloc(8 * 1024 * 1024));
  }, /ENOSPC/);
  const results = await Promise.all(
    ids.map((id) => {
      const unit = withEntry(remove(id, live(1), 1), newStream(), 1);
      return store.records.apply([unit], { atomic: true }).catch(String);
    }),
  );
  assert.deepEqual(
    results,
    ids.map(() => [{ kind: "made" }]),
  );
});

/** Appends groups of readers' entries until none is taken any more; how many were. */
async function appendAll(outbox: Outbox): Promise<number> {
  const stream = newStream();
  for (let last = 0; ; last += 64) {
    const answer: AppendResult | string = await outbox
      .append(newEntries(64, stream, last), [])
      .catch((error: unknown) => (error as { code: string }).code);
    if (answer !== "store-full") assert.deepEqual(answer, { kind: "made" });
    else return last;
  }
}

test("entries of what is read go on for a while on a full disk, and leave half of the room to what removes", async (t) => {
  const given = await fullStore(t, 96);
  if (given === null) return;
  const { volume, store, ids } = given;
  const other = await sqliteStore(join(volume.folder, "records.sqlite"), { reserve: true });
  defer(t, () => other.close());
  volume.fill(0);
  await delay(250);
  await rejectsWith("store-full", () => store.requireRoom());
  const appended = await appendAll(store.outbox);
  assert.ok(appended >= 64, "the room was given up for them");
  assert.equal(await appendAll(other.outbox), 0, "another process does not use up the rest");
  const { free } = roomOf(volume.folder)!;
  assert.ok(free > 2 * 1024 * 1024, `${free} bytes are left`);
  for (const id of ids)
    assert.deepEqual(
      await store.records.apply([withEntry(remove(id, live(1), 1), newStream(), 1)], { atomic: true }),
      [{ kind: "made" }],
      "what removes has the other half",
    );
  const before = (await store.outbox.waiting(100_000)).entries;
  const waiting = await store.outbox.take(200);
  await store.outbox.drop(waiting.map(({ position }) => position));
  assert.equal((await store.outbox.waiting(100_000)).entries, before - waiting.length, "and what is in the log goes");
  volume.empty();
  await delay(250);
  await store.requireRoom();
  await store.outbox.append(newEntries(64), []);
});

test("carrying entries to the log gives up its room too, for more of them, and takes nothing of what removes", async (t) => {
  const given = await fullStore(t, 96);
  if (given === null) return;
  const { volume, store, ids } = given;
  const log = await sqliteAuditLog(join(volume.folder, "audit.sqlite"), { reserve: true });
  defer(t, () => log.close());
  const lease = await leaseOf(log);
  const carry = (): Promise<unknown> => add(log, lease, { entries: newLogEntries(1) });
  volume.fill(0);
  await delay(250);
  assert.ok((await appendAll(store.outbox)) >= 64);
  await carry();
  await delay(250);
  assert.ok((await appendAll(store.outbox)) >= 64, "what the log gave up is for the next ones");
  await delay(250);
  await rejectsWith("store-full", carry);
  const { free } = roomOf(volume.folder)!;
  assert.ok(free > 2 * 1024 * 1024, `${free} bytes are left`);
  assert.deepEqual(
    await store.records.apply([withEntry(remove(ids[0]!, live(1), 1), newStream(), 1)], { atomic: true }),
    [{ kind: "made" }],
  );
  volume.empty();
  await delay(250);
  await carry();
});

test("a key store takes entries as long as there is any room", async (t) => {
  const volume = await smallVolume(t, 24);
  if (volume === null) return;
  const store = await sqliteKeyStore(join(volume.folder, "keys.sqlite"), { reserve: true });
  defer(t, () => store.close());
  await store.outbox.append(newEntries(1000), []);
  volume.fill(0);
  await delay(250);
  await appendAll(store.outbox);
  assert.ok(roomOf(volume.folder)!.free < 400 * 1024);
  volume.empty();
  assert.ok((await store.outbox.waiting(2000)).entries > 1000);
});
