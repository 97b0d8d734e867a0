/**
 * The move of an earlier version's file into a store under a new name: nothing of it is lost, wherever it is ended, and
 * nobody writes to both.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Store, Wrap } from "@strongroom/vault";
import { inspectDatabase, sqliteStore } from "@strongroom/vault/sqlite";
import type { MoveProgress } from "@strongroom/vault/sqlite";
import { defer } from "../../../../../tests/support/defer.ts";
import { EARLIER_VAULT, earlierFile, earlierHead, earlierVersion } from "../../support/earlier-vault.ts";
import { rejectsWith } from "../../support/errors.ts";
import { at, make, place, write } from "../../support/records.ts";
import { temporaryFolder } from "../../support/storage.ts";

/** What is there after a move. The earlier file's mark is: without it an earlier program would begin anew there. */
const LEFT = ["records.sqlite", "records.sqlite.mark", "vault.sqlite.mark"];

interface Files {
  readonly folder: string;
  /** Of the earlier version. */
  readonly from: string;
  readonly path: string;
}

async function files(t: TestContext): Promise<Files> {
  const folder = await temporaryFolder(t);
  return { folder, from: join(folder, "vault.sqlite"), path: join(folder, "records.sqlite") };
}

const WRAP: Wrap = { provider: "test", key: "key", material: null };

const moved = ({ path, from }: Files, wrapsOf: () => readonly Wrap[] | null = () => [WRAP]): Promise<Store> =>
  sqliteStore(path, { mark: true, moveFrom: { path: from, wrapsOf } });

const TWO_RECORDS = [
  earlierHead("ada", 2),
  earlierVersion("ada", 1),
  earlierVersion("ada", 2),
  earlierHead("bob", 3, "removed"),
];

async function textOf(store: Store, id: string, version: number): Promise<string> {
  const { stored } = await store.records.read(at(id), place(id, version).version);
  return Buffer.from(stored?.message ?? []).toString();
}

for (const migrations of [1, 2, 3] as const) {
  test(`a file that has ${migrations} of the earlier migrations is moved, and is gone then`, async (t) => {
    const all = await files(t);
    earlierFile(all.from, migrations, ...TWO_RECORDS);
    if (migrations === 3)
      writeFileSync(`${all.from}.mark`, `strongroom-vault-mark/1 ${EARLIER_VAULT} 40`.padEnd(127) + "\n");
    writeFileSync(`${all.from}.reserve`, "");
    const before = migrations === 3 ? 40 : 0;
    assert.deepEqual((await inspectDatabase(all.path, { movesFrom: all.from })).move, { state: "owed", versions: 2 });
    const store = await moved(all);
    assert.deepEqual(
      (await store.records.heads([at("ada"), at("bob")])).map(({ head }) => head),
      [
        { version: 2, state: "live" },
        { version: 3, state: "removed" },
      ],
    );
    for (const version of [1, 2]) assert.equal(await textOf(store, "ada", version), `message ada ${version}`);
    const { stored } = await store.records.read(at("ada"), null);
    assert.equal(stored?.subject, "subject of ada");
    assert.equal(stored.createdAt, "2026-01-02T00:00:00.000Z");
    assert.deepEqual(stored.wraps, { stored: 1, target: 3 });
    if (migrations === 3) assert.equal((await store.gate.current()).vault, EARLIER_VAULT);
    await make(store, write("ada", { version: place("ada", 2).version, state: "live" }, 3));
    await store.close();
    assert.deepEqual(readdirSync(all.folder).sort(), LEFT);
    const { state, move, commits } = await inspectDatabase(all.path, { movesFrom: all.from });
    assert.deepEqual([state, move], ["sound", null]);
    if (migrations === 3) assert.ok(commits !== null && commits > 40, "it counts on");
    assert.ok(Number(readFileSync(`${all.from}.mark`, "utf8").split(" ")[2]) >= before, "says what was here");
    await (await moved(all)).close();
  });
}

test("what is owed is owed as before: since when, why, and what the last repair came to grief on", async (t) => {
  const all = await files(t);
  const debt = (region: string, since: string, more: string): string =>
    `insert into wrap_debt (collection, id, version, region, key_arn, reason, since, due_at, attempts, problem, problem_at)
    values ('people', 'ada', 2, '${region}', 'arn:${region}', 'timeout', '${since}', ${more})`;
  earlierFile(
    all.from,
    3,
    ...TWO_RECORDS,
    debt("r2", "2026-03-03T00:00:00.000Z", "0, 4, 'regions-unavailable', '2026-04-04T00:00:00.000Z'"),
    debt("r1", "2026-02-02T00:00:00.000Z", "0, 4, 'regions-unavailable', '2026-04-04T00:00:00.000Z'"),
  );
  const store = await moved(all);
  defer(t, () => store.close());
  const sets = await store.inventory.sets();
  const owing = sets.filter(({ set }) => set !== null && set.missing.length > 0);
  assert.deepEqual(
    owing.map(({ set }) => set),
    [
      {
        wraps: [WRAP],
        target: 3,
        missing: [
          { region: "r1", keyArn: "arn:r1", reason: "timeout" },
          { region: "r2", keyArn: "arn:r2", reason: "timeout" },
        ],
      },
    ],
  );
  const items = await store.inventory.list({ sets: owing.map(({ id }) => id), after: null, limit: 10, due: true });
  assert.deepEqual(
    items.map(({ place: where, since, failure }) => ({ where, since, failure })),
    [
      {
        where: place("ada", 2),
        since: "2026-02-02T00:00:00.000Z",
        failure: { attempts: 4, code: "regions-unavailable", at: "2026-04-04T00:00:00.000Z" },
      },
    ],
  );
  const [other] = await store.inventory.list({ sets: sets.map(({ id }) => id), after: null, limit: 1 });
  assert.ok(other !== undefined);
});

test("wraps that a message does not tell are as many as before, and unknown", async (t) => {
  for (const wrapsOf of [
    () => null,
    () => {
      throw new Error("no message");
    },
  ]) {
    const all = await files(t);
    earlierFile(all.from, 3, ...TWO_RECORDS);
    const store = await moved(all, wrapsOf);
    defer(t, () => store.close());
    const unknown = { provider: "unknown", key: "unknown", material: null };
    assert.deepEqual(
      (await store.inventory.sets()).map(({ set }) => set),
      [{ wraps: [unknown, unknown], target: 3, missing: [] }],
    );
    assert.deepEqual((await store.records.read(at("ada"), null)).stored?.wraps, { stored: 2, target: 3 });
  }
});

test("rows that hold what no vault writes are moved as they are, and stop nothing", async (t) => {
  const all = await files(t);
  earlierFile(
    all.from,
    3,
    ...TWO_RECORDS,
    "insert into heads values ('people', cast(x'61ff' as text), 9007199254740993, 'gone', 'never')",
    "insert into heads values ('', '', -4, 'live', '')",
    "insert into versions values ('people', 'no head', 7, 'x', 'never', -1, 9007199254740993, x'00')",
    "insert into versions values ('people', cast(x'61ff' as text), -9, 'x', 'never', 1, 1, x'')",
    "insert into wrap_debt values ('people', 'nobody', 1, 'r', 'k', 'x', 'long ago', 0, null, 0, null, null)",
    "insert into wrap_debt values ('people', 'no head', 7, 'r', 'k', 'x', 'long ago', -5, null, -5, 'p', 'q')",
  );
  const store = await moved(all);
  defer(t, () => store.close());
  assert.equal(await textOf(store, "ada", 2), "message ada 2");
  using database = new DatabaseSync(all.path, { readOnly: true });
  const count = (table: string): unknown => database.prepare(`select count(*) as n from ${table}`).get()?.["n"];
  assert.deepEqual([count("heads"), count("versions"), count("records")], [4, 4, 5]);
  assert.equal((await store.records.read(at("no head"), null)).newestRow, 7);
  assert.deepEqual(
    database
      .prepare("select hex(id) as id from records where hex(id) like '%FF'")
      .all()
      .map((row) => row["id"]),
    ["61FF"],
  );
});

test("an earlier program that runs is stopped by what it looks at in each of its transactions, and one that starts too", async (t) => {
  const all = await files(t);
  earlierFile(all.from, 3, ...TWO_RECORDS);
  using running = new DatabaseSync(all.from);
  const look = (): unknown => running.prepare("pragma schema_version").get()?.["schema_version"];
  const before = look();
  // A program that holds the lock of writing while the move begins: what it commits is moved.
  running.exec("begin immediate; insert into heads values ('people', 'late', 1, 'live', '2026-01-01T00:00:00.000Z')");
  const moving = sqliteStore(all.path, { moveFrom: { path: all.from, wrapsOf: () => [WRAP] } });
  running.exec("commit");
  const store = await moving;
  defer(t, () => store.close());
  assert.equal((await store.records.heads([at("late")]))[0]?.head?.version, 1);
  assert.notEqual(look(), before, "it compares the schema again, and finds a table that is not its own");
  assert.deepEqual(
    running
      .prepare("select name from kysely_migration order by name")
      .all()
      .map(({ name }) => name),
    ["0001-records", "0002-repair", "0003-commits", "0004-moved"],
  );
  assert.ok(running.prepare("select 1 from sqlite_schema where name = 'moved'").get() !== undefined);
});

test("a file that is not as its version made it, or is not the newest, is not moved, and nothing is done to it", async (t) => {
  const spoilt: Readonly<Record<string, (from: string) => void>> = {
    "store-altered": (from) => {
      using database = new DatabaseSync(from);
      database.exec("create trigger t after insert on heads begin delete from versions; end");
    },
    "store-set-back": (from) => {
      writeFileSync(`${from}.mark`, `strongroom-vault-mark/1 ${EARLIER_VAULT} 41`.padEnd(127) + "\n");
    },
    "store-newer": (from) => {
      using database = new DatabaseSync(from);
      database.exec("insert into kysely_migration values ('0077-later', 'x')");
    },
  };
  for (const [code, spoil] of Object.entries(spoilt)) {
    const all = await files(t);
    earlierFile(all.from, 3, ...TWO_RECORDS);
    spoil(all.from);
    await rejectsWith(code as "store-altered", () => moved(all));
    using database = new DatabaseSync(all.from, { readOnly: true });
    assert.equal(database.prepare("select 1 from sqlite_schema where name = 'moved'").get(), undefined);
    await rejectsWith("store-failed", () => sqliteStore(all.from));
  }
});

test("records for which there is no room are not moved, and the earlier file stays its program's", async (t) => {
  const all = await files(t);
  const long = "m".repeat(400_000);
  earlierFile(all.from, 3, earlierHead("ada", 1), earlierVersion("ada", 1, long));
  const into = { mark: true, moveFrom: { path: all.from, wrapsOf: () => [WRAP] } };
  const error = await rejectsWith("store-full", () => sqliteStore(all.path, { ...into, maxBytes: 300_000 }));
  assert.match(error.message, /nothing was changed/);
  {
    using database = new DatabaseSync(all.from);
    assert.equal(database.prepare("select 1 from sqlite_schema where name = 'moved'").get(), undefined);
  }
  assert.equal((await inspectDatabase(all.path, { movesFrom: all.from })).move?.state, "owed");
  const store = await moved(all);
  assert.equal(await textOf(store, "ada", 1), long);
  await store.close();
});

test("two files that are not one move's are refused, and both stay", async (t) => {
  const all = await files(t);
  const store = await sqliteStore(all.path);
  await make(store, write("new", null, 1));
  await store.close();
  earlierFile(all.from, 3, ...TWO_RECORDS);
  const error = await rejectsWith("store-failed", () => moved(all));
  assert.match(error.message, /put away/);
  const again = await sqliteStore(all.path);
  assert.equal((await again.records.heads([at("new")]))[0]?.head?.version, 1);
  await again.close();
  assert.deepEqual((await inspectDatabase(all.from)).move, { state: "owed", versions: 2 });
});

test("an earlier file that is gone although its mark is there is missed, and so is one that goes during a move", async (t) => {
  const gone = await files(t);
  writeFileSync(`${gone.from}.mark`, `strongroom-vault-mark/1 ${EARLIER_VAULT} 40`.padEnd(127) + "\n");
  await rejectsWith("store-set-back", () => moved(gone));
  const all = await files(t);
  await interrupted(all, "heads");
  rmSync(all.from);
  await rejectsWith("store-set-back", () => moved(all));
});

/** A move that was ended in a phase, with its files as they are then. */
async function interrupted(all: Files, phase: "heads" | "versions" | "moved"): Promise<void> {
  earlierFile(all.from, 3, ...TWO_RECORDS);
  const kept = `${all.from}.kept`;
  const store = await moved(all, () => {
    if (!existsSync(kept)) copyFileSync(all.from, kept);
    return [WRAP];
  });
  await store.close();
  copyFileSync(kept, all.from);
  rmSync(kept);
  using database = new DatabaseSync(all.path);
  const vault = "update gate set commits = 40";
  const emptied = phase === "heads" ? "delete from records; delete from heads;" : "";
  if (phase !== "moved") database.exec(`${emptied} delete from versions; ${vault}`);
  if (phase !== "moved") for (const path of [all.path, all.from]) rmSync(`${path}.mark`);
  database
    .prepare("insert into move (one, phase, after_row) values (1, ?, cast('-9223372036854775808' as integer))")
    .run(phase);
}

for (const phase of ["heads", "versions", "moved"] as const) {
  test(`a move that was ended in its phase "${phase}" goes on, and is no store to anyone before`, async (t) => {
    const all = await files(t);
    await interrupted(all, phase);
    await rejectsWith("store-failed", () => sqliteStore(all.path));
    assert.equal((await inspectDatabase(all.path, { movesFrom: all.from })).move?.state, "under way");
    const store = await moved(all);
    for (const version of [1, 2]) assert.equal(await textOf(store, "ada", version), `message ada ${version}`);
    await store.close();
    assert.deepEqual(readdirSync(all.folder).sort(), LEFT);
  });
}

test("a move that ended after the earlier file was gone, and not what lies beside it, ends", async (t) => {
  const all = await files(t);
  await interrupted(all, "moved");
  rmSync(all.from);
  writeFileSync(`${all.from}.mark`, `strongroom-vault-mark/1 ${EARLIER_VAULT} 40`.padEnd(127) + "\n");
  await (await moved(all)).close();
  assert.deepEqual(readdirSync(all.folder).sort(), LEFT);
});

test("a file under a link is moved, and neither the link nor the file is left", async (t) => {
  const all = await files(t);
  const kept = join(all.folder, "kept.sqlite");
  earlierFile(kept, 3, ...TWO_RECORDS);
  symlinkSync(kept, all.from);
  const store = await moved(all);
  assert.equal(await textOf(store, "ada", 1), "message ada 1");
  await store.close();
  assert.deepEqual(readdirSync(all.folder).sort(), LEFT);
});

/** A file of many versions, large enough for a few dozen steps. What is in it, by id. */
function manyVersions(from: string): ReadonlyMap<string, string> {
  earlierFile(from, 3);
  using database = new DatabaseSync(from);
  const insert = database.prepare(
    "insert into versions values ('people', ?, 1, 's', '2026-01-01T00:00:00.000Z', 1, 2, ?)",
  );
  const head = database.prepare("insert into heads values ('people', ?, 1, 'live', '2026-01-01T00:00:00.000Z')");
  const debt = database.prepare(
    `insert into wrap_debt (collection, id, version, region, key_arn, reason, since)
    values ('people', ?, 1, 'r2', 'arn:2', 'refused', '2026-01-01T00:00:00.000Z')`,
  );
  const made = new Map<string, string>();
  database.exec("begin");
  for (let n = 0; n < 6000; n++) {
    const id = createHash("sha256").update(String(n)).digest("hex");
    const message = createHash("sha512").update(id).digest();
    head.run(id);
    insert.run(id, message);
    if (n % 3 === 0) debt.run(id);
    made.set(id, message.toString("hex"));
  }
  database.exec("commit");
  return made;
}

/** Runs the mover, and kills it after so many lines. True: it came through. */
async function move({ path, from }: Files, lines: number): Promise<boolean> {
  const program = join(import.meta.dirname, "../../support/mover-process.ts");
  const child = spawn(process.execPath, ["--conditions=@strongroom/source", program, path, from], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once("exit", resolve);
  });
  let seen = 0;
  child.stdout.on("data", (text: Buffer) => {
    seen += text.toString().split("\n").length - 1;
    if (seen >= lines) child.kill("SIGKILL");
  });
  return (await ended) === 0;
}

test("a move that is killed again and again comes through, with every record as it was to the last byte", async (t) => {
  const all = await files(t);
  const made = manyVersions(all.from);
  let kills = 0;
  while (!(await move(all, 1 + (kills % 4)))) {
    kills++;
    assert.ok(kills < 60, "each run brings it further");
    if (existsSync(all.from)) await rejectsWith("store-failed", () => sqliteStore(all.path));
  }
  assert.ok(kills >= 3, `${kills} kills`);
  const store = await sqliteStore(all.path, { mark: true });
  defer(t, () => store.close());
  assert.deepEqual(await store.records.collections(), [{ name: "people", records: made.size }]);
  for (const [id, message] of made) {
    const { stored } = await store.records.read(at(id), null);
    assert.equal(Buffer.from(stored?.message ?? []).toString("hex"), message);
  }
  const owing = (await store.inventory.sets()).filter(({ set }) => set?.missing.length === 1).map(({ id }) => id);
  const counts = await store.inventory.counts(owing, 10_000);
  assert.equal(
    counts.reduce((sum, { items }) => sum + items, 0),
    2000,
  );
  assert.deepEqual(
    readdirSync(all.folder).filter((name) => name.startsWith("vault")),
    ["vault.sqlite.mark"],
  );
});

test("of two processes that start at the same time one moves, and the other waits for it", async (t) => {
  const all = await files(t);
  const made = manyVersions(all.from);
  assert.deepEqual(await Promise.all([move(all, Infinity), move(all, Infinity)]), [true, true]);
  const store = await sqliteStore(all.path, { mark: true });
  defer(t, () => store.close());
  assert.deepEqual(await store.records.collections(), [{ name: "people", records: made.size }]);
});

test("progress is told, and ends with everything", async (t) => {
  const all = await files(t);
  const made = manyVersions(all.from);
  const told: MoveProgress[] = [];
  const onProgress = (progress: MoveProgress): void => void told.push(progress);
  const store = await sqliteStore(all.path, { moveFrom: { path: all.from, wrapsOf: () => [WRAP], onProgress } });
  await store.close();
  assert.deepEqual(told.at(-1), { done: made.size, total: made.size });
  assert.ok(told.every(({ done }, index) => index === 0 || done >= told[index - 1]!.done));
});
