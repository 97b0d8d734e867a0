/**
 * What is done to the database's files, at rest and under a store that has them open, and what the store then says.
 */
import assert from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { isVaultError } from "@strongroom/vault";
import type { Store } from "@strongroom/vault";
import { inspectDatabase, sqliteStore } from "@strongroom/vault/sqlite";
import { defer } from "../../../../../tests/support/defer.ts";
import { rejectsWith } from "../../support/errors.ts";
import { at, live, make, write } from "../../support/records.ts";
import { temporaryFolder } from "../../support/storage.ts";

const FILES = ["", "-wal", "-shm"] as const;

/** A store of 20 records that were committed one after the other. */
async function openStore(t: TestContext): Promise<{ readonly path: string; readonly store: Store }> {
  const path = join(await temporaryFolder(t), "records.sqlite");
  const store = await sqliteStore(path, { mark: true });
  defer(t, () => store.close());
  for (let n = 0; n < 20; n++) await make(store, write(`r${n}`, null, 1));
  return { path, store };
}

/** The files as they lie there, as after a loss of power; without those that `lost` names. */
function copyOf(path: string, name: string, lost: readonly string[] = []): string {
  const folder = join(path, "..", name);
  mkdirSync(folder);
  const copy = join(folder, "records.sqlite");
  for (const ending of [...FILES, ".mark"])
    if (!lost.includes(ending) && existsSync(`${path}${ending}`)) copyFileSync(`${path}${ending}`, `${copy}${ending}`);
  return copy;
}

const opened = async (path: string): Promise<string> => {
  try {
    const store = await sqliteStore(path, { mark: true });
    await store.ping();
    await store.close();
    return "open";
  } catch (error) {
    assert.ok(isVaultError(error), String(error));
    return error.code;
  }
};

test("a copy of all files is the vault: a crash and a loss of power are no attack", async (t) => {
  const { path } = await openStore(t);
  assert.equal(await opened(copyOf(path, "whole")), "open");
});

/** What is done to the files of a store that nobody has open. */
const AT_REST: Readonly<Record<string, (path: string) => void>> = {
  "the log is deleted": (path) => {
    rmSync(`${path}-wal`);
  },
  "the log is emptied": (path) => {
    truncateSync(`${path}-wal`);
  },
  "the log lacks its last frames": (path) => {
    truncateSync(`${path}-wal`, statSync(`${path}-wal`).size - 4096);
  },
  "the log is another's": (path) => {
    writeFileSync(`${path}-wal`, Buffer.alloc(50_000, 7));
  },
  "the database is emptied, with its log": (path) => {
    truncateSync(path);
    rmSync(`${path}-wal`);
  },
  "the database is deleted, with its log": (path) => {
    rmSync(path);
    rmSync(`${path}-wal`);
  },
};

for (const [name, change] of Object.entries(AT_REST)) {
  test(`${name}: refused at the start, and taken once the mark is removed`, async (t) => {
    const { path } = await openStore(t);
    const copy = copyOf(path, "copy");
    rmSync(`${copy}-shm`, { force: true });
    change(copy);
    const before = existsSync(copy) ? statSync(copy).size : null;
    assert.equal(await opened(copy), "store-set-back");
    if (before === 0 || before === null)
      assert.equal(existsSync(copy) ? statSync(copy).size : null, before, "nothing is made in its place");
    rmSync(`${copy}.mark`);
    assert.equal(await opened(copy), "open");
    assert.equal(await opened(copy), "open", "with a new mark");
  });
}

test("an older copy and another vault are refused; the newest is taken again", async (t) => {
  const { path, store } = await openStore(t);
  const older = copyOf(path, "older");
  await make(store, write("more", null, 1));
  await store.close();
  const newest = copyOf(path, "newest");
  for (const ending of FILES)
    if (existsSync(`${older}${ending}`)) copyFileSync(`${older}${ending}`, `${path}${ending}`);
  assert.equal(await opened(path), "store-set-back");
  const other = join(await temporaryFolder(t), "records.sqlite");
  const stranger = await sqliteStore(other);
  for (let n = 0; n < 50; n++) await make(stranger, write(`r${n}`, null, 1));
  await stranger.close();
  for (const ending of FILES) rmSync(`${path}${ending}`, { force: true });
  copyFileSync(other, path);
  assert.equal(await opened(path), "store-set-back");
  for (const ending of FILES) rmSync(`${path}${ending}`, { force: true });
  copyFileSync(newest, path);
  assert.equal(await opened(path), "open");
});

test("a mark that was changed, cut or is a link is refused, and one that is empty is made anew", async (t) => {
  const { path, store } = await openStore(t);
  await store.close();
  const mark = `${path}.mark`;
  assert.equal(statSync(mark).mode & 0o777, 0o600);
  for (const text of ["x", "strongroom-vault-mark/1 zz 3\n", "strongroom-vault-mark/1 ".padEnd(4000)]) {
    writeFileSync(mark, text);
    assert.equal(await opened(path), "store-set-back", text);
  }
  writeFileSync(mark, "");
  assert.equal(await opened(path), "open");
  renameSync(mark, `${mark}.away`);
  symlinkSync(`${mark}.away`, mark);
  assert.equal(await opened(path), "store-failed");
});

/** What is done to the files under an open store. */
const IN_USE: Readonly<Record<string, (path: string) => void>> = {
  ...Object.fromEntries(
    FILES.flatMap((ending): [string, (path: string) => void][] => [
      [
        `records.sqlite${ending} is deleted`,
        (path) => {
          rmSync(`${path}${ending}`);
        },
      ],
      [
        `records.sqlite${ending} is replaced by a copy`,
        (path) => {
          copyFileSync(`${path}${ending}`, `${path}.copy`);
          renameSync(`${path}.copy`, `${path}${ending}`);
        },
      ],
    ]),
  ),
  "the log is emptied": (path) => {
    truncateSync(`${path}-wal`);
  },
  "the log lacks its last frame": (path) => {
    truncateSync(`${path}-wal`, statSync(`${path}-wal`).size - 4120);
  },
};

for (const [name, change] of Object.entries(IN_USE)) {
  test(`${name} under the store: nothing is read or acknowledged any more`, async (t) => {
    const { path, store } = await openStore(t);
    change(path);
    for (const use of [
      () => store.records.apply([write("new", null, 1)], { atomic: true }),
      () => store.records.read(at("r1"), null),
      () => store.records.heads([at("r1")]),
      () => store.records.collections(),
      () => store.ping(),
      () => store.gate.current(),
      () => store.inventory.sets(),
      () => store.jobs.lease({ job: "job", holder: "h", ms: 1000 }),
      () => store.records.outcome([write("new", null, 1)]),
    ])
      await rejectsWith("store-replaced", use);
  });

  // A log that is cut in the very moment between the writer's look at it and its commit is as long again afterwards.
  if (name.startsWith("the log")) continue;

  test(`${name} while a write is under way: it is not acknowledged`, async (t) => {
    const { path, store } = await openStore(t);
    const writing = store.records.apply([write("new", null, 1)], { atomic: true });
    // Wherever the write has come to by now: its answer is not taken before this is done.
    change(path);
    await assert.rejects(writing);
  });
}

test("a file that is put back is the file again; a store whose log was deleted loses nothing when it is closed", async (t) => {
  const { path, store } = await openStore(t);
  renameSync(path, `${path}.away`);
  await rejectsWith("store-replaced", () => store.ping());
  renameSync(`${path}.away`, path);
  await make(store, write("back", null, 1));
  rmSync(`${path}-wal`);
  await rejectsWith("store-replaced", () => store.ping());
  await store.close();
  const again = await sqliteStore(path, { mark: true });
  assert.deepEqual(
    (await again.records.heads([at("back"), at("r19")])).map(({ head }) => head),
    [live(1), live(1)],
  );
  await again.close();
});

test("a database under a link: its log lies beside the file, and is watched there, as is where the link leads", async (t) => {
  const folder = await temporaryFolder(t);
  const [kept, path] = [join(folder, "disk", "kept.sqlite"), join(folder, "records.sqlite")];
  mkdirSync(join(folder, "disk"));
  symlinkSync(kept, path);
  const store = await sqliteStore(path, { mark: true });
  defer(t, () => store.close());
  await make(store, write("r1", null, 1));
  await store.ping();
  renameSync(path, `${path}.away`);
  writeFileSync(`${kept}.other`, "");
  symlinkSync(`${kept}.other`, path);
  await rejectsWith("store-replaced", () => store.ping());
  renameSync(`${path}.away`, path);
  await store.ping();
  renameSync(`${kept}-wal`, `${kept}-wal.away`);
  await rejectsWith("store-replaced", () => store.ping());
  renameSync(`${kept}-wal.away`, `${kept}-wal`);
  await store.close();
  assert.equal(await opened(path), "open");
});

test("a commit of no changes, as of a batch whose records are all there, writes nothing", async (t) => {
  const { path, store } = await openStore(t);
  const { commits } = await inspectDatabase(path);
  assert.deepEqual(await store.records.apply([], { atomic: true }), []);
  assert.equal((await inspectDatabase(path)).commits, commits);
  rmSync(`${path}-wal`);
  await rejectsWith("store-replaced", () => store.records.apply([], { atomic: true }));
});

test("a log that another process has emptied into the database is no attack", async (t) => {
  const { path, store } = await openStore(t);
  using database = new DatabaseSync(path);
  database.exec("pragma wal_checkpoint(truncate)");
  assert.equal(statSync(`${path}-wal`).size, 0);
  await make(store, write("new", null, 1));
  await store.ping();
});

test("a database overwritten in its place by an older copy is noticed by the next use", async (t) => {
  const { path, store } = await openStore(t);
  const again = await sqliteStore(path);
  defer(t, () => again.close());
  using database = new DatabaseSync(path);
  database.exec("update gate set commits = commits - 3");
  await rejectsWith("store-set-back", () => store.ping());
  await rejectsWith("store-set-back", () => store.records.apply([write("new", null, 1)], { atomic: true }));
});

const PLANTED: Readonly<Record<string, string>> = {
  "the trigger keep is not of this vault":
    "create trigger keep after delete on versions begin insert into heads values (old.record, 1, 'live', ''); end",
  "the trigger swallow is not of this vault":
    "create trigger swallow after insert on versions begin delete from versions where key = new.key; end",
  "the view copies is not of this vault": "create view copies as select * from versions",
  "the index one is not of this vault": "create index one on heads (state)",
  "the table more is not of this vault": "create table more (message)",
  "the table heads was defined anew": "alter table heads add column note text default 'x'",
  "the index versions_inventory is missing": "drop index versions_inventory",
  "the pragma user_version is 4": "pragma user_version = 4",
};

for (const [told, sql] of Object.entries(PLANTED)) {
  test(`${told}: refused at the start and, but for what does nothing, under the store`, async (t) => {
    const { path, store } = await openStore(t);
    {
      using database = new DatabaseSync(path);
      database.exec(sql);
    }
    if (!sql.startsWith("pragma")) {
      for (const use of [
        () => store.records.apply([write("new", null, 1)], { atomic: true }),
        () => store.records.read(at("r1"), null),
      ])
        assert.ok((await rejectsWith("store-altered", use)).message.includes(told));
    }
    await store.close();
    const error = await rejectsWith("store-altered", () => sqliteStore(path, { mark: true }));
    assert.ok(error.message.includes(told), error.message);
  });
}
