/**
 * The file of a key store: as private, as durable and as watched as that of the records, and never taken for it.
 */
import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Creation } from "@strongroom/vault";
import { sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import { defer } from "../../../../../tests/support/defer.ts";
import { smallVolume } from "../../../../../tests/support/faults/volume.ts";
import { EPOCH } from "../../../src/store-contract/changes.ts";
import { newcomer, newKey, newWrap } from "../../../src/store-contract/key-changes.ts";
import { newPeople } from "../../../src/store-contract/people.ts";
import { openKeys } from "../../../src/stores/sqlite/database.ts";
import { rejectsWith } from "../../support/errors.ts";
import { keysFile } from "../../support/keys-file.ts";
import { temporaryFolder } from "../../support/storage.ts";

const AT = "2026-05-05T00:00:00.000Z";
const FILES = ["", "-wal", "-shm", ".mark"] as const;

/** So many people, each with a key of these bytes. */
const newcomers = (count: number, ciphertext?: Uint8Array): readonly (Creation & ReturnType<typeof newcomer>)[] =>
  newPeople(count).map((id) => ({
    ...newcomer(id, ciphertext === undefined ? {} : { wraps: [newWrap({ ciphertext })] }),
    epoch: EPOCH.none,
  }));

test("the file, its log and its index are readable by their owner alone, and every commit is on the disk", async (t) => {
  const { path, store } = await keysFile(t);
  await store.keys.create(newcomers(1));
  const files = await readdir(dirname(path));
  assert.deepEqual(files.sort(), ["keys.sqlite", "keys.sqlite-shm", "keys.sqlite-wal"]);
  for (const name of files) assert.equal((await stat(join(dirname(path), name))).mode & 0o777, 0o600, name);
  const again = await openKeys(path, { busyTimeoutMs: 0, maxBytes: 1e9, mark: false, reserve: false });
  const pragma = (name: string): unknown =>
    Object.values(again.connection.database.prepare(`pragma ${name}`).get() ?? {})[0];
  assert.deepEqual(["journal_mode", "synchronous", "secure_delete", "application_id", "query_only"].map(pragma), [
    "wal",
    2,
    1,
    0x53524b53,
    1,
  ]);
  await again.close();
});

test("a key that was destroyed is in no byte of the file any more", async (t) => {
  const { path, store } = await keysFile(t);
  const secret = Buffer.alloc(150, "wrapped-key-bytes ");
  const [ada, eve] = newcomers(2, secret);
  await store.keys.create([ada!, { ...eve!, key: newKey(eve!.name.id) }]);
  const has = async (given: Uint8Array): Promise<boolean> => {
    const bytes = Buffer.from(given);
    return (await readFile(path)).includes(bytes) || (await readFile(`${path}-wal`)).includes(bytes);
  };
  const checkpoint = (): void => {
    using database = new DatabaseSync(path);
    database.exec("pragma wal_checkpoint(truncate)");
  };
  checkpoint();
  assert.deepEqual([await has(secret), await has(ada!.name.tag), await has(ada!.key.check)], [true, true, true]);
  await store.keys.erase([ada!.name.id], AT);
  checkpoint();
  assert.deepEqual([await has(secret), await has(ada!.name.tag), await has(ada!.key.check)], [false, false, false]);
});

test("a store of records is no key store, and the other way round; neither is changed", async (t) => {
  const folder = await temporaryFolder(t);
  const [records, keys] = [join(folder, "records.sqlite"), join(folder, "keys.sqlite")];
  await (await sqliteStore(records)).close();
  await (await sqliteKeyStore(keys)).close();
  const before = await Promise.all([records, keys].map((path) => readFile(path)));
  assert.match(
    (await rejectsWith("store-failed", () => sqliteKeyStore(records))).message,
    /not a Strongroom key store/,
  );
  assert.match((await rejectsWith("store-failed", () => sqliteStore(keys))).message, /not a Strongroom vault/);
  assert.deepEqual(await Promise.all([records, keys].map((path) => readFile(path))), before);
  for (const path of [":memory:", "", "file:keys.sqlite"])
    await rejectsWith("store-failed", () => sqliteKeyStore(path));
});

test("a file of a newer version, and one with something planted in it, are refused", async (t) => {
  for (const [sql, code] of [
    ["insert into kysely_migration values ('0042-later', '2030-01-01T00:00:00.000Z')", "store-newer"],
    ["create trigger planted after insert on keys begin delete from names; end", "store-altered"],
    ["create view seen as select * from names", "store-altered"],
  ] as const) {
    const path = join(await temporaryFolder(t), "keys.sqlite");
    await (await sqliteKeyStore(path)).close();
    {
      using database = new DatabaseSync(path);
      database.exec(sql);
    }
    await rejectsWith(code, () => sqliteKeyStore(path));
  }
});

test("an older copy, an emptied file and another's are noticed by the mark, at the start and in use", async (t) => {
  const { path, store } = await keysFile(t, { mark: true });
  await store.keys.create(newcomers(1));
  const older = join(dirname(path), "older");
  mkdirSync(older);
  for (const ending of FILES)
    if (existsSync(`${path}${ending}`)) copyFileSync(`${path}${ending}`, join(older, `keys.sqlite${ending}`));
  await store.keys.create(newcomers(1));
  const copy = join(older, "keys.sqlite");
  copyFileSync(`${path}.mark`, `${copy}.mark`);
  await rejectsWith("store-set-back", () => sqliteKeyStore(copy, { mark: true }));
  for (const ending of ["-wal", "-shm"]) writeFileSync(`${copy}${ending}`, "");
  writeFileSync(copy, "");
  await rejectsWith("store-set-back", () => sqliteKeyStore(copy, { mark: true }));
  const stranger = await keysFile(t);
  await stranger.store.close();
  copyFileSync(stranger.path, copy);
  await rejectsWith("store-set-back", () => sqliteKeyStore(copy, { mark: true }));
  {
    using database = new DatabaseSync(path);
    database.exec("update gate set commits = 1");
  }
  await rejectsWith("store-set-back", () => store.keys.counts());
  await rejectsWith("store-set-back", () => store.keys.create(newcomers(1)));
});

test("creations of many callers are one commit, and each is answered for itself", async (t) => {
  const { path, store } = await keysFile(t);
  const commits = (): number => {
    using database = new DatabaseSync(path);
    return Number(database.prepare("select commits from gate").get()?.["commits"]);
  };
  const [first] = newcomers(1);
  await store.keys.create([first!]);
  const before = commits();
  const all = newcomers(200);
  const results = await Promise.all(
    all.map((creation, n) =>
      store.keys.create([n % 10 === 0 ? { ...creation, name: { ...first!.name, id: creation.name.id } } : creation]),
    ),
  );
  assert.deepEqual(
    results.map(([result]) => result?.kind),
    all.map((_, n) => (n % 10 === 0 ? "exists" : "made")),
  );
  assert.ok(commits() - before < 60, `${commits() - before} commits`);
  assert.deepEqual((await store.keys.active(all.map(({ key }) => key))).filter(({ key }) => key === null).length, 20);
});

test("what changes nothing costs no commit", async (t) => {
  const { path, store } = await keysFile(t);
  const [ada] = newcomers(1);
  await store.keys.create([ada!]);
  const inFile = (): unknown => {
    using database = new DatabaseSync(path);
    return database.prepare("select commits from gate").get()?.["commits"];
  };
  const before = inFile();
  assert.deepEqual((await store.keys.create([ada!]))[0]?.kind, "exists");
  assert.deepEqual((await store.keys.create([{ ...newcomer(), epoch: EPOCH.first }]))[0]?.kind, "gate-moved");
  assert.equal(inFile(), before);
});

test("a full file refuses new people, keeps those that it has, and destroys keys all the same", async (t) => {
  const { store } = await keysFile(t, { maxBytes: 40 * 4096 });
  const made: ReturnType<typeof newcomers>[number][] = [];
  await rejectsWith("store-full", async () => {
    for (;;) {
      const [one] = newcomers(1, Buffer.alloc(4000, 7));
      await store.keys.create([one!]);
      made.push(one!);
    }
  });
  assert.ok(made.length > 3);
  const ids = made.map(({ name }) => name.id);
  assert.deepEqual(await store.keys.resolve(made.map(({ name }) => name.tag)), ids);
  await store.keys.erase(ids.slice(0, 2), AT);
  assert.deepEqual((await store.keys.create(newcomers(1, Buffer.alloc(1000))))[0], { kind: "made" });
});

test("on a full volume keys are destroyed in the room that is kept for it", async (t) => {
  const volume = await smallVolume(t, 24);
  if (volume === null) return;
  const store = await sqliteKeyStore(join(volume.folder, "keys.sqlite"), { reserve: true });
  defer(t, () => store.close());
  const people = newcomers(12);
  await store.keys.create(people);
  volume.fill(4 * 1024 * 1024);
  await delay(250);
  await store.requireRoom();
  assert.throws(() => {
    writeFileSync(join(volume.folder, "more"), Buffer.alloc(8 * 1024 * 1024));
  }, /ENOSPC/);
  const ids = people.map(({ name }) => name.id);
  await Promise.all(ids.map((id) => store.keys.erase([id], AT)));
  assert.deepEqual(
    await store.keys.erased(ids),
    ids.map(() => true),
  );
  assert.equal((await store.keys.counts()).subject, 0);
});
