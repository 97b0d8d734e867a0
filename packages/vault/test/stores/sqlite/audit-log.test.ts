/**
 * The file of the audit's log: as private, as durable and as watched as the others, and never taken for one of them.
 */
import assert from "node:assert/strict";
import { copyFileSync, writeFileSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { inspectDatabase, sqliteAuditLog, sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import type { SqliteAuditLogOptions } from "@strongroom/vault/sqlite";
import { defer } from "../../../../../tests/support/defer.ts";
import { smallVolume } from "../../../../../tests/support/faults/volume.ts";
import { add, addition, newHead, newLogEntries, newLogEntry } from "../../../src/store-contract/additions.ts";
import { day, leaseOf } from "../../../src/store-contract/changes.ts";
import { idsOf, newTag } from "../../../src/store-contract/entries.ts";
import type { AuditLog } from "../../../src/stores/audit-log.ts";
import { openAudit } from "../../../src/stores/sqlite/database.ts";
import { rejectsWith } from "../../support/errors.ts";
import { hand } from "../../support/keys-file.ts";
import { temporaryFolder } from "../../support/storage.ts";

interface LogFile {
  readonly path: string;
  readonly log: AuditLog;
}

async function logFile(t: TestContext, options: SqliteAuditLogOptions = {}): Promise<LogFile> {
  const path = join(await temporaryFolder(t), "audit.sqlite");
  const log = await sqliteAuditLog(path, options);
  defer(t, () => log.close());
  return { path, log };
}

test("the file, its log and its index are readable by their owner alone, and every commit is on the disk", async (t) => {
  const { path, log } = await logFile(t);
  await log.jobs.add("a job", ["all"]);
  const files = await readdir(dirname(path));
  assert.deepEqual(files.sort(), ["audit.sqlite", "audit.sqlite-shm", "audit.sqlite-wal"]);
  for (const name of files) assert.equal((await stat(join(dirname(path), name))).mode & 0o777, 0o600, name);
  const again = await openAudit(path, { busyTimeoutMs: 0, maxBytes: 1e9, mark: false, reserve: false });
  const pragma = (name: string): unknown =>
    Object.values(again.connection.database.prepare(`pragma ${name}`).get() ?? {})[0];
  assert.deepEqual(["journal_mode", "synchronous", "secure_delete", "application_id", "query_only"].map(pragma), [
    "wal",
    2,
    1,
    0x5352414c,
    1,
  ]);
  await again.close();
});

test("a log is no store of records or of keys, and none of them is a log", async (t) => {
  const folder = await temporaryFolder(t);
  const paths = { records: join(folder, "records"), keys: join(folder, "keys"), audit: join(folder, "audit") };
  const open = { records: sqliteStore, keys: sqliteKeyStore, audit: sqliteAuditLog } as const;
  const kinds = ["records", "keys", "audit"] as const;
  for (const kind of kinds) await (await open[kind](paths[kind])).close();
  for (const kind of kinds)
    for (const other of kinds) {
      const { state } = await inspectDatabase(paths[other], { kind });
      assert.equal(state, kind === other ? "sound" : "refused", `${other} as ${kind}`);
      if (kind !== other) await rejectsWith("store-failed", () => open[kind](paths[other]));
    }
  for (const path of [":memory:", "", "file:audit"]) await rejectsWith("store-failed", () => sqliteAuditLog(path));
});

test("a log that is looked at says which it is and whose", async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, "audit.sqlite");
  assert.equal((await inspectDatabase(path, { kind: "audit" })).state, "absent");
  const log = await sqliteAuditLog(path, { mark: true });
  defer(t, () => log.close());
  const peer = "0b7d7f4e-0c55-4d3c-9d8e-55b1b0f7a3c1";
  await log.gate.bind(peer);
  const { state, isMarked, gate, pending } = await inspectDatabase(path, { kind: "audit" });
  assert.deepEqual([state, isMarked, gate?.peer, pending], ["sound", true, peer, []]);
});

test("a log of before entries were found by their actions gets what it takes, and is asked as ever", async (t) => {
  const { path, log } = await logFile(t);
  const lease = await leaseOf(log);
  const entries = [...newLogEntries(3), ...newLogEntries(2, { action: "erase" }), ...newLogEntries(2)];
  await add(log, lease, { entries });
  const erased = async (of: AuditLog) =>
    (await of.find({ action: "erase" }, { order: "newest", after: null, limit: 9 })).map(({ position }) => position);
  assert.deepEqual(await erased(log), [4, 3]);
  await log.close();
  const database = new DatabaseSync(path);
  database.exec("drop index entries_action; delete from kysely_migration where name = '0002-actions'");
  database.close();
  assert.deepEqual((await inspectDatabase(path, { kind: "audit" })).pending, ["0002-actions"]);
  const again = await sqliteAuditLog(path);
  defer(t, () => again.close());
  assert.deepEqual(await erased(again), [4, 3]);
  assert.deepEqual((await inspectDatabase(path, { kind: "audit" })).pending, []);
});

test("an older copy under the mark, another schema and an exchanged file are refused", async (t) => {
  const { path, log } = await logFile(t, { mark: true });
  const lease = await leaseOf(log);
  await add(log, lease, { entries: newLogEntries(2) });
  using database = new DatabaseSync(path);
  database.exec("pragma wal_checkpoint(truncate)");
  const older = `${path}.older`;
  copyFileSync(path, older);
  await add(log, lease, { entries: newLogEntries(2) });
  hand(path, "update gate set min_reader = 4");
  await rejectsWith("store-newer", () => log.state());
  hand(path, "update gate set min_reader = 3");
  assert.equal((await log.state()).size, 4);
  database.exec("create trigger planted after insert on entries begin delete from entries; end");
  await rejectsWith("store-altered", () => log.state());
  database.exec("drop trigger planted");
  assert.equal((await log.state()).size, 4);
  writeFileSync(`${path}.copy`, await readFile(older));
  copyFileSync(`${path}.mark`, `${path}.copy.mark`);
  await rejectsWith("store-set-back", () => sqliteAuditLog(`${path}.copy`, { mark: true }));
});

test("a text that was forgotten, and who was in it, is in no byte of the file any more", async (t) => {
  const { path, log } = await logFile(t);
  const lease = await leaseOf(log);
  const [text, kept] = [Buffer.alloc(900, "what-was-sealed "), Buffer.alloc(900, "what-stays ")];
  const [person, other] = ["a-person-of-the-past", "somebody-else"];
  await add(log, lease, {
    entries: [
      newLogEntry({ text, people: [person], at: day(1) }),
      newLogEntry({ text: kept, people: [other], at: day(3) }),
    ],
  });
  assert.equal(await log.forget([{ from: 0, to: 1 }]), 1);
  await log.close();
  const bytes = await readFile(path);
  assert.deepEqual(
    [text.subarray(0, 300), Buffer.from(person), kept.subarray(0, 300), Buffer.from(other)].map((part) =>
      bytes.includes(part),
    ),
    [false, false, true, true],
  );
});

test("entries of a moment are found in a log of many, whatever order their clocks had", async (t) => {
  const { log } = await logFile(t);
  const lease = await leaseOf(log);
  const dayOf = (index: number): string => day(1 + ((index * 7) % 20));
  const entries = Array.from({ length: 3000 }, (_, index) =>
    newLogEntry({
      // The first thousand are early, the last late; in the middle there are all.
      at: index < 1000 ? day(1) : index < 2100 ? dayOf(index) : day(25),
      principal: index % 2 === 0 ? "even" : "odd",
      people: [`p${index % 3}`],
    }),
  );
  for (let start = 0; start < 3000; start += 600) await add(log, lease, { entries: entries.slice(start, start + 600) });
  const range = { since: day(4), until: day(6) };
  for (const [query, isIn] of [
    [{}, () => true],
    [{ principal: "odd" }, (index: number) => index % 2 === 1],
    [{ people: ["p1", "p2"] }, (index: number) => index % 3 > 0],
    [{ people: ["p1", "p2"], principal: "even" }, (index: number) => index % 3 > 0 && index % 2 === 0],
  ] as const) {
    const wanted = entries.flatMap(({ at }, index) =>
      at >= range.since && at < range.until && isIn(index) ? index : [],
    );
    for (const order of ["oldest", "newest"] as const)
      for (const limit of [7, 5000]) {
        const found: number[] = [];
        for (let after: number | null = null; ;) {
          const page = await log.find({ ...query, ...range }, { order, after, limit });
          found.push(...page.map(({ position }) => position));
          after = page.at(-1)?.position ?? null;
          if (page.length < limit) break;
        }
        assert.deepEqual(
          found,
          order === "oldest" ? wanted : wanted.toReversed(),
          JSON.stringify({ query, order, limit }),
        );
      }
    assert.ok(wanted.length > 10);
  }
  for (const [query, count] of [
    [{ since: day(25) }, 900],
    [{ until: day(1) }, 0],
    [{ until: new Date(Date.parse(day(1)) + 1).toISOString() }, 1055],
  ] as const)
    assert.equal((await log.find(query, { order: "newest", after: null, limit: 5000 })).length, count, "at the ends");
  assert.deepEqual(await log.find({ since: day(26) }, { order: "newest", after: null, limit: 9 }), []);
});

test("a log that is full takes nothing more, tells it, and goes on when there is room", async (t) => {
  const volume = await smallVolume(t, 24);
  if (volume === null) return;
  const log = await sqliteAuditLog(join(volume.folder, "audit.sqlite"), { reserve: true });
  defer(t, () => log.close());
  const lease = await leaseOf(log);
  const entries = newLogEntries(500, { text: Buffer.alloc(1000, "x"), at: day(1) });
  await add(log, lease, { entries });
  volume.fill(0);
  const base = await log.state();
  const more = addition(base, {
    entries: newLogEntries(2000, { text: Buffer.alloc(4000, "y") }),
    heads: [newHead(newTag(), 1)],
  });
  await rejectsWith("store-full", () => log.integrate(base, more, lease));
  assert.deepEqual([(await log.state()).size, await log.positions(idsOf(more.entries.slice(0, 1)))], [500, [null]]);
  // What notes and what forgets has the room that was kept.
  await log.published(400);
  assert.equal(await log.forget([{ from: 0, to: 100 }]), 100);
  volume.empty();
  assert.equal(
    await log.integrate(await log.state(), { ...more, state: { ...more.state, published: 400 } }, lease),
    "integrated",
  );
});
