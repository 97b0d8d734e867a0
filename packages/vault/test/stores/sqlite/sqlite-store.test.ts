import assert from "node:assert/strict";
import { chmod, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { defer } from "../../../../../tests/support/defer.ts";
import { rejectsWith } from "../../support/errors.ts";
import { at, live, make, remove, write } from "../../support/records.ts";
import { temporaryFolder } from "../../support/storage.ts";
import { tamper } from "../../support/vault.ts";

test("the database, its log and its index are readable by their owner alone, also when the file was open to all", async (t) => {
  const folder = await temporaryFolder(t);
  for (const name of ["new.sqlite", "loose.sqlite"]) {
    const path = join(folder, name);
    if (name === "loose.sqlite") {
      await writeFile(path, "");
      await chmod(path, 0o666);
    }
    const store = await sqliteStore(path);
    await make(store, write("a", null, 1));
    const files = (await readdir(folder)).filter((file) => file.startsWith(name));
    assert.deepEqual(files.sort(), [name, `${name}-shm`, `${name}-wal`]);
    for (const file of files) assert.equal((await stat(join(folder, file))).mode & 0o777, 0o600, file);
    await store.close();
  }
});

test("the database is durable and forgets what was removed", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
  const store = await sqliteStore(path);
  const secret = Buffer.alloc(20_000, "removed-message-bytes ");
  await make(store, write("a", null, 1, secret), write("b", null, 1));
  await store.close();
  assert.ok((await readFile(path)).includes("removed-message-bytes"));
  const again = await sqliteStore(path);
  await make(again, remove("a", live(1), 1));
  await again.close();
  assert.ok(!(await readFile(path)).includes("removed-message-bytes"), "secure_delete overwrites");
  using database = new DatabaseSync(path);
  assert.deepEqual({ ...database.prepare("pragma journal_mode").get() }, { journal_mode: "wal" });
  assert.deepEqual({ ...database.prepare("pragma integrity_check").get() }, { integrity_check: "ok" });
});

test("a database of a newer version is refused, and stays byte for byte as it was", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
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
    (await rejectsWith("store-failed", () => sqliteStore(join(folder, "absent", "records.sqlite")))).message,
    /folder/,
  );
  assert.match((await rejectsWith("store-failed", () => sqliteStore(folder))).message, /cannot be made or opened/);
});

test("many openers of a new file at the same time all succeed", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
  const stores = await Promise.all(Array.from({ length: 6 }, () => sqliteStore(path)));
  for (const [index, store] of stores.entries()) await make(store, write(`id-${index}`, null, 1));
  for (const store of stores)
    assert.deepEqual(await store.records.collections(), [{ name: "people", records: stores.length }]);
  for (const store of stores) await store.close();
});

test("a writer that holds the database for long makes others fail with a reason, not hang", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
  const store = await sqliteStore(path, { busyTimeoutMs: 50 });
  defer(t, () => store.close());
  using other = new DatabaseSync(path);
  other.exec("begin immediate");
  assert.match((await rejectsWith("store-failed", () => make(store, write("a", null, 1)))).message, /write lock/);
  await store.ping();
  other.exec("rollback");
  await make(store, write("a", null, 1));
});

test("a full database refuses the write, keeps what was acknowledged, and goes on when there is room", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
  const store = await sqliteStore(path, { maxBytes: 56 * 4096 });
  defer(t, () => store.close());
  let stored = 0;
  const error = await rejectsWith("store-full", async () => {
    for (;;) {
      await store.records.apply(
        [write(`id-${stored}`, null, 1, Buffer.alloc(8000, stored)), write(`id-${stored}-second`, null, 1)],
        { atomic: true },
      );
      stored++;
    }
  });
  assert.match(error.message, /full/);
  assert.ok(stored > 3);
  await rejectsWith("store-full", () => make(store, write("more", null, 1, Buffer.alloc(50_000))));
  assert.deepEqual(await store.records.collections(), [{ name: "people", records: 2 * stored }]);
  for (let index = 0; index < stored; index++) {
    const { stored: found } = await store.records.read(at(`id-${index}`), null);
    assert.ok(Buffer.from(found!.message).equals(Buffer.alloc(8000, index)));
  }
  await make(store, remove("id-0", live(1), 1));
  // No restart is needed.
  await make(store, write("again", null, 1, Buffer.alloc(4000)));
});

test("of units of which one was made and another one failed, no one is told that they all failed", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
  const store = await sqliteStore(path, { maxBytes: 60 * 4096 });
  defer(t, () => store.close());
  const large = Buffer.alloc(80 * 4096);
  const units = [write("large", null, 1, large), write("small", null, 1)];
  await rejectsWith("outcome-unknown", () => store.records.apply(units, { atomic: false }));
  assert.deepEqual(await store.records.outcome(units), ["void", "made"]);
  const none = [write("one", null, 1, large), write("two", null, 1, large)];
  await rejectsWith("store-full", () => store.records.apply(none, { atomic: false }));
});

test("rows whose numbers a hand put beyond what a vault gives stop nobody else", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
  const store = await sqliteStore(path);
  defer(t, () => store.close());
  await make(store, write("ada", null, 1));
  {
    using database = new DatabaseSync(path);
    database.exec(`
      insert into records values (9223372036854775807, 'people', 'odd');
      insert into wrap_sets values (9223372036854775807, 'x', 'y');
      update wrap_sets set id = 1152921504606846976 where id = 1;
      insert into versions select 9223372036854775807, 77, 1, 'w', 0, wrap_set, 0, 0, 's', created_at, message
        from versions`);
  }
  // SQLite itself goes on from the greatest number that is there, or behind it at random.
  await make(store, write("bob", null, 1), write("ada", live(1), 2), write("odd", null, 1));
  for (const [id, version] of [
    ["bob", 1],
    ["ada", 2],
    ["odd", 1],
  ] as const) {
    const { head, stored } = await store.records.read(at(id), null);
    assert.deepEqual([head?.version, stored?.version], [version, version], id);
  }
  const sets = await store.inventory.sets();
  assert.ok(sets.length > 0 && sets.every((one) => Number.isSafeInteger(one.id)));
  const ids = sets.map((one) => one.id);
  assert.equal(await store.inventory.any(ids), true);
  // Those that were there, the one of no record among them, and the three new ones.
  assert.equal((await store.inventory.list({ sets: ids, after: null, limit: 10 })).length, 5);
  await make(store, remove("bob", live(1), 1));
});

test("versions whose wrap set has no row are in the inventory, as what is not known", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
  const store = await sqliteStore(path);
  defer(t, () => store.close());
  await make(store, write("ada", null, 1), write("bob", null, 1), write("cat", null, 1));
  {
    using database = new DatabaseSync(path);
    const update = database.prepare("update versions set wrap_set = ? where version = 1 and key = ?");
    for (const [index, set] of [0, -7].entries()) assert.equal(update.run(set, index + 1).changes, 1);
  }
  const unknown = (await store.inventory.sets()).filter(({ set }) => set === null).map(({ id }) => id);
  assert.deepEqual(unknown, [-7, 0]);
  assert.equal(await store.inventory.any(unknown), true);
  assert.equal((await store.inventory.list({ sets: unknown, after: null, limit: 10 })).length, 2);
});

test("what SQLite takes for no file is refused, and nothing of that name is made", async (t) => {
  const before = process.cwd();
  const folder = await temporaryFolder(t);
  process.chdir(folder);
  try {
    for (const path of [":memory:", "", "file:records.sqlite", "file::memory:?cache=shared", "file:x?mode=memory"]) {
      const error = await rejectsWith("store-failed", () => sqliteStore(path));
      assert.match(error.message, /needs the path of a file/);
    }
    assert.deepEqual(await readdir(folder), []);
  } finally {
    process.chdir(before);
  }
});
