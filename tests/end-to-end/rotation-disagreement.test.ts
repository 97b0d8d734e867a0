// Processes that do not declare the same keys: it is seen before anything is changed; who does not know the keys that
// are put in force all the same writes nothing under those that were left, and reads what they open.
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { SQLOutputValue } from "node:sqlite";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openVault } from "@strongroom/vault";
import type { Vault } from "@strongroom/vault";
import { defer } from "../support/defer.ts";
import type { DeclaredLine, DeclaredOrder, DeclaredTask } from "../support/faults/declared-worker.ts";
import { temporaryFolder } from "../support/faults/folder.ts";
import { openStores } from "../support/faults/keyed-place.ts";
import { keySetOf, newTestKey } from "../support/faults/keys.ts";
import type { TestKey } from "../support/faults/keys.ts";
import { COLLECTIONS, SCOPED } from "../support/faults/rotated-place.ts";
import { ToldProcess } from "../support/faults/told-process.ts";

const WORKER = fileURLToPath(new URL("../support/faults/declared-worker.ts", import.meta.url));
const RECORDS = 4;

interface Installed {
  readonly keysPath: string;
  /** A vault in this process. */
  readonly open: (keys: readonly [TestKey, TestKey?], works?: "works") => Promise<Vault>;
  /** One in a process of its own, which works. */
  readonly start: (keys: readonly [TestKey, TestKey?]) => Promise<Other>;
}

interface Other {
  /** What came of it. */
  asked(order: DeclaredOrder): Promise<string>;
  end(): Promise<void>;
}

async function installed(t: TestContext): Promise<Installed> {
  const folder = await temporaryFolder(t);
  const at = (name: string) => ({ kind: "sqlite", path: join(folder, `${name}.sqlite`) }) as const;
  const place = { records: at("records"), keys: at("keys") };
  let started = 0;
  return {
    keysPath: place.keys.path,
    open: async ([current, next], works) => {
      const { store, keyStore } = await openStores(place);
      const vault = await openVault({
        ...{ store, ...keySetOf(current), keys: { store: keyStore }, collections: SCOPED },
        ...(next === undefined ? {} : { next: keySetOf(next) }),
        ...(works === undefined ? {} : { repair: { leaseMs: 2_000, intervalMs: 100, lookMs: 20 } }),
      });
      defer(t, () => vault.close());
      return vault;
    },
    start: async (keys) => {
      const other = new ToldProcess<DeclaredTask, DeclaredLine>(t, WORKER);
      other.begin({ place, keys, log: join(folder, `${started++}.log`) });
      await other.until((lines) => lines.length === 1);
      return {
        asked: async (order) => {
          const before = other.lines().length;
          other.tell(order);
          await other.until((lines) => lines.length > before);
          return other.lines()[before]!.answer;
        },
        end: () => other.kill(),
      };
    },
  };
}

async function putAll(vault: Vault): Promise<void> {
  for (const collection of COLLECTIONS)
    for (let n = 0; n < RECORDS; n++) await vault.put({ collection, id: `r${n}` }, { of: `r${n}` });
}

async function readAll(vault: Vault): Promise<void> {
  for (const collection of COLLECTIONS)
    for (let n = 0; n < RECORDS; n++)
      assert.equal((await vault.get({ collection, id: `r${n}` })).document["of"], `r${n}`);
}

async function until(vault: Vault, is: "hold" | "done"): Promise<void> {
  for (;;) {
    const { run } = await vault.convergence.status();
    if (run?.phase === is || run?.state === is) return;
    await sleep(20);
  }
}

const [A, B, C] = [newTestKey("a"), newTestKey("b"), newTestKey("c")];

test("a process that does not know the declared keys is in the way, and writes no more when it is forced", async (t) => {
  const { open, start } = await installed(t);
  const vault = await open([A, B], "works");
  await putAll(vault);
  const other = await start([A]);
  await assert.rejects(vault.convergence.apply(), { code: "run-refused", message: /^fleet-differs: / });
  assert.equal((await vault.keySet()).state, "current", "nothing was put in force");
  assert.deepEqual((await vault.convergence.status()).fleet.map(({ knowsDeclared }) => knowsDeclared).sort(), [
    false,
    true,
  ]);
  assert.equal(await other.asked({ does: "put", collection: "people", id: "of-the-other" }), "done");

  await vault.convergence.apply({ force: true, keepOld: true, rate: 10_000 });
  await until(vault, "hold");
  for (const collection of COLLECTIONS)
    assert.equal(await other.asked({ does: "put", collection, id: "new" }), "key-set-unknown");
  // Keys of people have their old wraps until these are dropped; a message that was sealed anew has the new ones alone.
  for (const collection of ["people", "tenants"] as const)
    assert.equal(await other.asked({ does: "get", collection, id: "r1" }), "done");
  assert.equal(await other.asked({ does: "get", collection: "people", id: "of-the-other" }), "done");
  await putAll(vault);
  await vault.convergence.apply();
  await until(vault, "done");
  assert.deepEqual((await vault.convergence.probe("a")).items, []);
  await other.end();
  const again = await start([A, B]);
  assert.equal(await again.asked({ does: "put", collection: "people", id: "new" }), "done");
  await readAll(await open([B]));
});

test("a worker with an older declaration changes nothing, and what it asks for is refused", async (t) => {
  const { open, start } = await installed(t);
  const vault = await open([A, B], "works");
  await putAll(vault);
  const older = await start([A, C]);
  await vault.convergence.apply({ force: true, rate: 10_000 });
  assert.equal(await older.asked({ does: "apply", collection: "people", id: "" }), "run-under-way");
  await until(vault, "done");
  // What it declares would be put in force by its own run: it is told that the others do not know it.
  assert.equal(await older.asked({ does: "apply", collection: "people", id: "" }), "run-refused");
  assert.equal(await older.asked({ does: "put", collection: "people", id: "new" }), "key-set-unknown");
  for (const key of [A, C]) assert.deepEqual((await vault.convergence.probe(key.name)).items, []);
  await readAll(await open([B]));
});

/** A hand in the key store: puts back, of one person's key, columns as they were. */
type Hand = (columns: readonly ("wraps" | "wrap_set")[]) => void;

type Row = Readonly<Record<string, SQLOutputValue>>;

/** A vault that has gone from A to B, and a hand that has kept a row from before. */
async function rotatedWithHand(t: TestContext): Promise<{ vault: Vault; hand: Hand; open: Installed["open"] }> {
  const { open, keysPath } = await installed(t);
  const vault = await open([A, B], "works");
  await putAll(vault);
  const rows = (): readonly Row[] =>
    withDatabase(keysPath, (database) => database.prepare("select key, wraps, wrap_set from keys order by key").all());
  const old = rows();
  await vault.convergence.apply({ rate: 10_000 });
  await until(vault, "done");
  const { items, kept, unknown } = await vault.convergence.probe("a");
  assert.deepEqual([items, kept, unknown], [[], false, []]);
  // One that has wraps of the KMS, and does not lie under another key.
  const changed = rows().findLast((row, index) => row["wrap_set"] !== old[index]?.["wrap_set"]);
  const before = old.find((row) => row["key"] === changed?.["key"]);
  const hand: Hand = (columns) => {
    withDatabase(keysPath, (database) => {
      for (const column of columns)
        database.prepare(`update keys set ${column} = ? where key = ?`).run(before![column]!, before!["key"]!);
    });
  };
  return { vault, hand, open };
}

function withDatabase<Result>(path: string, work: (database: DatabaseSync) => Result): Result {
  using database = new DatabaseSync(path, { timeout: 5_000 });
  return work(database);
}

test("a row that was slipped in by hand under the old key after the proof is found, and healed", async (t) => {
  const { vault, hand, open } = await rotatedWithHand(t);
  hand(["wraps", "wrap_set"]);
  assert.deepEqual((await vault.convergence.probe("a")).items, ["keys"], "the next probe finds it");
  await vault.convergence.apply({ rate: 10_000 });
  await until(vault, "done");
  assert.deepEqual((await vault.convergence.probe("a")).items, []);
  await readAll(await open([B]));
});

test("one whose account says that it lies under the new key is found by the verification", async (t) => {
  const { vault, hand } = await rotatedWithHand(t);
  hand(["wraps"]);
  const { verdict, problems } = await vault.verify();
  assert.deepEqual([verdict, problems], ["problems", { "wraps-miscounted": 1 }]);
});
