import assert from "node:assert/strict";
import { chmod, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { parseAddress, parseSubject, parseVersion } from "@strongroom/vault";
import type { WriteChange } from "@strongroom/vault";
import { storeContract } from "../store-contract.ts";
import { defer } from "../../../../tests/support/defer.ts";
import { rejectsWith } from "../support/errors.ts";
import { tamper, temporaryFolder } from "../support/vault.ts";

storeContract("sqlite", async (t) => {
  const path = join(await temporaryFolder(t), "vault.sqlite");
  return { open: () => sqliteStore(path) };
});

function write(id: string, message: Uint8Array): WriteChange {
  return {
    kind: "write",
    address: parseAddress({ collection: "people", id }),
    base: null,
    next: {
      version: parseVersion(1),
      subject: parseSubject(id),
      createdAt: "2026-01-01T00:00:00.000Z",
      wraps: { stored: 1, target: 1 },
      message,
    },
    missing: [],
  };
}

test("the database, its log and its index are readable by their owner alone, also when the file was open to all", async (t) => {
  const folder = await temporaryFolder(t);
  for (const name of ["new.sqlite", "loose.sqlite"]) {
    const path = join(folder, name);
    if (name === "loose.sqlite") {
      await writeFile(path, "");
      await chmod(path, 0o666);
    }
    const store = await sqliteStore(path);
    await store.commit([write("a", Buffer.from("m"))]);
    const files = (await readdir(folder)).filter((file) => file.startsWith(name));
    assert.deepEqual(files.sort(), [name, `${name}-shm`, `${name}-wal`]);
    for (const file of files) assert.equal((await stat(join(folder, file))).mode & 0o777, 0o600, file);
    await store.close();
  }
});

test("the database is durable and forgets what was removed", async (t) => {
  const path = join(await temporaryFolder(t), "vault.sqlite");
  const store = await sqliteStore(path);
  const secret = Buffer.alloc(20_000, "removed-message-bytes ");
  await store.commit([write("a", secret), write("b", Buffer.from("m"))]);
  await store.close();
  assert.ok((await readFile(path)).includes("removed-message-bytes"));
  const again = await sqliteStore(path);
  const address = parseAddress({ collection: "people", id: "a" });
  await again.commit([
    {
      kind: "remove",
      address,
      base: { version: parseVersion(1), state: "live" },
      tombstone: parseVersion(1),
      removedAt: "2026-01-01T00:00:00.000Z",
    },
  ]);
  await again.close();
  assert.ok(!(await readFile(path)).includes("removed-message-bytes"), "secure_delete overwrites");
  using database = new DatabaseSync(path);
  assert.deepEqual({ ...database.prepare("pragma journal_mode").get() }, { journal_mode: "wal" });
  assert.deepEqual({ ...database.prepare("pragma integrity_check").get() }, { integrity_check: "ok" });
});

test("a database of a newer version is refused, and stays byte for byte as it was", async (t) => {
  const path = join(await temporaryFolder(t), "vault.sqlite");
  await (await sqliteStore(path)).close();
  tamper(
    path,
    "insert into kysely_migration (name, timestamp) values ('0042-from-the-future', '2030-01-01T00:00:00.000Z')",
  );
  const before = await readFile(path);
  const error = await rejectsWith("store-newer", () => sqliteStore(path));
  assert.match(error.message, /0042-from-the-future/);
  assert.deepEqual(await readFile(path), before);
});

test("a file that is not a vault is refused, and stays as it was", async (t) => {
  const folder = await temporaryFolder(t);
  const text = join(folder, "text");
  await writeFile(
    text,
    "this is a letter to somebody, and it is long enough to be read as a header of a database file. ".repeat(20),
  );
  assert.match((await rejectsWith("store-failed", () => sqliteStore(text))).message, /not a SQLite database/);
  const foreign = join(folder, "foreign.sqlite");
  const database = new DatabaseSync(foreign);
  database.exec("create table customers (name text)");
  database.close();
  const before = await readFile(foreign);
  assert.match((await rejectsWith("store-failed", () => sqliteStore(foreign))).message, /not a Strongroom vault/);
  assert.deepEqual(await readFile(foreign), before);
  assert.match(
    (await rejectsWith("store-failed", () => sqliteStore(join(folder, "absent", "vault.sqlite")))).message,
    /folder/,
  );
  assert.match((await rejectsWith("store-failed", () => sqliteStore(folder))).message, /cannot be made or opened/);
});

test("many openers of a new file at the same time all succeed", async (t) => {
  const path = join(await temporaryFolder(t), "vault.sqlite");
  const stores = await Promise.all(Array.from({ length: 6 }, () => sqliteStore(path)));
  for (const [index, store] of stores.entries()) await store.commit([write(`id-${index}`, Buffer.from("m"))]);
  for (const store of stores) assert.deepEqual(await store.collections(), [{ name: "people", records: stores.length }]);
  for (const store of stores) await store.close();
});

test("a writer that holds the database for long makes others fail with a reason, not hang", async (t) => {
  const path = join(await temporaryFolder(t), "vault.sqlite");
  const store = await sqliteStore(path, { busyTimeoutMs: 50 });
  defer(t, () => store.close());
  using other = new DatabaseSync(path);
  other.exec("begin immediate");
  assert.match(
    (await rejectsWith("store-failed", () => store.commit([write("a", Buffer.from("m"))]))).message,
    /write lock/,
  );
  await store.ping();
  other.exec("rollback");
  assert.deepEqual(await store.commit([write("a", Buffer.from("m"))]), { kind: "committed" });
});

test("a full database refuses the write, keeps what was acknowledged, and goes on when there is room", async (t) => {
  const path = join(await temporaryFolder(t), "vault.sqlite");
  const store = await sqliteStore(path, { maxBytes: 40 * 4096 });
  defer(t, () => store.close());
  let stored = 0;
  const error = await rejectsWith("store-full", async () => {
    for (;;) {
      await store.commit([
        write(`id-${stored}`, Buffer.alloc(8000, stored)),
        write(`id-${stored}-second`, Buffer.from("m")),
      ]);
      stored++;
    }
  });
  assert.match(error.message, /full/);
  assert.ok(stored > 3);
  await rejectsWith("store-full", () => store.commit([write("more", Buffer.alloc(50_000))]));
  assert.deepEqual(await store.collections(), [{ name: "people", records: 2 * stored }]);
  for (let index = 0; index < stored; index++) {
    const { stored: found } = await store.read(parseAddress({ collection: "people", id: `id-${index}` }), null);
    assert.ok(Buffer.from(found!.message).equals(Buffer.alloc(8000, index)));
  }
  const first = parseAddress({ collection: "people", id: "id-0" });
  const base = { version: parseVersion(1), state: "live" } as const;
  assert.deepEqual(
    await store.commit([
      { kind: "remove", address: first, base, tombstone: parseVersion(1), removedAt: "2026-01-01T00:00:00.000Z" },
    ]),
    { kind: "committed" },
  );
  assert.deepEqual(
    await store.commit([write("again", Buffer.alloc(4000))]),
    { kind: "committed" },
    "no restart is needed",
  );
});

test("what SQLite takes for no file is refused, and nothing of that name is made", async (t) => {
  const before = process.cwd();
  const folder = await temporaryFolder(t);
  process.chdir(folder);
  try {
    for (const path of [":memory:", "", "file:vault.sqlite", "file::memory:?cache=shared", "file:x?mode=memory"]) {
      const error = await rejectsWith("store-failed", () => sqliteStore(path));
      assert.match(error.message, /needs the path of a file/);
    }
    assert.deepEqual(await readdir(folder), []);
  } finally {
    process.chdir(before);
  }
});
