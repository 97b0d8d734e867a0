import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { rawAesKeyring } from "@strongroom/envelope";
import { MoveStates, postgresDatabase, sqliteDatabase, start, vaultTarget, verify } from "@strongroom/vault/moving";
import type { MoveDatabase } from "@strongroom/vault/moving";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { defer } from "../../../../tests/support/defer.ts";
import { openVault } from "../../src/open-vault.ts";
import { fileServer } from "../postgres/support/storage.ts";
import { openTestVault, PEOPLE } from "./support/moved.ts";

const { url, pool } = await fileServer();
const ROWS = 250;
/** Of each step, before it is let go on to its end. */
const KILLS = 1;
const TABLE = "create table people (id integer primary key, name text, email text, born text)";

/** Runs a step; kills it so many milliseconds after it has begun. @returns what it said at its end; null: killed */
async function run(step: string, store: string, place: string, killAfterMs: number | null): Promise<string | null> {
  const script = join(import.meta.dirname, "support", "step.ts");
  const child = spawn(process.execPath, ["--conditions=@strongroom/source", script, step, store, place], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [said, wrong] = ["", ""];
  child.stdout.on("data", (text: Buffer) => {
    const isFirst = said === "";
    said += text.toString();
    if (isFirst && killAfterMs !== null) setTimeout(() => child.kill("SIGKILL"), killAfterMs).unref();
  });
  child.stderr.on("data", (text: Buffer) => {
    wrong += text.toString();
  });
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (signal === "SIGKILL") return null;
  assert.equal(code, 0, wrong);
  return said.replace("ready\n", "");
}

async function killed(t: TestContext, place: string, database: MoveDatabase): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "strongroom-move-"));
  defer(t, () => rm(folder, { recursive: true }));
  const store = join(folder, "records.sqlite");
  const sql = (text: string): Promise<readonly Readonly<Record<string, unknown>>[]> =>
    database.transaction((query) => query(text));
  await sql(TABLE);
  for (let id = 1; id <= ROWS; id++)
    await sql(`insert into people values (${id}, 'Name ${id}', 'p${id}@example.com', null)`);
  const before = await sql("select * from people order by id");
  const idle = await openTestVault(t);
  await start({ database, target: (collection) => vaultTarget(idle, collection), opener: null }, PEOPLE);
  const states = new MoveStates(database);
  let kills = 0;
  for (const [step, stage] of [
    ["fill", "filled"],
    ["cutOver", "cut-over"],
    ["drop", "dropped"],
    ["back", "cut-over"],
  ] as const)
    // Killed when all was done but its end, a step has been made: it is not asked for again.
    for (let round = 0; (await states.read("people")).stage !== stage; round++) {
      if ((await run(step, store, place, round < KILLS ? 20 + Math.random() * 300 : null)) !== null) continue;
      kills++;
      await delay(400);
    }
  t.diagnostic(`${kills} kills`);
  assert.ok(kills > 2, `${kills} kills`);
  assert.deepEqual(await sql("select * from people order by id"), before);
  const keyring = rawAesKeyring({ keyNamespace: "test", keyName: "test", wrappingKey: Buffer.alloc(32, 7) });
  await using vault = await openVault({ store: await sqliteStore(store), keyring });
  const options = { database, target: (collection: string) => vaultTarget(vault, collection), opener: null };
  const { verdict, state } = await verify(options, "people");
  assert.deepEqual([verdict?.rows, verdict?.records, verdict?.found, state.stage], [ROWS, ROWS, 0, "cut-over"]);
  for (const id of ["1", "150", "250"])
    assert.equal((await vault.history({ collection: "people", id })).length, 1, "killed again and again, written once");
}

describe("a process that is killed in the middle of a step", () => {
  it("is gone on from, on SQLite", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "strongroom-move-"));
    defer(t, () => rm(folder, { recursive: true }));
    const path = join(folder, "app.sqlite");
    const connection = new DatabaseSync(path, { timeout: 5000 });
    connection.exec("pragma journal_mode = wal");
    defer(t, () => {
      connection.close();
    });
    await killed(t, path, sqliteDatabase(connection));
  });

  it("is gone on from, on PostgreSQL", async (t) => {
    await killed(t, url, postgresDatabase(pool));
  });
});
