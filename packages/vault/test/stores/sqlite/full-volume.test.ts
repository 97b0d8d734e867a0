/**
 * A volume that is full: several removals that meet it at the same time all have the room that was kept for them, with
 * their entries; entries of what is read have half of it.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { defer } from "../../../../../tests/support/defer.ts";
import { smallVolume } from "../../../../../tests/support/faults/volume.ts";
import { live, make, remove, write } from "../../support/records.ts";

/** A store on a volume of so many megabytes, with records that are to be removed. */
async function fullStore(t: TestContext, megabytes: number) {
  const volume = await smallVolume(t, megabytes);
  if (volume === null) return null;
  const store = await sqliteStore(join(volume.folder, "records.sqlite"), { reserve: true });
  defer(t, () => store.close());
  const ids = Array.from({ length: 12 }, (_, n) => `id-${n}`);
  await make(store, ...ids.map((id) => write(id, null, 1, Buffer.alloc(2000, 1))));
  return { volume, store, ids };
}

test("removals that meet a full disk together are all made", async (t) => {
  const volume = await smallVolume(t, 24);
  if (volume === null) return;
  const store = await sqliteStore(join(volume.folder, "records.sqlite"), { reserve: true });
  defer(t, () => store.close());
  const ids = Array.from({ length: 12 }, (_, n) => `id-${n}`);
  await make(store, ...ids.map((id) => write(id, null, 1, Buffer.alloc(2000, 1))));
  volume.fill(4 * 1024 * 1024);
  // How much is left is asked here, when the last answer is old, and not again at once: that nothing is left any more
  // is found by the removals themselves.
  await delay(250);
  await store.requireRoom();
  assert.throws(() => {
    writeFileSync(join(volume.folder, "more"), Buffer.alloc(8 * 1024 * 1024));
  }, /ENOSPC/);
  const results = await Promise.all(
    ids.map((id) => store.records.apply([remove(id, live(1), 1)], { atomic: true }).catch(String)),
  );
  assert.deepEqual(
    results,
    ids.map(() => [{ kind: "made" }]),
  );
});
