import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { ALARM, outlook, readOutlook, readSamples, watchDisk } from "../../src/installation/disk-watch.ts";
import { pino } from "pino";

const GIB = 1024 ** 3;
const DAY = 24 * 3_600_000;
const at = (days: number): number => Date.UTC(2026, 0, 1) + days * DAY;

it("foretells the day from what went, and nothing from too little", () => {
  const samples = [0, 1, 2, 3].map((day) => ({ at: at(day), free: (100 - day) * GIB }));
  const { perDay, fullAt, alarm } = outlook(samples, { at: at(4), free: 96 * GIB });
  assert.deepEqual([perDay, fullAt, alarm], [GIB, at(100), false]);
  assert.equal(outlook(samples, { at: at(4), free: 10 * GIB }).alarm, true, "full within two weeks");
  for (const [seen, now] of [
    [[], { at: at(1), free: 5 * GIB }],
    [[{ at: at(1), free: 9 * GIB }], { at: at(1) + 1000, free: 5 * GIB }],
    [[{ at: at(0), free: 5 * GIB }], { at: at(1), free: 6 * GIB }],
    [[{ at: at(9), free: 9 * GIB }], { at: at(1), free: 5 * GIB }],
  ] as const)
    assert.deepEqual(outlook(seen, now), { free: now.free, perDay: null, fullAt: null, alarm: false });
  assert.equal(outlook([], { at: at(0), free: ALARM.bytes - 1 }).alarm, true);
});

it("keeps what it saw for the doctor, and takes a damaged file for none", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "strongroom-disk-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "disk.json");
  const watch = await watchDisk(folder, path, pino({ level: "silent" }));
  while ((await readSamples(path)).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  watch.close();
  assert.ok((watch.now()?.free ?? 0) > 0);
  for (const text of ["", "{", '[{"at":-1,"free":1}]', `[${'{"at":1,"free":1},'.repeat(400)}{"at":1,"free":1}]`]) {
    await writeFile(path, text);
    assert.deepEqual(await readSamples(path), []);
  }
  await writeFile(path, JSON.stringify([{ at: Date.now() - 10 * DAY, free: Number.MAX_SAFE_INTEGER }]));
  const found = await readOutlook(folder, path);
  assert.equal(typeof found?.fullAt, "number");
  assert.equal(found?.alarm, true);
});
