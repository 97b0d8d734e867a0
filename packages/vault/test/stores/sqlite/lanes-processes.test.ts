/**
 * Several processes write entries at once and are killed, while another one takes them away: of each stream the numbers
 * are there without a hole, each once, and nothing that was acknowledged is lost.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import { defer } from "../../../../../tests/support/defer.ts";
import type { WithOutbox } from "../../../src/store-contract/entries.ts";
import type { StreamId, WaitingEntry } from "../../../src/stores/outbox.ts";
import { at } from "../../support/records.ts";
import { temporaryFolder } from "../../support/storage.ts";

const PROGRAM = join(import.meta.dirname, "../../support/lanes-process.ts");

/** Store and stream -> the last number that was acknowledged. */
type Acknowledged = Map<string, number>;

/** Runs it until it has said so much: then it is killed. */
async function run(folder: string, lanes: number, killedAfter: number, said: Acknowledged): Promise<void> {
  const child = spawn(process.execPath, ["--conditions=@strongroom/source", PROGRAM, folder, String(lanes)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  let lines = 0;
  for await (const line of createInterface(child.stdout)) {
    const [store = "", stream = "", last = ""] = line.split(" ");
    // Of a line that the kill has cut nothing is believed.
    if (/^\d+$/.test(last) && stream.length === 36) said.set(`${store} ${stream}`, Number(last));
    if (++lines === killedAfter) child.kill("SIGKILL");
  }
  const [code, signal] = (await ended) as [number | null, string | null];
  assert.deepEqual([code, signal], [null, "SIGKILL"]);
}

/** Takes entries as the sequencer does, until it is told to stop and none are left. */
async function takeAll({ outbox }: WithOutbox, isOver: () => boolean): Promise<readonly WaitingEntry[]> {
  const found: WaitingEntry[] = [];
  for (;;) {
    const wasOver = isOver();
    const taken = await outbox.take(50);
    found.push(...taken);
    await outbox.drop(taken.map(({ position }) => position));
    if (taken.length === 0 && wasOver) return found;
    if (taken.length === 0) await delay(5);
  }
}

test("lanes of processes that are killed end without a hole, and what was acknowledged is there once", async (t) => {
  const folder = await temporaryFolder(t);
  const records = await sqliteStore(join(folder, "records.sqlite"));
  const keys = await sqliteKeyStore(join(folder, "keys.sqlite"));
  defer(t, () => Promise.all([records.close(), keys.close()]));
  let isOver = false;
  const said: Acknowledged = new Map();
  const taking = Promise.all([takeAll(records, () => isOver), takeAll(keys, () => isOver)]);
  try {
    for (const round of [1, 2])
      await Promise.all([run(folder, 3, 9 * round, said), run(folder, 6, 10 + 7 * round, said)]);
  } finally {
    isOver = true;
  }
  const taken = await taking;
  const heads = new Map<string, string | undefined>();
  for (const [name, store, entries] of [["records", records, taken[0]] as const, ["keys", keys, taken[1]] as const]) {
    assert.equal(new Set(entries.map(({ position }) => position)).size, entries.length);
    assert.equal(new Set(entries.map(({ id }) => id)).size, entries.length, "none comes twice");
    const numbers = Map.groupBy(entries, ({ stream }) => stream);
    assert.ok(numbers.size >= 4);
    for (const [stream, all] of numbers) {
      const last = (await store.outbox.streams([stream]))[0]?.last;
      // In the order of the positions, which were taken as they came.
      assert.deepEqual(
        all.map(({ number }) => number),
        Array.from({ length: last ?? 0 }, (_, index) => index + 1),
      );
      assert.ok((said.get(`${name} ${stream}`) ?? 0) <= all.length, "an entry that was acknowledged is lost");
    }
    for (const key of said.keys())
      if (key.startsWith(name)) assert.ok(numbers.has(key.slice(name.length + 1) as StreamId));
    for (const { id, stream, number } of entries) heads.set(`${stream}-${number - 1}`, id);
  }
  const listed = (await records.records.list(at("any").collection, { after: null, limit: 1000 })) ?? [];
  assert.ok(listed.length > 3);
  for (const { id, entry } of listed) assert.equal(entry, heads.get(id), "a record and its entry are made together");
});
